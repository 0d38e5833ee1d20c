/*
 * test_shape_diff.c
 *		What has to be done to a table, and when nobody can say.
 */
#include "base/buffer.h"
#include "stream/shape_diff.h"
#include "tap.h"

/* "name:num:type[:storage...]" would be more than is needed: columns by hand. */
static ShapeColumn
column(int num, const char *name, const char *type)
{
	ShapeColumn made = { .num = (uint16_t) num,
						 .name = name,
						 .type_schema = "pg_catalog",
						 .type_name = type,
						 .typmod = -1 };

	return made;
}

static Shape
table(const char *name, uint32_t storage, ShapeColumn *columns, int count)
{
	Shape made = { .oid = 10,
				   .schema = "public",
				   .name = name,
				   .kind = 'r',
				   .storage = storage,
				   .root = "",
				   .column_count = count,
				   .columns = columns };

	return made;
}

static void
print_steps(Buffer *out, const ShapeDiff *diff)
{
	static const char *const words[] = {
		[SHAPE_DETACH] = "detach", [SHAPE_MOVE] = "move", [SHAPE_DROP] = "drop",
		[SHAPE_RENAME] = "rename", [SHAPE_TYPE] = "type", [SHAPE_ADD] = "add",
		[SHAPE_NULLS] = "nulls",
	};

	for (int i = 0; i < diff->count; i++)
	{
		const ShapeStep *step = &diff->steps[i];

		buffer_printf(out, "%s%s", i > 0 ? ", " : "", words[step->kind]);
		if (step->name[0] != '\0')
			buffer_printf(out, " %s", step->name);
		if (step->new_name != NULL)
			buffer_printf(out, "=%s", step->new_name);
	}
	if (diff->refusal != NULL)
		buffer_printf(out, " REFUSED: %s", diff->refusal);
}

static void
differs(const Shape *have, const Shape *want, bool current, const char *steps,
		const char *what)
{
	ShapeDiff diff;
	Arena arena;
	Buffer out;

	arena_init(&arena);
	buffer_init(&out);
	shape_diff(have, want, current, &arena, &diff);
	print_steps(&out, &diff);
	is_str(out.data, steps, what);
	buffer_release(&out);
	arena_release(&arena);
}

static void
test_names(void)
{
	ShapeColumn before[] = { column(1, "a", "int4"), column(2, "b", "text"),
							 column(4, "c", "text") };
	ShapeColumn renamed[] = { column(1, "a", "int4"), column(2, "z", "text"),
							  column(4, "c", "text") };
	ShapeColumn swapped[] = { column(1, "a", "int4"), column(2, "c", "text"),
							  column(4, "b", "text") };
	ShapeColumn other[] = { column(1, "a", "int4"), column(4, "c", "text"),
							column(5, "b", "text") };
	ShapeColumn taken[] = { column(1, "a", "int4"), column(4, "b", "text") };
	Shape have = table("t", 1, before, 3);
	Shape want = have;

	differs(&have, &want, false, "", "nothing has changed");
	want = table("u", 1, before, 3);
	differs(&have, &want, false, "move", "another name");
	want = table("t", 1, renamed, 3);
	differs(&have, &want, false, "rename b=z", "the number is the same");
	want = table("t", 1, swapped, 3);
	differs(&have, &want, false,
			"rename b=portage_2, rename c=portage_4, rename portage_2=c, "
			"rename portage_4=b",
			"names are exchanged over a third one");
	want = table("t", 1, other, 3);
	differs(&have, &want, false, "drop b, add b",
			"a name match alone is no column");
	want = table("t", 1, taken, 2);
	differs(&have, &want, false, "drop b, rename c=b",
			"a name is free once its column is dropped");
}

static void
test_rows(void)
{
	ShapeColumn before[] = { column(1, "a", "int4"),
							 column(2, "b", "varchar") };
	ShapeColumn wider[] = { column(1, "a", "int4"), column(2, "b", "text") };
	ShapeColumn more[] = { column(1, "a", "int4"), column(2, "b", "varchar"),
						   column(3, "c", "int4") };
	ShapeColumn made[] = { column(1, "a", "int4"), column(2, "b", "varchar"),
						   column(3, "g", "int4") };
	ShapeColumn strict[] = { column(1, "a", "int4"),
							 column(2, "b", "varchar") };
	Shape have = table("t", 1, before, 2);
	Shape want = table("t", 2, before, 2);

	differs(&have, &want, false, "", "only the storage is another one");
	want = table("t", 1, wider, 2);
	differs(&have, &want, false, "type b", "a type, the rows as they were");
	want.storage = 2;
	differs(&have, &want, false,
			"type b REFUSED: column \"b\" has another type, and the rows were "
			"written anew",
			"a type, the rows written anew");
	differs(&have, &want, true, "type b", "that the copy has shown");
	want = table("t", 1, more, 3);
	differs(&have, &want, false, "add c", "a column");
	want.storage = 2;
	differs(
		&have, &want, false,
		"add c REFUSED: column \"c\" is new, and the rows were written anew",
		"a column that was computed");
	made[2].generated = 's';
	want = table("t", 1, made, 3);
	differs(&have, &want, false,
			"add g REFUSED: column \"g\" is generated, and its expression is "
			"not in the stream",
			"a generated column");
	made[2].default_sql = "a + 1";
	differs(&have, &want, false, "add g", "with its expression");
	strict[1].not_null = true;
	want = table("t", 1, strict, 2);
	differs(&have, &want, false, "nulls b", "NOT NULL");
}

static void
test_parents(void)
{
	ShapeColumn before[] = { column(1, "a", "int4"), column(2, "b", "text") };
	ShapeColumn after[] = { column(1, "a", "int4"), column(2, "z", "text"),
							column(7, "x", "int8") };
	ShapeColumn added = column(3, "x", "int8");
	ShapeStep add = { .kind = SHAPE_ADD, .name = "x", .column = &added };
	ShapeStep rename = { .kind = SHAPE_RENAME, .name = "b", .new_name = "z" };
	ShapeStep drop = { .kind = SHAPE_DROP, .name = "x" };
	Shape have = table("leaf", 1, before, 2);
	Shape want = table("leaf", 1, after, 3);
	Arena arena;

	arena_init(&arena);
	differs(&have, &want, false, "rename b=z, add x",
			"nothing known of a parent");
	shape_follow(&have, &add, &arena);
	differs(&have, &want, false, "rename b=z",
			"the column is there by its parent");
	shape_follow(&have, &rename, &arena);
	differs(&have, &want, false, "", "and so is the name");
	want.column_count = 2;
	differs(&have, &want, false,
			" REFUSED: column \"x\" came through a parent, and is not there",
			"a column that nobody announces");
	shape_follow(&have, &drop, &arena);
	differs(&have, &want, false, "", "dropped at the parent");
	want.root_oid = 99;
	want.root = "public.root";
	differs(&have, &want, false,
			"detach REFUSED: it became a partition of public.root, and its "
			"bounds are not in the stream",
			"attached");
	differs(&want, &have, false, "detach", "detached");
	arena_release(&arena);
}

static void
test_json(void)
{
	ShapeColumn columns[] = { column(1, "a\"b\\c\t", "int4"),
							  column(0, "\xe4\xf6\xc3\xbc", "text") };
	Shape shape = table("t", 1, columns, 2);
	Shape again = { .schema = "s", .name = "t" };
	static const char *const bad[] = {
		"",
		"{}",
		"[1]",
		"[{\"num\":1}]",
		"[",
		"null",
		"[{\"num\":\"1\",\"name\":\"a\",\"type_schema\":\"s\",\"type\":\"t\","
		"\"typmod\":1}]",
	};
	Error err = ERROR_INIT;
	Arena arena;

	arena_init(&arena);
	columns[1].typmod = 7;
	columns[1].not_null = true;
	ok(shape_columns_parse(shape_columns_json(&shape, &arena), &arena, &again,
						   &err),
	   "columns come back");
	ok(shape_same_columns(&shape, &again), "as they were, byte by byte");
	is_int(again.columns[1].num, 0, "with the number");
	ok(again.columns[1].not_null, "and NOT NULL");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		error_clear(&err);
		ok(!shape_columns_parse(bad[i], &arena, &again, &err) &&
			   err.code == P_PROGRESS,
		   "refused: %s", bad[i]);
	}
	arena_release(&arena);
}

int
main(void)
{
	test_names();
	test_rows();
	test_parents();
	test_json();
	return done_testing();
}
