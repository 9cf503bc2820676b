/* request.h: the head of a request, as a proxy gets it, and as the server is to get it. */
#ifndef PROXY_REQUEST_H
#define PROXY_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum { HEAD_MAX = 8192 };

struct request {
    bool tunnel;              /* CONNECT */
    char host[256], port[6];
    long long body;           /* length of what the client sends behind the head */
    char head[HEAD_MAX + 512]; /* for the server, unless it is a tunnel */
    size_t head_length;
};

/* The length of the head that the bytes begin with; 0: its end is not among them. */
size_t request_head_length(const char *bytes, size_t length);

/* Reads a head. Answers 0, or the status of the response that refuses it. */
int request_parse(struct request *r, const char *head, size_t length);

#endif
