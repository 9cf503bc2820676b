/*
 * Included first by every program of ci/c-tests.sh posix: what it calls ioevent_read becomes a call of read, and so on,
 * which is libioevent_posix.so's. The prototypes stay those of ioevent.h.
 *
 * A function that has to be libc's below the library, as its name is without libioevent_posix.so, is made so by
 * -DLIBC_close, ...; c-tests/plain_names.txt says where, and why.
 */
#ifndef PLAIN_NAMES_H
#define PLAIN_NAMES_H

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ioevent.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLAIN(name) extern __typeof__(ioevent_##name) plain_name_##name __asm__(#name)

PLAIN(accept);
PLAIN(accept4);
PLAIN(close);
PLAIN(connect);
PLAIN(dup2);
PLAIN(dup3);
PLAIN(fcntl);
PLAIN(fdatasync);
PLAIN(fsync);
PLAIN(pread);
PLAIN(preadv);
PLAIN(pwrite);
PLAIN(pwritev);
PLAIN(read);
PLAIN(readv);
PLAIN(recv);
PLAIN(recvfrom);
PLAIN(recvmsg);
PLAIN(send);
PLAIN(sendfile);
PLAIN(sendmsg);
PLAIN(sendto);
PLAIN(shutdown);
PLAIN(splice);
PLAIN(strerror);
PLAIN(waitid);
PLAIN(write);
PLAIN(writev);

#define ioevent_accept plain_name_accept
#define ioevent_accept4 plain_name_accept4
#define ioevent_close plain_name_close
#define ioevent_connect plain_name_connect
#define ioevent_dup2 plain_name_dup2
#define ioevent_dup3 plain_name_dup3
#define ioevent_fcntl plain_name_fcntl
#define ioevent_fdatasync plain_name_fdatasync
#define ioevent_fsync plain_name_fsync
#define ioevent_pread plain_name_pread
#define ioevent_preadv plain_name_preadv
#define ioevent_pwrite plain_name_pwrite
#define ioevent_pwritev plain_name_pwritev
#define ioevent_read plain_name_read
#define ioevent_readv plain_name_readv
#define ioevent_recv plain_name_recv
#define ioevent_recvfrom plain_name_recvfrom
#define ioevent_recvmsg plain_name_recvmsg
#define ioevent_send plain_name_send
#define ioevent_sendfile plain_name_sendfile
#define ioevent_sendmsg plain_name_sendmsg
#define ioevent_sendto plain_name_sendto
#define ioevent_shutdown plain_name_shutdown
#define ioevent_splice plain_name_splice
#define ioevent_strerror plain_name_strerror
#define ioevent_waitid plain_name_waitid
#define ioevent_write plain_name_write
#define ioevent_writev plain_name_writev

/* libc's own functions. */
#define EACH_OF_LIBC(DO) DO(accept) DO(close) DO(connect) DO(fcntl) DO(fsync) DO(pread) DO(pwrite) DO(read) \
    DO(recv) DO(recvmsg) DO(send) DO(sendfile) DO(sendto) DO(shutdown) DO(strerror) DO(waitid) \
    DO(write) DO(writev)
#define DECLARE(name) static __typeof__(name) *libc_##name __attribute__((unused));
#define FIND(name) *(void **)&libc_##name = dlsym(libc, #name);

EACH_OF_LIBC(DECLARE)

__attribute__((constructor))
static void find_libc(void)
{
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

    EACH_OF_LIBC(FIND)
}

#ifdef LIBC_accept
#define accept libc_accept
#endif
#ifdef LIBC_close
#define close libc_close
#endif
#ifdef LIBC_connect
#define connect libc_connect
#endif
#ifdef LIBC_fcntl
#define fcntl libc_fcntl
#endif
#ifdef LIBC_fsync
#define fsync libc_fsync
#endif
#ifdef LIBC_pread
#define pread libc_pread
#endif
#ifdef LIBC_pwrite
#define pwrite libc_pwrite
#endif
#ifdef LIBC_read
#define read libc_read
#endif
#ifdef LIBC_recv
#define recv libc_recv
#endif
#ifdef LIBC_recvmsg
#define recvmsg libc_recvmsg
#endif
#ifdef LIBC_send
#define send libc_send
#endif
#ifdef LIBC_sendfile
#define sendfile libc_sendfile
#endif
#ifdef LIBC_sendto
#define sendto libc_sendto
#endif
#ifdef LIBC_shutdown
#define shutdown libc_shutdown
#endif
#ifdef LIBC_strerror
#define strerror libc_strerror
#endif
#ifdef LIBC_waitid
#define waitid libc_waitid
#endif
#ifdef LIBC_write
#define write libc_write
#endif
#ifdef LIBC_writev
#define writev libc_writev
#endif

/* Or nothing of it is tested. */
int ioevent_posix_active(void);

__attribute__((constructor))
static void plain_names_are_active(void)
{
    if (!ioevent_posix_active()) {
        dprintf(2, "the plain names are not those of libioevent_posix.so\n");
        _exit(1);
    }
}

#endif
