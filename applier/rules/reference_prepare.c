/*
 * reference_prepare.c
 *		What columns the references have that rules ask for.
 */
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "rules/reference_parts.h"
#include "source/query.h"
#include "text/csv_file.h"

/* ---- findings */

bool
reference_refuse(const ReferenceLook *look, const Error *err)
{
	char object[CONFIG_NAME_MAX + 16];

	snprintf(object, sizeof(object), "reference %s", look->config->name.text);
	finding_add_error(look->findings, SEVERITY_ERROR, object, err);
	return false;
}

bool
rule_reference_wrap(const RuleSet *set, const ConfigReference *reference,
					Error *err)
{
	return error_wrap(err, "%s:%d:%d: reference %s", set->config.config->path,
					  reference->name.place.line, reference->name.place.column,
					  reference->name.text);
}

bool
reference_unknown_column(const ReferenceLook *look, const ConfigText *word,
						 Error *err)
{
	const ExprReference *shape = &look->reference->shape;
	const char **names = ARENA_ARRAY(&look->set->arena, const char *,
									 (size_t) shape->column_count + 1);
	const char *meant;

	for (int i = 0; i < shape->column_count; i++)
		names[i] = shape->columns[i].name;
	meant = suggest(word->shown, names);
	config_error(look->set->config.config, word->place, err,
				 "reference %s: there is no column \"%s\"",
				 look->config->name.text, word->shown);
	if (meant != NULL)
		error_hint(err, "Did you mean \"%s\"?", meant);
	return reference_refuse(look, err);
}

int
reference_column(const ExprReference *shape, const char *name)
{
	for (int i = 0; i < shape->column_count; i++)
	{
		if (strcmp(shape->columns[i].name, name) == 0)
			return i;
	}
	return -1;
}

bool
reference_take_key(const ReferenceLook *look)
{
	ExprReference *shape = &look->reference->shape;
	const ConfigList *key = &look->config->key;
	Error err = ERROR_INIT;
	int *indexes = ARENA_ARRAY(&look->set->arena, int, (size_t) key->count);

	for (int i = 0; i < key->count; i++)
	{
		int column = reference_column(shape, key->items[i].text);

		if (column < 0)
			return reference_unknown_column(look, &key->items[i], &err);
		indexes[i] = column;
	}
	shape->key = indexes;
	shape->key_count = key->count;
	return true;
}

/* ---- a file */

char *
rule_reference_path(const RuleSet *set, const ConfigReference *reference,
					Arena *arena)
{
	if (reference->file.text[0] == '/')
		return arena_strdup(arena, reference->file.text);
	return arena_printf(arena, "%s/%s", set->config.config->folder,
						reference->file.text);
}

static bool
look_at_header(const ReferenceLook *look, CsvFile *csv, Error *err)
{
	ExprReference *shape = &look->reference->shape;
	Arena *arena = &look->set->arena;
	ExprColumn *columns;
	CsvRow row;

	if (!csv_next(csv, &row, err))
		return false;
	if (row.count == 0)
		return error_set(err, P_REFERENCE,
						 "%s is empty: its first line names the columns",
						 look->config->file.shown);
	columns = ARENA_ARRAY(arena, ExprColumn, (size_t) row.count);
	for (int i = 0; i < row.count; i++)
	{
		if (row.fields[i].data == NULL || row.fields[i].len == 0)
			return error_set(err, P_REFERENCE, "%s:%d: column %d has no name",
							 look->config->file.shown, row.line, i + 1);
		columns[i].name = arena_strdup(arena, row.fields[i].data);
		columns[i].bind = EXPR_BIND_TEXT;
	}
	shape->columns = columns;
	shape->column_count = row.count;
	return true;
}

static bool
look_at_file(const ReferenceLook *look, Error *err)
{
	CsvFile *csv = csv_open(
		rule_reference_path(look->set, look->config, &look->set->arena), err);
	bool ok = csv != NULL && look_at_header(look, csv, err);

	csv_close(csv);
	return ok;
}

/* ---- a query */

static bool
look_at_query(const ReferenceLook *look, Error *err)
{
	Query query = { look->config->url.text, look->config->query.text };
	QueryColumns columns;

	if (!query_describe(&query, &look->set->arena, &columns, err))
		return false;
	look->reference->shape.columns = columns.columns;
	look->reference->shape.column_count = columns.count;
	return true;
}

/* ---- all */

/* False for what passes by itself; *good: nothing is wrong with it. */
static bool
look_at(const ReferenceLook *look, bool *good, Error *err)
{
	const ConfigReference *config = look->config;
	Error why = ERROR_INIT;
	bool ok;

	look->reference->config = config;
	look->reference->shape.name = config->name.text;
	look->reference->shape.required = config->required;
	if (config->kind == REFERENCE_TABLE)
	{
		*good = reference_look_at_table(look);
		return true;
	}
	ok = config->kind == REFERENCE_FILE ? look_at_file(look, &why)
										: look_at_query(look, &why);
	if (ok)
	{
		*good = reference_take_key(look);
		return true;
	}
	(void) rule_reference_wrap(look->set, config, &why);
	*good = false;
	if (why.code == P_REFERENCE)
	{
		(void) reference_refuse(look, &why);
		return true;
	}
	*err = why;
	return false;
}

static void
tell_unasked(const ReferenceLook *look)
{
	char object[CONFIG_NAME_MAX + 16];

	if (reference_asked_anywhere(look->set->config.config,
								 look->config->name.text))
		return;
	snprintf(object, sizeof(object), "reference %s", look->config->name.text);
	finding_add(look->findings, SEVERITY_NOTE, 0, object, "",
				"no rule asks it: it is not read");
}

bool
rule_references_prepare(RuleSet *set, const Schema *schema, Findings *findings,
						Error *err)
{
	const Config *config = set->config.config;

	set->references = ARENA_ARRAY(&set->arena, RuleReference,
								  (size_t) config->reference_count);
	for (int i = 0; i < config->reference_count; i++)
	{
		ReferenceLook look = { set, schema, findings, &config->references[i],
							   &set->references[set->reference_count] };
		bool good = true;

		if (!reference_asked(set, look.config->name.text))
			tell_unasked(&look);
		else if (!reference_foreign(set, look.config))
		{
			if (!look_at(&look, &good, err))
				return false;
			set->reference_count += good;
			set->references_wrong |= !good;
		}
	}
	return true;
}

bool
rule_reference_clear(const RuleReference *reference, ExprDb *db, Error *err)
{
	return expr_reference_clear(db, reference->shape.name, err);
}

bool
rule_references_create(const RuleSet *set, ExprDb *db, Error *err)
{
	for (int i = 0; i < set->reference_count; i++)
	{
		const ConfigPlace place = set->references[i].config->name.place;

		/* its errors begin with the name of the reference */
		if (!expr_reference_create(db, &set->references[i].shape, err))
			return error_wrap(err, "%s:%d:%d", set->config.config->path,
							  place.line, place.column);
	}
	return true;
}
