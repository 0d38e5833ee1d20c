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
#include <xxhash.h>

#include "base/mem.h"
#include "postgres/change_sql.h"
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
	uint64_t manner; /* of changes by rules: hash of what matters, or 0 */
	uint8_t
		columns[(WIRE_MAX_COLUMNS + 7) / 8]; /* a bit for each that travels */
	size_t bytes;							 /* used of these */
} CacheKey;

typedef struct CacheEntry
{
	struct CacheEntry *next;
	uint64_t serial;
	int use;
	uint64_t manner;
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

static void
build_statement(StatementCache *cache, const Change *change, bool keyed,
				Statement *out)
{
	ChangeSql built;

	change_sql(&built, &cache->arena, change, keyed);
	out->sql = arena_strdup(&cache->arena, built.sql.data);
	out->param_count = built.count;
	out->params = built.params;
	out->formats = built.formats;
	buffer_release(&built.sql);
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
			entry->manner == key->manner &&
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
	entry->manner = key->manner;
	entry->columns = columns;
	entry->next = *bucket;
	*bucket = entry;
	cache->count++;
	snprintf(entry->statement.name, sizeof(entry->statement.name), "p%u",
			 cache->next_name++);
	return &entry->statement;
}

/* What makes a difference for the statement, beside kind and columns. */
static uint64_t
manner_hash(const Change *change, bool keyed)
{
	const ChangeManner *manner = change->manner;

	if (change->kind == CHANGE_MATCH)
		return XXH3_64bits(manner->match,
						   (size_t) manner->match_count * sizeof(int));
	if (change_is_barrier(change))
		return (uint64_t) keyed | (uint64_t) manner->conflict << 1 |
			   (uint64_t) (manner->latest + 1) << 8;
	return change->kind == CHANGE_PUT && keyed;
}

Statement *
statement_for(StatementCache *cache, const Change *change, bool keyed)
{
	CacheKey key = {
		.serial = change->relation->serial,
		.use = (int) change->kind * 4 + (int) change->old_kind,
		.manner = manner_hash(change, keyed),
		.bytes = ((size_t) change->relation->column_count + 7) / 8,
	};
	Statement *statement;

	memset(key.columns, 0, key.bytes);
	for (int i = 0; i < change->relation->column_count; i++)
	{
		if (change_sql_carries(change, i))
			key.columns[i / 8] |= (uint8_t) (1 << (i % 8));
	}
	statement = cache_find(cache, &key);
	if (statement == NULL)
	{
		statement = cache_add(cache, &key);
		build_statement(cache, change, keyed, statement);
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
	bool by_key = vector->kind != PLAN_INSERT && vector->kind != PLAN_PUT;
	size_t max_params = (size_t) relation->column_count + 1;
	ParamRef *params = ARENA_ARRAY(&cache->arena, ParamRef, max_params);
	ArrayForm *arrays = ARENA_ARRAY(&cache->arena, ArrayForm, max_params);
	Buffer sql;

	buffer_init(&sql);
	if (!by_key)
		(vector->kind == PLAN_PUT ? vector_sql_put : vector_sql_insert)(
			&sql, facts, vector->columns);
	else if (vector->kind == PLAN_UPDATE)
		vector_sql_update(&sql, facts, vector->columns);
	else
		vector_sql_delete(&sql, facts);
	for (int i = 0; by_key && i < relation->column_count; i++)
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
