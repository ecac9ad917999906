/// What shoal-bench needs and Swift cannot do: replacing `malloc`, `nftw`, signal handlers.
#ifndef CBENCH_H
#define CBENCH_H

#include <stdbool.h>
#include <stdint.h>

/// Allocations of the calling thread so far: new blocks and resized ones.
///
/// The program's `malloc` and its kin are replaced by functions that count.
uint64_t cbench_allocations(void);

/// Removes a folder and all that is in it. Links are removed and not followed.
void cbench_remove_folder(const char *path);

/// From now on SIGINT, SIGTERM and SIGHUP are only noted, on whatever thread they arrive.
void cbench_hold_interruptions(void);
bool cbench_is_interrupted(void);

#endif
