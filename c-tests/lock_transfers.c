/*
 * The process keeps its fcntl(2) locks on a file that a sendfile or a splice reads or writes, while it waits, when it
 * is done, and however it is ended: rule 5.5.
 */
#include "test_lock.h"

enum { SIZE = 1 << 20 };

enum { DONE, CANCELLED, TIMED_OUT, DETACHED, CLOSED, PIPE_CLOSED, HOWS };
enum { SENDFILE, SPLICE, HOW_MANY };

/* A transfer out of the locked file, to an output that takes nothing until it is told to. */
static void out_of(int kind, int how, bool attach_file)
{
    int p = OK(ioeventpipe(4)), out[2], fd = disk_file(), attached;
    struct timespec soon = { 0, 20000000 };
    struct ioevent e;
    off_t at = 0;
    loff_t from = 0;

    OK(pipe2(out, O_CLOEXEC));
    fill_file(fd, SIZE);
    uncache(fd);
    fill_up(out[1]);
    lock_part(fd, F_WRLCK);
    attached = attach_file ? fd : out[1];
    ATTACH(attached, p, 1);
    if (how == TIMED_OUT)
        GIVES(ioevent_fcntl(attached, F_SETIOEVENTTIMEO, &soon), 0);
    if (kind == SENDFILE)
        QUEUED(ioevent_sendfile(out[1], fd, &at, 4096));
    else
        QUEUED(ioevent_splice(fd, &from, out[1], NULL, 4096, 0));
    STAYS_LOCKED(fd);
    switch (how) {
    case DONE:
        drain(out[0]);
        EXPECT(p, 1, 4096, 0);
        break;
    case CANCELLED:
        GIVES(ioevent_cancel(attached), 1);
        EXPECT(p, 1, -1, ECANCELED);
        break;
    case TIMED_OUT:
        EXPECT(p, 1, -1, ETIMEDOUT);
        break;
    case DETACHED:
        DETACH(attached);
        EXPECT(p, 1, -1, ECANCELED);
        break;
    case CLOSED:
        if (attach_file)
            DETACH(fd);
        GIVES(ioevent_close(out[1]), 0);
        e = HARVEST(p);
        SAME(e.ioe_result, -1);
        break;
    default:
        break;
    }
    STAYS_LOCKED(fd);
    GIVES(ioevent_close(p), 0);
    STAYS_LOCKED(fd);
    OK(close(out[0]));
    if (how != CLOSED)
        OK(close(out[1]));
    OK(close(fd));
}

/* A splice into the locked file, from an input that has nothing until it is told to. */
static void into(int how, bool attach_file, bool from_socket)
{
    int p = OK(ioeventpipe(4)), in[2], fd = disk_file(), attached;
    struct timespec soon = { 0, 20000000 };

    if (from_socket)
        unix_pair(in); /* not a pipe: only a file that is a pipe takes from it */
    else
        OK(pipe2(in, O_CLOEXEC));
    fill_file(fd, 4096);
    lock_part(fd, F_WRLCK);
    attached = attach_file ? fd : in[0];
    ATTACH(attached, p, 1);
    if (how == TIMED_OUT)
        GIVES(ioevent_fcntl(attached, F_SETIOEVENTTIMEO, &soon), 0);
    if (from_socket) {
        EITHER(ioevent_splice(in[0], NULL, fd, NULL, 16, 0), p, 1, EINVAL);
    } else {
        QUEUED(ioevent_splice(in[0], NULL, fd, NULL, 16, 0));
        STAYS_LOCKED(fd);
        switch (how) {
        case DONE:
            OK(write(in[1], "0123456789", 10));
            EXPECT(p, 1, 10, 0);
            break;
        case CANCELLED:
            GIVES(ioevent_cancel(attached), 1);
            EXPECT(p, 1, -1, ECANCELED);
            break;
        case TIMED_OUT:
            EXPECT(p, 1, -1, ETIMEDOUT);
            break;
        case DETACHED:
        case CLOSED:
            DETACH(attached);
            EXPECT(p, 1, -1, ECANCELED);
            break;
        default:
            break;
        }
    }
    STAYS_LOCKED(fd);
    GIVES(ioevent_close(p), 0);
    STAYS_LOCKED(fd);
    OK(close(in[0]));
    OK(close(in[1]));
    OK(close(fd));
}

/* A large sendfile that goes on in many parts while its receiver reads. */
static void in_parts(void)
{
    int p = OK(ioeventpipe(4)), out[2], fd = disk_file();
    char *block = room(SIZE);

    unix_pair(out);
    fill_file(fd, SIZE);
    uncache(fd);
    lock_part(fd, F_WRLCK);
    ATTACH(out[0], p, 1);
    QUEUED(ioevent_sendfile(out[0], fd, NULL, SIZE));
    for (int i = 0; i < 16; i++) {
        read_all(out[1], block, SIZE / 16);
        STAYS_LOCKED(fd);
    }
    EXPECT(p, 1, SIZE, 0);
    GIVES(ioevent_close(out[0]), 0);
    STAYS_LOCKED(fd);
    GIVES(ioevent_close(p), 0);
    STAYS_LOCKED(fd);
    OK(close(out[1]));
    OK(close(fd));
    free(block);
}

int main(void)
{
    for (int how = 0; how < HOWS; how++)
        for (int attach_file = 0; attach_file < 2; attach_file++) {
            for (int kind = 0; kind < HOW_MANY; kind++)
                out_of(kind, how, attach_file);
            into(how, attach_file, false);
        }
    into(DONE, false, true);
    in_parts();
    return 0;
}
