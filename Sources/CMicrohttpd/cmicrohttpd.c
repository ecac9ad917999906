// The functions of libmicrohttpd that are used, looked up when they are first called.
#include "cmicrohttpd.h"

#include <clinux_lazy.h>
#include <stdarg.h>

#ifdef __APPLE__
#define LIBRARY "libmicrohttpd.12.dylib"
#else
#define LIBRARY "libmicrohttpd.so.12"
#endif

enum MHD_Result MHD_add_connection(struct MHD_Daemon *daemon, MHD_socket client_socket, const struct sockaddr *addr,
                                   socklen_t addrlen) {
    CLINUX_LAZY(LIBRARY, MHD_add_connection)
    return function ? function(daemon, client_socket, addr, addrlen) : 0;
}

enum MHD_Result MHD_add_response_header(struct MHD_Response *response, const char *header, const char *content) {
    CLINUX_LAZY(LIBRARY, MHD_add_response_header)
    return function ? function(response, header, content) : 0;
}

struct MHD_Response *MHD_create_response_from_buffer(size_t size, void *buffer, enum MHD_ResponseMemoryMode mode) {
    CLINUX_LAZY(LIBRARY, MHD_create_response_from_buffer)
    return function ? function(size, buffer, mode) : NULL;
}

void MHD_destroy_response(struct MHD_Response *response) {
    CLINUX_LAZY(LIBRARY, MHD_destroy_response)
    if (function) function(response);
}

enum MHD_Result MHD_get_timeout(struct MHD_Daemon *daemon, MHD_UNSIGNED_LONG_LONG *timeout) {
    CLINUX_LAZY(LIBRARY, MHD_get_timeout)
    return function ? function(daemon, timeout) : 0;
}

const char *MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *key) {
    CLINUX_LAZY(LIBRARY, MHD_lookup_connection_value)
    return function ? function(connection, kind, key) : NULL;
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned int status_code, struct MHD_Response
                                   *response) {
    CLINUX_LAZY(LIBRARY, MHD_queue_response)
    return function ? function(connection, status_code, response) : 0;
}

void MHD_resume_connection(struct MHD_Connection *connection) {
    CLINUX_LAZY(LIBRARY, MHD_resume_connection)
    if (function) function(connection);
}

enum MHD_Result MHD_run(struct MHD_Daemon *daemon) {
    CLINUX_LAZY(LIBRARY, MHD_run)
    return function ? function(daemon) : 0;
}

void MHD_stop_daemon(struct MHD_Daemon *daemon) {
    CLINUX_LAZY(LIBRARY, MHD_stop_daemon)
    if (function) function(daemon);
}

void MHD_suspend_connection(struct MHD_Connection *connection) {
    CLINUX_LAZY(LIBRARY, MHD_suspend_connection)
    if (function) function(connection);
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection,
                                                        enum MHD_ConnectionInfoType type, ...) {
    CLINUX_LAZY(LIBRARY, MHD_get_connection_info)
    return function ? function(connection, type) : NULL;
}

const union MHD_DaemonInfo *MHD_get_daemon_info(struct MHD_Daemon *daemon, enum MHD_DaemonInfoType type, ...) {
    CLINUX_LAZY(LIBRARY, MHD_get_daemon_info)
    return function ? function(daemon, type) : NULL;
}

struct MHD_Daemon *MHD_start_daemon(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback accept,
                                                                        void *accept_context,
                                        MHD_AccessHandlerCallback handle, void *handle_context, ...) {
    CLINUX_LAZY(LIBRARY, MHD_start_daemon_va)
    if (!function) return NULL;
    va_list options;
    va_start(options, handle_context);
    struct MHD_Daemon *daemon = function(flags, port, accept, accept_context, handle, handle_context, options);
    va_end(options);
    return daemon;
}

bool cmicrohttpd_is_installed(void) { return clinux_find(LIBRARY, "MHD_run") != NULL; }
