/*
 * settings.h
 *		The session's settings that shape the text form of values.
 */
#ifndef PORTAGE_SETTINGS_H
#define PORTAGE_SETTINGS_H

#define SETTING_COUNT 7

/* Which values the plugin may format itself, with the same result. */
typedef struct TextStyle
{
	bool iso_dates;	   /* DateStyle is ISO */
	bool utc;		   /* and the time zone is UTC */
	bool exact_floats; /* the shortest digits that read back the same */
} TextStyle;

/* ERROR, naming the first setting that differs in meaning from what wire.h
 * promises for the binary format. */
extern void settings_check(void);

/* What this session's settings are like. */
extern TextStyle settings_text_style(void);

/* Name and current value of setting i, for H. */
extern const char *setting_name(int i);
extern const char *setting_value(int i);

#endif /* PORTAGE_SETTINGS_H */
