/*
 * preflight.c
 *		See preflight.h.
 *
 * What concerns one server is the adapters' business; here is what concerns
 * the two together.
 */
#include "command/preflight.h"

#include <stdio.h>
#include <string.h>

#include "command/session_rules.h"
#include "copy/copy_schema.h"

static bool
check_same_database(Session *session, Findings *findings, Error *err)
{
	char system_id[sizeof(session->identity.system_id)];
	char database[sizeof(session->identity.database)];

	if (!session->target->ops->identify(session->target, system_id,
										sizeof(system_id), database,
										sizeof(database), err))
		return false;
	if (system_id[0] != '\0' &&
		strcmp(system_id, session->identity.system_id) == 0 &&
		strcmp(database, session->identity.database) == 0)
		finding_add(findings, SEVERITY_ERROR, P_SAME_DATABASE, "target",
					"name another target",
					"source and target are the database \"%s\" of the same "
					"cluster (system identifier %s)",
					database, system_id);
	return true;
}

bool
preflight_distinct(Session *session, Error *err)
{
	Findings findings;
	Arena arena;
	bool ok;

	arena_init(&arena);
	findings_init(&findings, &arena);
	findings.side = FINDING_TARGET;
	ok = check_same_database(session, &findings, err) &&
		 findings_verdict(&findings, err);
	arena_release(&arena);
	return ok;
}

/* The tables that a copy would create must not be there yet. */
static bool
check_occupied(Session *session, CopyView *view, Findings *findings, Error *err)
{
	Table *tables;
	int count;
	const char *what = NULL;

	if (!copy_view_tables(view, findings->arena, &tables, &count, err) ||
		!session->target->ops->occupied(session->target, tables, count, &what,
										findings->arena, err))
		return false;
	if (count == 0)
	{
		findings->side = FINDING_SOURCE;
		finding_add(findings, SEVERITY_WARNING, 0, "source",
					"check --tables and --exclude-tables",
					"there is no table to migrate");
		findings->side = FINDING_TARGET;
	}
	if (what != NULL)
		finding_add(findings, SEVERITY_ERROR, P_TARGET_NOT_EMPTY, "target",
					"use an empty database, or remove them there",
					"the target has tables of the same names already: %s",
					what);
	else
		finding_add(findings, SEVERITY_OK, 0, "target", "",
					session->target->ops->features.own_schema
						? "none of the %d tables to migrate has rows there"
						: "none of the %d tables to migrate is there yet",
					count);
	return true;
}

/* What will be other on the target than on the source, and what cannot be. */
static bool
check_translation(Session *session, CopyView *view, Findings *findings,
				  Error *err)
{
	Translation translation;

	if (!session->target->ops->features.own_schema)
		return true;
	if (!copy_schema_translate(view, session->target, findings->arena,
							   &translation, err))
		return false;
	findings_add_all(findings, &translation.decisions);
	return true;
}

/* What findings say outlives the view. */
static bool
check_view(Session *session, Findings *findings, Error *err)
{
	static const SnapshotRef now = { .id = NULL };
	int first = findings->count;
	CopyView view;
	bool ok;

	if (!copy_view_open(&view, session->source, session->rules, &now, err))
		return false;
	ok = check_translation(session, &view, findings, err) &&
		 check_occupied(session, &view, findings, err);
	findings_own(findings, first);
	copy_view_close(&view);
	return ok;
}

/* Once a migration has begun, its tables are there because of it. */
static bool
check_migration(Session *session, Findings *findings, Error *err)
{
	const Progress *progress = &session->progress;
	Error refused = ERROR_INIT;

	if (!session_read_progress(session, err))
		return false;
	if (progress->phase == PHASE_NONE)
		return check_view(session, findings, err);
	finding_add(findings, SEVERITY_NOTE, 0, "target", "",
				"the migration \"%s\" has begun: it is in phase \"%s\"",
				session->options->name, phase_name(progress->phase));
	if (!session_check(session, &refused))
		finding_add_error(findings, SEVERITY_ERROR, "target", &refused);
	return progress->phase < PHASE_COPY || progress->phase > PHASE_STREAM ||
		   session->target->ops->check_tables(session->target, findings, err);
}

bool
preflight_source(Session *session, Findings *findings, Error *err)
{
	const SourceOps *ops = session->source->ops;

	return ops->check(session->source, findings, err) &&
		   ops->check_objects(session->source, findings, err);
}

bool
preflight_target(Session *session, Findings *findings, Error *err)
{
	return session->target->ops->check(session->target, findings, err);
}

bool
preflight_pair(Session *session, Findings *findings, Error *err)
{
	Needs needs;
	int before = findings_count(findings, SEVERITY_ERROR);
	bool rules_work;

	findings->side = FINDING_HERE;
	if (!session_rules_prepare(session, findings, err))
		return false;
	/* what does not compile makes no tables that could be looked at */
	rules_work = findings_count(findings, SEVERITY_ERROR) == before;
	findings->side = FINDING_SOURCE;
	if (!session->source->ops->needs(session->source, findings->arena, &needs,
									 err))
		return false;
	findings->side = FINDING_TARGET;
	return session->target->ops->check_fit(session->target, &needs, findings,
										   err) &&
		   check_same_database(session, findings, err) &&
		   (!rules_work || check_migration(session, findings, err));
}

bool
preflight(Session *session, Findings *findings, Error *err)
{
	return preflight_source(session, findings, err) &&
		   preflight_target(session, findings, err) &&
		   preflight_pair(session, findings, err);
}
