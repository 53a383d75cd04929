/* Asks the database of a mounted Secret who is there. PGSSLROOTCERT names the authorities; libpq reads it by itself. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* What is used of libpq-fe.h, which need not be on the machine. */
typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;
enum { CONNECTION_BAD = 1, PGRES_POLLING_FAILED = 0, PGRES_POLLING_READING, PGRES_POLLING_WRITING, PGRES_POLLING_OK };
enum { PGRES_TUPLES_OK = 2, PQERRORS_VERBOSE = 2 };
PGconn *PQconnectStart(const char *conninfo);
int PQconnectPoll(PGconn *);
int PQsocket(const PGconn *);
int PQstatus(const PGconn *);
void PQtrace(PGconn *, FILE *);
int PQsetErrorVerbosity(PGconn *, int);
char *PQerrorMessage(const PGconn *);
PGresult *PQexec(PGconn *, const char *query);
int PQresultStatus(const PGresult *);
char *PQgetvalue(const PGresult *, int row, int column);
int PQlibVersion(void);

static int refused(PGconn *connection) {
    fprintf(stderr, "%s", PQerrorMessage(connection));
    return 1;
}

int main(void) {
    char path[4096], uri[4096];
    snprintf(path, sizeof path, "%s/orders/uri", getenv("SERVICE_BINDING_ROOT"));
    FILE *file = fopen(path, "r");
    if (!file) return perror(path), 1;
    uri[fread(uri, 1, sizeof uri - 1, file)] = 0;

    /* As PQconnectdb does, but for the trace of the protocol, which begins with the connection. */
    PGconn *connection = PQconnectStart(uri);
    if (!connection || PQstatus(connection) == CONNECTION_BAD) return refused(connection);
    PQtrace(connection, stderr);
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
    for (int next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK; next = PQconnectPoll(connection)) {
        if (next == PGRES_POLLING_FAILED) return refused(connection);
        struct pollfd ready = {PQsocket(connection), next == PGRES_POLLING_READING ? POLLIN : POLLOUT, 0};
        if (poll(&ready, 1, 10000) < 1) return fprintf(stderr, "no answer\n"), 1;
    }
    PGresult *answer = PQexec(connection, getenv("QUESTION"));
    if (PQresultStatus(answer) != PGRES_TUPLES_OK) return refused(connection);
    fprintf(stderr, "libpq %d\n", PQlibVersion());
    puts(PQgetvalue(answer, 0, 0));
    return 0;
}
