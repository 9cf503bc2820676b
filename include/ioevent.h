/*
 * libioevent: ioevent pipes. See ioevent(7).
 *
 * Made from the sources by cbindgen; do not edit. `make header` makes it anew.
 */


#ifndef IOEVENT_H
#define IOEVENT_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

struct timespec; /* strict C99 has it nowhere */

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
#define F_SETIOEVENTPIPE 1229914113

/**
 * ioevent_fcntl(fd, F_GETIOEVENTPIPE, int *pipefd, void **user): what fd is attached to; -1 and NULL if it is not.
 */
#define F_GETIOEVENTPIPE 1229914114

/**
 * ioevent_fcntl(pipefd, F_SETIOEVENTSZ, int nevents): the capacity of a pipe; returns it.
 */
#define F_SETIOEVENTSZ 1229914119

/**
 * ioevent_fcntl(pipefd, F_GETIOEVENTSZ): returns the capacity of a pipe.
 */
#define F_GETIOEVENTSZ 1229914120

/**
 * ioevent_fcntl(pipefd, F_GETIOEVENTCNT): returns how many places of a pipe are taken.
 */
#define F_GETIOEVENTCNT 1229914121

/**
 * ioevent_cancel2: operations that read.
 */
#define IOEVENT_CANCEL_IN 1

/**
 * ioevent_cancel2: operations that write.
 */
#define IOEVENT_CANCEL_OUT 2

/**
 * ioevent_cancel2: polls.
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
   * Its errno; 0 if it did not fail.
   */
  int ioe_errno;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * fcntl(2), with commands of its own; all others are handed to fcntl(2).
 *
 * F_SETIOEVENTPIPE, int pipefd, void *user: attaches fd to the pipe, or changes pipe and user pointer for operations
 * queued from now on; pipefd -1 detaches. Errors: EBADF (fd or pipefd is not open), EINVAL (pipefd is no pipe, or
 * fd is one), EPERM (a kind of file that cannot be attached), ENOMEM, ENOSPC. F_GETIOEVENTPIPE, int *pipefd, void
 * **user: what fd is attached to; -1 and NULL if it is not. Errors: EBADF, EFAULT. On a pipe: F_SETIOEVENTSZ, int
 * nevents: its capacity; EBUSY if more places are taken, EINVAL below 1. F_GETIOEVENTSZ, F_GETIOEVENTCNT: return its
 * capacity, and the places taken. Any thread. ioevent_fcntl(3), rules 3.1, 3.8, 4.2, 4.3.
 */
extern int ioevent_fcntl(int fd,
                         int cmd,
                         ...);

/**
 * strerror(3) that knows EIOEVENTFULL and EIOEVENTQUEUED too. Returns a string that is not to be changed. Any thread,
 * as far as strerror(3). ioevent_strerror(3).
 */
const char *ioevent_strerror(int errnum);

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
 * the event has been read; a write to a stream is complete when all nbytes were taken. No SIGPIPE. On a pipe: posts
 * whole struct ioevent, each to be harvested like any other event; returns the bytes of those that had a place.
 * Errors there: EIOEVENTFULL (none had), EINVAL (not whole structs), ENOMEM. On anything else: write(2). Any thread.
 * ioevent_read(3), rules 2.4, 3.5.
 */
ssize_t ioevent_write(int fd,
                      const void *buf,
                      size_t nbytes);

/**
 * readv(2); queued on an attached descriptor; harvests on a pipe. The array and the buffers are the library's until the event has been
 * read. Any thread. ioevent_read(3).
 */
ssize_t ioevent_readv(int fd,
                      const struct iovec *iov,
                      int iovcnt);

/**
 * writev(2); queued on an attached descriptor; posts on a pipe. The array and the buffers are the library's until the event has been
 * read. Any thread. ioevent_read(3).
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
 * Ends the outstanding operations of an attached descriptor; each still gives its event (ECANCELED, or the bytes that
 * were moved). Ends all operations of a pipe, whose events are gone with it; when it returns, no buffer is in use and
 * every descriptor is detached; threads that wait in a harvest get EBADF. Errors: as close(2). Any thread.
 * ioevent_close(3), rules 3.7, 4.3.
 */
int ioevent_close(int fd);

/**
 * Ends the operations of an attached descriptor that are not finished; returns how many.
 *
 * Each gives its event: ECANCELED, or the bytes that were moved. Errors: EINVAL (not attached), EBADF. Any thread.
 * ioevent_cancel(3), rule 4.7.
 */
int ioevent_cancel(int fd);

/**
 * Ends some of the operations of an attached descriptor that are not finished; returns how many.
 *
 * `what`: IOEVENT_CANCEL_IN (what reads), IOEVENT_CANCEL_OUT (what writes), IOEVENT_CANCEL_POLL, or several of them, or
 * IOEVENT_CANCEL_ALL; with IOEVENT_CANCEL_USER only those that were queued with the pointer `user`. Each gives its event:
 * ECANCELED, or the bytes that were moved. Errors: EINVAL (not attached; no direction; unknown bits), EBADF. Any thread.
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
 * Waits for the first for at most `timeout`; NULL waits for ever, 0 does not wait; 0 is returned when the time is over.
 * O_NONBLOCK does not matter. Errors: EINVAL (not a pipe, nevents below 1, no valid time), EBADF (not open, or the pipe
 * was closed meanwhile), EFAULT, EINTR (a signal was handled and no event read). Any number of threads; each event
 * goes to one of them. ioevent_wait(3), rule 3.2.
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
 * accept(2); queued on an attached descriptor. The event's ioe_result is the new descriptor, which is not attached.
 * Address and its length are the library's until the event has been read. Any thread. ioevent_accept(3).
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
 * are queued behind it wait for it. Any thread. ioevent_accept(3).
 */
int ioevent_connect(int fd,
                    const struct sockaddr *addr,
                    socklen_t addrlen);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* IOEVENT_H */
