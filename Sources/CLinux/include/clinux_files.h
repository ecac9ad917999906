/// What safe file access needs from Linux and Swift's Glibc module does not have.
#ifndef CLINUX_FILES_H
#define CLINUX_FILES_H

#include <stdint.h>

/// `O_PATH`: a descriptor that names a file without opening it.
extern const int clinux_o_path;

/// `openat2` with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS: the path cannot leave the folder, nor pass a symbolic link.
/// Returns a descriptor, or -1 with errno; ENOSYS on a kernel before 5.6.
int clinux_open_beneath(int folder, const char *path, int flags, unsigned mode);

/// The first offset at or after `offset` that holds data, or -1 with errno; ENXIO when only a hole follows.
int64_t clinux_seek_data(int file, int64_t offset);

#endif
