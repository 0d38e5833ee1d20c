/*
 * display.c
 *		See display.h.
 *
 * Everything that changes the screen is put together in one buffer and leaves
 * with one write, so that the foot does not flicker and no other output can
 * come between.
 */
#include "base/display.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buffer.h"

#define FOOT_MAX 8192

static struct
{
	atomic_bool active;
	pthread_mutex_t lock;
	char foot[FOOT_MAX]; /* as it is on the screen */
	int lines;
} display = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
display_init(bool wanted)
{
	const char *terminal = getenv("TERM");

	atomic_store(&display.active, wanted && isatty(STDERR_FILENO) == 1 &&
									  terminal != NULL &&
									  strcmp(terminal, "dumb") != 0);
}

bool
display_active(void)
{
	return atomic_load(&display.active);
}

static void
write_out(const char *data, size_t len)
{
	while (len > 0)
	{
		ssize_t written = write(STDERR_FILENO, data, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return; /* there is nobody to tell */
		data += written;
		len -= (size_t) written;
	}
}

/* As much of the text as fits: *lines of it, each cut at the width. */
static void
foot_fit(const char *text, char *foot, int *lines)
{
	struct winsize size;
	size_t width = 80;
	size_t len = 0;
	int height = 24;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
	{
		width = size.ws_col;
		height = size.ws_row > 1 ? size.ws_row : 2;
	}
	*lines = 0;
	while (*text != '\0' && *lines < height - 1)
	{
		size_t line = strcspn(text, "\n");
		size_t shown = line < width ? line : width - 1;

		/* not in the middle of a character of UTF-8 */
		while (shown < line && shown > 0 && (text[shown] & 0xC0) == 0x80)
			shown--;
		if (len + shown + 2 > FOOT_MAX)
			break;
		for (size_t i = 0; i < shown; i++)
			foot[len++] = iscntrl((unsigned char) text[i]) ? '?' : text[i];
		foot[len++] = '\n';
		(*lines)++;
		text += line + (text[line] == '\n');
	}
	foot[len] = '\0';
}

/* Up to the foot's first line, and clear from there. */
static void
put_erase(Buffer *out)
{
	if (display.lines > 0)
		buffer_printf(out, "\033[%dA\r\033[J", display.lines);
}

void
display_set(const char *text)
{
	Buffer out;

	if (!display_active())
		return;
	buffer_init(&out);
	pthread_mutex_lock(&display.lock);
	put_erase(&out);
	foot_fit(text, display.foot, &display.lines);
	buffer_puts(&out, display.foot);
	write_out(out.data, out.len);
	pthread_mutex_unlock(&display.lock);
	buffer_release(&out);
}

void
display_print(const char *data, size_t len)
{
	Buffer out;

	if (!display_active())
	{
		write_out(data, len);
		return;
	}
	buffer_init(&out);
	pthread_mutex_lock(&display.lock);
	put_erase(&out);
	buffer_append(&out, data, len);
	buffer_puts(&out, display.foot);
	write_out(out.data, out.len);
	pthread_mutex_unlock(&display.lock);
	buffer_release(&out);
}
