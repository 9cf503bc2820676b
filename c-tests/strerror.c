/* ioevent_strerror names the two errors of its own and hands all others to strerror: rule 1.3. */
#include "test.h"

int main(void)
{
    char full[256], queued[256];

    snprintf(full, sizeof full, "%s", ioevent_strerror(EIOEVENTFULL));
    snprintf(queued, sizeof queued, "%s", ioevent_strerror(EIOEVENTQUEUED));
    CHECK(full[0] && !strstr(full, "Unknown"));
    CHECK(queued[0] && !strstr(queued, "Unknown"));
    CHECK(strcmp(full, queued) != 0);
    for (int e = -2; e < 600; e++) {
        char text[256];

        snprintf(text, sizeof text, "%s", strerror(e));
        CHECK(strcmp(ioevent_strerror(e), text) == 0);
    }
    errno = 4321;
    ioevent_strerror(EIOEVENTFULL);
    ioevent_strerror(ENOENT);
    SAME(errno, 4321);
    return 0;
}
