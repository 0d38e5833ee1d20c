/*
 * expr_db.c
 *		The database that expressions run in, and what keeps them inside.
 *
 * Four walls, each of which would do alone:
 *
 * - the authorizer (expr_guard.c) lets SELECT, reading of the row and of references,
 *   and functions from our list pass;
 * - SQLite gets no way to the system: our VFS opens nothing that has a name, loads
 *   no code and refuses to tell the time;
 * - steps, memory and sizes are limited, for each evaluation;
 * - DEFENSIVE, no trusted schema, no extensions, no double-quoted strings.
 *
 * The database is a temporary one of SQLite: pages stay in its cache until that is
 * full, and only then a file is made, which is unlinked as soon as it is open.
 *
 * Memory is counted per thread by an allocator of our own, without the mutex that
 * SQLite's own statistics would take for each allocation in all threads.
 */
#include "expr/expr_db.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define VFS_NAME "portage"
#define STEPS_PER_CALL 1000
#define MB ((int64_t) 1024 * 1024)

/* ---- memory and time, as the thread sees them */

static _Thread_local struct
{
	bool limited;
	int64_t used;
	bool memory_refused;
	bool time_asked;
} evaluation;

static void *
memory_alloc(int size)
{
	void *ptr;

	if (evaluation.limited && evaluation.used + size > EXPR_MEMORY_MB * MB)
	{
		evaluation.memory_refused = true;
		return NULL;
	}
	ptr = malloc((size_t) size);
	if (ptr != NULL)
		evaluation.used += (int64_t) malloc_usable_size(ptr);
	return ptr;
}

static void
memory_free(void *ptr)
{
	evaluation.used -= (int64_t) malloc_usable_size(ptr);
	free(ptr);
}

static void *
memory_realloc(void *ptr, int size)
{
	int64_t before = (int64_t) malloc_usable_size(ptr);
	void *moved;

	if (evaluation.limited &&
		evaluation.used + size - before > EXPR_MEMORY_MB * MB)
	{
		evaluation.memory_refused = true;
		return NULL;
	}
	moved = realloc(ptr, (size_t) size);
	if (moved != NULL)
		evaluation.used += (int64_t) malloc_usable_size(moved) - before;
	return moved;
}

static int
memory_size(void *ptr)
{
	return (int) malloc_usable_size(ptr);
}

static int
memory_round(int size)
{
	return (size + 7) & ~7;
}

static int
memory_begin(void *arg)
{
	(void) arg;
	return SQLITE_OK;
}

static void
memory_end(void *arg)
{
	(void) arg;
}

/* ---- the VFS */

static sqlite3_vfs *system_vfs;
static sqlite3_vfs own_vfs;

/* Only what has no name: temporary files, which nobody else can find. */
static int
vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		 int *out_flags)
{
	if (name != NULL)
	{
		file->pMethods = NULL;
		return SQLITE_CANTOPEN;
	}
	return system_vfs->xOpen(vfs, name, file, flags, out_flags);
}

static void *
vfs_load_nothing(sqlite3_vfs *vfs, const char *name)
{
	(void) vfs;
	(void) name;
	return NULL;
}

/* date('now') and its kin come here, and get NULL if we did not notice. */
static int
vfs_time64(sqlite3_vfs *vfs, sqlite3_int64 *time)
{
	(void) vfs;
	evaluation.time_asked = true;
	*time = 0;
	return SQLITE_ERROR;
}

static int
vfs_time(sqlite3_vfs *vfs, double *time)
{
	(void) vfs;
	evaluation.time_asked = true;
	*time = 0;
	return SQLITE_ERROR;
}

/* ---- once in the process */

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static int library_status;

static void
library_start(void)
{
	static const sqlite3_mem_methods memory = { memory_alloc,	memory_free,
												memory_realloc, memory_size,
												memory_round,	memory_begin,
												memory_end,		NULL };
	int status = sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);

	if (status == SQLITE_OK)
		status = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (status == SQLITE_OK)
		status = sqlite3_config(SQLITE_CONFIG_URI, 0);
	if (status == SQLITE_OK)
		status = sqlite3_initialize();
	if (status == SQLITE_OK)
	{
		system_vfs = sqlite3_vfs_find(NULL);
		own_vfs = *system_vfs;
		own_vfs.pNext = NULL;
		own_vfs.zName = VFS_NAME;
		own_vfs.xOpen = vfs_open;
		own_vfs.xDlOpen = vfs_load_nothing;
		own_vfs.xCurrentTime = vfs_time;
		own_vfs.xCurrentTimeInt64 = vfs_time64;
		status = sqlite3_vfs_register(&own_vfs, 0);
	}
	library_status = status;
}

/* ---- limits of an evaluation */

static int
progress(void *arg)
{
	ExprDb *db = arg;

	if (!evaluation.limited)
		return 0;
	db->steps_left -= STEPS_PER_CALL;
	return db->steps_left < 0;
}

void
expr_enter(ExprDb *db)
{
	evaluation.limited = true;
	evaluation.used = 0;
	evaluation.memory_refused = false;
	evaluation.time_asked = false;
	db->steps_left = EXPR_STEPS;
	if (db->problem.code != ERROR_CODE_NONE)
		error_clear(&db->problem);
	db->problem_expression = -1;
}

void
expr_leave(ExprDb *db)
{
	(void) db;
	evaluation.limited = false;
}

bool
expr_limits_kept(ExprDb *db, ErrorCode code, Error *err)
{
	if (db->steps_left < 0)
	{
		error_set(err, code, "it takes more than %d steps for one row",
				  EXPR_STEPS);
		return error_hint(err, "a reference is asked by its key at once, by "
							   "anything else row by row");
	}
	if (evaluation.memory_refused)
		return error_set(err, code, "it needs more than %d MB of memory",
						 EXPR_MEMORY_MB);
	if (evaluation.time_asked)
	{
		error_set(err, code, "it asks for the present time");
		return error_hint(err, "that is another one in the copy, in the stream "
							   "and when they are verified");
	}
	return true;
}

Error *
expr_problem(ExprDb *db)
{
	static _Thread_local Error ignored;

	return error_is_set(&db->problem) ? &ignored : &db->problem;
}

/* ---- the database */

static void
set_limits(sqlite3 *sql)
{
	static const struct
	{
		int limit;
		int value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, EXPR_VALUE_MB * (int) MB },
		{ SQLITE_LIMIT_SQL_LENGTH, (int) MB },
		{ SQLITE_LIMIT_EXPR_DEPTH, 200 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 20 },
		{ SQLITE_LIMIT_VDBE_OP, 1000000 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 0 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		sqlite3_limit(sql, limits[i].limit, limits[i].value);
}

static bool
set_options(ExprDb *db)
{
	static const struct
	{
		int option;
		int value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(*options); i++)
	{
		int now = -1;

		if (sqlite3_db_config(db->sql, options[i].option, options[i].value,
							  &now) != SQLITE_OK ||
			now != options[i].value)
			return false;
	}
	return true;
}

static bool
set_up(ExprDb *db, Error *err)
{
	char sql[256];

	if (!set_options(db))
		return error_set(err, P_RULE, "this SQLite (%s) lacks a safeguard",
						 sqlite3_libversion());
	set_limits(db->sql);
	/* json_ tables are declared now: that is a write to the authorizer */
	snprintf(sql, sizeof(sql),
			 "PRAGMA cache_size = -%d; PRAGMA synchronous = OFF; "
			 "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = OFF; "
			 "SELECT 1 FROM json_each('[]'), json_tree('[]')",
			 EXPR_REFERENCE_MB * 1024);
	if (!expr_run(db, sql, err) || !expr_add_functions(db, err))
		return false;
	sqlite3_set_authorizer(db->sql, expr_authorize, db);
	sqlite3_progress_handler(db->sql, STEPS_PER_CALL, progress, db);
	return true;
}

ExprDb *
expr_db_open(Error *err)
{
	ExprDb *db;
	int status;

	pthread_once(&library_once, library_start);
	if (library_status != SQLITE_OK)
	{
		error_set(err, P_RULE, "SQLite cannot be set up: %s",
				  sqlite3_errstr(library_status));
		return NULL;
	}
	db = mem_zalloc(sizeof(ExprDb));
	status = sqlite3_open_v2("", &db->sql,
							 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
								 SQLITE_OPEN_NOMUTEX,
							 VFS_NAME);
	if (status != SQLITE_OK)
		error_set(err, P_RULE, "SQLite opens no database: %s",
				  sqlite3_errstr(status));
	else if (set_up(db, err))
		return db;
	expr_db_close(db);
	return NULL;
}

void
expr_db_close(ExprDb *db)
{
	if (db == NULL)
		return;
	while (db->programs != NULL)
		expr_program_free(db->programs);
	expr_references_free(db);
	sqlite3_close(db->sql);
	expr_zones_free(db->zones);
	expr_patterns_free(db->patterns);
	expr_printf_free(db->printf);
	EVP_MD_CTX_free(db->digest);
	mem_free(db);
}

/* ---- statements of our own */

bool
expr_run(ExprDb *db, const char *sql, Error *err)
{
	bool own = db->own;
	int status;

	db->own = true;
	status = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);
	db->own = own;
	if (status == SQLITE_OK)
		return true;
	return error_set(err, P_RULE, "SQLite: %s", sqlite3_errmsg(db->sql));
}

sqlite3_stmt *
expr_prepare(ExprDb *db, const char *sql, Error *err)
{
	sqlite3_stmt *statement = NULL;
	bool own = db->own;
	int status;

	db->own = true;
	status = sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT,
								&statement, NULL);
	db->own = own;
	if (status != SQLITE_OK)
		error_set(err, P_RULE, "SQLite: %s", sqlite3_errmsg(db->sql));
	return statement;
}

int
expr_declare(ExprDb *db, const char *sql, char **message)
{
	bool own = db->own;
	int status;

	db->own = true;
	status = sqlite3_declare_vtab(db->sql, sql);
	db->own = own;
	if (status != SQLITE_OK)
		*message = sqlite3_mprintf("%s", sqlite3_errmsg(db->sql));
	return status;
}

void
expr_put_name(Buffer *sql, const char *name)
{
	buffer_putc(sql, '"');
	for (; *name != '\0'; name++)
	{
		if (*name == '"')
			buffer_putc(sql, '"');
		buffer_putc(sql, *name);
	}
	buffer_putc(sql, '"');
}

const char *
expr_bind_type(ExprBind bind)
{
	switch (bind)
	{
		case EXPR_BIND_INTEGER:
		case EXPR_BIND_BOOL:
			return "INTEGER";
		case EXPR_BIND_REAL:
			return "REAL";
		case EXPR_BIND_BLOB:
			return "BLOB";
		case EXPR_BIND_NUMERIC:
		case EXPR_BIND_TEXT:
			break;
	}
	return "TEXT";
}
