#define _GNU_SOURCE
#include "clinux_sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>

int clinux_accept(int listener, struct sockaddr_storage *remote, socklen_t *length) {
    *length = sizeof(*remote);
    int descriptor = accept4(listener, (struct sockaddr *)remote, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return descriptor >= 0 ? descriptor : -errno;
}

int clinux_random(void *bytes, size_t count) {
    unsigned char *next = bytes;
    while (count > 0) {
        ssize_t got = getrandom(next, count, 0);
        if (got < 0) {
            if (errno == EINTR) continue;
            return -errno;
        }
        next += got;
        count -= (size_t)got;
    }
    return 0;
}

void clinux_name_thread(const char *name) {
    char kept[16] = {0};
    strncpy(kept, name, sizeof(kept) - 1);
    pthread_setname_np(pthread_self(), kept);
}

void clinux_block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

struct clinux_datagrams {
    unsigned slots;
    unsigned received;
    unsigned queued;
    size_t slot_bytes;
    unsigned char *memory;
    struct mmsghdr *headers;
    struct iovec *vectors;
    struct sockaddr_in6 *senders;
};

struct clinux_datagrams *clinux_datagrams_create(unsigned slots, size_t slot_bytes) {
    struct clinux_datagrams *all = calloc(1, sizeof(*all));
    if (all == NULL) return NULL;
    all->slots = slots;
    all->slot_bytes = slot_bytes;
    all->memory = calloc(slots, slot_bytes);
    all->headers = calloc(slots, sizeof(*all->headers));
    all->vectors = calloc(slots, sizeof(*all->vectors));
    all->senders = calloc(slots, sizeof(*all->senders));
    if (all->memory == NULL || all->headers == NULL || all->vectors == NULL || all->senders == NULL) {
        clinux_datagrams_free(all);
        return NULL;
    }
    for (unsigned index = 0; index < slots; index++) {
        all->vectors[index].iov_base = all->memory + (size_t)index * slot_bytes;
        all->vectors[index].iov_len = slot_bytes;
        all->headers[index].msg_hdr.msg_iov = &all->vectors[index];
        all->headers[index].msg_hdr.msg_iovlen = 1;
        all->headers[index].msg_hdr.msg_name = &all->senders[index];
        all->headers[index].msg_hdr.msg_namelen = sizeof(*all->senders);
    }
    return all;
}

void clinux_datagrams_free(struct clinux_datagrams *all) {
    if (all == NULL) return;
    free(all->memory);
    free(all->headers);
    free(all->vectors);
    free(all->senders);
    free(all);
}

int clinux_datagrams_receive(struct clinux_datagrams *all, int socket) {
    /* The kernel overwrote both fields of those that it filled the last time. */
    for (unsigned index = 0; index < all->received; index++) {
        all->headers[index].msg_hdr.msg_namelen = sizeof(*all->senders);
        all->headers[index].msg_hdr.msg_flags = 0;
    }
    all->received = 0;
    int count = recvmmsg(socket, all->headers, all->slots, MSG_DONTWAIT, NULL);
    if (count < 0) return -errno;
    all->received = (unsigned)count;
    return count;
}

struct clinux_datagram clinux_datagrams_at(const struct clinux_datagrams *all, unsigned index) {
    struct clinux_datagram datagram = {0};
    if (index >= all->received) return datagram;
    const struct mmsghdr *header = &all->headers[index];
    size_t named = header->msg_hdr.msg_namelen;
    datagram.bytes = all->vectors[index].iov_base;
    datagram.count = header->msg_len < all->slot_bytes ? header->msg_len : all->slot_bytes;
    datagram.sender = &all->senders[index];
    datagram.sender_count = named < sizeof(*all->senders) ? named : sizeof(*all->senders);
    datagram.is_truncated = (header->msg_hdr.msg_flags & MSG_TRUNC) != 0;
    return datagram;
}

unsigned clinux_datagrams_queue(struct clinux_datagrams *all, const void *bytes, size_t count,
                                const struct sockaddr *receiver, socklen_t receiver_count) {
    if (all->queued >= all->slots) return 0;
    if (count <= all->slot_bytes && receiver_count <= sizeof(*all->senders)) {
        unsigned index = all->queued++;
        if (count > 0) memcpy(all->vectors[index].iov_base, bytes, count);
        all->vectors[index].iov_len = count;
        memcpy(&all->senders[index], receiver, receiver_count);
        all->headers[index].msg_hdr.msg_namelen = receiver_count;
    }
    return all->slots - all->queued;
}

struct clinux_sent clinux_datagrams_send(struct clinux_datagrams *all, int socket) {
    struct clinux_sent result = {0};
    unsigned next = 0, attempts = 0;
    while (next < all->queued) {
        int count = sendmmsg(socket, all->headers + next, all->queued - next, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) {
            result.sent += (unsigned)count;
            next += (unsigned)count;
            attempts = 0;
            continue;
        }
        /* A refusal speaks of an earlier datagram (an ICMP answer that came meanwhile), so this one is tried again. */
        if ((errno == EINTR || errno == ECONNREFUSED) && ++attempts < 3) continue;
        if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM)
            result.dropped++;
        else
            result.refused++;
        next++;
        attempts = 0;
    }
    all->queued = 0;
    return result;
}
