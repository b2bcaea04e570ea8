/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What agent.c (inside the emulated host) tells supervise.c (outside).
 *
 * The channel is Bochs' debug port: a byte written to port 0xe9 appears on its
 * standard output, at once and at the cost of one instruction.  Bochs writes
 * lines of its own there, so every frame opens with two marker bytes and what
 * lies between frames is kept as Bochs' own words.
 *
 *   marker[2]  type  length (2 bytes, little-endian)  payload
 */
#ifndef MHV_EMU_PROTO_H
#define MHV_EMU_PROTO_H

#define E9_PORT		0xe9
#define FRAME_MARK0	0xe9
#define FRAME_MARK1	0x01
#define FRAME_HEAD	5
#define FRAME_MAX	4096	/* payload */

enum frame_type {
	FRAME_UP	= 'U',	/* user space runs; setup begins */
	FRAME_RUN	= 'R',	/* setup done, the command begins */
	FRAME_STDOUT	= 'o',
	FRAME_STDERR	= 'e',
	FRAME_KLOG	= 'k',	/* kernel log, one line or more */
	FRAME_TAR	= 't',	/* /out, as tar */
	FRAME_FAIL	= 'F',	/* setup or clean-up failed: why */
	FRAME_STATUS	= 'S',	/* exit status of the command, decimal: the last */
};

/* Written to the kernel log as setup begins: reports before it are the
 * emulated machine's, reports after it are ours.
 */
#define KLOG_MARK	"emuhost: setup begins"

#endif
