/*
 * change.c
 *		Lifetimes of frames and relations; halves of an UPDATE.
 */
#include "change.h"

#include "base/mem.h"

Frame *
frame_new(uint8_t *data, size_t len, void *handle,
		  void (*release_data)(void *handle))
{
	Frame *frame = mem_zalloc(sizeof(*frame));

	atomic_init(&frame->refs, 1);
	arena_init(&frame->arena);
	frame->data = data;
	frame->len = len;
	frame->handle = handle;
	frame->release_data = release_data;
	frame->bytes = sizeof(*frame) + len;
	return frame;
}

void
frame_retain(Frame *frame)
{
	atomic_fetch_add(&frame->refs, 1);
}

void
frame_release(Frame *frame)
{
	int i;

	if (frame == NULL || atomic_fetch_sub(&frame->refs, 1) != 1)
		return;
	for (i = 0; i < frame->relation_count; i++)
		relation_release(frame->relations[i]);
	arena_release(&frame->arena);
	if (frame->release_data != NULL)
		frame->release_data(frame->handle);
	mem_free(frame);
}

Relation *
relation_new(void)
{
	static atomic_uint_fast64_t serial;
	Relation *relation;
	Arena arena;

	/* the struct lies in its own arena */
	arena_init(&arena);
	relation = ARENA_NEW(&arena, Relation);
	relation->arena = arena;
	atomic_init(&relation->refs, 1);
	relation->serial = atomic_fetch_add(&serial, 1) + 1;
	return relation;
}

/* The count is the one thing in a relation that changes. */
void
relation_retain(const Relation *relation)
{
	atomic_fetch_add(&((Relation *) relation)->refs, 1);
}

void
relation_release(const Relation *relation)
{
	Relation *mutable = (Relation *) relation;
	Arena arena;

	if (relation == NULL || atomic_fetch_sub(&mutable->refs, 1) != 1)
		return;
	arena = mutable->arena;
	arena_release(&arena);
}

int
change_unchanged_column(const Change *change)
{
	for (int i = 0; i < change->relation->column_count; i++)
	{
		if (change->new_values[i].state == WIRE_COL_UNCHANGED)
			return i;
	}
	return -1;
}

const Change *
change_half(const Change *change, ChangeKind kind, Arena *arena)
{
	Change *half = ARENA_NEW(arena, Change);

	*half = *change;
	half->kind = kind;
	if (kind == CHANGE_INSERT)
	{
		half->old_kind = WIRE_OLD_NONE;
		half->old_values = NULL;
	}
	else
		half->new_values = NULL;
	return half;
}
