/*
 * ioeventpipe: EINVAL for nevents < 1, any nevents up to INT_MAX, and memory that grows with what is outstanding, not
 * with nevents: rule 3.8. Unknown flags: EINVAL: rule 1.4.
 */
#include "test.h"

static long resident_kb(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;

    CHECK(f != NULL);
    SAME(fscanf(f, "%ld %ld", &size, &resident), 2);
    fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(void)
{
    int counts[] = { 0, -1, -1000, INT_MIN };
    int p[50], fd[2];
    long before;
    char b[4];

    NEEDS_PROC();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        FAILS(ioeventpipe(counts[i]), EINVAL);
        FAILS(ioeventpipe2(counts[i], 0), EINVAL);
        FAILS(ioeventpipe2(counts[i], O_NONBLOCK), EINVAL);
    }
    for (int bit = 0; bit < 32; bit++) {
        int flag = (int)(1u << bit);

        if (!(flag & (O_NONBLOCK | O_CLOEXEC))) {
            FAILS(ioeventpipe2(1, flag), EINVAL);
            FAILS(ioeventpipe2(1, flag | O_NONBLOCK | O_CLOEXEC), EINVAL);
        }
    }
    GIVES(ioevent_close(OK(ioeventpipe2(1, O_NONBLOCK))), 0);
    before = resident_kb();
    for (int i = 0; i < 50; i++)
        p[i] = OK(ioeventpipe(INT_MAX - i));
    CHECK(resident_kb() - before < 20000);
    unix_pair(fd);
    ATTACH(fd[0], p[0], 1);
    QUEUED(ioevent_read(fd[0], b, 4));
    OK(write(fd[1], "ab", 2));
    EXPECT(p[0], 1, 2, 0);
    for (int i = 0; i < 50; i++)
        GIVES(ioevent_close(p[i]), 0);
    return 0;
}
