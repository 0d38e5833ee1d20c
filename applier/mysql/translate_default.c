/*
 * translate_default.c
 *		What the target fills in or computes by itself: AUTO_INCREMENT, defaults,
 *		generated columns.
 *
 * Rows of the source always come with their values, so that nothing of this has
 * a part in the migration but generated columns; it is for those who write to the
 * target afterwards.
 */
#include "mysql/translate_expr.h"

#include <strings.h>

/* Is it filled from a sequence of its own? */
static bool
counts_up(const WorkColumn *column)
{
	const SchemaColumn *source = column->source;

	return source->identity != 0 ||
		   (source->sequence != NULL && source->default_sql != NULL &&
			strncasecmp(source->default_sql, "nextval(", 8) == 0);
}

/* ---- defaults */

/* The text of a constant, as the type's output function has it; or NULL. */
static const char *
constant_text(const PgExpr *expr, Arena *arena)
{
	const PgExpr *bare = pg_expr_bare(expr);

	switch (bare->kind)
	{
		case PG_EXPR_TEXT:
		case PG_EXPR_NUMBER:
		case PG_EXPR_BITS:
			return bare->text;
		case PG_EXPR_BOOLEAN:
			return bare->value ? "t" : "f";
		case PG_EXPR_OPERATOR:
			if (bare->arg_count == 1 && strcmp(bare->text, "-") == 0 &&
				pg_expr_bare(bare->args[0])->kind == PG_EXPR_NUMBER)
				return arena_printf(arena, "-%s",
									pg_expr_bare(bare->args[0])->text);
			return NULL;
		default:
			return NULL;
	}
}

/* In parentheses where no literal may stand. */
static const char *
constant_sql(const WorkColumn *column, const char *text, Arena *arena)
{
	LiteralKind kind = column_map_literal(&column->map);
	const char *literal = column_literal(column, text, arena);

	if (literal == NULL)
		return NULL;
	return !column->blob && (kind == LITERAL_NUMBER || kind == LITERAL_TEXT)
			   ? literal
			   : arena_printf(arena, "(%s)", literal);
}

/* now() and its like; "now" of another moment of the transaction as well. */
static bool
is_now(const PgExpr *expr)
{
	static const char *const calls[] = { "now", "transaction_timestamp",
										 "statement_timestamp",
										 "clock_timestamp" };
	const PgExpr *bare = pg_expr_bare(expr);

	if (bare->kind == PG_EXPR_WORD)
		return strncasecmp(bare->text, "CURRENT_TIME", 12) == 0 ||
			   strncasecmp(bare->text, "LOCALTIME", 9) == 0 ||
			   strcasecmp(bare->text, "CURRENT_DATE") == 0;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
	{
		if (pg_expr_is_call(bare, calls[i], 0))
			return true;
	}
	return false;
}

static bool
is_utc(const PgExpr *expr)
{
	const PgExpr *bare = pg_expr_bare(expr);

	return bare->kind == PG_EXPR_TEXT && (strcasecmp(bare->text, "utc") == 0 ||
										  strcasecmp(bare->text, "gmt") == 0);
}

/* now() AT TIME ZONE 'utc', in both spellings */
static bool
is_utc_now(const PgExpr *expr)
{
	const PgExpr *bare = pg_expr_bare(expr);

	if (bare->kind == PG_EXPR_OPERATOR && bare->arg_count == 2 &&
		strcmp(bare->text, "AT TIME ZONE") == 0)
		return is_now(bare->args[0]) && is_utc(bare->args[1]);
	return pg_expr_is_call(bare, "timezone", 2) && is_utc(bare->args[0]) &&
		   is_now(bare->args[1]);
}

static const char *
digits(const WorkColumn *column, Arena *arena)
{
	return column->map.precision > 0
			   ? arena_printf(arena, "(%d)", column->map.precision)
			   : "";
}

/* A column in UTC needs the time of UTC, whatever zone the session has. */
static const char *
now_sql(const WorkColumn *column, bool utc, Arena *arena)
{
	switch (column->map.convert)
	{
		case CONVERT_UTC:
			return arena_printf(
				arena, "(UTC_TIMESTAMP%s)",
				column->map.precision > 0 ? digits(column, arena) : "()");
		case CONVERT_DATETIME:
			return arena_printf(
				arena, utc ? "(UTC_TIMESTAMP%s)" : "CURRENT_TIMESTAMP%s",
				column->map.precision > 0 || !utc ? digits(column, arena)
												  : "()");
		case CONVERT_DATE:
			return utc ? "(UTC_DATE())" : "(CURRENT_DATE)";
		case CONVERT_TIME:
			return utc ? NULL
					   : arena_printf(arena, "(CURRENT_TIME%s)",
									  digits(column, arena));
		default:
			return NULL;
	}
}

/* Extensions have them in any schema. */
static bool
is_new_uuid(const PgExpr *expr)
{
	static const char *const names[] = { "gen_random_uuid", "uuid_generate_v4",
										 "uuid_generate_v1", "uuidv4",
										 "uuidv7" };
	const char *name = strrchr(expr->text, '.');

	name = name != NULL ? name + 1 : expr->text;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (expr->kind == PG_EXPR_CALL && expr->arg_count == 0 &&
			strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* NULL if there is none that means the same. */
static const char *
default_sql(const WorkColumn *column, const PgExpr *expr, Arena *arena)
{
	const PgExpr *bare = pg_expr_bare(expr);
	const char *text = constant_text(expr, arena);

	if (text != NULL)
		return constant_sql(column, text, arena);
	if (is_now(expr))
		return now_sql(column, false, arena);
	if (is_utc_now(expr))
		return now_sql(column, true, arena);
	if (is_new_uuid(bare) && column->family == FAMILY_WORD)
		return "(UUID())";
	return NULL;
}

static void
translate_default(WorkColumn *column, Arena *arena)
{
	const char *source = column->source->default_sql;
	const PgExpr *expr;
	const char *why;

	if (source == NULL || counts_up(column))
		return;
	expr = pg_expr_parse(source, arena, &why);
	if (expr != NULL && pg_expr_bare(expr)->kind == PG_EXPR_NULL)
		return;
	if (expr != NULL)
		column->default_sql = default_sql(column, expr, arena);
	if (column->default_sql == NULL)
		work_column_note(
			column, arena, SEVERITY_WARNING,
			"its default %s is left out: rows that others write to "
			"the target have to bring the value",
			source);
	else if (strcmp(column->default_sql, "(UUID())") == 0)
		work_column_note(column, arena, SEVERITY_NOTE,
						 "the default's UUIDs are of version 1 there: made of "
						 "the time, not at random");
}

/* ---- AUTO_INCREMENT */

/* Is it the first column of a key that the table has from the beginning? */
static bool
leads_key(const WorkTable *table, const WorkColumn *column)
{
	for (int i = 0; i < table->source->index_count; i++)
	{
		const WorkKey *key = &table->keys[i];

		if ((key->fate == KEY_PRIMARY || key->fate == KEY_IN_TABLE) &&
			key->exact && key->columns[0] == column)
			return true;
	}
	return false;
}

static const char *
no_counter(const WorkTable *table, const WorkColumn *column, bool taken)
{
	if (taken)
		return "a table has one such column at most";
	if (column->map.convert != CONVERT_INTEGER)
		return "its type is no integer";
	return leads_key(table, column) ? NULL
									: "it is not the first column of a key";
}

static void
translate_counters(WorkTable *table, Arena *arena)
{
	bool taken = false;

	for (int i = 0; i < table->column_count; i++)
	{
		WorkColumn *column = &table->columns[i];
		const char *why;

		if (!counts_up(column))
			continue;
		why = no_counter(table, column, taken);
		if (why != NULL)
		{
			work_column_note(
				column, arena, SEVERITY_WARNING,
				"it does not become AUTO_INCREMENT, since %s: rows "
				"that others write to the target have to bring the "
				"value",
				why);
			continue;
		}
		taken = true;
		column->auto_increment = true;
		column->map.sequence = column->source->sequence;
		work_column_note(column, arena, SEVERITY_OK,
						 "goes on where the sequence stands");
	}
}

/* ---- generated columns */

/* MariaDB has none in a primary key, and no server one in a foreign key. */
static bool
must_be_plain(const WorkTable *table, const WorkColumn *column)
{
	const SchemaTable *source = table->source;
	const SchemaIndex *primary = schema_primary_key(source);

	for (int i = 0; primary != NULL && i < primary->part_count; i++)
	{
		if (primary->parts[i].column != NULL &&
			strcmp(primary->parts[i].column, column->map.name) == 0)
			return true;
	}
	for (int i = 0; i < source->foreign_key_count; i++)
	{
		for (int c = 0; c < source->foreign_keys[i].column_count; c++)
		{
			if (strcmp(source->foreign_keys[i].columns[c], column->map.name) ==
				0)
				return true;
		}
	}
	return false;
}

/* Is a value of the expression one of the column, without a change? */
static bool
same_family(const WorkColumn *column, const ExprSql *expr)
{
	if (column->family == FAMILY_DECIMAL)
		return expr->family == FAMILY_INTEGER || expr->family == FAMILY_DECIMAL;
	return expr->family == column->family && expr->family != FAMILY_OPAQUE &&
		   expr->family != FAMILY_UTC;
}

static const char *
no_expression(const WorkTable *table, const WorkColumn *column,
			  const ExprScope *scope, ExprSql *expr)
{
	if (column->source->default_sql == NULL)
		return "its expression is not known";
	if (must_be_plain(table, column))
		return "it is part of a primary or foreign key";
	if (!expr_translate(scope, column->source->default_sql, expr))
		return expr->why;
	if (expr_uses_auto_increment(expr))
		return "it depends on a column that is AUTO_INCREMENT";
	if (expr->approximate)
		return "the servers do not fold the case of all letters alike";
	return same_family(column, expr) ? NULL : "its type is another one there";
}

static void
set_generated(WorkColumn *column, const ExprSql *expr, Arena *arena)
{
	column->generated_sql = expr->sql;
	/* rounding by itself would raise a note for every row */
	if (expr->family == FAMILY_DECIMAL && expr->scale > column->map.scale)
		column->generated_sql = arena_printf(
			arena, "CAST(%s AS DECIMAL(%d,%d))", expr->sql,
			column->map.precision, column->map.scale);
	column->stored = column->source->generated == 's';
	column->map.computed = true;
	work_column_note(column, arena, SEVERITY_OK,
					 "computed there from the same columns");
}

static void
translate_generated(const Translator *self, WorkTable *table,
					WorkColumn *column)
{
	ExprScope scope = { .table = table,
						.utf8 = translator_is_utf8(self),
						.md5 = self->target->mariadb,
						.arena = self->arena };
	ExprSql expr;
	const char *why = no_expression(table, column, &scope, &expr);

	if (why == NULL)
		set_generated(column, &expr, self->arena);
	else if (column->source->generated == 's')
		work_column_note(column, self->arena, SEVERITY_WARNING,
						 "a plain column there, which gets the values that the "
						 "source computes (%s): %s. Who writes to the target "
						 "afterwards has to compute it",
						 column->source->default_sql, why);
	else
	{
		column->left_out = true;
		column->map.computed = true;
		column->map.type = "";
		finding_add(self->decisions, SEVERITY_WARNING, 0,
					arena_printf(self->arena, "column %s.%s", table->label,
								 column->map.name),
					"compute it where it is read, or make it STORED on the "
					"source",
					"it is VIRTUAL and not on the target: %s", why)
			->left_behind = true;
		work_column_note(column, self->arena, SEVERITY_NOTE,
						 "left out: it is VIRTUAL, and %s", why);
	}
}

void
translate_computed_column(Translator *self, WorkTable *table,
						  WorkColumn *column)
{
	if (column->source->generated != 0)
		translate_generated(self, table, column);
	else
		translate_default(column, self->arena);
}

void
translate_computed(Translator *self, WorkTable *table)
{
	translate_counters(table, self->arena);
	for (int i = 0; i < table->column_count; i++)
		translate_computed_column(self, table, &table->columns[i]);
}
