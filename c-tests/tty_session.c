/*
 * Sessions follow each other on a terminal, each of which ends with vhangup(2), as logins do. One descriptor of each
 * stays attached: those of the past read 0 and give EIO, and none of them takes what is typed for the present one, or
 * writes to it: rule 2.4, rule 4.5. The mere end of a session hangs up no pseudo terminal: there all goes on.
 */
#include "test_tty.h"

enum { SESSIONS = 12 };

static int p;

/* Begins a session that has the terminal; it hangs up, or just ends, when told. */
static pid_t login(const char *name, int *tell, bool hangs_up)
{
    int go[2], ready[2];
    char c;
    pid_t pid;

    OK(pipe2(go, O_CLOEXEC));
    OK(pipe2(ready, O_CLOEXEC));
    if (child(&pid)) {
        signal(SIGHUP, SIG_IGN);
        close(go[1]);
        OK(setsid());
        OK(open(name, O_RDWR)); /* it controls this session from now on */
        OK(write(ready[1], "", 1));
        read_all(go[0], &c, 1);
        _exit(hangs_up && vhangup() == -1 ? 77 : 0);
    }
    OK(close(ready[1]));
    read_all(ready[0], &c, 1);
    OK(close(ready[0]));
    OK(close(go[0]));
    *tell = go[1];
    return pid;
}

/* What a write gives, or its event. */
static void write_fails(int fd, uintptr_t user)
{
    QUEUED(ioevent_write(fd, "SECRET", 6));
    EXPECT(p, user, -1, EIO);
}

/* A session that only ends: what is outstanding waits on, as a blocking call does. */
static void just_ends(struct terminal *t)
{
    int tell, fd = OK(open(t->name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    pid_t pid = login(t->name, &tell, false);
    char b[8];

    make_raw(fd);
    ATTACH(fd, p, 99);
    QUEUED(ioevent_read(fd, b, sizeof b));
    OK(write(tell, "", 1));
    CHILD_PASSED(pid);
    OK(close(tell));
    STAYS_QUIET(p);
    OK(write(t->master, "typed", 5));
    EXPECT(p, 99, 5, 0);
    QUEUED(ioevent_write(fd, "shown", 5));
    EXPECT(p, 99, 5, 0);
    read_all(t->master, b, 5);
    GIVES(ioevent_close(fd), 0);
}

int main(void)
{
    struct terminal t;
    int old[SESSIONS], tell, status;
    char b[8], c[32];

    signal(SIGHUP, SIG_IGN);
    t = make_terminal();
    p = OK(ioeventpipe(64));
    just_ends(&t);
    for (int i = 0; i < SESSIONS; i++) {
        pid_t pid = login(t.name, &tell, true);
        uintptr_t user = (uintptr_t)i + 1;

        old[i] = OK(open(t.name, O_RDWR | O_NOCTTY | O_CLOEXEC));
        make_raw(old[i]);
        ATTACH(old[i], p, user);
        QUEUED(ioevent_read(old[i], b, sizeof b));
        STAYS_QUIET(p);

        /* who was here before is not in the way */
        for (int k = 0; k < i; k++) {
            if (k % 3 == 0) {
                write_fails(old[k], (uintptr_t)k + 1);
            } else if (k % 3 == 1) {
                QUEUED(ioevent_read(old[k], c, sizeof c));
                EXPECT(p, k + 1, 0, 0);
            } else {
                QUEUED(ioevent_poll(old[k], POLLIN));
                CHECK(HARVEST(p).ioe_result & POLLHUP);
            }
        }
        OK(write(t.master, "typed", 5));
        EXPECT(p, user, 5, 0);
        CHECK(memcmp(b, "typed", 5) == 0);
        QUEUED(ioevent_write(old[i], "shown", 5));
        EXPECT(p, user, 5, 0);
        read_all(t.master, c, 5);
        CHECK(memcmp(c, "shown", 5) == 0);
        CHECK(!readable(t.master));

        /* the session ends, with a read outstanding or not */
        if (i % 2)
            QUEUED(ioevent_read(old[i], b, sizeof b));
        OK(write(tell, "", 1));
        GIVES(waitpid(pid, &status, 0), pid);
        if (status == 77 << 8)
            SKIP("no vhangup for who runs this");
        SAME(status, 0);
        OK(close(tell));
        if (i % 2) {
            struct ioevent e = HARVEST(p);

            CHECK(e.ioe_user == USER(user));
            CHECK(e.ioe_result == 0 || (e.ioe_result == -1 && e.ioe_errno == EIO));
        }
        write_fails(old[i], user);
        QUEUED(ioevent_read(old[i], b, sizeof b));
        EXPECT(p, user, 0, 0);
    }
    STAYS_QUIET(p);
    for (int i = 0; i < SESSIONS; i++)
        GIVES(ioevent_close(old[i]), 0);
    return 0;
}
