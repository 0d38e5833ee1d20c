/*
 * test_foreign_key.c
 *		Statements that add foreign keys, with names that look like SQL.
 */
#include "postgres/foreign_key.h"
#include "tap.h"

static bool
slice_is(Slice slice, const char *text)
{
	return slice_equal(slice, slice_of(text));
}

static void
test_plain(void)
{
	ForeignKey key;
	Buffer sql;

	buffer_init(&sql);
	ok(foreign_key_parse(&key, "ALTER TABLE ONLY public.child\n"
							   "    ADD CONSTRAINT child_fkey FOREIGN KEY (p) "
							   "REFERENCES public.parent(id) ON DELETE "
							   "CASCADE;\n\n\nCOMMENT ON CONSTRAINT child_fkey "
							   "ON public.child IS 'a; NOT VALID';"),
	   "a foreign key with a comment");
	ok(slice_is(key.table, "public.child") &&
		   slice_is(key.name, "child_fkey") &&
		   slice_is(key.referenced, "public.parent"),
	   "its names");
	ok(!key.inherited && !key.unvalidated, "of a plain table, valid");
	foreign_key_add_sql(&key, &sql);
	ok(strstr(sql.data, "ON DELETE CASCADE NOT VALID;\n\n\nCOMMENT") != NULL,
	   "NOT VALID goes before the first semicolon");
	buffer_reset(&sql);
	foreign_key_validate_sql(&key, &sql);
	is_str(sql.data, "ALTER TABLE public.child VALIDATE CONSTRAINT child_fkey;",
		   "what validates it");
	buffer_release(&sql);
}

static void
test_names(void)
{
	ForeignKey key;

	ok(foreign_key_parse(&key, "ALTER TABLE \"a.b\".\"REFERENCES; \"\"x\"\"\"\n"
							   "    ADD CONSTRAINT \"NOT VALID;\" FOREIGN KEY "
							   "(\"REFERENCES\", \"NOT\") REFERENCES "
							   "\"p;\".\"q.(r)\"(\"VALID\") DEFERRABLE;"),
	   "names with everything in them");
	ok(slice_is(key.table, "\"a.b\".\"REFERENCES; \"\"x\"\"\""), "table");
	ok(slice_is(key.name, "\"NOT VALID;\""), "constraint");
	ok(slice_is(key.referenced, "\"p;\".\"q.(r)\""), "referenced table");
	ok(key.inherited, "of a partitioned table");
	ok(!key.unvalidated, "valid, whatever it is called");
	ok(foreign_key_parse(&key, "ALTER TABLE ONLY t ADD CONSTRAINT f FOREIGN "
							   "KEY (a) REFERENCES u(b) NOT VALID;") &&
		   key.unvalidated && slice_is(key.referenced, "u"),
	   "one that is not valid");
	ok(foreign_key_parse(&key, "ALTER TABLE ONLY t ADD CONSTRAINT f FOREIGN "
							   "KEY (a) REFERENCES u(b) NOT ENFORCED;") &&
		   key.unvalidated,
	   "one that is not enforced");
	ok(foreign_key_parse(&key, "ALTER TABLE ONLY t ADD CONSTRAINT f FOREIGN "
							   "KEY (a) REFERENCES u(b) NOT DEFERRABLE;") &&
		   !key.unvalidated,
	   "one that is not deferrable");
}

static void
test_others(void)
{
	static const char *const others[] = {
		"",
		"ALTER TABLE",
		"ALTER TABLE ONLY t ADD CONSTRAINT f PRIMARY KEY (a);",
		"ALTER TABLE ONLY t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u(b)",
		"ALTER TABLE ONLY t ADD CONSTRAINT f FOREIGN KEY (a);",
		"ALTER TABLE ONLY ; ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u(b);",
		"ALTER TABLE ONLY t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES ;",
	};
	ForeignKey key;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ok(!foreign_key_parse(&key, others[i]), "not one: %s", others[i]);
}

int
main(void)
{
	test_plain();
	test_names();
	test_others();
	return done_testing();
}
