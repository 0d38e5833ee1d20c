/*
 * loss.h
 *		What to do with what a target of another kind cannot hold as it is:
 *		--on-loss.
 *
 *		--on-loss error
 *		--on-loss warn,public.orders.total=clamp,public.*.doc=text
 *
 * The first word without '=' is for everything; patterns are those of --tables
 * with a column behind, the last one that matches counts.
 */
#ifndef PORTAGE_LOSS_H
#define PORTAGE_LOSS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

typedef enum LossPolicy
{
	LOSS_ERROR, /* stop, with table, key, column and value */
	LOSS_WARN,	/* load what the target makes of it, count it, report it */
	LOSS_CLAMP, /* the nearest value that it can hold; counted */
	LOSS_NULL,	/* NULL instead; counted */
	LOSS_TEXT	/* a column of text, which loses nothing */
} LossPolicy;

/* What is lost. */
typedef enum LossKind
{
	LOSS_NONE,
	LOSS_NAN,		  /* NaN */
	LOSS_INFINITY,	  /* of a number, a date or a time */
	LOSS_ERA,		  /* a year before 1 or beyond 9999 */
	LOSS_RANGE,		  /* too many digits before the point */
	LOSS_PRECISION,	  /* digits behind the point */
	LOSS_LENGTH,	  /* a text or bytes too long for the column */
	LOSS_JSON_NUMBER, /* a number that comes back as another one */
	LOSS_JSON_SCALE,  /* 2.50 comes back as 2.5; never worse than a warning */
	LOSS_JSON_DEPTH,  /* nested too deeply */
	LOSS_JSON_KEYS,	  /* duplicate keys of json: the last one is kept */
	LOSS_ZONE,		  /* the offset of a time */
	LOSS_PADDING,	  /* spaces at the end */
	LOSS_LABEL,		  /* not a label of the enum */
	LOSS_BOUNDS,	  /* bounds of an array that do not begin with 1 */
	LOSS_ZERO_SIGN,	  /* -0 comes back as 0 */
	LOSS_ENCODING,	  /* bytes that are no text */
	LOSS_KINDS		  /* how many there are */
} LossKind;

/* How often something was lost that the policy allows. */
typedef struct LossCount
{
	const char *schema;
	const char *table;
	const char *column;
	const char *kind; /* loss_kind_name() */
	uint64_t count;
} LossCount;

/* One pattern; in the order in which they were given. */
typedef struct LossRule
{
	const char *table;	/* a pattern of --tables, NULL: all */
	const char *column; /* with * and ?, NULL: all */
	LossPolicy policy;
} LossRule;

typedef struct LossRules
{
	const LossRule *rules;
	int count;
} LossRules;

/* P_OPTIONS for a word or pattern that cannot be read. NULL or "": all error. */
bool loss_rules_parse(const char *text, Arena *arena, LossRules *rules,
					  Error *err) MUST_CHECK;

LossPolicy loss_policy(const LossRules *rules, const char *schema,
					   const char *table, const char *column);

const char *loss_policy_name(LossPolicy policy);

/* "NaN", "infinity", ...: as messages, state and output call it. */
const char *loss_kind_name(LossKind kind);

#endif /* PORTAGE_LOSS_H */
