// The functions of libpq that are used, looked up when they are first called.
#include "clibpq.h"

#include <clinux_lazy.h>

#ifdef __APPLE__
#define LIBRARY "libpq.5.dylib"
#else
#define LIBRARY "libpq.so.5"
#endif

void PQclear(PGresult *res) {
    CLINUX_LAZY(LIBRARY, PQclear)
    if (function) function(res);
}

PGconn *PQconnectdbParams(const char *const *keywords, const char *const *values, int expand_dbname) {
    CLINUX_LAZY(LIBRARY, PQconnectdbParams)
    return function ? function(keywords, values, expand_dbname) : NULL;
}

void PQconninfoFree(PQconninfoOption *connOptions) {
    CLINUX_LAZY(LIBRARY, PQconninfoFree)
    if (function) function(connOptions);
}

PQconninfoOption *PQconninfoParse(const char *conninfo, char **errmsg) {
    CLINUX_LAZY(LIBRARY, PQconninfoParse)
    return function ? function(conninfo, errmsg) : NULL;
}

int PQenterPipelineMode(PGconn *conn) {
    CLINUX_LAZY(LIBRARY, PQenterPipelineMode)
    return function ? function(conn) : 0;
}

char *PQerrorMessage(const PGconn *conn) {
    CLINUX_LAZY(LIBRARY, PQerrorMessage)
    return function ? function(conn) : "libpq is not installed";
}

PGresult *PQexecParams(PGconn *conn, const char *command, int nParams, const Oid *paramTypes, const char *const
                       *paramValues, const int *paramLengths, const int *paramFormats, int resultFormat) {
    CLINUX_LAZY(LIBRARY, PQexecParams)
    return function ? function(conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats,
        resultFormat) : NULL;
}

int PQexitPipelineMode(PGconn *conn) {
    CLINUX_LAZY(LIBRARY, PQexitPipelineMode)
    return function ? function(conn) : 0;
}

void PQfinish(PGconn *conn) {
    CLINUX_LAZY(LIBRARY, PQfinish)
    if (function) function(conn);
}

PGresult *PQgetResult(PGconn *conn) {
    CLINUX_LAZY(LIBRARY, PQgetResult)
    return function ? function(conn) : NULL;
}

int PQgetlength(const PGresult *res, int tup_num, int field_num) {
    CLINUX_LAZY(LIBRARY, PQgetlength)
    return function ? function(res, tup_num, field_num) : 0;
}

char *PQgetvalue(const PGresult *res, int tup_num, int field_num) {
    CLINUX_LAZY(LIBRARY, PQgetvalue)
    return function ? function(res, tup_num, field_num) : NULL;
}

int PQntuples(const PGresult *res) {
    CLINUX_LAZY(LIBRARY, PQntuples)
    return function ? function(res) : 0;
}

int PQpipelineSync(PGconn *conn) {
    CLINUX_LAZY(LIBRARY, PQpipelineSync)
    return function ? function(conn) : 0;
}

char *PQresultErrorField(const PGresult *res, int fieldcode) {
    CLINUX_LAZY(LIBRARY, PQresultErrorField)
    return function ? function(res, fieldcode) : NULL;
}

char *PQresultErrorMessage(const PGresult *res) {
    CLINUX_LAZY(LIBRARY, PQresultErrorMessage)
    return function ? function(res) : "";
}

ExecStatusType PQresultStatus(const PGresult *res) {
    CLINUX_LAZY(LIBRARY, PQresultStatus)
    return function ? function(res) : PGRES_FATAL_ERROR;
}

int PQsendQueryParams(PGconn *conn, const char *command, int nParams, const Oid *paramTypes, const char *const
                      *paramValues, const int *paramLengths, const int *paramFormats, int resultFormat) {
    CLINUX_LAZY(LIBRARY, PQsendQueryParams)
    return function ? function(conn, command, nParams, paramTypes, paramValues, paramLengths, paramFormats,
        resultFormat) : 0;
}

PQnoticeProcessor PQsetNoticeProcessor(PGconn *conn, PQnoticeProcessor proc, void *arg) {
    CLINUX_LAZY(LIBRARY, PQsetNoticeProcessor)
    return function ? function(conn, proc, arg) : NULL;
}

ConnStatusType PQstatus(const PGconn *conn) {
    CLINUX_LAZY(LIBRARY, PQstatus)
    return function ? function(conn) : CONNECTION_BAD;
}

bool clibpq_is_installed(void) { return clinux_find(LIBRARY, "PQconninfoParse") != NULL; }
