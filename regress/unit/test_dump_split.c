/*
 * test_dump_split.c
 *		Entries of a dump whose text tries to look like other entries.
 */
#include "postgres/dump_select.h"
#include "tap.h"

#define HEAD                                                    \
	"--\n-- PostgreSQL database dump\n--\n\n\\restrict x'y\n\n" \
	"SET standard_conforming_strings = on;\n\n"
#define FOOT                                                                  \
	"-- Completed on today\n\n--\n-- PostgreSQL database dump complete\n--\n" \
	"\n\\unrestrict x'y\n"

static const char list[] =
	";\n; Archive created at 2026-01-01\n;\n"
	"8; 2615 100 SCHEMA - s owner\n"
	"21; 1255 200 FUNCTION public f() owner\n"
	"22; 1259 300 TABLE public t owner\n"
	"23; 0 0 COMMENT public TABLE t owner\n"
	"24; 1259 301 TABLE x; Schema: y a; Type: TABLE; Schema: z; Owner: - owner\n"
	"25; 1259 302 TABLE public u owner\n";

static const char script[] = HEAD
	"--\n-- TOC entry 8 (class 2615 OID 100)\n"
	"-- Name: s; Type: SCHEMA; Schema: -; Owner: -\n-- Data Pos: 0\n--\n\n"
	"CREATE SCHEMA s;\n\n\n"
	"--\n-- TOC entry 21 (class 1255 OID 200)\n-- Dependencies: 8 7\n"
	"-- Name: f(); Type: FUNCTION; Schema: public; Owner: -\n--\n\n"
	"CREATE FUNCTION public.f() RETURNS void LANGUAGE plpgsql AS $_$\n"
	"--\n-- TOC entry 22 (class 1259 OID 300)\n"
	"-- Name: t; Type: TABLE; Schema: public; Owner: -\n--\n\n"
	"SET default_tablespace = forged;\n"
	"--\n-- PostgreSQL database dump complete\n--\n$_$;\n\n\n"
	"SET default_tablespace = fast;\n\nSET default_table_access_method = heap;\n\n"
	"--\n-- TOC entry 22 (class 1259 OID 300)\n"
	"-- Name: t; Type: TABLE; Schema: public; Owner: -; Tablespace: fast\n--\n\n"
	"CREATE TABLE public.t (\"a\n--\n-- TOC entry 25 (class 1259 OID 302)\n\" "
	"text DEFAULT E'\\'--\n');\n\n\n"
	"--\n-- TOC entry 23 (class 0 OID 0)\n-- Dependencies: 22\n"
	"-- Name: TABLE t; Type: COMMENT; Schema: public; Owner: -\n--\n\n"
	"COMMENT ON TABLE public.t IS 'x\\\n--\n-- TOC entry 25 (class 1259 OID "
	"302)\n';\n\n\n"
	"SET default_tablespace = '';\n\n"
	"--\n-- TOC entry 24 (class 1259 OID 301)\n-- Dependencies: 8\n"
	"-- Name: a; Type: TABLE; Schema: z; Owner: -; Type: TABLE; Schema: x; "
	"Schema: y; Owner: -\n--\n\n"
	"CREATE TABLE z ();\n\n\n"
	"--\n-- TOC entry 25 (class 1259 OID 302)\n-- Dependencies: 22\n"
	"-- Name: u; Type: TABLE; Schema: public; Owner: -\n--\n\n"
	"CREATE TABLE public.u () INHERITS (public.t);\n\n\n" FOOT;

static void
test_split(Arena *arena)
{
	Error err = ERROR_INIT;
	DumpEntry *e;
	int count = 0;

	ok(dump_split(list, script, DDL_PRE_DATA, arena, &e, &count, &err),
	   "the script is split: %s", err.message);
	if (!ok(count == 6, "into six entries, not %d", count))
		return;
	is_str(e[0].sql, "CREATE SCHEMA s;", "an entry is its statement");
	is_str(e[0].schema, "", "an object without a schema");
	is_int(e[1].dependency_count, 2, "dependencies are read");
	is_int(e[1].dependencies[1], 7, "all of them");
	has(e[1].sql, "dump complete", "a function's body cannot end an entry");
	ok(strncmp(e[1].sql, "CREATE", 6) == 0, "settings do not concern it");
	is_str(e[2].name, "t", "an entry after it has its own name");
	ok(strncmp(e[2].sql,
			   "SET LOCAL default_tablespace = fast;\n"
			   "SET LOCAL default_table_access_method = heap;\n",
			   83) == 0,
	   "a table takes the settings before it along");
	has(e[2].sql, "'--\n');", "a name and a string cannot end an entry");
	has(e[3].sql, "\n';", "a backslash does not quote in a plain string");
	ok(strncmp(e[3].sql, "COMMENT", 7) == 0, "a comment needs no settings");
	is_str(e[4].name, "a; Type: TABLE; Schema: z; Owner: -",
		   "a name that looks like the rest of its line");
	is_str(e[4].schema, "x; Schema: y", "a schema that does");
	has(e[4].sql, "default_tablespace = '';", "a setting that was reset");
	has(e[5].sql, "access_method = heap;", "a setting that still holds");
	is_int(e[5].oid, 302, "the object's OID");
	ok(strstr(e[5].sql, "unrestrict") == NULL, "the foot is left out");
}

static void
test_refusals(Arena *arena)
{
	Error err = ERROR_INIT;
	DumpEntry *e;
	int count;

	ok(!dump_split("1; 2 3 TABLE public t owner\n", HEAD FOOT, DDL_PRE_DATA,
				   arena, &e, &count, &err),
	   "an entry that is listed but not in the script is refused");
	is_int(err.code, P_PG_DUMP, "with its code");
	ok(!dump_split("what is this\n", HEAD FOOT, DDL_PRE_DATA, arena, &e, &count,
				   &err),
	   "an unknown line of the list is refused");
	ok(!dump_split("1; 2 3 TABLE public t owner\n",
				   "--\n-- TOC entry 1 (class 2 OID 3)\n"
				   "-- Name: u; Type: TABLE; Schema: public; Owner: -\n--\n\n",
				   DDL_PRE_DATA, arena, &e, &count, &err),
	   "an entry whose name differs from the list is refused");
	ok(dump_split("", "", DDL_POST_DATA, arena, &e, &count, &err) && count == 0,
	   "an empty section is fine");
	ok(dump_split("1; 2 3 FUNCTION public f() owner\n",
				  "--\n-- TOC entry 1 (class 2 OID 3)\n"
				  "-- Name: f(); Type: FUNCTION; Schema: public; Owner: -\n--\n"
				  "\nCREATE FUNCTION f() AS $a$ /* no end",
				  DDL_PRE_DATA, arena, &e, &count, &err) &&
		   count == 1,
	   "quotes without an end end with the script");
}

/* t is not selected; u inherits from it and is; v looks at t. */
static void
test_select(Arena *arena)
{
	static const int on_t[] = { 1 };
	DumpEntry dumped[] = {
		{ .id = 1,
		  .class_oid = 1259,
		  .oid = 10,
		  .type = "TABLE",
		  .schema = "public",
		  .name = "t",
		  .sql = "t" },
		{ .id = 2,
		  .class_oid = 1259,
		  .oid = 11,
		  .type = "TABLE",
		  .schema = "public",
		  .name = "u",
		  .sql = "u",
		  .dependencies = on_t,
		  .dependency_count = 1 },
		{ .id = 3,
		  .class_oid = 1259,
		  .oid = 12,
		  .type = "VIEW",
		  .schema = "public",
		  .name = "v",
		  .sql = "v",
		  .dependencies = on_t,
		  .dependency_count = 1 },
		{ .id = 4,
		  .class_oid = 1259,
		  .oid = 13,
		  .type = "TABLE",
		  .schema = "public",
		  .name = "w",
		  .sql = "w" },
		{ .id = 5,
		  .class_oid = 1259,
		  .oid = 14,
		  .type = "TABLE",
		  .schema = "portage",
		  .name = "progress",
		  .sql = "p" },
	};
	DumpTable tables[] = { { .oid = 13 },
						   { .oid = 10 },
						   { .oid = 11, .selected = true } };
	DumpCatalog catalog = { .tables = tables, .table_count = 3 };
	Findings left_out;
	DdlEntry *entries;
	int count;

	findings_init(&left_out, arena);
	dump_select(&catalog, dumped, 5, arena, &entries, &count, &left_out);
	if (!ok(count == 2, "two entries stay, not %d", count))
		return;
	is_str(entries[0].name, "t", "a parent that a selected table needs");
	is_str(entries[1].name, "u", "the selected table");
	is_int(entries[1].number, 2, "they are numbered");
	is_int(left_out.count, 4, "the others, and the empty one, are told");
}

static void
test_comment_joins(Arena *arena)
{
	static const int on_trigger[] = { 7 };
	DumpEntry dumped[] = {
		{ .id = 7,
		  .class_oid = 2620,
		  .oid = 10,
		  .type = "TRIGGER",
		  .schema = "public",
		  .name = "t tr",
		  .sql = "CREATE TRIGGER;",
		  .section = DDL_POST_DATA },
		{ .id = 8,
		  .type = "COMMENT",
		  .schema = "public",
		  .name = "TRIGGER tr ON t",
		  .sql = "COMMENT;",
		  .section = DDL_POST_DATA,
		  .dependencies = on_trigger,
		  .dependency_count = 1 },
	};
	DumpOwner owners[] = { { 2620, 10, 99 } };
	DumpCatalog catalog = { .all = true, .owners = owners, .owner_count = 1 };
	Findings left_out;
	DdlEntry *entries;
	int count;

	findings_init(&left_out, arena);
	dump_select(&catalog, dumped, 2, arena, &entries, &count, &left_out);
	is_int(count, 1, "a comment joins what it is on");
	is_str(entries[0].sql, "CREATE TRIGGER;\n\nCOMMENT;", "behind it");
	is_int(entries[0].table_oid, 99, "and a trigger belongs to its table");
}

int
main(void)
{
	Arena arena;

	arena_init(&arena);
	test_split(&arena);
	test_refusals(&arena);
	test_select(&arena);
	test_comment_joins(&arena);
	arena_release(&arena);
	return done_testing();
}
