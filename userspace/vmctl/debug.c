// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmctl debug: look at the page tables of a guest that runs, and switch what mhv does for
 * its accesses.  The guest's vmctl answers over its control socket, in the words that are
 * printed.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "debug.h"
#include "json.h"
#include "machine.h"
#include "msg.h"
#include "verbs.h"
#include "without.h"

/* ---- the guest's vmctl ------------------------------------------------------------ */

static int refuse(FILE *out, const char *what, int error)
{
	fprintf(out, "%s: %s%s", what, strerror(error),
		error == ENOTTY ? ": the module is too old: use both of one build" : "");
	return -1;
}

static int serve_walk(struct machine *machine, const char *text, bool json, FILE *out)
{
	struct mhv_walk walk = { 0 };
	char *end;
	int error;

	errno = 0;
	walk.gva = strtoull(text, &end, 0);
	if (errno || *end || !*text || *text == '-') {
		fprintf(out, "%s: not an address: write for example 0xffff800000001000", text);
		return -1;
	}
	/* the vCPU is out of the guest until we let go of the device lock */
	vcpu_notify(&machine->vcpu);
	error = machine->ops->walk(machine->vcpu.accel, &walk);
	if (error == EINVAL) {
		fprintf(out, "%s: not canonical: bits 63 to 47 must be alike", text);
		return -1;
	}
	if (error)
		return refuse(out, "walk", error);
	if (json)
		walk_print_json(&walk, out);
	else
		walk_print(&walk, out);
	return 0;
}

static void print_table(const struct mhv_mmu_table *t, FILE *out)
{
	char flags[3], *f = flags;

	if (t->flags & MHV_TABLE_UNSYNC)
		*f++ = 'u';
	if (t->flags & MHV_TABLE_DIRECT)
		*f++ = 'd';
	*f = '\0';
	fprintf(out, "0x%-10llx %5u %5u %-5s %8llu %8llu %8llu %8llu %8llu %6llu %6llu\n",
		t->gfn, t->level, t->vcpus, flags, t->tables, t->present, t->writable,
		t->accessed, t->dirty, t->mmio, t->gnp);
}

static void print_mmu(const struct mhv_mmu *mmu, const struct mhv_mmu_table *table, FILE *out)
{
	u32 i;

	if (mmu->paging == MHV_PAGING_TDP)
		fprintf(out, "tdp, %llu tables\n", mmu->tables);
	else
		fprintf(out, "shadow, %llu tables of at most %llu, %u unsync, %llu shrunk; ",
			mmu->tables, mmu->limit, mmu->unsync, mmu->shrunk);
	if (mmu->paging != MHV_PAGING_TDP)
		fprintf(out, "%llu pages mapped\n", mmu->leaves);
	fprintf(out, "%-12s %5s %5s %-5s %8s %8s %8s %8s %8s %6s %6s\n", "gfn", "level", "vcpus",
		"flags", "tables", "present", "writable", "accessed", "dirty", "mmio", "gnp");
	for (i = 0; i < mmu->nr; i++)
		print_table(&table[i], out);
}

static void json_table(const struct mhv_mmu_table *t, struct json *json)
{
	json_open(json, NULL, '{');
	json_u64(json, "gfn", t->gfn);
	json_u64(json, "level", t->level);
	json_u64(json, "vcpus", t->vcpus);
	json_u64(json, "quadrant", t->quadrant);
	json_bool(json, "unsync", t->flags & MHV_TABLE_UNSYNC);
	json_bool(json, "direct", t->flags & MHV_TABLE_DIRECT);
	json_u64(json, "tables", t->tables);
	json_u64(json, "present", t->present);
	json_u64(json, "writable", t->writable);
	json_u64(json, "accessed", t->accessed);
	json_u64(json, "dirty", t->dirty);
	json_u64(json, "mmio", t->mmio);
	json_u64(json, "gnp", t->gnp);
	json_close(json, '}');
}

static void json_mmu(const struct mhv_mmu *mmu, const struct mhv_mmu_table *table, FILE *out)
{
	struct json json = { .out = out };
	u32 i;

	json_open(&json, NULL, '{');
	json_string(&json, "paging", mmu->paging == MHV_PAGING_TDP ? "tdp" : "shadow");
	json_u64(&json, "tables", mmu->tables);
	json_u64(&json, "limit", mmu->limit);
	json_u64(&json, "unsync", mmu->unsync);
	json_u64(&json, "leaves", mmu->leaves);
	json_u64(&json, "shrunk", mmu->shrunk);
	json_open(&json, mmu->what == MHV_DUMP_ROOTS ? "roots" : "list", '[');
	for (i = 0; i < mmu->nr; i++)
		json_table(&table[i], &json);
	json_close(&json, ']');
	json_close(&json, '}');
	fputc('\n', out);
}

static int serve_mmu(struct machine *machine, u32 what, bool json, FILE *out)
{
	struct mhv_mmu_table *table = NULL;
	struct mhv_mmu mmu;
	u32 room = 64;
	int error;

	do {
		room *= 2;
		free(table);
		table = calloc(room, sizeof(*table));
		if (!table)
			return refuse(out, "mmu", ENOMEM);
		mmu = (struct mhv_mmu){
			.what = what, .nr = room, .entries = (uintptr_t)table,
		};
		error = machine->ops->dump_mmu(machine->accel, &mmu);
	} while (!error && mmu.nr > room);
	if (error)
		refuse(out, "mmu", error);
	else if (json)
		json_mmu(&mmu, table, out);
	else
		print_mmu(&mmu, table, out);
	free(table);
	return error ? -1 : 0;
}

static void json_audit(const struct mhv_audit *audit, FILE *out)
{
	struct json json = { .out = out };

	json_open(&json, NULL, '{');
	json_u64(&json, "tables", audit->tables);
	json_u64(&json, "leaves", audit->leaves);
	json_u64(&json, "errors", audit->errors);
	json_close(&json, '}');
	fputc('\n', out);
}

static int serve_audit(struct machine *machine, bool json, FILE *out)
{
	struct mhv_audit audit = { 0 };
	int error = machine->ops->audit(machine->accel, &audit);

	if (error == EOPNOTSUPP) {
		fputs("audit: the guest runs without shadow tables: use --paging shadow", out);
		return -1;
	}
	if (error)
		return refuse(out, "audit", error);
	if (json)
		json_audit(&audit, out);
	else
		fprintf(out, "%llu tables, %llu pages mapped, %llu mismatches\n",
			audit.tables, audit.leaves, audit.errors);
	return 0;
}

#define WITHOUT_NONE	"none"

/* the names are for the asker's vmctl to check */
static int serve_without(struct machine *machine, const char *list, bool json, FILE *out)
{
	struct json line = { .out = out };
	u64 disabled = 0;

	if ((strcmp(list, WITHOUT_NONE) && without_parse(list, &disabled)) ||
	    machine->ops->set_options(machine->accel, disabled, false)) {
		fprintf(out, "without %s: the guest's vmctl says why: use both of one build",
			list);
		return -1;
	}
	if (json) {
		json_open(&line, NULL, '{');
		json_string(&line, "without", list);
		json_close(&line, '}');
		fputc('\n', out);
	} else {
		fprintf(out, "switched off: %s\n", list);
	}
	return 0;
}

/**
 * debug_serve - control verb "debug"
 * @machine:	runs; the device lock is held
 * @argc:	words
 * @argv:	"debug", "text" or "json", what is asked, and its argument
 * @out:	answer
 *
 * Return: 0, or -1 with an error in @out.
 */
int debug_serve(struct machine *machine, int argc, char **argv, FILE *out)
{
	const char *what = argc > 2 ? argv[2] : "";
	bool json = argc > 2 && !strcmp(argv[1], "json");

	if (!machine->ops->walk)
		return refuse(out, "debug", EOPNOTSUPP);
	if (!strcmp(what, "walk") && argc == 4)
		return serve_walk(machine, argv[3], json, out);
	if (!strcmp(what, "mmu") && argc == 3)
		return serve_mmu(machine, MHV_DUMP_ROOTS, json, out);
	if (!strcmp(what, "tables") && argc == 3)
		return serve_mmu(machine, MHV_DUMP_TABLES, json, out);
	if (!strcmp(what, "audit") && argc == 3)
		return serve_audit(machine, json, out);
	if (!strcmp(what, "without") && argc == 4)
		return serve_without(machine, argv[3], json, out);
	fputs("debug: not known to this guest's vmctl: use both of one build", out);
	return -1;
}

/* ---- the verb ------------------------------------------------------------------------ */

static const char usage[] =
	"usage: vmctl debug walk GVA | mmu [--tables] | audit | without NAME[,NAME]\n"
	"                   [--name NAME] [--json]\n"
	"\n"
	"  walk GVA      entries of the guest's and of mhv's tables for an address, side by\n"
	"                side, and why they differ\n"
	"  mmu           what mhv's tables hold, by root\n"
	"  audit         check every shadow entry; a mismatch is exit status 3\n"
	"  without NAME[,NAME]\n"
	"                switch optimisations of device memory off, as vmctl run --without\n"
	"                does, and on what is not named; none: all on\n"
	"\n"
	"  --tables      mmu: each table by itself\n"
	"  --name NAME   of the guest (vmctl run --name); may be left out where one runs\n"
	"  --json        one line of JSON\n"
	"\n"
	"exit status: 0 done, 1 failed, 2 usage, 3 the audit found mismatches\n";

#define STATUS_MISMATCH	3

/**
 * struct debug_options - `vmctl debug`, as the user wants it
 * @name:	of the guest; NULL: the only one
 * @request:	for the control socket
 * @json:	one line of JSON
 * @tables:	each by itself
 * @help:	the user asked for help
 */
struct debug_options {
	const char *name;
	char request[128];
	bool json, tables, help;
};

static int parse_options(struct debug_options *opt, int argc, char **argv)
{
	static const struct option options[] = {
		{ "name",	required_argument,	NULL, 'n' },
		{ "json",	no_argument,		NULL, 'j' },
		{ "tables",	no_argument,		NULL, 't' },
		{ "help",	no_argument,		NULL, 'h' },
		{ }
	};
	int which;

	optind = 0;
	while ((which = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (which) {
		case 'n':
			opt->name = optarg;
			break;
		case 'j':
			opt->json = true;
			break;
		case 't':
			opt->tables = true;
			break;
		case 'h':
			opt->help = true;
			break;
		default:
			return fail("option '%s': not known or no value: see 'vmctl debug --help'",
				    argv[optind - 1]);
		}
	}
	return 0;
}

static int parse_gva(const char *text)
{
	if (strlen(text) > 32 || strspn(text, "0123456789abcdefABCDEFxX") != strlen(text))
		return fail("%s: not an address: write for example 0xffff800000001000", text);
	return 0;
}

static int parse_without(const char *list)
{
	u64 disabled;

	if (strlen(list) > 96)
		return fail("without: %zu bytes of names: each of them once", strlen(list));
	return strcmp(list, WITHOUT_NONE) ? without_parse(list, &disabled) : 0;
}

/* what can be asked, and its argument, if it has one */
static const struct debug_word {
	const char *what, *arg;
	int (*parse)(const char *arg);
} debug_words[] = {
	{ "walk", "the address", parse_gva },
	{ "mmu" },
	{ "audit" },
	{ "without", "NAME", parse_without },
};

static const struct debug_word *find_word(const char *what)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(debug_words); i++)
		if (!strcmp(what, debug_words[i].what))
			return &debug_words[i];
	fail("debug: '%s' is not known: use walk, mmu, audit or without", what);
	return NULL;
}

/* what is asked, from the words that are no options */
static int parse_words(struct debug_options *opt, int argc, char **argv)
{
	const struct debug_word *word = find_word(argc ? argv[0] : "");

	if (!word)
		return -1;
	if (word->arg && argc == 1)
		return fail("debug %s: %s is missing: see 'vmctl debug --help'", word->what,
			    word->arg);
	if (argc > (word->arg ? 2 : 1))
		return fail("debug %s: too many words: see 'vmctl debug --help'", word->what);
	if (opt->tables && strcmp(word->what, "mmu"))
		return fail("--tables: belongs to 'vmctl debug mmu'");
	if (word->arg && word->parse(argv[1]))
		return -1;
	snprintf(opt->request, sizeof(opt->request), "debug %s %s%s%s",
		 opt->json ? "json" : "text", opt->tables ? "tables" : word->what,
		 word->arg ? " " : "", word->arg ? argv[1] : "");
	return 0;
}

static int debug_status(const struct debug_options *opt, const char *answer)
{
	bool clean = strstr(answer, opt->json ? "\"errors\": 0}" : ", 0 mismatches");

	return !strstr(opt->request, " audit") || clean ? STATUS_OK : STATUS_MISMATCH;
}

/**
 * verb_debug - vmctl debug
 * @argc:	words
 * @argv:	words, the first is "debug"
 *
 * Return: exit status.
 */
int verb_debug(int argc, char **argv)
{
	struct debug_options opt = { 0 };
	char *answer;
	int status;

	if (parse_options(&opt, argc, argv))
		return STATUS_USAGE;
	if (opt.help) {
		fputs(usage, stdout);
		return STATUS_OK;
	}
	if (parse_words(&opt, argc - optind, argv + optind))
		return STATUS_USAGE;
	if (control_ask(opt.name, opt.request, &answer))
		return STATUS_FAILED;
	fputs(answer, stdout);
	status = debug_status(&opt, answer);
	free(answer);
	return status;
}
