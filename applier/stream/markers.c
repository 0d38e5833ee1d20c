/*
 * markers.c
 *		A ring of nonces under a mutex.
 *
 * Behind a long backlog thousands of markers are on their way, and each of them
 * is to become an anchor, so the ring is large; they come back in the order in
 * which they were emitted, so the search begins at the oldest.
 */
#include "stream/markers.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"

#define RING_SIZE 16384

typedef struct Marker
{
	char nonce[NONCE_SIZE];
	Lsn lsn; /* LSN_NONE: not emitted yet */
	int64_t added_ms;
	bool arrived; /* the reader has it */
} Marker;

struct Markers
{
	pthread_mutex_t mutex;
	Marker ring[RING_SIZE];
	unsigned head;
	unsigned count;
};

Markers *
markers_new(void)
{
	Markers *markers = mem_zalloc(sizeof(*markers));

	pthread_mutex_init(&markers->mutex, NULL);
	return markers;
}

void
markers_free(Markers *markers)
{
	if (markers == NULL)
		return;
	pthread_mutex_destroy(&markers->mutex);
	mem_free(markers);
}

static Marker *
marker_at(Markers *markers, unsigned i)
{
	return &markers->ring[(markers->head + i) % RING_SIZE];
}

void
markers_add(Markers *markers, const char nonce[NONCE_SIZE])
{
	Marker *marker;

	pthread_mutex_lock(&markers->mutex);
	if (markers->count == RING_SIZE)
	{
		markers->head = (markers->head + 1) % RING_SIZE;
		markers->count--;
	}
	marker = marker_at(markers, markers->count++);
	memcpy(marker->nonce, nonce, NONCE_SIZE);
	marker->lsn = LSN_NONE;
	marker->arrived = false;
	marker->added_ms = clock_ms();
	pthread_mutex_unlock(&markers->mutex);
}

/* Index of a nonce, or count. */
static unsigned
find_nonce(Markers *markers, const char *nonce)
{
	unsigned i;

	for (i = 0; i < markers->count; i++)
	{
		if (strcmp(marker_at(markers, i)->nonce, nonce) == 0)
			break;
	}
	return i;
}

void
markers_emitted(Markers *markers, const char nonce[NONCE_SIZE], Lsn lsn)
{
	unsigned i;

	pthread_mutex_lock(&markers->mutex);
	i = find_nonce(markers, nonce);
	if (i < markers->count)
		marker_at(markers, i)->lsn = lsn;
	pthread_mutex_unlock(&markers->mutex);
}

void
markers_arrived(Markers *markers, const char nonce[NONCE_SIZE])
{
	unsigned i;

	pthread_mutex_lock(&markers->mutex);
	i = find_nonce(markers, nonce);
	if (i < markers->count)
		marker_at(markers, i)->arrived = true;
	pthread_mutex_unlock(&markers->mutex);
}

bool
markers_take(Markers *markers, const char nonce[NONCE_SIZE], int64_t *age_ms)
{
	unsigned i;
	bool known;

	pthread_mutex_lock(&markers->mutex);
	i = find_nonce(markers, nonce);
	known = i < markers->count;
	if (known)
	{
		*age_ms = clock_ms() - marker_at(markers, i)->added_ms;
		/* those before it can only have been lost, and do not matter now */
		markers->head = (markers->head + i + 1) % RING_SIZE;
		markers->count -= i + 1;
	}
	pthread_mutex_unlock(&markers->mutex);
	return known;
}

bool
markers_overdue(Markers *markers, Lsn wal_end, int64_t *age_ms)
{
	const Marker *oldest;
	bool found;
	unsigned i = 0;

	pthread_mutex_lock(&markers->mutex);
	while (i < markers->count && marker_at(markers, i)->arrived)
		i++;
	oldest = marker_at(markers, i);
	found = i < markers->count && oldest->lsn != LSN_NONE &&
			oldest->lsn < wal_end;
	if (found)
		*age_ms = clock_ms() - oldest->added_ms;
	pthread_mutex_unlock(&markers->mutex);
	return found;
}
