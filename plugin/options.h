/*
 * options.h
 *		The options of a stream, from START_REPLICATION or the SQL functions.
 */
#ifndef PORTAGE_OPTIONS_H
#define PORTAGE_OPTIONS_H

#include "nodes/pg_list.h"

typedef enum OptionId
{
	OPTION_PROTO_MIN,
	OPTION_PROTO_MAX,
	OPTION_FORMAT,
	OPTION_TABLES,
	OPTION_EXCLUDE_TABLES,
	OPTION_ORIGIN,
	OPTION_BATCH_BYTES,
	OPTION_DEFER,
	OPTION_INCLUDE,
	OPTION_COUNT
} OptionId;

typedef enum OutputFormat
{
	FORMAT_JSON,
	FORMAT_BINARY
} OutputFormat;

/* what JSON lines carry beside the change itself */
#define INCLUDE_LSN 0x01
#define INCLUDE_XID 0x02
#define INCLUDE_TIMESTAMP 0x04
#define INCLUDE_ORIGIN 0x08
#define INCLUDE_TYPES 0x10
#define INCLUDE_ALL 0x1F

typedef struct Options
{
	int proto_min;
	int proto_max;
	OutputFormat format;
	bool local_only; /* origin 'none': drop what has an origin */
	int batch_bytes;
	bool defer;
	int include; /* INCLUDE_* */

	/*
	 * Every option as it is in force, as text: what was given, or the
	 * default, in canonical form where there is more than one spelling.  The
	 * pattern lists are read from here.
	 */
	const char *text[OPTION_COUNT];
} Options;

/*
 * Read the list of DefElem; an ERROR tells what is unknown, given twice, bad,
 * or in conflict.  The texts are allocated in the current memory context.
 */
extern void options_parse(Options *options, List *given);

/* The name of an option, for H and for messages. */
extern const char *option_name(OptionId id);

/* Which protocol version to speak; ERROR if there is none in common. */
extern int options_protocol(const Options *options);

#endif /* PORTAGE_OPTIONS_H */
