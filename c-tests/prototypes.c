/* Every function has the signature of section 1 of the contract; those named after libc's have libc's (rule 1.1). */
#include "test.h"
#include <sys/sendfile.h>

#define LIKE(name) SAME(__builtin_types_compatible_p(__typeof__(&ioevent_##name), __typeof__(&name)), 1)
#define IS(name, type) SAME(__builtin_types_compatible_p(__typeof__(&name), type), 1)

int main(void)
{
    LIKE(read);
    LIKE(write);
    LIKE(readv);
    LIKE(writev);
    LIKE(recv);
    LIKE(recvmsg);
    LIKE(send);
    LIKE(sendmsg);
    LIKE(close);
    LIKE(pread);
    LIKE(pwrite);
    LIKE(preadv);
    LIKE(pwritev);
    LIKE(sendfile);
    LIKE(splice);
    LIKE(fsync);
    LIKE(fdatasync);
    LIKE(waitid);
    LIKE(shutdown);
    LIKE(dup2);
    LIKE(dup3);
    LIKE(fcntl);
    /* in C glibc declares these with a transparent union for the address */
    IS(ioevent_recvfrom, ssize_t (*)(int, void *, size_t, int, struct sockaddr *, socklen_t *));
    IS(ioevent_sendto, ssize_t (*)(int, const void *, size_t, int, const struct sockaddr *, socklen_t));
    IS(ioevent_accept, int (*)(int, struct sockaddr *, socklen_t *));
    IS(ioevent_accept4, int (*)(int, struct sockaddr *, socklen_t *, int));
    IS(ioevent_connect, int (*)(int, const struct sockaddr *, socklen_t));
    IS(ioeventpipe, int (*)(int));
    IS(ioeventpipe2, int (*)(int, int));
    IS(ioevent_wait, int (*)(int, struct ioevent *, int, const struct timespec *));
    IS(ioevent_cancel, int (*)(int));
    IS(ioevent_cancel2, int (*)(int, int, const void *));
    IS(ioevent_submit, int (*)(const struct ioevent_op *, int));
    IS(ioevent_poll, int (*)(int, short));
    IS(ioevent_strerror, const char *(*)(int));
    IS(ioevent_version, unsigned int (*)(void));
    IS(ioevent_version_string, const char *(*)(void));
    return 0;
}
