/*
 * options.c
 *		The options of a stream: one table, one function for each kind of value.
 *
 * Whoever may start a stream may pass anything, so nothing is taken without a
 * check: an unknown option, one given twice, one without a value, a bad value
 * and a combination that makes no sense are all errors that name the option and
 * say what would be right.  Options are given when a stream starts, never when
 * its slot is created; there everything has its default.
 */
#include "postgres.h"

#include "compat.h"

#include "nodes/parsenodes.h"
#include "nodes/value.h"
#include "replication/walsender.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "options.h"
#include "pattern.h"
#include "wire.h"

/* room for a few frames' worth of small transactions, and for one page */
#define BATCH_BYTES_MIN (4 * 1024)
#define BATCH_BYTES_MAX (16 * 1024 * 1024)

struct OptionSpec;

/* Store value into options, and its text; a bad one is an ERROR. */
typedef void (*OptionSetter)(Options *options, const struct OptionSpec *spec,
							 const char *value);

typedef struct OptionSpec
{
	OptionId id;
	const char *name;
	const char *preset; /* the default, in the form of a value */
	const char *valid;	/* what is valid, for the hint */
	OptionSetter set;
} OptionSpec;

static void
set_protocol(Options *options, const OptionSpec *spec, const char *value);
static void
set_format(Options *options, const OptionSpec *spec, const char *value);
static void
set_patterns(Options *options, const OptionSpec *spec, const char *value);
static void
set_origin(Options *options, const OptionSpec *spec, const char *value);
static void
set_batch_bytes(Options *options, const OptionSpec *spec, const char *value);
static void
set_defer(Options *options, const OptionSpec *spec, const char *value);
static void
set_include(Options *options, const OptionSpec *spec, const char *value);

#define PROTO_VALID "a protocol version, from 1 to 65535"
#define PATTERN_VALID \
	"patterns of the form table or schema.table, separated by commas, with the wildcards * and ?; names in double quotes are taken literally"

static const OptionSpec option_specs[OPTION_COUNT] = {
	{ OPTION_PROTO_MIN, "proto_min", CppAsString2(WIRE_PROTO_MIN), PROTO_VALID,
	  set_protocol },
	{ OPTION_PROTO_MAX, "proto_max", CppAsString2(WIRE_PROTO_MAX), PROTO_VALID,
	  set_protocol },
	{ OPTION_FORMAT, "format", "json", "binary, json", set_format },
	{ OPTION_TABLES, "tables", "", PATTERN_VALID, set_patterns },
	{ OPTION_EXCLUDE_TABLES, "exclude_tables", "", PATTERN_VALID,
	  set_patterns },
	{ OPTION_ORIGIN, "origin", "any", "any, none", set_origin },
	{ OPTION_BATCH_BYTES, "batch_bytes", "65536",
	  "a size from 4kB to 16MB, in bytes or with the unit kB or MB",
	  set_batch_bytes },
	{ OPTION_DEFER, "defer", "off", "on, off", set_defer },
	{ OPTION_INCLUDE, "include", "lsn,xid,timestamp,origin,types",
	  "words out of lsn, xid, timestamp, origin, types, separated by commas",
	  set_include }
};

static void
bad_value(const OptionSpec *spec, const char *value)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("invalid value for option \"%s\": \"%s\"",
						   spec->name, value),
					errhint("Valid values are: %s.", spec->valid)));
}

/* All of a string as a number in range; false if it is anything else. */
static bool
parse_number(const char *value, long min, long max, char **end, long *number)
{
	if (*value < '0' || *value > '9')
		return false;
	errno = 0;
	*number = strtol(value, end, 10);
	return errno == 0 && *number >= min && *number <= max;
}

static void
set_protocol(Options *options, const OptionSpec *spec, const char *value)
{
	char *end;
	long number;

	if (!parse_number(value, 1, PG_UINT16_MAX, &end, &number) || *end != '\0')
		bad_value(spec, value);
	if (spec->id == OPTION_PROTO_MIN)
		options->proto_min = (int) number;
	else
		options->proto_max = (int) number;
}

static void
set_format(Options *options, const OptionSpec *spec, const char *value)
{
	if (strcmp(value, "binary") == 0)
		options->format = FORMAT_BINARY;
	else if (strcmp(value, "json") == 0)
		options->format = FORMAT_JSON;
	else
		bad_value(spec, value);
}

/* Nothing to convert: the lists are matched as text.  Empty is not given. */
static void
set_patterns(Options *options, const OptionSpec *spec, const char *value)
{
	size_t position;
	const char *reason;

	if (*value == '\0')
		return;
	if (!pattern_list_check(value, strlen(value), &position, &reason))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for option \"%s\": \"%s\"",
							   spec->name, value),
						errdetail("At byte %zu: %s.", position + 1, reason),
						errhint("Valid values are: %s.", spec->valid)));
}

static void
set_origin(Options *options, const OptionSpec *spec, const char *value)
{
	if (strcmp(value, "none") == 0)
		options->local_only = true;
	else if (strcmp(value, "any") == 0)
		options->local_only = false;
	else
		bad_value(spec, value);
}

static void
set_batch_bytes(Options *options, const OptionSpec *spec, const char *value)
{
	char *end;
	long number;

	if (!parse_number(value, 0, BATCH_BYTES_MAX, &end, &number))
		bad_value(spec, value);
	while (*end == ' ')
		end++;
	if (strcmp(end, "kB") == 0)
		number *= 1024;
	else if (strcmp(end, "MB") == 0)
		number *= 1024 * 1024;
	else if (*end != '\0')
		bad_value(spec, value);
	if (number < BATCH_BYTES_MIN || number > BATCH_BYTES_MAX)
		bad_value(spec, value);
	options->batch_bytes = (int) number;
	options->text[spec->id] = psprintf("%ld", number);
}

static void
set_defer(Options *options, const OptionSpec *spec, const char *value)
{
	if (!parse_bool(value, &options->defer))
		bad_value(spec, value);
	options->text[spec->id] = options->defer ? "on" : "off";
}

static int
include_flag(const char *word)
{
	static const struct
	{
		const char *word;
		int flag;
	} words[] = { { "lsn", INCLUDE_LSN },
				  { "xid", INCLUDE_XID },
				  { "timestamp", INCLUDE_TIMESTAMP },
				  { "origin", INCLUDE_ORIGIN },
				  { "types", INCLUDE_TYPES } };
	int i;

	for (i = 0; i < lengthof(words); i++)
	{
		if (strcmp(word, words[i].word) == 0)
			return words[i].flag;
	}
	return 0;
}

static void
set_include(Options *options, const OptionSpec *spec, const char *value)
{
	List *words;
	ListCell *lc;
	int flag;

	options->include = 0;
	if (!SplitIdentifierString(pstrdup(value), ',', &words))
		bad_value(spec, value);
	foreach (lc, words)
	{
		flag = include_flag(lfirst(lc));
		if (flag == 0 || (options->include & flag) != 0)
			bad_value(spec, value);
		options->include |= flag;
	}
	list_free(words);
}

static const OptionSpec *
find_spec(const char *name)
{
	StringInfoData valid;
	int i;

	for (i = 0; i < OPTION_COUNT; i++)
	{
		if (strcmp(name, option_specs[i].name) == 0)
			return &option_specs[i];
	}
	initStringInfo(&valid);
	for (i = 0; i < OPTION_COUNT; i++)
		appendStringInfo(&valid, "%s%s", i > 0 ? ", " : "",
						 option_specs[i].name);
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("unknown option \"%s\"", name),
					errhint("Valid options are: %s.", valid.data)));
	return NULL; /* not reached */
}

static void
check_combinations(const Options *options, const bool *given)
{
	if (options->proto_min > options->proto_max)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(
				 "option \"proto_min\" is %d, which is more than \"proto_max\", %d",
				 options->proto_min, options->proto_max)));
	if (options->defer && (!am_walsender || options->format != FORMAT_BINARY))
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(
				 "option \"defer\" needs a replication connection and option \"format\" set to \"binary\""),
			 errdetail(
				 "Any other reader would lose the transactions that are held back.")));
	if (given[OPTION_INCLUDE] && options->format != FORMAT_JSON)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(
				 "option \"include\" needs option \"format\" set to \"json\"")));
}

void
options_parse(Options *options, List *given)
{
	bool seen[OPTION_COUNT] = { false };
	ListCell *lc;
	int i;

	memset(options, 0, sizeof(Options));
	for (i = 0; i < OPTION_COUNT; i++)
	{
		Assert(option_specs[i].id == i);
		options->text[i] = option_specs[i].preset;
		option_specs[i].set(options, &option_specs[i], option_specs[i].preset);
	}
	foreach (lc, given)
	{
		DefElem *elem = (DefElem *) lfirst(lc);
		const OptionSpec *spec = find_spec(elem->defname);

		if (seen[spec->id])
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("option \"%s\" is given more than once",
								   spec->name)));
		seen[spec->id] = true;
		if (elem->arg == NULL || !IsA(elem->arg, String))
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("option \"%s\" needs a value", spec->name),
							errhint("Valid values are: %s.", spec->valid)));
		options->text[spec->id] = pstrdup(strVal(elem->arg));
		spec->set(options, spec, options->text[spec->id]);
	}
	check_combinations(options, seen);
}

const char *
option_name(OptionId id)
{
	return option_specs[id].name;
}

int
options_protocol(const Options *options)
{
	if (options->proto_min > WIRE_PROTO_MAX ||
		options->proto_max < WIRE_PROTO_MIN)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("no protocol version in common"),
			 errdetail(
				 "The client speaks versions %d to %d, pg_portage %s on this server %d to %d.",
				 options->proto_min, options->proto_max, PORTAGE_VERSION,
				 WIRE_PROTO_MIN, WIRE_PROTO_MAX),
			 errhint("Install the same release of pg_portage on both sides.")));
	return Min(options->proto_max, WIRE_PROTO_MAX);
}
