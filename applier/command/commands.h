/*
 * commands.h
 *		One function per command; each returns the process's exit code.
 */
#ifndef PORTAGE_COMMANDS_H
#define PORTAGE_COMMANDS_H

#include "command/options.h"

int command_check(const Options *options);
int command_plan(const Options *options);
int command_run(const Options *options);
int command_status(const Options *options);
int command_finish(const Options *options);
int command_drop(const Options *options);
int command_quarantine(const Options *options);

#endif /* PORTAGE_COMMANDS_H */
