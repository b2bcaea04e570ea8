/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happened, put together from the events of a trace: an exit of the guest with the
 * faults, accesses and the time in the device model that belong to it.
 *
 * Times are in units of the trace's clock.
 */
#ifndef VMCTL_TRACE_STORY_H
#define VMCTL_TRACE_STORY_H

#include "input.h"
#include "map.h"
#include "vec.h"

#define NO_EXIT		UINT32_MAX

/**
 * struct story_exit - from leaving the guest to entering it again
 * @ts:		when it left
 * @total:	how long it was away
 * @device:	time of that in which the device model answered requests
 * @rip: @cr3: @reason: @vcpu:	of the guest
 * @whole:	seen from end to end: times are good
 */
struct story_exit {
	u64 ts, total, device, rip, cr3;
	u32 reason, vcpu;
	bool whole;
};

/* a fault, by its verdict; @exit is an index, or NO_EXIT */
struct story_fault {
	u64 ts, gpa, gva;
	u32 exit, verdict;
	bool write, gva_valid;
};

/**
 * struct story_access - an access to a device
 * @ts:		when
 * @addr: @data:	port or gpa, and value
 * @size:	bytes, of all elements
 * @exit:	index, or NO_EXIT
 * @route: @verdict:	who answered, and who knew it (MMIO)
 * @module: @device:	its share of the exit's time; with @timed
 * @mmio: @write:	which way
 * @name: @dev:	register, and device or NULL; kept in the story
 */
struct story_access {
	u64 ts, addr, data, module, device;
	u32 size, exit, route, verdict;
	bool mmio, write, timed;
	const char *name, *dev;
};

/* a string transfer; @bytes are its data, in the order of the transfer */
struct story_string {
	u64 ts, addr;
	u32 size, count;
	bool mmio, write, down;
	struct vec bytes;
	const char *name;
};

/* what a shadow root held as the guest left it: @held in the order of enum root_held */
enum root_held {
	ROOT_TABLES, ROOT_PRESENT, ROOT_ACCESSED, ROOT_DIRTY, ROOT_MMIO, ROOT_GNP, ROOT_HELD,
};

struct story_root {
	u64 cr3;
	u64 held[ROOT_HELD];
};

struct story_packet {
	u64 ts;
	u32 len;
	bool tx;
};

/**
 * struct story - all of it
 * @file:	of the trace
 * @input:	the trace, for its words
 * @exits: @faults: @accesses: @strings: @packets: @roots:	in the order of time
 * @map:	devices
 * @names:	words kept
 * @counters:	of the module as marks told them, summed over vCPUs (extra[0])
 * @events:	of the trace, by kind
 * @by_what:	what the module's counters should say, by their names (count)
 * @vcpus:	struct story_vcpu
 * @first: @last:	times of the first and the last event
 * @lost:	events lost; @lost_some: and some more, the trace does not know how many
 * @vms: @ended:	VMs that began, that ended
 * @tsc_khz: @clock:	as a mark told; 0, "": no mark did
 */
struct story {
	const char *file;
	struct input *input;
	struct vec exits, faults, accesses, strings, packets, roots, vcpus;
	struct map map;
	struct groups names, counters, by_what;
	u64 events[EV_COUNT];
	u64 first, last;
	u64 lost, told_lost, lost_some;
	unsigned int vms, ended;
	u64 tsc_khz;
	char clock[32];
};

int story_read(struct story *story, const char *file);
void story_free(struct story *story);
const char *story_reason(const struct story *story, u32 reason, char text[24]);
const char *story_verdict(const struct story *story, u32 verdict);
const char *story_route(const struct story *story, u32 route);
const char *story_cache(const struct story *story, u32 verdict);
const char *story_unit(const struct story *story);
double story_rate(const struct story *story);
bool story_has_vm(const struct story *story);

#endif
