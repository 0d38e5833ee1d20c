/*
 * table_facts_mysql.c
 *		See table_facts_mysql.h.
 *
 * Only what information_schema says counts: the target may have been made by
 * others, with other indexes, columns and collations than ours.
 */
#include "mysql/table_facts_mysql.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* A column of the target's table. */
typedef struct FactColumn
{
	const char *name;
	const char *type;	   /* data_type: "varchar" */
	const char *full_type; /* column_type: "datetime(6)" */
	const char *charset;   /* "" if it is no text */
	const char *collation;
	bool not_null;
	bool computed;
	int relation_column; /* what goes there; -1: nothing */
} FactColumn;

typedef struct Reading
{
	MyConn *conn;
	MyTableFacts *facts;
	Buffer where; /* table_schema = ... AND table_name = ... */
	FactColumn *columns;
	int column_count;
	Error *err;
} Reading;

/* Strings and their comparison in information_schema are the server's affair. */
static void
put_where(Reading *r)
{
	const TableMap *map = &r->facts->map;

	if (map->database != NULL)
		my_quote_text(&r->where, slice_of(map->database));
	else
		buffer_puts(&r->where, "DATABASE()");
	buffer_puts(&r->where, " AND table_name = ");
	my_quote_text(&r->where, slice_of(map->table));
}

/* The column of the relation that goes there: names ignore case. */
static int
relation_column(const Reading *r, const char *name)
{
	const RowTable *row = &r->facts->row;

	for (int i = 0; i < row->relation->column_count; i++)
	{
		if (row->columns[i].map != NULL &&
			strcasecmp(row->columns[i].map->target, name) == 0)
			return i;
	}
	return -1;
}

static void
take_column(Reading *r, const MyResult *result, FactColumn *column)
{
	Arena *arena = &r->facts->arena;

	column->name = arena_strdup(arena, my_value(result, 0));
	column->type = arena_strdup(arena, my_value(result, 1));
	column->full_type = arena_strdup(arena, my_value(result, 2));
	column->charset = arena_strdup(arena, my_value(result, 3));
	column->collation = arena_strdup(arena, my_value(result, 4));
	column->not_null = strcmp(my_value(result, 5), "NO") == 0;
	column->computed = my_value(result, 6)[0] != '\0';
	column->relation_column = relation_column(r, column->name);
}

static bool
read_columns(Reading *r)
{
	MyResult result;

	if (!my_queryf(r->conn, r->err, &result,
				   "SELECT column_name, data_type, column_type,"
				   " character_set_name, collation_name, is_nullable,"
				   " generation_expression"
				   " FROM information_schema.columns WHERE table_schema = %s",
				   r->where.data))
		return false;
	while (my_next(&result))
	{
		r->columns = arena_room(&r->facts->arena, r->columns, r->column_count,
								sizeof(*r->columns));
		take_column(r, &result, &r->columns[r->column_count++]);
	}
	my_result_free(&result);
	return true;
}

static const FactColumn *
fact_column(const Reading *r, const char *name)
{
	for (int i = 0; i < r->column_count; i++)
	{
		if (strcasecmp(r->columns[i].name, name) == 0)
			return &r->columns[i];
	}
	return NULL;
}

static bool
ends_with(const char *s, const char *end)
{
	size_t len = strlen(s);
	size_t end_len = strlen(end);

	return len >= end_len && strcmp(s + len - end_len, end) == 0;
}

/*
 * Are values that differ in any byte different to the column?  Collations that
 * pad take no notice of spaces at the end, which some types do not have.
 */
static bool
tells_bytes(const FactColumn *column, const ColumnMap *map)
{
	if (column->collation[0] == '\0' ||
		strcmp(column->collation, "binary") == 0 ||
		ends_with(column->collation, "nopad_bin") ||
		strcmp(column->collation, "utf8mb4_0900_bin") == 0)
		return true;
	return ends_with(column->collation, "_bin") &&
		   (map->convert == CONVERT_ASCII || map->convert == CONVERT_TRIMMED ||
			map->convert == CONVERT_ENUM);
}

/* One unique index while its parts are read. */
typedef struct UniqueIndex
{
	char name[260];
	int parts;
	int key_parts; /* of them are of the relation's key, and fit for it */
} UniqueIndex;

static void
take_part(const Reading *r, const MyResult *result, UniqueIndex *index)
{
	const RowTable *row = &r->facts->row;
	const FactColumn *column = fact_column(r, my_value(result, 1));

	index->parts++;
	/* an expression, a column that nothing goes to, or a part of one */
	if (column == NULL || column->relation_column < 0 ||
		!row->columns[column->relation_column].key || !my_is_null(result, 2))
		return;
	if (column->not_null &&
		tells_bytes(column, row->columns[column->relation_column].map))
		index->key_parts++;
}

static void
take_index(MyTableFacts *facts, const UniqueIndex *index)
{
	int keys = facts->row.relation->key_count;

	if (index->parts == 0)
		return;
	if (keys > 0 && index->parts == keys && index->key_parts == keys)
		facts->plan.keyed = true;
	else
		facts->plan.alone = false;
}

static bool
read_indexes(Reading *r)
{
	UniqueIndex index = { "", 0, 0 };
	MyResult result;

	if (!my_queryf(r->conn, r->err, &result,
				   "SELECT index_name, column_name, sub_part"
				   " FROM information_schema.statistics WHERE table_schema = %s"
				   " AND non_unique = 0 ORDER BY index_name, seq_in_index",
				   r->where.data))
		return false;
	r->facts->plan.alone = true;
	while (my_next(&result))
	{
		if (strcmp(index.name, my_value(&result, 0)) != 0)
		{
			take_index(r->facts, &index);
			memset(&index, 0, sizeof(index));
			snprintf(index.name, sizeof(index.name), "%s",
					 my_value(&result, 0));
		}
		take_part(r, &result, &index);
	}
	take_index(r->facts, &index);
	my_result_free(&result);
	return true;
}

static bool
read_triggers(Reading *r)
{
	const TableMap *map = &r->facts->map;
	MyResult result;
	Buffer where;
	bool ok;

	buffer_init(&where);
	if (map->database != NULL)
		my_quote_text(&where, slice_of(map->database));
	else
		buffer_puts(&where, "DATABASE()");
	buffer_puts(&where, " AND event_object_table = ");
	my_quote_text(&where, slice_of(map->table));
	ok = my_queryf(r->conn, r->err, &result,
				   "SELECT count(*) FROM information_schema.triggers"
				   " WHERE event_object_schema = %s",
				   where.data);
	buffer_release(&where);
	if (!ok)
		return false;
	if (my_next(&result) && my_value_int(&result, 0) > 0)
		r->facts->plan.alone = false;
	my_result_free(&result);
	return true;
}

/* Each column is one that rows bring, or that the table computes. */
static bool
is_exact(const Reading *r)
{
	for (int i = 0; i < r->column_count; i++)
	{
		if (r->columns[i].relation_column < 0 && !r->columns[i].computed)
			return false;
	}
	return true;
}

static bool
is_one_of(const char *word, const char *const *words)
{
	while (*words != NULL && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

/*
 * A column of a derived table has the type that its literals come to: text is
 * text in the session's collation.  What does not compare with an index as it is
 * becomes the key's type first.
 */
static const char *
joined_value(const Reading *r, const FactColumn *column, int i)
{
	static const char *const plain[] = { "tinyint",	   "smallint",	"mediumint",
										 "int",		   "bigint",	"decimal",
										 "binary",	   "varbinary", "tinyblob",
										 "blob",	   "double",	"longblob",
										 "mediumblob", NULL };
	static const char *const times[] = { "date", "datetime", "time", NULL };
	Arena *arena = &r->facts->arena;

	if (is_one_of(column->type, plain) ||
		strcmp(column->collation, r->conn->server.collation) == 0)
		return arena_printf(arena, "v.k%d", i);
	if (is_one_of(column->type, times))
		return arena_printf(arena, "CAST(v.k%d AS %s)", i, column->full_type);
	if (strcmp(column->type, "char") == 0 ||
		strcmp(column->type, "varchar") == 0 || ends_with(column->type, "text"))
		return arena_printf(arena, "CONVERT(v.k%d USING %s) COLLATE %s", i,
							column->charset, column->collation);
	return NULL;
}

static void
find_joined(const Reading *r)
{
	MyTableFacts *facts = r->facts;
	size_t count = (size_t) facts->row.relation->column_count;
	const char **joined = ARENA_ARRAY(&facts->arena, const char *, count + 1);

	for (int i = 0; i < r->column_count; i++)
	{
		int k = r->columns[i].relation_column;

		if (k < 0 || !facts->row.columns[k].key)
			continue;
		joined[k] = joined_value(r, &r->columns[i], k);
		if (joined[k] == NULL)
			return;
	}
	facts->joined = joined;
}

/* Is everything that rows bring a column there, of the kind that we think? */
static bool
has_columns(const Reading *r)
{
	const RowTable *row = &r->facts->row;

	for (int i = 0; i < row->relation->column_count; i++)
	{
		const FactColumn *column;

		if (row->columns[i].map == NULL)
			continue;
		column = fact_column(r, row->columns[i].map->target);
		if (column == NULL || (column->computed && row->columns[i].written))
			return false;
	}
	return true;
}

static bool
read_all(Reading *r, bool *there)
{
	put_where(r);
	if (!read_columns(r))
		return false;
	*there = r->column_count > 0 && has_columns(r);
	if (!*there)
		return true;
	if (!read_indexes(r) || !read_triggers(r))
		return false;
	r->facts->plan.exact = is_exact(r);
	r->facts->plan.generated = true;
	find_joined(r);
	return true;
}

static void
copy_map(const TableMap *map, Arena *arena, TableMap *copy)
{
	Error ignored = ERROR_INIT;
	bool ok = table_map_parse(table_map_json(map, arena), arena, copy,
							  &ignored);

	BUG_UNLESS(ok);
}

MyTableFacts *
my_table_facts_read(MyConn *conn, const TableMap *map, uint32_t id,
					const Relation *relation, bool *there, Error *err)
{
	Reading r = { .conn = conn, .err = err };
	MyTableFacts *facts;
	Arena arena;
	bool ok;

	arena_init(&arena);
	facts = ARENA_NEW(&arena, MyTableFacts);
	facts->arena = arena;
	facts->plan.id = id;
	facts->plan.relation = relation;
	relation_retain(relation);
	copy_map(map, &facts->arena, &facts->map);
	r.facts = facts;
	buffer_init(&r.where);
	*there = false;
	ok = row_table_init(&facts->row, relation, &facts->map, &facts->arena,
						err) &&
		 read_all(&r, there);
	/* that a column is missing is no error of ours to tell */
	if (!ok && err->code == P_SCHEMA_DIFFERS)
		error_clear(err);
	buffer_release(&r.where);
	if (ok && *there)
		return facts;
	my_table_facts_free(facts);
	return NULL;
}

/* Names of the relation count only in messages. */
bool
my_table_facts_suit(const MyTableFacts *facts, const Relation *relation)
{
	const Relation *known = facts->plan.relation;

	if (known->serial == relation->serial)
		return true;
	if (known->identity != relation->identity ||
		known->column_count != relation->column_count)
		return false;
	for (int i = 0; i < known->column_count; i++)
	{
		const Column *a = &known->columns[i];
		const Column *b = &relation->columns[i];

		if (a->attnum != b->attnum || a->flags != b->flags ||
			a->base_type_oid != b->base_type_oid ||
			strcmp(a->name, b->name) != 0)
			return false;
	}
	return true;
}

void
my_table_facts_free(MyTableFacts *facts)
{
	Arena arena;

	if (facts == NULL)
		return;
	relation_release(facts->plan.relation);
	arena = facts->arena;
	arena_release(&arena);
}
