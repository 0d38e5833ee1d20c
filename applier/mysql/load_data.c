/*
 * load_data.c
 *		LOAD DATA LOCAL, with rows from memory for a file; what makes a
 *		statement that writes rows a success.
 */
#include "mysql/load_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* the server or the client library do not allow LOAD DATA LOCAL */
#define ER_NOT_ALLOWED_COMMAND 1148
#define ER_CLIENT_LOCAL_FILES_DISABLED 3948
#define ER_LOAD_INFILE_CAPABILITY_DISABLED 4166 /* MariaDB */
#define CR_LOAD_DATA_LOCAL_INFILE_REJECTED 2068

/* what the library gets if the rows end before their end: EE_READ */
#define READ_FAILED 2

/* Where the rows come from that the server asks for. */
typedef struct Infile
{
	LoadPipe *pipe; /* or NULL: from memory */
	Slice memory;
	bool given_up; /* who fills the pipe will not fill it any more */
} Infile;

static int
infile_init(void **state, const char *name, void *infile)
{
	(void) name;
	*state = infile;
	return 0;
}

static int
infile_read(void *state, char *data, unsigned int size)
{
	Infile *infile = state;
	size_t len = infile->memory.len < size ? infile->memory.len : size;

	if (infile->pipe != NULL)
	{
		int got = load_pipe_read(infile->pipe, data, size);
		infile->given_up |= got < 0;
		return got;
	}
	memcpy(data, infile->memory.data, len);
	infile->memory.data += len;
	infile->memory.len -= len;
	return (int) len;
}

static void
infile_end(void *state)
{
	(void) state;
}

static int
infile_error(void *state, char *message, unsigned int size)
{
	(void) state;
	snprintf(message, size, "the rows have ended before their end");
	return READ_FAILED;
}

static bool
is_unavailable(const MyConn *conn)
{
	switch (my_errno(conn))
	{
		case ER_NOT_ALLOWED_COMMAND:
		case ER_CLIENT_LOCAL_FILES_DISABLED:
		case ER_LOAD_INFILE_CAPABILITY_DISABLED:
		case CR_LOAD_DATA_LOCAL_INFILE_REJECTED:
			return true;
		default:
			return false;
	}
}

LoadVerdict
load_judge_error(Error *err)
{
	/* the statement is the same for every row: it is the row's fault */
	if (err->code == P_APPLY)
		err->code = P_COPY;
	return err->kind == ERROR_DATA ? LOAD_REFUSED : LOAD_FAILED;
}

/* One LOAD DATA; ACCEPTED only says that there was no error. */
static LoadVerdict
load_run(MyConn *conn, const LoadTable *table, Infile *infile, Error *err)
{
	Slice sql = { table->load.data, table->load.len };
	bool ok;

	mysql_set_local_infile_handler(conn->my, infile_init, infile_read,
								   infile_end, infile_error, infile);
	ok = my_exec_slice(conn, err, sql, NULL);
	my_infile_refuse(conn);
	/* the library has ended the data as if it were all: the server says yes */
	if (infile->given_up)
	{
		if (!error_is_set(err) || err->code != P_CONNECTION_LOST)
			error_set(err, P_STOPPED, "given up");
		return LOAD_FAILED;
	}
	if (ok)
		return LOAD_ACCEPTED;
	return is_unavailable(conn) ? LOAD_UNAVAILABLE : load_judge_error(err);
}

LoadVerdict
load_data_segment(MyConn *conn, const LoadTable *table, LoadPipe *pipe,
				  Error *err)
{
	Infile infile = { .pipe = pipe };
	LoadVerdict verdict = load_run(conn, table, &infile, err);
	int64_t count;
	Slice rows;

	if (verdict != LOAD_ACCEPTED)
		return verdict;
	/* it was read to its end */
	if (!load_pipe_whole(pipe, &rows, &count))
		return LOAD_FAILED;
	return load_judge(conn, count, err);
}

LoadVerdict
load_data_rows(MyConn *conn, const LoadTable *table, Slice rows, int64_t count,
			   Error *err)
{
	Infile infile = { .memory = rows };
	LoadVerdict verdict = load_run(conn, table, &infile, err);

	return verdict == LOAD_ACCEPTED ? load_judge(conn, count, err) : verdict;
}

bool
load_counts_parse(const char *info, LoadCounts *counts)
{
	int64_t numbers[4] = { 0 };
	int found = 0;

	if (info == NULL)
		return false;
	/* "Records: 2  Deleted: 0  Skipped: 0  Warnings: 0", or as translated */
	while (found < 4)
	{
		char *end;

		info += strcspn(info, "0123456789");
		if (*info == '\0')
			break;
		numbers[found++] = strtoll(info, &end, 10);
		info = end;
	}
	if (found < 3)
		return false;
	counts->records = numbers[0];
	counts->left_out = found == 4 ? numbers[1] + numbers[2] : numbers[1];
	counts->warnings = numbers[found - 1];
	return true;
}

/* Level, number and words of the first warning, before they are forgotten. */
static bool
warning_read(MyConn *conn, Error *err)
{
	MyResult result;

	if (!my_query(conn, err, "SHOW WARNINGS LIMIT 1", &result))
		return false;
	if (my_next(&result))
	{
		error_set(err,
				  my_value_int(&result, 1) == 1062 ? P_ROW_CONFLICT : P_VALUE,
				  "%s: %s", conn->side, my_value(&result, 2));
		error_detail(err, "%s %s", my_value(&result, 0), my_value(&result, 1));
	}
	else
		error_set(err, P_COPY, "the target has left rows out without a word");
	my_result_free(&result);
	return true;
}

LoadVerdict
load_judge(MyConn *conn, int64_t count, Error *err)
{
	LoadCounts counts = { 0 };

	/* one row's INSERT says nothing but how many rows it has affected */
	if (!load_counts_parse(mysql_info(conn->my), &counts))
	{
		counts.records = (int64_t) mysql_affected_rows(conn->my);
		counts.warnings = mysql_warning_count(conn->my);
	}
	if (counts.records == count && counts.left_out == 0 && counts.warnings == 0)
		return LOAD_ACCEPTED;
	return warning_read(conn, err) ? LOAD_REFUSED : load_judge_error(err);
}

bool
load_savepoint(MyConn *conn, Error *err)
{
	return my_exec(conn, err, "SAVEPOINT portage_rows");
}

bool
load_savepoint_back(MyConn *conn, Error *err)
{
	return my_exec(conn, err, "ROLLBACK TO SAVEPOINT portage_rows");
}
