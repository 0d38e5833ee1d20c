/*
 * expr_function.c
 *		What expressions may call: functions of SQLite that give the same value
 *		whenever they are asked, and our own.
 */
#include "expr/expr_db.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/mem.h"
#include "expr/expr_timestamp.h"

/* Sorted by kind; the list is also what a misspelt name is compared with. */
const char *const expr_function_names[] = {
	/* ours */
	"portage_op", "portage_lsn", "portage_xid", "portage_commit_time",
	"portage_source", "portage_counter", "dec_add", "dec_sub", "dec_mul",
	"dec_div", "dec_cmp", "dec_round", "at_time_zone", "regexp",
	"regexp_replace", "sha256",
	/* SQLite's: text and values */
	"abs", "char", "coalesce", "format", "glob", "hex", "ifnull", "iif",
	"instr", "length", "like", "likelihood", "likely", "lower", "ltrim", "max",
	"min", "nullif", "octet_length", "printf", "quote", "replace", "round",
	"rtrim", "sign", "soundex", "substr", "substring", "trim", "typeof",
	"unhex", "unicode", "unlikely", "upper", "zeroblob",
	/* dates */
	"date", "time", "datetime", "julianday", "unixepoch", "strftime",
	/* JSON */
	"json", "json_array", "json_array_length", "json_extract", "json_insert",
	"json_object", "json_patch", "json_quote", "json_remove", "json_replace",
	"json_set", "json_type", "json_valid", "->", "->>",
	/* mathematics */
	"acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil",
	"ceiling", "cos", "cosh", "degrees", "exp", "floor", "ln", "log", "log10",
	"log2", "mod", "pi", "pow", "power", "radians", "sin", "sinh", "sqrt",
	"tan", "tanh", "trunc",
	/* aggregates, for queries of references */
	"avg", "count", "group_concat", "json_group_array", "json_group_object",
	"string_agg", "sum", "total", NULL
};

static bool
is_named(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
	{
		if (expr_same_name(*names, name))
			return true;
	}
	return false;
}

bool
expr_function_allowed(const char *name)
{
	return is_named(expr_function_names, name);
}

bool
expr_function_fickle(const char *name)
{
	static const char *const names[] = {
		"random",		"randomblob",		 "current_date",
		"current_time", "current_timestamp", NULL
	};

	return is_named(names, name);
}

/* ---- for all functions */

void
expr_fail(sqlite3_context *context, const char *fmt, ...)
{
	char message[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	sqlite3_result_error(context, message, -1);
}

Slice
expr_argument(sqlite3_value *value)
{
	Slice text;

	text.data = (const char *) sqlite3_value_text(value);
	text.len = (size_t) sqlite3_value_bytes(value);
	return text;
}

bool
expr_register(ExprDb *db, const ExprFunction *functions, int count, Error *err)
{
	int i;

	for (i = 0; i < count; i++)
	{
		int flags = SQLITE_UTF8;

		if (functions[i].deterministic)
			flags |= SQLITE_DETERMINISTIC;
		if (sqlite3_create_function_v2(
				db->sql, functions[i].name, functions[i].argument_count, flags,
				db, functions[i].call, NULL, NULL, NULL) != SQLITE_OK)
			return error_set(err, P_RULE, "SQLite: %s",
							 sqlite3_errmsg(db->sql));
	}
	return true;
}

/* ---- the change itself */

static const ExprContext *
context_of(sqlite3_context *context)
{
	const ExprDb *db = sqlite3_user_data(context);

	return db->context;
}

static void
call_op(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void) count;
	(void) values;
	sqlite3_result_text(context, context_of(context)->op, -1, SQLITE_STATIC);
}

static void
call_lsn(sqlite3_context *context, int count, sqlite3_value **values)
{
	char lsn[LSN_STRING_SIZE];

	(void) count;
	(void) values;
	sqlite3_result_text(context, lsn_to_string(context_of(context)->lsn, lsn),
						-1, SQLITE_TRANSIENT);
}

static void
call_xid(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void) count;
	(void) values;
	if (context_of(context)->xid != 0)
		sqlite3_result_int64(context, context_of(context)->xid);
}

static void
call_commit_time(sqlite3_context *context, int count, sqlite3_value **values)
{
	char text[48];
	int len;

	(void) count;
	(void) values;
	if (context_of(context)->commit_time_us == 0)
		return;
	len = expr_print_timestamp(context_of(context)->commit_time_us, true, text);
	sqlite3_result_text(context, text, len, SQLITE_TRANSIENT);
}

static void
call_source(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void) count;
	(void) values;
	sqlite3_result_text(context, context_of(context)->source, -1,
						SQLITE_STATIC);
}

/* The first argument is the expression, which the compiler has put there. */
static void
call_counter(sqlite3_context *context, int count, sqlite3_value **values)
{
	ExprDb *db = sqlite3_user_data(context);
	const ExprContext *change = db->context;
	int expression = sqlite3_value_int(values[0]);
	int64_t next = 0;
	Slice key;

	(void) count;
	if (db->locating)
		return;
	if (change->counter == NULL)
	{
		expr_fail(context, "portage_counter has no place here");
		return;
	}
	key = expr_argument(values[1]);
	if (key.data == NULL)
	{
		if (sqlite3_value_type(values[1]) == SQLITE_NULL)
			expr_fail(context, "portage_counter: the key is NULL");
		else
			sqlite3_result_error_nomem(context);
		return;
	}
	if (change->counter(change->counter_arg, expression, key, &next,
						expr_problem(db)))
		sqlite3_result_int64(context, next);
	else
	{
		db->problem_expression = expression;
		expr_fail(context, "portage_counter");
	}
}

/* ---- hashes */

static void
call_sha256(sqlite3_context *context, int count, sqlite3_value **values)
{
	ExprDb *db = sqlite3_user_data(context);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	char hex[2 * EVP_MAX_MD_SIZE];
	const void *data;

	(void) count;
	if (sqlite3_value_type(values[0]) == SQLITE_NULL)
		return;
	data = sqlite3_value_type(values[0]) == SQLITE_BLOB
			   ? sqlite3_value_blob(values[0])
			   : expr_argument(values[0]).data;
	/* with NULL for the algorithm it is not looked up again */
	if (EVP_DigestInit_ex(db->digest, db->digest_known ? NULL : EVP_sha256(),
						  NULL) != 1 ||
		EVP_DigestUpdate(db->digest, data != NULL ? data : "",
						 (size_t) sqlite3_value_bytes(values[0])) != 1 ||
		EVP_DigestFinal_ex(db->digest, digest, &len) != 1)
	{
		expr_fail(context, "sha256: libcrypto refuses");
		return;
	}
	db->digest_known = true;
	hex_put(hex, digest, len);
	sqlite3_result_text(context, hex, (int) (2 * len), SQLITE_TRANSIENT);
}

/*
 * Those about the change are not deterministic: in a statement that never ends,
 * SQLite would ask once and for all.
 */
bool
expr_add_functions(ExprDb *db, Error *err)
{
	static const ExprFunction functions[] = {
		{ "portage_op", 0, false, call_op },
		{ "portage_lsn", 0, false, call_lsn },
		{ "portage_xid", 0, false, call_xid },
		{ "portage_commit_time", 0, false, call_commit_time },
		{ "portage_source", 0, false, call_source },
		{ "portage_counter", 2, false, call_counter },
		{ "sha256", 1, true, call_sha256 },
	};

	db->digest = EVP_MD_CTX_new();
	BUG_UNLESS(db->digest != NULL);
	return expr_register(db, functions,
						 (int) (sizeof(functions) / sizeof(*functions)), err) &&
		   expr_add_numeric(db, err) && expr_add_time(db, err) &&
		   expr_add_regexp(db, err) && expr_add_printf(db, err);
}
