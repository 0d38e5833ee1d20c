/*
 * test_markers.c
 *		Markers on their way, arrived, taken; their nonces.
 */
#include "stream/history.h"
#include "stream/markers.h"
#include "tap.h"

static void
test_overdue(void)
{
	Markers *markers = markers_new();
	char first[NONCE_SIZE];
	char second[NONCE_SIZE];
	int64_t age_ms;

	marker_nonce("secret", first);
	marker_nonce("secret", second);
	ok(!markers_overdue(markers, 100, &age_ms), "none is none");
	markers_add(markers, first);
	ok(!markers_overdue(markers, 100, &age_ms), "not emitted yet");
	markers_emitted(markers, first, 50);
	ok(!markers_overdue(markers, 50, &age_ms), "not sent yet");
	ok(markers_overdue(markers, 51, &age_ms) && age_ms >= 0,
	   "what lies behind it was sent");
	markers_arrived(markers, first);
	ok(!markers_overdue(markers, 51, &age_ms),
	   "it is not overdue while it waits in the queue");
	markers_add(markers, second);
	markers_emitted(markers, second, 60);
	ok(markers_overdue(markers, 61, &age_ms), "the next one is");
	ok(markers_take(markers, first, &age_ms), "the writer comes to it");
	ok(!markers_take(markers, first, &age_ms), "once");
	ok(markers_take(markers, second, &age_ms), "and to the next");
	ok(!markers_overdue(markers, 100, &age_ms), "none is left");
	markers_free(markers);
}

static void
test_order(void)
{
	Markers *markers = markers_new();
	char nonces[3][NONCE_SIZE];
	int64_t age_ms;

	for (int i = 0; i < 3; i++)
	{
		marker_nonce("secret", nonces[i]);
		markers_add(markers, nonces[i]);
	}
	ok(markers_take(markers, nonces[1], &age_ms), "the second comes first");
	ok(!markers_take(markers, nonces[0], &age_ms), "the one before is gone");
	ok(markers_take(markers, nonces[2], &age_ms), "the one behind is not");
	for (int i = 0; i < 20000; i++)
	{
		marker_nonce("secret", nonces[i % 2]);
		markers_add(markers, nonces[i % 2]);
	}
	ok(markers_take(markers, nonces[1], &age_ms),
	   "the newest is known when there were too many");
	markers_free(markers);
}

static void
test_nonces(void)
{
	char nonce[NONCE_SIZE];
	char other[NONCE_SIZE];

	marker_nonce("secret", nonce);
	is_int(strlen(nonce), NONCE_SIZE - 1, "length of a nonce");
	ok(marker_is_of_stream("secret", nonce), "of this stream");
	ok(!marker_is_of_stream("another", nonce), "not of another one");
	memcpy(other, nonce, sizeof(other));
	other[0] = other[0] == '0' ? '1' : '0';
	ok(!marker_is_of_stream("secret", other), "not with a changed digit");
	marker_nonce("secret", other);
	ok(strcmp(nonce, other) != 0, "no two are alike");
}

static void
test_messages(void)
{
	char text[NONCE_SIZE];
	char nonce[NONCE_SIZE];
	Message message = { .transactional = true };

	marker_nonce("secret", text);
	message.prefix = slice_of("portage.marker");
	message.content = slice_of(text);
	ok(message_is_marker(&message, nonce) && strcmp(nonce, text) == 0,
	   "a marker");
	message.content.len--;
	ok(!message_is_marker(&message, nonce), "too short");
	message.content.len++;
	message.prefix = slice_of("portage.markers");
	ok(!message_is_marker(&message, nonce), "another prefix");
	message.prefix = slice_of("portage.marker");
	message.transactional = false;
	ok(!message_is_marker(&message, nonce), "not transactional");
}

int
main(void)
{
	test_overdue();
	test_order();
	test_nonces();
	test_messages();
	return done_testing();
}
