/*
 * row_sql.c
 *		See row_sql.h.
 */
#include "mysql/row_sql.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "mysql/mysql_conn.h"
#include "plan/row_error.h"

/* converted values that are longer than this are not kept around */
#define SCRATCH_KEPT ((size_t) 1024 * 1024)

struct RowWriter
{
	TextDecoder *decoder; /* NULL: values are UTF-8 */
	LossTally *losses;
	Buffer decoded;
	Buffer scratch;
};

RowWriter *
row_writer_new(const char *encoding, LossTally *losses, Error *err)
{
	RowWriter *writer = mem_zalloc(sizeof(*writer));

	writer->losses = losses;
	buffer_init(&writer->decoded);
	buffer_init(&writer->scratch);
	if (text_decoder_open(encoding, &writer->decoder, err))
		return writer;
	row_writer_free(writer);
	return NULL;
}

void
row_writer_free(RowWriter *writer)
{
	if (writer == NULL)
		return;
	text_decoder_close(writer->decoder);
	buffer_release(&writer->decoded);
	buffer_release(&writer->scratch);
	mem_free(writer);
}

/* The buffer is reused: what is kept of it ends up in the arena. */
static Slice
keep(Buffer *quoted, Arena *arena)
{
	Slice kept = { arena_strndup(arena, quoted->data, quoted->len),
				   quoted->len };

	buffer_reset(quoted);
	return kept;
}

/*
 * Only MySQL has a type JSON whose values are compared as what they mean; that
 * of MariaDB is text.  Its numbers are doubles.
 */
static bool
is_json(const ColumnMap *map)
{
	return map->strict_json && strncasecmp(map->type, "json", 4) == 0;
}

static bool
bind_column(RowTable *table, int i, Buffer *quoted, Arena *arena, Error *err)
{
	const Column *source = &table->relation->columns[i];
	const ColumnMap *map = table_map_number(table->map, source->attnum);
	RowColumn *column = &table->columns[i];

	/* its values never travel */
	if (map == NULL && (source->flags & WIRE_COLUMN_VIRTUAL) != 0)
		return true;
	if (map == NULL)
		return error_set(
			err, P_SCHEMA_DIFFERS,
			"the target's table for %s.%s has no column for \"%s\"",
			table->relation->schema, table->relation->name, source->name);
	column->key = (source->flags & WIRE_COLUMN_KEY) != 0;
	column->bytes = source->base_type_oid == BYTEA_OID;
	my_quote_ident(quoted, map->target);
	column->name = keep(quoted, arena);
	column->map = map;
	column->json = is_json(map);
	column->written = !map->computed;
	if (column->written && table->first_written < 0)
		table->first_written = i;
	return true;
}

bool
row_table_init(RowTable *table, const Relation *relation, const TableMap *map,
			   Arena *arena, Error *err)
{
	Buffer quoted;
	bool ok = true;

	buffer_init(&quoted);
	memset(table, 0, sizeof(*table));
	table->relation = relation;
	table->map = map;
	table->first_written = -1;
	my_quote_table(&quoted, map->database, map->table);
	table->name = keep(&quoted, arena);
	table->columns = ARENA_ARRAY(arena, RowColumn,
								 (size_t) relation->column_count + 1);
	for (int i = 0; ok && i < relation->column_count; i++)
		ok = bind_column(table, i, &quoted, arena, err);
	buffer_release(&quoted);
	return ok;
}

void
row_table_as_bytes(RowTable *table)
{
	for (int i = 0; i < table->relation->column_count; i++)
		table->columns[i].bytes = true;
}

static void
reuse(Buffer *buffer)
{
	if (buffer->capacity > SCRATCH_KEPT)
		buffer_release(buffer);
	else
		buffer_reset(buffer);
}

static bool
value_error(const RowTable *table, Error *err)
{
	err->table = table->relation->oid;
	return false;
}

/* Of a value that is PRESENT or NULL; lives until the next one. */
static bool
convert(RowWriter *writer, const RowTable *table, int i, const Value *value,
		ValueUse use, Converted *converted, Error *err)
{
	const RowColumn *column = &table->columns[i];
	Slice text = { value->data, value->len };

	if (value->state == WIRE_COL_NULL)
	{
		*converted = (Converted){ .null = true };
		return true;
	}
	BUG_UNLESS(value->state == WIRE_COL_PRESENT && column->map != NULL);
	reuse(&writer->scratch);
	reuse(&writer->decoded);
	if (!convert_encoded(writer->decoder, column->map, text, column->bytes,
						 &writer->decoded, &writer->scratch, converted, err))
		return value_error(table, err);
	if (converted->loss != LOSS_NONE && use == VALUE_WRITTEN)
		loss_tally_add(writer->losses, table->map, column->map, converted->loss,
					   1);
	return true;
}

bool
row_literal(RowWriter *writer, const RowTable *table, int i, const Value *value,
			ValueUse use, Buffer *sql, Error *err)
{
	Converted converted;

	if (!convert(writer, table, i, value, use, &converted, err))
		return false;
	convert_literal(sql, table->columns[i].map, &converted);
	return true;
}

bool
row_field(RowWriter *writer, const RowTable *table, int i, const Value *value,
		  Buffer *line, Error *err)
{
	Converted converted;

	if (!convert(writer, table, i, value, VALUE_WRITTEN, &converted, err))
		return false;
	convert_field(line, &converted);
	return true;
}

bool
row_column_carried(const RowTable *table, const Change *change, int i)
{
	if (change->new_values == NULL || !table->columns[i].written)
		return false;
	return change->new_values[i].state == WIRE_COL_NULL ||
		   change->new_values[i].state == WIRE_COL_PRESENT;
}

/* A key that did not change need not be set: without an old key it did not. */
static bool
column_set(const RowTable *table, const Change *change, int i)
{
	return row_column_carried(table, change, i) &&
		   (change->old_kind != WIRE_OLD_NONE || !table->columns[i].key);
}

static void
put_name(Buffer *sql, const RowColumn *column)
{
	buffer_append(sql, column->name.data, column->name.len);
}

static bool
put_insert(RowWriter *writer, const RowTable *table, const Change *change,
		   Buffer *sql, Error *err)
{
	int count = table->relation->column_count;
	const char *before = "";

	buffer_puts(sql, "INSERT INTO ");
	buffer_append(sql, table->name.data, table->name.len);
	buffer_puts(sql, " (");
	for (int i = 0; i < count; i++)
	{
		if (!row_column_carried(table, change, i))
			continue;
		buffer_puts(sql, before);
		put_name(sql, &table->columns[i]);
		before = ", ";
	}
	buffer_puts(sql, ") VALUES (");
	before = "";
	for (int i = 0; i < count; i++)
	{
		if (!row_column_carried(table, change, i))
			continue;
		buffer_puts(sql, before);
		if (!row_literal(writer, table, i, &change->new_values[i],
						 VALUE_WRITTEN, sql, err))
			return false;
		before = ", ";
	}
	buffer_putc(sql, ')');
	return true;
}

bool
row_where_key(RowWriter *writer, const RowTable *table, const Value *row,
			  Buffer *sql, Error *err)
{
	const char *before = " WHERE ";

	for (int i = 0; i < table->relation->column_count; i++)
	{
		if (!table->columns[i].key)
			continue;
		buffer_puts(sql, before);
		put_name(sql, &table->columns[i]);
		buffer_append(sql, " = ", 3);
		if (!row_literal(writer, table, i, &row[i], VALUE_COMPARED, sql, err))
			return false;
		before = " AND ";
	}
	return true;
}

/*
 * By all that was written.  Rows that are alike there are alike on the source as
 * far as the target can hold it: any one of them will do.
 */
static bool
put_where_image(RowWriter *writer, const RowTable *table, const Value *row,
				Buffer *sql, Error *err)
{
	const char *before = " WHERE ";

	for (int i = 0; i < table->relation->column_count; i++)
	{
		const RowColumn *column = &table->columns[i];

		if (!column->written || row[i].state == WIRE_COL_ABSENT)
			continue;
		buffer_puts(sql, before);
		put_name(sql, column);
		buffer_puts(sql, column->json ? " <=> CAST(" : " <=> ");
		if (!row_literal(writer, table, i, &row[i], VALUE_COMPARED, sql, err))
			return false;
		if (column->json)
			buffer_puts(sql, " AS JSON)");
		before = " AND ";
	}
	buffer_puts(sql, " LIMIT 1");
	return true;
}

static bool
put_where(RowWriter *writer, const RowTable *table, const Change *change,
		  Buffer *sql, Error *err)
{
	const Value *row = change->old_values != NULL ? change->old_values
												  : change->new_values;

	return table->relation->key_count > 0
			   ? row_where_key(writer, table, row, sql, err)
			   : put_where_image(writer, table, row, sql, err);
}

/*
 * Nothing to set, as when all values that could change are large and did not:
 * the row must be there all the same.
 */
static void
put_no_change(const RowTable *table, Buffer *sql)
{
	const RowColumn *column = &table->columns[table->first_written];

	put_name(sql, column);
	buffer_puts(sql, " = ");
	put_name(sql, column);
}

static bool
put_update(RowWriter *writer, const RowTable *table, const Change *change,
		   Buffer *sql, Error *err)
{
	const char *before = "";

	BUG_UNLESS(table->first_written >= 0);
	buffer_puts(sql, "UPDATE ");
	buffer_append(sql, table->name.data, table->name.len);
	buffer_puts(sql, " SET ");
	for (int i = 0; i < table->relation->column_count; i++)
	{
		if (!column_set(table, change, i))
			continue;
		buffer_puts(sql, before);
		put_name(sql, &table->columns[i]);
		buffer_append(sql, " = ", 3);
		if (!row_literal(writer, table, i, &change->new_values[i],
						 VALUE_WRITTEN, sql, err))
			return false;
		before = ", ";
	}
	if (before[0] == '\0')
		put_no_change(table, sql);
	return put_where(writer, table, change, sql, err);
}

static bool
put_delete(RowWriter *writer, const RowTable *table, const Change *change,
		   Buffer *sql, Error *err)
{
	buffer_puts(sql, "DELETE FROM ");
	buffer_append(sql, table->name.data, table->name.len);
	return put_where(writer, table, change, sql, err);
}

bool
row_statement(RowWriter *writer, const RowTable *table, const Txn *txn,
			  const Change *change, Buffer *sql, Error *err)
{
	bool ok;

	switch (change->kind)
	{
		case CHANGE_INSERT:
			ok = put_insert(writer, table, change, sql, err);
			break;
		case CHANGE_UPDATE:
			ok = put_update(writer, table, change, sql, err);
			break;
		case CHANGE_DELETE:
		case CHANGE_MAYBE_DELETE:
			ok = put_delete(writer, table, change, sql, err);
			break;
		default:
			BUG("no statement for change kind %d", (int) change->kind);
	}
	return ok || row_error(err, txn, change);
}
