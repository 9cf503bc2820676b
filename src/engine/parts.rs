//! The memory that an operation has the use of (rule 2.3), for those who look at it: buffers, and the structs that say
//! where these are. Nothing here trusts an address of the program's.

use crate::queue::op::{BY_POINTER, Kind, LENGTH_BY_POINTER, OpRef};
use crate::state::outstanding::Part;
use crate::sys::memory;

/// More buffers than this the kernel does not take.
const MOST_IOVECS: usize = 1024;
/// How many are read at a time.
const SOME: usize = 16;
const IOVEC: usize = size_of::<libc::iovec>();
/// No address is longer.
const MOST_ADDRESS: usize = size_of::<libc::sockaddr_storage>();

/// Shows the parts of an operation's memory that there are.
pub(crate) fn each(op: OpRef, mut show: impl FnMut(Part)) {
    let show: &mut dyn FnMut(Part) = &mut |part: Part| {
        if part.at != 0 && part.len > 0 && part.at.checked_add(part.len).is_some() {
            show(part);
        }
    };
    let (buf, len, addr, addrlen) =
        (op.buf.get().addr(), op.len.get() as usize, op.addr.get().addr(), op.addrlen.get().addr());
    match op.kind.get() {
        Kind::Read | Kind::Pread => show(data(buf, len, true)),
        Kind::Recv => {
            show(data(buf, len, true));
            address(op, addr, addrlen, show);
        }
        Kind::Accept => address(op, addr, addrlen, show),
        Kind::Write | Kind::Pwrite => show(data(buf, len, false)),
        Kind::Send => {
            show(data(buf, len, false));
            show(part(addr, addrlen.min(MOST_ADDRESS), false));
        }
        Kind::Connect => show(part(addr, addrlen.min(MOST_ADDRESS), false)),
        Kind::Readv | Kind::Preadv => vector(buf, len, true, show),
        Kind::Writev | Kind::Pwritev => vector(buf, len, false, show),
        Kind::Recvmsg => message(buf, true, show),
        Kind::Sendmsg => message(buf, false, show),
        Kind::Waitid => show(part(buf, size_of::<libc::siginfo_t>(), true)),
        Kind::Sendfile if op.has(BY_POINTER) => show(part(addr, size_of::<libc::off_t>(), true)),
        Kind::Splice if op.has(BY_POINTER) => {
            show(part(addr, size_of::<libc::off_t>(), true));
            show(part(addrlen, size_of::<libc::off_t>(), true));
        }
        _ => {}
    }
}

fn part(at: usize, len: usize, is_written: bool) -> Part {
    Part { at, len, is_written, is_data: false }
}

fn data(at: usize, len: usize, is_written: bool) -> Part {
    Part { at, len, is_written, is_data: true }
}

/// Room for an address, and its length.
fn address(op: OpRef, addr: usize, addrlen: usize, show: &mut dyn FnMut(Part)) {
    if addr == 0 {
        return;
    }
    let mut room = [0u8; size_of::<libc::socklen_t>()];
    let len = match op.length.get() {
        LENGTH_BY_POINTER if addrlen != 0 && memory::peek(addrlen, &mut room) => {
            libc::socklen_t::from_ne_bytes(room) as usize
        }
        LENGTH_BY_POINTER => 0,
        length => length.into(),
    };
    show(part(addr, len.min(MOST_ADDRESS), true));
    show(part(addrlen, room.len(), true));
}

/// An array of buffers.
fn vector(array: usize, count: usize, is_written: bool, show: &mut dyn FnMut(Part)) {
    if array == 0 || count > MOST_IOVECS {
        return;
    }
    show(part(array, count * IOVEC, false));
    let mut some = [0u8; SOME * IOVEC];
    for first in (0..count).step_by(SOME) {
        let bytes = (count - first).min(SOME) * IOVEC;
        let Some(some) = some.get_mut(..bytes) else { return };
        if !memory::peek(array.wrapping_add(first * IOVEC), some) {
            return;
        }
        for (base, len) in some.chunks_exact(IOVEC).map(words) {
            show(data(base, len, is_written));
        }
    }
}

/// The first two words of a struct.
fn words(bytes: &[u8]) -> (usize, usize) {
    let mut words =
        bytes.chunks_exact(size_of::<usize>()).map(|word| word.try_into().map_or(0, usize::from_ne_bytes));
    (words.next().unwrap_or(0), words.next().unwrap_or(0))
}

/// A msghdr, and what it points to. (It is written, too, where a message is received.)
fn message(at: usize, is_received: bool, show: &mut dyn FnMut(Part)) {
    use core::mem::offset_of;
    let mut header = [0u8; size_of::<libc::msghdr>()];
    if at == 0 || !memory::peek(at, &mut header) {
        return;
    }
    show(part(at, header.len(), is_received));
    let word = |offset: usize| words(header.get(offset..).unwrap_or(&[])).0;
    let name_len = word(offset_of!(libc::msghdr, msg_namelen)) as u32 as usize;
    show(part(word(offset_of!(libc::msghdr, msg_name)), name_len.min(MOST_ADDRESS), is_received));
    // With musl these are half as long, and what follows them means nothing.
    let length =
        |offset: usize| if cfg!(target_env = "musl") { word(offset) as u32 as usize } else { word(offset) };
    let control_len = length(offset_of!(libc::msghdr, msg_controllen));
    show(part(word(offset_of!(libc::msghdr, msg_control)), control_len, is_received));
    let count = length(offset_of!(libc::msghdr, msg_iovlen));
    vector(word(offset_of!(libc::msghdr, msg_iov)), count, is_received, show);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::op::{Ops, Request};
    use crate::sys::UserPtr;

    fn parts(request: Request) -> Vec<(usize, usize, bool)> {
        let op = Ops::new().take().unwrap();
        op.fill(&request, 0, 0);
        let mut parts = Vec::new();
        each(op, |part| parts.push((part.at, part.len, part.is_written)));
        parts
    }

    #[test]
    fn a_message_has_its_struct_its_name_its_array_and_its_buffers() {
        let mut buffers = [[0u8; 3]; 20];
        let array = buffers
            .each_mut()
            .map(|buffer| libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() });
        let mut name = [0u8; 16];
        // SAFETY: zero is a valid msghdr.
        let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
        message.msg_name = name.as_mut_ptr().cast();
        message.msg_namelen = 16;
        message.msg_iov = array.as_ptr().cast_mut();
        message.msg_iovlen = array.len() as _;
        let at = &raw const message as usize;
        let request = Request { kind: Kind::Recvmsg, buf: UserPtr::number(at), ..Request::NOTHING };
        let mut expected = vec![
            (at, size_of_val(&message), true),
            (name.as_ptr() as usize, 16, true),
            (array.as_ptr() as usize, 20 * IOVEC, false),
        ];
        expected.extend(buffers.iter().map(|buffer| (buffer.as_ptr() as usize, 3, true)));
        assert_eq!(parts(request), expected);
    }

    #[test]
    fn bad_addresses_are_no_memory_or_hold_nothing() {
        let of = |kind, buf, len| Request { kind, buf: UserPtr::number(buf), len, ..Request::NOTHING };
        assert_eq!(parts(of(Kind::Read, 0, 9)), []);
        assert_eq!(parts(of(Kind::Read, usize::MAX, 9)), []);
        assert_eq!(parts(of(Kind::Sendmsg, 8, 0)), []);
        assert_eq!(parts(of(Kind::Writev, 8, 2)), [(8, 2 * IOVEC, false)]);
    }

    #[test]
    fn an_address_has_the_room_that_its_length_says() {
        let (addr, addrlen): ([u8; 8], u32) = ([0; 8], 8);
        let (at, length) = (addr.as_ptr() as usize, &raw const addrlen as usize);
        let request = Request {
            kind: Kind::Accept,
            addr: UserPtr::number(at),
            addrlen: UserPtr::number(length),
            ..Request::NOTHING
        };
        assert_eq!(parts(request), [(at, 8, true), (length, 4, true)]);
        assert_eq!(parts(Request { addr: UserPtr::NULL, ..request }), []);
    }
}
