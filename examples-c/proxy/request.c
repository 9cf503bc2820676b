/* request.c: reads the head of a request, and writes it anew for the server: without what concerns only the client and
 * the proxy (RFC 9110, 7.6), and with "Connection: close", so that the end of the response is the end of the bytes. */
#define _GNU_SOURCE 1
#include "request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A piece of the head. */
struct piece {
    const char *bytes;
    size_t length;
};

static bool is(struct piece p, const char *text)
{
    return p.length == strlen(text) && strncasecmp(p.bytes, text, p.length) == 0;
}

/* Takes what stands before this byte off the front, and the byte with it; false: there is none. */
static bool take(struct piece *from, char end, struct piece *taken)
{
    const char *at = memchr(from->bytes, end, from->length);
    if (at == NULL)
        return false;
    *taken = (struct piece){from->bytes, (size_t)(at - from->bytes)};
    from->bytes = at + 1;
    from->length -= taken->length + 1;
    return true;
}

static struct piece trimmed(struct piece p)
{
    for (; p.length > 0 && strchr(" \t\r", p.bytes[0]) != NULL; p.bytes++)
        p.length--;
    while (p.length > 0 && strchr(" \t\r", p.bytes[p.length - 1]) != NULL)
        p.length--;
    return p;
}

/* A list with commas has this name in it. */
static bool lists(struct piece list, struct piece name)
{
    struct piece one;
    while (list.length > 0) {
        if (!take(&list, ',', &one)) {
            one = list;
            list.length = 0;
        }
        one = trimmed(one);
        if (one.length == name.length && strncasecmp(one.bytes, name.bytes, name.length) == 0)
            return true;
    }
    return false;
}

__attribute__((format(printf, 2, 3)))
static bool add(struct request *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof r->head - r->head_length;
    int n = vsnprintf(r->head + r->head_length, room, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room)
        return false;
    r->head_length += (size_t)n;
    return true;
}

size_t request_head_length(const char *bytes, size_t length)
{
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    return end == NULL ? 0 : (size_t)(end - bytes) + 4;
}

/* host, host:port, [address]:port. */
static bool parse_authority(struct request *r, struct piece p, const char *port)
{
    const char *bracket = p.length > 0 && p.bytes[0] == '[' ? memchr(p.bytes, ']', p.length) : NULL;
    size_t from = bracket == NULL ? 0 : (size_t)(bracket - p.bytes) + 1; /* colons before this are the address's */
    const char *colon = memchr(p.bytes + from, ':', p.length - from);
    struct piece host = {p.bytes, colon == NULL ? p.length : (size_t)(colon - p.bytes)};
    struct piece digits = {port, port == NULL ? 0 : strlen(port)};
    if (bracket != NULL && from != host.length)
        return false;
    if (bracket != NULL)
        host = (struct piece){p.bytes + 1, from - 2};
    if (colon != NULL)
        digits = (struct piece){colon + 1, p.length - (size_t)(colon + 1 - p.bytes)};
    if (host.length == 0 || host.length >= sizeof r->host || digits.length == 0 || digits.length >= sizeof r->port)
        return false;
    memcpy(r->host, host.bytes, host.length);
    memcpy(r->port, digits.bytes, digits.length);
    r->host[host.length] = r->port[digits.length] = '\0';
    return strspn(r->port, "0123456789") == digits.length && atoi(r->port) >= 1 && atoi(r->port) <= 65535 &&
           strspn(r->host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:") == host.length;
}

/* The lines behind the first; `kept` says what happens to them. */
static int parse_fields(struct request *r, struct piece lines, struct piece connection, bool kept)
{
    static const char *const of_one_hop[] = {"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authorization",
                                             "TE", "Trailer", "Upgrade", "Host"};
    struct piece line, name;
    while (take(&lines, '\n', &line)) {
        if (line.length <= 1) /* the empty one, at the end */
            break;
        if (!take(&line, ':', &name) || name.length == 0 || trimmed(name).length != name.length ||
            memchr(line.bytes, '\r', line.length) != line.bytes + line.length - 1)
            return 400;
        struct piece value = trimmed(line);
        bool drop = connection.length > 0 && lists(connection, name);
        for (size_t i = 0; i < sizeof of_one_hop / sizeof *of_one_hop; i++)
            drop |= is(name, of_one_hop[i]);
        if (is(name, "Transfer-Encoding"))
            return 501; /* its end would have to be looked for among the bytes */
        if (is(name, "Content-Length")) {
            char digits[20];
            int n = snprintf(digits, sizeof digits, "%.*s", (int)value.length, value.bytes);
            if (r->body != -1 || n < 1 || n > 18 || strspn(digits, "0123456789") != (size_t)n)
                return 400;
            r->body = atoll(digits);
        }
        if (kept && !drop && !add(r, "%.*s:%.*s\n", (int)name.length, name.bytes, (int)line.length, line.bytes))
            return 431;
    }
    return 0;
}

/* The value of the field Connection. */
static struct piece connection_of(struct piece lines)
{
    struct piece line, name;
    while (take(&lines, '\n', &line))
        if (take(&line, ':', &name) && is(name, "Connection"))
            return trimmed(line);
    return (struct piece){"", 0};
}

int request_parse(struct request *r, const char *head, size_t length)
{
    struct piece rest = {head, length}, line, method, target, authority;
    *r = (struct request){.body = -1};
    if (memchr(head, '\0', length) != NULL || !take(&rest, '\n', &line) ||
        memchr(line.bytes, '\r', line.length) != line.bytes + line.length - 1 || !take(&line, ' ', &method) ||
        !take(&line, ' ', &target) || method.length == 0)
        return 400;
    struct piece version = trimmed(line);
    if (!is(version, "HTTP/1.1") && !is(version, "HTTP/1.0"))
        return 505;
    r->tunnel = is(method, "CONNECT");
    if (r->tunnel) {
        if (!parse_authority(r, target, NULL))
            return 400;
        return parse_fields(r, rest, (struct piece){"", 0}, false);
    }
    if (target.length < 7 || strncasecmp(target.bytes, "http://", 7) != 0)
        return 400; /* a proxy needs the whole address */
    target = (struct piece){target.bytes + 7, target.length - 7};
    size_t end = 0;
    while (end < target.length && target.bytes[end] != '/' && target.bytes[end] != '?')
        end++;
    authority = (struct piece){target.bytes, end};
    target = (struct piece){target.bytes + end, target.length - end};
    if (!parse_authority(r, authority, "80"))
        return 400;
    if (!add(r, "%.*s %s%.*s %.*s\r\nHost: %.*s\r\n", (int)method.length, method.bytes,
             target.length > 0 && target.bytes[0] == '/' ? "" : "/", (int)target.length, target.bytes,
             (int)version.length, version.bytes, (int)authority.length, authority.bytes))
        return 431;
    int status = parse_fields(r, rest, connection_of(rest), true);
    if (status == 0 && !add(r, "Via: 1.1 proxy\r\nConnection: close\r\n\r\n"))
        status = 431;
    if (r->body == -1)
        r->body = 0;
    return status;
}
