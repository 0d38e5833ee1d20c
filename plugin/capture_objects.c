/*
 * capture_objects.c
 *		What a command has changed, as the server counts it.
 *
 * The two functions that tell it to event triggers are called without SQL in
 * between: whatever privileges have been taken away, and whatever the
 * search_path is, nobody's DDL fails by it.  Objects that are not part of the
 * data or of the schema as others see it are left out: temporary ones, those of
 * extensions, our own, publications and the like.
 */
#include "postgres.h"

#include "compat.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "nodes/execnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "capture.h"
#include "json_build.h"

/* columns of pg_event_trigger_ddl_commands(), from 0 */
enum
{
	CHANGED_CLASS,
	CHANGED_OBJECT,
	CHANGED_SUBOBJECT,
	CHANGED_TAG,
	CHANGED_TYPE,
	CHANGED_SCHEMA,
	CHANGED_IDENTITY,
	CHANGED_IN_EXTENSION
};

/* columns of pg_event_trigger_dropped_objects(), from 0 */
enum
{
	DROPPED_CLASS,
	DROPPED_OBJECT,
	DROPPED_SUBOBJECT,
	DROPPED_ORIGINAL,
	DROPPED_NORMAL,
	DROPPED_TEMPORARY,
	DROPPED_TYPE,
	DROPPED_SCHEMA,
	DROPPED_NAME,
	DROPPED_IDENTITY,
	DROPPED_ADDRESS
};

typedef void (*RowReader)(StringInfo out, CapturedObjects *objects,
						  TupleTableSlot *row);

/* Call a function without arguments that returns a set, row by row. */
static void
read_rows(Oid function, RowReader reader, StringInfo out,
		  CapturedObjects *objects)
{
	LOCAL_FCINFO(fcinfo, 0);
	FmgrInfo flinfo;
	ReturnSetInfo result;
	TupleTableSlot *slot;

	fmgr_info(function, &flinfo);
	memset(&result, 0, sizeof(result));
	result.type = T_ReturnSetInfo;
	result.econtext = CreateStandaloneExprContext();
	result.allowedModes = SFRM_Materialize;
	result.returnMode = SFRM_ValuePerCall;
	InitFunctionCallInfoData(*fcinfo, &flinfo, 0, InvalidOid, NULL,
							 (fmNodePtr) &result);
	FunctionCallInvoke(fcinfo);
	if (result.returnMode != SFRM_Materialize || result.setResult == NULL)
		elog(ERROR, "function %u returned no set", function);
	slot = MakeSingleTupleTableSlot(result.setDesc, &TTSOpsMinimalTuple);
	while (tuplestore_gettupleslot(result.setResult, true, false, slot))
	{
		slot_getallattrs(slot);
		reader(out, objects, slot);
		ExecClearTuple(slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	tuplestore_end(result.setResult);
	FreeExprContext(result.econtext, true);
}

static char *
text_of(TupleTableSlot *row, int column)
{
	return row->tts_isnull[column]
			   ? NULL
			   : TextDatumGetCString(row->tts_values[column]);
}

static Oid
oid_of(TupleTableSlot *row, int column)
{
	return row->tts_isnull[column] ? InvalidOid
								   : DatumGetObjectId(row->tts_values[column]);
}

static bool
flag_of(TupleTableSlot *row, int column)
{
	return !row->tts_isnull[column] && DatumGetBool(row->tts_values[column]);
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

/* Objects that a copy of the data and of its schema does not have. */
static bool
is_of_no_interest(const char *type, const char *schema, const char *identity)
{
	return type == NULL || identity == NULL ||
		   strncmp(type, "publication", strlen("publication")) == 0 ||
		   strcmp(type, "subscription") == 0 ||
		   strcmp(type, "event trigger") == 0 ||
		   strcmp(type, "user mapping") == 0 ||
		   strcmp(type, "default acl") == 0 || same(schema, "portage") ||
		   same(schema, "pg_toast") ||
		   (strcmp(type, "schema") == 0 && strcmp(identity, "portage") == 0) ||
		   (strcmp(type, "extension") == 0 &&
			strcmp(identity, "pg_portage") == 0);
}

/* The value of an OID column in the row of an object's own catalog. */
static Oid
catalog_value(Oid class_oid, Oid object, AttrNumber column)
{
	Relation catalog = table_open(class_oid, AccessShareLock);
	HeapTuple tuple = get_catalog_object_by_oid(
		catalog, get_object_attnum_oid(class_oid), object);
	bool isnull = true;
	Datum value = (Datum) 0;

	if (HeapTupleIsValid(tuple))
		value = heap_getattr(tuple, column, RelationGetDescr(catalog), &isnull);
	table_close(catalog, AccessShareLock);
	return isnull ? InvalidOid : DatumGetObjectId(value);
}

static Oid
table_of_relation(Oid relid)
{
	Oid table;
	int32 column;

	switch (get_rel_relkind(relid))
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
			return relid;
		case RELKIND_INDEX:
		case RELKIND_PARTITIONED_INDEX:
			return IndexGetRelation(relid, true);
		case RELKIND_SEQUENCE:
			if (sequenceIsOwned(relid, DEPENDENCY_AUTO, &table, &column) ||
				sequenceIsOwned(relid, DEPENDENCY_INTERNAL, &table, &column))
				return table;
			return InvalidOid;
		default:
			return InvalidOid;
	}
}

/* The table that an object belongs to. */
static Oid
table_of(Oid class_oid, Oid object)
{
	/* where objects that are no relations say it */
	static const struct
	{
		Oid class_oid;
		AttrNumber column;
	} owners[] = { { ConstraintRelationId, Anum_pg_constraint_conrelid },
				   { TriggerRelationId, Anum_pg_trigger_tgrelid },
				   { AttrDefaultRelationId, Anum_pg_attrdef_adrelid },
				   { RewriteRelationId, Anum_pg_rewrite_ev_class },
				   { PolicyRelationId, Anum_pg_policy_polrelid },
				   { StatisticExtRelationId, Anum_pg_statistic_ext_stxrelid } };
	int i;

	if (class_oid == RelationRelationId)
		return table_of_relation(object);
	for (i = 0; i < lengthof(owners); i++)
	{
		if (owners[i].class_oid == class_oid)
			return catalog_value(class_oid, object, owners[i].column);
	}
	return InvalidOid;
}

static bool
is_temporary_schema(const char *schema)
{
	return schema != NULL &&
		   (strncmp(schema, "pg_temp", strlen("pg_temp")) == 0 ||
			strncmp(schema, "pg_toast_temp", strlen("pg_toast_temp")) == 0);
}

static bool
is_temporary_relation(Oid relid)
{
	return OidIsValid(relid) && get_rel_name(relid) != NULL &&
		   get_rel_persistence(relid) == RELPERSISTENCE_TEMP;
}

/* What tables and the text of the command need to know of an object. */
static void
note_object(CapturedObjects *objects, Oid class_oid, Oid object)
{
	char relkind;

	if (class_oid != RelationRelationId)
		return;
	relkind = get_rel_relkind(object);
	if (relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE)
		objects->tables = list_append_unique_oid(objects->tables, object);
	else if (relkind == RELKIND_INDEX || relkind == RELKIND_PARTITIONED_INDEX)
		objects->index = object;
}

static void
put_changed(StringInfo out, CapturedObjects *objects, TupleTableSlot *row)
{
	Oid class_oid = oid_of(row, CHANGED_CLASS);
	Oid object = oid_of(row, CHANGED_OBJECT);
	char *type = text_of(row, CHANGED_TYPE);
	char *schema = text_of(row, CHANGED_SCHEMA);
	char *identity = text_of(row, CHANGED_IDENTITY);
	Oid table;

	/* GRANT within CREATE SCHEMA has no object */
	if (!OidIsValid(object) || flag_of(row, CHANGED_IN_EXTENSION) ||
		is_of_no_interest(type, schema, identity))
		return;
	table = table_of(class_oid, object);
	if (is_temporary_schema(schema) || is_temporary_relation(table))
	{
		objects->left_out = true;
		return;
	}
	note_object(objects, class_oid, object);
	json_next(out);
	appendStringInfoChar(out, '{');
	json_text(out, "type", type);
	json_text(out, "schema", schema);
	json_text(out, "identity", identity);
	json_oid(out, "oid", object);
	json_oid(out, "table_oid", table);
	json_text(out, "tag", text_of(row, CHANGED_TAG));
	if (class_oid == RelationRelationId)
		index_put(out, object);
	appendStringInfoChar(out, '}');
	objects->identity = identity;
	objects->count++;
}

/* The object is gone: only of what was a table, or a column, is it known. */
static Oid
dropped_table(TupleTableSlot *row, const char *type)
{
	if (oid_of(row, DROPPED_CLASS) == RelationRelationId &&
		(strcmp(type, "table") == 0 || strcmp(type, "table column") == 0))
		return oid_of(row, DROPPED_OBJECT);
	return InvalidOid;
}

/*
 * What belongs to a temporary table is not always called temporary itself; but
 * its address begins with the schema.
 */
static bool
is_temporary_drop(TupleTableSlot *row)
{
	char *schema = text_of(row, DROPPED_SCHEMA);
	Datum *names;
	bool *nulls;
	int n;

	if (flag_of(row, DROPPED_TEMPORARY) || is_temporary_schema(schema))
		return true;
	if (schema != NULL || row->tts_isnull[DROPPED_ADDRESS])
		return false;
	deconstruct_array(DatumGetArrayTypeP(row->tts_values[DROPPED_ADDRESS]),
					  TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls, &n);
	return n > 1 && !nulls[0] &&
		   is_temporary_schema(TextDatumGetCString(names[0]));
}

static void
put_dropped(StringInfo out, CapturedObjects *objects, TupleTableSlot *row)
{
	char *type = text_of(row, DROPPED_TYPE);
	char *schema = text_of(row, DROPPED_SCHEMA);
	char *identity = text_of(row, DROPPED_IDENTITY);

	if (is_of_no_interest(type, schema, identity))
		return;
	if (is_temporary_drop(row))
	{
		objects->left_out = true;
		return;
	}
	json_next(out);
	appendStringInfoChar(out, '{');
	json_text(out, "type", type);
	json_text(out, "schema", schema);
	json_text(out, "name", text_of(row, DROPPED_NAME));
	json_text(out, "identity", identity);
	json_bool(out, "original", flag_of(row, DROPPED_ORIGINAL));
	json_oid(out, "oid", oid_of(row, DROPPED_OBJECT));
	json_oid(out, "table_oid", dropped_table(row, type));
	appendStringInfoChar(out, '}');
	if (flag_of(row, DROPPED_ORIGINAL))
		objects->identity = identity;
	objects->count++;
}

void
objects_put_changed(StringInfo out, CapturedObjects *objects)
{
	read_rows(F_PG_EVENT_TRIGGER_DDL_COMMANDS, put_changed, out, objects);
}

void
objects_put_dropped(StringInfo out, CapturedObjects *objects)
{
	read_rows(F_PG_EVENT_TRIGGER_DROPPED_OBJECTS, put_dropped, out, objects);
}

bool
relation_is_left_out(Oid relid)
{
	const char *schema = get_namespace_name(get_rel_namespace(relid));

	return is_temporary_relation(relid) || same(schema, "portage");
}
