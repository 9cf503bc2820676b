/* response.h: what a request is answered with. */
#ifndef HTTPD_RESPONSE_H
#define HTTPD_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "request.h"
#include "text.h"

/* Exists only while it is being sent. A file is read into `out` piece by piece, so that a response needs the same
 * little memory for 1 MB and for 300 MB; and the first piece goes out together with the head, so that a small file
 * costs one write. */
struct response {
    int status;
    bool keep_alive;    /* the connection may carry another request after this one */
    struct text out;    /* what is to be sent next */
    size_t head_length; /* how much of all that is sent is head */
    int file;           /* where more of the body comes from; -1: there is no more */
    off_t offset;       /* the next byte of it */
    off_t left;         /* how many */
};

/* Answers a request that was understood, with what lies below the directory `root`. */
void response_choose(struct response *r, const struct request *q, int root);

/* Answers with an error, and a page that names it. */
void response_error(struct response *r, const struct request *q, int status);

/* `out` was sent: puts the next piece of the body there. Answers 1; 0: that was all; -1: the file cannot give what the
 * head promised, so that only closing the connection tells the client. */
int response_continue(struct response *r);

void response_free(struct response *r);

#endif
