/*
 * Writes to a file opened with O_APPEND go to its end, wherever that is by then and however many are outstanding:
 * rule 4.1, rule 2.5. O_APPEND set later counts too.
 */
#include "test_file.h"

enum { N = 40, PIECE = 1000 };

static unsigned char data[2 * N * PIECE];

static void run(int which)
{
    int p = OK(ioeventpipe(N)), file = make_file(which), fd = reopen(file, O_RDWR | O_APPEND), n = 0;
    char b[8];

    ATTACH(fd, p, 1);
    OK(write(file, data, PIECE)); /* by others */
    n++;
    for (int i = 0; i < N; i++)
        QUEUED(ioevent_write(fd, data + (n + i) * PIECE, PIECE));
    for (int i = 0; i < N; i++, n++)
        EXPECT(p, 1, PIECE, 0);
    CHECK(holds_pattern(file, (size_t)n * PIECE));
    SAME(position(fd), n * PIECE);

    /* a read goes to the position, a write to the end all the same */
    OK(lseek(fd, 0, SEEK_SET));
    QUEUED(ioevent_read(fd, b, sizeof b));
    EXPECT(p, 1, sizeof b, 0);
    CHECK(is_pattern(b, 0, sizeof b));
    QUEUED(ioevent_write(fd, data + n * PIECE, PIECE));
    EXPECT(p, 1, PIECE, 0);
    n++;
    CHECK(holds_pattern(file, (size_t)n * PIECE));
    GIVES(ioevent_close(fd), 0);

    fd = reopen(file, O_WRONLY);
    ATTACH(fd, p, 2);
    OK(ioevent_fcntl(fd, F_SETFL, O_APPEND));
    QUEUED(ioevent_write(fd, data + n * PIECE, PIECE));
    EXPECT(p, 2, PIECE, 0);
    n++;
    CHECK(holds_pattern(file, (size_t)n * PIECE));
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    OK(close(file));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    put_pattern(data, 0, sizeof data);
    for (int which = 0; which < FILES; which++)
        run(which);
    return 0;
}
