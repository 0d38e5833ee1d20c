/*
 * statement_pg.c
 *		SQL for single changes, and the cache of prepared statements.
 *
 * The cache is keyed by relation serial, what is done, and the set of columns
 * that travel; when it is full everything is forgotten at once, on both sides.
 */
#include "postgres/statement_pg.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "postgres/key_sql.h"
#include "postgres/pg_conn.h"
#include "postgres/vector_sql.h"

#define TEXT_OID 25
#define MAX_STATEMENTS 512
#define BUCKETS 1024
#define VECTOR_USE 1000 /* beyond the kinds of single changes */

/* What a statement is for. */
typedef struct CacheKey
{
	uint64_t serial; /* of the relation */
	int use;		 /* kinds of change and old row; or a vector's kind */
	uint8_t
		columns[(WIRE_MAX_COLUMNS + 7) / 8]; /* a bit for each that travels */
	size_t bytes;							 /* used of these */
} CacheKey;

typedef struct CacheEntry
{
	struct CacheEntry *next;
	uint64_t serial;
	int use;
	const uint8_t *columns;
	Statement statement;
} CacheEntry;

struct StatementCache
{
	Arena arena;
	CacheEntry *buckets[BUCKETS];
	int count;
	unsigned next_name;
};

StatementCache *
statement_cache_new(void)
{
	StatementCache *cache = mem_zalloc(sizeof(*cache));

	arena_init(&cache->arena);
	return cache;
}

void
statement_cache_free(StatementCache *cache)
{
	if (cache == NULL)
		return;
	arena_release(&cache->arena);
	mem_free(cache);
}

bool
statement_cache_full(const StatementCache *cache)
{
	return cache->count >= MAX_STATEMENTS;
}

void
statement_cache_clear(StatementCache *cache)
{
	memset(cache->buckets, 0, sizeof(cache->buckets));
	cache->count = 0;
	arena_release(&cache->arena);
}

/* Does the new tuple say what this column becomes? */
static bool
column_carried(const Change *change, int i)
{
	const Column *column = &change->relation->columns[i];

	if (change->new_values == NULL || (column->flags & GENERATED_FLAGS) != 0)
		return false;
	return change->new_values[i].state == WIRE_COL_NULL ||
		   change->new_values[i].state == WIRE_COL_PRESENT;
}

/* A key that did not change need not be set: without an old key it did not. */
static bool
column_set(const Change *change, int i)
{
	return column_carried(change, i) &&
		   (change->old_kind != WIRE_OLD_NONE ||
			(change->relation->columns[i].flags & WIRE_COLUMN_KEY) == 0);
}

/* What is being built, in the cache's arena. */
typedef struct Builder
{
	Arena *arena;
	const Relation *relation;
	Buffer sql;
	ParamRef *params;
	int *formats;
	int count;
} Builder;

static void
add_param(Builder *b, bool old, int column)
{
	const Column *col = &b->relation->columns[column];

	b->params[b->count].old = old;
	b->params[b->count].column = column;
	b->formats[b->count] = col->base_type_oid == BYTEA_OID ? 1 : 0;
	b->count++;
}

static void
put_param(Builder *b, bool old, int column)
{
	add_param(b, old, column);
	buffer_printf(&b->sql, "$%d", b->count);
}

/*
 * For comparisons: without the cast the operator would decide the type, and
 * that of regtype is oid's, that of a composite type record's.
 */
static void
put_typed_param(Builder *b, int column)
{
	const Column *col = &b->relation->columns[column];

	put_param(b, true, column);
	buffer_puts(&b->sql, "::");
	pg_quote_table(&b->sql, col->type_schema, col->type_name);
}

static void
build_insert(Builder *b, const Change *change)
{
	int i;
	const char *comma = "";

	buffer_puts(&b->sql, "INSERT INTO ");
	pg_quote_table(&b->sql, b->relation->schema, b->relation->name);
	buffer_puts(&b->sql, " (");
	for (i = 0; i < b->relation->column_count; i++)
	{
		if (!column_carried(change, i))
			continue;
		buffer_puts(&b->sql, comma);
		pg_quote_ident(&b->sql, b->relation->columns[i].name);
		comma = ", ";
	}
	buffer_puts(&b->sql, ") OVERRIDING SYSTEM VALUE VALUES (");
	comma = "";
	for (i = 0; i < b->relation->column_count; i++)
	{
		if (!column_carried(change, i))
			continue;
		buffer_puts(&b->sql, comma);
		put_param(b, false, i);
		comma = ", ";
	}
	buffer_putc(&b->sql, ')');
	if (b->count == 0)
	{
		buffer_reset(&b->sql);
		buffer_puts(&b->sql, "INSERT INTO ");
		pg_quote_table(&b->sql, b->relation->schema, b->relation->name);
		buffer_puts(&b->sql, " DEFAULT VALUES");
	}
}

static void
put_key_param(Builder *b, bool old, int column)
{
	char param[16];
	Buffer left;

	add_param(b, old, column);
	snprintf(param, sizeof(param), "$%d", b->count);
	buffer_init(&left);
	pg_quote_ident(&left, b->relation->columns[column].name);
	key_sql_equals(&b->sql, b->relation, column, left.data, param);
	buffer_release(&left);
}

static void
build_where_key(Builder *b, bool old)
{
	const char *and = " WHERE ";
	int i;

	for (i = 0; i < b->relation->column_count; i++)
	{
		if ((b->relation->columns[i].flags & WIRE_COLUMN_KEY) == 0)
			continue;
		buffer_puts(&b->sql, and);
		put_key_param(b, old, i);
		and = " AND ";
	}
}

/*
 * *= compares the binary images of two records (record_image_eq in
 * src/backend/utils/adt/rowtypes.c), so it needs no equality operator of the
 * types and tells 1.0 from 1.00.  Without the casts to record, the parser
 * would take the operator apart into one for each column.  Duplicates are
 * alike: any of them will do.  What is computed from the other columns says
 * nothing more about them, and may be computed otherwise here.
 */
static void
build_where_image(Builder *b)
{
	const char *comma = "";
	int i;

	buffer_puts(&b->sql, " WHERE ctid = (SELECT ctid FROM ONLY ");
	pg_quote_table(&b->sql, b->relation->schema, b->relation->name);
	buffer_puts(&b->sql, " WHERE ROW(");
	for (i = 0; i < b->relation->column_count; i++)
	{
		if ((b->relation->columns[i].flags & GENERATED_FLAGS) != 0)
			continue;
		buffer_puts(&b->sql, comma);
		pg_quote_ident(&b->sql, b->relation->columns[i].name);
		comma = ", ";
	}
	buffer_puts(&b->sql, ")::record OPERATOR(pg_catalog.*=) ROW(");
	comma = "";
	for (i = 0; i < b->relation->column_count; i++)
	{
		if ((b->relation->columns[i].flags & GENERATED_FLAGS) != 0)
			continue;
		buffer_puts(&b->sql, comma);
		put_typed_param(b, i);
		comma = ", ";
	}
	buffer_puts(&b->sql, ")::record LIMIT 1)");
}

static void
build_where(Builder *b, const Change *change)
{
	if (b->relation->key_count > 0)
		build_where_key(b, change->old_kind != WIRE_OLD_NONE);
	else
		build_where_image(b);
}

/*
 * Nothing to set, as when all values that could change are large and did not:
 * the row must be there all the same.  A generated column takes only DEFAULT,
 * which computes it again.
 */
static void
put_no_change(Builder *b)
{
	const Column *columns = b->relation->columns;
	int i;

	for (i = 0; i < b->relation->column_count; i++)
	{
		if ((columns[i].flags & GENERATED_FLAGS) == 0)
			break;
	}
	pg_quote_ident(&b->sql, columns[i % b->relation->column_count].name);
	buffer_puts(&b->sql, " = ");
	if (i == b->relation->column_count)
		buffer_puts(&b->sql, "DEFAULT");
	else
		pg_quote_ident(&b->sql, columns[i].name);
}

static void
build_update(Builder *b, const Change *change)
{
	const char *comma = "";
	int i;

	buffer_puts(&b->sql, "UPDATE ONLY ");
	pg_quote_table(&b->sql, b->relation->schema, b->relation->name);
	buffer_puts(&b->sql, " SET ");
	for (i = 0; i < b->relation->column_count; i++)
	{
		if (!column_set(change, i))
			continue;
		buffer_puts(&b->sql, comma);
		pg_quote_ident(&b->sql, b->relation->columns[i].name);
		buffer_puts(&b->sql, " = ");
		put_param(b, false, i);
		comma = ", ";
	}
	if (comma[0] == '\0')
		put_no_change(b);
	build_where(b, change);
}

static void
build_statement(StatementCache *cache, const Change *change, Statement *out)
{
	size_t max_params = (size_t) change->relation->column_count * 2 + 1;
	Builder b = { .arena = &cache->arena, .relation = change->relation };

	buffer_init(&b.sql);
	b.params = ARENA_ARRAY(&cache->arena, ParamRef, max_params);
	b.formats = ARENA_ARRAY(&cache->arena, int, max_params);
	switch (change->kind)
	{
		case CHANGE_INSERT:
			build_insert(&b, change);
			break;
		case CHANGE_UPDATE:
			build_update(&b, change);
			break;
		case CHANGE_DELETE:
			buffer_puts(&b.sql, "DELETE FROM ONLY ");
			pg_quote_table(&b.sql, b.relation->schema, b.relation->name);
			build_where(&b, change);
			break;
		default:
			BUG("no statement for change kind %d", (int) change->kind);
	}
	out->sql = arena_strdup(&cache->arena, b.sql.data);
	out->param_count = b.count;
	out->params = b.params;
	out->formats = b.formats;
	buffer_release(&b.sql);
}

/* FNV-1a over what the key is made of. */
static unsigned
hash_bytes(unsigned hash, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len-- > 0)
		hash = (hash ^ *p++) * 16777619u;
	return hash;
}

static CacheEntry **
bucket_for(StatementCache *cache, const CacheKey *key)
{
	unsigned hash = hash_bytes(2166136261u, key->columns, key->bytes);

	hash = hash_bytes(hash, &key->serial, sizeof(key->serial));
	return &cache->buckets[(hash ^ (unsigned) key->use) % BUCKETS];
}

static Statement *
cache_find(StatementCache *cache, const CacheKey *key)
{
	CacheEntry *entry;

	for (entry = *bucket_for(cache, key); entry != NULL; entry = entry->next)
	{
		if (entry->serial == key->serial && entry->use == key->use &&
			memcmp(entry->columns, key->columns, key->bytes) == 0)
			return &entry->statement;
	}
	return NULL;
}

/* A statement without anything but its name. */
static Statement *
cache_add(StatementCache *cache, const CacheKey *key)
{
	CacheEntry **bucket = bucket_for(cache, key);
	CacheEntry *entry = ARENA_NEW(&cache->arena, CacheEntry);
	uint8_t *columns = arena_alloc(&cache->arena, key->bytes + 1);

	memcpy(columns, key->columns, key->bytes);
	entry->serial = key->serial;
	entry->use = key->use;
	entry->columns = columns;
	entry->next = *bucket;
	*bucket = entry;
	cache->count++;
	snprintf(entry->statement.name, sizeof(entry->statement.name), "p%u",
			 cache->next_name++);
	return &entry->statement;
}

Statement *
statement_for(StatementCache *cache, const Change *change)
{
	CacheKey key = {
		.serial = change->relation->serial,
		.use = (int) change->kind * 4 + (int) change->old_kind,
		.bytes = ((size_t) change->relation->column_count + 7) / 8,
	};
	Statement *statement;

	memset(key.columns, 0, key.bytes);
	for (int i = 0; i < change->relation->column_count; i++)
	{
		if (column_carried(change, i))
			key.columns[i / 8] |= (uint8_t) (1 << (i % 8));
	}
	statement = cache_find(cache, &key);
	if (statement == NULL)
	{
		statement = cache_add(cache, &key);
		build_statement(cache, change, statement);
	}
	return statement;
}

/*
 * A server checks that the elements are of the type that the statement names,
 * so this is that type: as vector_sql.c writes it.
 */
static ArrayForm
array_form(const TableFacts *facts, const ParamRef *param)
{
	const Column *column = &facts->plan.relation->columns[param->column];
	uint32_t oid = param->old ? column->base_type_oid : column->type_oid;

	if (!plan_column_in(facts->as_text, param->column))
		return (ArrayForm){ oid, binary_form(oid) };
	/* its text, unless it comes as bytes */
	return (ArrayForm){ TEXT_OID, column->base_type_oid == BYTEA_OID
									  ? BINARY_NONE
									  : BINARY_BYTES };
}

/* One array for each parameter, in the order of vector_sql.h. */
static void
build_vector(StatementCache *cache, const PlanVector *vector, Statement *out)
{
	const TableFacts *facts = (const TableFacts *) vector->table;
	const Relation *relation = facts->plan.relation;
	size_t max_params = (size_t) relation->column_count + 1;
	ParamRef *params = ARENA_ARRAY(&cache->arena, ParamRef, max_params);
	ArrayForm *arrays = ARENA_ARRAY(&cache->arena, ArrayForm, max_params);
	Buffer sql;

	buffer_init(&sql);
	if (vector->kind == PLAN_DELETE)
		vector_sql_delete(&sql, facts);
	else if (vector->kind == PLAN_UPDATE)
		vector_sql_update(&sql, facts, vector->columns);
	else
		vector_sql_insert(&sql, facts, vector->columns);
	for (int i = 0; vector->kind != PLAN_INSERT && i < relation->column_count;
		 i++)
	{
		if ((relation->columns[i].flags & WIRE_COLUMN_KEY) != 0)
			params[out->param_count++] = (ParamRef){ true, i };
	}
	for (int i = 0; i < relation->column_count; i++)
	{
		if (plan_column_in(vector->columns, i))
			params[out->param_count++] = (ParamRef){ false, i };
	}
	for (int i = 0; i < out->param_count; i++)
		arrays[i] = array_form(facts, &params[i]);
	out->sql = arena_strdup(&cache->arena, sql.data);
	out->params = params;
	out->arrays = arrays;
	buffer_release(&sql);
}

Statement *
statement_for_vector(StatementCache *cache, const PlanVector *vector)
{
	const Relation *relation = vector->table->relation;
	CacheKey key = {
		.serial = relation->serial,
		.use = VECTOR_USE + (int) vector->kind,
		.bytes = ((size_t) relation->column_count + 7) / 8,
	};
	Statement *statement;

	memcpy(key.columns, vector->columns, key.bytes);
	statement = cache_find(cache, &key);
	if (statement == NULL)
	{
		statement = cache_add(cache, &key);
		build_vector(cache, vector, statement);
	}
	return statement;
}

/*
 * The list holds what CASCADE reached, so CASCADE is not repeated; partitioned
 * tables are left out because their leaves are in the list, too.
 */
bool
truncate_sql(const Change *change, const bool *wanted, Buffer *sql)
{
	const char *before = "TRUNCATE ONLY ";
	int i;

	for (i = 0; i < change->truncated_count; i++)
	{
		if (!wanted[i] || change->truncated[i]->kind != 'r')
			continue;
		buffer_puts(sql, before);
		pg_quote_table(sql, change->truncated[i]->schema,
					   change->truncated[i]->name);
		before = ", ONLY ";
	}
	if ((change->truncate_flags & WIRE_TRUNCATE_RESTART) != 0)
		buffer_puts(sql, " RESTART IDENTITY");
	return before[0] == ',';
}
