// SPDX-License-Identifier: GPL-2.0-only
/*
 * What `vmctl run` prints at the end, --stats for people, --json for programs; and what it
 * tells `vmctl stat` meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "machine.h"
#include "phases.h"
#include "stats.h"

#define COUNTERS_OWN	8	/* of vmctl, among them */

/*
 * Counters belong together by the first word of their name.  Exits come first, for
 * stats_json(); what no prefix fits comes last.
 */
static const struct {
	const char *prefix, *title;
} groups[] = {
	{ "exit_", "exits by reason" },
	{ "pf_", "page faults by verdict" },
	{ "mmio_", "device memory by cache" },
	{ "route_", "device memory by route" },
	{ "decode_", "instructions decoded" },
	{ "shadow_", "shadow paging" },
	{ "net_", "network" },
	{ "", "counter" },
};

#define GROUP_EXITS	0

static unsigned int stats_group(const struct accel_counter *counter)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(groups) - 1; i++)
		if (!strncmp(counter->name, groups[i].prefix, strlen(groups[i].prefix)))
			break;
	return i;
}

static bool is_exit(const struct accel_counter *counter)
{
	return stats_group(counter) == GROUP_EXITS;
}

/* by group, then the largest first, then by name */
static int stats_compare(const void *a, const void *b)
{
	const struct accel_counter *x = a, *y = b;
	int order = (int)stats_group(x) - (int)stats_group(y);

	if (order)
		return order;
	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* what vmctl itself counts */
static void stats_add(struct stats *stats, const char *name, u64 value)
{
	struct accel_counter *counter = &stats->counter[stats->nr++];

	snprintf(counter->name, sizeof(counter->name), "%s", name);
	counter->value = value;
}

static void stats_add_nets(struct stats *stats, const struct machine *machine)
{
	struct net_counters sum = { 0 };
	unsigned int i;

	for (i = 0; i < machine->opt->nr_nets; i++)
		rtl8139_count(machine->nics[i], &sum);
	stats_add(stats, "net_sent", sum.sent);
	stats_add(stats, "net_sent_bytes", sum.sent_bytes);
	stats_add(stats, "net_received", sum.received);
	stats_add(stats, "net_received_bytes", sum.received_bytes);
	stats_add(stats, "net_dropped", sum.dropped);
}

/**
 * stats_collect - read all counters
 * @machine:	there is a vCPU; it may run
 * @stats:	out, not sorted
 */
void stats_collect(struct machine *machine, struct stats *stats)
{
	stats->nr = machine->ops->counters(machine->vcpu.accel, stats->counter,
					   COUNTERS_MAX - COUNTERS_OWN);
	stats_add(stats, "mmio_unclaimed_read", machine->mmio.bus.unclaimed[0]);
	stats_add(stats, "mmio_unclaimed_write", machine->mmio.bus.unclaimed[1]);
	stats_add_nets(stats, machine);
	/* in the guest, in the module and in the device model */
	stats_add(stats, "cpu_ns", clock_cpu());
}

/**
 * stats_sort - sort counters for people, and sum up the exits
 * @stats:	from stats_collect()
 */
void stats_sort(struct stats *stats)
{
	unsigned int i;

	qsort(stats->counter, stats->nr, sizeof(stats->counter[0]), stats_compare);
	stats->exits = 0;
	for (i = 0; i < stats->nr && is_exit(&stats->counter[i]); i++)
		stats->exits += stats->counter[i].value;
}

static double stats_percent(const struct stats *stats, u64 value)
{
	return stats->exits ? 100.0 * value / stats->exits : 0;
}

static void stats_text_one(const struct stats *stats, const struct accel_counter *c)
{
	if (is_exit(c))
		printf("%-32s %14llu %7.2f%%\n", c->name + strlen(groups[GROUP_EXITS].prefix),
		       c->value, stats_percent(stats, c->value));
	else
		printf("%-32s %14llu\n", c->name, c->value);
}

/* a title, and what is not zero; nothing if all is zero */
static void stats_text_group(const struct stats *stats, unsigned int group)
{
	const struct accel_counter *c;
	bool titled = false;
	unsigned int i;

	for (i = 0; i < stats->nr; i++) {
		c = &stats->counter[i];
		if (stats_group(c) != group || !c->value)
			continue;
		if (!titled)
			printf("%-32s %14s%s\n", groups[group].title, "count",
			       group == GROUP_EXITS ? "  percent" : "");
		titled = true;
		stats_text_one(stats, c);
	}
	if (titled && group != GROUP_EXITS)
		putchar('\n');
}

/**
 * stats_text - print counters for people; the exits end the output
 * @stats:	sorted
 */
void stats_text(const struct stats *stats)
{
	unsigned int group;

	for (group = ARRAY_SIZE(groups); group--;)
		stats_text_group(stats, group);
	printf("%-32s %14llu %7.2f%%\n", "total", stats->exits, stats->exits ? 100.0 : 0.0);
}

/**
 * stats_json - print counters for programs
 * @stats:	sorted
 * @json:	in the middle of an object
 */
void stats_json(const struct stats *stats, struct json *json)
{
	const struct accel_counter *c;
	unsigned int i;

	json_open(json, "exits", '[');
	for (i = 0; i < stats->nr && is_exit(&stats->counter[i]); i++) {
		c = &stats->counter[i];
		if (!c->value)
			break;
		json_open(json, NULL, '{');
		json_string(json, "reason", c->name + strlen(groups[GROUP_EXITS].prefix));
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

static double stats_seconds(const struct machine *machine)
{
	return (clock_now() - machine->started_at) / (double)NSEC_PER_SEC;
}

static void result_json(const struct machine *machine, const struct stats *stats)
{
	struct json json = { .out = stdout };

	json_open(&json, NULL, '{');
	json_string(&json, "name", machine->opt->name ? machine->opt->name : "");
	json_string(&json, "end", end_name(machine->end));
	json_u64(&json, "value", machine->end_value);
	json_u64(&json, "status", end_status(machine->end, machine->end_value));
	json_fixed(&json, "seconds", stats_seconds(machine), 3);
	if (machine->opt->stats)
		stats_json(stats, &json);
	if (machine->opt->phases)
		phases_json(&json);
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

	if (machine->opt->stats) {
		stats_collect(machine, &stats);
		stats_sort(&stats);
	}
	if (machine->opt->json)
		result_json(machine, &stats);
	else if (machine->opt->stats)
		stats_text(&stats);
}

/**
 * stats_answer - tell `vmctl stat` the counters: lines of a name and a number
 * @machine:	its lock is held
 * @argc: @argv:	the request
 * @out:	where the answer goes
 *
 * Return: 0.
 */
int stats_answer(struct machine *machine, int argc, char **argv, FILE *out)
{
	static struct stats stats;
	unsigned int i;

	stats_collect(machine, &stats);
	fprintf(out, "seconds %.3f\n", stats_seconds(machine));
	for (i = 0; i < stats.nr; i++)
		fprintf(out, "%s %llu\n", stats.counter[i].name, stats.counter[i].value);
	return 0;
}
