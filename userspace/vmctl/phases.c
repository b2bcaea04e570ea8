// SPDX-License-Identifier: GPL-2.0-only
/*
 * The phase port: a guest says when a part of its work is done, and what all counters are
 * at that moment is kept for `vmctl run --json`.
 */
#include <time.h>

#include "clock.h"
#include "machine.h"
#include "phases.h"
#include "stats.h"

/**
 * struct phase - the end of a part of the work
 * @number:	as the guest has written it
 * @cpu_ns:	CPU time of all of vmctl's threads, the guest's included, since it was loaded
 * @stats:	all counters, since the beginning
 */
struct phase {
	u8 number;
	u64 cpu_ns;
	struct stats stats;
};

static struct phase phases[PHASES_MAX];
static unsigned int nr_phases;
static u64 loaded_ns;

static u64 phase_cpu_ns(void)
{
	struct timespec used = { 0 };

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return used.tv_sec * NSEC_PER_SEC + used.tv_nsec;
}

static u64 phase_read(void *machine, u64 off, unsigned int size)
{
	return 0;
}

static void phase_write(void *machine, u64 off, u64 val, unsigned int size)
{
	struct phase *phase = &phases[nr_phases];

	if (nr_phases == PHASES_MAX)
		return;
	nr_phases++;
	phase->number = val;
	phase->cpu_ns = phase_cpu_ns() - loaded_ns;
	stats_collect(machine, &phase->stats);
}

static const struct bus_ops phase_ops = { phase_read, phase_write, 1, "phases" };

/**
 * phases_init - put the port on the bus
 * @machine:	whose counters are kept; its guest has been loaded
 *
 * Return: 0, or -1 when the port is taken.
 */
int phases_init(struct machine *machine)
{
	nr_phases = 0;
	loaded_ns = phase_cpu_ns();
	return bus_add(&machine->ports, PHASE_PORT, 1, &phase_ops, machine);
}

/**
 * phases_json - print them
 * @json:	in the middle of an object
 */
void phases_json(struct json *json)
{
	const struct accel_counter *counter;
	const struct phase *phase;
	unsigned int i;

	json_open(json, "phases", '[');
	for (phase = phases; phase < phases + nr_phases; phase++) {
		json_open(json, NULL, '{');
		json_u64(json, "phase", phase->number);
		json_u64(json, "cpu_ns", phase->cpu_ns);
		json_open(json, "counters", '{');
		for (i = 0; i < phase->stats.nr; i++) {
			counter = &phase->stats.counter[i];
			json_u64(json, counter->name, counter->value);
		}
		json_close(json, '}');
		json_close(json, '}');
	}
	json_close(json, ']');
}
