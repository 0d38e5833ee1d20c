/*
 * translate_other.c
 *		What has no counterpart on the target: each object by its name, with the
 *		reason.
 */
#include "mysql/translate_parts.h"

#include <stdio.h>

/* Why an object of that type stays behind, and what to do about it. */
typedef struct OtherType
{
	const char *type;
	Severity severity;
	const char *why;
	const char *remedy;
} OtherType;

static const OtherType other_types[] = {
	{ "VIEW", SEVERITY_WARNING, "its query is in PostgreSQL's words",
	  "write it anew for the target" },
	{ "MATERIALIZED VIEW", SEVERITY_WARNING,
	  "the target has no materialized views",
	  "fill a table from a query on the target" },
	{ "FUNCTION", SEVERITY_WARNING, "its body is in PostgreSQL's words",
	  "write it anew for the target" },
	{ "PROCEDURE", SEVERITY_WARNING, "its body is in PostgreSQL's words",
	  "write it anew for the target" },
	{ "AGGREGATE", SEVERITY_WARNING, "the target has none of one's own",
	  "write the query in another way" },
	{ "TRIGGER", SEVERITY_WARNING,
	  "its function is in PostgreSQL's words; what it wrote is carried as rows",
	  "write it anew for the target, and create it after the switch" },
	{ "EVENT TRIGGER", SEVERITY_NOTE, "the target has none", "" },
	{ "RULE", SEVERITY_WARNING, "the target has no rules",
	  "see to it in what writes to the target" },
	{ "POLICY", SEVERITY_WARNING, "the target has no row security",
	  "see to it with views and privileges, before users connect" },
	{ "SEQUENCE", SEVERITY_WARNING,
	  "it belongs to no column that is AUTO_INCREMENT there",
	  "on MariaDB CREATE SEQUENCE, else keep a table with a counter" },
	{ "EXTENSION", SEVERITY_NOTE, "extensions are PostgreSQL's own", "" },
	{ "DOMAIN", SEVERITY_NOTE, "no table has a column of it", "" },
	{ "TYPE", SEVERITY_NOTE, "no table has a column of it", "" },
	{ "COLLATION", SEVERITY_NOTE, "text compares byte by byte there", "" },
	{ "FOREIGN TABLE", SEVERITY_WARNING, "its rows are not in the database",
	  "see to it that they are where they are needed" },
	{ "INDEX", SEVERITY_NOTE, "only one partition has it",
	  "create it for the whole table, if queries need it" },
	{ "FK CONSTRAINT", SEVERITY_WARNING,
	  "the target has none of ranges of time, nor of one partition",
	  "see to it in what writes to the target" },
	{ "CHECK CONSTRAINT", SEVERITY_WARNING,
	  "the target has none of one partition, nor of the elements of an array",
	  "see to it in what writes to the target" },
	{ "COMMENT", SEVERITY_NOTE, "the target has no place for it", "" },
	{ "LARGE OBJECTS", SEVERITY_WARNING, "the target has none",
	  "store them as bytea on the source, or carry them by other means" },
	{ "OPERATOR", SEVERITY_WARNING, "the target has none of one's own",
	  "write the query in another way" },
	{ "CAST", SEVERITY_NOTE, "the target has none of one's own", "" },
	{ "STATISTICS", SEVERITY_NOTE, "the target keeps its own", "" },
	{ "PUBLICATION", SEVERITY_NOTE, "the target replicates by its binary log",
	  "" },
	{ "SUBSCRIPTION", SEVERITY_WARNING,
	  "the target replicates by its binary log",
	  "decide what feeds the target after the switch" },
};

static const OtherType *
type_of(const char *type)
{
	static const OtherType unknown = { "", SEVERITY_WARNING,
									   "the target has no such thing", "" };

	for (size_t i = 0; i < sizeof(other_types) / sizeof(other_types[0]); i++)
	{
		if (strcmp(other_types[i].type, type) == 0)
			return &other_types[i];
	}
	return &unknown;
}

/* "sequence public.t_id_seq", as findings call things. */
static const char *
other_object(const Translator *self, const SchemaOther *other)
{
	char *type = arena_strdup(self->arena, other->type);

	for (char *p = type; *p != '\0'; p++)
	{
		if (*p >= 'A' && *p <= 'Z')
			*p = (char) (*p - 'A' + 'a');
	}
	if (other->schema == NULL || other->schema[0] == '\0')
		return arena_printf(self->arena, "%s %s", type, other->name);
	return arena_printf(self->arena, "%s %s.%s", type, other->schema,
						other->name);
}

/* Does a column go on with it? */
static bool
is_carried(const Translator *self, const SchemaOther *other)
{
	const char *name;

	if (strcmp(other->type, "SEQUENCE") != 0)
		return false;
	name = arena_printf(self->arena, "%s.%s", other->schema, other->name);
	for (int t = 0; t < self->table_count; t++)
	{
		const WorkTable *table = &self->tables[t];

		for (int c = 0; c < table->column_count; c++)
		{
			const char *sequence = table->columns[c].map.sequence;

			if (sequence != NULL && strcmp(sequence, name) == 0)
				return true;
		}
	}
	return false;
}

static void
translate_unlogged(Translator *self)
{
	for (int i = 0; i < self->schema->table_count; i++)
	{
		const SchemaTable *table = &self->schema->tables[i];

		if (!table->unlogged)
			continue;
		finding_add(self->decisions, SEVERITY_WARNING, 0,
					arena_printf(self->arena, "table %s.%s", table->schema,
								 table->name),
					"ALTER TABLE ... SET LOGGED on the source, if its rows "
					"matter",
					"it is unlogged, its changes are not in the WAL: it is not "
					"created")
			->left_behind = true;
	}
}

void
translate_others(Translator *self)
{
	for (int i = 0; i < self->schema->other_count; i++)
	{
		const SchemaOther *other = &self->schema->others[i];
		const OtherType *type = type_of(other->type);

		if (is_carried(self, other))
			continue;
		finding_add(self->decisions, type->severity, 0,
					other_object(self, other), type->remedy,
					"it is not carried: %s", type->why)
			->left_behind = true;
	}
	translate_unlogged(self);
}

/* ---- of a table */

static void
table_finding(Translator *self, const WorkTable *table, Severity severity,
			  const char *remedy, const char *message)
{
	finding_add(self->decisions, severity, 0, table->object, remedy, "%s",
				message)
		->left_behind = true;
}

/* Another order than byte by byte, and perhaps another equality. */
static void
collation_findings(Translator *self, const WorkTable *table)
{
	for (int i = 0; i < table->column_count; i++)
	{
		const WorkColumn *column = &table->columns[i];
		const SchemaColumn *source = column->source;
		const char *object;

		if (source->collation == NULL && !source->collation_nondeterministic)
			continue;
		object = arena_printf(self->arena, "column %s.%s", table->label,
							  source->name);
		if (source->collation_nondeterministic)
			finding_add(self->decisions, SEVERITY_WARNING, 0, object,
						"say COLLATE in queries that rely on it",
						"its collation %s takes different texts for equal, the "
						"target compares byte by byte",
						source->collation)
				->left_behind = true;
		else if (!source->collation_bytes)
			finding_add(
				self->decisions, SEVERITY_NOTE, 0, object,
				"say COLLATE in queries that sort",
				"its collation %s sorts by language, the target byte by "
				"byte; what is equal is the same",
				source->collation)
				->left_behind = true;
	}
}

static void
partition_findings(Translator *self, const WorkTable *table)
{
	for (int i = 0; i < self->schema->table_count; i++)
	{
		const SchemaTable *leaf = &self->schema->tables[i];

		if (leaf->root_oid != table->source->oid || leaf->root_oid == 0)
			continue;
		for (int x = 0; x < leaf->index_count; x++)
			finding_add(
				self->decisions, SEVERITY_WARNING, 0,
				arena_printf(self->arena, "index %s on %s.%s",
							 leaf->indexes[x].name, leaf->schema, leaf->name),
				"create it on the whole table of the target, if its rows "
				"and queries allow it",
				"it is not carried: it is of one partition only")
				->left_behind = true;
	}
}

void
translate_table_findings(Translator *self, const WorkTable *table)
{
	const SchemaTable *source = table->source;

	if (source->row_security)
		table_finding(self, table, SEVERITY_WARNING,
					  "see to it with views and privileges, before users "
					  "connect",
					  "it has row security, which the target has not: whoever "
					  "may read the table reads all rows");
	if (source->inherits)
		table_finding(
			self, table, SEVERITY_WARNING,
			"read both with UNION ALL where it matters",
			"it inherits: on the target it is a table of its own, and "
			"queries of its parent do not show its rows");
	collation_findings(self, table);
	if (source->kind == 'p')
		partition_findings(self, table);
}

/* The order of text without a collation of its own: said once for all. */
void
translate_database_findings(Translator *self)
{
	if (self->schema->collation_bytes)
		return;
	finding_add(self->decisions, SEVERITY_NOTE, 0, "collation",
				"say COLLATE in queries that sort, or that are to ignore case",
				"text compares and sorts byte by byte on the target (%s), so "
				"that keys are the same as on the source; the source sorts by "
				"language",
				self->target->collation);
}
