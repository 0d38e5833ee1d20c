/*
 * capture.c
 *		The event triggers: each change of the schema becomes a message in the
 *		WAL, signed, at its place among the rows of its transaction.
 *
 * Each event writes its own message at once: a subtransaction that is rolled
 * back takes its messages along.  Nothing here runs SQL, resolves a name by the
 * caller's search_path beyond what the caller's own command did, or asks for a
 * privilege, so that whoever may run a command still may, and can gain nothing.
 * For the same reason the SQL function needs neither SECURITY DEFINER nor a
 * search_path of its own, which would hide the one it has to report: the
 * settings that texts depend on are fixed here, for as long as it takes.
 */
#include "postgres.h"

#include "compat.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "commands/event_trigger.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "tcop/cmdtag.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "capture.h"
#include "json_build.h"

#define DDL_PREFIX "portage.ddl"

/* version of the message, and what follows it */
#define DDL_VERSION "1 "

PG_FUNCTION_INFO_V1(portage_capture);

PGDLLEXPORT Datum portage_capture(PG_FUNCTION_ARGS);

typedef enum EventKind
{
	EVENT_END,
	EVENT_DROP,
	EVENT_REWRITE
} EventKind;

/* A message as it comes together. */
typedef struct Capture
{
	EventKind kind;
	const Node *parsetree;
	StringInfoData session; /* members that tell of the caller's session */
	StringInfoData details; /* members of this kind of event */
	bool concurrent;
	char *command;
} Capture;

/* Does ALTER TABLE only say who owns the table, or where it lies? */
static bool
alters_nothing(const AlterTableStmt *stmt)
{
	ListCell *lc;

	foreach (lc, stmt->cmds)
	{
		switch (lfirst_node(AlterTableCmd, lc)->subtype)
		{
			case AT_ChangeOwner:
			case AT_SetTableSpace:
			case AT_ClusterOn:
			case AT_DropCluster:
				break;
			default:
				return false;
		}
	}
	return true;
}

/* Commands that carry nothing for a copy of the data and of its schema. */
static bool
is_of_no_interest(const Node *parsetree)
{
	switch (nodeTag(parsetree))
	{
		case T_GrantStmt:
		case T_AlterDefaultPrivilegesStmt:
		case T_CommentStmt:
		case T_SecLabelStmt:
		case T_AlterOwnerStmt:
		case T_ReassignOwnedStmt:
		case T_AlterTableMoveAllStmt:
		case T_CreatePublicationStmt:
		case T_AlterPublicationStmt:
		case T_CreateSubscriptionStmt:
		case T_AlterSubscriptionStmt:
		case T_DropSubscriptionStmt:
		case T_CreateUserMappingStmt:
		case T_AlterUserMappingStmt:
		case T_DropUserMappingStmt:
		case T_ReindexStmt:
		case T_ClusterStmt:
		case T_RefreshMatViewStmt:
			return true;
		case T_AlterTableStmt:
			return alters_nothing((const AlterTableStmt *) parsetree);
		default:
			return false;
	}
}

/*
 * The schemas that unqualified names were looked up in, without the caller's
 * own temporary one.  pg_catalog in front is there without being named, and
 * must not be: new objects go to the first schema that is named.
 */
static char *
effective_search_path(void)
{
	StringInfoData path;
	Oid few[16];
	Oid *schemas = few;
	int n = fetch_search_path_array(few, lengthof(few));
	int i;

	initStringInfo(&path);
	if (n > lengthof(few))
	{
		schemas = palloc(n * sizeof(Oid));
		n = Min(n, fetch_search_path_array(schemas, n));
	}
	for (i = 0; i < n; i++)
	{
		char *name = get_namespace_name(schemas[i]);

		if (name == NULL || (i == 0 && schemas[i] == PG_CATALOG_NAMESPACE))
			continue;
		appendStringInfo(&path, "%s%s", path.len > 0 ? ", " : "",
						 quote_identifier(name));
	}
	return path.data;
}

/* What a repetition of the command needs to mean the same. */
static void
put_session(StringInfo out)
{
	static const char *const names[] = {
		"TimeZone",		 "DateStyle",
		"IntervalStyle", "extra_float_digits",
		"bytea_output",	 "standard_conforming_strings",
		"array_nulls",	 "transform_null_equals",
		"xmloption",	 "xmlbinary"
	};
	int i;

	json_text(out, "search_path", effective_search_path());
	json_key(out, "settings");
	appendStringInfoChar(out, '{');
	for (i = 0; i < lengthof(names); i++)
	{
		const char *value = GetConfigOption(names[i], true, false);

		if (value != NULL)
			json_text(out, names[i], value);
	}
	appendStringInfoChar(out, '}');
}

/* Fix what texts depend on until AtEOXact_GUC() is called for the level. */
static int
fix_settings(void)
{
	static const char *const settings[][2] = {
		{ "search_path", "pg_catalog, pg_temp" },
		{ "DateStyle", "ISO, MDY" },
		{ "IntervalStyle", "postgres" },
		{ "TimeZone", "UTC" },
		{ "extra_float_digits", "3" },
		{ "bytea_output", "hex" },
		{ "lc_monetary", "C" },
		{ "quote_all_identifiers", "off" }
	};
	int level = NewGUCNestLevel();
	int i;

	for (i = 0; i < lengthof(settings); i++)
	{
		const char *now = GetConfigOption(settings[i][0], true, false);

		if (now != NULL && strcmp(now, settings[i][1]) != 0)
			(void) set_config_option(settings[i][0], settings[i][1],
									 PGC_USERSET, PGC_S_SESSION,
									 GUC_ACTION_SAVE, true, 0, false);
	}
	return level;
}

/* The tables of the command, and the text of one that is not one transaction. */
static void
capture_state(Capture *c, CapturedObjects *objects, const List *partitions)
{
	StringInfo out = &c->details;
	int level = fix_settings();
	ListCell *lc;

	foreach (lc, partitions)
	{
		if (!relation_is_left_out(lfirst_oid(lc)))
			objects->tables = list_append_unique_oid(objects->tables,
													 lfirst_oid(lc));
	}
	json_key(out, "tables");
	appendStringInfoChar(out, '[');
	tables_put(out, objects->tables);
	appendStringInfoChar(out, ']');
	if (c->concurrent && IsA(c->parsetree, IndexStmt))
		c->command = command_plain_index(objects->index);
	AtEOXact_GUC(true, level);
}

/*
 * ddl_command_end; false if there is nothing to tell.  Identities of objects
 * are qualified in any case: no setting is touched for temporary tables.
 */
static bool
capture_end(Capture *c)
{
	StringInfo out = &c->details;
	CapturedObjects objects = { 0 };

	json_key(out, "objects");
	appendStringInfoChar(out, '[');
	objects_put_changed(out, &objects);
	appendStringInfoChar(out, ']');
	if (objects.count == 0)
		return false;
	c->concurrent = command_is_concurrent(c->parsetree);
	if (c->concurrent)
		c->command = command_plain_detach(c->parsetree);
	capture_state(c, &objects, command_partitions(c->parsetree));
	if (objects.left_out)
		c->command = NULL;
	return true;
}

/*
 * sql_drop.  What DROP OWNED takes depends on who owns what here, and text that
 * names a temporary object means nothing elsewhere: then the list has to do.
 */
static bool
capture_drop(Capture *c)
{
	StringInfo out = &c->details;
	CapturedObjects objects = { 0 };

	c->concurrent = command_is_concurrent(c->parsetree);
	json_key(out, "dropped");
	appendStringInfoChar(out, '[');
	objects_put_dropped(out, &objects);
	appendStringInfoChar(out, ']');
	if (c->concurrent)
		c->command = IsA(c->parsetree, DropStmt) && objects.identity != NULL
						 ? psprintf("DROP INDEX %s", objects.identity)
						 : NULL;
	if (objects.left_out || IsA(c->parsetree, DropOwnedStmt))
		c->command = NULL;
	return objects.count > 0;
}

static bool
capture_rewrite(Capture *c)
{
	StringInfo out = &c->details;
	Oid relid = DatumGetObjectId(
		OidFunctionCall0(F_PG_EVENT_TRIGGER_TABLE_REWRITE_OID));
	int reason = DatumGetInt32(
		OidFunctionCall0(F_PG_EVENT_TRIGGER_TABLE_REWRITE_REASON));

	if (relation_is_left_out(relid))
		return false;
	json_key(out, "rewrite");
	appendStringInfoChar(out, '{');
	json_oid(out, "table_oid", relid);
	json_text(out, "schema", get_namespace_name(get_rel_namespace(relid)));
	json_text(out, "name", get_rel_name(relid));
	json_int(out, "reason", reason);
	json_bool(out, "volatile",
			  rewrite_is_volatile(relid, reason, c->parsetree));
	appendStringInfoChar(out, '}');
	return true;
}

static bool
capture_details(Capture *c)
{
	switch (c->kind)
	{
		case EVENT_END:
			return capture_end(c);
		case EVENT_DROP:
			return capture_drop(c);
		case EVENT_REWRITE:
			return capture_rewrite(c);
	}
	return false;
}

/* Is it CREATE TABLE AS or SELECT INTO, whose rows come before the message? */
static bool
is_filled_table(const Node *parsetree)
{
	return IsA(parsetree, CreateTableAsStmt) &&
		   COMPAT_CTAS_KIND((const CreateTableAsStmt *) parsetree) ==
			   OBJECT_TABLE;
}

static void
put_message(StringInfo out, const Capture *c, CommandTag tag)
{
	static const char *const names[] = { "end", "drop", "rewrite" };

	appendStringInfo(out, "{\"xid\":\"" UINT64_FORMAT "\"",
					 U64FromFullTransactionId(GetTopFullTransactionId()));
	json_text(out, "event", names[c->kind]);
	json_text(out, "tag", GetCommandTagName(tag));
	json_text(out, "command", c->command);
	json_bool(out, "as", is_filled_table(c->parsetree));
	json_bool(out, "concurrently", c->concurrent);
	appendStringInfoChar(out, ',');
	appendBinaryStringInfo(out, c->session.data, c->session.len);
	appendStringInfoChar(out, ',');
	appendBinaryStringInfo(out, c->details.data, c->details.len);
	appendStringInfoChar(out, '}');
}

/* To change the schema is more important than to tell of it. */
static void
send_message(const StringInfoData *json)
{
	StringInfoData message;

	initStringInfo(&message);
	appendStringInfoString(&message, DDL_VERSION);
	if (!sign_bytes(&message, json->data, json->len))
	{
		ereport(WARNING,
				(errmsg("portage.ddl_key has no key: the change of the schema "
						"is not announced to pg_portage"),
				 errhint("Create the extension pg_portage anew.")));
		return;
	}
	appendStringInfoChar(&message, ' ');
	appendBinaryStringInfo(&message, json->data, json->len);
	compat_log_message(DDL_PREFIX, message.data, message.len);
}

static void
capture_event(EventKind kind, const EventTriggerData *trigger)
{
	Capture c;
	StringInfoData json;

	memset(&c, 0, sizeof(c));
	c.kind = kind;
	c.parsetree = trigger->parsetree;
	c.command = command_text(trigger->parsetree);
	initStringInfo(&c.session);
	initStringInfo(&c.details);
	if (!capture_details(&c))
		return;
	put_session(&c.session);
	initStringInfo(&json);
	put_message(&json, &c, trigger->tag);
	send_message(&json);
}

static EventKind
event_kind(const char *event)
{
	if (strcmp(event, "ddl_command_end") == 0)
		return EVENT_END;
	if (strcmp(event, "sql_drop") == 0)
		return EVENT_DROP;
	if (strcmp(event, "table_rewrite") == 0)
		return EVENT_REWRITE;
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("portage.capture() does not know event \"%s\"", event)));
	return EVENT_END; /* not reached */
}

/*
 * What the script of an extension creates comes with the extension.  Without
 * wal_level=logical no slot can exist that would read the message.
 */
Datum
portage_capture(PG_FUNCTION_ARGS)
{
	const EventTriggerData *trigger;
	MemoryContext context;
	MemoryContext caller;
	EventKind kind;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("portage.capture() is for event triggers only")));
	trigger = (const EventTriggerData *) fcinfo->context;
	kind = event_kind(trigger->event);
	if (creating_extension || !XLogLogicalInfoActive() ||
		is_of_no_interest(trigger->parsetree))
		PG_RETURN_NULL();
	context = AllocSetContextCreate(CurrentMemoryContext, "pg_portage capture",
									ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	capture_event(kind, trigger);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_NULL();
}
