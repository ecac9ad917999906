// The functions of libcurl that are used, looked up when they are first called.
#include "ccurl.h"

#include <clinux_lazy.h>
#include <stdarg.h>

#ifdef __APPLE__
#define LIBRARY "libcurl.4.dylib"
#else
#define LIBRARY "libcurl.so.4"
#endif

CURLcode curl_global_init(long flags) {
    CLINUX_LAZY(LIBRARY, curl_global_init)
    return function ? function(flags) : CURLE_FAILED_INIT;
}

CURL *curl_easy_init(void) {
    CLINUX_LAZY(LIBRARY, curl_easy_init)
    return function ? function() : NULL;
}

void curl_easy_cleanup(CURL *easy) {
    CLINUX_LAZY(LIBRARY, curl_easy_cleanup)
    if (function) function(easy);
}

const char *curl_easy_strerror(CURLcode code) {
    CLINUX_LAZY(LIBRARY, curl_easy_strerror)
    return function ? function(code) : "libcurl is not installed";
}

// Options take a long, a pointer or a `curl_off_t`: on the systems that we run on (LP64) each is read as it was passed when it
// is read as a pointer.
_Static_assert(sizeof(long) == sizeof(void *) && sizeof(curl_off_t) == sizeof(void *), "an option would be cut short");

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...) {
    CLINUX_LAZY(LIBRARY, curl_easy_setopt)
    va_list arguments;
    va_start(arguments, option);
    void *value = va_arg(arguments, void *);
    va_end(arguments);
    return function ? function(easy, option, value) : CURLE_FAILED_INIT;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...) {
    CLINUX_LAZY(LIBRARY, curl_easy_getinfo)
    va_list arguments;
    va_start(arguments, info);
    void *value = va_arg(arguments, void *);
    va_end(arguments);
    return function ? function(easy, info, value) : CURLE_FAILED_INIT;
}

CURLM *curl_multi_init(void) {
    CLINUX_LAZY(LIBRARY, curl_multi_init)
    return function ? function() : NULL;
}

CURLMcode curl_multi_cleanup(CURLM *multi) {
    CLINUX_LAZY(LIBRARY, curl_multi_cleanup)
    return function ? function(multi) : CURLM_INTERNAL_ERROR;
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy) {
    CLINUX_LAZY(LIBRARY, curl_multi_add_handle)
    return function ? function(multi, easy) : CURLM_INTERNAL_ERROR;
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy) {
    CLINUX_LAZY(LIBRARY, curl_multi_remove_handle)
    return function ? function(multi, easy) : CURLM_INTERNAL_ERROR;
}

CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t socket, int events, int *running) {
    CLINUX_LAZY(LIBRARY, curl_multi_socket_action)
    return function ? function(multi, socket, events, running) : CURLM_INTERNAL_ERROR;
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *left) {
    CLINUX_LAZY(LIBRARY, curl_multi_info_read)
    return function ? function(multi, left) : NULL;
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...) {
    CLINUX_LAZY(LIBRARY, curl_multi_setopt)
    va_list arguments;
    va_start(arguments, option);
    void *value = va_arg(arguments, void *);
    va_end(arguments);
    return function ? function(multi, option, value) : CURLM_INTERNAL_ERROR;
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text) {
    CLINUX_LAZY(LIBRARY, curl_slist_append)
    return function ? function(list, text) : NULL;
}

void curl_slist_free_all(struct curl_slist *list) {
    CLINUX_LAZY(LIBRARY, curl_slist_free_all)
    if (function) function(list);
}

bool ccurl_is_installed(void) { return clinux_find(LIBRARY, "curl_easy_init") != NULL; }
