/*
 * translate_key.c
 *		What keys ask of the types of their columns.
 *
 * An index of InnoDB has room for 3072 bytes, and a key has to hold its columns
 * whole: a text without limit becomes a varchar, as long as the index has room
 * for, but never shorter than what was measured and some.  Columns of a foreign
 * key have to be of one type.  And a row has room for 65535 bytes.
 */
#include "mysql/translate_parts.h"

#include <inttypes.h>
#include <stdio.h>

#define LENGTH_UNKNOWN 255	   /* nobody measured */
#define LENGTH_COMFORTABLE 255 /* for values up to the half */
#define LENGTH_LEAST 16
#define HASH_BYTES 32
#define HELPER_ROW_BYTES 1024
#define BLOB_ROW_BYTES 12
#define RECORD_BYTES_MAX 8126 /* half a page of 16 kB */
#define RECORD_HEADER 18	  /* and transaction, undo */
#define ROW_ID_BYTES 6
#define POINTER_BYTES_MYSQL 41
#define POINTER_BYTES_MARIADB 21

/* A column in a key whose length can be chosen. */
typedef struct KeyPart
{
	WorkColumn *column;
	int64_t least;	/* has to have room */
	int64_t wanted; /* would be nice */
} KeyPart;

bool
key_carried(const SchemaIndex *index)
{
	return (index->kind == SCHEMA_PRIMARY || index->kind == SCHEMA_UNIQUE) &&
		   index->valid && !index->deferrable &&
		   strcmp(index->method, "btree") == 0;
}

/* Length of one unit of the column, were it a varchar or varbinary. */
static int
unit_bytes(const WorkColumn *column)
{
	if (column->char_bytes > 0)
		return column->char_bytes;
	if (column->map.convert == CONVERT_BYTES)
		return 1;
	return strstr(column->charset, " ascii ") != NULL ? 1 : CHAR_BYTES;
}

static int64_t
measured(const WorkColumn *column)
{
	return column->map.convert == CONVERT_BYTES ? column->source->max_bytes
												: column->source->max_chars;
}

/* Can its length be chosen?  An array or a document has none. */
static bool
can_choose(const WorkColumn *column, bool shrink)
{
	return column->free_length || (shrink && column->char_bytes > 0);
}

static void
part_bounds(KeyPart *part, bool shrink)
{
	WorkColumn *column = part->column;
	int64_t longest = measured(column);
	int64_t most = KEY_BYTES_MAX / unit_bytes(column);

	if (!column->free_length && column->length > 0)
		most = column->length;
	part->least = longest < 0 ? LENGTH_LEAST : longest;
	if (longest > 0 && !shrink)
		part->least += longest / 8;
	if (part->least < 1)
		part->least = 1;
	/* what a type limits needs no more, measured or not */
	if (!column->free_length && part->least > most)
		part->least = most;
	part->wanted = longest < 0						   ? LENGTH_UNKNOWN
				   : longest * 2 <= LENGTH_COMFORTABLE ? LENGTH_COMFORTABLE
													   : most;
	if (!column->free_length || part->wanted > most)
		part->wanted = most;
	if (part->wanted < part->least)
		part->wanted = part->least;
}

/* Deal out what is left when everybody has the least. */
static bool
deal_out(KeyPart *parts, int count, int64_t budget)
{
	int64_t least = 0;
	int64_t more = 0;

	for (int i = 0; i < count; i++)
	{
		int unit = unit_bytes(parts[i].column);

		least += parts[i].least * unit;
		more += (parts[i].wanted - parts[i].least) * unit;
	}
	if (least > budget)
		return false;
	for (int i = 0; i < count; i++)
	{
		WorkColumn *column = parts[i].column;
		int64_t length = parts[i].wanted;

		if (least + more > budget)
			length = parts[i].least + (parts[i].wanted - parts[i].least) *
										  (budget - least) / more;
		if (column->key_length == 0 || length < column->key_length)
			column->key_length = length;
	}
	return true;
}

/*
 * Can the index hold the columns whole?  Then their lengths are chosen.  The
 * columns of a primary key may become shorter than their type says.
 */
static bool
fit_key(WorkTable *table, const SchemaIndex *index, Arena *arena)
{
	bool shrink = index->kind == SCHEMA_PRIMARY;
	KeyPart *parts = ARENA_ARRAY(arena, KeyPart, (size_t) index->part_count);
	int64_t budget = KEY_BYTES_MAX;
	int count = 0;

	for (int i = 0; i < index->part_count; i++)
	{
		WorkColumn *column = index->parts[i].column == NULL
								 ? NULL
								 : work_table_column(table,
													 index->parts[i].column);

		if (column == NULL)
			continue;
		if (!can_choose(column, shrink))
		{
			int64_t bytes = work_column_key_bytes(column);

			if (bytes < 0)
				return false;
			budget -= bytes;
			continue;
		}
		parts[count].column = column;
		part_bounds(&parts[count++], shrink);
	}
	return budget >= 0 && deal_out(parts, count, budget);
}

/* The length that the keys agreed upon. */
static void
choose_length(WorkColumn *column, Arena *arena)
{
	int64_t longest = measured(column);
	int64_t before = column->free_length ? -1 : column->length;

	if (column->key_length == 0 || column->key_length == before)
		return;
	work_column_length(column, column->key_length, arena);
	column->free_length = false;
	if (longest >= 0)
		work_column_note(
			column, arena,
			longest > column->length * 8 / 9 ? SEVERITY_WARNING : SEVERITY_NOTE,
			"it is part of a key, which needs a limit: the longest "
			"value has %" PRId64 " now, a later one with more than "
			"%" PRId64 " stops the migration unless --on-loss "
			"says otherwise",
			longest, column->length);
	else
		work_column_note(column, arena, SEVERITY_WARNING,
						 "it is part of a key, which needs a limit: a value "
						 "with more than %" PRId64
						 " stops the migration unless "
						 "--on-loss says otherwise",
						 column->length);
}

void
translate_key_column(WorkColumn *column, Arena *arena)
{
	KeyPart part = { .column = column };

	if (!can_choose(column, false))
		return;
	part_bounds(&part, false);
	if (deal_out(&part, 1, KEY_BYTES_MAX))
		choose_length(column, arena);
}

static void
no_primary_key(Translator *self, const WorkTable *table)
{
	finding_add(self->decisions, SEVERITY_ERROR, P_DDL, table->object,
				"give the table another primary key, shorten the values, or "
				"leave the table out with --exclude-tables",
				"its primary key is too long for an index of the target: %d "
				"bytes in all, %d for each character",
				KEY_BYTES_MAX, CHAR_BYTES);
}

static void
table_keys(Translator *self, WorkTable *table)
{
	for (int i = 0; i < table->source->index_count; i++)
	{
		const SchemaIndex *index = &table->source->indexes[i];

		/* one hash stands for all columns, whatever their length */
		if (!key_carried(index) || index->nulls_not_distinct)
			continue;
		table->keys[i].hashed = !fit_key(table, index, self->arena);
		if (table->keys[i].hashed && index->kind == SCHEMA_PRIMARY)
			no_primary_key(self, table);
	}
	for (int i = 0; i < table->column_count; i++)
		choose_length(&table->columns[i], self->arena);
}

/* ---- foreign keys */

static int
integer_rank(const WorkColumn *column)
{
	if (strcmp(column->map.type, "smallint") == 0)
		return 1;
	if (strcmp(column->map.type, "int") == 0)
		return 2;
	return strcmp(column->map.type, "bigint") == 0 ? 3 : 0;
}

static void
same_type(WorkColumn *to, const WorkColumn *from, const WorkTable *of,
		  Arena *arena)
{
	const char *before = to->map.type;

	to->map.type = from->map.type;
	to->map.precision = from->map.precision;
	to->map.scale = from->map.scale;
	to->map.max_chars = from->map.max_chars;
	to->map.max_bytes = from->map.max_bytes;
	to->fixed_bytes = from->fixed_bytes;
	to->char_bytes = from->char_bytes;
	to->length = from->length;
	to->blob = from->blob;
	to->free_length = from->free_length;
	work_column_note(to, arena, SEVERITY_NOTE,
					 "not %s: a foreign key with %s needs the same type",
					 before, of->label);
}

/*
 * Give both a type that holds the values of both, if there is one.  True if
 * something changed.
 */
static bool
align_columns(WorkColumn *child, const WorkTable *child_table,
			  WorkColumn *parent, const WorkTable *parent_table, Arena *arena)
{
	int child_rank = integer_rank(child);
	int parent_rank = integer_rank(parent);

	if (strcmp(child->map.type, parent->map.type) == 0 ||
		child->map.convert != parent->map.convert)
		return false;
	if (child_rank > 0 && parent_rank > 0)
	{
		if (child_rank < parent_rank)
			same_type(child, parent, parent_table, arena);
		else
			same_type(parent, child, child_table, arena);
		return true;
	}
	if (child->map.convert == CONVERT_DATETIME ||
		child->map.convert == CONVERT_UTC || child->map.convert == CONVERT_TIME)
	{
		if (child->map.precision < parent->map.precision)
			same_type(child, parent, parent_table, arena);
		else
			same_type(parent, child, child_table, arena);
		return true;
	}
	/* what refers is no longer than what it refers to */
	if (child->blob && child->free_length && !parent->blob &&
		strcmp(child->charset, parent->charset) == 0)
	{
		same_type(child, parent, parent_table, arena);
		return true;
	}
	return false;
}

static bool
align_foreign_keys(Translator *self, WorkTable *table)
{
	bool changed = false;

	for (int i = 0; i < table->source->foreign_key_count; i++)
	{
		const SchemaForeignKey *key = &table->source->foreign_keys[i];
		WorkTable *parent = translator_table(self, key->ref_oid);

		for (int c = 0; parent != NULL && c < key->column_count; c++)
		{
			WorkColumn *from = work_table_column(table, key->columns[c]);
			WorkColumn *to = work_table_column(parent, key->ref_columns[c]);

			if (from != NULL && to != NULL)
				changed |= align_columns(from, table, to, parent, self->arena);
		}
	}
	return changed;
}

/* ---- the size of a row */

/*
 * Room for the generated columns that unique keys may need: they come later, when
 * it is known what they are made of.
 */
static int64_t
helper_bytes(const WorkTable *table, bool in_page)
{
	int64_t bytes = 0;

	for (int i = 0; i < table->source->index_count; i++)
	{
		const SchemaIndex *index = &table->source->indexes[i];

		if (index->kind != SCHEMA_UNIQUE)
			continue;
		if (table->keys[i].hashed || index->nulls_not_distinct)
			bytes += HASH_BYTES;
		else if (index->predicate != NULL)
			bytes += in_page ? POINTER_BYTES_MYSQL : HELPER_ROW_BYTES;
	}
	return bytes;
}

/* What the server's own limit of a row counts: all but what blobs hold. */
static int64_t
row_bytes(const WorkTable *table)
{
	int64_t bytes = (table->column_count + 7) / 8 + 1;

	for (int i = 0; i < table->column_count; i++)
		bytes += work_column_row_bytes(&table->columns[i]);
	return bytes + helper_bytes(table, false);
}

/*
 * What InnoDB counts of a column: it has to find room in half a page for what
 * cannot be kept elsewhere.  [ran: MySQL 9.7, MariaDB 10.11]
 */
static int64_t
page_bytes(const WorkColumn *column, bool mariadb)
{
	int64_t bytes = column->length * column->char_bytes;
	int64_t pointer = mariadb ? POINTER_BYTES_MARIADB : POINTER_BYTES_MYSQL;

	if (column->left_out)
		return 0;
	if (column->blob)
		return pointer;
	if (column->char_bytes == 0)
		return column->fixed_bytes;
	if (column->char_bytes == 1 && strncmp(column->map.type, "char", 4) == 0)
		return bytes;
	return bytes > (mariadb ? 255 : 40) ? pointer : bytes + 1;
}

static int64_t
record_bytes(const Translator *self, const WorkTable *table)
{
	bool keyed = schema_primary_key(table->source) != NULL;
	int64_t bytes = (table->column_count + 7) / 8 +
					(keyed ? RECORD_HEADER : RECORD_HEADER + ROW_ID_BYTES);

	for (int i = 0; i < table->column_count; i++)
		bytes += page_bytes(&table->columns[i], self->target->mariadb);
	return bytes + helper_bytes(table, true);
}

/* A text type instead, which a row has only a pointer to. */
static void
downgrade(WorkColumn *column, Arena *arena, const char *why)
{
	bool small = column->length * column->char_bytes <= 65535;

	work_column_note(column, arena, SEVERITY_NOTE, "not %s: %s",
					 column->map.type, why);
	column->map.type = column->map.convert == CONVERT_BYTES ? "longblob"
					   : small								? "text"
															: "longtext";
	column->blob = true;
	column->fixed_bytes = 12;
	column->char_bytes = 0;
	column->length = 0;
}

/* The one by which most is won, if no key needs it as it is. */
static WorkColumn *
largest_column(const Translator *self, WorkTable *table, bool in_page)
{
	int64_t most = in_page ? POINTER_BYTES_MARIADB : BLOB_ROW_BYTES;
	WorkColumn *largest = NULL;

	for (int i = 0; i < table->column_count; i++)
	{
		WorkColumn *column = &table->columns[i];
		int64_t bytes = in_page ? page_bytes(column, self->target->mariadb)
								: work_column_row_bytes(column);

		if (column->char_bytes == 0 || column->key_length > 0 || column->blob ||
			bytes <= most)
			continue;
		largest = column;
		most = bytes;
	}
	return largest;
}

static void
row_too_long(Translator *self, const WorkTable *table, int64_t bytes, int room)
{
	finding_add(self->decisions, SEVERITY_ERROR, P_DDL, table->object,
				"leave the table out with --exclude-tables, or split it",
				"its rows need %" PRId64
				" bytes beside what is kept elsewhere, the target has room for "
				"%d",
				bytes, room);
}

static void
fit_row(Translator *self, WorkTable *table)
{
	WorkColumn *column;

	while (row_bytes(table) > ROW_BYTES_MAX &&
		   (column = largest_column(self, table, false)) != NULL)
		downgrade(column, self->arena,
				  "a row of the target has room for 65535 bytes");
	/* on MySQL a pointer takes as much as what may be put elsewhere */
	while (self->target->mariadb &&
		   record_bytes(self, table) >= RECORD_BYTES_MAX &&
		   (column = largest_column(self, table, true)) != NULL)
		downgrade(column, self->arena,
				  "half a page has to have room for a row, and for a text has "
				  "only a pointer");
	if (row_bytes(table) > ROW_BYTES_MAX)
		row_too_long(self, table, row_bytes(table), ROW_BYTES_MAX);
	else if (record_bytes(self, table) >= RECORD_BYTES_MAX)
		row_too_long(self, table, record_bytes(self, table), RECORD_BYTES_MAX);
}

static void
align_types(Translator *self)
{
	bool changed = true;

	/* each change makes a type wider: this ends */
	for (int round = 0; changed && round < self->table_count + 3; round++)
	{
		changed = false;
		for (int i = 0; i < self->table_count; i++)
			changed |= align_foreign_keys(self, &self->tables[i]);
	}
}

/* Numbers are made wider before it is known how much room a key has for text. */
void
translate_key_types(Translator *self)
{
	align_types(self);
	for (int i = 0; i < self->table_count; i++)
		table_keys(self, &self->tables[i]);
	align_types(self);
	for (int i = 0; i < self->table_count; i++)
		fit_row(self, &self->tables[i]);
}
