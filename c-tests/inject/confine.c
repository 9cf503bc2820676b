/*
 * confine ROW PROGRAM [ARGUMENT...]: runs a program where something that it may be used to is not there. Exit status
 * 77, with the reason, where that cannot be done, and 99 if it was done and is not so.
 *
 *   docker            system calls refused as Docker's default profile does
 *   linux-5.4         no system call, and no flag of preadv2(2), that came after Linux 5.4
 *   no-proc           nothing is in /proc
 *   few-descriptors   a limit of 64 open files
 *   read-only         all file systems, but for one in memory at /tmp, where the program is run
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Calls that came with later kernels than the headers: the numbers are the same for all machines. */
enum {
    IO_URING_SETUP = 425,
    CLONE3 = 435,
    CLOSE_RANGE = 436, /* the first after Linux 5.4 */
    MOUNT_SETATTR = 442,
    LAST_KNOWN = 466,  /* to the profile: removexattrat */
};

__attribute__((noreturn, format(printf, 2, 3)))
static void end(int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(status);
}

static void cannot(const char *what)
{
    end(errno == EPERM || errno == EACCES || errno == ENOSYS || errno == EINVAL ? 77 : 99, "skipped: %s: %s", what,
        strerror(errno));
}

/* ---- filters of system calls ---- */

static struct sock_filter filter[512];
static unsigned short length;

static void add(uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    if (length == sizeof filter / sizeof *filter)
        end(99, "the filter is too long");
    filter[length++] = (struct sock_filter){ code, yes, no, k };
}

static void load(size_t offset)
{
    add(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(int error)
{
    add(BPF_RET | BPF_K, error ? SECCOMP_RET_ERRNO | (uint32_t)error : SECCOMP_RET_ALLOW, 0, 0);
}

/* The call of this number, which is loaded, fails so. */
static void refuse(long number, int error)
{
    add(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
    answer(error);
}

/* All calls from this number on fail so. */
static void refuse_from(long number, int error)
{
    add(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)number, 0, 1);
    answer(error);
}

/* The next `n` instructions are for the call of this number only. */
static void only_for(long number, uint8_t n)
{
    add(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, n);
}

static void install(void)
{
    struct sock_fprog program = { length, filter };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        cannot("no filters of system calls");
}

#define NUMBER offsetof(struct seccomp_data, nr)
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n)) /* its lower half */

/*
 * github.com/moby/profiles, seccomp/default.json, as of June 2026, for a container without added capabilities: what it
 * does not name is refused with EPERM, clone3 with ENOSYS; and runc refuses with ENOSYS what is newer than all that it
 * names.
 */
static void docker(void)
{
    static const long refused[] = {
        SYS_acct, SYS_add_key, SYS_bpf, SYS_clock_settime, SYS_delete_module, SYS_fanotify_init, SYS_finit_module,
        SYS_get_mempolicy, SYS_init_module, SYS_kcmp, SYS_kexec_load, SYS_keyctl, SYS_lookup_dcookie, SYS_mbind,
        SYS_migrate_pages, SYS_mount, SYS_move_pages, SYS_nfsservctl, SYS_open_by_handle_at, SYS_perf_event_open,
        SYS_pivot_root, SYS_quotactl, SYS_reboot, SYS_request_key, SYS_set_mempolicy, SYS_setdomainname, SYS_sethostname,
        SYS_setns, SYS_settimeofday, SYS_swapoff, SYS_swapon, SYS_syslog, SYS_umount2, SYS_unshare, SYS_userfaultfd,
        SYS_vhangup,
#ifdef __x86_64__
        SYS_iopl, SYS_ioperm, SYS_kexec_file_load, SYS_sysfs, SYS_uselib, SYS_ustat,
#endif
        425, 426, 427,           /* io_uring_setup, io_uring_enter, io_uring_register */
        428, 429,                /* open_tree, move_mount */
        430, 431, 432, 433,      /* fsopen, fsconfig, fsmount, fspick */
        438, 440, 442, 443, 450, /* pidfd_getfd, process_madvise, mount_setattr, quotactl_fd, set_mempolicy_home_node */
    };

    load(NUMBER);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        refuse(refused[i], EPERM);
    refuse(CLONE3, ENOSYS);
    refuse_from(LAST_KNOWN + 1, ENOSYS);
    /* clone with any new namespace; sockets of the families AF_ALG (38) and AF_VSOCK (40) */
    only_for(SYS_clone, 3);
    load(ARGUMENT(0));
    add(BPF_JMP | BPF_JSET | BPF_K, 0x7e020000, 0, 1);
    answer(EPERM);
    load(NUMBER);
    only_for(SYS_socket, 5);
    load(ARGUMENT(0));
    refuse(38, EPERM);
    refuse(40, EPERM);
    answer(0);
    install();
    if (syscall(IO_URING_SETUP, 1, NULL) != -1 || errno != EPERM || syscall(CLONE3, NULL, 0) != -1 || errno != ENOSYS ||
        unshare(CLONE_NEWNS) != -1 || errno != EPERM)
        end(99, "the filter is not in");
}

static void linux_5_4(void)
{
    enum { KNOWN = 0x1f }; /* RWF_HIPRI, _DSYNC, _SYNC, _NOWAIT, _APPEND */
    static const int with_flags[] = { SYS_preadv2, SYS_pwritev2 };
    struct iovec none = { NULL, 0 };

    load(NUMBER);
    refuse_from(CLOSE_RANGE, ENOSYS);
    for (int i = 0; i < 2; i++) {
        only_for(with_flags[i], 3);
        load(ARGUMENT(5));
        add(BPF_JMP | BPF_JSET | BPF_K, ~(uint32_t)KNOWN, 0, 1);
        answer(EOPNOTSUPP);
        load(NUMBER);
    }
    answer(0);
    install();
    if (syscall(CLOSE_RANGE, ~0u, ~0u, 0) != -1 || errno != ENOSYS ||
        syscall(SYS_pwritev2, 1, &none, 0, 0L, 0L, KNOWN + 1) != -1 || errno != EOPNOTSUPP)
        end(99, "the filter is not in");
}

/* ---- namespaces ---- */

static void own_mounts(void)
{
    char map[64];
    int fd;
    uid_t uid = getuid();
    gid_t gid = getgid();

    if (unshare(CLONE_NEWNS) != 0) {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
            cannot("no namespace for mounts");
        if ((fd = open("/proc/self/setgroups", O_WRONLY)) != -1) {
            if (write(fd, "deny", 4) != 4)
                cannot("/proc/self/setgroups");
            close(fd);
        }
        for (int i = 0; i < 2; i++) {
            int n = snprintf(map, sizeof map, "%u %u 1", i ? gid : uid, i ? gid : uid);

            fd = open(i ? "/proc/self/gid_map" : "/proc/self/uid_map", O_WRONLY);
            if (fd == -1 || write(fd, map, (size_t)n) != n)
                cannot("no map of users");
            close(fd);
        }
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        cannot("mounts cannot be made private");
}

static void no_proc(void)
{
    own_mounts();
    if (mount("none", "/proc", "tmpfs", MS_RDONLY, "size=4k") != 0)
        cannot("/proc cannot be covered");
    if (access("/proc/self", F_OK) != -1)
        end(99, "/proc is there");
}

static void read_only(void)
{
    struct { uint64_t set, clear, propagation, userns_fd; } attributes = { .set = 1 /* MOUNT_ATTR_RDONLY */ };

    own_mounts();
    if (syscall(MOUNT_SETATTR, AT_FDCWD, "/", 0x8000 /* AT_RECURSIVE */, &attributes, sizeof attributes) != 0)
        cannot("mounts cannot be made read-only");
    if (mount("none", "/tmp", "tmpfs", 0, "size=512m,mode=1777") != 0)
        cannot("/tmp cannot be a file system in memory");
    if (access("/", W_OK) != -1 || errno != EROFS || access(".", W_OK) != -1 || chdir("/tmp") != 0 ||
        access(".", W_OK) != 0)
        end(99, "it is not read-only");
}

static void few_descriptors(void)
{
    struct rlimit limit = { 64, 64 };

    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        cannot("no limit");
    if (fcntl(0, F_DUPFD, 64) != -1 || errno != EINVAL)
        end(99, "the limit is not in");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*make)(void);
    } rows[] = {
        { "docker", docker }, { "linux-5.4", linux_5_4 }, { "no-proc", no_proc }, { "few-descriptors", few_descriptors },
        { "read-only", read_only },
    };

    for (size_t i = 0; argc > 2 && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(argv[1], rows[i].name) == 0) {
            rows[i].make();
            execvp(argv[2], argv + 2);
            end(99, "%s: %s", argv[2], strerror(errno));
        }
    end(2, "usage: confine docker|linux-5.4|no-proc|few-descriptors|read-only PROGRAM [ARGUMENT...]");
}
