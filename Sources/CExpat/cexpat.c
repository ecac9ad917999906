// The functions of expat that are used, looked up when they are first called.
#include "cexpat.h"

#include <clinux_lazy.h>

#ifdef __APPLE__
#define LIBRARY "libexpat.1.dylib"
#else
#define LIBRARY "libexpat.so.1"
#endif

XML_Parser XML_ParserCreate(const XML_Char *encoding) {
    CLINUX_LAZY(LIBRARY, XML_ParserCreate)
    return function ? function(encoding) : NULL;
}

void XML_ParserFree(XML_Parser parser) {
    CLINUX_LAZY(LIBRARY, XML_ParserFree)
    if (function) function(parser);
}

void XML_SetUserData(XML_Parser parser, void *data) {
    CLINUX_LAZY(LIBRARY, XML_SetUserData)
    if (function) function(parser, data);
}

void XML_SetElementHandler(XML_Parser parser, XML_StartElementHandler start, XML_EndElementHandler end) {
    CLINUX_LAZY(LIBRARY, XML_SetElementHandler)
    if (function) function(parser, start, end);
}

void XML_SetCharacterDataHandler(XML_Parser parser, XML_CharacterDataHandler handler) {
    CLINUX_LAZY(LIBRARY, XML_SetCharacterDataHandler)
    if (function) function(parser, handler);
}

void XML_SetStartDoctypeDeclHandler(XML_Parser parser, XML_StartDoctypeDeclHandler handler) {
    CLINUX_LAZY(LIBRARY, XML_SetStartDoctypeDeclHandler)
    if (function) function(parser, handler);
}

enum XML_Status XML_Parse(XML_Parser parser, const char *bytes, int count, int is_final) {
    CLINUX_LAZY(LIBRARY, XML_Parse)
    return function ? function(parser, bytes, count, is_final) : XML_STATUS_ERROR;
}

enum XML_Status XML_StopParser(XML_Parser parser, XML_Bool is_resumable) {
    CLINUX_LAZY(LIBRARY, XML_StopParser)
    return function ? function(parser, is_resumable) : XML_STATUS_ERROR;
}

bool cexpat_is_installed(void) { return clinux_find(LIBRARY, "XML_Parse") != NULL; }
