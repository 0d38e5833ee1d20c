/*
 * capture_command.c
 *		The text of the one command that an event trigger is called for.
 *
 * A client may send several statements in one string, and the string that the
 * server keeps is all of them.  The portal that is being run knows where its
 * statement stands in it.  What it runs is the command of the trigger if it is
 * the same node; with a cached plan the server runs a copy, and prepares it in
 * place, so that there the two are compared.  A command that a function or a DO
 * block runs is not in the portal: its text would not be what ran.
 */
#include "postgres.h"

#include "compat.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "nodes/plannodes.h"
#include "tcop/pquery.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"

#include "capture.h"

/* What a command is about, by name; the parts that it has. */
typedef struct CommandTarget
{
	const RangeVar *relation;
	const char *name;  /* of what is on the relation, or of a schema */
	const List *names; /* a qualified name */
} CommandTarget;

/* False for the commands that the server does not change while it runs them. */
static bool
command_target(const Node *node, CommandTarget *target)
{
	memset(target, 0, sizeof(*target));
	switch (nodeTag(node))
	{
		case T_CreateSchemaStmt:
			target->name = ((const CreateSchemaStmt *) node)->schemaname;
			return true;
		case T_CreateDomainStmt:
			target->names = ((const CreateDomainStmt *) node)->domainname;
			return true;
		case T_CreateStatsStmt:
			target->names = ((const CreateStatsStmt *) node)->defnames;
			return true;
		case T_CreateStmt:
		case T_CreateForeignTableStmt:
			target->relation = ((const CreateStmt *) node)->relation;
			return true;
		case T_CreateTableAsStmt:
			target->relation = ((const CreateTableAsStmt *) node)->into->rel;
			return true;
		case T_ViewStmt:
			target->relation = ((const ViewStmt *) node)->view;
			return true;
		case T_CreateSeqStmt:
			target->relation = ((const CreateSeqStmt *) node)->sequence;
			return true;
		case T_IndexStmt:
			target->relation = ((const IndexStmt *) node)->relation;
			target->name = ((const IndexStmt *) node)->idxname;
			return true;
		case T_RuleStmt:
			target->relation = ((const RuleStmt *) node)->relation;
			target->name = ((const RuleStmt *) node)->rulename;
			return true;
		case T_CreateTrigStmt:
			target->relation = ((const CreateTrigStmt *) node)->relation;
			target->name = ((const CreateTrigStmt *) node)->trigname;
			return true;
		default:
			return false;
	}
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The server may have filled in the schema. */
static bool
same_relation(const RangeVar *planned, const RangeVar *command)
{
	if (planned == NULL || command == NULL)
		return planned == command;
	return same_text(planned->relname, command->relname) &&
		   (planned->schemaname == NULL ||
			same_text(planned->schemaname, command->schemaname));
}

/* Is command a copy of planned, perhaps with names filled in? */
static bool
same_command(const Node *planned, const Node *command)
{
	CommandTarget a;
	CommandTarget b;

	if (nodeTag(planned) != nodeTag(command))
		return false;
	if (equal(planned, command))
		return true;
	return command_target(planned, &a) && command_target(command, &b) &&
		   same_relation(a.relation, b.relation) &&
		   (a.name == NULL || same_text(a.name, b.name)) &&
		   equal(a.names, b.names);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/*
 * All encodings of a server keep ASCII, so the parser cuts between characters.
 * The string may be a script of megabytes: only the statement is looked at.
 */
static char *
cut_statement(const char *source, int location, int len)
{
	const char *start = source + Max(location, 0);
	const char *end = start + (len > 0 ? strnlen(start, len) : strlen(start));

	while (start < end && is_blank(*start))
		start++;
	while (end > start && (is_blank(end[-1]) || end[-1] == ';'))
		end--;
	return start < end ? pnstrdup(start, end - start) : NULL;
}

char *
command_text(const Node *parsetree)
{
	Portal portal = ActivePortal;
	ListCell *lc;

	if (portal == NULL || portal->sourceText == NULL)
		return NULL;
	foreach (lc, portal->stmts)
	{
		const PlannedStmt *stmt = lfirst_node(PlannedStmt, lc);

		if (stmt->commandType == CMD_UTILITY && stmt->utilityStmt != NULL &&
			(stmt->utilityStmt == parsetree ||
			 (portal->cplan != NULL &&
			  same_command(stmt->utilityStmt, parsetree))))
			return cut_statement(portal->sourceText, stmt->stmt_location,
								 stmt->stmt_len);
	}
	return NULL;
}

/* The partition that a subcommand attaches or detaches; NULL if it does not. */
static const PartitionCmd *
partition_command(const AlterTableCmd *cmd)
{
	if (cmd->subtype == AT_AttachPartition ||
		COMPAT_IS_DETACH_PARTITION(cmd->subtype))
		return (const PartitionCmd *) cmd->def;
	return NULL;
}

static const AlterTableCmd *
concurrent_detach(const Node *parsetree)
{
	ListCell *lc;

	if (!IsA(parsetree, AlterTableStmt))
		return NULL;
	foreach (lc, ((const AlterTableStmt *) parsetree)->cmds)
	{
		const AlterTableCmd *cmd = lfirst_node(AlterTableCmd, lc);

		if (COMPAT_IS_CONCURRENT_DETACH(cmd))
			return cmd;
	}
	return NULL;
}

bool
command_is_concurrent(const Node *parsetree)
{
	switch (nodeTag(parsetree))
	{
		case T_IndexStmt:
			return ((const IndexStmt *) parsetree)->concurrent;
		case T_DropStmt:
			return ((const DropStmt *) parsetree)->concurrent;
		case T_AlterTableStmt:
			return concurrent_detach(parsetree) != NULL;
		default:
			return false;
	}
}

static char *
full_name(const RangeVar *relation)
{
	Oid relid = RangeVarGetRelid(relation, NoLock, true);
	char *name = OidIsValid(relid) ? get_rel_name(relid) : NULL;
	char *schema = name != NULL ? get_namespace_name(get_rel_namespace(relid))
								: NULL;

	return schema != NULL ? quote_qualified_identifier(schema, name) : NULL;
}

char *
command_plain_detach(const Node *parsetree)
{
	const AlterTableCmd *cmd = concurrent_detach(parsetree);
	char *parent;
	char *partition;

	if (cmd == NULL)
		return NULL;
	parent = full_name(((const AlterTableStmt *) parsetree)->relation);
	partition = full_name(partition_command(cmd)->name);
	if (parent == NULL || partition == NULL)
		return NULL;
	return psprintf("ALTER TABLE %s DETACH PARTITION %s", parent, partition);
}

char *
command_plain_index(Oid index)
{
	if (!OidIsValid(index) || get_rel_name(index) == NULL)
		return NULL;
	return TextDatumGetCString(
		DirectFunctionCall1(pg_get_indexdef, ObjectIdGetDatum(index)));
}

List *
command_partitions(const Node *parsetree)
{
	List *partitions = NIL;
	ListCell *lc;

	if (!IsA(parsetree, AlterTableStmt))
		return NIL;
	foreach (lc, ((const AlterTableStmt *) parsetree)->cmds)
	{
		const PartitionCmd *cmd = partition_command(
			lfirst_node(AlterTableCmd, lc));
		Oid relid = InvalidOid;

		if (cmd != NULL)
			relid = RangeVarGetRelid(cmd->name, NoLock, true);
		if (OidIsValid(relid) &&
			(get_rel_relkind(relid) == RELKIND_RELATION ||
			 get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE))
			partitions = list_append_unique_oid(partitions, relid);
	}
	return partitions;
}
