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
