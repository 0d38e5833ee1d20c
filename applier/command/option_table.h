/*
 * option_table.h
 *		What commands and options there are: for parsing and for help.
 */
#ifndef PORTAGE_OPTION_TABLE_H
#define PORTAGE_OPTION_TABLE_H

#include <stddef.h>

#include "command/options.h"

#define ON(command) (1u << (command))
#define ON_ALL (ON(COMMAND_COUNT) - 1)

typedef struct CommandDef
{
	const char *name;
	bool needs_source;
	bool needs_target;
	const char *summary;
	const char *text;			/* paragraphs of the command's help */
	const char *const *actions; /* words behind the command; NULL: none */
} CommandDef;

typedef bool (*OptionParser)(Options *options, const char *value, Error *err);

typedef struct OptionDef
{
	const char *name;
	char letter;		  /* or 0 */
	const char *argument; /* how help calls it, or NULL: a flag */
	unsigned commands;	  /* ON(...), or ON_ALL: even without a command */
	size_t offset;		  /* of a bool or const char * in Options */
	OptionParser parse;	  /* or NULL: store at the offset */
	const char *help;
} OptionDef;

extern const CommandDef command_table[COMMAND_COUNT];
extern const OptionDef option_table[];
extern const int option_count;

/* more than there ever are, for arrays by option */
#define OPTION_MAX 40

#endif /* PORTAGE_OPTION_TABLE_H */
