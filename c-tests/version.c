/* The version in the header and that of the library are the same here, as a number and as a text, and the number is made
 * of the parts as the header says. Neither function changes errno: rule 7.1, rule 5.1. */
#include "test.h"

#if IOEVENT_VERSION < 0x000200
#error "0.2.0 is the first version that has IOEVENT_VERSION"
#endif

int main(void)
{
    char text[64];

    SAME(IOEVENT_VERSION_MAJOR * 0x10000 + IOEVENT_VERSION_MINOR * 0x100 + IOEVENT_VERSION_PATCH, IOEVENT_VERSION);
    snprintf(text, sizeof text, "%d.%d.%d", IOEVENT_VERSION_MAJOR, IOEVENT_VERSION_MINOR, IOEVENT_VERSION_PATCH);
    /* A version that is not released may have more behind the parts. */
    CHECK(strncmp(IOEVENT_VERSION_STRING, text, strlen(text)) == 0);
    CHECK(strchr("-+", IOEVENT_VERSION_STRING[strlen(text)]) != NULL);

    errno = 4321;
    SAME(ioevent_version(), IOEVENT_VERSION);
    CHECK(strcmp(ioevent_version_string(), IOEVENT_VERSION_STRING) == 0);
    CHECK(ioevent_version_string() == ioevent_version_string());
    SAME(errno, 4321);
    return 0;
}
