/* date.c: dates as HTTP writes them. The program never calls setlocale, so names of days and months are English. */
#define _GNU_SOURCE 1
#include "date.h"

#include <stddef.h>

void date_format(time_t when, char date[DATE_ROOM])
{
    struct tm utc;
    if (gmtime_r(&when, &utc) == NULL || strftime(date, DATE_ROOM, "%a, %d %b %Y %H:%M:%S GMT", &utc) == 0)
        date[0] = '\0';
}

time_t date_parse(const char *date)
{
    static const char *const formats[] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate, what everyone sends today */
        "%A, %d-%b-%y %H:%M:%S GMT", /* RFC 850 */
        "%a %b %e %H:%M:%S %Y",      /* asctime */
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm utc = {0};
        const char *rest = strptime(date, formats[i], &utc);
        if (rest != NULL && *rest == '\0')
            return timegm(&utc);
    }
    return -1;
}
