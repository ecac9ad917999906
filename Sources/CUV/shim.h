/* What uv.h includes belongs to Swift's own Glibc module: included here a second time, `iovec` or `SOCK_STREAM` would
   belong to whichever module the compiler happens to load first, and be in scope or not by the order of files. */
#if defined(__swift__) && __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif
#include <uv.h>
