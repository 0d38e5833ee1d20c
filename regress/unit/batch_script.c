/*
 * batch_script.c
 *		See batch_script.h.
 */
#include "batch_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* One change as it was read. */
typedef struct Word
{
	char op;
	MockTable table;
	int id;
	int to; /* the id that it gets */
	int value;
} Word;

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

const ChangeFilter script_filter = { apply_all, NULL };

static int
read_number(const char **text)
{
	char *end;
	long number = strtol(*text, &end, 10);

	*text = end;
	return (int) number;
}

/* False at the end of the transaction. */
static bool
read_word(const char **text, Word *word)
{
	while (**text == ' ')
		(*text)++;
	if (**text == '\0' || **text == ';')
		return false;
	memset(word, 0, sizeof(*word));
	word->op = *(*text)++;
	BUG_UNLESS(strchr("+=-*^~#", word->op) != NULL && **text != '\0');
	word->table = (MockTable) (strchr(mock_letters, *(*text)++) - mock_letters);
	word->id = word->to = read_number(text);
	BUG_UNLESS(word->id < MOCK_IDS);
	if (**text == '>')
	{
		(*text)++;
		word->to = read_number(text);
	}
	if (**text == ':')
	{
		(*text)++;
		word->value = read_number(text);
	}
	return true;
}

int
script_changes(const char *txns)
{
	Word word;
	int count = 0;

	for (; *txns != '\0'; txns += *txns == ';')
	{
		while (read_word(&txns, &word))
			count++;
	}
	return count;
}

int
script_count(const char *txns)
{
	Word word;
	int count = 0;

	for (; *txns != '\0'; txns += *txns == ';')
	{
		while (read_word(&txns, &word))
			;
		count++;
	}
	return count;
}

static bool
is_barrier(const Word *word)
{
	return word->op == '*' || word->op == '#' || word->id != word->to;
}

bool
script_changes_row(const char *txns, bool there, MockTable table, int id)
{
	bool begun = there; /* was it there behind the last barrier? */
	bool touched = false;
	Word word;

	for (; *txns != '\0'; txns += *txns == ';')
	{
		while (read_word(&txns, &word))
		{
			if (word.table != table)
				continue;
			if (is_barrier(&word))
			{
				if ((touched && (begun || there)) || word.op == '*' ||
					word.op == '#' || word.id == id || word.to == id)
					return true;
				touched = false;
				begun = there;
			}
			else if (word.id == id)
			{
				/* such a first one writes, whatever was there */
				begun |= !touched && (word.op == '^' || word.op == '~');
				touched = true;
				there = word.op != '-' && word.op != '~';
			}
		}
	}
	return touched && (begun || there);
}

bool
script_has_barrier(const char *txns, MockTable table)
{
	Word word;

	for (; *txns != '\0'; txns += *txns == ';')
	{
		while (read_word(&txns, &word))
		{
			if (word.table == table && is_barrier(&word))
				return true;
		}
	}
	return false;
}

static void
apply_word(MockRows *rows, const Word *word)
{
	int *values = rows->value[word->table];

	if (word->op == '*')
	{
		memset(values, 0, sizeof(rows->value[0]));
		return;
	}
	if (strchr("^~#", word->op) == NULL)
		BUG_UNLESS((values[word->id] != 0) == (word->op != '+'));
	values[word->id] = 0;
	if (word->op == '-' || word->op == '~')
		return;
	BUG_UNLESS(values[word->to] == 0 && word->value > 0);
	for (int i = 0; word->table == MOCK_UNIQUE && i < MOCK_IDS; i++)
		BUG_UNLESS(values[i] != word->value);
	values[word->to] = word->value;
}

void
script_apply(MockRows *rows, const char *txns)
{
	Word word;

	for (; *txns != '\0'; txns += *txns == ';')
	{
		while (read_word(&txns, &word))
			apply_word(rows, &word);
	}
}

static const Value *
row_of(Arena *arena, int id, int value)
{
	return fixture_row(arena, arena_printf(arena, "%d", id),
					   arena_printf(arena, "%d", value), "0", "0");
}

static ChangeKind
kind_of(char op)
{
	switch (op)
	{
		case '=':
			return CHANGE_UPDATE;
		case '-':
			return CHANGE_DELETE;
		case '^':
			return CHANGE_PUT;
		case '~':
			return CHANGE_MAYBE_DELETE;
		default:
			return CHANGE_INSERT;
	}
}

static const ChangeManner winning = { .conflict = CONFLICT_OVERWRITE };

static void
make_change(Script *script, Arena *arena, const Word *word, Change *change)
{
	const Relation *relation = &script->tables[word->table].relation;

	change->relation = relation;
	if (word->op == '*')
	{
		change->kind = CHANGE_TRUNCATE;
		change->truncated = ARENA_ARRAY(arena, const Relation *, 1);
		change->truncated[0] = relation;
		change->truncated_count = 1;
		return;
	}
	change->kind = kind_of(word->op);
	if (word->op == '#')
		change->manner = &winning;
	if (word->op != '-' && word->op != '~')
		change->new_values = row_of(arena, word->to, word->value);
	if (change->new_values != NULL && word->to == word->id)
		return;
	change->old_kind = WIRE_OLD_KEY;
	change->old_values = row_of(arena, word->id, 0);
}

/* The changes up to the end of the transaction, in a frame of their own. */
static Frame *
make_frame(Script *script, const char **text)
{
	Frame *frame = frame_new(NULL, 0, NULL, NULL);
	Word word;

	frame->events = ARENA_ARRAY(&frame->arena, Event, SCRIPT_TXN_MAX / 3);
	while (read_word(text, &word))
	{
		Event *event = &frame->events[frame->event_count++];

		event->kind = EVENT_CHANGE;
		make_change(script, &frame->arena, &word, &event->change);
	}
	return frame;
}

Lsn
script_end_lsn(uint32_t xid)
{
	return (Lsn) xid * 100 + 50;
}

static void
add_unit(Script *script, StreamBatch *batch, const char **text, bool first,
		 bool last)
{
	Frame *frame = make_frame(script, text);
	BatchSpan span = { NULL, frame->events, frame->event_count };
	Unit unit = {
		.txn = { .xid = script->xid,
				 .commit_lsn = (Lsn) script->xid * 100,
				 .end_lsn = script_end_lsn(script->xid) },
		.spans = &span,
		.frames = &frame,
		.span_count = frame->event_count > 0 ? 1 : 0,
		.rows = (uint64_t) frame->event_count,
		.first = first,
		.last = last,
	};

	ledger_entry(&unit.ledger, "rule", 1, "public", "t")->counts[LEDGER_SEEN] =
		frame->event_count;
	batch_add(batch, &unit, false, script->known, "test");
	ledger_release(&unit.ledger);
	frame_release(frame);
	script->progress = batch->after;
}

void
script_fill(Script *script, StreamBatch *batch, const char *txns)
{
	batch_begin(batch, &script->progress);
	for (; *txns != '\0'; txns += *txns == ';')
	{
		script->xid++;
		add_unit(script, batch, &txns, true, true);
	}
}

void
script_piece(Script *script, StreamBatch *batch, const char *changes,
			 bool first, bool last)
{
	batch_begin(batch, &script->progress);
	script->xid += first;
	add_unit(script, batch, &changes, first, last);
}

void
script_init(Script *script, MockTarget *target)
{
	Error err = ERROR_INIT;

	memset(script, 0, sizeof(*script));
	for (uint32_t t = 0; t < MOCK_TABLES; t++)
	{
		fixture_init(&script->tables[t], t);
		script->tables[t].relation.serial = t + 1;
		script->tables[t].table.alone = t != MOCK_UNIQUE;
		target->tables[t] = &script->tables[t].table;
	}
	script->known = tables_new(&target->base);
	for (int t = 0; t < MOCK_TABLES; t++)
		BUG_UNLESS(
			tables_ask(script->known, &script->tables[t].relation, &err));
}

void
script_release(Script *script)
{
	tables_free(script->known);
	for (int t = 0; t < MOCK_TABLES; t++)
		fixture_release(&script->tables[t]);
}

void
script_reset(Script *script)
{
	memset(&script->progress, 0, sizeof(script->progress));
	script->xid = 0;
}

/* ---------------------------------------------------------------- random */

static int
pick(ScriptRandom *r, int limit)
{
	return rand_r(&r->seed) % limit;
}

static bool
value_used(const ScriptRandom *r, int value)
{
	for (int id = 1; id < 10; id++)
	{
		if (r->rows.value[MOCK_UNIQUE][id] == value)
			return true;
	}
	return false;
}

/* A change that the source can make; values meet often, as ids do. */
static void
add_change(ScriptRandom *r)
{
	int table = pick(r, MOCK_TABLES);
	int ids = table == MOCK_UNIQUE ? 9 : 40;
	int id = 1 + pick(r, ids);
	int to = 1 + pick(r, ids);
	int value = 1 + pick(r, 12);
	char word[32];

	if (table == MOCK_UNIQUE && value_used(r, value))
		return;
	if (pick(r, 150) == 0)
		snprintf(word, sizeof(word), "*%c ", mock_letters[table]);
	else if (r->rows.value[table][id] == 0 && pick(r, 8) == 0)
		snprintf(word, sizeof(word), pick(r, 2) ? "^%c%d:%d " : "~%c%d ",
				 mock_letters[table], id, value);
	else if (r->rows.value[table][id] == 0)
		snprintf(word, sizeof(word), "+%c%d:%d ", mock_letters[table], id,
				 value);
	else if (pick(r, 4) == 0)
		snprintf(word, sizeof(word), "-%c%d ", mock_letters[table], id);
	else if (pick(r, 8) == 0)
		snprintf(word, sizeof(word), "^%c%d:%d ", mock_letters[table], id,
				 value);
	else if (pick(r, 16) == 0)
		snprintf(word, sizeof(word), "~%c%d ", mock_letters[table], id);
	else if (pick(r, 8) == 0 && r->rows.value[table][to] == 0)
		snprintf(word, sizeof(word), "=%c%d>%d:%d ", mock_letters[table], id,
				 to, value);
	else
		snprintf(word, sizeof(word), "=%c%d:%d ", mock_letters[table], id,
				 value);
	script_apply(&r->rows, word);
	buffer_puts(&r->txns, word);
}

/* Two rows exchange their values, by a third value that no row has. */
static void
add_exchange(ScriptRandom *r)
{
	int one = 1 + pick(r, 9);
	int two = 1 + pick(r, 9);
	int first = r->rows.value[MOCK_UNIQUE][one];
	int second = r->rows.value[MOCK_UNIQUE][two];
	char words[64];

	if (one == two || first == 0 || second == 0)
		return;
	snprintf(words, sizeof(words), "=u%d:99 =u%d:%d =u%d:%d ", one, two, first,
			 one, second);
	script_apply(&r->rows, words);
	buffer_puts(&r->txns, words);
}

void
script_random(ScriptRandom *r)
{
	int txns = 1 + pick(r, 9);

	buffer_reset(&r->txns);
	for (int i = 0; i < txns; i++)
	{
		int changes = pick(r, 6);

		for (int k = 0; k < changes; k++)
			add_change(r);
		if (pick(r, 10) == 0)
			add_exchange(r);
		buffer_puts(&r->txns, "; ");
	}
}
