/*
 * test_tolerant_sql.c
 *		Statements of PostgreSQL for rows that may be there or not.
 *
 * The expected statements are written by hand.
 */
#include "plan_fixture.h"
#include "postgres/change_sql.h"
#include "postgres/vector_sql.h"
#include "tap.h"

static Fixture f;

static void
set_up(void)
{
	fixture_init(&f, 0);
	for (int i = 0; i < FIXTURE_COLUMNS; i++)
	{
		Column *column = &f.columns[i];

		column->type_schema = column->base_schema = "pg_catalog";
		column->type_name = column->base_name = i == 0 ? "int4" : "text";
		column->type_oid = column->base_type_oid = i == 0 ? 23 : 25;
		column->category = i == 0 ? 'N' : 'S';
	}
	/* a domain over a type of an extension */
	f.columns[2].type_schema = "public";
	f.columns[2].type_name = "name";
	f.columns[2].base_schema = "ext";
	f.columns[2].base_name = "citext";
	f.columns[2].type_oid = 5000;
}

static void
statement_is(const Change *change, bool keyed, const char *params,
			 const char *want, const char *what)
{
	ChangeSql built;
	Buffer list;

	buffer_init(&list);
	change_sql(&built, &f.arena, change, keyed);
	is_str(built.sql.data, want, what);
	for (int i = 0; i < built.count; i++)
		buffer_printf(&list, "%s%d", built.params[i].old ? "o" : "n",
					  built.params[i].column);
	is_str(list.data, params, "... with its parameters");
	buffer_release(&list);
	buffer_release(&built.sql);
}

#define INSERT_T                                                         \
	"INSERT INTO \"public\".\"t\" AS t (\"id\", \"a\", \"b\", \"big\") " \
	"OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4) ON CONFLICT (\"id\") DO "
#define OVERWRITE                                                 \
	"UPDATE SET \"a\" = excluded.\"a\", \"b\" = excluded.\"b\", " \
	"\"big\" = excluded.\"big\""
#define BY_KEY(n) "\"id\" = $" #n "::\"pg_catalog\".\"int4\""

static void
test_keyed(void)
{
	Change *put = fixture_put(&f, "1", "x", "~", "long");
	ChangeManner manner = { .latest = 2 };
	Change *change = fixture_insert(&f, "1", "x", "y", "long");

	statement_is(put, true, "n0n1n2n3", INSERT_T OVERWRITE, "a put");
	change->manner = &manner;
	manner.conflict = CONFLICT_OVERWRITE;
	statement_is(change, true, "n0n1n2n3",
				 INSERT_T OVERWRITE " RETURNING t.xmax <> 0",
				 "the source wins, and says what was there");
	manner.conflict = CONFLICT_KEEP;
	statement_is(change, true, "n0n1n2n3", INSERT_T "NOTHING",
				 "the target wins");
	manner.conflict = CONFLICT_IF_GREATER;
	statement_is(change, true, "n0n1n2n3",
				 INSERT_T OVERWRITE
				 " WHERE (t.\"b\" IS NULL AND excluded.\"b\"::\"ext\"."
				 "\"citext\" IS NOT NULL OR excluded.\"b\"::\"ext\".\"citext\""
				 " OPERATOR(\"ext\".>) t.\"b\"::\"ext\".\"citext\")"
				 " RETURNING t.xmax <> 0",
				 "the greater value wins, as its type compares");
}

/* Nothing is known of the key's index. */
static void
test_unkeyed(void)
{
	Change *put = fixture_put(&f, "1", "x", "~", "long");
	ChangeManner manner = { .conflict = CONFLICT_KEEP };
	Change *change = fixture_insert(&f, "1", "x", "y", "long");

	statement_is(
		put, false, "n1n2n3n0n0n1n2n3n0",
		"WITH u AS (UPDATE ONLY \"public\".\"t\" AS t SET \"a\" = $1, "
		"\"b\" = $2, \"big\" = $3 WHERE " BY_KEY(
			4) " RETURNING 1), "
			   "i AS (INSERT INTO \"public\".\"t\" (\"id\", \"a\", \"b\", "
			   "\"big\") OVERRIDING SYSTEM VALUE SELECT $5, $6, $7, $8 WHERE "
			   "NOT EXISTS (SELECT FROM ONLY \"public\".\"t\" WHERE " BY_KEY(
				   9) ") RETURNING 1) SELECT true FROM u UNION ALL SELECT false "
					  "FROM i",
		"a put in two parts");
	change->manner = &manner;
	statement_is(
		change, false, "n0n1n2n3n0",
		"INSERT INTO \"public\".\"t\" (\"id\", \"a\", \"b\", \"big\") "
		"OVERRIDING SYSTEM VALUE SELECT $1, $2, $3, $4 WHERE NOT "
		"EXISTS (SELECT FROM ONLY \"public\".\"t\" WHERE " BY_KEY(5) ")",
		"the target wins");
}

static void
test_match(void)
{
	static const int match[] = { 2 };
	ChangeManner manner = { .match = match, .match_count = 1 };
	Change *change = fixture_update(&f, "-", "x", "y", "-");

	change->kind = CHANGE_MATCH;
	change->manner = &manner;
	statement_is(change, true, "n1n2",
				 "UPDATE ONLY \"public\".\"t\" SET \"a\" = $1 WHERE "
				 "\"b\"::\"ext\".\"citext\" OPERATOR(\"ext\".=) "
				 "$2::\"ext\".\"citext\"",
				 "a match sets all but what it finds rows by");
	change->old_values = fixture_row(&f.arena, "-", "-", "o", "-");
	statement_is(
		change, true, "n1n2o2",
		"UPDATE ONLY \"public\".\"t\" SET \"a\" = $1, \"b\" = $2 WHERE "
		"\"b\"::\"ext\".\"citext\" OPERATOR(\"ext\".=) "
		"$3::\"ext\".\"citext\"",
		"... unless it knows what that was");
	statement_is(fixture_maybe_delete(&f, "1"), true, "o0",
				 "DELETE FROM ONLY \"public\".\"t\" WHERE " BY_KEY(1),
				 "a maybe-delete");
}

static void
test_vector(void)
{
	static const uint8_t all = 0x0F;
	static const uint8_t only_key = 0x01;
	static const uint8_t none = 0;
	TableFacts facts = { .plan.relation = &f.relation, .as_text = &none };
	Buffer sql;

	buffer_init(&sql);
	vector_sql_put(&sql, &facts, &all);
	is_str(sql.data,
		   "INSERT INTO \"public\".\"t\" AS t (\"id\", \"a\", \"b\", \"big\") "
		   "OVERRIDING SYSTEM VALUE SELECT v.c0, v.c1, v.c2, v.c3 FROM unnest("
		   "$1::\"pg_catalog\".\"int4\"[], $2::\"pg_catalog\".\"text\"[], "
		   "$3::\"public\".\"name\"[], $4::\"pg_catalog\".\"text\"[]) "
		   "AS v (c0, c1, c2, c3) ON CONFLICT (\"id\") DO " OVERWRITE,
		   "puts");
	buffer_reset(&sql);
	vector_sql_put(&sql, &facts, &only_key);
	is_str(sql.data,
		   "INSERT INTO \"public\".\"t\" AS t (\"id\") OVERRIDING SYSTEM VALUE "
		   "SELECT v.c0 FROM unnest($1::\"pg_catalog\".\"int4\"[]) AS v (c0) "
		   "ON CONFLICT (\"id\") DO UPDATE SET \"id\" = t.\"id\"",
		   "rows of nothing but their key count, too");
	buffer_release(&sql);
}

int
main(void)
{
	set_up();
	test_keyed();
	test_unkeyed();
	test_match();
	test_vector();
	fixture_release(&f);
	return done_testing();
}
