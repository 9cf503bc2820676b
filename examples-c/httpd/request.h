/* request.h: what a client asks for. Pure text: no descriptor and no memory of its own. */
#ifndef HTTPD_REQUEST_H
#define HTTPD_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum {
    REQUEST_LINE_MAX = 8192,  /* longer: 414 */
    REQUEST_HEAD_MAX = 16384, /* longer: 431 */
};

/* The strings point into the text that was parsed, and are good as long as it is. A header that is absent is NULL. */
struct request {
    enum { METHOD_GET, METHOD_HEAD, METHOD_OTHER } method;
    int minor;       /* the y of HTTP/1.y */
    bool keep_alive; /* the client wants to go on with this connection */
    bool expects_continue;
    const char *target;
    size_t target_length;
    long long body_length;
    const char *if_match;
    const char *if_modified_since;
    const char *if_none_match;
    const char *if_range;
    const char *if_unmodified_since;
    const char *range;
};

/* Looks for the end of the first request head in `bytes`, of which the first `seen` were looked at before. Answers its
 * length with the empty line; 0: it is not complete yet. */
size_t request_head_length(const char *bytes, size_t length, size_t seen);

/* Parses a complete head, which it cuts into strings. Answers 0, or the status that refuses it. Even then method,
 * minor and keep_alive are good: keep_alive is false, because nobody knows where the next request begins. */
int request_parse(struct request *r, char *head, size_t length);

#endif
