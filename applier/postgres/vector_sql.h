/*
 * vector_sql.h
 *		The statement for a vector of rows.
 *
 * UPDATE, DELETE and INSERT take one array for each column: those of the key
 * first, but not for INSERT, in the relation's order, then those that are set, in
 * the same.
 */
#ifndef PORTAGE_VECTOR_SQL_H
#define PORTAGE_VECTOR_SQL_H

#include "base/buffer.h"
#include "postgres/table_facts.h"

/* columns: a bit each, those that are set. */
void
vector_sql_update(Buffer *sql, const TableFacts *facts, const uint8_t *columns);

void vector_sql_delete(Buffer *sql, const TableFacts *facts);

/* columns: a bit each, those that are inserted; at least one. */
void
vector_sql_insert(Buffer *sql, const TableFacts *facts, const uint8_t *columns);

/* The same, or overwrite what is there: the key has an index (PlanTable.keyed). */
void
vector_sql_put(Buffer *sql, const TableFacts *facts, const uint8_t *columns);

/* columns: a bit each, those that the lines have; at least one. */
void vector_sql_copy(Buffer *sql, const TableFacts *facts,
					 const uint8_t *columns, bool binary);

#endif /* PORTAGE_VECTOR_SQL_H */
