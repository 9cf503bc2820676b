/* date.h: dates as HTTP writes them. */
#ifndef HTTPD_DATE_H
#define HTTPD_DATE_H

#include <time.h>

enum { DATE_ROOM = sizeof "Sun, 06 Nov 1994 08:49:37 GMT" + 8 }; /* 8: years beyond 9999 */

/* Writes the date in the one format that HTTP/1.1 generates. */
void date_format(time_t when, char date[DATE_ROOM]);

/* Reads any of the three formats that HTTP/1.1 must accept; -1: it is none of them. */
time_t date_parse(const char *date);

#endif
