// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl check: what this host offers, and why something is missing.
 */
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "accel/accel.h"
#include "json.h"
#include "msg.h"
#include "power.h"
#include "verbs.h"

static const char usage[] =
	"usage: vmctl check [--json]\n"
	"\n"
	"Says whether this host can run guests, and what mhv can use here.\n"
	"exit status: 0 guests can run, 1 they cannot, 2 usage\n";

/* each feature, what it is for, and what its absence means */
static const struct {
	const char *name, *use, *missing;
} features[MHV_FEAT_COUNT] = {
	[MHV_FEAT_VMX] = { "vmx", "hardware virtualisation",
		"the CPU has no VMX, or firmware keeps it off" },
	[MHV_FEAT_EPT] = { "ept", "paging in two dimensions",
		"the CPU does not have it: guests need --paging shadow" },
	[MHV_FEAT_EPT_2M] = { "ept-2m", "2 MiB mappings",
		"the CPU does not have them: memory is mapped in smaller pages" },
	[MHV_FEAT_EPT_1G] = { "ept-1g", "1 GiB mappings",
		"the CPU does not have them: memory is mapped in smaller pages" },
	[MHV_FEAT_EPT_AD] = { "ept-ad", "accessed and dirty bits",
		"the CPU does not have them: mhv uses write protection" },
	[MHV_FEAT_VPID] = { "vpid", "tagged TLB",
		"the CPU does not have it: every entry and exit flushes the TLB" },
	[MHV_FEAT_UNRESTRICTED] = { "unrestricted-guest", "real mode and no paging",
		"the CPU does not have it: guests start in protected mode" },
	[MHV_FEAT_PML] = { "pml", "page modification log",
		"the CPU does not have it: mhv uses write protection" },
	[MHV_FEAT_TPR_SHADOW] = { "tpr-shadow", "CR8 without exits",
		"the CPU does not have it: CR8 accesses exit" },
	[MHV_FEAT_VNMI] = { "vnmi", "virtual NMIs",
		"the CPU does not have them: NMI blocking is emulated" },
	[MHV_FEAT_MSR_BITMAP] = { "msr-bitmap", "MSRs without exits",
		"the CPU does not have it: every MSR access exits" },
	[MHV_FEAT_INVPCID] = { "invpcid", "INVPCID for guests",
		"the CPU does not have it: guests do without" },
	[MHV_FEAT_RDTSCP] = { "rdtscp", "RDTSCP for guests",
		"the CPU does not have it: guests do without" },
	[MHV_FEAT_SHADOW] = { "shadow", "shadow paging",
		"it needs VMX as well" },
};

static bool has_feature(const struct mhv_info *info, unsigned int feature)
{
	return info->features >> feature & 1;
}

static void check_text(const struct mhv_info *info)
{
	unsigned int i;
	bool has;

	if (info->verdict == MHV_HOST_OK)
		printf("%s: guests can run here\n", MHV_DEVICE);
	else
		printf("%s: guests cannot run here: %s: %s\n", MHV_DEVICE, info->detail,
		       mhv_remedy(info->verdict));
	printf("interface version %u, TSC %u kHz\n", info->api_version, info->tsc_khz);
	printf("a VM: %u-bit addresses, up to %u vCPUs and %u memory slots\n\n",
	       info->phys_bits, info->max_vcpus, info->max_memslots);
	printf("%-20s %-4s %s\n", "feature", "here", "what for, or why not");
	for (i = 0; i < MHV_FEAT_COUNT; i++) {
		has = has_feature(info, i);
		printf("%-20s %-4s %s\n", features[i].name, has ? "yes" : "no",
		       has ? features[i].use : features[i].missing);
	}
}

static void check_json(const struct mhv_info *info)
{
	struct json json = { .out = stdout };
	unsigned int i;
	bool has;

	json_open(&json, NULL, '{');
	json_bool(&json, "usable", info->verdict == MHV_HOST_OK);
	json_u64(&json, "verdict", info->verdict);
	json_string(&json, "detail", info->detail);
	json_string(&json, "remedy", mhv_remedy(info->verdict));
	json_u64(&json, "api_version", info->api_version);
	json_u64(&json, "phys_bits", info->phys_bits);
	json_u64(&json, "max_vcpus", info->max_vcpus);
	json_u64(&json, "max_memslots", info->max_memslots);
	json_u64(&json, "tsc_khz", info->tsc_khz);
	json_open(&json, "features", '[');
	for (i = 0; i < MHV_FEAT_COUNT; i++) {
		has = has_feature(info, i);
		json_open(&json, NULL, '{');
		json_string(&json, "name", features[i].name);
		json_bool(&json, "present", has);
		json_string(&json, "note", has ? features[i].use : features[i].missing);
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	putchar('\n');
}

/* without an answer from the module there is only the reason to tell */
static int check_no_device(const char *why, bool as_json)
{
	struct json json = { .out = stdout };

	if (!as_json) {
		fail("%s", why);
		return STATUS_FAILED;
	}
	json_open(&json, NULL, '{');
	json_bool(&json, "usable", false);
	json_string(&json, "detail", why);
	json_close(&json, '}');
	putchar('\n');
	return STATUS_FAILED;
}

static int check_host(bool as_json)
{
	struct mhv_info info;
	char why[256];
	int fd = mhv_open_device(&info, why, sizeof(why));

	if (fd < 0)
		return check_no_device(why, as_json);
	close(fd);
	if (as_json)
		check_json(&info);
	else
		check_text(&info);
	return info.verdict == MHV_HOST_OK ? STATUS_OK : STATUS_FAILED;
}

/**
 * verb_check - vmctl check
 * @argc:	words
 * @argv:	words, the first is "check"
 *
 * Return: exit status.
 */
int verb_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	bool as_json = false;
	int which;

	optind = 0;
	while ((which = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
		if (which == 'h') {
			fputs(usage, stdout);
			return STATUS_OK;
		}
		if (which != 'j') {
			fail("option '%s' is not known: see 'vmctl check --help'",
			     argv[optind - 1]);
			return STATUS_USAGE;
		}
		as_json = true;
	}
	if (optind < argc) {
		fail("'%s': not an option: see 'vmctl check --help'", argv[optind]);
		return STATUS_USAGE;
	}
	return check_host(as_json);
}
