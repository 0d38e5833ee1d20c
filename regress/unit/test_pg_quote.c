/*
 * test_pg_quote.c
 *		Quoting of names and values in SQL, and values of results.
 */
#include "postgres/pg_conn.h"
#include "tap.h"

typedef void (*Quoter)(Buffer *out, const char *text);

static void
quotes(Quoter quoter, const char *text, const char *want)
{
	Buffer buffer;

	buffer_init(&buffer);
	buffer_puts(&buffer, "x");
	quoter(&buffer, text);
	is_str(buffer.data + 1, want, text);
	ok(buffer.data[0] == 'x', "it is appended");
	buffer_release(&buffer);
}

static void
test_table(void)
{
	Buffer buffer;

	buffer_init(&buffer);
	pg_quote_table(&buffer, "a.b", "c\"d");
	is_str(buffer.data, "\"a.b\".\"c\"\"d\"", "schema and table");
	buffer_release(&buffer);
}

static void
test_results(void)
{
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc columns[4];

	memset(columns, 0, sizeof(columns));
	for (int i = 0; i < 4; i++)
		columns[i].name = "c";
	PQsetResultAttrs(res, 4, columns);
	PQsetvalue(res, 0, 0, "-9223372036854775808", 20);
	PQsetvalue(res, 0, 1, "t", 1);
	PQsetvalue(res, 0, 2, "1A/B", 4);
	PQsetvalue(res, 0, 3, NULL, -1);
	ok(pg_value_int(res, 0, 0) == INT64_MIN, "the smallest integer");
	ok(pg_value_bool(res, 0, 1) && !pg_value_bool(res, 0, 0), "booleans");
	ok(pg_value_lsn(res, 0, 2) == UINT64_C(0x1A0000000B), "an LSN");
	ok(pg_value_lsn(res, 0, 3) == LSN_NONE, "no LSN for NULL");
	ok(pg_value_lsn(res, 0, 1) == LSN_NONE, "nor for anything else");
	ok(pg_is_null(res, 0, 3) && !pg_is_null(res, 0, 1), "NULL is known");
	is_str(pg_value(res, 0, 2), "1A/B", "text");
	PQclear(res);
}

int
main(void)
{
	quotes(pg_quote_ident, "simple", "\"simple\"");
	quotes(pg_quote_ident, "", "\"\"");
	quotes(pg_quote_ident, "a\"b\"\"c", "\"a\"\"b\"\"\"\"c\"");
	quotes(pg_quote_ident, "back\\slash'", "\"back\\slash'\"");
	quotes(pg_quote_ident, "\xC3\xBC; DROP", "\"\xC3\xBC; DROP\"");
	quotes(pg_quote_literal, "", "''");
	quotes(pg_quote_literal, "it's", "'it''s'");
	quotes(pg_quote_literal, "a\\b", " E'a\\\\b'");
	quotes(pg_quote_literal, "\\'", " E'\\\\'''");
	quotes(pg_quote_literal, "line\nbreak", "'line\nbreak'");
	test_table();
	test_results();
	return done_testing();
}
