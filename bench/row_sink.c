/*
 * row_sink.c
 *		What most tools do that bring changes into MySQL: a statement for each
 *		row, a transaction for each transaction of the source.
 *
 *		row_sink SOCKET USER DATABASE FILE
 *
 * Statements are prepared, and the server is on the same machine.  What is read
 * and converted beforehand is not timed.  Each line of FILE is one of
 *
 *		S TYPES SQL			a statement; TYPES has a letter per parameter, i for
 *							an integer, s for anything else
 *		R NUMBER VALUE...	a row for the statement of this number, from 0
 *		C					the end of a transaction
 *
 * in fields that tabs separate, with \t \n \\ in values and \N for NULL.  Prints
 * "TRANSACTIONS ROWS SECONDS".  Every statement has to change one row.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <mysql.h>

#define MAX_STATEMENTS 64
#define MAX_PARAMETERS 64
#define MAX_VALUE 4096

typedef struct Statement
{
	const char *types;
	const char *sql;
	int parameters;
	MYSQL_STMT *prepared;
	/* One buffer per parameter, bound once. */
	MYSQL_BIND binds[MAX_PARAMETERS];
	char text[MAX_PARAMETERS][MAX_VALUE];
	int64_t number[MAX_PARAMETERS];
	unsigned long length[MAX_PARAMETERS];
	char null[MAX_PARAMETERS];
} Statement;

static Statement statements[MAX_STATEMENTS];
static int statement_count;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "row_sink: %s: %s\n", what, why);
	exit(1);
}

static char *
read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	char *text;

	if (file == NULL || fstat(fileno(file), &st) != 0)
		die(path, "cannot be read");
	text = malloc((size_t) st.st_size + 1);
	if (text == NULL ||
		fread(text, 1, (size_t) st.st_size, file) != (size_t) st.st_size)
		die(path, "cannot be read");
	text[st.st_size] = '\0';
	fclose(file);
	return text;
}

/* The field at *at, ended with a zero byte; *at is behind it, NULL at the end. */
static char *
next_field(char **at)
{
	char *field = *at;
	char *end = strchr(field, '\t');

	*at = end == NULL ? NULL : end + 1;
	if (end != NULL)
		*end = '\0';
	return field;
}

static void
unescape(char *text)
{
	char *out = text;

	for (; *text != '\0'; text++)
	{
		if (*text == '\\')
		{
			text++;
			*out++ = *text == 't' ? '\t' : *text == 'n' ? '\n' : *text;
		}
		else
			*out++ = *text;
	}
	*out = '\0';
}

static void
statement_prepare(MYSQL *my, Statement *statement)
{
	statement->prepared = mysql_stmt_init(my);
	if (mysql_stmt_prepare(statement->prepared, statement->sql,
						   strlen(statement->sql)) != 0)
		die(statement->sql, mysql_stmt_error(statement->prepared));
	statement->parameters = (int) mysql_stmt_param_count(statement->prepared);
	if (statement->parameters > MAX_PARAMETERS ||
		(size_t) statement->parameters != strlen(statement->types))
		die(statement->sql, "another number of parameters");
	for (int i = 0; i < statement->parameters; i++)
	{
		MYSQL_BIND *bind = &statement->binds[i];
		bool integer = statement->types[i] == 'i';

		bind->buffer_type = integer ? MYSQL_TYPE_LONGLONG : MYSQL_TYPE_STRING;
		bind->buffer = integer ? (void *) &statement->number[i]
							   : statement->text[i];
		bind->buffer_length = integer ? sizeof(int64_t) : MAX_VALUE;
		bind->length = &statement->length[i];
		bind->is_null = (void *) &statement->null[i];
	}
	if (mysql_stmt_bind_param(statement->prepared, statement->binds) != 0)
		die(statement->sql, mysql_stmt_error(statement->prepared));
}

static void
statement_set(Statement *statement, int i, char *value)
{
	statement->null[i] = strcmp(value, "\\N") == 0;
	if (statement->null[i])
		return;
	if (statement->types[i] == 'i')
	{
		statement->number[i] = strtoll(value, NULL, 10);
		return;
	}
	unescape(value);
	statement->length[i] = strlen(value);
	if (statement->length[i] >= MAX_VALUE)
		die("a value", "too long");
	memcpy(statement->text[i], value, statement->length[i]);
}

static void
row_write(char *line)
{
	Statement *statement = &statements[atoi(next_field(&line))];
	int parameters = 0;

	while (line != NULL && parameters < statement->parameters)
		statement_set(statement, parameters++, next_field(&line));
	if (line != NULL || parameters != statement->parameters)
		die(statement->sql, "a row with another number of values");
	if (mysql_stmt_execute(statement->prepared) != 0)
		die(statement->sql, mysql_stmt_error(statement->prepared));
	if (mysql_stmt_affected_rows(statement->prepared) != 1)
		die(statement->sql, "did not change one row");
}

/* Where the lines that are timed begin. */
static char *
prepare_all(MYSQL *my, char *text)
{
	while (text[0] == 'S' && text[1] == '\t')
	{
		char *end = strchr(text, '\n');
		char *fields = text + 2;
		Statement *statement = &statements[statement_count++];

		if (end == NULL || statement_count > MAX_STATEMENTS)
			die("the file", "has no rows, or too many statements");
		*end = '\0';
		statement->types = next_field(&fields);
		statement->sql = fields;
		statement_prepare(my, statement);
		text = end + 1;
	}
	return text;
}

static void
replay(MYSQL *my, char *text, int64_t *transactions, int64_t *rows)
{
	while (*text != '\0')
	{
		char *end = strchr(text, '\n');

		if (end == NULL)
			die("the file", "ends within a line");
		*end = '\0';
		if (text[0] == 'R')
		{
			row_write(text + 2);
			(*rows)++;
		}
		else if (text[0] == 'C')
		{
			if (mysql_commit(my) != 0)
				die("COMMIT", mysql_error(my));
			(*transactions)++;
		}
		else
			die("no such line", text);
		text = end + 1;
	}
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	MYSQL *my = mysql_init(NULL);
	int64_t transactions = 0;
	int64_t rows = 0;
	double started;
	char *text;

	if (argc != 5)
		die("usage", "row_sink SOCKET USER DATABASE FILE");
	text = read_file(argv[4]);
	mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (mysql_real_connect(my, NULL, argv[2], NULL, argv[3], 0, argv[1],
						   CLIENT_FOUND_ROWS) == NULL)
		die("cannot connect", mysql_error(my));
	if (mysql_query(my, "SET time_zone = '+00:00', foreign_key_checks = 0") !=
			0 ||
		mysql_autocommit(my, 0) != 0)
		die("the session", mysql_error(my));
	text = prepare_all(my, text);

	started = now();
	replay(my, text, &transactions, &rows);
	printf("%lld %lld %.3f\n", (long long) transactions, (long long) rows,
		   now() - started);
	mysql_close(my);
	return 0;
}
