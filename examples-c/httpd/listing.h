/* listing.h: the page that a directory without index.html shows. */
#ifndef HTTPD_LISTING_H
#define HTTPD_LISTING_H

#include "text.h"

/* Adds an HTML page that lists the open directory `fd`, which it closes; `path` is its name below the root. Names that
 * begin with a dot are left out. Answers 0, or -1 and errno. */
int listing_write(struct text *page, int fd, const char *path);

#endif
