/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMCTL_OPTIONS_H
#define VMCTL_OPTIONS_H

#include "accel/accel.h"
#include "dev/device.h"
#include "loader/loader.h"
#include "net/net.h"

#define NETS_MAX	4

/**
 * struct run_options - `vmctl run`, as the user wants it
 * @name:	for messages and --json; NULL none
 * @kernel:	path
 * @cmdline:	for the kernel
 * @console:	"stdio", "none" or "file:PATH"
 * @modules:	initrds or multiboot modules, in order
 * @nr_modules:	how many
 * @mem:	bytes of RAM
 * @ops:	the hypervisor
 * @paging:	how it maps memory
 * @devices:	extra devices, in order
 * @nr_devices:	how many
 * @nets: @nr_nets:	network devices, those with --net none left out
 * @without:	optimisations that are off, a mask of enum mhv_opt
 * @timeout:	seconds; 0 none
 * @stats:	print counters at the end
 * @json:	print the result as JSON
 * @debug_exit:	have the debug-exit port
 * @phases:	have the phase port
 * @measure:	have the module measure
 * @help:	the user asked for help; nothing else is set
 * @module_text: what @modules point into
 */
struct run_options {
	const char *name, *kernel, *cmdline, *console;
	const char *modules[MODULES_MAX];
	unsigned int nr_modules;
	u64 mem;
	const struct accel_ops *ops;
	enum accel_paging paging;
	struct device_option devices[DEVICES_MAX];
	unsigned int nr_devices;
	struct net_option nets[NETS_MAX];
	unsigned int nr_nets;
	u64 without;
	unsigned int timeout;
	bool stats, json, debug_exit, phases, measure, help;
	char *module_text[MODULES_MAX];
	unsigned int nr_module_text;
};

const struct accel_ops *accel_find(const char *name);
int paging_parse(const char *text, enum accel_paging *paging);
const char *paging_name(enum accel_paging paging);
int run_options_parse(struct run_options *opt, int argc, char **argv);
void run_options_free(struct run_options *opt);

#endif
