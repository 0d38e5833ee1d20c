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

#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "describe.h"
#include "relcache.h"

struct RelationCache
{
	MemoryContext context;
	const Options *options;
	TextStyle style;
	HTAB *entries;
	RelationEntry *last; /* the entry looked up last */
	bool has_roots;		 /* some entry has a root */
	uint64 generation;	 /* counts invalidations */
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
	bool registered;
} current;

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
	int i;

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
	MemoryContextCallback *callback = MemoryContextAllocZero(
		context, sizeof(MemoryContextCallback));
	HASHCTL control;

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
		CacheRegisterSyscacheCallback(NAMESPACEOID, catalog_changed, (Datum) 0);
		current.registered = true;
	}
	current.cache = cache;
	return cache;
}

static void
build_entry(RelationCache *cache, RelationEntry *entry, Relation relation)
{
	uint64 generation = cache->generation;
	MemoryContext caller;

	entry->announced = false;
	entry->wanted = false;
	entry->ndependencies = 0;
	entry->dependencies = NULL;
	entry->ncolumns = 0;
	if (entry->context != NULL)
		MemoryContextReset(entry->context);
	else
		entry->context = AllocSetContextCreate(
			cache->context, "pg_portage relation", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(entry->context);
	describe_relation(entry, relation, cache->options, cache->style);
	cache->has_roots |= OidIsValid(entry->root);
	MemoryContextSwitchTo(caller);

	/* something may have changed while we looked: look again next time */
	entry->valid = generation == cache->generation;
}

RelationEntry *
relcache_get(RelationCache *cache, Relation relation)
{
	Oid relid = RelationGetRelid(relation);
	RelationEntry *entry = cache->last;
	bool found;

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
