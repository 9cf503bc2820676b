/* request.c: parses the head of an HTTP/1.x request (RFC 9112), strictly where leniency has been a way to attack. */
#define _GNU_SOURCE 1
#include "request.h"

#include <string.h>
#include <strings.h>

size_t request_head_length(const char *bytes, size_t length, size_t seen)
{
    const char *end = bytes + length;
    const char *at = bytes + (seen > 3 ? seen - 3 : 0); /* the empty line may have begun in what was seen */
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && *at == '\n') /* a lone LF may end a line, says RFC 9112, 2.2 */
            return (size_t)(at + 1 - bytes);
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
            return (size_t)(at + 2 - bytes);
    }
    return 0;
}

/* The characters of a "token": methods and header names consist of them. */
static bool is_token(const char *at, size_t length)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < length; i++) {
        char c = at[i];
        bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alphanumeric && (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return length > 0;
}

static bool has_control_character(const char *string)
{
    for (const char *at = string; *at != '\0'; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 127)
            return true;
    return false;
}

/* Cuts the next line out of the head, without its end. */
static char *cut_line(char **rest)
{
    char *line = *rest;
    char *end = strchr(line, '\n'); /* there is one: the head ends with an empty line */
    *rest = end + 1;
    if (end > line && end[-1] == '\r')
        end--;
    *end = '\0';
    return line;
}

/* Answers whether a list such as "keep-alive, Upgrade" has the word. */
static bool list_has(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; *at != '\0';) {
        at += strspn(at, ", \t");
        size_t item = strcspn(at, ", \t");
        if (item == length && strncasecmp(at, word, length) == 0)
            return true;
        at += item;
    }
    return false;
}

/* "GET /path HTTP/1.1". Answers 0 or a status. */
static int parse_request_line(struct request *r, const char *line)
{
    const char *space = strchr(line, ' ');
    if (space == NULL || !is_token(line, (size_t)(space - line)))
        return 400;
    if (strncmp(line, "GET ", 4) == 0)
        r->method = METHOD_GET;
    else if (strncmp(line, "HEAD ", 5) == 0)
        r->method = METHOD_HEAD;
    else
        r->method = METHOD_OTHER;

    r->target = space + 1;
    r->target_length = strcspn(r->target, " ");
    const char *version = r->target + r->target_length;
    if (r->target_length == 0 || strncmp(version, " HTTP/", 6) != 0)
        return 400;
    version += 6;
    bool well_formed = version[0] >= '0' && version[0] <= '9' && version[1] == '.' && version[2] >= '0' &&
                       version[2] <= '9' && version[3] == '\0';
    if (!well_formed)
        return 400;
    if (version[0] != '1')
        return 505;
    r->minor = version[2] - '0';
    return 0;
}

/* Only digits, and the same if it was there before: what is ambiguous here lets requests be smuggled in. */
static int parse_content_length(struct request *r, const char *value, bool *seen)
{
    long long length = 0;
    if (*value == '\0')
        return 400;
    for (const char *at = value; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || length > 100000000000000000) /* the next digit could overflow */
            return 400;
        length = 10 * length + (*at - '0');
    }
    if (*seen && r->body_length != length)
        return 400;
    *seen = true;
    r->body_length = length;
    return 0;
}

/* What is found out about a head line by line, and judged at its end. */
struct findings {
    int hosts;
    bool content_length;
    bool transfer_encoding;
    bool close;
    bool keep_alive;
};

static int parse_header(struct request *r, struct findings *found, char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL || !is_token(line, (size_t)(colon - line))) /* folded lines, too: they begin with a space */
        return 400;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t length = strlen(value);
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        value[--length] = '\0';
    if (has_control_character(value))
        return 400;

    struct {
        const char *name;
        const char **value;
    } wanted[] = {
        {"If-Match", &r->if_match},           {"If-Modified-Since", &r->if_modified_since},
        {"If-None-Match", &r->if_none_match}, {"If-Range", &r->if_range},
        {"Range", &r->range},                 {"If-Unmodified-Since", &r->if_unmodified_since},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (strcasecmp(line, wanted[i].name) == 0) {
            *wanted[i].value = value;
            return 0;
        }
    }
    if (strcasecmp(line, "Content-Length") == 0)
        return parse_content_length(r, value, &found->content_length);
    if (strcasecmp(line, "Host") == 0) {
        found->hosts++;
    } else if (strcasecmp(line, "Transfer-Encoding") == 0) {
        found->transfer_encoding = true;
    } else if (strcasecmp(line, "Expect") == 0) {
        r->expects_continue = strcasecmp(value, "100-continue") == 0;
    } else if (strcasecmp(line, "Connection") == 0) {
        found->close |= list_has(value, "close");
        found->keep_alive |= list_has(value, "keep-alive");
    }
    return 0;
}

static int parse_headers(struct request *r, char *rest)
{
    struct findings found = {0};
    for (char *line = cut_line(&rest); *line != '\0'; line = cut_line(&rest)) {
        int status = parse_header(r, &found, line);
        if (status != 0)
            return status;
    }
    if (found.hosts > 1 || (found.hosts == 0 && r->minor >= 1))
        return 400;
    if (found.transfer_encoding)
        return found.content_length ? 400 : 501; /* we cannot tell where such a body ends */
    r->keep_alive = !found.close && (r->minor >= 1 || found.keep_alive);
    return 0;
}

int request_parse(struct request *r, char *head, size_t length)
{
    *r = (struct request){.method = METHOD_GET, .minor = 1};
    if (memchr(head, '\0', length) != NULL)
        return 400;
    char *rest = head;
    char *line = cut_line(&rest);
    if (rest - head > REQUEST_LINE_MAX)
        return 414;
    if (has_control_character(line))
        return 400;
    int status = parse_request_line(r, line);
    return status != 0 ? status : parse_headers(r, rest);
}
