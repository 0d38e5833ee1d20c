/*
 * suggest.h
 *		What somebody may have meant by a misspelt word.
 */
#ifndef PORTAGE_SUGGEST_H
#define PORTAGE_SUGGEST_H

/* The nearest of the words (NULL at the end), or NULL if none is near. */
const char *suggest(const char *word, const char *const *words);

#endif /* PORTAGE_SUGGEST_H */
