/*
 * stage_ddl.c
 *		Commands of the source while rules are in force.
 *
 * A command can be run again only where the target has the tables that it speaks
 * of as they are on the source.  Where a rule changes the table, the command is
 * dropped, and the next relation of the table shows what has become of its columns:
 * the derived relation is compared with what is noted, as where no command comes at
 * all.  What such a comparison cannot show stops the stream: a table that is
 * dropped or sees other rules under another name, rows that were written anew, a
 * command that is about tables of both sorts.
 *
 * What is known of names is what the stream has said (stage_names.c), then what the
 * schema was when the rules were prepared, then what is noted on the target: it is
 * as old as the last row there, however often we were started since.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "rules/rule_set_parts.h"
#include "rules/stage_ddl.h"

/* as much of a statement as an error shows */
#define MAX_SHOWN 600

static const char *
statement_of(const DdlEvent *event)
{
	return event->command != NULL ? event->command : event->tag;
}

bool
stage_ddl_refuse(const StageDdl *looking, const char *fmt, ...)
{
	const Txn *txn = &looking->stage->txn;
	const char *statement = statement_of(looking->event);
	char reason[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	error_set(looking->err, P_DDL_STREAM,
			  "%s in the transaction that committed at " LSN_FORMAT
			  " cannot be carried: %s",
			  looking->event->tag, LSN_ARGS(txn->commit_lsn), reason);
	error_detail(looking->err, "Transaction %u on the source: %.*s%s", txn->xid,
				 MAX_SHOWN, statement,
				 strlen(statement) > MAX_SHOWN ? "..." : "");
	return error_hint(looking->err,
					  "Do by hand on the target what has to be done there, and "
					  "run again with --ddl-done " LSN_FORMAT
					  ", or drop the migration and begin again with rules that "
					  "fit.",
					  LSN_ARGS(txn->commit_lsn));
}

const char *
stage_ddl_place(const StageDdl *looking, const ConfigRule *rule)
{
	return arena_printf(looking->arena, "%s:%d, %s",
						looking->stage->set->config.config->path,
						rule->place.line, rule->name);
}

const char *
stage_ddl_who(const StageDdl *looking, const StageFate *fate)
{
	if (fate->rule != NULL)
		return stage_ddl_place(looking, fate->rule);
	return fate->follows != NULL ? arena_printf(looking->arena, "reference %s",
												fate->follows->shape.name)
								 : NULL;
}

void
stage_ddl_count(StageDdl *looking, const StageFate *fate, const char *schema,
				const char *name)
{
	if (fate->unchanged)
		looking->unchanged++;
	else if (fate->rule == NULL)
		looking->absent++;
	else
	{
		looking->ruled++;
		if (looking->rule == NULL)
		{
			looking->rule = fate->rule;
			looking->table = arena_printf(looking->arena, "%s.%s", schema,
										  name);
		}
	}
}

/* ---- names */

void
stage_ddl_name(const StageDdl *looking, uint32_t oid, const char **schema,
			   const char **name)
{
	const StageName *told = stage_name(looking->stage, oid);
	const RuleInput *input = told != NULL
								 ? NULL
								 : rule_set_root(looking->stage->set, oid);

	*schema = told != NULL ? told->schema : input != NULL ? input->schema : "";
	*name = told != NULL ? told->name : input != NULL ? input->name : NULL;
}

bool
stage_ddl_noted(const StageDdl *looking, uint32_t oid, const char **schema,
				const char **name)
{
	Target *target = looking->stage->target;

	return target->ops->table_noted(target, oid, looking->arena, schema, name,
									looking->err);
}

/*
 * Rows that were written anew are not in the stream, and an expression may have
 * asked for what they were.
 */
static bool
look_at_rewrite(StageDdl *looking)
{
	const char *schema;
	const char *name;
	const char *who;
	StageFate fate;

	stage_ddl_name(looking, looking->event->rewritten_oid, &schema, &name);
	if (name == NULL)
	{
		looking->unchanged++;
		return true;
	}
	fate = stage_fate(looking->stage, schema, name);
	who = stage_ddl_who(looking, &fate);
	if (who != NULL &&
		!stage_is_copied(looking->stage, looking->event->rewritten_oid))
		return stage_ddl_refuse(
			looking,
			"it has written the rows of %s.%s anew, and what %s has "
			"made of them is from before",
			schema, name, who);
	stage_ddl_count(looking, &fate, schema, name);
	return true;
}

/* ---- the verdict */

/* Is it about nothing but tables and columns, which relations show? */
static bool
is_shown(const DdlEvent *event)
{
	static const char *const types[] = { "table", "table column" };

	/* who creates it from its rows tells what is not known of it */
	if (strncmp(event->tag, "CREATE TABLE", 12) == 0)
		return true;
	for (int i = 0; i < event->object_count; i++)
	{
		const DdlObject *object = &event->objects[i];
		bool shown = event->kind == DDL_DROP && !object->original;

		for (size_t k = 0; !shown && k < sizeof(types) / sizeof(types[0]); k++)
			shown = strcmp(object->type, types[k]) == 0;
		if (!shown)
			return false;
	}
	return true;
}

static bool
drop_message(const StageDdl *looking, bool *passes)
{
	const DdlEvent *event = looking->event;
	uint32_t xid = looking->stage->txn.xid;

	*passes = false;
	if (looking->rule == NULL)
		log_debug("%s of transaction %u is about nothing that comes here",
				  event->tag, xid);
	else if (is_shown(event))
		log_info(
			"%s of transaction %u is about table %s: what %s makes of it is"
			" changed before its next row",
			event->tag, xid, looking->table,
			stage_ddl_place(looking, looking->rule));
	else
		log_warning("%s of transaction %u is about table %s, which %s changes,"
					" and is not carried: %.*s",
					event->tag, xid, looking->table,
					stage_ddl_place(looking, looking->rule), MAX_SHOWN,
					statement_of(event));
	return true;
}

static bool
decide(const StageDdl *looking, bool *passes)
{
	const RuleStage *stage = looking->stage;
	int here = looking->unchanged + looking->others;

	if (looking->ruled > 0 && here > 0)
		return stage_ddl_refuse(
			looking, "table %s, which %s changes, is not all that it is about",
			looking->table, stage_ddl_place(looking, looking->rule));
	/* targets drop what they have */
	if (looking->absent > 0 && here > 0 && looking->event->kind == DDL_END)
		return stage_ddl_refuse(looking,
								"not all tables that it is about come here");
	if (here > 0 || looking->absent + looking->ruled == 0)
		return true;
	if (looking->ruled > 0 && stage->target->config->ddl == DDL_STOP)
		return stage_ddl_refuse(looking, "--ddl stop asks to stop");
	return drop_message(looking, passes);
}

static bool
look(StageDdl *looking, bool *passes)
{
	bool ok = false;

	switch (looking->event->kind)
	{
		case DDL_END:
			ok = stage_ddl_end(looking);
			break;
		case DDL_DROP:
			ok = stage_ddl_dropped(looking);
			break;
		case DDL_REWRITE:
			ok = look_at_rewrite(looking);
			break;
	}
	return ok && decide(looking, passes);
}

/* What was to stop was done by hand: no name that it gave is forgotten. */
static void
take_as_done(const StageDdl *looking, bool *passes)
{
	const DdlEvent *event = looking->event;

	for (int i = 0; event->kind == DDL_END && i < event->table_count; i++)
	{
		const char *schema;
		const char *name;

		stage_ddl_name_after(looking, &event->tables[i], &schema, &name);
		stage_name_put(looking->stage, event->tables[i].oid, schema, name);
	}
	log_info("%s of transaction %u was done by hand", event->tag,
			 looking->stage->txn.xid);
	error_clear(looking->err);
	*passes = false;
}

static bool
look_at_event(RuleStage *stage, const DdlEvent *event, Arena *arena,
			  bool *passes, Error *err)
{
	StageDdl looking = {
		.stage = stage, .event = event, .arena = arena, .err = err
	};

	if (look(&looking, passes))
		return true;
	if (err->code != P_DDL_STREAM ||
		stage->target->config->ddl_done != stage->txn.commit_lsn)
		return false;
	take_as_done(&looking, passes);
	return true;
}

bool
stage_ddl(RuleStage *stage, const Message *message, bool *passes, Error *err)
{
	DdlEvent event;
	Arena arena;
	bool genuine;
	bool ok;

	if (stage->ddl_key == NULL)
		return true;
	if (!ddl_event_verify(message, stage->ddl_key, stage->txn.xid, &genuine,
						  err))
		return false;
	if (!genuine)
		return true;
	arena_init(&arena);
	ok = ddl_event_parse(message, &arena, &event, err) &&
		 look_at_event(stage, &event, &arena, passes, err);
	arena_release(&arena);
	return ok;
}
