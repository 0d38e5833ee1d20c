/*
 * drive_target.c
 *		Changes from a script, planned and written to a target, without a source:
 *		for tests of what only rules make.
 *
 *		drive_target URL STREAM plan|serial|apply <script
 *
 * plan writes as the stream does, serial each change by itself, apply by the
 * target's own way.  The tables have the columns id integer (key), a text,
 * n integer.  A line each, words apart; "~" is null, "-" a value that an UPDATE
 * does not say:
 *
 *		table OID NAME			before all others; on MySQL they are created
 *		ready					and the progress row is made
 *		again					or is there
 *		i|u|p TABLE ID A N		INSERT, UPDATE, put
 *		k TABLE OLD ID A N		UPDATE of the key
 *		d|m TABLE ID			DELETE, maybe-delete
 *		o|g|e TABLE ID A N		INSERT; where the key is taken the source wins,
 *								or who has the greater n, or what is there
 *		x TABLE A N				match: n of all rows with that a
 *		keep|drop AREA KEY BODY	put or maybe-delete of a kept row
 *		commit					the end of a transaction
 *		write					and of a batch
 *		piece					what there is of the transaction is a piece of it
 *		load AREA KEY BODY		a kept row, as a copy would leave it
 *		ledger					"rule table seen merged overwritten kept"
 *		kept AREA				"area key body"
 *		forget					the state of the stream goes
 *		type NAME				of the source at URL: what it is (alone)
 *
 * Every write says "ok", or the code of its error and what it says.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "source/source.h"
#include "stream/batch_apply.h"

#define COLUMNS 3
#define TABLES_MAX 8
#define WORDS_MAX 8

typedef struct Driver
{
	TargetConfig config;
	Target *target;
	TargetWriter *writer;
	Tables *tables;
	Orders *orders;
	StreamBatch *batch;
	Progress progress;
	const char *mode;
	Arena arena;
	Relation *relations[TABLES_MAX];
	int relation_count;
	const Relation *kept;
	LedgerEntry entry;
	LedgerTally alone; /* sum of the pieces */
	Frame *frame;	   /* of the open transaction */
	bool first;		   /* its next piece is the first */
	bool failed;	   /* since the last batch */
	int loads;		   /* chunks so far */
	uint32_t xid;
	Error err;
} Driver;

static const char *
code_name(const Error *err)
{
	static char name[8];

	snprintf(name, sizeof(name), "P%04d", (int) err->code);
	return name;
}

static void
die(Driver *d, const char *what)
{
	printf("%s: %s %s %s\n", what, code_name(&d->err), d->err.message,
		   d->err.detail);
	exit(1);
}

/* Each transaction is a batch of its own then. */
static bool
is_alone(const Driver *d)
{
	return strcmp(d->mode, "apply") == 0;
}

static ChangeVerdict
apply_all(const ChangeFilter *self, const Txn *txn, const Change *change,
		  const Relation *relation)
{
	(void) self;
	(void) txn;
	(void) change;
	(void) relation;
	return VERDICT_APPLY;
}

static const ChangeFilter filter = { apply_all, NULL };

/* ---------------------------------------------------------------- tables */

static const struct
{
	const char *name;
	const char *type;
	uint32_t oid;
	char category;
} columns[COLUMNS] = {
	{ "id", "int4", 23, 'N' },
	{ "a", "text", 25, 'S' },
	{ "n", "int4", 23, 'N' },
};

static void
add_table(Driver *d, uint32_t oid, const char *name)
{
	Relation *relation = relation_new();
	Column *column = ARENA_ARRAY(&relation->arena, Column, COLUMNS);

	for (int i = 0; i < COLUMNS; i++)
	{
		column[i].name = columns[i].name;
		column[i].type_schema = column[i].base_schema = "pg_catalog";
		column[i].type_name = column[i].base_name = columns[i].type;
		column[i].type_oid = column[i].base_type_oid = columns[i].oid;
		column[i].typmod = -1;
		column[i].attnum = (uint16_t) (i + 1);
		column[i].category = (uint8_t) columns[i].category;
	}
	column[0].flags = WIRE_COLUMN_KEY | WIRE_COLUMN_NOT_NULL;
	relation->oid = oid;
	relation->schema = "public";
	relation->name = arena_strdup(&relation->arena, name);
	relation->root_schema = relation->root_name = "";
	relation->kind = 'r';
	relation->identity = 'd';
	relation->derived = true;
	relation->storage = 1;
	relation->columns = column;
	relation->column_count = COLUMNS;
	relation->key_count = 1;
	BUG_UNLESS(d->relation_count < TABLES_MAX);
	d->relations[d->relation_count++] = relation;
}

static Relation *
table_of(Driver *d, const char *name)
{
	for (int i = 0; i < d->relation_count; i++)
	{
		if (strcmp(d->relations[i]->name, name) == 0)
			return d->relations[i];
	}
	BUG("there is no table %s", name);
}

static void
schema_table_of(Driver *d, const Relation *relation, SchemaTable *table)
{
	Arena *arena = &d->arena;

	table->oid = relation->oid;
	table->schema = relation->schema;
	table->name = relation->name;
	table->kind = 'r';
	table->replica_identity = 'd';
	table->columns = ARENA_ARRAY(arena, SchemaColumn, COLUMNS);
	table->column_count = COLUMNS;
	for (int i = 0; i < COLUMNS; i++)
	{
		SchemaColumn *column = &table->columns[i];

		column->num = (uint16_t) (i + 1);
		column->name = columns[i].name;
		column->not_null = i == 0;
		column->max_chars = column->max_bytes = -1;
		column->type = (SchemaType){ .sql = i == 1 ? "text" : "integer",
									 .oid = columns[i].oid,
									 .base_schema = "pg_catalog",
									 .base_name = columns[i].type,
									 .base_oid = columns[i].oid,
									 .typmod = -1,
									 .kind = 'b',
									 .category = columns[i].category };
	}
	table->indexes = ARENA_NEW(arena, SchemaIndex);
	table->index_count = 1;
	table->indexes[0] = (SchemaIndex){ .name = "pkey",
									   .kind = SCHEMA_PRIMARY,
									   .method = "btree",
									   .constraint = true,
									   .valid = true,
									   .identity = true,
									   .definition = "PRIMARY KEY (id)",
									   .part_count = 1 };
	table->indexes[0].parts = ARENA_NEW(arena, SchemaIndexPart);
	table->indexes[0].parts[0] = (SchemaIndexPart){ .column = "id",
													.sql = "id",
													.default_opclass = true };
}

/* A target of another kind makes its tables from the schema. */
static void
create_tables(Driver *d)
{
	const TargetOps *ops = d->target->ops;
	Schema schema = { .database = "d", .encoding = "UTF8" };
	Translation translation;

	if (!ops->features.own_schema)
		return;
	schema.tables = ARENA_ARRAY(&d->arena, SchemaTable, TABLES_MAX);
	for (int i = 0; i < d->relation_count; i++)
		schema_table_of(d, d->relations[i],
						&schema.tables[schema.table_count++]);
	memset(&translation, 0, sizeof(translation));
	if (!ops->schema_translate(d->target, &schema, &d->arena, &translation,
							   &d->err) ||
		!ops->ddl_store(d->target, &d->progress, translation.entries,
						translation.entry_count, &d->err))
		die(d, "schema");
	for (int i = 0; i < translation.entry_count; i++)
	{
		if (translation.entries[i].state == DDL_TODO &&
			!ops->ddl_run(d->target, &d->progress, &translation.entries[i],
						  &d->err))
			die(d, translation.entries[i].sql);
	}
}

static void
own(Driver *d)
{
	char owner[256];
	bool owned;

	if (!d->target->ops->owner_acquire(d->target, OWNER_TRY, &owned, owner,
									   sizeof(owner), &d->err) ||
		!owned)
		die(d, "owner");
}

static void
begin_progress(Driver *d)
{
	Progress *p = &d->progress;

	p->phase = PHASE_STREAM;
	snprintf(p->stream, sizeof(p->stream), "%s", d->config.stream);
	snprintf(p->source.system_id, sizeof(p->source.system_id), "1");
	snprintf(p->source.database, sizeof(p->source.database), "d");
	snprintf(p->source.encoding, sizeof(p->source.encoding), "UTF8");
	snprintf(p->plugin_version, sizeof(p->plugin_version), "test");
	p->resume_lsn = p->commit_lsn = p->anchor_lsn = 100;
	own(d);
	if (!d->target->ops->state_create(d->target, &d->err) ||
		!d->target->ops->progress_insert(d->target, p, &d->err))
		die(d, "progress");
}

static void
store_shapes(Driver *d)
{
	Shape *shapes = ARENA_ARRAY(&d->arena, Shape, TABLES_MAX);

	for (int i = 0; i < d->relation_count; i++)
		shape_of_relation(d->relations[i], &d->arena, &shapes[i]);
	if (!d->target->ops->shapes_store(d->target, &d->progress, shapes,
									  d->relation_count, &d->err))
		die(d, "shapes");
}

static void
open_writer(Driver *d)
{
	if (!is_alone(d))
	{
		d->writer = d->target->ops->writer_open(d->target, false, &d->err);
		if (d->writer == NULL)
			die(d, "writer");
	}
	d->tables = tables_new(d->target);
	d->orders = orders_new();
	d->batch = batch_new(&filter, d->orders, strcmp(d->mode, "serial") == 0);
	batch_begin(d->batch, &d->progress);
	d->xid = (uint32_t) (d->progress.resume_lsn / 100);
}

static void
ready(Driver *d, bool again)
{
	if (again)
	{
		own(d);
		if (!d->target->ops->progress_claim(d->target, &d->progress, &d->err))
			die(d, "claim");
	}
	else
	{
		begin_progress(d);
		create_tables(d);
		store_shapes(d);
	}
	open_writer(d);
}

/* --------------------------------------------------------------- changes */

static Value
value_of(Arena *arena, const char *word)
{
	if (strcmp(word, "~") == 0)
		return (Value){ .state = WIRE_COL_NULL };
	if (strcmp(word, "-") == 0)
		return (Value){ .state = WIRE_COL_UNCHANGED };
	return (Value){ .data = arena_strdup(arena, word),
					.len = (uint32_t) strlen(word),
					.state = WIRE_COL_PRESENT };
}

static const Value *
row_of(Arena *arena, const char *id, const char *a, const char *n)
{
	Value *row = ARENA_ARRAY(arena, Value, COLUMNS);

	row[0] = value_of(arena, id);
	row[1] = value_of(arena, a);
	row[2] = value_of(arena, n);
	return row;
}

static const Value *
key_of(Arena *arena, const char *id)
{
	Value *row = ARENA_ARRAY(arena, Value, COLUMNS);

	row[0] = value_of(arena, id);
	row[1].state = row[2].state = WIRE_COL_ABSENT;
	return row;
}

static Frame *
frame_of(Driver *d)
{
	if (d->frame == NULL)
	{
		d->frame = frame_new(NULL, 0, NULL, NULL);
		d->frame->events = ARENA_ARRAY(&d->frame->arena, Event, 1000);
		if (d->first)
			d->xid++;
	}
	return d->frame;
}

static Change *
add_change(Driver *d, ChangeKind kind, const Relation *relation)
{
	Frame *frame = frame_of(d);
	Event *event = &frame->events[frame->event_count++];

	BUG_UNLESS(frame->event_count < 1000);
	event->kind = EVENT_CHANGE;
	event->change.kind = kind;
	event->change.relation = relation;
	return &event->change;
}

static const ChangeManner *
manner_of(Driver *d, char verb)
{
	static const int match[] = { 1 };
	ChangeManner *manner = ARENA_NEW(&frame_of(d)->arena, ChangeManner);

	manner->conflict = verb == 'o'	 ? CONFLICT_OVERWRITE
					   : verb == 'g' ? CONFLICT_IF_GREATER
					   : verb == 'e' ? CONFLICT_KEEP
									 : CONFLICT_REFUSED;
	manner->latest = 2;
	manner->match = match;
	manner->match_count = verb == 'x';
	manner->entry = &d->entry;
	return manner;
}

static void
row_change(Driver *d, char **word)
{
	Arena *arena = &frame_of(d)->arena;
	const Relation *relation = table_of(d, word[1]);
	Change *change = add_change(d, CHANGE_INSERT, relation);

	change->kind = word[0][0] == 'u' || word[0][0] == 'k' ? CHANGE_UPDATE
				   : word[0][0] == 'p'					  ? CHANGE_PUT
				   : word[0][0] == 'd'					  ? CHANGE_DELETE
				   : word[0][0] == 'm'					  ? CHANGE_MAYBE_DELETE
				   : word[0][0] == 'x'					  ? CHANGE_MATCH
														  : CHANGE_INSERT;
	if (strchr("ogex", word[0][0]) != NULL)
		change->manner = manner_of(d, word[0][0]);
	if (strchr("dmk", word[0][0]) != NULL)
	{
		change->old_kind = WIRE_OLD_KEY;
		change->old_values = key_of(arena, word[2]);
	}
	if (word[0][0] == 'k')
		change->new_values = row_of(arena, word[3], word[4], word[5]);
	else if (word[0][0] == 'x')
		change->new_values = row_of(arena, "-", word[2], word[3]);
	else if (change->old_values == NULL)
		change->new_values = row_of(arena, word[2], word[3], word[4]);
}

static KeptRow
kept_row(char **word, char hash[KEPT_HASH_SIZE])
{
	KeptRow row = { word[1], hash, slice_of(word[2]), slice_of(word[3]) };

	kept_hash(row.key, hash);
	return row;
}

static void
keep_change(Driver *d, char **word)
{
	char hash[KEPT_HASH_SIZE];
	KeptRow row = kept_row(word, hash);
	Frame *frame = frame_of(d);
	ChangeKind kind = word[0][0] == 'k' ? CHANGE_PUT : CHANGE_MAYBE_DELETE;

	*add_change(d, kind, d->kept) = kept_change(kind, d->kept, d->config.stream,
												&row, &frame->arena);
}

/* --------------------------------------------------------------- writing */

/* What there is of the open transaction becomes a unit. */
static void
end_unit(Driver *d, bool last)
{
	Frame *frame = frame_of(d);
	BatchSpan span = { NULL, frame->events, frame->event_count };
	bool alone = is_alone(d);
	Unit unit = {
		.txn = { .xid = d->xid,
				 .commit_lsn = (Lsn) d->xid * 100,
				 .end_lsn = (Lsn) d->xid * 100 + 50 },
		.spans = &span,
		.frames = &frame,
		.span_count = frame->event_count > 0,
		.rows = (uint64_t) frame->event_count,
		.first = d->first,
		.last = last,
	};

	ledger_entry(&unit.ledger, d->entry.rule, d->entry.table_oid,
				 d->entry.schema, d->entry.name)
		->counts[LEDGER_SEEN] = frame->event_count;
	for (int i = 0; !alone && i < frame->event_count; i++)
	{
		if (!batch_ask_tables(d->batch, &unit.txn, &frame->events[i].change,
							  d->tables, &d->err))
			die(d, "tables");
	}
	if (!alone && !batch_can_plan(d->batch, &unit, d->tables))
		BUG("cannot be planned");
	batch_add(d->batch, &unit, alone, d->tables, "test");
	ledger_release(&unit.ledger);
	frame_release(frame);
	d->frame = NULL;
	d->first = last;
}

static bool
write_alone(Driver *d)
{
	StreamBatch *batch = d->batch;
	Batch work = { .spans = batch->spans,
				   .span_count = batch->span_count,
				   .first = batch->first,
				   .last = batch->last,
				   .rows = batch->rows,
				   .ledger = batch->last ? &d->alone.counts : NULL };

	if (batch->first)
		ledger_tally_reset(&d->alone);
	ledger_add(&d->alone.counts, batch->ledger.entries, batch->ledger.count);
	return d->target->ops->apply(d->target, &work, &filter, &batch->before,
								 &batch->after, &d->err);
}

static bool
write_planned(Driver *d)
{
	const TargetOps *ops = d->target->ops;
	StreamBatch *batch = d->batch;
	ApplyCounts counts = { 0 };
	TargetDurability durability;

	if (!batch_write(batch, ops, d->writer, &counts, &d->err))
		return false;
	if (batch->first)
		ledger_tally_reset(&d->alone);
	ledger_add(&d->alone.counts, batch->ledger.entries, batch->ledger.count);
	return !batch->last ||
		   ops->writer_commit(d->writer, &batch->before, &batch->after, &counts,
							  &d->alone.counts, &durability, &d->err);
}

static void
write_batch(Driver *d)
{
	bool ok = is_alone(d) ? write_alone(d) : write_planned(d);

	if (ok)
		d->progress = d->batch->after;
	else
		printf("%s: %s; %s\n", code_name(&d->err), d->err.message,
			   d->err.detail);
	d->failed |= !ok;
	batch_begin(d->batch, &d->progress);
}

/* What is alone was written when its transaction ended. */
static void
end_batch(Driver *d)
{
	if (!is_alone(d))
		write_batch(d);
	if (!d->failed)
		printf("ok\n");
	d->failed = false;
}

/* --------------------------------------------------------------- reading */

static bool
print_kept(void *arg, const KeptRow *row, Error *err)
{
	(void) arg;
	(void) err;
	printf("%s %.*s %.*s\n", row->area, (int) row->key.len, row->key.data,
		   (int) row->body.len, row->body.data);
	return true;
}

static void
print_ledger(Driver *d)
{
	LedgerEntry *entries;
	int count;

	if (!d->target->ops->ledger_list(d->target, &d->arena, &entries, &count,
									 &d->err))
		die(d, "ledger");
	for (int i = 0; i < count; i++)
		printf("%s %s.%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
			   entries[i].rule, entries[i].schema, entries[i].name,
			   entries[i].counts[LEDGER_SEEN], entries[i].counts[LEDGER_MERGED],
			   entries[i].counts[LEDGER_OVERWRITTEN],
			   entries[i].counts[LEDGER_KEPT]);
}

/* The transaction of a chunk, without one. */
static void
load_kept(Driver *d, char **word)
{
	const TargetOps *ops = d->target->ops;
	char hash[KEPT_HASH_SIZE];
	KeptRow row = kept_row(word, hash);
	Chunk chunk = { .number = ++d->loads,
					.table_oid = d->relations[0]->oid,
					.schema = d->relations[0]->schema,
					.name = d->relations[0]->name,
					.kind = CHUNK_BLOCKS,
					.stamp = { .slot = true, .snapshot = "" } };
	const char *names[] = { "id", "a", "n" };
	const char *types[] = { "integer", "text", "integer" };
	Table table = { .oid = chunk.table_oid,
					.schema = chunk.schema,
					.name = chunk.name,
					.columns = names,
					.types = types,
					.column_count = COLUMNS };
	Ledger ledger = { &d->entry, 1, 1 };
	TargetLoader *loader = ops->loader_open(d->target, &d->progress, &d->err);
	int64_t rows;

	d->entry.counts[LEDGER_SEEN] = 1000;
	if (loader == NULL ||
		!ops->chunks_store(d->target, &d->progress, &chunk, 1, &d->err) ||
		!ops->loader_begin(loader, &table, &chunk, &d->err) ||
		!ops->loader_end(loader, &rows, &d->err) ||
		!ops->loader_keep(loader, &row, 1, &d->err) ||
		!ops->loader_commit(loader, &chunk, &ledger, &d->err))
		die(d, "load");
	ops->loader_close(loader);
	d->entry.counts[LEDGER_SEEN] = 0;
	printf("ok\n");
}

static void
print_type(Driver *d, const char *name)
{
	SourceConfig config = { .url = d->config.url,
							.stream = "s",
							.slot = "s",
							.tables = "",
							.exclude_tables = "" };
	Source *source = source_open(&config, &d->err);
	SchemaType type;

	if (source == NULL || !source->ops->connect(source, &d->err))
		die(d, "source");
	if (!source->ops->type_resolve(source, name, &d->arena, &type, &d->err))
		printf("%s: %s; %s\n", code_name(&d->err), d->err.message, d->err.hint);
	else
		printf("%s %s.%s %d %c%c labels %d domain %s element %s\n", type.sql,
			   type.base_schema, type.base_name, type.typmod, type.kind,
			   type.category, type.label_count,
			   type.domain != NULL ? type.domain : "-",
			   type.element_name != NULL ? type.element_name : "-");
	source_close(source);
}

static void
carry_out(Driver *d, char **word)
{
	if (word[0][1] == '\0')
		row_change(d, word);
	else if (strcmp(word[0], "table") == 0)
		add_table(d, (uint32_t) strtoul(word[1], NULL, 10), word[2]);
	else if (strcmp(word[0], "ready") == 0 || strcmp(word[0], "again") == 0)
		ready(d, word[0][0] == 'a');
	else if (strcmp(word[0], "keep") == 0 || strcmp(word[0], "drop") == 0)
		keep_change(d, word);
	else if (strcmp(word[0], "commit") == 0)
	{
		end_unit(d, true);
		if (is_alone(d))
			write_batch(d);
	}
	else if (strcmp(word[0], "piece") == 0)
	{
		end_unit(d, false);
		write_batch(d);
	}
	else if (strcmp(word[0], "write") == 0)
		end_batch(d);
	else if (strcmp(word[0], "load") == 0)
		load_kept(d, word);
	else if (strcmp(word[0], "ledger") == 0)
		print_ledger(d);
	else if (strcmp(word[0], "kept") == 0)
	{
		if (!d->target->ops->kept_visit(d->target, word[1], print_kept, NULL,
										&d->err))
			die(d, "kept");
	}
	else if (strcmp(word[0], "forget") == 0)
	{
		bool existed;

		if (!d->target->ops->state_drop(d->target, &existed, &d->err))
			die(d, "forget");
	}
	else
		BUG("there is no command %s", word[0]);
}

static void
read_script(Driver *d)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin) != NULL)
	{
		char *word[WORDS_MAX] = { NULL };
		char *rest = line;
		int count = 0;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "type ", 5) == 0)
		{
			print_type(d, line + 5);
			continue;
		}
		while (count < WORDS_MAX && (word[count] = strsep(&rest, " ")) != NULL)
			count++;
		if (word[0][0] != '\0')
			carry_out(d, word);
	}
}

static void
connect_target(Driver *d)
{
	d->target = target_open(&d->config, &d->err);
	if (d->target == NULL || !d->target->ops->connect(d->target, &d->err))
		die(d, "connect");
}

int
main(int argc, char **argv)
{
	Driver d = { .first = true };

	BUG_UNLESS(argc == 4);
	log_set_level(LOG_LEVEL_ERROR);
	arena_init(&d.arena);
	d.config = (TargetConfig){ .url = argv[1],
							   .stream = argv[2],
							   .encoding = "UTF8",
							   .jobs = 1,
							   .tables = "",
							   .exclude_tables = "",
							   .on_loss = "" };
	d.mode = argv[3];
	d.kept = kept_relation_new();
	d.entry = (LedgerEntry){
		.rule = "rule 1", .table_oid = 7, .schema = "public", .name = "source"
	};
	if (strcmp(d.mode, "type") != 0)
		connect_target(&d);
	read_script(&d);
	if (d.batch != NULL)
	{
		d.target->ops->writer_close(d.writer);
		d.target->ops->rollback(d.target);
		batch_free(d.batch);
		tables_free(d.tables);
		orders_free(d.orders);
	}
	ledger_tally_release(&d.alone);
	target_close(d.target);
	relation_release(d.kept);
	for (int i = 0; i < d.relation_count; i++)
		relation_release(d.relations[i]);
	arena_release(&d.arena);
	return 0;
}
