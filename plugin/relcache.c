/*
 * relcache.c
 *		What a stream knows of the relations whose changes it sends.
 *
 * Everything that is the same for all changes of a relation is worked out once:
 * whether the filters let it through, how each column is turned into text, and
 * the R record that announces it.  No catalog is read for a row.
 *
 * An invalidation may arrive at any moment, even while an entry is being built
 * or used, so the callbacks only clear flags; memory is freed when the entry is
 * built again.  Besides the relation itself, an entry depends on the names of
 * its types and schemas, for which the server sends no relcache invalidation:
 * those are matched by the hash that the syscache callback is given.
 */
#include "postgres.h"

#include "compat.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "pattern.h"
#include "relcache.h"
#include "wire.h"

struct RelationCache
{
	MemoryContext context;
	const Options *options;
	TextStyle	style;
	HTAB	   *entries;
	RelationEntry *last;		/* the entry looked up last */
	bool		has_roots;		/* some entry has a root */
	uint64		generation;		/* counts invalidations */
};

/*
 * The one static of the module.  The server keeps invalidation callbacks for
 * the life of the backend and gives them no argument that could follow a
 * stream, so they find the stream's cache here.  It is cleared when the memory
 * context of the stream goes away, be it by an error.
 */
static struct
{
	RelationCache *cache;
	bool		registered;
}			current;

static void
invalidate_all(RelationCache *cache)
{
	HASH_SEQ_STATUS seq;
	RelationEntry *entry;

	hash_seq_init(&seq, cache->entries);
	while ((entry = hash_seq_search(&seq)) != NULL)
		entry->valid = false;
}

/* Partitions carry the name of their root, so they go with it. */
static void
invalidate_partitions(RelationCache *cache, Oid root)
{
	HASH_SEQ_STATUS seq;
	RelationEntry *entry;

	hash_seq_init(&seq, cache->entries);
	while ((entry = hash_seq_search(&seq)) != NULL)
	{
		if (entry->root == root)
			entry->valid = false;
	}
}

static void
relation_changed(Datum arg, Oid relid)
{
	RelationCache *cache = current.cache;
	RelationEntry *entry;

	if (cache == NULL)
		return;
	cache->generation++;
	if (!OidIsValid(relid))
	{
		invalidate_all(cache);
		return;
	}
	entry = hash_search(cache->entries, &relid, HASH_FIND, NULL);
	if (entry != NULL)
		entry->valid = false;
	if (cache->has_roots)
		invalidate_partitions(cache, relid);
}

static void
catalog_changed(Datum arg, int cacheid, uint32 hashvalue)
{
	RelationCache *cache = current.cache;
	HASH_SEQ_STATUS seq;
	RelationEntry *entry;
	int			i;

	if (cache == NULL)
		return;
	cache->generation++;
	hash_seq_init(&seq, cache->entries);
	while ((entry = hash_seq_search(&seq)) != NULL)
	{
		if (hashvalue == 0)
			entry->valid = false;
		for (i = 0; i < entry->ndependencies; i++)
		{
			if (entry->dependencies[i].cache == cacheid &&
				entry->dependencies[i].hash == hashvalue)
				entry->valid = false;
		}
	}
}

static void
forget_cache(void *arg)
{
	if (current.cache == arg)
		current.cache = NULL;
}

RelationCache *
relcache_new(MemoryContext context, const Options *options, TextStyle style)
{
	RelationCache *cache = MemoryContextAllocZero(context,
												  sizeof(RelationCache));
	MemoryContextCallback *callback =
		MemoryContextAllocZero(context, sizeof(MemoryContextCallback));
	HASHCTL		control;

	cache->context = context;
	cache->options = options;
	cache->style = style;
	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(RelationEntry);
	control.hcxt = context;
	cache->entries = hash_create("pg_portage relations", 128, &control,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	callback->func = forget_cache;
	callback->arg = cache;
	MemoryContextRegisterResetCallback(context, callback);
	if (!current.registered)
	{
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
		CacheRegisterSyscacheCallback(TYPEOID, catalog_changed, (Datum) 0);
		CacheRegisterSyscacheCallback(NAMESPACEOID, catalog_changed,
									  (Datum) 0);
		current.registered = true;
	}
	current.cache = cache;
	return cache;
}

static void
add_dependency(RelationEntry *entry, int cacheid, Oid oid)
{
	RelationDependency dependency;
	int			i;

	dependency.cache = cacheid;
	dependency.hash = GetSysCacheHashValue1(cacheid, ObjectIdGetDatum(oid));
	for (i = 0; i < entry->ndependencies; i++)
	{
		if (entry->dependencies[i].cache == cacheid &&
			entry->dependencies[i].hash == dependency.hash)
			return;
	}
	if (entry->dependencies == NULL)
		entry->dependencies = palloc(4 * sizeof(RelationDependency));
	else if (entry->ndependencies >= 4 &&
			 (entry->ndependencies & (entry->ndependencies - 1)) == 0)
		entry->dependencies = repalloc(entry->dependencies,
									   2 * entry->ndependencies *
									   sizeof(RelationDependency));
	entry->dependencies[entry->ndependencies++] = dependency;
}

/* A schema's name; the historic catalog has it as long as it has the object. */
static char *
schema_name(RelationEntry *entry, Oid schema)
{
	char	   *name = get_namespace_name(schema);

	if (name == NULL)
		elog(ERROR, "cache lookup failed for schema %u", schema);
	if (schema >= FirstNormalObjectId)
		add_dependency(entry, NAMESPACEOID, schema);
	return name;
}

static Oid
find_root(Relation relation)
{
	List	   *ancestors;
	Oid			root;

	if (!relation->rd_rel->relispartition)
		return InvalidOid;
	ancestors = get_partition_ancestors(RelationGetRelid(relation));
	root = ancestors == NIL ? InvalidOid : llast_oid(ancestors);
	list_free(ancestors);
	return root;
}

static PatternText
pattern_text(WireSlice slice)
{
	PatternText text;

	text.data = (const char *) slice.data;
	text.len = slice.len;
	return text;
}

/* Does one of the patterns match the relation or its root? */
static bool
listed(const char *patterns, const WireRelation *rel)
{
	size_t		len = strlen(patterns);

	return pattern_list_match(patterns, len, pattern_text(rel->schema),
							  pattern_text(rel->name)) ||
		(OidIsValid(rel->root) &&
		 pattern_list_match(patterns, len, pattern_text(rel->root_schema),
							pattern_text(rel->root_name)));
}

/*
 * The information_schema has tables below FirstNormalObjectId only, but may
 * have been installed anew.  A schema named portage holds our own objects.
 */
static bool
passes_filters(const Options *options, const WireRelation *rel,
			   Relation relation)
{
	const char *schema = (const char *) rel->schema.data;
	const char *tables = options->text[OPTION_TABLES];
	const char *excluded = options->text[OPTION_EXCLUDE_TABLES];

	if (relation->rd_rel->relkind != RELKIND_RELATION &&
		relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		return false;
	if (RelationGetRelid(relation) < FirstNormalObjectId ||
		strcmp(schema, "portage") == 0 ||
		strcmp(schema, "pg_catalog") == 0 ||
		strcmp(schema, "information_schema") == 0)
		return false;
	if (*tables != '\0' && !listed(tables, rel))
		return false;
	return *excluded == '\0' || !listed(excluded, rel);
}

static WireSlice
slice_of(const char *s)
{
	WireSlice	slice;

	slice.data = (const uint8_t *) s;
	slice.len = (uint32_t) strlen(s);
	return slice;
}

static void
describe_relation(RelationEntry *entry, Relation relation, WireRelation *rel)
{
	entry->schema = schema_name(entry, RelationGetNamespace(relation));
	entry->name = pstrdup(RelationGetRelationName(relation));
	rel->relid = entry->relid;
	rel->root = entry->root;
	rel->relkind = (uint8_t) entry->relkind;
	rel->identity = (uint8_t) entry->identity;
	rel->schema = slice_of(entry->schema);
	rel->name = slice_of(entry->name);
	rel->root_schema = slice_of("");
	rel->root_name = slice_of("");
	if (OidIsValid(entry->root))
	{
		char	   *name = get_rel_name(entry->root);

		if (name == NULL)
			elog(ERROR, "cache lookup failed for relation %u", entry->root);
		rel->root_schema =
			slice_of(schema_name(entry, get_rel_namespace(entry->root)));
		rel->root_name = slice_of(name);
	}
}

/*
 * The index whose columns find a row.  With FULL the primary key is enough, and
 * better; with DEFAULT and a nominated index the server tells, and leaves out
 * what is deferrable.
 */
static Oid
identity_index(Relation relation)
{
	List	   *indexes;
	ListCell   *lc;
	Oid			found = InvalidOid;

	if (relation->rd_rel->relreplident == REPLICA_IDENTITY_NOTHING)
		return InvalidOid;
	if (relation->rd_rel->relreplident != REPLICA_IDENTITY_FULL)
		return RelationGetReplicaIndex(relation);
	indexes = RelationGetIndexList(relation);
	foreach(lc, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID,
											ObjectIdGetDatum(lfirst_oid(lc)));

		if (!HeapTupleIsValid(tuple))
			continue;
		if (((Form_pg_index) GETSTRUCT(tuple))->indisprimary &&
			((Form_pg_index) GETSTRUCT(tuple))->indimmediate &&
			((Form_pg_index) GETSTRUCT(tuple))->indisvalid)
			found = lfirst_oid(lc);
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	return found;
}

/* keys[attnum - 1] of each column of the index becomes true */
static void
mark_keys(Oid index, bool *keys)
{
	HeapTuple	tuple;
	Form_pg_index form;
	int			i;

	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", index);
	form = (Form_pg_index) GETSTRUCT(tuple);
	for (i = 0; i < form->indnkeyatts; i++)
	{
		if (form->indkey.values[i] > 0)
			keys[form->indkey.values[i] - 1] = true;
	}
	ReleaseSysCache(tuple);
}

static uint8
column_flags(Form_pg_attribute att, bool key)
{
	uint8		flags = 0;

	if (key)
		flags |= WIRE_COLUMN_KEY;
	if (att->attgenerated == ATTRIBUTE_GENERATED_STORED)
		flags |= WIRE_COLUMN_GENERATED;
	if (att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
		flags |= WIRE_COLUMN_VIRTUAL;
	if (att->attidentity != '\0')
		flags |= WIRE_COLUMN_IDENTITY;
	if (att->attidentity == ATTRIBUTE_IDENTITY_ALWAYS)
		flags |= WIRE_COLUMN_ALWAYS;
	if (att->attnotnull)
		flags |= WIRE_COLUMN_NOT_NULL;
	return flags;
}

static void
describe_type(RelationEntry *entry, Form_pg_attribute att, WireColumn *col)
{
	HeapTuple	tuple;
	Form_pg_type form;
	bool		preferred;
	char		category;
	int32		typmod = att->atttypmod;
	NameData	name;
	Oid			schema;

	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(att->atttypid));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", att->atttypid);
	form = (Form_pg_type) GETSTRUCT(tuple);
	name = form->typname;
	schema = form->typnamespace;
	ReleaseSysCache(tuple);
	col->type = att->atttypid;
	col->base_type = getBaseTypeAndTypmod(att->atttypid, &typmod);
	col->typmod = typmod;
	get_type_category_preferred(col->base_type, &category, &preferred);
	col->category = (uint8_t) category;
	col->type_schema = slice_of(schema_name(entry, schema));
	col->type_name = slice_of(pstrdup(NameStr(name)));
	if (att->atttypid >= FirstNormalObjectId)
		add_dependency(entry, TYPEOID, att->atttypid);
	if (col->base_type >= FirstNormalObjectId &&
		col->base_type != col->type)
		add_dependency(entry, TYPEOID, col->base_type);
}

/*
 * Both sides agree on which columns there are, and in which order, by R alone;
 * dropped ones are in the tuples but not in R.
 */
static uint8_t *
build_columns(RelationCache *cache, RelationEntry *entry, TupleDesc desc,
			  const bool *keys, uint8_t *p)
{
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		RelationColumn *column = &entry->columns[entry->ncolumns];
		WireColumn	wire;

		if (att->attisdropped)
			continue;
		column->index = i;
		column->key = keys[i];
		column->name = pstrdup(NameStr(att->attname));
		column->type_text = format_type_with_typemod(att->atttypid,
													 att->atttypmod);
		column->virtual_value =
			att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL;
		wire.attnum = (uint16_t) att->attnum;
		wire.flags = column_flags(att, keys[i]);
		wire.name = slice_of(column->name);
		describe_type(entry, att, &wire);
		textout_init(&column->text, att->atttypid, wire.base_type, att->attlen,
					 cache->style, entry->context);
		p = wire_put_column(p, &wire);
		entry->ncolumns++;
	}
	return p;
}

static int
count_columns(TupleDesc desc)
{
	int			n = 0;
	int			i;

	for (i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			n++;
	}
	return n;
}

/* The parts of a wanted relation; rel has been filled as far as columns. */
static void
build_wanted(RelationCache *cache, RelationEntry *entry, Relation relation,
			 WireRelation *rel)
{
	TupleDesc	desc = RelationGetDescr(relation);
	bool	   *keys = palloc0(desc->natts * sizeof(bool) + 1);
	int			ncolumns = count_columns(desc);
	Oid			index = InvalidOid;
	uint8_t    *p;

	if (entry->relkind == RELKIND_RELATION)
		index = identity_index(relation);
	if (OidIsValid(index))
		mark_keys(index, keys);
	entry->findable = OidIsValid(index) &&
		entry->identity != REPLICA_IDENTITY_FULL;
	entry->quoted_name = quote_qualified_identifier(entry->schema,
													entry->name);
	entry->columns = palloc0(ncolumns * sizeof(RelationColumn) + 1);
	rel->ncolumns = (uint16_t) ncolumns;
	entry->record = palloc(WIRE_RELATION_FIXED_SIZE +
						   ncolumns * WIRE_COLUMN_SIZE);
	p = wire_put_relation(entry->record, rel);
	p = build_columns(cache, entry, desc, keys, p);
	entry->record_len = p - entry->record;
	entry->record = repalloc(entry->record, entry->record_len);
}

static void
build_entry(RelationCache *cache, RelationEntry *entry, Relation relation)
{
	uint64		generation = cache->generation;
	MemoryContext caller;
	WireRelation rel;

	entry->announced = false;
	entry->wanted = false;
	entry->ndependencies = 0;
	entry->dependencies = NULL;
	entry->ncolumns = 0;
	if (entry->context != NULL)
		MemoryContextReset(entry->context);
	else
		entry->context = AllocSetContextCreate(cache->context,
											   "pg_portage relation",
											   ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(entry->context);
	entry->relkind = relation->rd_rel->relkind;
	entry->identity = relation->rd_rel->relreplident;
	entry->root = find_root(relation);
	cache->has_roots |= OidIsValid(entry->root);
	describe_relation(entry, relation, &rel);
	if (passes_filters(cache->options, &rel, relation))
	{
		build_wanted(cache, entry, relation, &rel);
		entry->wanted = true;
	}
	MemoryContextSwitchTo(caller);

	/* something may have changed while we looked: look again next time */
	entry->valid = generation == cache->generation;
}

RelationEntry *
relcache_get(RelationCache *cache, Relation relation)
{
	Oid			relid = RelationGetRelid(relation);
	RelationEntry *entry = cache->last;
	bool		found;

	if (likely(entry != NULL && entry->relid == relid && entry->valid))
		return entry;
	entry = hash_search(cache->entries, &relid, HASH_ENTER, &found);
	if (!found)
	{
		memset(entry, 0, sizeof(RelationEntry));
		entry->relid = relid;
	}
	if (!entry->valid)
		build_entry(cache, entry, relation);
	cache->last = entry;
	return entry;
}
