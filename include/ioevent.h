/*
 * libioevent: ioevent pipes. See ioevent(7). Rules by number are those of doc/CONTRACT.md in the library's sources.
 *
 * Made from the sources by cbindgen; do not edit. `make header` makes it anew.
 */
#ifndef IOEVENT_H
#define IOEVENT_H


#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

/* A struct and a function of one name, as stat(2) has it, are no mistake. */
#if defined __cplusplus && defined __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

struct timespec;

/* Strict ISO C lacks what some declarations need. */
#if defined _GNU_SOURCE || defined _DEFAULT_SOURCE || \
    (defined _XOPEN_SOURCE && _XOPEN_SOURCE - 0 >= 500) || \
    (defined _POSIX_C_SOURCE && _POSIX_C_SOURCE - 0 >= 200809L)
#define IOEVENT_WAITID
#define IOEVENT_TIMESPEC
#elif defined __STDC_VERSION__ && __STDC_VERSION__ >= 201112L
#define IOEVENT_TIMESPEC
#endif

/**
 * The version of this header: major * 0x10000 + minor * 0x100 + patch, to be compared with. What the program
 * runs with is ioevent_version(). ioevent_version(3).
 */
#define IOEVENT_VERSION 0x000200
#define IOEVENT_VERSION_MAJOR 0
#define IOEVENT_VERSION_MINOR 2
#define IOEVENT_VERSION_PATCH 0
#define IOEVENT_VERSION_STRING "0.2.0"

/**
 * errno: the pipe is full. Nothing was scheduled and nothing changed; the call may be made again later.
 */
#define EIOEVENTFULL 1997

/**
 * errno: the operation was queued. Its result comes out of the pipe.
 */
#define EIOEVENTQUEUED 1998

/**
 * ioevent_fcntl(fd, F_SETIOEVENTPIPE, int pipefd, void *user): attach fd to a pipe; with pipefd -1, detach it.
 */
#define F_SETIOEVENTPIPE 0x494f0001

/**
 * ioevent_fcntl(fd, F_GETIOEVENTPIPE, int *pipefd, void **user): what fd is attached to; -1 and NULL if it is not.
 */
#define F_GETIOEVENTPIPE 0x494f0002

/**
 * ioevent_fcntl(fd, F_SETIOEVENTTIMEO, const struct timespec *): bounds the operations queued on fd from now on; zero:
 * no limit.
 */
#define F_SETIOEVENTTIMEO 0x494f0003

/**
 * ioevent_fcntl(fd, F_GETIOEVENTTIMEO, struct timespec *): that bound.
 */
#define F_GETIOEVENTTIMEO 0x494f0004

/**
 * ioevent_fcntl(fd, F_SETIOEVENTFLAGS, int): IOEVENT_INLINE, IOEVENT_POLLONLY, both, or 0.
 */
#define F_SETIOEVENTFLAGS 0x494f0005

/**
 * ioevent_fcntl(fd, F_GETIOEVENTFLAGS): returns them.
 */
#define F_GETIOEVENTFLAGS 0x494f0006

/**
 * ioevent_fcntl(pipefd, F_SETIOEVENTSZ, int nevents): the capacity of a pipe; returns it.
 */
#define F_SETIOEVENTSZ 0x494f0007

/**
 * ioevent_fcntl(pipefd, F_GETIOEVENTSZ): returns the capacity of a pipe.
 */
#define F_GETIOEVENTSZ 0x494f0008

/**
 * ioevent_fcntl(pipefd, F_GETIOEVENTCNT): returns how many places of a pipe are taken.
 */
#define F_GETIOEVENTCNT 0x494f0009

/**
 * A call that can be finished at once returns its result directly, and no event follows.
 */
#define IOEVENT_INLINE 1

/**
 * Only ioevent_poll and ioevent_submit are asynchronous; every other I/O call is libc's.
 */
#define IOEVENT_POLLONLY 2

/**
 * ioevent_cancel2: operations that read.
 */
#define IOEVENT_CANCEL_IN 1

/**
 * ioevent_cancel2: operations that write.
 */
#define IOEVENT_CANCEL_OUT 2

/**
 * ioevent_cancel2: polls and waitid.
 */
#define IOEVENT_CANCEL_POLL 4

/**
 * ioevent_cancel2: all of these.
 */
#define IOEVENT_CANCEL_ALL 7

/**
 * ioevent_cancel2: of these, only those with the given user pointer.
 */
#define IOEVENT_CANCEL_USER 8

/**
 * ioo_kind: read(2).
 */
#define IOEVENT_OP_READ 1

/**
 * ioo_kind: write(2).
 */
#define IOEVENT_OP_WRITE 2

/**
 * ioo_kind: readv(2): ioo_buf is the iovec array, ioo_len its length.
 */
#define IOEVENT_OP_READV 3

/**
 * ioo_kind: writev(2), likewise.
 */
#define IOEVENT_OP_WRITEV 4

/**
 * ioo_kind: pread(2).
 */
#define IOEVENT_OP_PREAD 5

/**
 * ioo_kind: pwrite(2).
 */
#define IOEVENT_OP_PWRITE 6

/**
 * ioo_kind: preadv(2).
 */
#define IOEVENT_OP_PREADV 7

/**
 * ioo_kind: pwritev(2).
 */
#define IOEVENT_OP_PWRITEV 8

/**
 * ioo_kind: recv(2).
 */
#define IOEVENT_OP_RECV 9

/**
 * ioo_kind: recvfrom(2).
 */
#define IOEVENT_OP_RECVFROM 10

/**
 * ioo_kind: recvmsg(2): ioo_buf is the msghdr.
 */
#define IOEVENT_OP_RECVMSG 11

/**
 * ioo_kind: send(2).
 */
#define IOEVENT_OP_SEND 12

/**
 * ioo_kind: sendto(2).
 */
#define IOEVENT_OP_SENDTO 13

/**
 * ioo_kind: sendmsg(2): ioo_buf is the msghdr.
 */
#define IOEVENT_OP_SENDMSG 14

/**
 * ioo_kind: accept(2).
 */
#define IOEVENT_OP_ACCEPT 15

/**
 * ioo_kind: accept4(2).
 */
#define IOEVENT_OP_ACCEPT4 16

/**
 * ioo_kind: connect(2).
 */
#define IOEVENT_OP_CONNECT 17

/**
 * ioo_kind: sendfile(2), from ioo_fd2 to ioo_fd.
 */
#define IOEVENT_OP_SENDFILE 18

/**
 * ioo_kind: splice(2), from ioo_fd2 to ioo_fd.
 */
#define IOEVENT_OP_SPLICE 19

/**
 * ioo_kind: fsync(2).
 */
#define IOEVENT_OP_FSYNC 20

/**
 * ioo_kind: fdatasync(2).
 */
#define IOEVENT_OP_FDATASYNC 21

/**
 * ioo_kind: waitid(2) of a pidfd: ioo_buf is the siginfo_t.
 */
#define IOEVENT_OP_WAITID 22

/**
 * ioo_kind: shutdown(2).
 */
#define IOEVENT_OP_SHUTDOWN 23

/**
 * ioo_kind: ioevent_poll(3).
 */
#define IOEVENT_OP_POLL 24

/**
 * ioo_kind: an event after ioo_timeout; ioo_fd is the pipe.
 */
#define IOEVENT_OP_TIMER 25

/**
 * An event: one operation is complete, or one struct was posted.
 */
struct ioevent {
  /**
   * The user pointer that the descriptor was attached with when the operation was queued.
   */
  void *ioe_user;
  /**
   * What the system call returned.
   */
  int ioe_result;
  /**
   * Its errno; 0 if it did not fail. With the count of a part: ECANCELED or ETIMEDOUT if that is why it was ended
   * early.
   */
  int ioe_errno;
};

/**
 * What has happened in a pipe since it was made, and what there is in it now.
 *
 * All but `places`, `capacity` and `attached` only grow. Operations are counted when they are queued, whatever becomes
 * of them; with each comes one event, which is counted when it is harvested. The numbers are read one after the other,
 * while other threads go on: each is exact while no other thread makes calls, and else they may be off against each
 * other, by what these threads are about to do.
 */
struct ioevent_stats {
  /**
   * Places taken now: operations outstanding and events posted, together.
   */
  uint64_t ios_places;
  /**
   * The most that were ever taken at once.
   */
  uint64_t ios_places_max;
  /**
   * Places there are.
   */
  uint64_t ios_capacity;
  /**
   * Descriptors attached now.
   */
  uint64_t ios_attached;
  /**
   * Operations queued: read, readv, pread, preadv, recv, recvfrom, recvmsg.
   */
  uint64_t ios_reads;
  /**
   * write, writev, pwrite, pwritev, send, sendto, sendmsg.
   */
  uint64_t ios_writes;
  /**
   * accept, accept4.
   */
  uint64_t ios_accepts;
  /**
   * connect.
   */
  uint64_t ios_connects;
  /**
   * poll.
   */
  uint64_t ios_polls;
  /**
   * sendfile, splice.
   */
  uint64_t ios_transfers;
  /**
   * fsync, fdatasync.
   */
  uint64_t ios_syncs;
  /**
   * shutdown.
   */
  uint64_t ios_shutdowns;
  /**
   * waitid.
   */
  uint64_t ios_waits;
  /**
   * Timers set.
   */
  uint64_t ios_timers;
  /**
   * Events posted.
   */
  uint64_t ios_posts;
  /**
   * Operations, of whatever kind, that gave their result directly: these are counted here alone.
   */
  uint64_t ios_inline;
  /**
   * Events harvested.
   */
  uint64_t ios_events;
  /**
   * Times that a call found every place taken (EIOEVENTFULL).
   */
  uint64_t ios_full;
  /**
   * Times that a thread harvested events which were in the lane of another thread.
   */
  uint64_t ios_takeovers;
  /**
   * Times that a thread which waits, or the descriptor of a pipe with O_NONBLOCK, was woken by the library itself.
   */
  uint64_t ios_wakeups;
  /**
   * Looks of harvests into the kernel that found nothing.
   */
  uint64_t ios_empty_looks;
  /**
   * Timers whose time has come.
   */
  uint64_t ios_expired;
  /**
   * Operations given to a thread of the library's own, because they may wait for a disk.
   */
  uint64_t ios_jobs;
};

#if defined(IOEVENT_TIMESPEC)
/**
 * One operation for ioevent_submit. What an operation does not use is ignored.
 */
struct ioevent_op {
  /**
   * IOEVENT_OP_READ, IOEVENT_OP_WRITE, ...
   */
  unsigned short ioo_kind;
  /**
   * Must be 0.
   */
  unsigned short ioo_flags;
  /**
   * The descriptor; sendfile, splice: the destination; timer: the pipe.
   */
  int ioo_fd;
  /**
   * The user pointer of the event.
   */
  void *ioo_user;
  /**
   * Buffer, iovec array, msghdr or siginfo_t.
   */
  void *ioo_buf;
  /**
   * Bytes, or iovecs.
   */
  size_t ioo_len;
  /**
   * accept, connect, recvfrom, sendto.
   */
  struct sockaddr *ioo_addr;
  /**
   * The address's length: read when queued, written when complete.
   */
  socklen_t *ioo_addrlen;
  /**
   * pread and its like; sendfile and splice: in the source; -1: the file's own.
   */
  long long ioo_offset;
  /**
   * splice: in the destination; -1: the file's own.
   */
  long long ioo_offset2;
  /**
   * sendfile, splice: the source.
   */
  int ioo_fd2;
  /**
   * Flags of recv, send, accept4, splice; events of poll; how of shutdown; options of waitid.
   */
  int ioo_arg;
  /**
   * 0: the descriptor's; timer: when it expires, from now.
   */
  struct timespec ioo_timeout;
  /**
   * Must be 0.
   */
  unsigned long ioo_zero[4];
};
#endif

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * fcntl(2), with commands of its own; all others are handed to fcntl(2).
 *
 * F_SETIOEVENTPIPE, int pipefd, void *user: attaches fd to the pipe, or changes pipe and user pointer for
 * operations queued from now on; pipefd -1 detaches. Errors: EBADF (fd or pipefd is not open), EINVAL (pipefd is
 * no pipe, or fd is one), EEXIST (the crate has it attached in Rust), ENOMEM, ENOSPC. F_GETIOEVENTPIPE, int
 * *pipefd, void **user: what fd is attached to; -1 and NULL if it is not. Errors: EBADF, EFAULT. On an attached
 * descriptor (EINVAL on others): F_SETIOEVENTTIMEO, const struct timespec *: bounds operations queued from now on,
 * zero: no limit. F_GETIOEVENTTIMEO, struct timespec *. F_SETIOEVENTFLAGS, int: IOEVENT_INLINE, IOEVENT_POLLONLY.
 * F_GETIOEVENTFLAGS returns them. On a pipe: F_SETIOEVENTSZ, int nevents: its capacity; EBUSY if more places are
 * taken, EINVAL below 1. F_GETIOEVENTSZ, F_GETIOEVENTCNT: return its capacity, and the places taken. Any thread.
 * ioevent_fcntl(3), rules 2.8, 2.11, 3.1, 3.8, 4.2, 4.3, 4.6.
 */
extern int ioevent_fcntl(int fd,
                         int cmd,
                         ...);

/**
 * Like strerror(3), and knows EIOEVENTFULL and EIOEVENTQUEUED too. Returns a string that must not be changed. Any
 * thread that may call strerror(3). ioevent_strerror(3).
 */
const char *ioevent_strerror(int errnum);

/**
 * pread(2); queued on an attached descriptor, outside the order of reads. `buf` is the library's until the event has
 * been read. Errors beside those of an operation: EINVAL (a negative offset). Any thread. ioevent_pread(3).
 */
ssize_t ioevent_pread(int fd,
                      void *buf,
                      size_t nbytes,
                      off_t offset);

/**
 * pwrite(2); queued on an attached descriptor, outside the order of writes. `buf` is the library's until the event has
 * been read. Errors beside those of an operation: EINVAL (a negative offset). Any thread. ioevent_pread(3).
 */
ssize_t ioevent_pwrite(int fd,
                       const void *buf,
                       size_t nbytes,
                       off_t offset);

/**
 * preadv(2); queued on an attached descriptor, outside the order of reads. The array and the buffers are the library's
 * until the event has been read. Errors beside those of an operation: EINVAL (a negative offset). Any thread.
 * ioevent_pread(3).
 */
ssize_t ioevent_preadv(int fd,
                       const struct iovec *iov,
                       int iovcnt,
                       off_t offset);

/**
 * pwritev(2); queued on an attached descriptor, outside the order of writes. The array and the buffers are the
 * library's until the event has been read. Errors beside those of an operation: EINVAL (a negative offset). Any
 * thread. ioevent_pread(3).
 */
ssize_t ioevent_pwritev(int fd,
                        const struct iovec *iov,
                        int iovcnt,
                        off_t offset);

/**
 * sendfile(2). Queued if `out_fd` is attached, in the order of its writes; else if `in_fd` is, in the order of its
 * reads.
 *
 * `offset` is the library's until the event has been read. To a socket it sends all; into a pipe it moves what fits,
 * at least a byte. While it waits the library holds the open file of the descriptor that it does not belong to. No
 * SIGPIPE. Any thread. ioevent_sendfile(3), rule 2.4.
 */
ssize_t ioevent_sendfile(int out_fd,
                         int in_fd,
                         off_t *offset,
                         size_t count);

/**
 * splice(2). Queued if `fd_out` is attached, in the order of its writes; else if `fd_in` is, in the order of its
 * reads.
 *
 * The offsets are the library's until the event has been read. It moves what is there and fits, at least a byte.
 * SPLICE_F_NONBLOCK makes no difference to an operation. No SIGPIPE. Any thread. ioevent_sendfile(3), rule 2.4.
 */
ssize_t ioevent_splice(int fd_in,
                       off_t *off_in,
                       int fd_out,
                       off_t *off_out,
                       size_t len,
                       unsigned int flags);

/**
 * fsync(2); queued on an attached descriptor. It covers the writes that were queued there before it. Any thread.
 * ioevent_fsync(3), rule 2.5.
 */
int ioevent_fsync(int fd);

/**
 * fdatasync(2); queued on an attached descriptor, like ioevent_fsync. Any thread. ioevent_fsync(3), rule 2.5.
 */
int ioevent_fdatasync(int fd);

/**
 * shutdown(2); queued on an attached descriptor. SHUT_WR takes its turn after the writes that were queued before it;
 * SHUT_RD and SHUT_RDWR are done at once. Any thread. ioevent_shutdown(3), rule 2.5.
 */
int ioevent_shutdown(int fd,
                     int how);

#if defined(IOEVENT_WAITID)
/**
 * waitid(2); queued if `idtype` is P_PIDFD and `id` an attached pidfd.
 *
 * `options` must have WEXITED then, and may have WNOHANG or WNOWAIT, else EINVAL. `infop` is the library's until the
 * event has been read. Any thread. ioevent_waitid(3), rule 2.4.
 */
int ioevent_waitid(idtype_t idtype,
                   id_t id,
                   siginfo_t *infop,
                   int options);
#endif

/**
 * dup2(2). An attached descriptor, or a pipe, that is replaced is closed as by ioevent_close. Any thread.
 * ioevent_close(3), rule 4.4.
 */
int ioevent_dup2(int oldfd, int newfd);

/**
 * dup3(2). An attached descriptor, or a pipe, that is replaced is closed as by ioevent_close. Any thread.
 * ioevent_close(3), rule 4.4.
 */
int ioevent_dup3(int oldfd, int newfd, int flags);

/**
 * read(2), or harvesting.
 *
 * On an attached descriptor the read is queued: -1 and EIOEVENTQUEUED. `buf` is the library's until the event has been
 * read; the event says how many bytes there were, 0 at end of file, or -1. On a pipe: reads as many whole struct
 * ioevent as are there and fit, and returns their bytes; waits for the first unless O_NONBLOCK is set. Errors there:
 * EINVAL (nbytes below the size of one), EAGAIN, EINTR, EBADF (the pipe was closed). On anything else: read(2).
 * Any thread. ioevent_read(3), rules 2.4, 3.2.
 */
ssize_t ioevent_read(int fd,
                     void *buf,
                     size_t nbytes);

/**
 * write(2), or posting.
 *
 * On an attached descriptor the write is queued: -1 and EIOEVENTQUEUED, or EIOEVENTFULL. `buf` is the library's until
 * the event has been read. A write to a stream is whole if ioe_result is nbytes; a smaller number is a part, and
 * ioe_errno says whether it was ended early (ECANCELED, ETIMEDOUT) or stopped by an error (0), which the next write
 * gives. No SIGPIPE. On a pipe: posts whole struct ioevent, each to be harvested like any other event; returns the
 * bytes of those that had a place. Errors there: EIOEVENTFULL (none had), EINVAL (not whole structs), ENOMEM. On
 * anything else: write(2). Any thread. ioevent_read(3), rules 2.4, 3.5.
 */
ssize_t ioevent_write(int fd,
                      const void *buf,
                      size_t nbytes);

/**
 * readv(2); queued on an attached descriptor; harvests on a pipe. The array and the buffers are the library's until
 * the event has been read. Any thread. ioevent_read(3).
 */
ssize_t ioevent_readv(int fd,
                      const struct iovec *iov,
                      int iovcnt);

/**
 * writev(2); queued on an attached descriptor; posts on a pipe. The array and the buffers are the library's until the
 * event has been read. Any thread. ioevent_read(3).
 */
ssize_t ioevent_writev(int fd,
                       const struct iovec *iov,
                       int iovcnt);

/**
 * Queues "tell me when it is ready" on an attached descriptor: -1 and EIOEVENTQUEUED.
 *
 * The event's ioe_result is what poll(2) gives as revents: those of `events` that hold, POLLERR, POLLHUP, POLLNVAL. It
 * takes no buffer and stands outside the order of reads and writes. Errors: EIOEVENTFULL, EINVAL (not attached),
 * EBADF. Any thread. ioevent_poll(3), rule 2.10.
 */
int ioevent_poll(int fd,
                 short events);

/**
 * close(2), for attached descriptors and pipes too.
 *
 * Ends the outstanding operations of an attached descriptor; each still gives its event (the bytes that were moved, or
 * -1, and ECANCELED). Ends all operations of a pipe, whose events are gone with it; when it returns, no buffer is in
 * use and every descriptor is detached; threads that wait in a harvest get EBADF. Errors: as close(2). Any thread.
 * ioevent_close(3), rules 3.7, 4.3.
 */
int ioevent_close(int fd);

/**
 * Ends the operations of an attached descriptor that are not finished; returns how many.
 *
 * Each gives its event: the bytes that were moved, or -1, and ECANCELED in ioe_errno. One whose time is over has
 * ended, and is not counted. Errors: EINVAL (not attached), EBADF. Any thread. ioevent_cancel(3), rule 4.7.
 */
int ioevent_cancel(int fd);

/**
 * Ends some of the operations of an attached descriptor that are not finished; returns how many.
 *
 * `what`: IOEVENT_CANCEL_IN (what reads), IOEVENT_CANCEL_OUT (what writes), IOEVENT_CANCEL_POLL, or several of them,
 * or IOEVENT_CANCEL_ALL; with IOEVENT_CANCEL_USER only those that were queued with the pointer `user`. Each gives its
 * event as with ioevent_cancel. Errors: EINVAL (not attached; no direction; unknown bits), EBADF. Any thread.
 * ioevent_cancel(3), rule 4.7.
 */
int ioevent_cancel2(int fd,
                    int what,
                    const void *user);

/**
 * Makes an ioevent pipe that can have `nevents` operations outstanding and events posted, together. Returns its
 * descriptor.
 *
 * Errors: EINVAL (nevents below 1), EMFILE, ENFILE, ENOMEM. Any thread. ioeventpipe(3), rule 3.1.
 */
int ioeventpipe(int nevents);

/**
 * ioeventpipe with flags: O_NONBLOCK (harvests do not wait, and the descriptor can be waited on with poll(2) and its
 * like), O_CLOEXEC.
 *
 * Errors: as ioeventpipe, and EINVAL for other flags. Any thread. ioeventpipe(3), rule 3.6.
 */
int ioeventpipe2(int nevents,
                 int flags);

/**
 * Harvests: takes up to `nevents` events out of a pipe and returns how many there were.
 *
 * Waits for the first for at most `timeout`; NULL waits for ever, 0 does not wait; 0 is returned when the time is
 * over. O_NONBLOCK does not matter. Errors: EINVAL (not a pipe, nevents below 1, no valid time), EBADF (not open, or
 * the pipe was closed meanwhile or is lost), EFAULT, EINTR (a signal was handled and no event read). Any number of
 * threads; each event goes to one of them. ioevent_wait(3), rule 3.2.
 */
int ioevent_wait(int pipefd,
                 struct ioevent *events,
                 int nevents,
                 const struct timespec *timeout);

/**
 * recv(2); queued on an attached descriptor. The buffer is the library's until the event has been read. Any thread.
 * ioevent_read(3).
 */
ssize_t ioevent_recv(int fd,
                     void *buf,
                     size_t len,
                     int flags);

/**
 * recvfrom(2); queued on an attached descriptor. Buffer, address and its length are the library's until the event has
 * been read. Any thread. ioevent_read(3).
 */
ssize_t ioevent_recvfrom(int fd,
                         void *buf,
                         size_t len,
                         int flags,
                         struct sockaddr *addr,
                         socklen_t *addrlen);

/**
 * recvmsg(2); queued on an attached descriptor. The struct and all it points to are the library's until the event has
 * been read. Any thread. ioevent_read(3).
 */
ssize_t ioevent_recvmsg(int fd,
                        struct msghdr *msg,
                        int flags);

/**
 * send(2); queued on an attached descriptor. The buffer is the library's until the event has been read. No SIGPIPE.
 * Any thread. ioevent_read(3).
 */
ssize_t ioevent_send(int fd,
                     const void *buf,
                     size_t len,
                     int flags);

/**
 * sendto(2); queued on an attached descriptor. Buffer and address are the library's until the event has been read. No
 * SIGPIPE. Any thread. ioevent_read(3).
 */
ssize_t ioevent_sendto(int fd,
                       const void *buf,
                       size_t len,
                       int flags,
                       const struct sockaddr *addr,
                       socklen_t addrlen);

/**
 * sendmsg(2); queued on an attached descriptor. The struct and all it points to are the library's until the event has
 * been read. No SIGPIPE. Any thread. ioevent_read(3).
 */
ssize_t ioevent_sendmsg(int fd,
                        const struct msghdr *msg,
                        int flags);

/**
 * accept(2); queued on an attached descriptor. The event's ioe_result is the new descriptor, which is not attached, or
 * -1: EINVAL if the listener was shut down. Address and its length are the library's until the event has been read.
 * Any thread. ioevent_accept(3).
 */
int ioevent_accept(int fd,
                   struct sockaddr *addr,
                   socklen_t *addrlen);

/**
 * accept4(2); queued on an attached descriptor, like ioevent_accept. `flags`: SOCK_NONBLOCK, SOCK_CLOEXEC. Any thread.
 * ioevent_accept(3).
 */
int ioevent_accept4(int fd,
                    struct sockaddr *addr,
                    socklen_t *addrlen,
                    int flags);

/**
 * connect(2); queued on an attached descriptor. The address is the library's until the event has been read. Reads that
 * are queued behind it wait for it. On a socket that is connecting it waits for the outcome. Any thread.
 * ioevent_accept(3), rule 2.4.
 */
int ioevent_connect(int fd,
                    const struct sockaddr *addr,
                    socklen_t addrlen);

/**
 * The statistics of a pipe. `size` is sizeof *stats.
 *
 * Fills what both the caller and the library know of the struct, sets what is left of it to 0, and returns how many
 * bytes it has filled: the two may be of different versions. Errors: EINVAL (not a pipe; no size that the struct has
 * or may have), EBADF (not open, or the pipe was closed or is lost), EFAULT. Any thread; none is held up by it.
 * ioevent_stats(3).
 */
int ioevent_stats(int pipefd,
                  struct ioevent_stats *stats,
                  size_t size);

#if defined(IOEVENT_TIMESPEC)
/**
 * Queues operations, each with a user pointer and a timeout of its own.
 *
 * Returns how many were taken, from the front; each of them ends in an event. If none was: -1, and errno says why the
 * first was not: EIOEVENTFULL; EINVAL (unknown kind; flags or ioo_zero not 0; no valid timeout; not attached, or for a
 * timer not a pipe); EBADF; EFAULT; ENOMEM. The array may be used again when the call returns; what it points to is
 * the library's until the events have been read. Any thread. ioevent_submit(3), rule 2.9.
 */
int ioevent_submit(const struct ioevent_op *ops,
                   int nops);
#endif

/**
 * The version of the library that the program runs with, as IOEVENT_VERSION is that of the header it was compiled
 * with: major * 0x10000 + minor * 0x100 + patch. Cannot fail. Any thread, async-signal-safe. ioevent_version(3).
 */
unsigned int ioevent_version(void);

/**
 * The same as a text, as IOEVENT_VERSION_STRING: "0.2.0". It is not to be changed, and stays. Cannot fail. Any thread,
 * async-signal-safe. ioevent_version(3).
 */
const char *ioevent_version_string(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* What follows is C that is compiled into the program. __inline: C89 has no inline. */

/**
 * Whether a call on an attached descriptor, which has returned `result`, was queued: its event will come. False: the
 * call is over, `result` and errno say how, and no event will come. Use it right after the call, while errno is the
 * call's. Any thread. ioevent_queued(3), rule 2.1.
 */
static __inline int ioevent_queued(ssize_t result)
{
    return result == -1 && errno == EIOEVENTQUEUED;
}

#if defined(IOEVENT_TIMESPEC)

/* C++ has names for its casts, and may warn of others. C has no cast that takes const away without a warning. */
#ifdef __cplusplus
#define IOEVENT_CAST(type, value) static_cast<type>(value)
#define IOEVENT_LENT(type, pointer) const_cast<type *>(pointer)
#else
#define IOEVENT_CAST(type, value) ((type)(value))
#define IOEVENT_LENT(type, pointer) ((type *)(size_t)(pointer))
#endif

/*
 * Each ioevent_prep_X fills an operation for ioevent_submit: one that does what ioevent_X does with the same arguments,
 * and whose event has the pointer `user`. All else is 0, ioo_timeout too, which may be set afterwards. Offsets of
 * sendfile and splice are numbers, and -1, there and in pread and its like, is the file's own. What the pointers lead
 * to is the library's from ioevent_submit until the event has been read, but for the lengths that connect and sendto
 * are given. Any thread. ioevent_prep(3), rule 2.9.
 */

/**
 * An operation of this kind, and all else 0.
 */
static __inline void ioevent_prep(struct ioevent_op *op, unsigned short kind, int fd, void *user)
{
    memset(op, 0, sizeof *op);
    op->ioo_kind = kind;
    op->ioo_fd = fd;
    op->ioo_user = user;
}

static __inline void ioevent_prep_read(struct ioevent_op *op, int fd, void *buf, size_t nbytes, void *user)
{
    ioevent_prep(op, IOEVENT_OP_READ, fd, user);
    op->ioo_buf = buf;
    op->ioo_len = nbytes;
}

static __inline void ioevent_prep_write(struct ioevent_op *op, int fd, const void *buf, size_t nbytes,
                                        void *user)
{
    ioevent_prep(op, IOEVENT_OP_WRITE, fd, user);
    op->ioo_buf = IOEVENT_LENT(void, buf);
    op->ioo_len = nbytes;
}

static __inline void ioevent_prep_readv(struct ioevent_op *op, int fd, const struct iovec *iov, int iovcnt,
                                        void *user)
{
    ioevent_prep(op, IOEVENT_OP_READV, fd, user);
    op->ioo_buf = IOEVENT_LENT(struct iovec, iov);
    op->ioo_len = IOEVENT_CAST(size_t, iovcnt);
}

static __inline void ioevent_prep_writev(struct ioevent_op *op, int fd, const struct iovec *iov, int iovcnt,
                                         void *user)
{
    ioevent_prep(op, IOEVENT_OP_WRITEV, fd, user);
    op->ioo_buf = IOEVENT_LENT(struct iovec, iov);
    op->ioo_len = IOEVENT_CAST(size_t, iovcnt);
}

static __inline void ioevent_prep_pread(struct ioevent_op *op, int fd, void *buf, size_t nbytes, off_t offset,
                                        void *user)
{
    ioevent_prep(op, IOEVENT_OP_PREAD, fd, user);
    op->ioo_buf = buf;
    op->ioo_len = nbytes;
    op->ioo_offset = offset;
}

static __inline void ioevent_prep_pwrite(struct ioevent_op *op, int fd, const void *buf, size_t nbytes,
                                         off_t offset, void *user)
{
    ioevent_prep(op, IOEVENT_OP_PWRITE, fd, user);
    op->ioo_buf = IOEVENT_LENT(void, buf);
    op->ioo_len = nbytes;
    op->ioo_offset = offset;
}

static __inline void ioevent_prep_preadv(struct ioevent_op *op, int fd, const struct iovec *iov, int iovcnt,
                                         off_t offset, void *user)
{
    ioevent_prep(op, IOEVENT_OP_PREADV, fd, user);
    op->ioo_buf = IOEVENT_LENT(struct iovec, iov);
    op->ioo_len = IOEVENT_CAST(size_t, iovcnt);
    op->ioo_offset = offset;
}

static __inline void ioevent_prep_pwritev(struct ioevent_op *op, int fd, const struct iovec *iov, int iovcnt,
                                          off_t offset, void *user)
{
    ioevent_prep(op, IOEVENT_OP_PWRITEV, fd, user);
    op->ioo_buf = IOEVENT_LENT(struct iovec, iov);
    op->ioo_len = IOEVENT_CAST(size_t, iovcnt);
    op->ioo_offset = offset;
}

static __inline void ioevent_prep_recv(struct ioevent_op *op, int fd, void *buf, size_t len, int flags,
                                       void *user)
{
    ioevent_prep(op, IOEVENT_OP_RECV, fd, user);
    op->ioo_buf = buf;
    op->ioo_len = len;
    op->ioo_arg = flags;
}

static __inline void ioevent_prep_recvfrom(struct ioevent_op *op, int fd, void *buf, size_t len, int flags,
                                           struct sockaddr *addr, socklen_t *addrlen, void *user)
{
    ioevent_prep(op, IOEVENT_OP_RECVFROM, fd, user);
    op->ioo_buf = buf;
    op->ioo_len = len;
    op->ioo_arg = flags;
    op->ioo_addr = addr;
    op->ioo_addrlen = addrlen;
}

static __inline void ioevent_prep_recvmsg(struct ioevent_op *op, int fd, struct msghdr *msg, int flags,
                                          void *user)
{
    ioevent_prep(op, IOEVENT_OP_RECVMSG, fd, user);
    op->ioo_buf = msg;
    op->ioo_arg = flags;
}

static __inline void ioevent_prep_send(struct ioevent_op *op, int fd, const void *buf, size_t len, int flags,
                                       void *user)
{
    ioevent_prep(op, IOEVENT_OP_SEND, fd, user);
    op->ioo_buf = IOEVENT_LENT(void, buf);
    op->ioo_len = len;
    op->ioo_arg = flags;
}

static __inline void ioevent_prep_sendto(struct ioevent_op *op, int fd, const void *buf, size_t len,
                                         int flags, const struct sockaddr *addr, const socklen_t *addrlen,
                                         void *user)
{
    ioevent_prep(op, IOEVENT_OP_SENDTO, fd, user);
    op->ioo_buf = IOEVENT_LENT(void, buf);
    op->ioo_len = len;
    op->ioo_arg = flags;
    op->ioo_addr = IOEVENT_LENT(struct sockaddr, addr);
    op->ioo_addrlen = IOEVENT_LENT(socklen_t, addrlen);
}

static __inline void ioevent_prep_sendmsg(struct ioevent_op *op, int fd, const struct msghdr *msg, int flags,
                                          void *user)
{
    ioevent_prep(op, IOEVENT_OP_SENDMSG, fd, user);
    op->ioo_buf = IOEVENT_LENT(struct msghdr, msg);
    op->ioo_arg = flags;
}

static __inline void ioevent_prep_accept(struct ioevent_op *op, int fd, struct sockaddr *addr,
                                         socklen_t *addrlen, void *user)
{
    ioevent_prep(op, IOEVENT_OP_ACCEPT, fd, user);
    op->ioo_addr = addr;
    op->ioo_addrlen = addrlen;
}

static __inline void ioevent_prep_accept4(struct ioevent_op *op, int fd, struct sockaddr *addr,
                                          socklen_t *addrlen, int flags, void *user)
{
    ioevent_prep(op, IOEVENT_OP_ACCEPT4, fd, user);
    op->ioo_addr = addr;
    op->ioo_addrlen = addrlen;
    op->ioo_arg = flags;
}

static __inline void ioevent_prep_connect(struct ioevent_op *op, int fd, const struct sockaddr *addr,
                                          const socklen_t *addrlen, void *user)
{
    ioevent_prep(op, IOEVENT_OP_CONNECT, fd, user);
    op->ioo_addr = IOEVENT_LENT(struct sockaddr, addr);
    op->ioo_addrlen = IOEVENT_LENT(socklen_t, addrlen);
}

static __inline void ioevent_prep_sendfile(struct ioevent_op *op, int out_fd, int in_fd, off_t offset,
                                           size_t count, void *user)
{
    ioevent_prep(op, IOEVENT_OP_SENDFILE, out_fd, user);
    op->ioo_fd2 = in_fd;
    op->ioo_offset = offset;
    op->ioo_len = count;
}

static __inline void ioevent_prep_splice(struct ioevent_op *op, int fd_in, off_t off_in, int fd_out,
                                         off_t off_out, size_t len, unsigned int flags, void *user)
{
    ioevent_prep(op, IOEVENT_OP_SPLICE, fd_out, user);
    op->ioo_fd2 = fd_in;
    op->ioo_offset = off_in;
    op->ioo_offset2 = off_out;
    op->ioo_len = len;
    op->ioo_arg = IOEVENT_CAST(int, flags);
}

static __inline void ioevent_prep_fsync(struct ioevent_op *op, int fd, void *user)
{
    ioevent_prep(op, IOEVENT_OP_FSYNC, fd, user);
}

static __inline void ioevent_prep_fdatasync(struct ioevent_op *op, int fd, void *user)
{
    ioevent_prep(op, IOEVENT_OP_FDATASYNC, fd, user);
}

#if defined(IOEVENT_WAITID)
static __inline void ioevent_prep_waitid(struct ioevent_op *op, int pidfd, siginfo_t *infop, int options,
                                         void *user)
{
    ioevent_prep(op, IOEVENT_OP_WAITID, pidfd, user);
    op->ioo_buf = infop;
    op->ioo_arg = options;
}

#endif

static __inline void ioevent_prep_shutdown(struct ioevent_op *op, int fd, int how, void *user)
{
    ioevent_prep(op, IOEVENT_OP_SHUTDOWN, fd, user);
    op->ioo_arg = how;
}

static __inline void ioevent_prep_poll(struct ioevent_op *op, int fd, short events, void *user)
{
    ioevent_prep(op, IOEVENT_OP_POLL, fd, user);
    op->ioo_arg = events;
}

/**
 * A timer of a pipe: an event with the result 0 when `time`, from now, is over.
 */
static __inline void ioevent_prep_timer(struct ioevent_op *op, int pipefd, const struct timespec *time,
                                        void *user)
{
    ioevent_prep(op, IOEVENT_OP_TIMER, pipefd, user);
    op->ioo_timeout = *time;
}

#undef IOEVENT_CAST
#undef IOEVENT_LENT

#endif /* IOEVENT_TIMESPEC */

#if defined __cplusplus && defined __GNUC__
#pragma GCC diagnostic pop
#endif

#endif /* IOEVENT_H */
