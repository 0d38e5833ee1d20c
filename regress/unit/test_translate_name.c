/*
 * test_translate_name.c
 *		Identifiers: cleaned, cut, folded, told apart.
 */
#include "mysql/translate_parts.h"
#include "schema_fixture.h"
#include "tap.h"

static Arena arena;

/* Characters of UTF-8. */
static int
chars(const char *text)
{
	int count = 0;

	for (; *text != '\0'; text++)
		count += ((unsigned char) *text & 0xC0) != 0x80;
	return count;
}

static void
test_folding(void)
{
	is_str(name_fold("ABCxyz_1", &arena), "abcxyz_1", "ASCII");
	is_str(name_fold("\xc3\x84\xc3\x96", &arena), "\xc3\xa4\xc3\xb6",
		   "umlauts");
	is_str(name_fold("\xd0\x96\xd0\x81", &arena), "\xd0\xb6\xd1\x91",
		   "Cyrillic");
	is_str(name_fold("\xc4\x8c\xc5\xbd", &arena), "\xc4\x8d\xc5\xbe",
		   "letters that alternate, both ways");
	is_str(name_fold("\xce\xa3", &arena), "\xcf\x83", "Greek");
	is_str(name_fold("\xe6\x97\xa5\xf0\x9f\x98\x80", &arena),
		   "\xe6\x97\xa5\xf0\x9f\x98\x80", "what has no case");
	is_str(name_fold("a\xff\xc3", &arena), "a\xff\xc3", "damaged bytes");
}

static void
test_columns(void)
{
	NameSet set;
	const char *name;
	const char *first;
	char *longest = arena_alloc(&arena, 70);

	name_set_init(&set, &arena, NAME_COLUMN, true);
	is_str(name_take(&set, "a"), "a", "a plain name stays");
	name = name_take(&set, "A");
	ok(strncmp(name, "A_", 2) == 0 && strlen(name) == 10,
	   "the same but for its case: %s", name);
	ok(name_taken(&set, "a") && name_taken(&set, "A") && !name_taken(&set, "b"),
	   "what is taken is known");
	name = name_take(&set, "b ");
	ok(strncmp(name, "b_", 2) == 0, "spaces at the end: %s", name);
	is_str(name_take(&set, " b"), " b", "at the beginning they are allowed");
	name = name_take(&set, "\xf0\x9f\x98\x80x");
	ok(strncmp(name, "_x_", 3) == 0, "beyond the BMP: %s", name);
	name = name_take(&set, "\xf0\x9f\x98\x81x");
	ok(strncmp(name, "_x_", 3) == 0, "another one: %s", name);
	is_str(name_take(&set, "\xe2\x82\xac.`\""), "\xe2\x82\xac.`\"",
		   "whatever can be quoted");
	name = name_take(&set, "DB_ROW_ID");
	ok(strcmp(name, "DB_ROW_ID") != 0, "InnoDB's own: %s", name);
	is_str(name_take(&set, "primary"), "primary", "no name of a column");
	name = name_take(&set, "   ");
	ok(name[0] == '_' && strlen(name) == 9, "nothing but spaces: %s", name);

	memset(longest, 'x', 69);
	longest[69] = '\0';
	first = name_take(&set, longest);
	is_int(chars(first), 64, "cut to what is allowed");
	longest[68] = 'y';
	name = name_take(&set, longest);
	ok(strcmp(name, first) != 0 && chars(name) == 64,
	   "another long name is another one");
	name_set_init(&set, &arena, NAME_COLUMN, true);
	longest[68] = 'x';
	is_str(name_take(&set, longest), first, "the same name every time");
}

/* A table is a file, in which most characters are five. */
static void
test_files(void)
{
	NameSet set;
	Buffer wanted;
	const char *name;

	name_set_init(&set, &arena, NAME_TABLE, false);
	buffer_init(&wanted);
	for (int i = 0; i < 60; i++)
		buffer_puts(&wanted, "-");
	name = name_take(&set, wanted.data);
	ok(chars(name) < 60 && chars(name) > 40, "%d characters", chars(name));
	is_str(name_take(&set, "T"), "T", "case counts here");
	is_str(name_take(&set, "t"), "t", "so both are there");
	buffer_release(&wanted);
}

/* As many names as one likes. */
static void
test_many(void)
{
	NameSet set;
	bool apart = true;

	name_set_init(&set, &arena, NAME_COLUMN, true);
	for (int i = 0; i < 500; i++)
	{
		const char *wanted = arena_printf(&arena, "%s%*s", i % 2 ? "n" : "N",
										  i / 2, "");
		int before = set.count;
		const char *name = name_take(&set, wanted);

		apart = apart && set.count == before + 1;
		for (int j = 0; j < before; j++)
			apart = apart && strcmp(set.names[j], name_fold(name, &arena)) != 0;
	}
	ok(apart, "500 names that want to be one");
}

static void
test_tables(void)
{
	SchemaFixture fixture;
	SchemaTable *ours;

	fixture_init(&fixture, true);
	fixture_table(&fixture, "s", "t");
	fixture_table(&fixture, "public", "s__t");
	ours = fixture_table(&fixture, "public", "portage_progress");
	fixture_table(&fixture, "public", "Case");
	fixture_table(&fixture, "public", "case");
	fixture_translate(&fixture);
	is_str(fixture_map(&fixture, "s__t")->table, "s__t",
		   "those of public keep their names");
	ok(strncmp(fixture_map(&fixture, "t")->table, "s__t_", 5) == 0,
	   "another one gives way");
	ok(fixture_finding(&fixture, "table s.t", "is called") != NULL,
	   "and is told");
	is_str(fixture_map(&fixture, ours->name)->table, "public__portage_progress",
		   "what begins like ours does not");
	is_str(fixture_map(&fixture, "case")->table, "case",
		   "case counts on this server");
	fixture.target.lower_case_table_names = 1;
	fixture_translate(&fixture);
	is_str(fixture_map(&fixture, "Case")->table, "case", "not on another one");
	ok(strcmp(fixture_map(&fixture, "case")->table, "case") != 0,
	   "where two are told apart");
	fixture_release(&fixture);
}

int
main(void)
{
	arena_init(&arena);
	test_folding();
	test_columns();
	test_files();
	test_many();
	test_tables();
	arena_release(&arena);
	return done_testing();
}
