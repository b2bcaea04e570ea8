// SPDX-License-Identifier: GPL-2.0-only
/*
 * One instruction as text, for error messages.
 *
 * The disassembler is Zydis, when it is there: it is loaded on first use, so that vmctl
 * runs without it, and built in only where its header was found.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "disasm.h"

#if __has_include("Zydis/Disassembler.h")
#include <Zydis/Zydis.h>

/* the library must be that of the header: its structures differ from version to version */
static void *disasm_library(char hint[DISASM_TEXT])
{
	unsigned int major = ZYDIS_VERSION_MAJOR(ZYDIS_VERSION);
	unsigned int minor = ZYDIS_VERSION_MINOR(ZYDIS_VERSION);
	char name[32];

	snprintf(name, sizeof(name), "libZydis.so.%u.%u", major, minor);
	snprintf(hint, DISASM_TEXT, "package libzydis%u.%u disassembles it", major, minor);
	return dlopen(name, RTLD_LAZY | RTLD_LOCAL);
}

static ZydisMachineMode disasm_mode(unsigned int bits)
{
	return bits == 64 ? ZYDIS_MACHINE_MODE_LONG_64 :
	       bits == 32 ? ZYDIS_MACHINE_MODE_LEGACY_32 : ZYDIS_MACHINE_MODE_LEGACY_16;
}

/*
 * @text: the instruction, and @nr its bytes; or, if false, why there is none.
 */
static bool disasm_zydis(char text[DISASM_TEXT], const u8 *bytes, unsigned int *nr,
			 unsigned int bits, u64 rip)
{
	ZydisDisassembledInstruction insn;
	typeof(ZydisDisassembleIntel) *disassemble = NULL;
	void *library = disasm_library(text);

	if (library)
		disassemble = (typeof(disassemble))dlsym(library, "ZydisDisassembleIntel");
	if (!disassemble)
		return false;
	if (!ZYAN_SUCCESS(disassemble(disasm_mode(bits), rip, bytes, *nr, &insn))) {
		snprintf(text, DISASM_TEXT, "not an instruction");
		return false;
	}
	*nr = insn.info.length;
	snprintf(text, DISASM_TEXT, "%s", insn.text);
	return true;
}
#else
static bool disasm_zydis(char text[DISASM_TEXT], const u8 *bytes, unsigned int *nr,
			 unsigned int bits, u64 rip)
{
	snprintf(text, DISASM_TEXT, "built without Zydis: install libzydis-dev, build again");
	return false;
}
#endif

/**
 * disasm - describe an instruction
 * @text:	out: mnemonic and operands, and the bytes; or the bytes and why that is all
 * @bytes:	at the instruction pointer
 * @nr:		how many, 0 to 16
 * @bits:	mode of the code: 16, 32 or 64
 * @rip:	address, for relative operands
 */
void disasm(char text[DISASM_TEXT], const u8 *bytes, unsigned int nr, unsigned int bits,
	    u64 rip)
{
	char hex[3 * 16 + 1] = "", insn[DISASM_TEXT];
	unsigned int i;
	bool known;

	if (!nr) {
		snprintf(text, DISASM_TEXT, "an instruction that could not be fetched");
		return;
	}
	nr = min_u64(nr, 16);
	known = disasm_zydis(insn, bytes, &nr, bits, rip);
	for (i = 0; i < nr; i++)
		snprintf(hex + 3 * i, 4, " %02x", bytes[i]);
	if (known)
		snprintf(text, DISASM_TEXT, "'%.128s' (%s)", insn, hex + 1);
	else
		snprintf(text, DISASM_TEXT, "%s (%.128s)", hex + 1, insn);
}
