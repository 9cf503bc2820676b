/* text.c: bytes that grow. An error (no memory) is kept and looked at once, at the end. */
#define _GNU_SOURCE 1
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool text_reserve(struct text *t, size_t more)
{
    if (t->failed)
        return false;
    if (t->room - t->length >= more)
        return true;
    size_t room = t->length + more;
    if (room < 2 * t->room)
        room = 2 * t->room; /* doubling keeps many small additions cheap */
    char *bytes = realloc(t->bytes, room);
    if (bytes == NULL) {
        t->failed = true;
        return false;
    }
    t->bytes = bytes;
    t->room = room;
    return true;
}

static void add_bytes(struct text *t, const char *bytes, size_t count)
{
    if (!text_reserve(t, count))
        return;
    memcpy(t->bytes + t->length, bytes, count);
    t->length += count;
}

void text_add(struct text *t, const char *string)
{
    add_bytes(t, string, strlen(string));
}

void text_format(struct text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int count = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (count < 0 || !text_reserve(t, (size_t)count + 1)) { /* vsnprintf adds a NUL, which is not counted */
        t->failed = true;
        return;
    }
    va_start(arguments, format);
    vsnprintf(t->bytes + t->length, (size_t)count + 1, format, arguments);
    va_end(arguments);
    t->length += (size_t)count;
}

void text_add_html(struct text *t, const char *string)
{
    for (const char *at = string; *at != '\0'; at++) {
        switch (*at) {
        case '&': text_add(t, "&amp;"); break;
        case '<': text_add(t, "&lt;"); break;
        case '>': text_add(t, "&gt;"); break;
        case '"': text_add(t, "&quot;"); break;
        case '\'': text_add(t, "&#39;"); break;
        default: add_bytes(t, at, 1);
        }
    }
}

void text_add_url(struct text *t, const char *path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    for (const char *at = path; *at != '\0'; at++) {
        if (strchr(plain, *at) != NULL)
            add_bytes(t, at, 1);
        else
            text_format(t, "%%%02X", (unsigned char)*at);
    }
}

void text_drop(struct text *t, size_t count)
{
    if (count == 0)
        return;
    t->length -= count;
    memmove(t->bytes, t->bytes + count, t->length);
}

void text_free(struct text *t)
{
    free(t->bytes);
    *t = (struct text){0};
}
