/*
 * test_table_map.c
 *		How rows of a table are mapped: kept as JSON and read back; looked up.
 */
#include "mysql/table_map.h"
#include "tap.h"

static Arena arena;

static const char *labels[] = { "sad", "it's \"so\"", "\xc3\xa4\n" };

static ColumnMap columns[] = {
	{ .num = 1,
	  .name = "id",
	  .target = "id",
	  .type = "bigint",
	  .convert = CONVERT_INTEGER,
	  .not_null = true,
	  .sequence = "s.t_id_seq",
	  .max_chars = -1,
	  .max_bytes = -1 },
	{ .num = 3,
	  .name = "M\xf6\xf6\x64", /* not UTF-8 */
	  .target = "mood",
	  .type = "enum('sad')",
	  .convert = CONVERT_ENUM,
	  .policy = LOSS_CLAMP,
	  .max_chars = 255,
	  .max_bytes = -1,
	  .labels = labels,
	  .label_count = 3 },
	{ .num = 4,
	  .name = "doc",
	  .target = "doc`s",
	  .type = "json",
	  .convert = CONVERT_ARRAY,
	  .policy = LOSS_TEXT,
	  .computed = true,
	  .precision = 65,
	  .scale = 30,
	  .max_chars = -1,
	  .max_bytes = 4294967295,
	  .strict_json = true,
	  .max_depth = 100,
	  .keep_sign = true,
	  .element = CONVERT_JSON_TEXT },
};

static const TableMap map = { .oid = 4000000000,
							  .schema = "s",
							  .name = "t",
							  .table = "s__t",
							  .partition = true,
							  .columns = columns,
							  .column_count = 3 };

static void
same_column(const ColumnMap *got, const ColumnMap *want)
{
	ok(got->num == want->num && strcmp(got->name, want->name) == 0 &&
		   strcmp(got->target, want->target) == 0 &&
		   strcmp(got->type, want->type) == 0,
	   "column %s: names and type", want->target);
	ok(got->convert == want->convert && got->policy == want->policy &&
		   got->computed == want->computed && got->not_null == want->not_null,
	   "column %s: kinds and flags", want->target);
	ok(got->precision == want->precision && got->scale == want->scale &&
		   got->max_chars == want->max_chars &&
		   got->max_bytes == want->max_bytes,
	   "column %s: limits", want->target);
	ok(got->strict_json == want->strict_json &&
		   got->max_depth == want->max_depth &&
		   got->keep_sign == want->keep_sign && got->element == want->element,
	   "column %s: of JSON and numbers", want->target);
	is_str(got->sequence, want->sequence, "its sequence");
	is_int(got->label_count, want->label_count, "as many labels");
	for (int i = 0; i < got->label_count && i < want->label_count; i++)
		is_str(got->labels[i], want->labels[i], "a label");
}

static void
test_round_trip(void)
{
	Error err = ERROR_INIT;
	TableMap back = { 0 };
	TableMap other = map;

	ok(table_map_parse(table_map_json(&map, &arena), &arena, &back, &err),
	   "it can be read back");
	is_int(back.oid, map.oid, "its oid");
	is_str(back.schema, "s", "its schema");
	is_str(back.name, "t", "its name");
	ok(back.database == NULL, "the URL's database");
	is_str(back.table, "s__t", "its table");
	ok(back.partition, "it is a partition");
	is_int(back.column_count, 3, "its columns");
	for (int i = 0; i < 3; i++)
		same_column(&back.columns[i], &columns[i]);
	is_str(table_map_json(&back, &arena), table_map_json(&map, &arena),
		   "and is written as it was");

	other.database = "sales";
	other.column_count = 0;
	ok(table_map_parse(table_map_json(&other, &arena), &arena, &back, &err),
	   "without columns");
	is_str(back.database, "sales", "a database of its own");
}

/* Each kind and policy has a word of its own. */
static void
test_words(void)
{
	Error err = ERROR_INIT;
	ColumnMap column = columns[0];
	TableMap one = map;
	TableMap back;
	bool same = true;

	one.columns = &column;
	one.column_count = 1;
	for (int kind = CONVERT_TEXT; kind <= CONVERT_HSTORE; kind++)
	{
		for (int policy = LOSS_ERROR; policy <= LOSS_TEXT; policy++)
		{
			column.convert = (ConvertKind) kind;
			column.policy = (LossPolicy) policy;
			same = same &&
				   table_map_parse(table_map_json(&one, &arena), &arena, &back,
								   &err) &&
				   back.columns[0].convert == column.convert &&
				   back.columns[0].policy == column.policy;
		}
	}
	ok(same, "all conversions and policies come back");
}

static void
test_garbage(void)
{
	static const char *const bad[] = { "", "[]", "{}", "{\"oid\":1}", "null" };
	Error err = ERROR_INIT;
	TableMap back;
	char *json = table_map_json(&map, &arena);
	bool refused = true;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		ok(!table_map_parse(bad[i], &arena, &back, &err), "refused: %s",
		   bad[i]);
		is_int(err.code, P_PROGRESS, "as a damaged state");
	}
	for (size_t cut = 0; cut < strlen(json); cut++)
		refused = refused && !table_map_parse(arena_strndup(&arena, json, cut),
											  &arena, &back, &err);
	ok(refused, "whatever is cut off");
}

static void
test_lookups(void)
{
	ColumnMap column = columns[0];

	ok(table_map_column(&map, "doc") == &columns[2], "by the source's name");
	ok(table_map_column(&map, "doc`s") == NULL, "not by the target's");
	ok(table_map_number(&map, 3) == &columns[1], "by number");
	ok(table_map_number(&map, 0) == NULL, "0 is none");
	ok(table_map_number(&map, 2) == NULL, "one that was dropped");

	is_int(column_map_literal(&columns[0]), LITERAL_NUMBER, "a number");
	is_int(column_map_literal(&columns[1]), LITERAL_TEXT, "a label");
	column.convert = CONVERT_BYTES;
	is_int(column_map_literal(&column), LITERAL_BYTES, "bytes");
	column.convert = CONVERT_BITS;
	is_int(column_map_literal(&column), LITERAL_BITS, "bits");
}

int
main(void)
{
	arena_init(&arena);
	test_round_trip();
	test_words();
	test_garbage();
	test_lookups();
	arena_release(&arena);
	return done_testing();
}
