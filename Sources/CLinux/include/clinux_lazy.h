/// Libraries that are loaded when their first function is called.
///
/// Linked the usual way, libcurl, libpq and libmicrohttpd bring some thirty more libraries along (Kerberos, LDAP, GnuTLS), and
/// all of them would be loaded at each start of a program that may need none: that took longer than everything else. A C
/// target with one file defines the functions that are used of such a library, each under its own name and type, so
/// whoever calls it need not know; without the library they fail as they do for want of memory.
#ifndef CLINUX_LAZY_H
#define CLINUX_LAZY_H

#include <dlfcn.h>
#include <stdatomic.h>

/// A function of a library, or NULL; `file` is what the library is called on disk.
static inline void *clinux_find(const char *file, const char *name) {
    // Loading it again finds the same one, and it stays.
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    return library ? dlsym(library, name) : NULL;
}

/// Declares `function`: the library's own function of that name, or NULL. It is looked up once; threads that do so at a time
/// find the same.
#define CLINUX_LAZY(file, name)                                                \
    static _Atomic(void *) found;                                              \
    __typeof__(&name) function = (__typeof__(&name))atomic_load(&found);       \
    if (!function) {                                                           \
        function = (__typeof__(&name))clinux_find(file, #name);                \
        atomic_store(&found, (void *)function);                                \
    }

#endif
