/*
 * walk.c
 *		See walk.h.
 *
 * Whoever prints does not know whether it is for one of many; what the walk has
 * open is therefore kept here.  Only one thread walks.
 */
#include "command/walk.h"

#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"
#include "command/json_words.h"

/* of the pair that is visited: what it printed; NULL: nothing, or there is one */
static bool collecting;
static json_t *collected;
static size_t collected_flags;

void
walk_print_json(json_t *result, size_t flags)
{
	if (collecting)
	{
		json_decref(collected);
		collected = result;
		collected_flags = flags;
		return;
	}
	json_dumpf(result, stdout, JSON_INDENT(2) | flags);
	putchar('\n');
	json_decref(result);
}

static json_t *
pair_json(const Pair *pair, int code)
{
	json_t *item = json_pack(
		"{s:o, s:o, s:i, s:o}", "source", json_words(pair->options.source_name),
		"target", json_words(pair->options.target_name), "exit_code", code,
		"result", collected != NULL ? collected : json_null());

	BUG_UNLESS(item != NULL);
	collected = NULL;
	return item;
}

static int
visit(const Pair *pair, PairCommand command, json_t *list)
{
	const char *before = log_set_context(pair->context);
	int code;

	if (list == NULL && !pair->options.quiet)
	{
		printf("== %s\n", pair->context);
		fflush(stdout);
	}
	code = command(&pair->options);
	if (list != NULL)
		json_array_append_new(list, pair_json(pair, code));
	log_set_context(before);
	return code;
}

static int
visit_all(const Pairs *pairs, PairCommand command, WalkMode mode, json_t *list)
{
	int worst = 0;

	for (int i = 0; i < pairs->count && !signals_stop_requested(); i++)
	{
		int code = visit(&pairs->items[i], command, list);

		worst = code > worst ? code : worst;
		if (code != 0 && mode == WALK_SUCCESS)
			break;
	}
	return worst;
}

static int
walk_json(const Options *options, const Pairs *pairs, PairCommand command,
		  WalkMode mode)
{
	json_t *list = json_array();
	json_t *root;
	int code;

	collecting = true;
	code = visit_all(pairs, command, mode, list);
	collecting = false;
	root = json_pack("{s:i, s:s, s:o}", "format", 1, "name", options->name,
					 "pairs", list);
	BUG_UNLESS(root != NULL);
	walk_print_json(root, collected_flags);
	return code;
}

int
walk_pairs(const Options *options, PairCommand command, WalkMode mode)
{
	Error err = ERROR_INIT;
	Pairs pairs;
	Arena arena;
	int code;

	arena_init(&arena);
	if (!pairs_make(options, &arena, &pairs, &err))
	{
		log_error(&err);
		code = error_exit_code(&err);
	}
	else if (pairs.count == 1)
		code = command(&pairs.items[0].options);
	else if (options->json)
		code = walk_json(options, &pairs, command, mode);
	else
		code = visit_all(&pairs, command, mode, NULL);
	arena_release(&arena);
	return code;
}
