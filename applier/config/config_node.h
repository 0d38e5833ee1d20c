/*
 * config_node.h
 *		The YAML of a configuration as a tree, with the place of every part.
 *
 * What YAML can do and nobody needs here is refused: tags, keys that are no text,
 * merge keys, several documents.  Sizes are bounded, and so is what aliases can
 * make of a small file: a node that is used again counts again.
 */
#ifndef PORTAGE_CONFIG_NODE_H
#define PORTAGE_CONFIG_NODE_H

#include "config/config.h"

/* Bytes of a file, and again of all that is put in for ${NAME}. */
#define CONFIG_BYTES_MAX ((size_t) 1024 * 1024)
#define CONFIG_NODES_MAX 100000
#define CONFIG_DEPTH_MAX 12
/* Of one map, which is searched from its beginning. */
#define CONFIG_KEYS_MAX 2000

typedef enum ConfigNodeKind
{
	NODE_TEXT,
	NODE_LIST,
	NODE_MAP
} ConfigNodeKind;

typedef struct ConfigNode ConfigNode;

typedef struct ConfigPair
{
	const char *key;
	ConfigPlace place;
	const ConfigNode *value;
} ConfigPair;

struct ConfigNode
{
	ConfigNodeKind kind;
	ConfigPlace place;
	int weight;	 /* how many nodes it is, itself among them */
	int count;	 /* of a list's items, or of a map's pairs */
	bool flow;	 /* LIST, MAP: in brackets or braces */
	bool plain;	 /* TEXT: without quotes */
	bool secret; /* TEXT: something stands for ${NAME} */
	const char *text;
	const char *shown; /* TEXT: as written */
	const ConfigNode **items;
	ConfigPair *pairs;
};

/*
 * The one document of the text, whose top is a map.  P_CONFIG; config is asked
 * for its path.  Nodes live in the arena.
 */
bool
config_node_parse(const Config *config, const char *text, size_t len,
				  Arena *arena, const ConfigNode **root, Error *err) MUST_CHECK;

/* "text", "a list", "a map", or "nothing". */
const char *config_node_describe(const ConfigNode *node);

/* Nothing stands behind the key, or "~"; or "null" without quotes. */
bool config_node_is_missing(const ConfigNode *node);
bool config_node_is_null(const ConfigNode *node);

/*
 * Put values in for ${NAME}; "$${" becomes "${".  *replaced says whether there was
 * any.  left: bytes that may still be put in, in all.
 */
bool
config_env_replace(const Config *config, ConfigPlace place, const char *written,
				   size_t *left, Arena *arena, const char **text,
				   bool *replaced, Error *err) MUST_CHECK;

/* ---- where something is not YAML: config_hint.c */

/* The place of the byte at the offset. */
ConfigPlace config_place_of_offset(const char *text, size_t len, size_t offset);

/* Add to the error what to do about libyaml's problem at the place. */
void config_yaml_hint(const char *text, size_t len, ConfigPlace place,
					  const char *problem, Error *err);

#endif /* PORTAGE_CONFIG_NODE_H */
