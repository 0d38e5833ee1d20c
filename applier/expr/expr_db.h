/*
 * expr_db.h
 *		What the files of expr/ share: the database, its programs, their state.
 *
 * Everything that SQLite calls back (virtual tables, functions, the authorizer,
 * the clock) finds the ExprDb it belongs to by its argument, or, where SQLite gives
 * none, by the thread: expr_enter() says which evaluation the thread is in.
 */
#ifndef PORTAGE_EXPR_DB_H
#define PORTAGE_EXPR_DB_H

#include <openssl/evp.h>
#include <sqlite3.h>

#include "base/buffer.h"
#include "expr/expr.h"
#include "expr/expr_scan.h"

/* The limits of one evaluation, and of what goes in and comes out. */
#define EXPR_STEPS 10000000
#define EXPR_MEMORY_MB 512
#define EXPR_VALUE_MB 256
/* References stay in memory up to here, then in a file that nobody else sees. */
#define EXPR_REFERENCE_MB 64

typedef struct Reference Reference;

struct ExprDb
{
	sqlite3 *sql;
	Reference *references; /* newest first */
	ExprProgram *programs; /* newest first */
	int program_serial;	   /* names their modules */

	/* while a statement is compiled */
	bool own;				/* it is ours: nothing is forbidden */
	ExprProgram *compiling; /* whose columns are allowed */
	ExprUses *uses;			/* what to note, or NULL */
	Arena *uses_arena;
	const ExprTokens *tokens; /* of the expression, if uses are noted */

	/* while one is evaluated */
	ExprProgram *running;
	const ExprContext *context;
	bool locating; /* once more, to find the expression that failed */
	int64_t steps_left;
	Error problem; /* better than SQLite's words; or nothing */
	int problem_expression;

	/* what functions keep from call to call */
	struct ExprZones *zones;
	struct ExprPatterns *patterns;
	struct ExprPrintf *printf;
	EVP_MD_CTX *digest;
	bool digest_known; /* it has its algorithm */
};

/* A column as the program's virtual table has it. */
typedef struct RowColumn
{
	bool old;
	int index; /* of the table's column */
} RowColumn;

struct ExprProgram
{
	ExprDb *db;
	ExprProgram *next;
	Arena arena;
	const char *module; /* name of the virtual table */
	const char *table;
	ExprColumn *columns;
	int column_count;
	RowColumn *row_columns;
	int row_column_count;
	int count;
	const char **sql; /* of each expression, as it is given to SQLite */
	sqlite3_stmt *statement;
	/* no subquery, no aggregate: the statement never ends, each row is a step */
	bool endless;
	ExprUses uses;
	ExprUses *uses_of;
	char (*numbers)[32]; /* decimal forms of results */
	const Value *values;
	const Value *old;
};

/* ---- expr_db.c: what surrounds a call of SQLite */

/* Until expr_leave() this thread's allocations in SQLite are counted and limited,
 * and asking for the time is noted. Not nested. */
void expr_enter(ExprDb *db);
void expr_leave(ExprDb *db);

/* What limits there were in the way since expr_enter(); else err is untouched and
 * the result true. */
bool expr_limits_kept(ExprDb *db, ErrorCode code, Error *err);

/* P_RULE where a callback is to end the evaluation: the first one stays. */
Error *expr_problem(ExprDb *db);

/* Run a statement of our own. */
bool expr_run(ExprDb *db, const char *sql, Error *err) MUST_CHECK;
sqlite3_stmt *expr_prepare(ExprDb *db, const char *sql, Error *err);

/* sqlite3_declare_vtab(), which asks the authorizer as if it wrote. */
int expr_declare(ExprDb *db, const char *sql, char **message);

/* name in double quotes, doubled within */
void expr_put_name(Buffer *sql, const char *name);

/* The type to declare a column with, for SQLite's affinity. */
const char *expr_bind_type(ExprBind bind);

/* ---- expr_guard.c: the authorizer */

/* SQLite's callback while a statement of others is compiled; arg is the ExprDb. */
int expr_authorize(void *arg, int action, const char *first, const char *second,
				   const char *database, const char *trigger);

/* ---- expr_check.c: what tokens tell before SQLite is asked */

typedef struct ExprNames
{
	ExprDb *db;
	const char *table;
	const ExprColumn *columns;
	int column_count;
} ExprNames;

/* P_RULE says what may not be, and where. */
bool expr_check(const ExprNames *names, const ExprTokens *tokens,
				Error *err) MUST_CHECK;
/* The same of numerics alone; expr_check_numeric.c. */
bool expr_check_numeric(const ExprNames *names, const ExprTokens *tokens,
						Error *err) MUST_CHECK;
/* Does the statement have to begin anew for each row? */
bool expr_has_query(const ExprTokens *tokens);
/* old.name at token i? Then i is old, i + 2 the name. */
bool expr_is_old(const ExprTokens *tokens, int i);
/* Index of the column of that name; -1 none, -2 several that SQLite cannot tell
 * apart. */
int expr_find_column(const ExprColumn *columns, int count, const char *name);

/* ---- expr_row.c: the row as a virtual table */

/* The module of the program's rows; SQLite's code of the result. */
int expr_row_create(ExprProgram *program);
/* Give a value of a column to SQLite; false if its text is not UTF-8. */
bool
expr_result_value(sqlite3_context *context, ExprBind bind, const Value *value);
bool expr_bind_value(sqlite3_stmt *statement, int parameter, ExprBind bind,
					 const Value *value);
/* Length of the longest beginning that is UTF-8 without NUL. */
size_t expr_utf8_length(const char *data, size_t len);

/* ---- expr_real.c */

/* As PostgreSQL prints a float8; at most 32 bytes with the NUL. */
int expr_print_real(double value, char out[32]);

/* ---- expr_function.c and those it registers from */

typedef struct ExprFunction
{
	const char *name;
	int argument_count; /* -1: any */
	bool deterministic;
	void (*call)(sqlite3_context *context, int count, sqlite3_value **values);
} ExprFunction;

/* All there are; each of the others adds those of its own file. */
bool expr_add_functions(ExprDb *db, Error *err) MUST_CHECK;
bool expr_register(ExprDb *db, const ExprFunction *functions, int count,
				   Error *err) MUST_CHECK;
/* Names that expressions may call, NULL at the end. */
extern const char *const expr_function_names[];
bool expr_function_allowed(const char *name);
/* Its value differs from call to call. */
bool expr_function_fickle(const char *name);

bool expr_add_numeric(ExprDb *db, Error *err) MUST_CHECK;
bool expr_add_time(ExprDb *db, Error *err) MUST_CHECK;
void expr_zones_free(struct ExprZones *zones);
bool expr_add_regexp(ExprDb *db, Error *err) MUST_CHECK;
void expr_patterns_free(struct ExprPatterns *patterns);
bool expr_add_printf(ExprDb *db, Error *err) MUST_CHECK;
void expr_printf_free(struct ExprPrintf *own);

/* Fail the call with a message. */
void expr_fail(sqlite3_context *context, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The text of an argument, NUL behind it; data is NULL if memory is short. */
Slice expr_argument(sqlite3_value *value);

/* ---- expr_reference.c */

struct Reference
{
	Reference *next;
	ExprDb *db;
	char *name;
	ExprColumn *columns;
	int column_count;
	int *key;
	int key_count;
	bool required;
	Arena arena;
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
	sqlite3_stmt *find; /* one row by its key; of required ones */
	bool find_lent;		/* to a cursor, until its program is begun anew */
	sqlite3_stmt *get;	/* the same, never lent */
};

/* NULL if there is none. */
Reference *expr_reference_find(const ExprDb *db, const char *name);
void expr_references_free(ExprDb *db);
/* The virtual table over a required one; expr_required.c. */
int expr_required_create(Reference *reference);
/* Name of the table that holds it. */
const char *expr_reference_table(const Reference *reference, Arena *arena);

#endif /* PORTAGE_EXPR_DB_H */
