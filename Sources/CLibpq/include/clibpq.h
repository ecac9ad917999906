/* Swift's own Glibc module comes first, for the reason that CUV/shim.h gives. */
#if defined(__swift__) && __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif
#include <stdbool.h>
/* Debian has it in a folder of its own. */
#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

/* Whether there is a library to load. */
bool clibpq_is_installed(void);
