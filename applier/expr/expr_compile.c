/*
 * expr_compile.c
 *		From texts of expressions to one prepared statement.
 *
 * Each expression is compiled by itself first, so that an error is about the one it
 * is in and what it looks at is known, then all together:
 *
 *		SELECT (first), (second) FROM portage_row_1 AS "orders"
 *
 * The line break before each closing parenthesis ends a comment that the expression
 * may end with.  The tokens have shown that the parentheses match.
 */
#include "expr/expr_db.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/suggest.h"

ExprBind
expr_bind_of(uint32_t base_type_oid)
{
	switch (base_type_oid)
	{
		case 16: /* bool */
			return EXPR_BIND_BOOL;
		case BYTEA_OID:
			return EXPR_BIND_BLOB;
		case 20: /* int8 */
		case 21: /* int2 */
		case 23: /* int4 */
		case 26: /* oid */
			return EXPR_BIND_INTEGER;
		case 700: /* float4 */
		case 701: /* float8 */
			return EXPR_BIND_REAL;
		case 1700: /* numeric */
			return EXPR_BIND_NUMERIC;
		default:
			return EXPR_BIND_TEXT;
	}
}

int
expr_plain_column(const char *table, const ExprColumn *columns,
				  int column_count, const char *expression)
{
	static const char *const constants[] = { "NULL", "CURRENT_DATE",
											 "CURRENT_TIME",
											 "CURRENT_TIMESTAMP" };
	Error ignored = ERROR_INIT;
	ExprTokens tokens = { NULL, NULL, 0 };
	Arena arena;
	int first = 0;
	int last;
	int found = -1;
	size_t i;

	arena_init(&arena);
	if (expr_scan(expression, &arena, &tokens, &ignored))
	{
		last = tokens.count - 1;
		while (first < last && tokens.items[first].match == last)
			first++, last--;
		if (last == first + 2 && expr_token_name(&tokens, first, table) &&
			expr_token_sign(&tokens, first + 1, ".") &&
			!expr_is_old(&tokens, first))
			first += 2;
		if (first == last && expr_token_is_name(&tokens, first))
			found = expr_find_column(columns, column_count,
									 tokens.items[first].text);
		for (i = 0; i < sizeof(constants) / sizeof(*constants); i++)
		{
			if (expr_token_word(&tokens, first, constants[i]))
				found = -1;
		}
	}
	arena_release(&arena);
	return found < 0 ? -1 : found;
}

/* ---- errors in the words of the person who wrote the expression */

/* Names near to a word among columns, references and functions. */
static const char *
suggest_name(const ExprProgram *program, const char *word, Arena *arena)
{
	const ExprDb *db = program->db;
	const Reference *reference;
	const char **words;
	int count = program->column_count + 1;
	int i;

	for (reference = db->references; reference != NULL;
		 reference = reference->next)
		count += reference->column_count + 1;
	words = ARENA_ARRAY(arena, const char *, count);
	count = 0;
	for (i = 0; i < program->column_count; i++)
		words[count++] = program->columns[i].name;
	for (reference = db->references; reference != NULL;
		 reference = reference->next)
	{
		words[count++] = reference->name;
		for (i = 0; i < reference->column_count; i++)
			words[count++] = reference->columns[i].name;
	}
	return suggest(word, words);
}

static const char *
lower(Arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);
	char *p;

	for (p = copy; *p != '\0'; p++)
	{
		if (*p >= 'A' && *p <= 'Z')
			*p = (char) (*p - 'A' + 'a');
	}
	return copy;
}

static bool
unknown_name(const ExprProgram *program, const char *message, Error *err)
{
	static const char column[] = "no such column: ";
	static const char table[] = "no such table: ";
	static const char function[] = "no such function: ";
	const char *word;
	const char *near = NULL;
	Arena arena;

	arena_init(&arena);
	if (strncmp(message, function, strlen(function)) == 0)
	{
		word = message + strlen(function);
		if (expr_function_allowed(word))
			error_hint(err, "SQLite %s does not have it, newer ones do",
					   sqlite3_libversion());
		else
			near = suggest(lower(&arena, word), expr_function_names);
	}
	else if (strncmp(message, column, strlen(column)) == 0 ||
			 strncmp(message, table, strlen(table)) == 0)
	{
		word = message + strlen(message[8] == 'c' ? column : table);
		if (strchr(word, '.') != NULL)
			word = strrchr(word, '.') + 1;
		if (expr_find_column(program->columns, program->column_count, word) ==
			-2)
			error_hint(err, "there are several that differ in case only, which "
							"SQLite cannot tell apart");
		else
			near = suggest_name(program, word, &arena);
	}
	if (near != NULL)
		error_hint(err, "did you mean %s?", near);
	arena_release(&arena);
	return false;
}

static bool
compile_error(ExprProgram *program, int expression, Error *err)
{
	ExprDb *db = program->db;
	const char *message = sqlite3_errmsg(db->sql);
	char copy[512];

	if (error_is_set(&db->problem))
	{
		*err = db->problem;
		return unknown_name(program, err->message, err);
	}
	if (!expr_limits_kept(db, P_RULE, err))
		return false;
	snprintf(copy, sizeof(copy), "%s", message);
	if (expression >= 0 && strcmp(copy, "near \")\": syntax error") == 0)
		snprintf(copy, sizeof(copy),
				 "something is missing, at its end or before a )");
	error_set(err, P_RULE, "%s", copy);
	return unknown_name(program, copy, err);
}

/* ---- texts */

/* old.name becomes "old.name", a column of the row's table. */
static void
put_token(Buffer *sql, const ExprTokens *tokens, int *i, int expression)
{
	const ExprToken *token = &tokens->items[*i];

	buffer_putc(sql, ' ');
	if (expr_is_old(tokens, *i))
	{
		Buffer name;

		buffer_init(&name);
		*i += 2;
		buffer_printf(&name, "old.%s", tokens->items[*i].text);
		expr_put_name(sql, name.data);
		buffer_release(&name);
		return;
	}
	buffer_append(sql, tokens->source + token->start, (size_t) token->len);
	if (expr_token_name(tokens, *i, "portage_counter") &&
		expr_token_call(tokens, *i))
	{
		buffer_printf(sql, "(%d, ", expression);
		(*i)++;
	}
}

/* The expression as SQLite gets it: its tokens, and nothing between them. */
static const char *
expression_sql(ExprProgram *program, const ExprTokens *tokens, int expression)
{
	const char *text;
	Buffer sql;
	int i;

	buffer_init(&sql);
	for (i = 0; i < tokens->count; i++)
		put_token(&sql, tokens, &i, expression);
	text = arena_strdup(&program->arena, sql.data);
	buffer_release(&sql);
	return text;
}

/* Columns that the row's table is to have: all, and what is named as old. */
static void
add_row_column(ExprProgram *program, bool old, int index)
{
	int i;

	for (i = 0; i < program->row_column_count; i++)
	{
		if (program->row_columns[i].old == old &&
			program->row_columns[i].index == index)
			return;
	}
	program->row_columns[program->row_column_count].old = old;
	program->row_columns[program->row_column_count++].index = index;
}

static void
add_row_columns(ExprProgram *program, const ExprTokens *tokens)
{
	int i;
	int found;

	for (i = 0; i < tokens->count; i++)
	{
		bool old = expr_is_old(tokens, i);

		if (!expr_token_is_name(tokens, i))
			continue;
		found = expr_find_column(program->columns, program->column_count,
								 tokens->items[old ? i + 2 : i].text);
		if (found >= 0)
			add_row_column(program, old, found);
	}
}

/* ---- statements */

static sqlite3_stmt *
prepare(ExprProgram *program, const char *list, int expression, Error *err)
{
	ExprDb *db = program->db;
	sqlite3_stmt *statement = NULL;
	const char *tail = "";
	Buffer sql;
	int status;

	buffer_init(&sql);
	buffer_printf(&sql, "SELECT %s FROM %s AS ", list, program->module);
	expr_put_name(&sql, program->table);
	expr_enter(db);
	db->compiling = program;
	status = sqlite3_prepare_v3(db->sql, sql.data, (int) sql.len + 1,
								SQLITE_PREPARE_PERSISTENT, &statement, &tail);
	db->compiling = NULL;
	expr_leave(db);
	if (status != SQLITE_OK)
		compile_error(program, expression, err);
	else if (*tail != '\0' || !sqlite3_stmt_readonly(statement) ||
			 sqlite3_bind_parameter_count(statement) != 0 ||
			 sqlite3_column_count(statement) !=
				 (expression >= 0 ? 1 : program->count))
		error_set(err, P_RULE, "it is not one expression");
	else
	{
		buffer_release(&sql);
		return statement;
	}
	sqlite3_finalize(statement);
	buffer_release(&sql);
	return NULL;
}

static void
init_uses(ExprProgram *program, ExprUses *uses)
{
	uses->columns = ARENA_ARRAY(&program->arena, bool,
								program->column_count + 1);
	uses->old_columns = ARENA_ARRAY(&program->arena, bool,
									program->column_count + 1);
}

static bool
compile_alone(ExprProgram *program, const ExprTokens *tokens, int expression,
			  Error *err)
{
	ExprDb *db = program->db;
	sqlite3_stmt *statement;
	Buffer list;

	buffer_init(&list);
	buffer_printf(&list, "(%s\n)", program->sql[expression]);
	db->uses = &program->uses_of[expression];
	db->uses_arena = &program->arena;
	db->tokens = tokens;
	statement = prepare(program, list.data, expression, err);
	db->uses = NULL;
	db->uses_arena = NULL;
	db->tokens = NULL;
	buffer_release(&list);
	sqlite3_finalize(statement);
	return statement != NULL;
}

static bool
compile_together(ExprProgram *program, Error *err)
{
	Buffer list;
	int i;

	buffer_init(&list);
	for (i = 0; i < program->count; i++)
		buffer_printf(&list, "%s(%s\n)", i > 0 ? ", " : "", program->sql[i]);
	program->db->uses = &program->uses;
	program->db->uses_arena = &program->arena;
	program->statement = prepare(program, list.data, -1, err);
	program->db->uses = NULL;
	program->db->uses_arena = NULL;
	buffer_release(&list);
	return program->statement != NULL;
}

/* ---- programs */

static ExprProgram *
program_new(ExprDb *db, const char *table, const ExprColumn *columns,
			int column_count, int count)
{
	ExprProgram *program = mem_zalloc(sizeof(ExprProgram));
	Arena *arena = &program->arena;
	int i;

	arena_init(arena);
	program->db = db;
	program->next = db->programs;
	db->programs = program;
	program->module = arena_printf(arena, "portage_row_%d",
								   ++db->program_serial);
	program->table = arena_strdup(arena, table);
	program->column_count = column_count;
	program->columns = ARENA_ARRAY(arena, ExprColumn, column_count + 1);
	for (i = 0; i < column_count; i++)
	{
		program->columns[i].name = arena_strdup(arena, columns[i].name);
		program->columns[i].bind = columns[i].bind;
	}
	program->row_columns = ARENA_ARRAY(arena, RowColumn, 2 * column_count + 1);
	program->count = count;
	program->sql = ARENA_ARRAY(arena, const char *, count);
	program->uses_of = ARENA_ARRAY(arena, ExprUses, count);
	program->numbers = arena_zalloc(arena, (size_t) count, 32);
	init_uses(program, &program->uses);
	for (i = 0; i < count; i++)
		init_uses(program, &program->uses_of[i]);
	return program;
}

static bool
compile(ExprProgram *program, const char *const *expressions, int *wrong,
		Error *err)
{
	const ExprNames names = { program->db, program->table, program->columns,
							  program->column_count };
	ExprTokens *tokens = ARENA_ARRAY(&program->arena, ExprTokens,
									 program->count);
	int i;

	program->endless = true;
	for (i = 0; i < program->count; i++)
	{
		*wrong = i;
		if (!expr_scan(expressions[i], &program->arena, &tokens[i], err) ||
			!expr_check(&names, &tokens[i], err))
			return false;
		program->endless = program->endless && !expr_has_query(&tokens[i]);
		program->sql[i] = expression_sql(program, &tokens[i], i);
		add_row_columns(program, &tokens[i]);
	}
	*wrong = -1;
	if (expr_row_create(program) != SQLITE_OK)
		return error_set(err, P_RULE, "SQLite: %s",
						 sqlite3_errmsg(program->db->sql));
	for (i = 0; i < program->count; i++)
	{
		*wrong = i;
		if (!compile_alone(program, &tokens[i], i, err))
			return false;
	}
	*wrong = -1;
	return compile_together(program, err);
}

ExprProgram *
expr_compile(ExprDb *db, const char *table, const ExprColumn *columns,
			 int column_count, const char *const *expressions, int count,
			 int *wrong, Error *err)
{
	ExprProgram *program;

	*wrong = -1;
	if (count <= 0)
	{
		error_set(err, P_RULE, "no expression");
		return NULL;
	}
	program = program_new(db, table, columns, column_count, count);
	if (compile(program, expressions, wrong, err))
		return program;
	expr_program_free(program);
	return NULL;
}

void
expr_program_free(ExprProgram *program)
{
	ExprProgram **link;

	if (program == NULL)
		return;
	for (link = &program->db->programs; *link != program; link = &(*link)->next)
		;
	*link = program->next;
	sqlite3_finalize(program->statement);
	/* without functions: forgets the module and its table */
	sqlite3_create_module_v2(program->db->sql, program->module, NULL, NULL,
							 NULL);
	arena_release(&program->arena);
	mem_free(program);
}

const ExprUses *
expr_uses(const ExprProgram *program)
{
	return &program->uses;
}

const ExprUses *
expr_uses_of(const ExprProgram *program, int expression)
{
	BUG_UNLESS(expression >= 0 && expression < program->count);
	return &program->uses_of[expression];
}
