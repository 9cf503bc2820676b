/*
 * Every I/O call, with good and bad arguments, on every kind of file, four ways: a descriptor that is not attached
 * gives what libc's call gives, result and errno both: rule 1.1; an attached one gives the same at once or in its
 * event, never both, or waits where libc's would have waited: rule 2.4, rule 2.6; so does ioevent_submit: rule 2.9; and
 * on a full pipe nothing is queued: rule 2.1. No descriptor at all, and a pipe where none belongs, are refused.
 *
 * Every call gets files of its own, and all that is not as it should be is told before the end.
 */
#include "errno_matrix_files.h"
#include "errno_matrix_rows.h"

static int failures;

__attribute__((format(printf, 3, 4)))
static void wrong(const char *file, const struct row *row, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s, %s: ", file, row->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    failures++;
}

static bool would_wait(long r, int err)
{
    return r == -1 && (err == EAGAIN || err == EINPROGRESS || err == EALREADY);
}

/* What came at once, or in the event, is what libc's call gave; or it waits, as that would have done. */
static void judge(const char *file, const struct row *row, const char *way, int p, int fd, long ours, int our_errno,
                  long r, int err)
{
    struct ioevent e;
    struct timespec t = { 5, 0 };
    int n;

    if (ours == -1 && our_errno == EIOEVENTQUEUED) {
        if (would_wait(r, err)) {
            n = ioevent_wait(p, &e, 1, &no_wait);
            if (n == 0 && ioevent_cancel(fd) != 1)
                wrong(file, row, "%s: it waits, and cannot be cancelled", way);
            if (n == 0)
                n = ioevent_wait(p, &e, 1, &t);
            if (n != 1 || e.ioe_user != USER(5) || (e.ioe_errno != ECANCELED && e.ioe_errno != err))
                wrong(file, row, "%s: cancelled, it gave %d events, result %d errno %d", way, n, e.ioe_result,
                      e.ioe_errno);
            return;
        }
        n = ioevent_wait(p, &e, 1, &t);
        if (n != 1) {
            wrong(file, row, "%s: no event came; libc gave %ld errno %d (%s)", way, r, err, strerror(err));
            ioevent_cancel(fd);
            ioevent_wait(p, &e, 1, &t);
            return;
        }
        ours = e.ioe_result;
        our_errno = e.ioe_errno;
        if (e.ioe_user != USER(5))
            wrong(file, row, "%s: the user pointer is %p", way, e.ioe_user);
    } else if (ours != -1) {
        wrong(file, row, "%s: it gave %ld at once", way, ours);
        return;
    }
    if (row->op.ioo_kind == IOEVENT_OP_ACCEPT || row->op.ioo_kind == IOEVENT_OP_ACCEPT4)
        if (ours >= 0 && r >= 0)
            return;
    if (ours != r || (r == -1 && our_errno != err && !(row->flags & BAD)))
        wrong(file, row, "%s: it gave %ld errno %d (%s); libc gave %ld errno %d (%s)", way, ours, our_errno,
              strerror(our_errno), r, err, strerror(err));
    n = ioevent_wait(p, &e, 1, &no_wait);
    if (n != 0)
        wrong(file, row, "%s: another event came: result %d errno %d", way, e.ioe_result, e.ioe_errno);
}

static void cell(enum file file, const struct row *row, int p, int full)
{
    const char *name = file_name[file];
    struct ioevent_op op;
    int fd, err, our_errno;
    long r, ours;

    /* libc's */
    fd = make(file);
    if (fd == -1)
        return;
    op = fill(row, fd);
    errno = 0;
    r = call(&op, true);
    err = r == -1 ? errno : 0;
    clean_up(fd);

    /* not attached */
    fd = make(file);
    op = fill(row, fd);
    errno = 0;
    ours = call(&op, false);
    our_errno = ours == -1 ? errno : 0;
    if ((ours != r || our_errno != err) && !(row->op.ioo_kind == IOEVENT_OP_ACCEPT && ours >= 0 && r >= 0))
        wrong(name, row, "not attached: it gave %ld errno %d (%s); libc gave %ld errno %d (%s)", ours, our_errno,
              strerror(our_errno), r, err, strerror(err));
    op.ioo_user = USER(5);
    if (op.ioo_fd >= 0) {
        errno = 0;
        ours = ioevent_submit(&op, 1);
        if (ours != -1 || errno != EINVAL)
            if (!(file == F_PATH && ours == -1 && errno == EBADF))
                wrong(name, row, "not attached, ioevent_submit gave %ld errno %d", ours, errno);
    }
    clean_up(fd);

    for (int way = 0; way < 3; way++) {
        fd = make(file);
        if (ioevent_fcntl(fd, F_SETIOEVENTPIPE, way < 2 ? p : full, USER(5)) == -1) {
            if (file != F_PATH && file != F_DIRECTORY && file != F_EPOLL)
                wrong(name, row, "it cannot be attached: errno %d", errno);
            clean_up(fd);
            return;
        }
        op = fill(row, fd);
        op.ioo_user = USER(5);
        errno = 0;
        if (way == 0) {
            ours = call(&op, false);
            judge(name, row, "attached", p, fd, ours, errno, r, err);
        } else if (way == 1 && !(row->flags & NO_SUBMIT)) {
            ours = ioevent_submit(&op, 1);
            if (ours == 1)
                judge(name, row, "submitted", p, fd, -1, EIOEVENTQUEUED, r, err);
            else if (ours == -1)
                judge(name, row, "submitted", p, fd, -1, errno, r, err);
            else
                wrong(name, row, "ioevent_submit gave %ld", ours);
        } else if (way == 2) {
            ours = call(&op, false);
            our_errno = errno;
            if (ours != -1 || (our_errno != EIOEVENTFULL && our_errno != err))
                wrong(name, row, "on a full pipe: it gave %ld errno %d (%s)", ours, our_errno,
                      ioevent_strerror(our_errno));
        }
        if (ioevent_fcntl(p, F_GETIOEVENTCNT) != 0 || ioevent_fcntl(full, F_GETIOEVENTCNT) != 1)
            wrong(name, row, "places are taken");
        clean_up(fd);
    }
}

/* No descriptor: EBADF; and a pipe, or a copy of one, is not for I/O, but for what reads or posts events. */
static void outside(const struct row *row, int p, int dup_of_p)
{
    int none[] = { -1, -2, INT_MIN, INT_MAX, 1 << 30, closed_number() };
    int kind = row->op.ioo_kind;
    bool harvests_or_posts = kind == IOEVENT_OP_READ || kind == IOEVENT_OP_READV || kind == IOEVENT_OP_WRITE ||
                             kind == IOEVENT_OP_WRITEV;

    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        for (int way = 0; way < 2; way++) {
            struct ioevent_op op = fill(row, none[i]), same = op;
            long r, ours;
            int err, our_errno;

            errno = 0;
            r = call(&same, true);
            err = errno;
            errno = 0;
            ours = way ? ioevent_submit(&op, 1) : call(&op, false);
            our_errno = errno;
            if (ours != -1 || (way ? our_errno != EBADF && our_errno != EINVAL : our_errno != err) || r != -1)
                wrong("no descriptor", row, "%s it gave %ld errno %d, libc %ld errno %d", way ? "submitted," : "", ours,
                      our_errno, r, err);
            clean_up(-1);
        }
    for (int i = 0; i < 2; i++) {
        struct ioevent_op op = fill(row, i ? dup_of_p : p);
        long r;

        errno = 0;
        r = ioevent_submit(&op, 1);
        if (op.ioo_fd >= 0 && op.ioo_fd2 >= 0 && (r != -1 || (errno != EINVAL && errno != EBADF)))
            wrong(i ? "copy of a pipe" : "pipe", row, "submitted, it gave %ld errno %d", r, errno);
        errno = 0;
        if (!i && harvests_or_posts)
            r = -1, errno = 0;
        else
            r = call(&op, false);
        if (r != -1 || errno == EIOEVENTQUEUED || errno == EIOEVENTFULL)
            wrong(i ? "copy of a pipe" : "pipe", row, "it gave %ld errno %d", r, errno);
        clean_up(-1);
    }
}

int main(void)
{
    int p = OK(ioeventpipe(4)), full = OK(ioeventpipe(1)), dup_of_p = OK(dup(p)), gate[2];
    char path[] = "/tmp/ioevent-test-XXXXXX", c;
    struct ioevent e = { USER(1), 2, 3 };

    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 5000; i++)
        many[i] = (struct iovec){ into, 1 };
    letters = OK(mkstemp(path));
    OK(unlink(path));
    OK(write(letters, "0123456789abcdefghijklmnop", 26));
    GIVES(ioevent_write(full, &e, sizeof e), sizeof e);
    OK(pipe2(gate, O_CLOEXEC));
    if (child(&pidfd_child)) {
        close(gate[1]);
        _exit(read(gate[0], &c, 1) == 0 ? 0 : 1);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].flags & (BAD | BAD_POINTER) && on_valgrind()) /* it would object */
            continue;
        for (int file = 0; file < FILES; file++)
            cell((enum file)file, &rows[i], p, full);
        outside(&rows[i], p, dup_of_p);
    }
    QUIET(p);
    OK(close(gate[1]));
    CHILD_PASSED(pidfd_child);
    if (failures)
        fprintf(stderr, "%d cells of the matrix are wrong\n", failures);
    return failures != 0;
}
