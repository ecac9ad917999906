/// Socket calls that need `_GNU_SOURCE`, and the kernel's random numbers.
#ifndef CLINUX_SOCKETS_H
#define CLINUX_SOCKETS_H

/* As in CUV: what both include stays Glibc's. */
#if defined(__swift__) && __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/// Accepts one connection, non-blocking and close-on-exec. The descriptor, or a negated errno.
int clinux_accept(int listener, struct sockaddr_storage *remote, socklen_t *length);

/// Fills `bytes` from getrandom(2), waiting for the kernel's pool at early boot. 0, or a negated errno.
int clinux_random(void *bytes, size_t count);

/// Names the calling thread for top(1) and debuggers; at most 15 bytes are kept.
void clinux_name_thread(const char *name);

/// Blocks every signal for the calling thread, so that handlers run elsewhere.
void clinux_block_signals(void);

/// Memory for one recvmmsg(2) or sendmmsg(2): `slots` datagrams of `slot_bytes` each.
struct clinux_datagrams;

/// One received datagram. `bytes` and `sender` are valid until the next receive.
struct clinux_datagram {
    const void *bytes;
    size_t count;
    const void *sender;
    size_t sender_count;
    /// The datagram was longer than its slot; the rest is lost.
    bool is_truncated;
};

/// `NULL` where memory is short.
struct clinux_datagrams *clinux_datagrams_create(unsigned slots, size_t slot_bytes);
void clinux_datagrams_free(struct clinux_datagrams *datagrams);

/// Receives what is there without waiting. The count, or a negated errno.
int clinux_datagrams_receive(struct clinux_datagrams *datagrams, int socket);

/// Datagram `index` of the last receive; an empty one outside its count.
struct clinux_datagram clinux_datagrams_at(const struct clinux_datagrams *datagrams, unsigned index);

/// Copies one datagram, which must fit a slot, and its receiver's address into the next slot, to be sent by
/// `clinux_datagrams_send`. How many slots are left; a datagram that does not fit is left out.
unsigned clinux_datagrams_queue(struct clinux_datagrams *datagrams, const void *bytes, size_t count,
                                const struct sockaddr *receiver, socklen_t receiver_count);

/// What became of queued datagrams.
struct clinux_sent {
    unsigned sent;
    /// The socket's buffer was full.
    unsigned dropped;
    /// The kernel refused: no route, a firewall, another address family.
    unsigned refused;
};

/// Sends what is queued with as few calls of sendmmsg(2) as the kernel allows, without waiting.
struct clinux_sent clinux_datagrams_send(struct clinux_datagrams *datagrams, int socket);

#endif
