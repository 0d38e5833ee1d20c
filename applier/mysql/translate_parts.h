/*
 * translate_parts.h
 *		A translation while it is made: what the files translate*.c share.
 *
 * Columns get their natural type first (translate_type.c); then keys say how
 * long a text may be and foreign keys which types have to be the same
 * (translate_key.c); then there are defaults and generated columns
 * (translate_table.c).  Only then is SQL written.  Everything lives in the
 * translator's arena.
 */
#ifndef PORTAGE_TRANSLATE_PARTS_H
#define PORTAGE_TRANSLATE_PARTS_H

#include "base/buffer.h"
#include "mysql/mysql_conn.h"
#include "mysql/translate.h"

#define NAME_CHARS_MAX 64	  /* of any identifier */
#define KEY_BYTES_MAX 3072	  /* of one index, InnoDB with pages of 16 kB */
#define ROW_BYTES_MAX 65535	  /* of a row, without the contents of blobs */
#define CHAR_BYTES 4		  /* of utf8mb4 */
#define COLUMN_COUNT_MAX 1017 /* of an InnoDB table */
#define INDEX_COUNT_MAX 64	  /* of a table, without its primary key */
#define INDEX_COMMENT_CHARS 1024

/* What an expression may do with a column. */
typedef enum Family
{
	FAMILY_OPAQUE, /* text that stands for something else: nothing */
	FAMILY_INTEGER,
	FAMILY_DECIMAL,
	FAMILY_DOUBLE,
	FAMILY_BOOLEAN,
	FAMILY_TEXT,   /* compares byte by byte there */
	FAMILY_PADDED, /* bpchar */
	FAMILY_WORD,   /* uuid: text in one form only, so equality is its own */
	FAMILY_ENUM,
	FAMILY_DATE,
	FAMILY_DATETIME,
	FAMILY_UTC,
	FAMILY_TIME,
	FAMILY_BYTES
} Family;

/* A column of the source, and what becomes of it. */
typedef struct WorkColumn
{
	const SchemaColumn *source;
	ColumnMap map; /* .type is as information_schema shows it */
	Family family;
	const char *charset; /* " CHARACTER SET ...", behind the type, or "" */
	const char *check;	 /* " CHECK (json_valid(...))", or "" */
	int fixed_bytes;	 /* of a type without a length */
	int char_bytes;		 /* of a varchar, char, varbinary: of each of length */
	int64_t length;		 /* of these */
	bool blob;			 /* text, blob, json: no key, literals in parentheses */
	bool free_length;	 /* the source's type has no limit: a key chooses it */
	int64_t key_length;	 /* the shortest that a key has room for, or 0 */
	bool auto_increment;
	bool acted_on;			   /* a foreign key changes it */
	bool left_out;			   /* VIRTUAL and not to be translated */
	const char *default_sql;   /* or NULL */
	const char *generated_sql; /* or NULL: a plain column */
	bool stored;			   /* with generated_sql: STORED, not VIRTUAL */
	const char *note;
	Severity severity;
} WorkColumn;

/* A generated column of ours that carries a unique key; invisible. */
typedef struct Helper
{
	const char *name;
	const char *type;
	const char *sql;
} Helper;

/* What has names of its own: some are the servers'. */
typedef enum NameKind
{
	NAME_TABLE,
	NAME_DATABASE,
	NAME_COLUMN,
	NAME_INDEX,
	NAME_CONSTRAINT
} NameKind;

typedef struct NameSet
{
	Arena *arena;
	NameKind kind;
	bool fold; /* case does not count */
	int count;
	const char **names; /* as they are compared */
} NameSet;

struct WorkKey;

typedef struct WorkTable
{
	const SchemaTable *source;
	const char *database; /* NULL: the URL's */
	const char *name;
	const char *quoted; /* with the database, unless it is the URL's */
	const char *object; /* "table public.t", of findings */
	const char *label;	/* "public.t" */
	WorkColumn *columns;
	int column_count;
	Helper *helpers;
	int helper_count;
	NameSet column_names;
	NameSet index_names;
	struct WorkKey *keys; /* one for each of source->indexes */
	const char *note;
} WorkTable;

/* What becomes of an index of the source. */
typedef enum KeyFate
{
	KEY_LEFT, /* not carried; a finding says why */
	KEY_PRIMARY,
	KEY_IN_TABLE, /* unique, the identity of rows: in CREATE TABLE */
	KEY_UNIQUE,	  /* added when the rows are in */
	KEY_PLAIN
} KeyFate;

typedef struct WorkKey
{
	const SchemaIndex *source;
	KeyFate fate;
	const char *name;
	const char *columns_sql;	/* "`a`, `b`(255) DESC" */
	const WorkColumn **columns; /* of the parts; NULL for what is none */
	bool exact;	 /* its columns are the source's, whole, in order */
	bool hashed; /* too long: hashes stand for its long columns */
} WorkKey;

typedef struct Translator
{
	const Schema *schema;
	const TranslateTarget *target;
	Arena *arena;
	Findings *decisions;
	WorkTable *tables; /* of the source's tables but partitions, in order */
	int table_count;
	NameSet databases;	  /* and a set of names of tables for each */
	NameSet *table_names; /* by database; [0] is the URL's */
	NameSet *constraints; /* foreign keys and CHECKs, the same */
	int database_count;
	DdlEntry *entries;
	int entry_count;
} Translator;

/* ---- translate_name.c */

void name_set_init(NameSet *set, Arena *arena, NameKind kind, bool fold);

/*
 * Take a name like wanted that the server allows and nobody else has: cleaned,
 * cut and told from others by a hash of the whole.  The same names in the same
 * order give the same result.
 */
const char *name_take(NameSet *set, const char *wanted);
bool name_taken(const NameSet *set, const char *name);

/* Case folded as the servers do it, for the scripts that have one. */
char *name_fold(const char *name, Arena *arena);

/* Databases and names of all tables. */
void translate_table_names(Translator *self);
/* Sets of table names and of constraints of a table's database. */
NameSet *translate_constraints(Translator *self, const WorkTable *table);

char *sql_name(Arena *arena, const char *name);
/* DATABASE() or 'name' */
void sql_put_schema(Buffer *sql, const WorkTable *table);

/* ---- translate_type.c */

/* Natural type and conversion; name and target of the map are set. */
void
translate_type(const TranslateTarget *target, const SchemaTable *table,
			   const SchemaColumn *source, Arena *arena, WorkColumn *column);

/* The type again after another length was chosen. */
void work_column_length(WorkColumn *column, int64_t length, Arena *arena);

/* A constant in PostgreSQL's text as a literal of the column; NULL: it has none. */
const char *
column_literal(const WorkColumn *column, const char *text, Arena *arena);

/* Add a sentence to the note; severity only grows. */
void
work_column_note(WorkColumn *column, Arena *arena, Severity severity,
				 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

int64_t work_column_row_bytes(const WorkColumn *column);
int64_t work_column_key_bytes(const WorkColumn *column); /* -1: no key */

/* ---- translate_key.c */

/* Is it a unique index of the source that has a counterpart at all? */
bool key_carried(const SchemaIndex *index);

/* Lengths of text in keys, types of foreign keys, the size of the row. */
void translate_key_types(Translator *self);
/* The same for one column of a key, without the others. */
void translate_key_column(WorkColumn *column, Arena *arena);

/* ---- translate_default.c */

/* AUTO_INCREMENT, defaults and generated columns of a table. */
void translate_computed(Translator *self, WorkTable *table);
/* Default or generation of one column. */
void translate_computed_column(Translator *self, WorkTable *table,
							   WorkColumn *column);

/* ---- translate_index.c */

/*
 * What becomes of each index, and the helpers that it needs: first those that
 * the table has from the beginning, then, when it is known which columns are
 * computed, the others.
 */
void translate_keys_early(Translator *self, WorkTable *table);
void translate_keys(Translator *self, WorkTable *table);
void translate_index_entries(Translator *self, WorkTable *table);

/* ---- translate_constraint.c: entries; foreign keys of all tables first */

void translate_foreign_keys(Translator *self, WorkTable *table);
void translate_checks(Translator *self, WorkTable *table);

/* ---- translate_other.c: findings */

void translate_others(Translator *self);
void translate_table_findings(Translator *self, const WorkTable *table);
void translate_database_findings(Translator *self);

/* ---- the translator itself: translate.c */

WorkTable *translator_table(const Translator *self, uint32_t oid);
/* Are the bytes of the source's text those of the target's? */
bool translator_is_utf8(const Translator *self);
WorkColumn *work_table_column(const WorkTable *table, const char *name);
DdlEntry *
translator_entry(Translator *self, DdlSection section, const char *type,
				 const WorkTable *table, const char *name, const char *sql,
				 const char *probe);

/* ---- translate_table.c */

void translate_columns(Translator *self, WorkTable *table);
void translate_create(Translator *self, WorkTable *table);
/* " COMMENT '...'", cut to so many characters; nothing for NULL. */
void sql_put_comment(Buffer *sql, const char *comment, int chars, Arena *arena);
/* "type NOT NULL DEFAULT ..." */
char *work_column_definition(const WorkColumn *column, Arena *arena);

#endif /* PORTAGE_TRANSLATE_PARTS_H */
