/*
 * describe.c
 *		What the catalogs say of a relation, for its cache entry.
 *
 * The catalogs are those of the moment of the change: decoding reads them with
 * a historic snapshot.  Here it is decided whether the relation is wanted at
 * all, which columns find a row, and what R says.  Whatever is read besides
 * the relation's own rows is noted as a dependency, because the server sends no
 * relcache invalidation for it.
 */
#include "postgres.h"

#include "compat.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/tupdesc_details.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "describe.h"
#include "pattern.h"
#include "wire.h"

static void
add_dependency(RelationEntry *entry, int cacheid, Oid oid)
{
	RelationDependency dependency;
	int i;

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
	char *name = get_namespace_name(schema);

	if (name == NULL)
		elog(ERROR, "cache lookup failed for schema %u", schema);
	if (schema >= FirstNormalObjectId)
		add_dependency(entry, NAMESPACEOID, schema);
	return name;
}

static Oid
find_root(Relation relation)
{
	List *ancestors;
	Oid root;

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
	size_t len = strlen(patterns);

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
		strcmp(schema, "portage") == 0 || strcmp(schema, "pg_catalog") == 0 ||
		strcmp(schema, "information_schema") == 0)
		return false;
	if (*tables != '\0' && !listed(tables, rel))
		return false;
	return *excluded == '\0' || !listed(excluded, rel);
}

static WireSlice
slice_of(const char *s)
{
	WireSlice slice;

	slice.data = (const uint8_t *) s;
	slice.len = (uint32_t) strlen(s);
	return slice;
}

static void
describe_names(RelationEntry *entry, Relation relation, WireRelation *rel)
{
	entry->schema = schema_name(entry, RelationGetNamespace(relation));
	entry->name = pstrdup(RelationGetRelationName(relation));
	rel->relid = entry->relid;
	rel->root = entry->root;
	rel->storage = relation->rd_rel->relfilenode;
	rel->relkind = (uint8_t) entry->relkind;
	rel->identity = (uint8_t) entry->identity;
	rel->schema = slice_of(entry->schema);
	rel->name = slice_of(entry->name);
	rel->root_schema = slice_of("");
	rel->root_name = slice_of("");
	if (OidIsValid(entry->root))
	{
		char *name = get_rel_name(entry->root);

		if (name == NULL)
			elog(ERROR, "cache lookup failed for relation %u", entry->root);
		rel->root_schema = slice_of(
			schema_name(entry, get_rel_namespace(entry->root)));
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
	List *indexes;
	ListCell *lc;
	Oid found = InvalidOid;

	if (relation->rd_rel->relreplident == REPLICA_IDENTITY_NOTHING)
		return InvalidOid;
	if (relation->rd_rel->relreplident != REPLICA_IDENTITY_FULL)
		return RelationGetReplicaIndex(relation);
	indexes = RelationGetIndexList(relation);
	foreach (lc, indexes)
	{
		HeapTuple tuple = SearchSysCache1(INDEXRELID,
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
	HeapTuple tuple;
	Form_pg_index form;
	int i;

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
	uint8 flags = 0;

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

/* A type's names; whoever renames it makes the entry be built again. */
static void
type_names(RelationEntry *entry, Oid type, WireSlice *schema, WireSlice *name)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	form = (Form_pg_type) GETSTRUCT(tuple);
	*name = slice_of(pstrdup(NameStr(form->typname)));
	*schema = slice_of(schema_name(entry, form->typnamespace));
	ReleaseSysCache(tuple);
	if (type >= FirstNormalObjectId)
		add_dependency(entry, TYPEOID, type);
}

/* A domain has no operators of its own, so its base type is named, too. */
static void
describe_type(RelationEntry *entry, Form_pg_attribute att, WireColumn *col)
{
	bool preferred;
	char category;
	int32 typmod = att->atttypmod;

	col->type = att->atttypid;
	col->base_type = getBaseTypeAndTypmod(att->atttypid, &typmod);
	col->typmod = typmod;
	get_type_category_preferred(col->base_type, &category, &preferred);
	col->category = (uint8_t) category;
	type_names(entry, col->type, &col->type_schema, &col->type_name);
	if (col->base_type != col->type)
		type_names(entry, col->base_type, &col->base_schema, &col->base_name);
}

/*
 * What the catalog has for rows that were written before there was the column.
 * It comes out of an array, so it is never a TOAST pointer.
 */
static void
describe_missing(TupleDesc desc, int i, ColumnText *text, WireColumn *col)
{
	AttrMissing *missing = desc->constr != NULL ? desc->constr->missing : NULL;
	char *space;
	char *end;

	if (missing == NULL || !missing[i].am_present)
		return;
	space = palloc(TEXTOUT_SHORT_SIZE);
	end = textout_short(text, missing[i].am_value, space);
	if (end != NULL)
	{
		col->missing.data = (const uint8_t *) space;
		col->missing.len = (uint32_t) (end - space);
	}
	else
		col->missing = textout_slice(text, missing[i].am_value);
	col->flags |= WIRE_COLUMN_MISSING;
}

static void
put_column(StringInfo record, const WireColumn *col)
{
	size_t need = WIRE_COLUMN_FIXED_SIZE;
	uint8_t *p;

	if ((col->flags & WIRE_COLUMN_MISSING) != 0)
		need += col->missing.len;
	enlargeStringInfo(record, (int) need);
	p = (uint8_t *) record->data + record->len;
	record->len += (int) (wire_put_column(p, col) - p);
}

/*
 * Both sides agree on which columns there are, and in which order, by R alone;
 * dropped ones are in the tuples but not in R.
 */
static void
build_columns(RelationEntry *entry, TupleDesc desc, TextStyle style,
			  const bool *keys, StringInfo record)
{
	int i;

	for (i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		RelationColumn *column = &entry->columns[entry->ncolumns];
		WireColumn wire;

		if (att->attisdropped)
			continue;
		column->index = i;
		column->key = keys[i];
		column->name = pstrdup(NameStr(att->attname));
		column->type_text = format_type_with_typemod(att->atttypid,
													 att->atttypmod);
		column->virtual_value = att->attgenerated ==
								ATTRIBUTE_GENERATED_VIRTUAL;
		wire.attnum = (uint16_t) att->attnum;
		wire.flags = column_flags(att, keys[i]);
		wire.name = slice_of(column->name);
		describe_type(entry, att, &wire);
		textout_init(&column->text, att->atttypid, wire.base_type, att->attlen,
					 style, entry->context);
		describe_missing(desc, i, &column->text, &wire);
		put_column(record, &wire);
		entry->ncolumns++;
	}
}

static int
count_columns(TupleDesc desc)
{
	int n = 0;
	int i;

	for (i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			n++;
	}
	return n;
}

/* The parts of a wanted relation; rel has been filled as far as columns. */
static void
build_wanted(RelationEntry *entry, Relation relation, WireRelation *rel,
			 TextStyle style)
{
	TupleDesc desc = RelationGetDescr(relation);
	bool *keys = palloc0(desc->natts * sizeof(bool) + 1);
	int ncolumns = count_columns(desc);
	Oid index = InvalidOid;
	StringInfoData record;
	uint8_t *p;

	if (entry->relkind == RELKIND_RELATION)
		index = identity_index(relation);
	if (OidIsValid(index))
		mark_keys(index, keys);
	entry->findable = OidIsValid(index) &&
					  entry->identity != REPLICA_IDENTITY_FULL;
	entry->quoted_name = quote_qualified_identifier(entry->schema, entry->name);
	entry->columns = palloc0(ncolumns * sizeof(RelationColumn) + 1);
	rel->ncolumns = (uint16_t) ncolumns;
	initStringInfo(&record);
	enlargeStringInfo(&record, WIRE_RELATION_FIXED_SIZE);
	p = wire_put_relation((uint8_t *) record.data, rel);
	record.len = (int) (p - (uint8_t *) record.data);
	build_columns(entry, desc, style, keys, &record);
	entry->record = (uint8_t *) record.data;
	entry->record_len = record.len;
}

void
describe_relation(RelationEntry *entry, Relation relation,
				  const Options *options, TextStyle style)
{
	WireRelation rel;

	entry->relkind = relation->rd_rel->relkind;
	entry->identity = relation->rd_rel->relreplident;
	entry->root = find_root(relation);
	describe_names(entry, relation, &rel);
	if (!passes_filters(options, &rel, relation))
		return;
	build_wanted(entry, relation, &rel, style);
	entry->wanted = true;
}
