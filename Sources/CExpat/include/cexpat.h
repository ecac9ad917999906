/* Swift's own Glibc module comes first, for the reason that CUV/shim.h gives. */
#if defined(__swift__) && __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif
#include <stdbool.h>
#include <expat.h>

/* Whether there is a library to load. */
bool cexpat_is_installed(void);
