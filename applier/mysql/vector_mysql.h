/*
 * vector_mysql.h
 *		Vectors of rows as statements, of as many rows as one does well with.
 *
 *		INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')
 *		LOAD DATA LOCAL INFILE ... INTO TABLE t, where there are many
 *		DELETE FROM t WHERE (k1, k2) IN ((1, 2), (3, 4))
 *		UPDATE (SELECT 1 AS k0, 'x' AS c1 UNION ALL VALUES (2, 'y'), (3, 'z')) v
 *		STRAIGHT_JOIN t ON t.k = v.k0 SET t.b = v.c1
 *
 * Each has to affect exactly as many rows as it names: of an UPDATE those count
 * that it finds (CLIENT_FOUND_ROWS).  A put is such an UPDATE and an INSERT of the
 * rows that it did not find, both together: INSERT INTO t SELECT ... FROM (...) v
 * LEFT JOIN t ON t.k = v.k0 WHERE t.k IS NULL.  A maybe-delete may affect fewer.  ON DUPLICATE KEY UPDATE is never used: its
 * counts do not tell a row that was there from one that was not, and it takes
 * any unique index for the key.
 */
#ifndef PORTAGE_VECTOR_MYSQL_H
#define PORTAGE_VECTOR_MYSQL_H

#include "mysql/row_packet.h"
#include "mysql/row_sql.h"
#include "plan/plan.h"

/* Of one connection, that of the packet. */
typedef struct VectorWriter
{
	RowPacket *packet;
	RowWriter *rows;
	Buffer lines; /* of LOAD DATA */
} VectorWriter;

void
vector_writer_init(VectorWriter *writer, RowPacket *packet, RowWriter *rows);
void vector_writer_release(VectorWriter *writer); /* zeroed is fine */

/*
 * Add the vector's statements to the packet, which may send them.  Its table is
 * of table_facts_mysql.h.  The vector lives until they are sent.
 */
bool vector_put(VectorWriter *writer, const PlanVector *vector,
				Error *err) MUST_CHECK;

/*
 * Insert many rows by LOAD DATA LOCAL, behind all that the packet has: done when
 * it returns.  *available: false if the server, or the client library, does not
 * allow it; then nothing has been done.
 */
bool vector_load(VectorWriter *writer, const PlanVector *vector,
				 bool *available, Error *err) MUST_CHECK;

#endif /* PORTAGE_VECTOR_MYSQL_H */
