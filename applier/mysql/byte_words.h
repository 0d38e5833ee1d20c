/*
 * byte_words.h
 *		Eight bytes looked at together, where bytes of interest are rare.
 *
 * Each says whether one of the eight is among them, not which.
 */
#ifndef PORTAGE_BYTE_WORDS_H
#define PORTAGE_BYTE_WORDS_H

#include <stdint.h>
#include <string.h>

#define WORD_ONES UINT64_C(0x0101010101010101)
#define WORD_HIGHS UINT64_C(0x8080808080808080)

static inline uint64_t
word_load(const char *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	return word;
}

/* Bytes of 128 and more. */
static inline uint64_t
word_has_high(uint64_t word)
{
	return word & WORD_HIGHS;
}

/* Bytes below limit, which is 128 at most. */
static inline uint64_t
word_has_less(uint64_t word, unsigned char limit)
{
	return (word - WORD_ONES * limit) & ~word & WORD_HIGHS;
}

static inline uint64_t
word_has_byte(uint64_t word, unsigned char byte)
{
	return word_has_less(word ^ (WORD_ONES * byte), 1);
}

#endif /* PORTAGE_BYTE_WORDS_H */
