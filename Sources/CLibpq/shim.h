/* Swift's own Glibc module comes first, for the reason that CUV/shim.h gives. */
#if defined(__swift__) && __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif
#include <libpq-fe.h>
