/* listing.c: the page that a directory without index.html shows. A file may be named almost anything, so every name is
 * escaped twice: as a URL in the link, and as HTML in what is shown. */
#define _GNU_SOURCE 1
#include "listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct entry {
    char *name;
    bool directory;
    bool regular;
    off_t size;
    time_t modified;
};

struct entries {
    struct entry *all;
    size_t count;
    size_t room;
};

/* Directories first, then by name. */
static int compare(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    if (left->directory != right->directory)
        return left->directory ? -1 : 1;
    return strcmp(left->name, right->name);
}

static void free_entries(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->all[i].name);
    free(entries->all);
}

static bool add_entry(struct entries *entries, int directory, const char *name)
{
    if (entries->count == entries->room) {
        size_t room = 2 * entries->room + 32;
        struct entry *all = realloc(entries->all, room * sizeof *all);
        if (all == NULL)
            return false;
        entries->all = all;
        entries->room = room;
    }
    struct stat status;
    /* Not through a symbolic link: what lies outside is not even to be described. */
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1)
        return true; /* gone already */
    char *copy = strdup(name);
    if (copy == NULL)
        return false;
    entries->all[entries->count++] = (struct entry){
        .name = copy,
        .directory = S_ISDIR(status.st_mode),
        .regular = S_ISREG(status.st_mode),
        .size = status.st_size,
        .modified = status.st_mtime,
    };
    return true;
}

static bool read_entries(struct entries *entries, DIR *directory)
{
    for (;;) {
        errno = 0;
        const struct dirent *next = readdir(directory);
        if (next == NULL)
            return errno == 0;
        if (next->d_name[0] != '.' && !add_entry(entries, dirfd(directory), next->d_name))
            return false;
    }
}

static void write_entry(struct text *page, const struct entry *entry)
{
    const char *slash = entry->directory ? "/" : "";
    char modified[32] = "";
    struct tm utc;
    if (gmtime_r(&entry->modified, &utc) != NULL)
        strftime(modified, sizeof modified, "%Y-%m-%d %H:%M", &utc);

    text_add(page, "<tr><td><a href=\"");
    text_add_url(page, entry->name);
    text_format(page, "%s\">", slash);
    text_add_html(page, entry->name);
    text_format(page, "%s</a><td>%s<td>", slash, modified);
    if (entry->regular)
        text_format(page, "%lld", (long long)entry->size);
    text_add(page, "\n");
}

static void write_page(struct text *page, const struct entries *entries, const char *path)
{
    text_add(page, "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n<title>/");
    text_add_html(page, path);
    text_add(page, "</title>\n<style>body { font-family: sans-serif; margin: 2em }\n"
                   "td { padding: 0 2em 0 0 } td + td + td { text-align: right }</style>\n<h1>/");
    text_add_html(page, path);
    text_add(page, "</h1>\n<table>\n");
    if (*path != '\0')
        text_add(page, "<tr><td><a href=\"../\">../</a><td><td>\n");
    for (size_t i = 0; i < entries->count; i++)
        write_entry(page, &entries->all[i]);
    text_add(page, "</table>\n</html>\n");
}

int listing_write(struct text *page, int fd, const char *path)
{
    DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    struct entries entries = {0};
    bool complete = read_entries(&entries, directory);
    int saved = errno;
    closedir(directory);
    if (complete) {
        if (entries.count > 0)
            qsort(entries.all, entries.count, sizeof *entries.all, compare);
        write_page(page, &entries, path);
    }
    free_entries(&entries);
    errno = saved;
    return complete ? 0 : -1;
}
