/*
 * kept_spill.c
 *		See kept_spill.h.
 *
 * A record is its four lengths and their bytes.  What is in memory is the end of
 * what the file has the beginning of.
 */
#include "rules/kept_spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/mem.h"

/* rows of one call */
#define BATCH_ROWS 500
#define BATCH_BYTES ((size_t) 1024 * 1024)

enum
{
	PART_AREA,
	PART_HASH,
	PART_KEY,
	PART_BODY,
	PARTS
};

struct KeptSpill
{
	size_t spill_bytes;
	Buffer buffer;
	int fd; /* -1: none is needed yet */
	uint64_t file_bytes;
	bool reading;
	uint64_t position; /* read so far, of file and buffer together */
	Arena arena;	   /* of the rows that were given last */
	KeptRow rows[BATCH_ROWS];
};

KeptSpill *
kept_spill_open(size_t spill_bytes)
{
	KeptSpill *spill = mem_zalloc(sizeof(*spill));

	spill->spill_bytes = spill_bytes;
	spill->fd = -1;
	buffer_init(&spill->buffer);
	arena_init(&spill->arena);
	return spill;
}

void
kept_spill_close(KeptSpill *spill)
{
	if (spill == NULL)
		return;
	if (spill->fd >= 0)
		close(spill->fd);
	buffer_release(&spill->buffer);
	arena_release(&spill->arena);
	mem_free(spill);
}

static bool
file_failed(const char *what, Error *err)
{
	error_set(err, P_COPY, "cannot %s a temporary file: %s", what,
			  strerror(errno));
	return error_hint(err,
					  "Keys of rows that rules leave out, rows that they put"
					  " aside, and keys of counters need room in the"
					  " directory that TMPDIR names, or in /tmp.");
}

static bool
file_open(KeptSpill *spill, Error *err)
{
	const char *directory = getenv("TMPDIR");
	Buffer path;

	if (spill->fd >= 0)
		return true;
	if (directory == NULL || directory[0] == '\0')
		directory = "/tmp";
	buffer_init(&path);
	buffer_printf(&path, "%s/pg_portage.XXXXXX", directory);
	spill->fd = mkostemp(path.data, O_CLOEXEC);
	if (spill->fd >= 0)
		(void) unlink(path.data);
	buffer_release(&path);
	return spill->fd >= 0 || file_failed("create", err);
}

static bool
spill_out(KeptSpill *spill, Error *err)
{
	size_t done = 0;

	if (!file_open(spill, err))
		return false;
	while (done < spill->buffer.len)
	{
		ssize_t written = write(spill->fd, spill->buffer.data + done,
								spill->buffer.len - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return file_failed("write", err);
		done += (size_t) written;
	}
	spill->file_bytes += spill->buffer.len;
	buffer_reset(&spill->buffer);
	return true;
}

bool
kept_spill_add(KeptSpill *spill, const KeptRow *row, Error *err)
{
	const Slice parts[PARTS] = { slice_of(row->area), slice_of(row->key_hash),
								 row->key, row->body };

	BUG_UNLESS(!spill->reading);
	for (int i = 0; i < PARTS; i++)
	{
		uint32_t len = (uint32_t) parts[i].len;

		buffer_append(&spill->buffer, &len, sizeof(len));
	}
	for (int i = 0; i < PARTS; i++)
		buffer_append(&spill->buffer, parts[i].data, parts[i].len);
	return spill->buffer.len <= spill->spill_bytes || spill_out(spill, err);
}

/* ---- reading */

static bool
read_file(KeptSpill *spill, char *to, size_t len, Error *err)
{
	while (len > 0)
	{
		ssize_t got = pread(spill->fd, to, len, (off_t) spill->position);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO;
		if (got <= 0)
			return file_failed("read", err);
		spill->position += (uint64_t) got;
		to += got;
		len -= (size_t) got;
	}
	return true;
}

/* No record lies in both, since it is written out as a whole. */
static bool
read_bytes(KeptSpill *spill, void *to, size_t len, Error *err)
{
	if (spill->position < spill->file_bytes)
		return read_file(spill, to, len, err);
	if (len > 0)
		memcpy(to, spill->buffer.data + (spill->position - spill->file_bytes),
			   len);
	spill->position += len;
	return true;
}

static bool
read_row(KeptSpill *spill, KeptRow *row, Error *err)
{
	uint32_t lens[PARTS];
	char *parts[PARTS];

	if (!read_bytes(spill, lens, sizeof(lens), err))
		return false;
	for (int i = 0; i < PARTS; i++)
	{
		parts[i] = arena_alloc(&spill->arena, (size_t) lens[i] + 1);
		parts[i][lens[i]] = '\0';
		if (!read_bytes(spill, parts[i], lens[i], err))
			return false;
	}
	row->area = parts[PART_AREA];
	row->key_hash = parts[PART_HASH];
	row->key = (Slice){ parts[PART_KEY], lens[PART_KEY] };
	row->body = (Slice){ parts[PART_BODY], lens[PART_BODY] };
	return true;
}

bool
kept_spill_next(KeptSpill *spill, KeptRow **rows, int *count, Error *err)
{
	uint64_t end = spill->file_bytes + spill->buffer.len;

	spill->reading = true;
	arena_reset(&spill->arena);
	*rows = spill->rows;
	*count = 0;
	while (*count < BATCH_ROWS && spill->position < end &&
		   spill->arena.used_bytes < BATCH_BYTES)
	{
		if (!read_row(spill, &spill->rows[*count], err))
			return false;
		(*count)++;
	}
	return true;
}
