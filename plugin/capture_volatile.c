/*
 * capture_volatile.c
 *		Would a rewrite give the same values if it were done again elsewhere?
 *
 * The rows that ALTER TABLE rewrites are not in the stream.  Where the command
 * can be repeated, that is no loss; random numbers, the time of day, sequences
 * and whatever a function of the user reads come out differently.  So the
 * expressions that make the new values are resolved once more, against the
 * columns as they were when the command began, and all functions in them have
 * to be immutable, or built in and dependent on settings alone.
 */
#include "postgres.h"

#include "compat.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_proc.h"
#include "commands/event_trigger.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "rewrite/rewriteHandler.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "capture.h"

/* a column as it was before the command */
typedef struct OldColumn
{
	NameData name;
	AttrNumber attnum;
	Oid type;
	int32 typmod;
	Oid collation;
} OldColumn;

/*
 * Built-in functions that are stable, but not because of settings that a
 * message carries.  Those without arguments need no mention: they all tell
 * something of the session or of the moment.
 */
static bool
depends_on_more(const char *name)
{
	static const char *const names[] = { "age",
										 "current_setting",
										 "to_tsvector",
										 "to_tsquery",
										 "plainto_tsquery",
										 "phraseto_tsquery",
										 "websearch_to_tsquery",
										 "ts_headline" };
	static const char *const beginnings[] = {
		"pg_",	"has_",	  "reg",	"to_reg",  "col_",		"obj_",	  "shobj_",
		"row_", "table_", "query_", "schema_", "database_", "cursor_"
	};
	int i;

	for (i = 0; i < lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	for (i = 0; i < lengthof(beginnings); i++)
	{
		if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	}
	return false;
}

static bool
function_is_volatile(Oid function, void *context)
{
	char volatility = func_volatile(function);
	char *name;

	if (volatility == PROVOLATILE_IMMUTABLE)
		return false;
	if (volatility != PROVOLATILE_STABLE || function >= FirstNormalObjectId ||
		get_func_nargs(function) == 0)
		return true;
	name = get_func_name(function);
	return name == NULL || depends_on_more(name);
}

/* The default of an argument that is left out is not in the tree. */
static bool
lacks_arguments(const Node *node)
{
	return IsA(node, FuncExpr) &&
		   list_length(((const FuncExpr *) node)->args) <
			   get_func_nargs(((const FuncExpr *) node)->funcid);
}

static bool
is_volatile(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SQLValueFunction) || IsA(node, NextValueExpr) ||
		lacks_arguments(node) ||
		check_functions_in_node(node, function_is_volatile, context))
		return true;
	return expression_tree_walker(node, is_volatile, context);
}

/* The words that date and time types take for the moment. */
static bool
is_moment(const char *text)
{
	static const char *const words[] = { "now", "today", "tomorrow",
										 "yesterday" };
	int i;

	while (*text == ' ')
		text++;
	for (i = 0; i < lengthof(words); i++)
	{
		if (pg_strncasecmp(text, words[i], strlen(words[i])) == 0)
			return true;
	}
	return false;
}

/* In the tree as it was written: types resolve the words at once. */
static bool
names_moment(Node *node, void *context)
{
	const char *text;

	if (node == NULL)
		return false;
	if (IsA(node, A_Const))
	{
		text = compat_const_string((const A_Const *) node);
		return text != NULL && is_moment(text);
	}
	return raw_expression_tree_walker(node, names_moment, context);
}

/* The columns that the snapshot of the command knows. */
static List *
read_old_columns(Oid relid)
{
	List *columns = NIL;
	Relation catalog = table_open(AttributeRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	ScanKeyInit(&key, Anum_pg_attribute_attrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, AttributeRelidNumIndexId, true,
							  GetActiveSnapshot(), 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_attribute att = (Form_pg_attribute) GETSTRUCT(tuple);
		OldColumn *column;

		if (att->attnum <= 0 || att->attisdropped)
			continue;
		column = palloc(sizeof(OldColumn));
		column->name = att->attname;
		column->attnum = att->attnum;
		column->type = att->atttypid;
		column->typmod = att->atttypmod;
		column->collation = att->attcollation;
		columns = lappend(columns, column);
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return columns;
}

static Node *
old_column(const List *columns, const char *name)
{
	ListCell *lc;

	foreach (lc, columns)
	{
		const OldColumn *column = lfirst(lc);

		if (strcmp(NameStr(column->name), name) == 0)
			return (Node *) makeVar(1, column->attnum, column->type,
									column->typmod, column->collation, 0);
	}
	return NULL;
}

/* A name in an expression; what is no column is an error of the parser. */
static Node *
resolve_column(ParseState *pstate, ColumnRef *cref)
{
	Node *last = llast(cref->fields);

	if (!IsA(last, String))
		return NULL;
	return old_column(pstate->p_ref_hook_state, strVal(last));
}

/* ALTER COLUMN ... TYPE: USING, or the old value, as the new type. */
static bool
type_change_is_volatile(Relation relation, const List *columns,
						const AlterTableCmd *cmd)
{
	const ColumnDef *def = (const ColumnDef *) cmd->def;
	AttrNumber attnum = get_attnum(RelationGetRelid(relation), cmd->name);
	ParseState *pstate = make_parsestate(NULL);
	Form_pg_attribute att;
	Node *expr;

	if (attnum <= 0 || names_moment(def->raw_default, NULL))
		return true;
	pstate->p_pre_columnref_hook = resolve_column;
	pstate->p_ref_hook_state = (void *) columns;
	if (def->raw_default != NULL)
		expr = transformExpr(pstate, copyObject(def->raw_default),
							 EXPR_KIND_ALTER_COL_TRANSFORM);
	else
		expr = old_column(columns, cmd->name);
	if (expr == NULL)
		return true;
	att = TupleDescAttr(RelationGetDescr(relation), attnum - 1);
	expr = coerce_to_target_type(pstate, expr, exprType(expr), att->atttypid,
								 att->atttypmod, COERCION_ASSIGNMENT,
								 COERCE_IMPLICIT_CAST, -1);
	free_parsestate(pstate);
	return expr == NULL || is_volatile(expr, NULL);
}

/* ADD COLUMN: its default, that of its domain, or its sequence. */
static bool
new_column_is_volatile(Relation relation, const AlterTableCmd *cmd)
{
	const ColumnDef *def = (const ColumnDef *) cmd->def;
	AttrNumber attnum = get_attnum(RelationGetRelid(relation), def->colname);
	ListCell *lc;

	if (attnum <= 0)
		return true;
	foreach (lc, def->constraints)
	{
		const Constraint *constraint = lfirst_node(Constraint, lc);

		if (constraint->contype == CONSTR_DEFAULT &&
			names_moment(constraint->raw_expr, NULL))
			return true;
	}
	return is_volatile(build_column_default(relation, attnum), NULL);
}

static bool
analyse(Oid relid, const AlterTableStmt *stmt)
{
	Relation relation = table_open(relid, AccessShareLock);
	List *columns = read_old_columns(relid);
	bool result = false;
	ListCell *lc;

	foreach (lc, stmt->cmds)
	{
		const AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (cmd->subtype == AT_AlterColumnType)
			result |= type_change_is_volatile(relation, columns, cmd);
		else if (cmd->subtype == AT_AddColumn)
			result |= new_column_is_volatile(relation, cmd);
	}
	table_close(relation, AccessShareLock);
	return result;
}

/*
 * Resolving may fail where the command did not, for an expression that names
 * the whole row, say.  That must not fail the command, so it happens in a
 * subtransaction; only a wish to end the command is passed on.
 */
static bool
analyse_safely(Oid relid, const AlterTableStmt *stmt)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool result = true;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		result = analyse(relid, stmt);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) ==
			ERRCODE_OPERATOR_INTERVENTION)
			ReThrowError(error);
		result = true;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return result;
}

bool
rewrite_is_volatile(Oid relid, int reason, const Node *parsetree)
{
	if ((reason & (AT_REWRITE_DEFAULT_VAL | AT_REWRITE_COLUMN_REWRITE)) == 0)
		return false;
	if (!IsA(parsetree, AlterTableStmt) || !ActiveSnapshotSet())
		return true;
	return analyse_safely(relid, (const AlterTableStmt *) parsetree);
}
