/* text.h: bytes that grow: a request as it comes in, a response as it is put together. */
#ifndef HTTPD_TEXT_H
#define HTTPD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes;
    size_t length;
    size_t room;
    bool failed; /* memory ran out: what was to be added is missing, and nothing more is added */
};

/* Makes room for `more` bytes behind the present ones; false: there is no memory. */
bool text_reserve(struct text *t, size_t more);

void text_add(struct text *t, const char *string);
void text_format(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a string so that HTML shows it as it is, inside and outside of quotes. */
void text_add_html(struct text *t, const char *string);

/* Adds a path so that it can stand in a URL. Slashes stay. Colons do not, so that no name looks like "scheme:". */
void text_add_url(struct text *t, const char *path);

/* Takes `count` bytes away from the front. */
void text_drop(struct text *t, size_t count);

void text_free(struct text *t);

#endif
