/*
 * capture_details.c
 *		What types and indexes are made of: for a target of another kind, which
 *		cannot run the command and has no catalog with these types.
 */
#include "postgres.h"

#include "compat.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "capture.h"
#include "json_build.h"

/* A label and its place: enums may be in another order than their rows. */
typedef struct Label
{
	float4 order;
	const char *text;
} Label;

static int
compare_labels(const void *a, const void *b)
{
	float4 x = ((const Label *) a)->order;
	float4 y = ((const Label *) b)->order;

	return x < y ? -1 : x > y;
}

static void
put_labels(StringInfo out, Oid type)
{
	CatCList *list = SearchSysCacheList1(ENUMTYPOIDNAME,
										 ObjectIdGetDatum(type));
	Label *labels = palloc(sizeof(Label) * (list->n_members + 1));
	int i;

	for (i = 0; i < list->n_members; i++)
	{
		Form_pg_enum form = (Form_pg_enum) GETSTRUCT(&list->members[i]->tuple);

		labels[i].order = form->enumsortorder;
		labels[i].text = pstrdup(NameStr(form->enumlabel));
	}
	qsort(labels, list->n_members, sizeof(Label), compare_labels);
	json_key(out, "labels");
	appendStringInfoChar(out, '[');
	for (i = 0; i < list->n_members; i++)
	{
		json_next(out);
		escape_json(out, labels[i].text);
	}
	appendStringInfoChar(out, ']');
	ReleaseSysCacheList(list);
}

/* Names, kind and category of a type that is no domain. */
static Oid
put_names(StringInfo out, Oid type)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type form;
	Oid element = InvalidOid;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	form = (Form_pg_type) GETSTRUCT(tuple);
	json_text(out, "schema", get_namespace_name(form->typnamespace));
	json_text(out, "type", NameStr(form->typname));
	json_char(out, "kind", form->typtype);
	json_char(out, "category", form->typcategory);
	if (OidIsValid(form->typelem) && get_array_type(form->typelem) == type)
		element = form->typelem;
	if (form->typtype == TYPTYPE_ENUM)
		put_labels(out, type);
	ReleaseSysCache(tuple);
	return element;
}

void
type_put(StringInfo out, Oid type, int32 typmod)
{
	Oid base = getBaseTypeAndTypmod(type, &typmod);
	Oid element;

	json_key(out, "base");
	appendStringInfoChar(out, '{');
	element = put_names(out, base);
	json_int(out, "typmod", typmod);
	if (OidIsValid(element))
	{
		json_key(out, "element");
		appendStringInfoChar(out, '{');
		put_names(out, getBaseType(element));
		appendStringInfoChar(out, '}');
	}
	appendStringInfoChar(out, '}');
}

/* Nothing but columns, each with NULLs being different from each other. */
static bool
is_plain(Relation index)
{
	Form_pg_index form = index->rd_index;
	int i;

#if PG_VERSION_NUM >= 150000
	if (form->indnullsnotdistinct)
		return false;
#endif
	for (i = 0; i < form->indnatts; i++)
	{
		if (form->indkey.values[i] <= 0)
			return false;
	}
	return index->rd_rel->relam == BTREE_AM_OID && form->indimmediate &&
		   !form->indisexclusion && RelationGetIndexPredicate(index) == NIL;
}

static void
put_index(StringInfo out, Relation index)
{
	Form_pg_index form = index->rd_index;
	int i;

	json_key(out, "index");
	appendStringInfoChar(out, '{');
	json_text(out, "name", RelationGetRelationName(index));
	json_bool(out, "unique", form->indisunique);
	json_bool(out, "primary", form->indisprimary);
	json_bool(out, "plain", is_plain(index));
	json_key(out, "columns");
	appendStringInfoChar(out, '[');
	for (i = 0; i < form->indnkeyatts; i++)
	{
		json_next(out);
		appendStringInfo(out, "%d", form->indkey.values[i]);
	}
	appendStringInfoString(out, "]}");
}

void
index_put(StringInfo out, Oid relid)
{
	char relkind = get_rel_relkind(relid);
	Relation index;

	if (relkind != RELKIND_INDEX && relkind != RELKIND_PARTITIONED_INDEX)
		return;
	index = try_relation_open(relid, AccessShareLock);
	if (index == NULL)
		return;
	put_index(out, index);
	relation_close(index, AccessShareLock);
}

void
primary_key_put(StringInfo out, Relation relation)
{
	List *indexes = RelationGetIndexList(relation);
	ListCell *lc;

	json_key(out, "primary_key");
	appendStringInfoChar(out, '[');
	foreach (lc, indexes)
	{
		HeapTuple tuple = SearchSysCache1(INDEXRELID,
										  ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index form;
		int i;

		if (!HeapTupleIsValid(tuple))
			continue;
		form = (Form_pg_index) GETSTRUCT(tuple);
		for (i = 0; form->indisprimary && i < form->indnkeyatts; i++)
		{
			json_next(out);
			appendStringInfo(out, "%d", form->indkey.values[i]);
		}
		ReleaseSysCache(tuple);
	}
	appendStringInfoChar(out, ']');
	list_free(indexes);
}
