/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One decoding by mhv_decode() held against the same one by Zydis.
 */
#ifndef EMUL_DECODE_CHECK_H
#define EMUL_DECODE_CHECK_H

#include <Zydis/Zydis.h>
#include <linux/types.h>

#include "decode.h"

#define NR_DECODE_RESULTS	(MHV_DECODE_NO_MEMORY + 1)

/* What has been seen: how often each result, and each mnemonic per mode */
struct decode_stats {
	unsigned long result[NR_DECODE_RESULTS];
	unsigned long mnemonic[3][ZYDIS_MNEMONIC_MAX_VALUE + 1];
};

/**
 * decode_check - decode @bytes both ways and compare
 * @bytes:	MHV_INSN_BUF bytes, the first @nr of them given
 * @why:	out: what disagrees, a static string
 *
 * Compared: whether it is an instruction, whether it must be supported, length,
 * operation, operand and address sizes, segment, base, index, scale, displacement,
 * register operand, immediate and prefixes.  Returns true when they agree.
 */
bool decode_check(const u8 *bytes, unsigned int nr, enum mhv_mode mode,
		  struct decode_stats *stats, const char **why);

/* A line with the bytes and what both made of it */
void decode_explain(const u8 *bytes, unsigned int nr, enum mhv_mode mode);

/* Is each mnemonic of the supported set counted in @stats?  Else its name. */
const char *decode_not_covered(const struct decode_stats *stats);

/* Initialised Zydis decoder of a mode */
const ZydisDecoder *zydis_of(enum mhv_mode mode);

/* enum mhv_reg of a general register, or -1 */
int zydis_gpr(ZydisRegister reg);

#endif
