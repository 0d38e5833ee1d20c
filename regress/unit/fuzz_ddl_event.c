/*
 * fuzz_ddl_event.c
 *		libFuzzer target: messages of DDL triggers, of anything.
 *
 * What is given is the JSON; the HMAC in front of it is not what is tested.
 * Whatever comes, it is read or refused with P_PROTOCOL, and what was read has
 * all strings that it has to have.
 */
#include <stdlib.h>
#include <string.h>

#include "stream/ddl_event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD_SIZE 67

static size_t
read_tables(const DdlEvent *event)
{
	size_t sum = 0;

	for (int i = 0; i < event->table_count; i++)
	{
		const Shape *shape = &event->tables[i];

		sum += strlen(shape->schema) + strlen(shape->name);
		for (int c = 0; c < shape->column_count; c++)
		{
			const ShapeColumn *column = &shape->columns[c];

			if (column->num == 0)
				abort();
			sum += strlen(column->name) + strlen(column->type_schema) +
				   strlen(column->type_name);
			if (column->missing != NULL)
				sum += strlen(column->missing);
		}
	}
	return sum;
}

static size_t
read_event(const DdlEvent *event)
{
	size_t sum = strlen(event->tag) + read_tables(event);

	for (int i = 0; i < event->object_count; i++)
		sum += strlen(event->objects[i].type) +
			   strlen(event->objects[i].schema) +
			   strlen(event->objects[i].name) +
			   strlen(event->objects[i].identity);
	for (int i = 0; i < event->setting_count; i++)
		sum += strlen(event->settings[i].name) +
			   strlen(event->settings[i].value);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static volatile size_t sink __attribute__((unused));
	char *content = malloc(HEAD_SIZE + size);
	Message message = { .transactional = true };
	Error err = ERROR_INIT;
	DdlEvent event;
	Arena arena;

	memset(content, ' ', HEAD_SIZE);
	memcpy(content + HEAD_SIZE, data, size);
	message.content.data = content;
	message.content.len = HEAD_SIZE + size;
	arena_init(&arena);
	if (ddl_event_parse(&message, &arena, &event, &err))
		sink += read_event(&event);
	else if (err.code != P_PROTOCOL)
		abort();
	arena_release(&arena);
	free(content);
	return 0;
}
