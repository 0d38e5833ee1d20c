/*
 * dump_split.c
 *		See dump_split.h.
 *
 * What is quoted and what is not: see sql_scan.h.
 */
#include "postgres/dump_split.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "schema/sql_scan.h"

#define TABLESPACE_SET "SET default_tablespace = "
#define METHOD_SET "SET default_table_access_method = "
#define FOOTER "-- PostgreSQL database dump complete\n"

/* One line of the list: "217; 1259 16390 TABLE public t owner". */
typedef struct ListLine
{
	uint32_t id;
	uint32_t class_oid;
	uint32_t oid;
	const char *rest; /* from the type on */
	size_t rest_len;
	bool seen;
} ListLine;

typedef struct Splitter
{
	Arena *arena;
	ListLine *lines; /* in order of id */
	int line_count;
	DumpEntry *entries;
	int count;
	const char *start;	  /* of the entry's text, NULL before the first */
	const char *settings; /* where trailing SETs begin, or NULL */
	Buffer tablespace;	  /* the SET that holds, or empty */
	Buffer method;
} Splitter;

static int
by_id(const void *left, const void *right)
{
	const ListLine *a = left;
	const ListLine *b = right;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* A number and the text behind it; *p is left where it fails. */
static bool
take_number(const char **p, const char *behind, uint32_t *out)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char) **p))
		return false;
	errno = 0;
	value = strtoul(*p, &end, 10);
	if (errno != 0 || value > UINT32_MAX ||
		strncmp(end, behind, strlen(behind)) != 0)
		return false;
	*out = (uint32_t) value;
	*p = end + strlen(behind);
	return true;
}

/* Lines that begin with a semicolon are comments. */
static bool
list_parse(Splitter *self, const char *list, Error *err)
{
	int capacity = 1;

	for (const char *p = list; *p != '\0'; p = sql_skip_line(p))
		capacity++;
	self->lines = ARENA_ARRAY(self->arena, ListLine, (size_t) capacity);
	for (const char *p = list; *p != '\0'; p = sql_skip_line(p))
	{
		ListLine *line = &self->lines[self->line_count];
		const char *rest;

		if (*p == ';' || *p == '\n')
			continue;
		rest = p;
		if (!take_number(&rest, "; ", &line->id) ||
			!take_number(&rest, " ", &line->class_oid) ||
			!take_number(&rest, " ", &line->oid))
			return error_set(err, P_PG_DUMP,
							 "unknown line in pg_restore's"
							 " list: %.*s",
							 (int) strcspn(p, "\n"), p);
		line->rest = rest;
		line->rest_len = strcspn(line->rest, "\n");
		self->line_count++;
	}
	qsort(self->lines, (size_t) self->line_count, sizeof(ListLine), by_id);
	return true;
}

/* Is here an entry's first comment?  "--\n-- TOC entry N (class C OID O)\n" */
static ListLine *
header_at(const Splitter *self, const char *p)
{
	ListLine key = { 0 };
	ListLine *line;

	if (strncmp(p, "--\n-- TOC entry ", 16) != 0)
		return NULL;
	p += 16;
	if (!take_number(&p, " (class ", &key.id) ||
		!take_number(&p, " OID ", &key.class_oid) ||
		!take_number(&p, ")\n", &key.oid))
		return NULL;
	line = bsearch(&key, self->lines, (size_t) self->line_count,
				   sizeof(ListLine), by_id);
	if (line == NULL || line->class_oid != key.class_oid ||
		line->oid != key.oid)
		return NULL;
	return line;
}

/* "-- Dependencies: 217 3" */
static void
parse_dependencies(Arena *arena, const char *p, DumpEntry *entry)
{
	const char *end = p + strcspn(p, "\n");
	int *numbers = ARENA_ARRAY(arena, int, (size_t) (end - p) / 2 + 1);

	while (p < end)
	{
		char *next;
		long n = strtol(p, &next, 10);

		if (next == p || next > end)
			break;
		numbers[entry->dependency_count++] = (int) n;
		p = next;
	}
	entry->dependencies = numbers;
}

/* Find needle in the bytes before end. */
static const char *
find_within(const char *p, const char *end, const char *needle)
{
	return memmem(p, (size_t) (end - p), needle, strlen(needle));
}

/* "-- Name: NAME; Type: TYPE; Schema: SCHEMA; Owner: -[; Tablespace: X]" */
typedef struct NameLine
{
	const char *name; /* to type */
	const char *type; /* behind "; Type: ", to schema */
	const char *schema;
	const char *owner; /* where "; Owner: " begins */
} NameLine;

#define TYPE_MARK "; Type: "
#define SCHEMA_MARK "; Schema: "
#define OWNER_MARK "; Owner: "

/* Does the list's line say the same, in its own order? */
static bool
name_fits(const NameLine *parts, const ListLine *line, Arena *arena,
		  DumpEntry *entry)
{
	char *expected;

	entry->name = arena_strndup(arena, parts->name,
								(size_t) (parts->type - parts->name) -
									strlen(TYPE_MARK));
	entry->type = arena_strndup(arena, parts->type,
								(size_t) (parts->schema - parts->type) -
									strlen(SCHEMA_MARK));
	entry->schema = arena_strndup(arena, parts->schema,
								  (size_t) (parts->owner - parts->schema));
	expected = arena_printf(arena, "%s %s %s ", entry->type, entry->schema,
							entry->name);
	if (strlen(expected) > line->rest_len ||
		memcmp(expected, line->rest, strlen(expected)) != 0)
		return false;
	if (strcmp(entry->schema, "-") == 0)
		entry->schema = "";
	return true;
}

/* Every place where the schema and the owner may begin. */
static bool
parse_from_type(NameLine *parts, const char *end, const ListLine *line,
				Arena *arena, DumpEntry *entry)
{
	parts->schema = parts->type;
	while ((parts->schema = find_within(parts->schema, end, SCHEMA_MARK)) !=
		   NULL)
	{
		parts->schema += strlen(SCHEMA_MARK);
		parts->owner = parts->schema;
		while ((parts->owner = find_within(parts->owner, end, OWNER_MARK)) !=
			   NULL)
		{
			if (name_fits(parts, line, arena, entry))
				return true;
			parts->owner++;
		}
	}
	return false;
}

/*
 * A name may itself contain such words; the list, which has the same parts in
 * another order, decides where each of them ends.
 */
static bool
parse_name(Arena *arena, const char *p, const ListLine *line, DumpEntry *entry)
{
	const char *end = p + strcspn(p, "\n");
	NameLine parts = { .name = p, .type = p };

	while ((parts.type = find_within(parts.type, end, TYPE_MARK)) != NULL)
	{
		parts.type += strlen(TYPE_MARK);
		if (parse_from_type(&parts, end, line, arena, entry))
			return true;
	}
	return false;
}

/* The comment's lines; returns where the entry's statements begin. */
static const char *
parse_header(Splitter *self, const char *p, ListLine *line, Error *err)
{
	DumpEntry *entry = &self->entries[self->count];
	bool named = false;

	entry->id = (int) line->id;
	entry->class_oid = line->class_oid;
	entry->oid = line->oid;
	entry->dependencies = NULL;
	p = sql_skip_line(sql_skip_line(p));
	while (strncmp(p, "-- ", 3) == 0)
	{
		if (strncmp(p, "-- Dependencies: ", 17) == 0)
			parse_dependencies(self->arena, p + 17, entry);
		else if (strncmp(p, "-- Name: ", 9) == 0)
			named = parse_name(self->arena, p + 9, line, entry);
		p = sql_skip_line(p);
	}
	if (!named)
	{
		error_set(err, P_PG_DUMP,
				  "entry %d of pg_restore has no name that is"
				  " in its list",
				  line->id);
		return NULL;
	}
	p = sql_skip_line(p);
	return p + strspn(p, "\n");
}

/* Keep one SET as SET LOCAL. */
static void
setting_keep(Buffer *setting, const char *p, const char *end)
{
	buffer_reset(setting);
	buffer_puts(setting, "SET LOCAL ");
	buffer_append(setting, p + strlen("SET "),
				  (size_t) (end - p) - strlen("SET "));
	buffer_putc(setting, '\n');
}

/* Only these ask where and how they are to be stored. */
static bool
entry_has_storage(const DumpEntry *entry)
{
	return strcmp(entry->type, "TABLE") == 0 ||
		   strcmp(entry->type, "MATERIALIZED VIEW") == 0 ||
		   strcmp(entry->type, "INDEX") == 0 ||
		   strcmp(entry->type, "CONSTRAINT") == 0;
}

/* The text between the last header and here is the last entry's. */
static void
entry_close(Splitter *self, const char *end)
{
	const char *from = self->settings != NULL ? self->settings : end;
	DumpEntry *entry;
	Buffer sql;

	if (self->start != NULL)
	{
		entry = &self->entries[self->count++];
		while (from > self->start && isspace((unsigned char) from[-1]))
			from--;
		buffer_init(&sql);
		if (entry_has_storage(entry))
		{
			buffer_puts(&sql, self->tablespace.data);
			buffer_puts(&sql, self->method.data);
		}
		buffer_append(&sql, self->start, (size_t) (from - self->start));
		entry->sql = arena_strndup(self->arena, sql.data, sql.len);
		buffer_release(&sql);
	}
	/* what stands behind its last statement is for those that follow */
	for (const char *p = self->settings; p != NULL && p < end;)
	{
		const char *semicolon = p;

		while (semicolon < end && *semicolon != ';')
			semicolon = sql_skip_token(semicolon);
		if (strncmp(p, TABLESPACE_SET, strlen(TABLESPACE_SET)) == 0)
			setting_keep(&self->tablespace, p, semicolon + 1);
		else if (strncmp(p, METHOD_SET, strlen(METHOD_SET)) == 0)
			setting_keep(&self->method, p, semicolon + 1);
		else
			break;
		p = semicolon + 1;
		while (p < end && isspace((unsigned char) *p))
			p++;
	}
	self->settings = NULL;
}

/* A statement begins here; remember where a run of SETs began. */
static void
statement_begins(Splitter *self, const char *p)
{
	bool setting = strncmp(p, TABLESPACE_SET, strlen(TABLESPACE_SET)) == 0 ||
				   strncmp(p, METHOD_SET, strlen(METHOD_SET)) == 0;

	if (!setting)
		self->settings = NULL;
	else if (self->settings == NULL)
		self->settings = p;
}

/* One pass over the script. */
static bool
script_scan(Splitter *self, const char *script, Error *err)
{
	const char *p = script;
	bool fresh = true; /* between two statements */

	while (*p != '\0')
	{
		bool at_line = p == script || p[-1] == '\n';
		ListLine *line = at_line ? header_at(self, p) : NULL;

		if (line != NULL)
		{
			if (line->seen)
				return error_set(err, P_PG_DUMP,
								 "entry %d of pg_restore comes twice",
								 line->id);
			line->seen = true;
			entry_close(self, p);
			p = self->start = parse_header(self, p, line, err);
			if (p == NULL)
				return false;
			fresh = true;
			continue;
		}
		if (at_line && strncmp(p, FOOTER, strlen(FOOTER)) == 0)
			break;
		if (at_line && *p == '\\')
		{
			/* a command to psql, not to the server */
			p = sql_skip_line(p);
			continue;
		}
		if (*p == ';')
			fresh = true;
		else if (fresh && !isspace((unsigned char) *p) &&
				 !(p[0] == '-' && p[1] == '-'))
		{
			statement_begins(self, p);
			fresh = false;
		}
		p = sql_skip_token(p);
	}
	entry_close(self, p);
	return true;
}

bool
dump_split(const char *list, const char *script, DdlSection section,
		   Arena *arena, DumpEntry **entries, int *count, Error *err)
{
	Splitter self = { .arena = arena };
	bool ok;

	buffer_init(&self.tablespace);
	buffer_init(&self.method);
	ok = list_parse(&self, list, err);
	if (ok)
	{
		self.entries = ARENA_ARRAY(arena, DumpEntry,
								   (size_t) self.line_count + 1);
		ok = script_scan(&self, script, err);
	}
	buffer_release(&self.tablespace);
	buffer_release(&self.method);
	if (!ok)
		return false;
	for (int i = 0; i < self.line_count; i++)
	{
		if (!self.lines[i].seen)
			return error_set(err, P_PG_DUMP,
							 "entry %d of pg_restore's list is"
							 " not in its script",
							 self.lines[i].id);
	}
	for (int i = 0; i < self.count; i++)
		self.entries[i].section = section;
	*entries = self.entries;
	*count = self.count;
	return true;
}
