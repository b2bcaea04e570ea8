/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arrays that grow, and words kept once.  This is a program that reads a file and ends: out
 * of memory it says so and ends at once.
 */
#ifndef VMCTL_TRACE_VEC_H
#define VMCTL_TRACE_VEC_H

#include "../types.h"

/**
 * struct vec - an array that grows
 * @at:		its elements
 * @nr:		how many there are
 * @room:	how many there is memory for
 */
struct vec {
	void *at;
	size_t nr, room;
};

void *vec_add(struct vec *vec, size_t size);
void vec_free(struct vec *vec);

/**
 * struct group - what belongs together by its name
 * @key:	the name
 * @count:	members
 * @order:	how many groups there were before it
 * @a: @b:	samples of the members, u64
 * @extra:	whatever the user of the groups counts
 */
struct group {
	char *key;
	u64 count;
	size_t order;
	struct vec a, b;
	u64 extra[16];
};

/**
 * struct groups - groups by name
 * @list:	struct group *, in the order in which they were found
 * @slots: @nr_slots:	hash table of them
 */
struct groups {
	struct vec list;
	struct group **slots;
	size_t nr_slots;
};

struct group *groups_get(struct groups *groups, const char *key);
struct group *groups_find(const struct groups *groups, const char *key);
void groups_sort(struct groups *groups, int (*order)(const void *a, const void *b));
void groups_free(struct groups *groups);

void samples_add(struct vec *samples, u64 value);
void samples_sort(struct vec *samples);
u64 samples_at(const struct vec *samples, unsigned int percent);
u64 samples_sum(const struct vec *samples);

#define vec_each(type, var, vec) \
	for (type *var = (vec)->at; var < (type *)(vec)->at + (vec)->nr; var++)

#define groups_each(var, groups) \
	for (struct group **var = (groups)->list.at; \
	     var < (struct group **)(groups)->list.at + (groups)->list.nr; var++)

#endif
