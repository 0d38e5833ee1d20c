/*
 * quarantine_print.c
 *		Rows in quarantine, for people and for programs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "command/json_words.h"
#include "command/quarantine.h"
#include "command/walk.h"

static void
print_object(const char *title, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_ENCODE_ANY);

	printf("    %-8s %s\n", title, text != NULL ? text : "?");
	free(text);
}

void
quarantine_print_text(const QuarantineRows *rows)
{
	for (int i = 0; i < rows->count; i++)
	{
		const QuarantineRow *row = &rows->items[i];

		printf("%s.%s: %s, by %s, %s at %s\n", row->schema, row->table,
			   row->operation, row->rule,
			   row->xid != 0 ? "committed" : "copied", row->commit_lsn);
		print_object("key:", json_object_get(row->body, "key"));
		print_object("row:", json_object_get(row->body, "row"));
		printf("    %-8s %s\n", "error:", row->error);
	}
	printf("%d rows in quarantine\n", rows->count);
}

void
quarantine_print_json(const QuarantineRows *rows, const char *name)
{
	json_t *list = json_array();
	json_t *root;

	for (int i = 0; i < rows->count; i++)
	{
		const QuarantineRow *row = &rows->items[i];

		json_array_append_new(
			list,
			json_pack("{s:o, s:o, s:o, s:s, s:s, s:I, s:I, s:o, s:O, s:O}",
					  "rule", json_words(row->rule), "schema",
					  json_words(row->schema), "table", json_words(row->table),
					  "operation", row->operation, "commit_lsn",
					  row->commit_lsn, "xid", (json_int_t) row->xid,
					  "commit_time_us", (json_int_t) row->commit_time_us,
					  "error", json_words(row->error), "key",
					  json_object_get(row->body, "key"), "row",
					  json_object_get(row->body, "row")));
	}
	root = json_pack("{s:i, s:s, s:o}", "format", 1, "name", name, "rows",
					 list);
	BUG_UNLESS(root != NULL);
	walk_print_json(root, 0);
}
