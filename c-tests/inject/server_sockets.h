/*
 * Sockets: transfers from files and pipes, messages, connecting.
 */
#ifndef SERVER_SOCKETS_H
#define SERVER_SOCKETS_H

#include "server_io.h"

#include <sys/sendfile.h>

static void transfers(void)
{
    static char big[BIG], back[BIG];
    struct io io = { 0 };
    int fd = OK(open(".", O_TMPFILE | O_RDWR, 0600)), ends[2], pair[2];
    off_t at = 0;

    fill(big, BIG, 9);
    SAME(write(fd, big, BIG), BIG);
    fsync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    OK(pipe(ends));
    CHECK(tcp_pair(AF_INET, pair));
    if (!attached("sendfile", pair[0], &io))
        goto out;
    if (queued("sendfile", ioevent_sendfile(pair[0], fd, &at, BIG))) {
        struct pollfd there = { pair[1], POLLIN, 0 };
        size_t done = 0;

        while (done < BIG) {
            ssize_t n;

            if (poll(&there, 1, 300) == 0) {
                CHECK(io.done);
                break;
            }
            n = read(pair[1], back + done, BIG - done);
            CHECK(n > 0);
            done += (size_t)n;
        }
        CHECK(memcmp(big, back, done) == 0);
        if (wait_for("sendfile", &io))
            SAME(io.result, BIG);
    }
    OK(write(ends[1], "through", 7));
    if (RUN("splice", &io, ioevent_splice(ends[0], NULL, pair[0], NULL, 7, 0))) {
        SAME(io.result, 7);
        SAME(recv(pair[1], back, 7, MSG_WAITALL), 7);
    }
    /* The peer goes with a reset: no SIGPIPE. */
    OK(setsockopt(pair[1], SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)));
    close(pair[1]);
    pair[1] = -1;
    for (int i = 0; i < 3 && !strstr(failing, "sendfile"); i++) {
        at = 0;
        if (!RUN("sendfile", &io, ioevent_sendfile(pair[0], fd, &at, BIG)))
            break;
        CHECK(io.result == -1 && (io.err == EPIPE || io.err == ECONNRESET));
    }
    OK(write(ends[1], "nobody", 6));
    if (!strstr(failing, "splice") && RUN("splice", &io, ioevent_splice(ends[0], NULL, pair[0], NULL, 6, 0)))
        CHECK(io.result == -1 && (io.err == EPIPE || io.err == ECONNRESET));
out:
    ioevent_close(pair[0]);
    if (pair[1] >= 0)
        close(pair[1]);
    close(ends[0]);
    close(ends[1]);
    close(fd);
}

static void messages(void)
{
    struct io io = { 0 }, other = { 0 };
    char few[16];
    struct iovec iov = { few, sizeof few };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fd[2];

    SAME(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
    if (attached("datagram", fd[0], &io) && attached("datagram", fd[1], &other)) {
        if (RUN("send", &io, ioevent_send(fd[0], "one", 3, 0))) {
            if (RUN("recv", &other, ioevent_recv(fd[1], few, 9, 0)))
                SAME(other.result, 3);
            else
                SAME(recv(fd[1], few, 9, 0), 3);
        }
        memcpy(few, "three", 5);
        iov.iov_len = 5;
        if (RUN("sendmsg", &io, ioevent_sendmsg(fd[0], &msg, 0))) {
            iov.iov_len = sizeof few;
            if (RUN("recvmsg", &other, ioevent_recvmsg(fd[1], &msg, 0)))
                SAME(other.result, 5);
        }
        iov.iov_len = 5;
        if (RUN("writev", &io, ioevent_writev(fd[0], &iov, 1)) && RUN("recv", &other, ioevent_recv(fd[1], few, 9, 0)))
            SAME(other.result, 5);
    }
    ioevent_close(fd[0]);
    ioevent_close(fd[1]);
}

static void connecting(void)
{
    struct io io = { 0 };
    struct address a;
    int to = listener(AF_INET, 2, &a), fd = OK(socket(AF_INET, SOCK_STREAM, 0));

    if (attached("connect", fd, &io)) {
        if (RUN("connect", &io, ioevent_connect(fd, SOCKADDR(&a), a.length)))
            SAME(io.result, 0);
        if (RUN("poll", &io, ioevent_poll(fd, POLLOUT)))
            CHECK(io.result & POLLOUT);
        if (RUN("shutdown", &io, ioevent_shutdown(fd, SHUT_WR)))
            CHECK(io.result == 0 || io.err == ENOTCONN);
    }
    ioevent_close(fd);
    close(to);
}

#endif
