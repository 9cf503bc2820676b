/*
 * Calls in a vfork child leave the parent's pipes and attachments alone; posix_spawn harms nothing; after exec nothing
 * is left: rule 5.2.
 */
#include "test.h"
#include <spawn.h>

extern char **environ;

int main(void)
{
    int p = OK(ioeventpipe2(8, O_CLOEXEC)), fd[2], status = -1;
    char b[8];
    volatile pid_t pid;
    pid_t spawned;
    posix_spawn_file_actions_t actions;
    char *argv[] = { "true", NULL };

    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    for (int how = 0; how < 4; how++) {
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        QUIET(p);
        if (how < 3) {
            pid = vfork();
            if (pid == 0) {
                if (how == 0) {
                    ioevent_close(fd[0]);
                    ioevent_close(p);
                } else if (how == 1) {
                    ioevent_write(fd[1], "", 0);
                    ioevent_close(fd[1]);
                }
                execlp("true", "true", (char *)NULL);
                _exit(127);
            }
            OK(pid);
            GIVES(waitpid(pid, &status, 0), pid);
        } else {
            posix_spawn_file_actions_init(&actions);
            posix_spawn_file_actions_addclose(&actions, p);
            posix_spawn_file_actions_addclose(&actions, fd[0]);
            ZERO(posix_spawnp(&spawned, "true", &actions, NULL, argv, environ));
            posix_spawn_file_actions_destroy(&actions);
            GIVES(waitpid(spawned, &status, 0), spawned);
        }
        SAME(status, 0);
        QUIET(p);
        ATTACHED(fd[0], p, 1);
        OK(write(fd[1], "abc", 3));
        EXPECT(p, 1, 3, 0);
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        GIVES(ioevent_cancel(fd[0]), 1);
        EXPECT(p, 1, -1, ECANCELED);
    }
    return 0;
}
