/*
 * options_config.h
 *		What --config says, put where the command line would have put it.
 */
#ifndef PORTAGE_OPTIONS_CONFIG_H
#define PORTAGE_OPTIONS_CONFIG_H

#include "command/option_table.h"
#include "config/config.h"

/* The options that a configuration may have as top-level keys; their number. */
int options_config_names(ConfigOptionName names[OPTION_MAX]);

/*
 * Read options->config_file into options->config, and take from it what the
 * command line has not said (seen, by option) and the command takes.  Values are
 * parsed as on the command line; whatever is wrong is told with its place, also
 * where this command has no use for it.
 */
bool options_config_take(Options *options, Arena *arena, const bool *seen,
						 Error *err) MUST_CHECK;

/* Where the file has the option, or NULL. */
const ConfigOption *
options_config_find(const Options *options, const char *option);

#endif /* PORTAGE_OPTIONS_CONFIG_H */
