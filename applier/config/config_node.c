/*
 * config_node.c
 *		See config_node.h.
 *
 * libyaml's events become nodes.  An anchor is known once its node is complete,
 * so that no node can contain itself.  libyaml's messages never quote the text,
 * which may hold secrets.
 */
#include "config/config_node.h"

#include <string.h>

#include <yaml.h>

#define ANCHORS_MAX 1000

typedef struct Anchor
{
	const char *name;
	const ConfigNode *node;
} Anchor;

typedef struct NodeParser
{
	yaml_parser_t yaml;
	const Config *config;
	const char *text;
	size_t len;
	Arena *arena;
	int nodes;		 /* so far */
	size_t env_left; /* bytes that may still stand for ${NAME} */
	Anchor *anchors;
	int anchor_count;
} NodeParser;

static ConfigPlace
place_of(yaml_mark_t mark)
{
	return (ConfigPlace){ (int) mark.line + 1, (int) mark.column + 1 };
}

/* ---------------------------------------------------- errors of libyaml */

static bool
yaml_failed(const NodeParser *self, Error *err)
{
	const yaml_parser_t *yaml = &self->yaml;
	const char *problem = yaml->problem != NULL ? yaml->problem : "unreadable";
	ConfigPlace place = yaml->error == YAML_READER_ERROR
							? config_place_of_offset(self->text, self->len,
													 yaml->problem_offset)
							: place_of(yaml->problem_mark);

	if (yaml->context == NULL || yaml->error == YAML_READER_ERROR)
		config_error(self->config, place, err, "this is not YAML: %s", problem);
	else
		config_error(self->config, place, err,
					 "this is not YAML: %s (%s, begun in line %d)", problem,
					 yaml->context, (int) yaml->context_mark.line + 1);
	if (yaml->error != YAML_READER_ERROR)
		config_yaml_hint(self->text, self->len, place, problem, err);
	return false;
}

static bool
next_event(NodeParser *self, yaml_event_t *event, Error *err)
{
	return yaml_parser_parse(&self->yaml, event) || yaml_failed(self, err);
}

/* ---------------------------------------------------------------- nodes */

static bool
count_nodes(NodeParser *self, int more, ConfigPlace place, Error *err)
{
	self->nodes += more;
	return self->nodes <= CONFIG_NODES_MAX ||
		   config_error(self->config, place, err,
						"the configuration has more than %d values, those that "
						"aliases repeat among them",
						CONFIG_NODES_MAX);
}

static ConfigNode *
node_new(NodeParser *self, ConfigNodeKind kind, ConfigPlace place, Error *err)
{
	ConfigNode *node;

	if (!count_nodes(self, 1, place, err))
		return NULL;
	node = ARENA_NEW(self->arena, ConfigNode);
	node->kind = kind;
	node->place = place;
	node->weight = 1;
	return node;
}

static bool
remember_anchor(NodeParser *self, const char *name, const ConfigNode *node,
				Error *err)
{
	if (name == NULL)
		return true;
	if (self->anchor_count == ANCHORS_MAX)
		return config_error(self->config, node->place, err,
							"there are more than %d anchors (&name)",
							ANCHORS_MAX);
	if (self->anchors == NULL)
		self->anchors = ARENA_ARRAY(self->arena, Anchor, ANCHORS_MAX);
	self->anchors[self->anchor_count++] =
		(Anchor){ arena_strdup(self->arena, name), node };
	return true;
}

/* The latest of that name holds, as YAML says. */
static const ConfigNode *
take_alias(NodeParser *self, const yaml_event_t *event, Error *err)
{
	const char *name = (const char *) event->data.alias.anchor;
	ConfigPlace place = place_of(event->start_mark);

	for (int i = self->anchor_count - 1; i >= 0; i--)
	{
		const ConfigNode *node = self->anchors[i].node;

		if (strcmp(self->anchors[i].name, name) == 0)
			return count_nodes(self, node->weight, place, err) ? node : NULL;
	}
	config_error(self->config, place, err,
				 "there is no anchor &%s above this alias", name);
	error_hint(err, "put a value that begins with * in quotes");
	return NULL;
}

static bool
refuse_tag(NodeParser *self, const void *tag, ConfigPlace place, Error *err)
{
	if (tag == NULL)
		return true;
	config_error(self->config, place, err, "tags of YAML have no use here");
	return error_hint(err, "put a value that begins with ! in quotes");
}

static const ConfigNode *
take_text(NodeParser *self, const yaml_event_t *event, Error *err)
{
	const char *value = (const char *) event->data.scalar.value;
	size_t len = event->data.scalar.length;
	ConfigPlace place = place_of(event->start_mark);
	ConfigNode *node = node_new(self, NODE_TEXT, place, err);

	if (node == NULL || !refuse_tag(self, event->data.scalar.tag, place, err))
		return NULL;
	if (strlen(value) != len)
	{
		config_error(self->config, place, err, "text cannot hold \"\\0\"");
		return NULL;
	}
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->shown = arena_strndup(self->arena, value, len);
	if (!config_env_replace(self->config, place, node->shown, &self->env_left,
							self->arena, &node->text, &node->secret, err) ||
		!remember_anchor(self, (const char *) event->data.scalar.anchor, node,
						 err))
		return NULL;
	return node;
}

static const ConfigNode *
take_node(NodeParser *self, const yaml_event_t *event, int depth, Error *err);

static bool
fill_list(NodeParser *self, ConfigNode *node, int depth, Error *err)
{
	yaml_event_t event;
	const ConfigNode *item;

	for (;;)
	{
		if (!next_event(self, &event, err))
			return false;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			break;
		item = take_node(self, &event, depth + 1, err);
		yaml_event_delete(&event);
		if (item == NULL)
			return false;
		node->items = arena_room(self->arena, node->items, node->count,
								 sizeof(node->items[0]));
		node->items[node->count++] = item;
		node->weight += item->weight;
	}
	yaml_event_delete(&event);
	return true;
}

/* The key that an event brings, which is new in its map. */
static bool
take_key(NodeParser *self, const ConfigNode *map, const yaml_event_t *event,
		 ConfigPair *pair, Error *err)
{
	const Config *config = self->config;
	const char *value = (const char *) event->data.scalar.value;

	pair->place = place_of(event->start_mark);
	if (event->type != YAML_SCALAR_EVENT)
		return config_error(config, pair->place, err, "a key has to be text");
	if (!refuse_tag(self, event->data.scalar.tag, pair->place, err))
		return false;
	if (strlen(value) != event->data.scalar.length)
		return config_error(config, pair->place, err,
							"a key cannot hold \"\\0\"");
	if (event->data.scalar.anchor != NULL)
		return config_error(config, pair->place, err,
							"an anchor belongs to a value, not to a key");
	if (strcmp(value, "<<") == 0 &&
		event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return config_error(config, pair->place, err,
							"merge keys (<<) are not read: an alias stands for "
							"a whole value");
	for (int i = 0; i < map->count; i++)
	{
		if (strcmp(map->pairs[i].key, value) == 0)
			return config_error(config, pair->place, err,
								"the key \"%s\" is there twice, first in line "
								"%d",
								value, map->pairs[i].place.line);
	}
	pair->key = arena_strdup(self->arena, value);
	return map->count < CONFIG_KEYS_MAX ||
		   config_error(config, pair->place, err,
						"this map has more than %d keys", CONFIG_KEYS_MAX);
}

static bool
fill_map(NodeParser *self, ConfigNode *node, int depth, Error *err)
{
	yaml_event_t event;
	ConfigPair pair;
	bool ok;

	for (;;)
	{
		if (!next_event(self, &event, err))
			return false;
		if (event.type == YAML_MAPPING_END_EVENT)
			break;
		ok = take_key(self, node, &event, &pair, err);
		yaml_event_delete(&event);
		if (!ok || !next_event(self, &event, err))
			return false;
		pair.value = take_node(self, &event, depth + 1, err);
		yaml_event_delete(&event);
		if (pair.value == NULL)
			return false;
		node->pairs = arena_room(self->arena, node->pairs, node->count,
								 sizeof(node->pairs[0]));
		node->pairs[node->count++] = pair;
		node->weight += pair.value->weight;
	}
	yaml_event_delete(&event);
	return true;
}

static const ConfigNode *
take_collection(NodeParser *self, const yaml_event_t *event, int depth,
				Error *err)
{
	bool list = event->type == YAML_SEQUENCE_START_EVENT;
	const void *tag = list ? event->data.sequence_start.tag
						   : event->data.mapping_start.tag;
	const yaml_char_t *anchor = list ? event->data.sequence_start.anchor
									 : event->data.mapping_start.anchor;
	ConfigPlace place = place_of(event->start_mark);
	ConfigNode *node = node_new(self, list ? NODE_LIST : NODE_MAP, place, err);

	if (node == NULL || !refuse_tag(self, tag, place, err))
		return NULL;
	if (depth > CONFIG_DEPTH_MAX)
	{
		config_error(self->config, place, err,
					 "this is more than %d levels deep", CONFIG_DEPTH_MAX);
		return NULL;
	}
	node->flow =
		list ? event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
			 : event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	if (!(list ? fill_list(self, node, depth, err)
			   : fill_map(self, node, depth, err)) ||
		!remember_anchor(self, (const char *) anchor, node, err))
		return NULL;
	return node;
}

/* The node that begins with the event; NULL with an error. */
static const ConfigNode *
take_node(NodeParser *self, const yaml_event_t *event, int depth, Error *err)
{
	switch (event->type)
	{
		case YAML_SCALAR_EVENT:
			return take_text(self, event, err);
		case YAML_ALIAS_EVENT:
			return take_alias(self, event, err);
		default:
			return take_collection(self, event, depth, err);
	}
}

/* ------------------------------------------------------------ documents */

/* Skip what begins stream and document; *empty: there is no document. */
static bool
begin_document(NodeParser *self, bool *empty, Error *err)
{
	yaml_event_t event;
	bool begun = false;

	*empty = false;
	while (!begun && !*empty)
	{
		if (!next_event(self, &event, err))
			return false;
		begun = event.type == YAML_DOCUMENT_START_EVENT;
		*empty = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	return true;
}

static bool
end_document(NodeParser *self, Error *err)
{
	yaml_event_t event;
	ConfigPlace place;
	bool another;

	/* the document's end */
	if (!next_event(self, &event, err))
		return false;
	yaml_event_delete(&event);
	if (!next_event(self, &event, err))
		return false;
	another = event.type == YAML_DOCUMENT_START_EVENT;
	place = place_of(event.start_mark);
	yaml_event_delete(&event);
	return !another || config_error(self->config, place, err,
									"a second document begins here, and a "
									"configuration is one");
}

static bool
parse_document(NodeParser *self, const ConfigNode **root, Error *err)
{
	const ConfigPlace top = { 1, 1 };
	yaml_event_t event;
	bool empty;

	if (!begin_document(self, &empty, err))
		return false;
	if (empty)
		return config_error(self->config, top, err,
							"the configuration says nothing");
	if (!next_event(self, &event, err))
		return false;
	*root = take_node(self, &event, 1, err);
	yaml_event_delete(&event);
	if (*root == NULL || !end_document(self, err))
		return false;
	if (config_node_is_missing(*root))
		return config_error(self->config, top, err,
							"the configuration says nothing");
	return (*root)->kind == NODE_MAP ||
		   config_error(self->config, (*root)->place, err,
						"the configuration is %s, and has to be a map: lines "
						"of \"key: value\"",
						config_node_describe(*root));
}

bool
config_node_parse(const Config *config, const char *text, size_t len,
				  Arena *arena, const ConfigNode **root, Error *err)
{
	NodeParser self = { .config = config,
						.arena = arena,
						.env_left = CONFIG_BYTES_MAX };
	size_t mark = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
	bool ok;

	/* a mark of the byte order is no part of the first line */
	self.text = text + mark;
	self.len = len - mark;
	if (len > CONFIG_BYTES_MAX)
		return config_error(config, (ConfigPlace){ 0, 0 }, err,
							"the configuration is larger than %zu bytes",
							CONFIG_BYTES_MAX);
	if (!yaml_parser_initialize(&self.yaml))
		return config_error(config, (ConfigPlace){ 0, 0 }, err,
							"there is no memory to read it");
	yaml_parser_set_encoding(&self.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&self.yaml, (const unsigned char *) self.text,
								 self.len);
	ok = parse_document(&self, root, err);
	yaml_parser_delete(&self.yaml);
	return ok;
}

const char *
config_node_describe(const ConfigNode *node)
{
	if (config_node_is_missing(node))
		return "nothing";
	return node->kind == NODE_MAP	 ? "a map"
		   : node->kind == NODE_LIST ? "a list"
									 : "text";
}

bool
config_node_is_missing(const ConfigNode *node)
{
	return node->kind == NODE_TEXT && node->plain &&
		   (node->shown[0] == '\0' || strcmp(node->shown, "~") == 0);
}

bool
config_node_is_null(const ConfigNode *node)
{
	return config_node_is_missing(node) ||
		   (node->kind == NODE_TEXT && node->plain &&
			(strcmp(node->shown, "null") == 0 ||
			 strcmp(node->shown, "Null") == 0 ||
			 strcmp(node->shown, "NULL") == 0));
}
