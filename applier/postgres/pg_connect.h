/*
 * pg_connect.h
 *		What connecting (pg_connect.c) and waiting (pg_conn.c) need of each other.
 */
#ifndef PORTAGE_PG_CONNECT_H
#define PORTAGE_PG_CONNECT_H

#include "postgres/pg_conn.h"

/*
 * pg_conn.c: wait for events of a descriptor.  0 at the deadline, or when wake_fd
 * can be read; -1 when a stop was requested and that matters.
 */
int pg_poll(int fd, int wake_fd, short events, int64_t deadline_ms,
			bool interruptible);

/*
 * pg_connect.c: does the server behind a connection take another one, or refuse
 * it?
 */
bool pg_server_answers(const PgConn *conn);

#endif /* PORTAGE_PG_CONNECT_H */
