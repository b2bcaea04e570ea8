// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single vector registers of the guest, for emulated loads and stores.
 *
 * The kernel hands guest FPU state out and takes it back as a whole, in the standard
 * XSAVE format.  That is slow, and simple; vector accesses to devices are rare.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/processor.h>

#include "mhv.h"

#define XSAVE_XMM	160	/* 16 bytes each */
#define XSAVE_BV	512	/* which components are not in their initial state */
#define XSAVE_YMM	576	/* upper 16 bytes each, by CPUID 0xd.2 everywhere */

/* Where the guest's state of a component lies; 0 where the guest has none. */
static u32 vector_offset(int component)
{
	u32 eax, ebx, ecx, edx;

	if (!(mhv_guest_xcr0_mask() & BIT_ULL(component)))
		return 0;
	cpuid_count(0xd, component, &eax, &ebx, &ecx, &edx);
	return ebx;
}

static u8 *vector_state(struct mhv_vcpu *v)
{
	u8 *xsave = kzalloc(max_t(u32, v->fpu.uabi_size, 4096), GFP_KERNEL_ACCOUNT);

	if (!xsave)
		return NULL;
	/* the registers may be in the CPU */
	mhv_op(fpu_put)(v);
	fpu_copy_guest_fpstate_to_uabi(&v->fpu, xsave, v->fpu.uabi_size, mhv_guest_xcr0_mask(), 0);
	return xsave;
}

/**
 * mhv_vector_read - read the low bytes of a vector register
 * @v: a loaded vCPU
 * @reg: number, 0..15
 * @data: out
 * @size: 16 or 32
 *
 * Context: may sleep.
 * Return: false without memory.
 */
bool mhv_vector_read(struct mhv_vcpu *v, unsigned int reg, void *data, unsigned int size)
{
	u8 *xsave = vector_state(v);

	if (!xsave)
		return false;
	memcpy(data, xsave + XSAVE_XMM + 16 * reg, 16);
	if (size == 32)
		memcpy(data + 16, xsave + XSAVE_YMM + 16 * reg, 16);
	kfree(xsave);
	return true;
}

static void vector_zero_above(u8 *xsave, unsigned int reg, unsigned int size)
{
	u32 zmm_hi = vector_offset(6);

	if (size == 16 && vector_offset(2))
		memset(xsave + XSAVE_YMM + 16 * reg, 0, 16);
	if (zmm_hi)
		memset(xsave + zmm_hi + 32 * reg, 0, 32);
}

/**
 * mhv_vector_write - write the low bytes of a vector register
 * @v: a loaded vCPU
 * @reg: number, 0..15
 * @data: what to write
 * @size: 16 or 32
 * @zero: the bytes above become zero
 *
 * Context: may sleep.
 * Return: false without memory.
 */
bool mhv_vector_write(struct mhv_vcpu *v, unsigned int reg, const void *data, unsigned int size,
		      bool zero)
{
	u8 *xsave = vector_state(v);
	u32 pkru;
	int ret;

	if (!xsave)
		return false;
	memcpy(xsave + XSAVE_XMM + 16 * reg, data, 16);
	*(u64 *)(xsave + XSAVE_BV) |= XFEATURE_MASK_SSE;
	if (size == 32) {
		memcpy(xsave + XSAVE_YMM + 16 * reg, data + 16, 16);
		*(u64 *)(xsave + XSAVE_BV) |= XFEATURE_MASK_YMM;
	}
	if (zero)
		vector_zero_above(xsave, reg, size);
	ret = fpu_copy_uabi_to_guest_fpstate(&v->fpu, xsave, mhv_guest_xcr0_mask(), &pkru);
	WARN_ON_ONCE(ret);
	kfree(xsave);
	return true;
}
