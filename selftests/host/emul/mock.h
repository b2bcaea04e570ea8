/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU and its memory for the executor's tests: the window of native.h, of which
 * each page may be ordinary memory or a device.
 *
 * Every access is checked to be of the kind the executor promises; what devices see
 * is logged.  A mock that is set to defer answers MHV_EMUL_PENDING at random, before
 * or after taking the request, and mock_run() plays the device model.
 */
#ifndef EMUL_MOCK_H
#define EMUL_MOCK_H

#include <linux/types.h>

#include "exec.h"
#include "native.h"
#include "random.h"

#define MOCK_LOG_MAX	8192

struct mock_access {
	u64 la;
	u8  size;
	bool write;
};

struct mock_log {
	unsigned int nr;
	struct mock_access access[MOCK_LOG_MAX];
};

/* A request that user space has been given */
struct mock_request {
	bool valid;
	bool string;
	struct mock_access access;
	struct mhv_emul_string elements;
	u8  data[MHV_EMUL_DATA_MAX];
};

struct mock {
	struct mhv_emul_ctx ctx;
	struct mhv_emul_regs regs;
	u8   vec[16][32];
	u8   memory[NATIVE_SIZE];
	u8   string[MHV_EMUL_STRING_SIZE];

	enum mhv_mode mode;
	bool device[NATIVE_PAGES];
	bool read_only[NATIVE_PAGES];	/* the guest's page table forbids writes */
	bool rom[NATIVE_PAGES];		/* a device to writes, which it ignores */
	bool strings;			/* offer read_string and write_string */
	bool defer;			/* answer PENDING at random */
	bool lose_races;		/* let cmpxchg miss at random */
	struct random random;

	struct mhv_emul_seg segment[6];
	struct mhv_emul_ops ops;
	struct mock_request request;
	unsigned int pendings;
	unsigned int rounds;		/* of mock_run() */
	const char *broken;		/* a promise the executor did not keep */
	struct mock_log log;		/* last: mock_init() does not clear it all */
};

/* Flat segments, or those of native_run(), for @mode; no page is a device */
void mock_init(struct mock *m, enum mhv_mode mode);

/* Execute @insn to the end: all rounds, and all requests to devices */
enum mhv_emul_result mock_run(struct mock *m, const struct mhv_insn *insn);

/* Play the device model for the request under way, if there is one */
void mock_answer(struct mock *m);

/* The optional ops, which mock_run() offers when mock.strings is set */
enum mhv_emul_result mock_read_string(struct mhv_emul_ctx *ctx,
				      const struct mhv_emul_string *s);
enum mhv_emul_result mock_write_string(struct mhv_emul_ctx *ctx,
				       const struct mhv_emul_string *s);

#endif
