/* files.h: from the target of a request to an open file, never outside the served directory. */
#ifndef HTTPD_FILES_H
#define HTTPD_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "request.h"

enum { PATH_ROOM = REQUEST_LINE_MAX }; /* a decoded path is never longer than its target */

/* Decodes a target ("/a/b%20c?query") into a path below the root: without slashes at both ends, without "." and "..";
 * "" is the root itself. *slash: the target asks for a directory. Answers 0, or the status that refuses it. */
int files_path(const char *target, size_t length, char path[PATH_ROOM], bool *slash);

/* Opens for reading what the path means below the directory `root`, if it does not lead out of it, by whatever symbolic
 * links. Never waits. -1 and errno: no. What was opened may be any kind of file; see fstat. */
int files_open(int root, const char *path);

/* The HTTP status for the errno of files_open. */
int files_status(int errnum);

/* The media type, by the ending of the name. */
const char *files_type(const char *path);

#endif
