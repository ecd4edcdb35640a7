// SPDX-License-Identifier: GPL-2.0-or-later
#include "question_cache.h"

#include "bpf/abi.h"

/* Of 1,024 questions at once, spread by their hash, four in a thousand find a set full. */
#define WAYS 4
#define SETS DF_FOLD_SLOTS

struct entry {
	uint64_t hash;
	uint64_t used; /* the later, the more; 0: free */
	size_t length;
	uint8_t *bytes; /* most questions are a tenth of DF_QUESTION_MAX */
};

struct question_cache {
	uint64_t turn;
	struct entry sets[SETS][WAYS];
};

struct question_cache *question_cache_new(void)
{
	return calloc(1, sizeof(struct question_cache));
}

void question_cache_free(struct question_cache *cache)
{
	for (size_t i = 0; cache && i < SETS * WAYS; i++)
		free(cache->sets[i / WAYS][i % WAYS].bytes);
	free(cache);
}

/* The one of that hash, else the one to give up. */
static struct entry *entry_find(struct question_cache *cache, uint64_t hash)
{
	struct entry *set = cache->sets[hash % SETS], *oldest = &set[0];

	for (size_t way = 0; way < WAYS; way++) {
		if (set[way].used && set[way].hash == hash)
			return &set[way];
		if (set[way].used < oldest->used)
			oldest = &set[way];
	}
	return oldest;
}

void question_cache_put(struct question_cache *cache, uint64_t hash, const uint8_t *bytes,
			size_t length)
{
	struct entry *entry = entry_find(cache, hash);
	uint8_t *room = entry->bytes;

	if (!length || length > DF_QUESTION_MAX)
		return;
	if (length != entry->length)
		room = realloc(entry->bytes, length);
	if (!room)
		return;
	memcpy(room, bytes, length);
	*entry = (struct entry){hash, ++cache->turn, length, room};
}

const uint8_t *question_cache_get(struct question_cache *cache, uint64_t hash, size_t *ret_length)
{
	struct entry *entry = entry_find(cache, hash);

	if (!entry->used || entry->hash != hash)
		return NULL;
	entry->used = ++cache->turn;
	*ret_length = entry->length;
	return entry->bytes;
}
