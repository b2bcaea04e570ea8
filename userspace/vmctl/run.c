// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl run: boot a guest and stay until it ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "msg.h"
#include "stats.h"
#include "verbs.h"

static const char usage[] =
	"usage: vmctl run --kernel FILE [OPTION...]\n"
	"\n"
	"  --kernel FILE          bzImage (vmlinuz), ELF with a PVH entry (vmlinux) or\n"
	"                         multiboot kernel\n"
	"  --initrd FILE[,FILE]   initial RAM disks or multiboot modules; may be repeated\n"
	"  --append TEXT          the kernel's command line\n"
	"  --mem SIZE             guest memory, for example 512M or 2G (default 256M)\n"
	"  --paging MODE          ept, shadow, shadow,gnp or auto (default auto)\n"
	"  --accel NAME           the hypervisor: mhv (default) or kvm\n"
	"  --console WHERE        serial port: stdio, none or file:PATH (default stdio)\n"
	"  --device NAME[,addr=A] add a device: testdev; may be repeated\n"
	"  --net WHAT[,SET...]    add a network device: WHAT is user, tap=INTERFACE or none;\n"
	"                         SET is mac=ADDRESS, pcap=FILE, model=8139c+|8139c, and with\n"
	"                         user hostfwd=tcp:[HOST]:PORT-[GUEST]:PORT; may be repeated\n"
	"  --timeout SECONDS      end the guest after this time\n"
	"  --debug-exit           have a port 0xf4 whose value ends the guest\n"
	"  --without NAME[,NAME]  switch optimisations off, of device memory: vcpu-cache,\n"
	"                         mmio-spte, decode-cache, regfile, posted, eventfd; of shadow\n"
	"                         paging: unsync, prefetch\n"
	"  --stats                print counters and exits by reason at the end\n"
	"  --json                 print the result, and --stats, as JSON on the last line\n"
	"  --phases               have a port 0xf5: what all counters are when the guest writes\n"
	"                         a number there is told by --json\n"
	"  --measure              count the ticks spent in the guest; it then runs slower\n"
	"  --name NAME            name the guest in messages, and for other vmctl verbs\n"
	"\n"
	"On a terminal, Ctrl-a x quits and Ctrl-a h lists the keys.\n"
	"\n"
	"exit status: 0 powered off, 1 vmctl failed, 2 usage, 32 reset, 33 triple fault\n"
	"or entry failure, 34 guest panic, 124 time-out, 128+N signal N; with --debug-exit\n"
	"0 for the value 0, else 64 | (value & 63)\n";

/* the ends that a user may not have expected; others have had their message */
static void run_say_end(const struct machine *machine)
{
	switch (machine->end) {
	case END_RESET:
		note("the guest reset the machine");
		break;
	case END_PANIC:
		note("the guest panicked");
		break;
	case END_TIMEOUT:
		note("timed out after %u s", machine->opt->timeout);
		break;
	case END_SIGNAL:
		note("ended by signal %u (%s)", machine->end_value,
		     strsignal(machine->end_value));
		break;
	default:
		break;
	}
}

static int run_machine(const struct run_options *opt)
{
	static struct machine machine;
	int status = STATUS_FAILED;

	if (!machine_create(&machine, opt, opt->ops) && !machine_run(&machine)) {
		status = end_status(machine.end, machine.end_value);
		run_say_end(&machine);
		stats_print(&machine);
	}
	machine_destroy(&machine);
	if (fflush(stdout) || ferror(stdout)) {
		fail("cannot write to standard output");
		return STATUS_FAILED;
	}
	return status;
}

/**
 * verb_run - vmctl run
 * @argc:	words
 * @argv:	words, the first is "run"
 *
 * Return: exit status.
 */
int verb_run(int argc, char **argv)
{
	struct run_options opt;
	int status;

	if (run_options_parse(&opt, argc, argv)) {
		status = STATUS_USAGE;
	} else if (opt.help) {
		fputs(usage, stdout);
		status = STATUS_OK;
	} else {
		msg_set_name(opt.name);
		status = run_machine(&opt);
	}
	run_options_free(&opt);
	return status;
}
