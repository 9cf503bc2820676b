//! Statistics of a pipe.

/// What has happened in a pipe since it was made, and what there is in it now.
///
/// All but `places`, `capacity` and `attached` only grow. Operations are counted when they are queued, whatever becomes
/// of them; with each comes one event, which is counted when it is harvested. The numbers are read one after the other,
/// while other threads go on: each is exact while no other thread makes calls, and else they may be off against each
/// other, by what these threads are about to do.
/// cbindgen:field-names=[ios_places, ios_places_max, ios_capacity, ios_attached, ios_reads, ios_writes, ios_accepts, ios_connects, ios_polls, ios_transfers, ios_syncs, ios_shutdowns, ios_waits, ios_timers, ios_posts, ios_inline, ios_events, ios_full, ios_takeovers, ios_wakeups, ios_empty_looks, ios_expired, ios_jobs]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
#[non_exhaustive]
pub struct Stats {
    /// Places taken now: operations outstanding and events posted, together.
    pub places: u64,
    /// The most that were ever taken at once.
    pub places_max: u64,
    /// Places there are.
    pub capacity: u64,
    /// Descriptors attached now.
    pub attached: u64,
    /// Operations queued: read, readv, pread, preadv, recv, recvfrom, recvmsg.
    pub reads: u64,
    /// write, writev, pwrite, pwritev, send, sendto, sendmsg.
    pub writes: u64,
    /// accept, accept4.
    pub accepts: u64,
    /// connect.
    pub connects: u64,
    /// poll.
    pub polls: u64,
    /// sendfile, splice.
    pub transfers: u64,
    /// fsync, fdatasync.
    pub syncs: u64,
    /// shutdown.
    pub shutdowns: u64,
    /// waitid.
    pub waits: u64,
    /// Timers set.
    pub timers: u64,
    /// Events posted.
    pub posts: u64,
    /// Operations, of whatever kind, that gave their result directly: these are counted here alone.
    pub inline: u64,
    /// Events harvested.
    pub events: u64,
    /// Times that a call found every place taken (EIOEVENTFULL).
    pub full: u64,
    /// Times that a thread harvested events which were in the lane of another thread.
    pub takeovers: u64,
    /// Times that a thread which waits, or the descriptor of a pipe with O_NONBLOCK, was woken by the library itself.
    pub wakeups: u64,
    /// Looks of harvests into the kernel that found nothing.
    pub empty_looks: u64,
    /// Timers whose time has come.
    pub expired: u64,
    /// Operations given to a thread of the library's own, because they may wait for a disk.
    pub jobs: u64,
}

impl Stats {
    /// All of them, in their order.
    pub(crate) fn words(&self) -> &[u64] {
        // SAFETY: the struct is laid out as in C, and all its fields are words.
        unsafe {
            core::slice::from_raw_parts(
                core::ptr::from_ref(self).cast(),
                size_of::<Stats>() / size_of::<u64>(),
            )
        }
    }
}
