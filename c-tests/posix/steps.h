/*
 * How many instructions a call takes in user space: a child is stepped through it.
 */
#ifndef POSIX_STEPS_H
#define POSIX_STEPS_H

#include "check.h"

#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>

enum { MOST_CALLS = 256, ROUNDS_OF_CALL = 3 };

static long steps[MOST_CALLS];
static int nsteps;
/* The call is counted as far as this address, if it comes there: what follows is not in question. */
static uintptr_t steps_as_far_as[MOST_CALLS];

__attribute__((noinline, noclone))
static void steps_begin(void)
{
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline, noclone))
static void steps_end(void)
{
    __asm__ volatile("nop" ::: "memory");
}

static inline uintptr_t steps_at(pid_t child)
{
    struct user_regs_struct regs;
    struct iovec iov = { &regs, sizeof regs };

    if (ptrace(PTRACE_GETREGSET, child, (void *)NT_PRSTATUS, &iov) != 0)
        fail_at(PLACE "PTRACE_GETREGSET", errno);
#ifdef __x86_64__
    return regs.rip;
#else
    return regs.pc;
#endif
}

/*
 * In the child: a call by this pointer, as often as it takes for nothing to be new to it. Between the rounds `again` puts
 * things back.
 */
static inline void steps_of(void *function, long a, long b, long c, long d, long e, long f, void (*again)(void))
{
    long (*volatile call)(long, long, long, long, long, long) =
        (long (*)(long, long, long, long, long, long))function;

    for (int i = 0; i < ROUNDS_OF_CALL; i++) {
        steps_begin();
        call(a, b, c, d, e, f);
        steps_end();
        if (again)
            again();
    }
}

/* Runs `calls` in a child and counts; steps[] then has the least of the rounds of each call. Exits with 77 if it cannot. */
static inline void count_steps(void (*calls)(void))
{
    pid_t child = OK(fork());
    int status = 0, round = 0, signal = 0;
    long count = -1;
    bool stopped = false;

    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(77);
        raise(SIGSTOP);
        calls();
        _exit(0);
    }
    for (;;) {
        if (OK(waitpid(child, &status, 0)) != child || WIFEXITED(status) || WIFSIGNALED(status))
            break;
        signal = WSTOPSIG(status);
        signal = signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
        uintptr_t at = steps_at(child);

        if (at == (uintptr_t)steps_begin) {
            count = 0;
            stopped = false;
        } else if (count >= 0 && nsteps < MOST_CALLS && at == steps_as_far_as[nsteps]) {
            stopped = true;
        } else if (at == (uintptr_t)steps_end && count >= 0) {
            if (nsteps < MOST_CALLS && (round == 0 || count < steps[nsteps]))
                steps[nsteps] = count;
            if (++round == ROUNDS_OF_CALL) {
                round = 0;
                nsteps++;
            }
            count = -1;
        } else if (count >= 0 && !stopped) {
            count++;
        }
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, (void *)(long)signal) != 0)
            break;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        dprintf(2, "ptrace is not allowed here\n");
        exit(77);
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
