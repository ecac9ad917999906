#define _GNU_SOURCE
#include "cbench.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t is_interrupted;

static void note(int signal) {
    (void)signal;
    is_interrupted = 1;
}

void cbench_hold_interruptions(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t index = 0; index < sizeof signals / sizeof *signals; index++) {
        struct sigaction action;
        // What whoever started us ignores stays ignored (nohup).
        if (sigaction(signals[index], NULL, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action = (struct sigaction){.sa_handler = note, .sa_flags = SA_RESTART};
        sigaction(signals[index], &action, NULL);
    }
}

bool cbench_is_interrupted(void) { return is_interrupted; }
