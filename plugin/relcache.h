/*
 * relcache.h
 *		What a stream knows of the relations whose changes it sends.
 *
 * An entry stays as it is until relcache_get() is asked for it again.
 */
#ifndef PORTAGE_RELCACHE_H
#define PORTAGE_RELCACHE_H

#include "fmgr.h"
#include "utils/rel.h"

#include "options.h"
#include "textout.h"

typedef struct RelationColumn
{
	int index;			/* in the arrays of a deformed tuple */
	bool key;			/* in the identity that finds a row */
	bool virtual_value; /* generated when read: there is no value */
	ColumnText text;
	char *name;
	char *type_text; /* the type with its modifier, as in DDL */
} RelationColumn;

/* a row of a system catalog the entry was built from */
typedef struct RelationDependency
{
	int cache; /* TYPEOID or NAMESPACEOID */
	uint32 hash;
} RelationDependency;

typedef struct RelationEntry
{
	Oid relid; /* hash key; must be first */
	bool valid;
	bool announced; /* R is in the stream */
	bool wanted;	/* do the filters let its changes through? */
	char relkind;
	char identity; /* pg_class.relreplident */
	bool findable; /* an UPDATE without old values finds its row */
	Oid root;	   /* topmost partitioned table, or InvalidOid */

	/* the rest is set if wanted only, and lives in context */
	MemoryContext context;
	char *schema;
	char *name;
	char *quoted_name; /* schema.name, quoted where necessary */
	int ncolumns;
	RelationColumn *columns;
	uint8_t *record; /* the body of R */
	size_t record_len;
	int ndependencies;
	RelationDependency *dependencies;
} RelationEntry;

typedef struct RelationCache RelationCache;

/* A new cache in the given context, which must be a stream's own. */
extern RelationCache *
relcache_new(MemoryContext context, const Options *options, TextStyle style);

/* The entry of a relation; built if there is none, or no valid one. */
extern RelationEntry *relcache_get(RelationCache *cache, Relation relation);

#endif /* PORTAGE_RELCACHE_H */
