/*
 * test_pairs.c
 *		Sources and targets of a configuration, each with each: names, URLs,
 *		what is said of one target and what of all.
 */
#include <string.h>

#include "command/option_table.h"
#include "command/pairs.h"
#include "config/config.h"
#include "tap.h"

#define TWO_TARGETS                                           \
	"targets:\n"                                              \
	"  eu: { url: \"mysql://u@h/eu\", on_loss: \"error\" }\n" \
	"  us: { url: \"postgresql://u@h/us\" }\n"                \
	"rules:\n"                                                \
	"  - table: \"*.*\"\n"                                    \
	"    target: [eu, us]\n"

static Arena arena;
static Config config;
static Options options;
static Pairs pairs;
static Error err;

/* The pairs of a file; options as they are, with its name. */
static bool
pairs_of(const char *text)
{
	static const ConfigOptionName names[] = { { "on-loss", false } };

	error_clear(&err);
	memset(&config, 0, sizeof(config));
	if (!config_parse(text, strlen(text), "many.yaml", names, 1, &arena,
					  &config, &err))
		return false;
	options.config = &config;
	options.name = config.name.text;
	return pairs_make(&options, &arena, &pairs, &err);
}

static void
test_none(void)
{
	Options plain = { .source = "s", .target = "t", .name = "app" };

	ok(pairs_make(&plain, &arena, &pairs, &err) && pairs.count == 1,
	   "without a configuration there is one pair");
	ok(pairs.items[0].context == NULL && !pairs.items[0].options.shares_slot,
	   "of which nothing is said in the log");
	is_str(pairs.items[0].options.name, "app", "with the name that was given");
}

static void
test_one_source(void)
{
	ok(pairs_of("name: shop\n"
				"sources:\n"
				"  main: { url: \"postgresql://u@h/db\" }\n" TWO_TARGETS),
	   "one source, two targets");
	is_int(pairs.count, 2, "are two pairs");
	is_str(pairs.items[0].context, "main -> eu", "one is called so");
	is_str(pairs.items[1].context, "main -> us", "the other so");
	is_str(pairs.items[0].options.name, "shop", "with one stream");
	is_str(pairs.items[1].options.name, "shop", "for both");
	is_str(pairs.items[1].options.target, "postgresql://u@h/us",
		   "each with its URL");
	ok(pairs.items[0].options.shares_slot && pairs.items[1].options.shares_slot,
	   "they share the slot");
	is_str(pairs.items[0].options.on_loss, "error", "what is said of one");
	ok(pairs.items[1].options.on_loss == NULL, "is not said of the other");
	options.on_loss = "round";
	ok(pairs_of("name: shop\n"
				"sources:\n"
				"  main: { url: \"postgresql://u@h/db\" }\n" TWO_TARGETS),
	   "with --on-loss");
	is_str(pairs.items[0].options.on_loss, "round",
		   "the command line goes before the file");
	is_str(pairs.items[1].options.on_loss, "round", "for all of them");
	options.on_loss = NULL;
}

static void
test_two_sources(void)
{
	ok(pairs_of("name: shop\n"
				"sources:\n"
				"  east: { url: \"postgresql://u@h/east\" }\n"
				"  west: { url: \"postgresql://u@h/west\" }\n" TWO_TARGETS),
	   "two sources, two targets");
	is_int(pairs.count, 4, "are four pairs");
	is_str(pairs_of_source(&pairs, 1)[0].options.name, "shop_west",
		   "a stream is called by its source");
	is_str(pairs_of_source(&pairs, 0)[1].options.name, "shop_east",
		   "on each target");
	is_str(pairs_of_source(&pairs, 1)[1].context, "west -> us",
		   "by source, then by target");
	ok(!pairs_of("name: a_name_that_is_as_long_as_one_may_be_x\n"
				 "sources:\n"
				 "  east: { url: \"postgresql://u@h/east\" }\n"
				 "  west: { url: \"postgresql://u@h/west\" }\n" TWO_TARGETS) &&
		   err.code == P_CONFIG,
	   "a stream's name has an end");
}

int
main(void)
{
	arena_init(&arena);
	test_none();
	test_one_source();
	test_two_sources();
	arena_release(&arena);
	return done_testing();
}
