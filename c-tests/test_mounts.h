/* What the tests that mount something share: a mount namespace of the test's own, and a folder for it. */
#ifndef TEST_MOUNTS_H
#define TEST_MOUNTS_H

#include "test.h"
#include <sys/mount.h>

/* From here on nobody else sees what this process mounts. False if it may not. */
static inline bool own_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0;
}

/* A folder to mount something on. */
#define MOUNT_POINT "/mnt"

#endif
