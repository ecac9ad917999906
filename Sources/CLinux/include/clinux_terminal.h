/// What Swift cannot ask a terminal itself: `ioctl` is variadic.
#ifndef CLINUX_TERMINAL_H
#define CLINUX_TERMINAL_H

#include <sys/ioctl.h>

/// Columns of the terminal on `descriptor`, or 0 where there is none or it does not say.
static inline int clinux_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

#endif
