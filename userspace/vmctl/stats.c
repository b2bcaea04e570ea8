// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `vmctl run` prints at the end: --stats for people, --json for programs.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "machine.h"

#define COUNTERS_MAX	512
#define EXIT_PREFIX	"exit_"

struct stats {
	struct accel_counter counter[COUNTERS_MAX];
	unsigned int nr;
	u64 exits;	/* sum of those with the prefix */
};

static bool is_exit(const struct accel_counter *counter)
{
	return !strncmp(counter->name, EXIT_PREFIX, strlen(EXIT_PREFIX));
}

/* exits before others, then the largest first, then by name */
static int stats_compare(const void *a, const void *b)
{
	const struct accel_counter *x = a, *y = b;

	if (is_exit(x) != is_exit(y))
		return is_exit(y) - is_exit(x);
	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void stats_collect(struct machine *machine, struct stats *stats)
{
	unsigned int i;

	stats->nr = machine->ops->counters(machine->vcpu.accel, stats->counter,
					   COUNTERS_MAX);
	qsort(stats->counter, stats->nr, sizeof(stats->counter[0]), stats_compare);
	stats->exits = 0;
	for (i = 0; i < stats->nr; i++)
		if (is_exit(&stats->counter[i]))
			stats->exits += stats->counter[i].value;
}

static double stats_percent(const struct stats *stats, u64 value)
{
	return stats->exits ? 100.0 * value / stats->exits : 0;
}

/* counters other than exits first: the table of exits ends the output */
static void stats_text(const struct stats *stats)
{
	const struct accel_counter *c;
	unsigned int i;

	printf("%-32s %14s\n", "counter", "count");
	for (i = 0; i < stats->nr; i++) {
		c = &stats->counter[i];
		if (!is_exit(c) && c->value)
			printf("%-32s %14llu\n", c->name, c->value);
	}
	printf("\n%-32s %14s %8s\n", "exits by reason", "count", "percent");
	for (i = 0; i < stats->nr; i++) {
		c = &stats->counter[i];
		if (is_exit(c) && c->value)
			printf("%-32s %14llu %7.2f%%\n", c->name + strlen(EXIT_PREFIX),
			       c->value,
			       stats_percent(stats, c->value));
	}
	printf("%-32s %14llu %7.2f%%\n", "total", stats->exits,
	       stats->exits ? 100.0 : 0.0);
}

static void stats_json(const struct stats *stats, struct json *json)
{
	const struct accel_counter *c;
	unsigned int i;

	json_open(json, "exits", '[');
	for (i = 0; i < stats->nr && is_exit(&stats->counter[i]); i++) {
		c = &stats->counter[i];
		if (!c->value)
			break;
		json_open(json, NULL, '{');
		json_string(json, "reason", c->name + strlen(EXIT_PREFIX));
		json_u64(json, "count", c->value);
		json_fixed(json, "percent", stats_percent(stats, c->value), 2);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_open(json, "counters", '{');
	for (i = 0; i < stats->nr; i++)
		json_u64(json, stats->counter[i].name, stats->counter[i].value);
	json_close(json, '}');
}

static void result_json(const struct machine *machine, const struct stats *stats)
{
	struct json json = { .out = stdout };
	double seconds = (clock_now() - machine->started_at) / (double)NSEC_PER_SEC;

	json_open(&json, NULL, '{');
	json_string(&json, "name", machine->opt->name ? machine->opt->name : "");
	json_string(&json, "end", end_name(machine->end));
	json_u64(&json, "value", machine->end_value);
	json_u64(&json, "status", end_status(machine->end, machine->end_value));
	json_fixed(&json, "seconds", seconds, 3);
	if (machine->opt->stats)
		stats_json(stats, &json);
	json_close(&json, '}');
	putchar('\n');
}

/**
 * stats_print - print what the user asked for at the end
 * @machine:	has ended; its vCPU is still there
 */
void stats_print(struct machine *machine)
{
	static struct stats stats;

	if (machine->opt->stats)
		stats_collect(machine, &stats);
	if (machine->opt->json)
		result_json(machine, &stats);
	else if (machine->opt->stats)
		stats_text(&stats);
}
