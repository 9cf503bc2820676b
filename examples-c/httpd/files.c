/* files.c: from the target of a request to an open file, never outside the served directory.
 *
 * That promise is not kept by looking at the path, but by the kernel: openat2 with RESOLVE_BENEATH refuses every step
 * out of the root, with whatever symbolic links and however the tree changes meanwhile. */
#define _GNU_SOURCE 1
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_NONBLOCK: opening a FIFO without a writer would wait. O_NOCTTY: a terminal must not become ours. */
enum { OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Copies the path of the target, percent-decoded. Answers 0 or a status. */
static int decode(const char *at, const char *end, char *path)
{
    while (at < end && *at != '?') {
        if (*at != '%') {
            *path++ = *at++;
            continue;
        }
        if (end - at < 3 || hex_digit(at[1]) < 0 || hex_digit(at[2]) < 0)
            return 400;
        char c = (char)(16 * hex_digit(at[1]) + hex_digit(at[2]));
        if (c == '\0') /* would end the path early: "secret.txt%00.html" */
            return 400;
        *path++ = c;
        at += 3;
    }
    *path = '\0';
    return 0;
}

/* Takes "." and ".." and needless slashes out of a path, in place. Answers 0, or 403 if it climbs above the root. */
static int normalise(char *path, bool *slash)
{
    char *out = path;
    *slash = true;
    for (const char *at = path; *at != '\0';) {
        size_t length = strcspn(at, "/");
        const char *next = at + length + (at[length] == '/');
        bool ends_with_slash = at[length] == '/';
        if (length == 2 && at[0] == '.' && at[1] == '.') {
            if (out == path)
                return 403;
            while (out > path && *--out != '/')
                ; /* back to the slash before the last name */
            ends_with_slash = true;
        } else if (length == 0 || (length == 1 && at[0] == '.')) {
            ends_with_slash = true;
        } else {
            if (out > path)
                *out++ = '/';
            memmove(out, at, length);
            out += length;
        }
        *slash = ends_with_slash;
        at = next;
    }
    *out = '\0';
    return 0;
}

int files_path(const char *target, size_t length, char path[PATH_ROOM], bool *slash)
{
    const char *end = target + length;
    size_t scheme = strncasecmp(target, "http://", 7) == 0 ? 7 : strncasecmp(target, "https://", 8) == 0 ? 8 : 0;
    if (scheme > 0) { /* a proxy's "http://host/path" must be understood by every server */
        target += scheme;
        while (target < end && *target != '/' && *target != '?')
            target++;
    } else if (*target != '/') {
        return 400;
    }
    if (length >= PATH_ROOM)
        return 414;
    int status = decode(target, end, path);
    return status != 0 ? status : normalise(path, slash);
}

/* For kernels before 5.6, and sandboxes that do not know openat2: step by step, no symbolic link followed. */
static int open_step_by_step(int root, const char *path)
{
    char name[NAME_MAX + 1];
    int directory = root;
    for (;;) {
        size_t length = strcspn(path, "/");
        bool last = path[length] == '\0';
        int flags = last ? OPEN_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC;
        int fd = -1;
        if (length < sizeof name) {
            memcpy(name, path, length);
            name[length] = '\0';
            fd = openat(directory, name, flags | O_NOFOLLOW);
        } else {
            errno = ENAMETOOLONG;
        }
        if (directory != root) {
            int saved = errno;
            close(directory);
            errno = saved;
        }
        if (fd == -1 || last)
            return fd;
        directory = fd;
        path += length + 1;
    }
}

int files_open(int root, const char *path)
{
    struct open_how how = {.flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    if (*path == '\0')
        path = ".";
    for (int tries = 0; tries < 16; tries++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR) /* EAGAIN: something was renamed while the kernel walked */
            break;
    }
    return errno == ENOSYS ? open_step_by_step(root, path) : -1;
}

int files_status(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case EXDEV: /* openat2: it leads out of the root */
    case ELOOP:
    case ENXIO: /* a socket, or a device that is not there */
    case ENODEV:
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return 503;
    default:
        return 500;
    }
}

const char *files_type(const char *path)
{
    static const struct {
        const char *ending;
        const char *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".htm", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/markdown; charset=utf-8"},
        {".csv", "text/csv; charset=utf-8"},
        {".xml", "application/xml"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
        {".avif", "image/avif"},
        {".ico", "image/vnd.microsoft.icon"},
        {".woff", "font/woff"},
        {".woff2", "font/woff2"},
        {".ttf", "font/ttf"},
        {".mp3", "audio/mpeg"},
        {".ogg", "audio/ogg"},
        {".wav", "audio/wav"},
        {".mp4", "video/mp4"},
        {".webm", "video/webm"},
        {".pdf", "application/pdf"},
        {".zip", "application/zip"},
        {".gz", "application/gzip"},
        {".tar", "application/x-tar"},
        {".wasm", "application/wasm"},
    };
    const char *name = strrchr(path, '/');
    const char *ending = strrchr(name != NULL ? name : path, '.');
    for (size_t i = 0; ending != NULL && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(ending, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}
