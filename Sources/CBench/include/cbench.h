/// What shoal-bench needs and Swift cannot do: counting heap allocations, and `nftw`.
#ifndef CBENCH_H
#define CBENCH_H

#include <stdint.h>

/// Allocations of the calling thread so far: new blocks and resized ones.
///
/// The program's `malloc` and its kin are replaced by functions that count.
uint64_t cbench_allocations(void);

/// Removes a folder and all that is in it. Links are removed and not followed.
void cbench_remove_folder(const char *path);

#endif
