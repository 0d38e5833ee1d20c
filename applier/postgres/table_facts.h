/*
 * table_facts.h
 *		What planning and writing have to know of a table of the target.
 *
 * The facts are read from the target's catalog and hold as long as the table is
 * not altered; column_watch.h sees to that at the end of each transaction, and
 * whoever alters a table on our behalf forgets what was known of it.
 */
#ifndef PORTAGE_TABLE_FACTS_H
#define PORTAGE_TABLE_FACTS_H

#include "plan/plan.h"
#include "postgres/binary_value.h"
#include "postgres/pg_conn.h"

typedef struct TableFacts
{
	PlanTable plan;
	Arena arena;			 /* holds all of this, the struct included */
	struct TableFacts *next; /* for the owner's use */
	uint32_t target_oid;
	const char *mark; /* of its columns: column_watch.h */

	/*
	 * A bit for each column of the relation: an array of it travels as text[],
	 * because it is an array itself (unnest() would take it apart), or composite
	 * (that, too), or its type has no array, or one whose elements are not parted
	 * by commas.
	 */
	const uint8_t *as_text;

	/*
	 * The binary form of each column that has one and that the target's table has
	 * with the relation's type: COPY does not ask which type the bytes are of.
	 */
	const BinaryForm *forms;
} TableFacts;

/*
 * Read the facts of the table with this OID on the target, whose columns had
 * that mark before, for rows of the relation, which they keep a reference on.
 * NULL and err if it cannot be read.
 */
TableFacts *
table_facts_read(PgConn *conn, uint32_t target_oid, const char *mark,
				 uint32_t id, const Relation *relation, Error *err);

/* Do the facts hold for rows of this relation, too? */
bool table_facts_suit(const TableFacts *facts, const Relation *relation);

void table_facts_free(TableFacts *facts);

#endif /* PORTAGE_TABLE_FACTS_H */
