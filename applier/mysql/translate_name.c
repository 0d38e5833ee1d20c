/*
 * translate_name.c
 *		Identifiers: what the servers do not allow is replaced, what is too long
 *		is cut, and what would be the same name there is told apart.
 *
 * MySQL and MariaDB allow 64 characters of the BMP without spaces at the end.
 * Names of columns never differ by case alone, those of tables and databases as
 * lower_case_table_names says.  A table is a file whose name spells most
 * characters as five, and 255 bytes are the limit of file systems.  A name that
 * has to be another one ends with a hash of the whole, so that it does not
 * depend on what else there is, but for who came first.
 */
#include "mysql/translate_parts.h"

#include <stdio.h>
#include <strings.h>

#include <xxhash.h>

#define HASH_CHARS 9 /* "_" and 8 digits */
#define FILE_NAME_MAX 230
#define OTHER_SIZE 5 /* of "@0040" */

/* Names with a meaning of their own. */
static const struct
{
	NameKind kind;
	const char *name;
} reserved[] = {
	{ NAME_COLUMN, "db_row_id" },
	{ NAME_COLUMN, "db_trx_id" },
	{ NAME_COLUMN, "db_roll_ptr" },
	{ NAME_COLUMN, "fts_doc_id" },
	{ NAME_INDEX, "primary" },
	{ NAME_INDEX, "gen_clust_index" },
	{ NAME_INDEX, "fts_doc_id_index" },
	{ NAME_DATABASE, "information_schema" },
	{ NAME_DATABASE, "performance_schema" },
	{ NAME_DATABASE, "mysql" },
	{ NAME_DATABASE, "sys" },
};

/* ---- UTF-8 */

/* Of the character that begins there; damaged ones are single bytes. */
static int
char_decode(const char *text, uint32_t *code)
{
	const unsigned char *s = (const unsigned char *) text;
	int len = s[0] < 0xC0 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;

	*code = len == 1 ? s[0] : s[0] & (0xFF >> (len + 1));
	for (int i = 1; i < len; i++)
	{
		if ((s[i] & 0xC0) != 0x80)
		{
			*code = s[0];
			return 1;
		}
		*code = *code << 6 | (s[i] & 0x3F);
	}
	return len;
}

static void
char_encode(Buffer *out, uint32_t code)
{
	if (code < 0x80)
		buffer_putc(out, (char) code);
	else if (code < 0x800)
	{
		buffer_putc(out, (char) (0xC0 | code >> 6));
		buffer_putc(out, (char) (0x80 | (code & 0x3F)));
	}
	else
	{
		buffer_putc(out, (char) (0xE0 | code >> 12));
		buffer_putc(out, (char) (0x80 | (code >> 6 & 0x3F)));
		buffer_putc(out, (char) (0x80 | (code & 0x3F)));
	}
}

/* Ranges whose capitals stand so far before their small letters. */
typedef struct CaseRange
{
	uint32_t first;
	uint32_t last;
	uint32_t distance; /* 1: they alternate, a capital first */
} CaseRange;

static const CaseRange case_ranges[] = {
	{ 'A', 'Z', 32 },		{ 0xC0, 0xD6, 32 },		{ 0xD8, 0xDE, 32 },
	{ 0x100, 0x12F, 1 },	{ 0x132, 0x137, 1 },	{ 0x14A, 0x177, 1 },
	{ 0x1DE, 0x1EF, 1 },	{ 0x1F8, 0x21F, 1 },	{ 0x222, 0x233, 1 },
	{ 0x391, 0x3A1, 32 },	{ 0x3A3, 0x3AB, 32 },	{ 0x400, 0x40F, 80 },
	{ 0x410, 0x42F, 32 },	{ 0x460, 0x481, 1 },	{ 0x48A, 0x4BF, 1 },
	{ 0x4D0, 0x52F, 1 },	{ 0x531, 0x556, 48 },	{ 0x1E00, 0x1E95, 1 },
	{ 0x1EA0, 0x1EFF, 1 },	{ 0x2160, 0x216F, 16 }, { 0x24B6, 0x24CF, 26 },
	{ 0xFF21, 0xFF3A, 32 },
};

static uint32_t
char_fold(uint32_t code)
{
	/* these alternate the other way round */
	if ((code >= 0x139 && code <= 0x148) || (code >= 0x179 && code <= 0x17E) ||
		(code >= 0x1CD && code <= 0x1DC) || (code >= 0x4C1 && code <= 0x4CE))
		return code + (code & 1);
	for (size_t i = 0; i < sizeof(case_ranges) / sizeof(CaseRange); i++)
	{
		const CaseRange *range = &case_ranges[i];

		if (code < range->first || code > range->last)
			continue;
		return range->distance == 1 ? code | 1 : code + range->distance;
	}
	return code;
}

char *
name_fold(const char *name, Arena *arena)
{
	Buffer out;
	char *folded;

	buffer_init(&out);
	while (*name != '\0')
	{
		uint32_t code;
		int len = char_decode(name, &code);

		if (len == 4 || (len == 1 && code >= 0x80))
			buffer_append(&out, name, (size_t) len);
		else
			char_encode(&out, char_fold(code));
		name += len;
	}
	folded = arena_strndup(arena, out.data, out.len);
	buffer_release(&out);
	return folded;
}

/* ---- a name that the server allows */

static bool
is_reserved(const NameSet *set, const char *name)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
	{
		if (reserved[i].kind == set->kind &&
			strcasecmp(name, reserved[i].name) == 0)
			return true;
	}
	return false;
}

static int
file_size(uint32_t code)
{
	bool plain = (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
				 (code >= 'a' && code <= 'z') || code == '_';

	return plain ? 1 : OTHER_SIZE;
}

/* As much of it as fits, characters that are not allowed replaced. */
static bool
name_clean(const char *wanted, int chars_max, int file_max, Buffer *out)
{
	bool whole = true;
	int chars = 0;
	int file = 0;

	buffer_reset(out);
	while (*wanted != '\0')
	{
		uint32_t code;
		int len = char_decode(wanted, &code);
		bool allowed = len < 4 && (len > 1 || code < 0x80);

		file += allowed ? file_size(code) : 1;
		if (chars == chars_max || file > file_max)
			return false;
		chars++;
		if (allowed)
			buffer_append(out, wanted, (size_t) len);
		else
			buffer_putc(out, '_');
		whole &= allowed;
		wanted += len;
	}
	while (out->len > 0 && out->data[out->len - 1] == ' ')
	{
		out->data[--out->len] = '\0';
		whole = false;
	}
	return whole && out->len > 0;
}

void
name_set_init(NameSet *set, Arena *arena, NameKind kind, bool fold)
{
	memset(set, 0, sizeof(*set));
	set->arena = arena;
	set->kind = kind;
	set->fold = fold;
}

static const char *
compared(const NameSet *set, const char *name)
{
	return set->fold ? name_fold(name, set->arena) : name;
}

static bool
folded_taken(const NameSet *set, const char *folded)
{
	for (int i = 0; i < set->count; i++)
	{
		if (strcmp(set->names[i], folded) == 0)
			return true;
	}
	return false;
}

bool
name_taken(const NameSet *set, const char *name)
{
	return folded_taken(set, compared(set, name));
}

static const char *
name_add(NameSet *set, const char *name)
{
	set->names = arena_room(set->arena, set->names, set->count,
							sizeof(*set->names));
	name = arena_strdup(set->arena, name);
	set->names[set->count++] = compared(set, name);
	return name;
}

const char *
name_take(NameSet *set, const char *wanted)
{
	Buffer name;
	bool whole;
	const char *taken;

	buffer_init(&name);
	whole = name_clean(wanted, NAME_CHARS_MAX, FILE_NAME_MAX, &name) &&
			!is_reserved(set, name.data);
	for (XXH64_hash_t seed = 0; !whole || name_taken(set, name.data); seed++)
	{
		XXH64_hash_t hash = XXH3_64bits_withSeed(wanted, strlen(wanted), seed);

		name_clean(wanted, NAME_CHARS_MAX - HASH_CHARS,
				   FILE_NAME_MAX - HASH_CHARS, &name);
		buffer_printf(&name, "_%08x", (unsigned) (hash & 0xffffffffU));
		whole = true;
	}
	taken = name_add(set, name.data);
	buffer_release(&name);
	return taken;
}

/* ---- in SQL */

char *
sql_name(Arena *arena, const char *name)
{
	Buffer sql;
	char *quoted;

	buffer_init(&sql);
	my_quote_ident(&sql, name);
	quoted = arena_strndup(arena, sql.data, sql.len);
	buffer_release(&sql);
	return quoted;
}

/* ---- databases and tables */

/* Of the schema; the URL's has number 0. */
static int
database_of(Translator *self, const char *schema, const char **name)
{
	const TranslateTarget *target = self->target;
	bool fold = target->lower_case_table_names != 0;
	const char *wanted = schema;

	*name = NULL;
	if (!target->schemas_as_databases || strcmp(schema, "public") == 0 ||
		strcmp(schema, target->database) == 0)
		return 0;
	for (int i = 0; i < self->table_count; i++)
	{
		const WorkTable *other = &self->tables[i];

		if (other->database == NULL ||
			strcmp(other->source->schema, schema) != 0)
			continue;
		*name = other->database;
		for (int d = 0; d < self->databases.count; d++)
		{
			if (strcmp(self->databases.names[d],
					   compared(&self->databases, other->database)) == 0)
				return d;
		}
	}
	if (target->lower_case_table_names == 1)
		wanted = name_fold(schema, self->arena);
	*name = name_take(&self->databases, wanted);
	name_set_init(&self->table_names[self->databases.count - 1], self->arena,
				  NAME_TABLE, fold);
	name_set_init(&self->constraints[self->databases.count - 1], self->arena,
				  NAME_CONSTRAINT, true);
	return self->databases.count - 1;
}

/* What the table would be called if no other one were. */
static const char *
wanted_name(const Translator *self, const SchemaTable *table, int database)
{
	const char *name = table->name;
	bool ours = strncasecmp(name, "portage_", strlen("portage_")) == 0;

	if (database == 0 && (strcmp(table->schema, "public") != 0 || ours))
		name = arena_printf(self->arena, "%s__%s", table->schema, name);
	if (database == 0 && strcmp(table->schema, self->target->database) == 0 &&
		self->target->schemas_as_databases && !ours)
		name = table->name;
	if (self->target->lower_case_table_names == 1)
		name = name_fold(name, self->arena);
	return name;
}

static void
name_table(Translator *self, WorkTable *table)
{
	const SchemaTable *source = table->source;
	int database = database_of(self, source->schema, &table->database);
	const char *wanted = wanted_name(self, source, database);

	table->name = name_take(&self->table_names[database], wanted);
	table->quoted = sql_name(self->arena, table->name);
	if (table->database != NULL)
		table->quoted = arena_printf(self->arena, "%s.%s",
									 sql_name(self->arena, table->database),
									 table->quoted);
	if (strcmp(table->name, wanted) == 0)
		return;
	finding_add(self->decisions, SEVERITY_NOTE, 0, table->object, "",
				"it is called %s on the target: its own name is too long "
				"there, is that of another one, or has characters that are not "
				"allowed",
				table->quoted);
}

/* Those of schema public first: they keep their names. */
void
translate_table_names(Translator *self)
{
	size_t most = (size_t) self->table_count + 1;
	bool fold = self->target->lower_case_table_names != 0;

	self->table_names = ARENA_ARRAY(self->arena, NameSet, most);
	self->constraints = ARENA_ARRAY(self->arena, NameSet, most);
	name_set_init(&self->databases, self->arena, NAME_DATABASE, fold);
	name_add(&self->databases, self->target->database);
	name_set_init(&self->table_names[0], self->arena, NAME_TABLE, fold);
	name_set_init(&self->constraints[0], self->arena, NAME_CONSTRAINT, true);
	for (int pass = 0; pass < 2; pass++)
	{
		for (int i = 0; i < self->table_count; i++)
		{
			WorkTable *table = &self->tables[i];
			bool is_public = strcmp(table->source->schema, "public") == 0;

			if (is_public == (pass == 0))
				name_table(self, table);
		}
	}
}

NameSet *
translate_constraints(Translator *self, const WorkTable *table)
{
	if (table->database == NULL)
		return &self->constraints[0];
	for (int d = 1; d < self->databases.count; d++)
	{
		if (strcmp(self->databases.names[d],
				   compared(&self->databases, table->database)) == 0)
			return &self->constraints[d];
	}
	return &self->constraints[0];
}
