/*
 * table_facts_mysql.h
 *		What planning and writing have to know of a table of the target.
 *
 * The facts are read from information_schema and hold until somebody alters the
 * table.  Whoever does that on our behalf has what is known forgotten.
 */
#ifndef PORTAGE_TABLE_FACTS_MYSQL_H
#define PORTAGE_TABLE_FACTS_MYSQL_H

#include "mysql/row_sql.h"
#include "mysql/target_mysql.h"
#include "plan/plan.h"

typedef struct MyTableFacts
{
	PlanTable plan;
	Arena arena;			   /* holds all of this, the struct included */
	struct MyTableFacts *next; /* of the target's */
	TableMap map;			   /* a copy of its own */
	RowTable row;

	/*
	 * For each column of the key: its value in a derived table v, so that the
	 * key's index finds the row: "v.k0", "CAST(v.k0 AS datetime(6))".  NULL if
	 * that is not known for one of them: rows are changed one by one then.
	 */
	const char **joined;
} MyTableFacts;

/*
 * For rows of the relation, which they keep a reference on, by its map.  NULL and
 * err if it cannot be read; *there is false if there is no such table, or not one
 * for these rows.
 */
MyTableFacts *
my_table_facts_read(MyConn *conn, const TableMap *map, uint32_t id,
					const Relation *relation, bool *there, Error *err);

/* Do the facts hold for rows of this relation, too? */
bool my_table_facts_suit(const MyTableFacts *facts, const Relation *relation);

void my_table_facts_free(MyTableFacts *facts); /* NULL is fine */

/*
 * Nobody plans or writes, as apply() may rely on: what table_look() has answered
 * with is given back.
 */
void target_mysql_facts_release(TargetMysql *self);

#endif /* PORTAGE_TABLE_FACTS_MYSQL_H */
