// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../power.h"
#include "vec.h"

static void *vec_must(void *mem)
{
	if (mem)
		return mem;
	fputs("vmctl: trace: out of memory: the trace is too long for this machine\n", stderr);
	exit(STATUS_FAILED);
}

/**
 * vec_add - make room for one more
 * @vec:	zeroed at first
 * @size:	bytes of an element, always the same
 *
 * Return: the new element, zeroed; pointers to others are no longer good.
 */
void *vec_add(struct vec *vec, size_t size)
{
	void *new;

	if (vec->nr == vec->room) {
		vec->room = vec->room ? 2 * vec->room : 16;
		vec->at = vec_must(realloc(vec->at, vec->room * size));
	}
	new = (char *)vec->at + vec->nr++ * size;
	memset(new, 0, size);
	return new;
}

/**
 * vec_free - empty it
 * @vec:	the array
 */
void vec_free(struct vec *vec)
{
	free(vec->at);
	*vec = (struct vec){ };
}

/* ---- groups ----------------------------------------------------------------- */

/* FNV-1a */
static u64 hash_text(const char *text)
{
	u64 hash = 0xcbf29ce484222325ull;

	for (; *text; text++)
		hash = (hash ^ (u8)*text) * 0x100000001b3ull;
	return hash;
}

/* the slot of a key: its group's, or the free one where it would be */
static struct group **groups_slot(const struct groups *groups, const char *key)
{
	size_t i = hash_text(key) & (groups->nr_slots - 1);

	while (groups->slots[i] && strcmp(groups->slots[i]->key, key))
		i = (i + 1) & (groups->nr_slots - 1);
	return &groups->slots[i];
}

static void groups_grow(struct groups *groups)
{
	free(groups->slots);
	groups->nr_slots = groups->nr_slots ? 2 * groups->nr_slots : 64;
	groups->slots = vec_must(calloc(groups->nr_slots, sizeof(*groups->slots)));
	groups_each(g, groups)
		*groups_slot(groups, (*g)->key) = *g;
}

/**
 * groups_find - a group that is there
 * @groups:	where
 * @key:	its name
 *
 * Return: the group, or NULL.
 */
struct group *groups_find(const struct groups *groups, const char *key)
{
	return groups->nr_slots ? *groups_slot(groups, key) : NULL;
}

/**
 * groups_get - a group, made if need be
 * @groups:	zeroed at first
 * @key:	its name
 *
 * Return: the group, which stays where it is.
 */
struct group *groups_get(struct groups *groups, const char *key)
{
	struct group *group = groups_find(groups, key);

	if (group)
		return group;
	if (2 * groups->list.nr >= groups->nr_slots)
		groups_grow(groups);
	group = vec_must(calloc(1, sizeof(*group)));
	group->key = vec_must(strdup(key));
	group->order = groups->list.nr;
	*groups_slot(groups, key) = group;
	*(struct group **)vec_add(&groups->list, sizeof(group)) = group;
	return group;
}

/**
 * groups_sort - put them in order
 * @groups:	the groups
 * @order:	as for qsort(), of pointers to pointers to groups
 */
void groups_sort(struct groups *groups, int (*order)(const void *a, const void *b))
{
	if (groups->list.nr)
		qsort(groups->list.at, groups->list.nr, sizeof(struct group *), order);
}

/**
 * groups_free - forget them all
 * @groups:	the groups
 */
void groups_free(struct groups *groups)
{
	groups_each(g, groups) {
		vec_free(&(*g)->a);
		vec_free(&(*g)->b);
		free((*g)->key);
		free(*g);
	}
	vec_free(&groups->list);
	free(groups->slots);
	*groups = (struct groups){ };
}

/* ---- samples ---------------------------------------------------------------- */

/**
 * samples_add - one more
 * @samples:	zeroed at first
 * @value:	the sample
 */
void samples_add(struct vec *samples, u64 value)
{
	*(u64 *)vec_add(samples, sizeof(value)) = value;
}

static int samples_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/**
 * samples_sort - for samples_at()
 * @samples:	the samples
 */
void samples_sort(struct vec *samples)
{
	if (samples->nr)
		qsort(samples->at, samples->nr, sizeof(u64), samples_compare);
}

/**
 * samples_at - a percentile, by nearest rank
 * @samples:	sorted, at least one
 * @percent:	1 to 100
 *
 * Return: the smallest sample that @percent of them do not exceed.
 */
u64 samples_at(const struct vec *samples, unsigned int percent)
{
	return ((u64 *)samples->at)[(samples->nr * percent + 99) / 100 - 1];
}

/**
 * samples_sum - all of them together
 * @samples:	the samples
 *
 * Return: their sum.
 */
u64 samples_sum(const struct vec *samples)
{
	u64 sum = 0;

	vec_each(u64, s, samples)
		sum += *s;
	return sum;
}
