/*
 * Preloaded, it has the kernel refuse one system call where the library makes it: DENY=name DENY_ERRNO=number. What
 * libc and the program call goes through. By a seccomp filter that compares the address of the instruction; installed
 * by a constructor, when the loader is done. calls.h, which ci/deny.sh makes, names the calls: CALL(name) for each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A later header may know calls that this one does not. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static const struct {
    const char *name;
    long number;
} calls[] = {
#define CALL(name) { #name, SYS_##name },
#include "calls.h"
};

/* The program does not run as it should: distinct from what a test says. */
__attribute__((noreturn)) static void give_up(const char *why)
{
    dprintf(2, "deny: %s (errno %d)\n", why, errno);
    _exit(99);
}

static int find_text(struct dl_phdr_info *info, size_t size, void *range)
{
    uint64_t *bounds = range;

    (void)size;
    if (!strstr(info->dlpi_name, "libioevent.so"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X)) {
            bounds[0] = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            bounds[1] = bounds[0] + info->dlpi_phdr[i].p_memsz;
        }
    return 1;
}

__attribute__((constructor)) static void deny(void)
{
    const char *name = getenv("DENY"), *error = getenv("DENY_ERRNO");
    uint64_t text[2] = { 0, 0 };
    long number = -1;

    if (!name || !error)
        return;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i].name, name) == 0)
            number = calls[i].number;
    if (number < 0)
        give_up("there is no such call");
    dl_iterate_phdr(find_text, text);
    if (!text[0])
        return; /* some other program, a shell, say */

    /* The text may cross a border of 4 GiB: then it ends with the border in the first half, and begins with it in the
     * other. */
    enum { WORD = offsetof(struct seccomp_data, instruction_pointer) };
    bool crosses = text[0] >> 32 != text[1] >> 32;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 9),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(text[0] >> 32), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)text[0], 0, 5),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, crosses ? 0 : (uint32_t)text[1], crosses ? 3 : 4, 3),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(text[1] >> 32), 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)text[1], 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)atoi(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        give_up("no_new_privs");
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
        if (errno == ENOSYS || errno == EINVAL) {
            dprintf(2, "this kernel has no seccomp filters\n");
            _exit(77);
        }
        give_up("seccomp");
    }
}
