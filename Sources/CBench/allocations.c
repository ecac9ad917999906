// The linker prefers a program's own `malloc` to that of the C library, for the Swift runtime too. `free` stays as it
// is, because the blocks still come from the C library.
#include "cbench.h"

#include <errno.h>
#include <stddef.h>

// What glibc calls its own functions: exported for just this use.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

// Belongs to the program itself, so reading it allocates nothing.
static _Thread_local uint64_t allocations __attribute__((tls_model("initial-exec")));

uint64_t cbench_allocations(void) { return allocations; }

void *malloc(size_t size) {
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    allocations++;
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    allocations++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    allocations++;
    void *found = __libc_memalign(alignment, size);
    if (!found) return ENOMEM;
    *block = found;
    return 0;
}
