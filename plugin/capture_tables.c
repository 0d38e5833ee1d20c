/*
 * capture_tables.c
 *		Tables as a command has left them.
 *
 * It is what an applier needs that cannot repeat the command, or compares what
 * came of it: names, place in a partition tree, storage, columns.  Texts are
 * those of the fixed settings: types and functions qualified, values as the
 * stream has them.
 */
#include "postgres.h"

#include "compat.h"

#include "access/relation.h"
#include "access/tupdesc_details.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "nodes/nodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"

#include "capture.h"
#include "json_build.h"

static char *
default_text(Relation relation, AttrNumber attnum)
{
	TupleConstr *constr = RelationGetDescr(relation)->constr;
	List *context;
	int i;

	for (i = 0; constr != NULL && i < constr->num_defval; i++)
	{
		if (constr->defval[i].adnum != attnum)
			continue;
		context = deparse_context_for(RelationGetRelationName(relation),
									  RelationGetRelid(relation));
		return deparse_expression(stringToNode(constr->defval[i].adbin),
								  context, false, false);
	}
	return NULL;
}

static char *
missing_text(TupleDesc desc, int i)
{
	AttrMissing *missing = desc->constr != NULL ? desc->constr->missing : NULL;
	Oid function;
	bool is_varlena;

	if (missing == NULL || !missing[i].am_present)
		return NULL;
	getTypeOutputInfo(TupleDescAttr(desc, i)->atttypid, &function, &is_varlena);
	return OidOutputFunctionCall(function, missing[i].am_value);
}

/* The collation of a column if it is not that of its type. */
static char *
collation_text(Form_pg_attribute att)
{
	HeapTuple tuple;
	Form_pg_collation form;
	char *schema;
	char *text = NULL;

	if (!OidIsValid(att->attcollation) ||
		att->attcollation == get_typcollation(att->atttypid))
		return NULL;
	tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(att->attcollation));
	if (!HeapTupleIsValid(tuple))
		return NULL;
	form = (Form_pg_collation) GETSTRUCT(tuple);
	schema = get_namespace_name(form->collnamespace);
	if (schema != NULL)
		text = quote_qualified_identifier(schema, NameStr(form->collname));
	ReleaseSysCache(tuple);
	return text;
}

static void
put_type(StringInfo out, Form_pg_attribute att)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(att->atttypid));
	Form_pg_type form;

	if (!HeapTupleIsValid(tuple))
		return;
	form = (Form_pg_type) GETSTRUCT(tuple);
	json_text(out, "type_schema", get_namespace_name(form->typnamespace));
	json_text(out, "type", NameStr(form->typname));
	ReleaseSysCache(tuple);
	json_int(out, "typmod", att->atttypmod);
	json_text(out, "type_text",
			  format_type_with_typemod(att->atttypid, att->atttypmod));
	type_put(out, att->atttypid, att->atttypmod);
}

/* A member that is left out if there is no text. */
static void
put_optional(StringInfo out, const char *key, const char *text)
{
	if (text != NULL)
		json_text(out, key, text);
}

static void
put_column(StringInfo out, Relation relation, int i)
{
	TupleDesc desc = RelationGetDescr(relation);
	Form_pg_attribute att = TupleDescAttr(desc, i);

	json_next(out);
	appendStringInfoChar(out, '{');
	json_int(out, "num", att->attnum);
	json_text(out, "name", NameStr(att->attname));
	put_type(out, att);
	json_bool(out, "not_null", att->attnotnull);
	json_char(out, "generated", att->attgenerated);
	json_char(out, "identity", att->attidentity);
	put_optional(out, "default", default_text(relation, att->attnum));
	put_optional(out, "missing", missing_text(desc, i));
	put_optional(out, "collation", collation_text(att));
	appendStringInfoChar(out, '}');
}

static void
put_table(StringInfo out, Relation relation)
{
	TupleDesc desc = RelationGetDescr(relation);
	Form_pg_class form = relation->rd_rel;
	List *ancestors = NIL;
	int i;

	if (form->relispartition)
		ancestors = get_partition_ancestors(RelationGetRelid(relation));
	json_next(out);
	appendStringInfoChar(out, '{');
	json_oid(out, "oid", RelationGetRelid(relation));
	json_text(out, "schema",
			  get_namespace_name(RelationGetNamespace(relation)));
	json_text(out, "name", RelationGetRelationName(relation));
	json_char(out, "kind", form->relkind);
	json_oid(out, "storage", form->relfilenode);
	json_oid(out, "root", ancestors != NIL ? llast_oid(ancestors) : InvalidOid);
	json_oid(out, "parent_oid",
			 ancestors != NIL ? linitial_oid(ancestors) : InvalidOid);
	json_char(out, "persistence", form->relpersistence);
	primary_key_put(out, relation);
	json_key(out, "columns");
	appendStringInfoChar(out, '[');
	for (i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
			put_column(out, relation, i);
	}
	appendStringInfoString(out, "]}");
}

/* Another event trigger may have dropped one, hence try. */
void
tables_put(StringInfo out, const List *tables)
{
	ListCell *lc;

	foreach (lc, tables)
	{
		Relation relation = try_relation_open(lfirst_oid(lc), AccessShareLock);

		if (relation == NULL)
			continue;
		put_table(out, relation);
		relation_close(relation, AccessShareLock);
	}
}
