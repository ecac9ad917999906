/* Swift's own Glibc module comes first, for the reason that CUV/shim.h gives. */
#if defined(__swift__) && __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif
#include <stdbool.h>
#include <microhttpd.h>
#include <string.h>

/* What a server wants to hear of; the first parameter of each is its context, as microhttpd.h says. */
struct cmicrohttpd_callbacks {
    void *context;
    MHD_AccessHandlerCallback handle;
    MHD_RequestCompletedCallback complete;
    MHD_NotifyConnectionCallback connection;
};

/* Leaves what is percent-encoded as it is: an info-hash is no text, and nobody reads what libmicrohttpd makes of it. */
static inline size_t cmicrohttpd_keep_escapes(void *context, struct MHD_Connection *connection, char *text) {
    (void)context;
    (void)connection;
    return strlen(text);
}

/* A server without a thread and without a listening socket: `MHD_start_daemon` is variadic. */
static inline struct MHD_Daemon *cmicrohttpd_start(const struct cmicrohttpd_callbacks *callbacks, unsigned connections,
                                                   size_t connection_bytes, unsigned timeout_seconds) {
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, callbacks->handle, callbacks->context,
        MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_bytes,
        MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
        /* Clients of trackers are old and many: one without a Host header is served as well. */
        MHD_OPTION_STRICT_FOR_CLIENT, -1,
        MHD_OPTION_UNESCAPE_CALLBACK, cmicrohttpd_keep_escapes, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, callbacks->complete, callbacks->context,
        MHD_OPTION_NOTIFY_CONNECTION, callbacks->connection, callbacks->context,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_END);
}

static inline int cmicrohttpd_epoll(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

/* What the connection callback stored for this connection. */
static inline void *cmicrohttpd_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static inline const char *cmicrohttpd_header(struct MHD_Connection *connection, const char *name) {
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* Whether there is a library to load. */
bool cmicrohttpd_is_installed(void);
