// SPDX-License-Identifier: GPL-2.0-only
/* vmcs.h: values known from elsewhere, and the order within the encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/kernel.h>

#include "vmx/vmcs.h"

/* One field of each group and width: (width << 13 | group << 10 | index << 1). */
static void encodings(void **state)
{
	static const struct { u32 field, width, group, index; } known[] = {
		{ VMCS_CTRL_VPID, 0, 0, 0 },
		{ VMCS_GUEST_TR_SELECTOR, 0, 2, 7 },
		{ VMCS_GUEST_PML_INDEX, 0, 2, 9 },
		{ VMCS_HOST_TR_SELECTOR, 0, 3, 6 },
		{ VMCS_CTRL_EPTP, 1, 0, 13 },
		{ VMCS_CTRL_TSC_MULTIPLIER, 1, 0, 25 },
		{ VMCS_EXIT_GUEST_PHYS_ADDR, 1, 1, 0 },
		{ VMCS_GUEST_PDPTE3, 1, 2, 8 },
		{ VMCS_HOST_PERF_GLOBAL_CTRL, 1, 3, 2 },
		{ VMCS_CTRL_CPU2, 2, 0, 15 },
		{ VMCS_EXIT_INSN_INFO, 2, 1, 7 },
		{ VMCS_GUEST_SYSENTER_CS, 2, 2, 21 },
		{ VMCS_GUEST_PREEMPTION_TIMER, 2, 2, 23 },
		{ VMCS_HOST_SYSENTER_CS, 2, 3, 0 },
		{ VMCS_CTRL_CR3_TARGET3, 3, 0, 7 },
		{ VMCS_EXIT_GUEST_LINEAR_ADDR, 3, 1, 5 },
		{ VMCS_GUEST_SYSENTER_EIP, 3, 2, 19 },
		{ VMCS_HOST_RIP, 3, 3, 11 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		assert_int_equal(known[i].field, known[i].width << 13 | known[i].group << 10 |
						 known[i].index << 1);
		assert_int_equal(VMCS_FIELD_WIDTH(known[i].field), known[i].width);
		assert_int_equal(VMCS_FIELD_GROUP(known[i].field), known[i].group);
	}
}

static void segments(void **state)
{
	(void)state;
	assert_int_equal(VMCS_GUEST_SELECTOR(VMCS_SEG_CS), VMCS_GUEST_CS_SELECTOR);
	assert_int_equal(VMCS_GUEST_SELECTOR(VMCS_SEG_TR), VMCS_GUEST_TR_SELECTOR);
	assert_int_equal(VMCS_GUEST_LIMIT(VMCS_SEG_GS), VMCS_GUEST_GS_LIMIT);
	assert_int_equal(VMCS_GUEST_AR(VMCS_SEG_LDTR), VMCS_GUEST_LDTR_AR);
	assert_int_equal(VMCS_GUEST_BASE(VMCS_SEG_SS), VMCS_GUEST_SS_BASE);
	assert_int_equal(VMCS_GUEST_BASE(VMCS_SEG_TR), VMCS_GUEST_TR_BASE);
}

/* Numbers as the SDM prints them. */
static void spot_values(void **state)
{
	static const struct { u64 have, want; } spots[] = {
		{ VMCS_GUEST_LINK_POINTER, 0x2800 }, { VMCS_GUEST_RFLAGS, 0x6820 },
		{ VMCS_EXIT_REASON, 0x4402 }, { VMCS_CTRL_ENTRY_INTR_INFO, 0x4016 },
		{ PIN_VIRTUAL_NMIS, 0x20 }, { CPU_TPR_SHADOW, 0x200000 },
		{ CPU_SECONDARY_CONTROLS, 0x80000000 }, { CPU2_UNRESTRICTED_GUEST, 0x80 },
		{ EXIT_HOST_64BIT, 0x200 }, { EXIT_LOAD_EFER, 0x200000 },
		{ ENTRY_IA32E_MODE, 0x200 }, { ENTRY_LOAD_EFER, 0x8000 },
		{ XR_EPT_VIOLATION, 48 }, { XR_EPT_MISCONFIG, 49 }, { XR_XSETBV, 55 },
		{ XR_WRMSR, 32 }, { XR_ENTRY_FAIL_GUEST_STATE, 33 }, { XR_COUNT, 80 },
		{ INTR_INFO_VALID | INTR_NMI | 2, 0x80000202 },
		{ INTR_INFO_VALID | INTR_INFO_ERROR_CODE | INTR_HARD_EXCEPTION | 14, 0x80000b0e },
		{ INTR_SOFT_EXCEPTION, 0x600 }, { EPTP_WALK_4 | VMX_MEMTYPE_WB, 0x1e },
		{ EPT_RWX | EPT_LARGE, 0x87 }, { EPT_CAP_AD, 1 << 21 },
		{ VPID_CAP_INVVPID_SINGLE, 1ull << 41 }, { SEG_AR_UNUSABLE, 0x10000 },
		{ SEG_AR_RESERVED, 0xfffe0f00 }, { VMX_MISC_MSR_LIST_MAX(1ull << 25), 1024 },
		{ VMX_BASIC_SIZE(0x00d8040000000001ull), 0x400 },
		{ XQ_IO_SIZE(3), 4 }, { XQ_IO_PORT(0x3f80008), 0x3f8 },
		{ XQ_CR_GPR(0x304), 3 }, { XI_IO_ADDR_BYTES(1 << 7), 4 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(spots); i++)
		if (spots[i].have != spots[i].want)
			fail_msg("value %u is %#llx, not %#llx", i,
				 (unsigned long long)spots[i].have,
				 (unsigned long long)spots[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodings),
		cmocka_unit_test(segments),
		cmocka_unit_test(spot_values),
	};

	return cmocka_run_group_tests_name("vmcs", tests, NULL, NULL);
}
