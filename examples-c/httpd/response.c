/* response.c: decides what a request is answered with (RFC 9110), and reads files for it. */
#define _GNU_SOURCE 1
#include "response.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "date.h"
#include "files.h"
#include "listing.h"

enum {
    PIECE_MAX = 65536, /* bytes of a file in memory at a time */
    HEAD_ROOM = 512,   /* most heads fit into this */
};

static const char *reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 412: return "Precondition Failed";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
    }
}

/* Starts the head of a response without a body; more header lines may follow, then end_head. */
static void begin_head(struct response *r, const struct request *q, int status)
{
    char date[DATE_ROOM];
    date_format(time(NULL), date);
    *r = (struct response){.status = status, .keep_alive = q->keep_alive, .file = -1};
    text_reserve(&r->out, HEAD_ROOM);
    text_format(&r->out, "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: ioevent-httpd\r\n", status, reason(status), date);
    if (!r->keep_alive)
        text_add(&r->out, "Connection: close\r\n");
    else if (q->minor == 0) /* here it is not what the client expects of old */
        text_add(&r->out, "Connection: keep-alive\r\n");
}

static void end_head(struct response *r)
{
    text_add(&r->out, "\r\n");
    r->head_length = r->out.length;
}

/* Ends the head and adds a page from memory as the body. A HEAD request is told how long it would be. */
static void end_with_page(struct response *r, const struct request *q, const struct text *page)
{
    text_format(&r->out, "Content-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\n", page->length);
    end_head(r);
    if (q->method == METHOD_HEAD || page->length == 0 || !text_reserve(&r->out, page->length))
        return;
    memcpy(r->out.bytes + r->out.length, page->bytes, page->length);
    r->out.length += page->length;
}

static void end_with_message(struct response *r, const struct request *q)
{
    struct text page = {0};
    const char *why = reason(r->status);
    text_format(&page, "<!doctype html>\n<title>%d %s</title>\n<h1>%d %s</h1>\n", r->status, why, r->status, why);
    end_with_page(r, q, &page);
    text_free(&page);
}

void response_error(struct response *r, const struct request *q, int status)
{
    begin_head(r, q, status);
    if (status == 405)
        text_add(&r->out, "Allow: GET, HEAD\r\n");
    if (status == 503)
        text_add(&r->out, "Retry-After: 5\r\n");
    end_with_message(r, q);
}

/* A directory was asked for without the slash at the end, on which the relative links in its page depend. */
static void redirect(struct response *r, const struct request *q, const char *path)
{
    begin_head(r, q, 301);
    text_add(&r->out, "Location: /"); /* one slash, so that no path can pass for "//another.host/" */
    text_add_url(&r->out, path);
    text_add(&r->out, "/");
    const char *query = memchr(q->target, '?', q->target_length);
    if (query != NULL)
        text_format(&r->out, "%.*s", (int)(q->target + q->target_length - query), query);
    text_add(&r->out, "\r\n");
    end_with_message(r, q);
}

static void list_directory(struct response *r, const struct request *q, int fd, const char *path)
{
    struct text page = {0};
    if (listing_write(&page, fd, path) == -1) {
        response_error(r, q, files_status(errno));
    } else if (page.failed) {
        response_error(r, q, 503);
    } else {
        begin_head(r, q, 200);
        end_with_page(r, q, &page);
    }
    text_free(&page);
}

/* What names the state of a file: two requests with the same tag get the same bytes. */
struct version {
    char tag[64];
    time_t modified;
    char date[DATE_ROOM];
};

static struct version version_of(const struct stat *file)
{
    struct version version = {.modified = file->st_mtime};
    snprintf(version.tag, sizeof version.tag, "\"%llx-%llx-%llx\"", (unsigned long long)file->st_size,
             (unsigned long long)file->st_mtim.tv_sec, (unsigned long long)file->st_mtim.tv_nsec);
    date_format(file->st_mtime, version.date);
    return version;
}

/* Answers whether a list such as `"a", W/"b"`, or `*`, has the tag. Our tags are strong and contain no comma. */
static bool tags_have(const char *list, const char *tag, bool weak_too)
{
    if (strcmp(list, "*") == 0)
        return true;
    size_t length = strlen(tag);
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, ", \t");
        bool weak = strncmp(at, "W/", 2) == 0;
        const char *opaque = weak ? at + 2 : at;
        size_t item = strcspn(opaque, ", \t");
        if (item == length && memcmp(opaque, tag, length) == 0 && (weak_too || !weak))
            return true;
        at = opaque + item;
    }
    return false;
}

/* The conditions of RFC 9110, 13.2.2, in its order. Answers 304 or 412; 0: go on. */
static int check_conditions(const struct request *q, const struct version *version)
{
    if (q->if_match != NULL) {
        if (!tags_have(q->if_match, version->tag, false))
            return 412;
    } else if (q->if_unmodified_since != NULL) {
        time_t since = date_parse(q->if_unmodified_since);
        if (since != -1 && version->modified > since)
            return 412;
    }
    if (q->if_none_match != NULL)
        return tags_have(q->if_none_match, version->tag, true) ? 304 : 0;
    if (q->if_modified_since != NULL) {
        time_t since = date_parse(q->if_modified_since);
        if (since != -1 && version->modified <= since)
            return 304;
    }
    return 0;
}

/* Reads digits; a number that is too large becomes the largest. Answers whether there was one. */
static bool parse_offset(const char **at, off_t *number)
{
    const off_t largest = (off_t)1 << 62;
    const char *start = *at;
    *number = 0;
    for (; **at >= '0' && **at <= '9'; ++*at) {
        off_t digit = **at - '0';
        *number = *number > (largest - digit) / 10 ? largest : 10 * *number + digit;
    }
    return *at > start;
}

struct range {
    off_t first;
    off_t length;
};

/* Finds the part of a file of `size` bytes that the request asks for. Answers 206; 200: all of it, also for what is
 * malformed or asks for several parts, which a server may ignore; 416: there is no such part. */
static int choose_range(const struct request *q, const struct version *version, off_t size, struct range *range)
{
    *range = (struct range){.first = 0, .length = size};
    if (q->range == NULL || q->method != METHOD_GET || strncasecmp(q->range, "bytes=", 6) != 0)
        return 200;
    if (q->if_range != NULL && strcmp(q->if_range, version->tag) != 0 && strcmp(q->if_range, version->date) != 0)
        return 200; /* the client has a part of another version: it needs all of this one */

    const char *at = q->range + 6;
    off_t first, last;
    bool has_first = parse_offset(&at, &first);
    if (*at++ != '-')
        return 200;
    bool has_last = parse_offset(&at, &last);
    if (*at != '\0' || (!has_first && !has_last) || (has_first && has_last && last < first))
        return 200;
    if (!has_first) { /* "-500": the last 500 bytes */
        if (last == 0)
            return 416;
        if (size == 0)
            return 200;
        first = last < size ? size - last : 0;
        last = size - 1;
    } else if (first >= size) {
        return 416;
    }
    if (!has_last || last >= size)
        last = size - 1;
    *range = (struct range){.first = first, .length = last - first + 1};
    return 206;
}

/* Reads the next piece behind what `out` holds. Answers false if the file does not have it. */
static bool read_piece(struct response *r)
{
    size_t wanted = PIECE_MAX - r->out.length; /* head and first piece fill one buffer together */
    if (r->left < (off_t)wanted)
        wanted = (size_t)r->left;
    if (!text_reserve(&r->out, wanted))
        return false;
    ssize_t count = pread(r->file, r->out.bytes + r->out.length, wanted, r->offset);
    if (count <= 0) /* shorter than it was, or an error of the disk */
        return false;
    r->out.length += (size_t)count;
    r->offset += count;
    r->left -= count;
    if (r->left == 0) { /* no descriptor is held for a client that takes long over the last piece */
        close(r->file);
        r->file = -1;
    }
    return true;
}

/* Answers with the open regular file `fd`, which then belongs to the response. */
static void send_file(struct response *r, const struct request *q, int fd, const struct stat *file, const char *path)
{
    struct version version = version_of(file);
    struct range range = {0};
    int status = check_conditions(q, &version);
    if (status == 0)
        status = choose_range(q, &version, file->st_size, &range);
    if (status == 412) {
        close(fd);
        response_error(r, q, status);
        return;
    }
    begin_head(r, q, status);
    if (status == 416) {
        close(fd);
        text_format(&r->out, "Content-Range: bytes */%lld\r\n", (long long)file->st_size);
        end_with_message(r, q);
        return;
    }
    text_format(&r->out, "Last-Modified: %s\r\nETag: %s\r\nAccept-Ranges: bytes\r\n", version.date, version.tag);
    if (status != 304)
        text_format(&r->out, "Content-Type: %s\r\nContent-Length: %lld\r\n", files_type(path), (long long)range.length);
    if (status == 206)
        text_format(&r->out, "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)range.first,
                    (long long)(range.first + range.length - 1), (long long)file->st_size);
    end_head(r);
    if (q->method == METHOD_HEAD || status == 304 || range.length == 0) {
        close(fd);
        return;
    }
    r->file = fd;
    r->offset = range.first;
    r->left = range.length;
    if (!read_piece(r)) { /* nothing was sent yet, so there still can be another answer */
        response_free(r);
        response_error(r, q, 500);
    }
}

/* Answers for the open directory `fd`, which it closes: with its index.html, or a list of what is in it. */
static void send_directory(struct response *r, const struct request *q, int root, int fd, const char *path)
{
    char index_path[PATH_ROOM + sizeof "/index.html"];
    snprintf(index_path, sizeof index_path, "%s%sindex.html", path, *path == '\0' ? "" : "/");
    int index = files_open(root, index_path); /* from the root: a link in the root may lead to anywhere in the root */
    struct stat file;
    if (index != -1 && fstat(index, &file) == 0 && S_ISREG(file.st_mode)) {
        close(fd);
        send_file(r, q, index, &file, index_path);
    } else if (index == -1 && errno != ENOENT) {
        int status = files_status(errno);
        close(fd);
        response_error(r, q, status);
    } else {
        if (index != -1)
            close(index);
        list_directory(r, q, fd, path);
    }
}

void response_choose(struct response *r, const struct request *q, int root)
{
    char path[PATH_ROOM];
    bool slash;
    int status = q->method == METHOD_OTHER ? 405 : files_path(q->target, q->target_length, path, &slash);
    if (status != 0) {
        response_error(r, q, status);
        return;
    }
    int fd = files_open(root, path);
    struct stat file;
    if (fd == -1 || fstat(fd, &file) == -1) {
        status = files_status(errno);
        if (fd != -1)
            close(fd);
        response_error(r, q, status);
    } else if (S_ISDIR(file.st_mode) && slash) {
        send_directory(r, q, root, fd, path);
    } else if (S_ISREG(file.st_mode) && !slash) {
        send_file(r, q, fd, &file, path);
    } else {
        close(fd);
        if (S_ISDIR(file.st_mode))
            redirect(r, q, path);
        else /* a file asked for as a directory; else a FIFO or a device, which could keep us waiting */
            response_error(r, q, S_ISREG(file.st_mode) ? 404 : 403);
    }
}

int response_continue(struct response *r)
{
    if (r->file == -1)
        return 0;
    r->out.length = 0;
    return read_piece(r) ? 1 : -1;
}

void response_free(struct response *r)
{
    if (r->file != -1)
        close(r->file);
    r->file = -1;
    text_free(&r->out);
}
