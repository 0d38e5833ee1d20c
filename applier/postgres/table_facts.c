/*
 * table_facts.c
 *		See table_facts.h.
 *
 * Only what the catalog says counts: the target may have been made by others,
 * with fewer or more indexes and columns than the source has.
 */
#include "postgres/table_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "postgres/array_text.h"

/*
 * $1 is the table, $2 the names of the key's columns, $3 those of all columns
 * that rows bring.  A unique index counts for folding if it is immediate, whole
 * and plain; one that is being built, or has failed to be, still refuses rows.
 */
static const char facts_sql[] =
	"WITH key AS (SELECT coalesce(array_agg(a.attnum ORDER BY a.attnum),"
	"  '{}') AS columns FROM pg_attribute a WHERE a.attrelid = $1::oid"
	"  AND a.attnum > 0 AND NOT a.attisdropped"
	"  AND a.attname = ANY ($2::name[])),"
	" uniques AS (SELECT i.indimmediate AND i.indisvalid"
	"   AND NOT i.indisexclusion"
	"   AND i.indpred IS NULL AND i.indexprs IS NULL"
	"   AND (SELECT array_agg(k.attnum ORDER BY k.attnum) FROM"
	"    unnest(i.indkey) WITH ORDINALITY AS k (attnum, number)"
	"    WHERE k.number <= i.indnkeyatts) = key.columns AS is_key"
	"  FROM pg_index i, key WHERE i.indrelid = $1::oid"
	"   AND (i.indisunique OR i.indisexclusion))"
	" SELECT EXISTS (SELECT FROM uniques WHERE is_key),"
	" NOT EXISTS (SELECT FROM uniques WHERE NOT is_key) AND NOT EXISTS ("
	"  SELECT FROM pg_trigger t WHERE t.tgrelid = $1::oid"
	"   AND t.tgenabled <> 'D'"
	"   AND (t.tgenabled <> 'O'"
	"    OR current_setting('session_replication_role') <> 'replica')),"
	" NOT EXISTS (SELECT FROM pg_attribute a, key WHERE a.attrelid = $1::oid"
	"  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
	"  AND (a.attname <> ALL ($3::name[])"
	"   OR (a.attidentity = 'a' AND a.attnum <> ALL (key.columns))))";

/*
 * In the order of the names: does an array of the column travel as text, and
 * which type has the target's column?  (A domain has the category and the
 * delimiter of what it is over.)
 */
static const char types_sql[] =
	"SELECT coalesce(t.typarray = 0 OR t.typdelim <> ','"
	"  OR t.typcategory IN ('A', 'C'), true), coalesce(t.oid, 0)"
	" FROM unnest($2::name[]) WITH ORDINALITY AS n (name, number)"
	" LEFT JOIN pg_attribute a ON a.attrelid = $1::oid AND a.attname = n.name"
	"  AND NOT a.attisdropped"
	" LEFT JOIN pg_type t ON t.oid = a.atttypid ORDER BY n.number";

/* As array literals. */
typedef struct Names
{
	Buffer all;
	Buffer key;
	Buffer brought; /* all but those that the target computes */
} Names;

static void
put_name(Buffer *list, const char *name)
{
	Value value = { name, (uint32_t) strlen(name), WIRE_COL_PRESENT };

	array_text_value(list, &value, false);
}

static void
names_init(Names *names, const Relation *relation)
{
	Buffer *const lists[] = { &names->all, &names->key, &names->brought };

	for (int i = 0; i < 3; i++)
	{
		buffer_init(lists[i]);
		array_text_begin(lists[i]);
	}
	for (int i = 0; i < relation->column_count; i++)
	{
		const Column *column = &relation->columns[i];

		put_name(&names->all, column->name);
		if ((column->flags & WIRE_COLUMN_KEY) != 0)
			put_name(&names->key, column->name);
		if ((column->flags & GENERATED_FLAGS) == 0)
			put_name(&names->brought, column->name);
	}
	for (int i = 0; i < 3; i++)
		array_text_end(lists[i]);
}

static void
names_release(Names *names)
{
	buffer_release(&names->all);
	buffer_release(&names->key);
	buffer_release(&names->brought);
}

static bool
read_facts(PgConn *conn, const char *oid, const Names *names, TableFacts *facts,
		   Error *err)
{
	const char *params[] = { oid, names->key.data, names->brought.data };
	PGresult *res = pg_query_params(conn, err, facts_sql, 3, params);

	if (res == NULL)
		return false;
	facts->plan.keyed = pg_value_bool(res, 0, 0);
	facts->plan.alone = pg_value_bool(res, 0, 1);
	facts->plan.exact = pg_value_bool(res, 0, 2);
	PQclear(res);
	return true;
}

static bool
read_types(PgConn *conn, const char *oid, const Names *names, TableFacts *facts,
		   Error *err)
{
	const char *params[] = { oid, names->all.data };
	const Relation *relation = facts->plan.relation;
	size_t count = (size_t) relation->column_count;
	uint8_t *as_text = arena_zalloc(&facts->arena, count / 8 + 1, 1);
	BinaryForm *forms = ARENA_ARRAY(&facts->arena, BinaryForm, count + 1);
	PGresult *res = pg_query_params(conn, err, types_sql, 2, params);

	if (res == NULL)
		return false;
	for (int i = 0; i < relation->column_count; i++)
	{
		uint32_t type_oid = relation->columns[i].type_oid;

		if (pg_value_bool(res, i, 0))
			as_text[i / 8] |= (uint8_t) (1 << (i % 8));
		forms[i] = pg_value_int(res, i, 1) == (int64_t) type_oid
					   ? binary_form(type_oid)
					   : BINARY_NONE;
	}
	facts->as_text = as_text;
	facts->forms = forms;
	PQclear(res);
	return true;
}

TableFacts *
table_facts_read(PgConn *conn, uint32_t target_oid, const char *mark,
				 uint32_t id, const Relation *relation, Error *err)
{
	Arena arena;
	TableFacts *facts;
	Names names;
	char oid[16];
	bool ok;

	arena_init(&arena);
	facts = ARENA_NEW(&arena, TableFacts);
	facts->target_oid = target_oid;
	facts->mark = arena_strdup(&arena, mark);
	facts->arena = arena;
	facts->plan.id = id;
	facts->plan.relation = relation;
	relation_retain(relation);
	snprintf(oid, sizeof(oid), "%" PRIu32, target_oid);
	names_init(&names, relation);
	ok = read_facts(conn, oid, &names, facts, err) &&
		 read_types(conn, oid, &names, facts, err);
	names_release(&names);
	if (ok)
		return facts;
	table_facts_free(facts);
	return NULL;
}

bool
table_facts_suit(const TableFacts *facts, const Relation *relation)
{
	const Relation *known = facts->plan.relation;

	if (known->serial == relation->serial)
		return true;
	if (known->identity != relation->identity ||
		known->column_count != relation->column_count ||
		strcmp(known->name, relation->name) != 0 ||
		strcmp(known->schema, relation->schema) != 0)
		return false;
	for (int i = 0; i < known->column_count; i++)
	{
		const Column *a = &known->columns[i];
		const Column *b = &relation->columns[i];

		if (a->attnum != b->attnum || a->flags != b->flags ||
			a->type_oid != b->type_oid || strcmp(a->name, b->name) != 0 ||
			strcmp(a->type_name, b->type_name) != 0 ||
			strcmp(a->type_schema, b->type_schema) != 0 ||
			strcmp(a->base_name, b->base_name) != 0 ||
			strcmp(a->base_schema, b->base_schema) != 0)
			return false;
	}
	return true;
}

void
table_facts_free(TableFacts *facts)
{
	Arena arena;

	if (facts == NULL)
		return;
	relation_release(facts->plan.relation);
	arena = facts->arena;
	arena_release(&arena);
}
