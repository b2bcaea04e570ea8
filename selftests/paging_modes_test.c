// SPDX-License-Identifier: GPL-2.0-only
/*
 * From one paging mode to the other, and what control registers do to translations:
 * the steps of a script each have a result that is asserted.
 */
#include "mhv_test.h"
#include "paging_script.h"

#define PTE_P		1
#define PTE_W		2
#define PTE_U		4
#define PTE_PS		0x80
#define PTE_G		0x100
#define PTE_TABLE	(PTE_P | PTE_W | PTE_U)

/* Tables of each mode; all of them map the low 4 MiB onto themselves. */
#define PD_2		0x100000	/* 32-bit entries */
#define LOW_2		0x101000
#define PT_2		0x102000
#define PDPT_3		0x103000	/* PAE */
#define PD_3		0x104000
#define PT_3		0x105000
#define PD_3B		0x106000
#define PT_3B		0x107000
#define PML4_4		0x108000
#define PDPT_4		0x109000
#define PD_4		0x10a000
#define PT_4		0x10b000
#define BOTH		0x10c000	/* PDPTEs and a page directory at once */
#define PD_BOTH		0x10d000	/* PAE */

/* What is there depends on the mode; without paging it is itself. */
#define V		0xc00000
#define FRAME(n)	(0x800000 + (n) * 0x1000)
#define ENTRY(n)	(FRAME(n) | PTE_TABLE)
/* Of PAE: by the second PDPTE, with the page directory PD_3 as well as with PD_3B */
#define V_PAE		0x40000000

/*
 * With the tables at BOTH the same lies at HIGH, which is the base of all segments, V
 * with it.  The page directory's first entries, which PAE takes for PDPTEs, are not used
 * without PAE: the CPU would set A in them, which is a reserved bit of a PDPTE.
 */
#define HIGH		0x10000000
#define V_BOTH		0x400000

/* The entries for V */
#define PTE_2		PT_2
#define PTE_3		PT_3
#define PTE_3B		PT_3B
#define PTE_4		PT_4

#define CR0_OFF		(CR0_PE | CR0_ET | CR0_NE)
#define CR0_ON		(CR0_OFF | CR0_WP | CR0_PG)

#define DO(name, operand)	{ .op = OP_##name, .value = (operand) }
#define LOAD(a, want)		{ .op = OP_LOAD, .addr = (a), .value = (want) }
#define LOAD64(a, want)		{ .op = OP_LOAD64, .addr = (a), .value = (want) }
#define STORE(a, v)		{ .op = OP_STORE, .addr = (a), .value = (v) }
#define AT(name, a)		{ .op = OP_##name, .addr = (a) }
/* These fail. */
#define GP(name, operand)	{ .op = OP_##name, .value = (operand), .vector = GP_VECTOR }
#define PF(name, a, code)	{ .op = OP_##name, .addr = (a), .vector = PF_VECTOR, \
				  .error = (code), .cr2 = (a) }

#define MAX_STEPS	((GUEST_LOG - SCRIPT) / STEP_SIZE - 1)

FIXTURE(modes) {
	struct vm vm;
	struct vcpu vcpu;
	bool smep;
};

static void map_low(struct vm *vm)
{
	__u32 *pd = vm_ptr(vm, PD_2), *low = vm_ptr(vm, LOW_2), i;
	__u64 *pd3 = vm_ptr(vm, PD_3), *pd4 = vm_ptr(vm, PD_4);

	pd[0] = LOW_2 | PTE_TABLE;
	for (i = 0; i < 1024; i++)
		low[i] = i * PAGE_SIZE | PTE_TABLE;
	for (i = 0; i < 2; i++) {
		pd3[i] = i << 21 | PTE_TABLE | PTE_PS;
		pd4[i] = pd3[i];
	}
}

static void map_v(struct vm *vm)
{
	__u64 *pdpt = vm_ptr(vm, PDPT_3);

	((__u32 *)vm_ptr(vm, PD_2))[V >> 22] = PT_2 | PTE_TABLE;
	((__u64 *)vm_ptr(vm, PD_3))[V >> 21] = PT_3 | PTE_TABLE;
	((__u64 *)vm_ptr(vm, PD_4))[V >> 21] = PT_4 | PTE_TABLE;
	*(__u32 *)vm_ptr(vm, PTE_2) = ENTRY(2);
	*(__u64 *)vm_ptr(vm, PTE_3) = ENTRY(3);
	*(__u64 *)vm_ptr(vm, PTE_3B) = ENTRY(13);
	*(__u64 *)vm_ptr(vm, PTE_4) = ENTRY(4);
	/* beyond what is mapped onto itself: V's index and its first MiB */
	((__u64 *)vm_ptr(vm, PD_3B))[0] = PT_3B | PTE_TABLE;
	pdpt[0] = PD_3 | PTE_P;
	pdpt[1] = PD_3B | PTE_P;
	*(__u64 *)vm_ptr(vm, PDPT_4) = PD_4 | PTE_TABLE;
	*(__u64 *)vm_ptr(vm, PML4_4) = PDPT_4 | PTE_TABLE;
}

static void map_both(struct vm *vm)
{
	__u32 *both = vm_ptr(vm, BOTH);
	__u64 *pd = vm_ptr(vm, PD_BOTH);

	both[0] = PD_BOTH | PTE_P;
	both[HIGH >> 22] = LOW_2 | PTE_TABLE;
	both[(HIGH + V_BOTH) >> 22] = PT_2 | PTE_TABLE;
	pd[HIGH >> 21] = PTE_TABLE | PTE_PS;
	pd[(HIGH >> 21) + 1] = 0x200000 | PTE_TABLE | PTE_PS;
	pd[(HIGH + V_BOTH) >> 21] = PT_3 | PTE_TABLE;
}

static void set_gates(struct vm *vm)
{
	__u64 *idt32 = vm_ptr(vm, GUEST_IDT32), handler;
	int vector;

	for (vector = 0; vector < 32; vector++) {
		handler = GUEST_ADDR(vector == GP_VECTOR ? script_gp32 :
				     vector == PF_VECTOR ? script_pf32 : script_other32);
		idt32[vector] = (handler & 0xffff) | SEL_CODE32 << 16 | 0x8eull << 40 |
				(handler & 0xffff0000) << 32;
		handler = GUEST_ADDR(vector == GP_VECTOR ? script_gp64 :
				     vector == PF_VECTOR ? script_pf64 : script_other64);
		vm_set_gate(vm, vector, handler, 0, 0);
	}
}

FIXTURE_SETUP(modes)
{
	struct mhv_cpuid_entry leaf;
	struct vm *vm = &self->vm;
	__u32 *frame;
	int i;

	vm_create(vm);
	vcpu_create(vm, &self->vcpu, 0);
	self->smep = vcpu_cpuid(&self->vcpu, 7, 0, &leaf) && leaf.ebx >> 7 & 1;
	map_low(vm);
	map_v(vm);
	map_both(vm);
	set_gates(vm);
	*(__u32 *)vm_ptr(vm, V) = V;
	for (i = 0; i < 32; i++) {
		frame = vm_ptr(vm, FRAME(i));
		frame[0] = FRAME(i);
		frame[1] = 0xc3;			/* ret */
	}
}

FIXTURE_TEARDOWN(modes)
{
	vcpu_destroy(&self->vcpu);
	vm_destroy(&self->vm);
}

/* The number of the first step that went wrong, -1: none did */
static int find_wrong(const struct step *steps, const struct step *done, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (done[i].vector != steps[i].vector || done[i].error != steps[i].error)
			return i;
		if (steps[i].vector == PF_VECTOR && done[i].cr2 != steps[i].cr2)
			return i;
		if (!steps[i].vector && done[i].got != steps[i].value &&
		    (steps[i].op == OP_LOAD || steps[i].op == OP_LOAD64))
			return i;
	}
	return -1;
}

/* Segments at HIGH, and 32-bit paging by the tables at BOTH */
static void go_high(struct vm *vm, struct vcpu *vcpu)
{
	struct mhv_sregs s = vcpu_sregs(vcpu);
	struct mhv_segment *seg;

	for (seg = &s.cs; seg <= &s.ss; seg++)
		seg->base = HIGH;
	s.gdt.base += HIGH;
	s.idt.base += HIGH;
	s.cr0 = CR0_ON;
	s.cr3 = BOTH;
	s.cr4 = 0;
	vm_set_gdt(vm, SEL_CODE32, HIGH, ~0u, 0xc09b);
	vcpu_set_sregs(vcpu, &s);
}

/* Start with paging off, or high, and run the script to its end. */
static void run_script(struct __test_metadata *_metadata, struct vm *vm, struct vcpu *vcpu,
		       bool high, const struct step *steps, int nr)
{
	struct step *script = vm_ptr(vm, SCRIPT);
	int i;

	ASSERT_GE(MAX_STEPS, nr);
	memset(script, 0, (nr + 1) * sizeof(*script));
	for (i = 0; i < nr; i++) {
		script[i].op = steps[i].op;
		script[i].addr = steps[i].addr;
		script[i].value = steps[i].value;
	}
	vcpu_set_prot32(vcpu, script_start, FLAT32);
	if (high)
		go_high(vm, vcpu);
	vcpu_set_flags(vcpu, RFLAGS_IF);
	ASSERT_DONE(vcpu);
	EXPECT_EQ(SCRIPT + nr * sizeof(*script), *(__u32 *)vm_ptr(vm, SCRIPT_NEXT))
		vcpu_dump(vcpu);
	i = find_wrong(steps, script, nr);
	ASSERT_EQ(-1, i) {
		TH_LOG("step %d: op %u addr %#x value %#x", i, steps[i].op, steps[i].addr,
		       steps[i].value);
		TH_LOG("wanted vector %u error %#x cr2 %#x", steps[i].vector, steps[i].error,
		       steps[i].cr2);
		TH_LOG("got vector %u error %#x cr2 %#x value %#x", script[i].vector,
		       script[i].error, script[i].cr2, script[i].got);
	}
}

#define RUN(steps) \
	run_script(_metadata, &self->vm, &self->vcpu, false, steps, ARRAY_SIZE(steps))
#define RUN_HIGH(steps) \
	run_script(_metadata, &self->vm, &self->vcpu, true, steps, ARRAY_SIZE(steps))

#define PAGING_2	DO(CR4, 0), DO(CR3, PD_2), DO(CR0, CR0_ON)
#define PAGING_3	DO(CR4, CR4_PAE), DO(CR3, PDPT_3), DO(CR0, CR0_ON)
#define PAGING_4	DO(CR4, CR4_PAE), DO(CR3, PML4_4), DO(EFER, EFER_LME), \
			DO(CR0, CR0_ON), AT(LIDT, GUEST_IDT)
#define PAGING_OFF	DO(CR0, CR0_OFF), DO(EFER, 0), AT(LIDT, GUEST_IDT32)

/* ---- from mode to mode ------------------------------------------------------------ */

TEST_F(modes, all_modes)
{
	static const struct step steps[] = {
		LOAD(V, V),
		PAGING_2, LOAD(V, FRAME(2)), PAGING_OFF, LOAD(V, V),
		PAGING_3, LOAD(V, FRAME(3)), PAGING_OFF, LOAD(V, V),
		PAGING_4, LOAD(V, FRAME(4)), LOAD64(V, FRAME(4)), PAGING_OFF, LOAD(V, V),
		PAGING_2, LOAD(V, FRAME(2)), PAGING_OFF,
		PAGING_4, LOAD64(V, FRAME(4)), PAGING_OFF,
		PAGING_3, LOAD(V, FRAME(3)), PAGING_OFF,
		PAGING_2, LOAD(V, FRAME(2)), PAGING_OFF, LOAD(V, V),
	};
	int i;

	for (i = 0; i < 50; i += mhv_stride(10))
		RUN(steps);
}

/* Tables that are changed while they are not in use */
TEST_F(modes, changed_meanwhile)
{
	static const struct step steps[] = {
		PAGING_2, LOAD(V, FRAME(2)), STORE(PTE_3, ENTRY(5)), PAGING_OFF,
		STORE(PTE_2, ENTRY(6)),
		PAGING_3, LOAD(V, FRAME(5)), STORE(PTE_4, ENTRY(7)), PAGING_OFF,
		STORE(PTE_3, ENTRY(3)),
		PAGING_4, LOAD64(V, FRAME(7)), STORE(PTE_2, ENTRY(8)), PAGING_OFF,
		STORE(PTE_4, ENTRY(4)),
		PAGING_2, LOAD(V, FRAME(8)), PAGING_OFF, STORE(PTE_2, ENTRY(2)),
		PAGING_3, LOAD(V, FRAME(3)), PAGING_OFF,
		PAGING_4, LOAD(V, FRAME(4)), PAGING_OFF,
		/* one page, written without paging and as a page */
		STORE(FRAME(2), 77), PAGING_2, LOAD(V, 77), STORE(V, FRAME(2)), PAGING_OFF,
		LOAD(FRAME(2), FRAME(2)),
	};
	int i;

	for (i = 0; i < 20; i += mhv_stride(10))
		RUN(steps);
}

/* CR4.PAE while paging is on */
TEST_F(modes, pae_toggled)
{
	static const struct step steps[] = {
		LOAD(V_BOTH, FRAME(2)), DO(CR4, CR4_PAE), LOAD(V_BOTH, FRAME(3)),
		DO(CR4, 0), LOAD(V_BOTH, FRAME(2)),
		STORE(PTE_3, ENTRY(5)), DO(CR4, CR4_PAE), LOAD(V_BOTH, FRAME(5)),
		STORE(PTE_2, ENTRY(6)), DO(CR4, 0), LOAD(V_BOTH, FRAME(6)),
		DO(CR4, CR4_PAE | CR4_PSE), STORE(PTE_3, ENTRY(3)), AT(INVLPG, V_BOTH),
		LOAD(V_BOTH, FRAME(3)),
		DO(CR4, CR4_PSE), STORE(PTE_2, ENTRY(2)), AT(INVLPG, V_BOTH),
		LOAD(V_BOTH, FRAME(2)), DO(CR4, 0), LOAD(V_BOTH, FRAME(2)),
	};
	int i;

	for (i = 0; i < 20; i += mhv_stride(10))
		RUN_HIGH(steps);
}

/* What a mode does not let be switched on or off */
TEST_F(modes, refused)
{
	static const struct step steps[] = {
		GP(CR0, CR0_PG | CR0_ET | CR0_NE),
		GP(CR0, CR0_OFF | CR0_NW),
		/* to four levels without PAE */
		DO(CR3, PML4_4), DO(EFER, EFER_LME), GP(CR0, CR0_ON), LOAD(V, V),
		DO(CR4, CR4_PAE), DO(CR0, CR0_ON), AT(LIDT, GUEST_IDT), LOAD(V, FRAME(4)),
		/* out of PAE, or of EFER.LME, while they are in use */
		GP(CR4, 0), LOAD(V, FRAME(4)), GP(EFER, 0), LOAD64(V, FRAME(4)),
		GP(CR4, CR4_PAE | CR4_VMXE), LOAD(V, FRAME(4)),
		PAGING_OFF, LOAD(V, V),
		PAGING_3, GP(EFER, EFER_LME), LOAD(V, FRAME(3)), PAGING_OFF,
	};

	RUN(steps);
}

/* ---- the PDPTEs of PAE -------------------------------------------------------------- */

#define PDPTE		(PDPT_3 + 8)	/* for V_PAE */
#define TO_3B		(PD_3B | PTE_P)
#define TO_3C		(PD_3 | PTE_P)	/* its first entry: a large page onto 0 */
#define IN_3B		FRAME(13)
#define IN_3C		0x600d		/* at 0 */

/*
 * MOV to CR0 loads them when it changes PG, CD or NW (SDM "PDPTE Registers").  Bochs 2.7
 * does whatever it changes: that CR0.WP alone leaves them as they are is not asked.
 */
TEST_F(modes, pdptes_are_registers)
{
	static const struct step steps[] = {
		PAGING_3, LOAD(V_PAE, IN_3B),
		/* memory is not looked at again … */
		STORE(PDPTE, TO_3C), LOAD(V_PAE, IN_3B),
		AT(INVLPG, V_PAE), LOAD(V_PAE, IN_3B),
		DO(CPUID, 0), AT(INVLPG, V_PAE), LOAD(V_PAE, IN_3B),
		/* … but by these */
		DO(CR3, PDPT_3), LOAD(V_PAE, IN_3C), STORE(PDPTE, TO_3B), LOAD(V_PAE, IN_3C),
		DO(CR4, CR4_PAE | CR4_PGE), LOAD(V_PAE, IN_3B), STORE(PDPTE, TO_3C),
		DO(CR4, CR4_PAE), LOAD(V_PAE, IN_3C), STORE(PDPTE, TO_3B),
		DO(CR4, CR4_PAE | CR4_PSE), AT(INVLPG, V_PAE), LOAD(V_PAE, IN_3B),
		STORE(PDPTE, TO_3C),
		DO(CR0, CR0_ON | CR0_CD), AT(INVLPG, V_PAE), LOAD(V_PAE, IN_3C),
		STORE(PDPTE, TO_3B), DO(CR0, CR0_ON), AT(INVLPG, V_PAE), LOAD(V_PAE, IN_3B),
		/* what is not present is one of them */
		STORE(PDPTE, 0), AT(INVLPG, V_PAE), LOAD(V_PAE, IN_3B),
		DO(CR3, PDPT_3), PF(LOAD, V_PAE, 0), PF(STORE, V_PAE, 2),
		STORE(PDPTE, TO_3B), AT(INVLPG, V_PAE), PF(LOAD, V_PAE, 0),
		DO(CPUID, 0), PF(LOAD, V_PAE, 0),
		DO(CR3, PDPT_3), LOAD(V_PAE, IN_3B), PAGING_OFF,
	};
	int i;

	*(__u32 *)vm_ptr(&self->vm, 0) = IN_3C;
	for (i = 0; i < 20; i += mhv_stride(10))
		RUN(steps);
}

TEST_F(modes, smep_loads_pdptes)
{
	/* the pages of the code are the supervisor's then */
	static const struct step steps[] = {
		STORE(PD_3, PTE_P | PTE_W | PTE_PS), PAGING_3, LOAD(V_PAE, IN_3B),
		STORE(PDPTE, TO_3C), DO(CR4, CR4_PAE | CR4_SMEP), AT(INVLPG, V_PAE),
		LOAD(V_PAE, IN_3C), STORE(PDPTE, TO_3B),
		DO(CR4, CR4_PAE), AT(INVLPG, V_PAE), LOAD(V_PAE, IN_3B), PAGING_OFF,
	};

	if (!self->smep)
		SKIP(return, "the guest has no SMEP");
	*(__u32 *)vm_ptr(&self->vm, 0) = IN_3C;
	RUN(steps);
}

/* One that is present and has reserved bits is refused, and nothing changes. */
TEST_F(modes, bad_pdpte)
{
	static const struct step steps[] = {
		PAGING_3, LOAD(V_PAE, IN_3B),
		STORE(PDPTE, TO_3B | PTE_W), GP(CR3, PDPT_3), LOAD(V_PAE, IN_3B),
		GP(CR4, CR4_PAE | CR4_PGE), LOAD(V_PAE, IN_3B),
		GP(CR0, CR0_ON | CR0_CD), LOAD(V_PAE, IN_3B),
		STORE(PDPTE, TO_3B | PTE_U), GP(CR3, PDPT_3),
		STORE(PDPTE, TO_3B | 0x20), GP(CR3, PDPT_3),
		STORE(PDPTE, TO_3B | PTE_PS), GP(CR3, PDPT_3),
		STORE(PDPTE, TO_3B | PTE_G), GP(CR3, PDPT_3), LOAD(V_PAE, IN_3B),
		STORE(PDPTE, TO_3B), STORE(PDPTE + 4, 0x80000000), GP(CR3, PDPT_3),
		STORE(PDPTE + 4, 0x00080000), GP(CR3, PDPT_3), LOAD(V_PAE, IN_3B),
		/* the same by the fourth */
		STORE(PDPTE + 4, 0), STORE(PDPT_3 + 24, PTE_P | PTE_W), GP(CR3, PDPT_3),
		/* PWT, PCD, ignored bits; anything where it is not present */
		STORE(PDPT_3 + 24, 0x1e6), STORE(PDPT_3 + 28, ~0u), DO(CR3, PDPT_3),
		LOAD(V_PAE, IN_3B), STORE(PDPTE, TO_3B | 0xe18), DO(CR3, PDPT_3),
		LOAD(V_PAE, IN_3B),
		/* paging stays off */
		PAGING_OFF, STORE(PDPTE, TO_3B | PTE_W), DO(CR4, CR4_PAE), DO(CR3, PDPT_3),
		GP(CR0, CR0_ON), LOAD(V, V), STORE(PDPTE, TO_3B), DO(CR0, CR0_ON),
		LOAD(V_PAE, IN_3B), PAGING_OFF,
	};
	static const struct step pae_stays_off[] = {
		STORE(BOTH, PD_BOTH | PTE_P | PTE_W), GP(CR4, CR4_PAE), LOAD(V_BOTH, FRAME(2)),
		STORE(BOTH, PD_BOTH | PTE_P), DO(CR4, CR4_PAE), LOAD(V_BOTH, FRAME(3)),
		STORE(BOTH, PD_BOTH | PTE_P | PTE_U), GP(CR4, CR4_PAE | CR4_PGE),
		LOAD(V_BOTH, FRAME(3)), DO(CR4, 0), LOAD(V_BOTH, FRAME(2)),
		STORE(BOTH, PD_BOTH | PTE_P),
	};

	RUN(steps);
	RUN_HIGH(pae_stays_off);
}

/* ---- one bit ------------------------------------------------------------------------- */

static const struct step write_protect[] = {
	PAGING_2, STORE(PTE_2, FRAME(2) | PTE_P), AT(INVLPG, V), LOAD(V, FRAME(2)),
	PF(STORE, V, 3),
	DO(CR0, CR0_ON & ~CR0_WP), STORE(V, 1234), LOAD(V, 1234),
	DO(CR0, CR0_ON), PF(STORE, V, 3), LOAD(V, 1234),
	DO(CR0, CR0_ON & ~CR0_WP), STORE(V, FRAME(2)), DO(CR0, CR0_ON), PF(STORE, V, 3),
	STORE(PTE_2, ENTRY(2)), AT(INVLPG, V), STORE(V, FRAME(2)), PAGING_OFF,
	/* by the level above */
	STORE(PD_3 + V / 0x200000 * 8, PT_3 | PTE_P), PAGING_3, PF(STORE, V, 3),
	DO(CR0, CR0_ON & ~CR0_WP), STORE(V, FRAME(3)), LOAD(V, FRAME(3)),
	DO(CR0, CR0_ON), PF(STORE, V, 3), PAGING_OFF,
	STORE(PD_3 + V / 0x200000 * 8, PT_3 | PTE_TABLE),
};

TEST_F(modes, cr0_wp)
{
	int i;

	for (i = 0; i < 50; i += mhv_stride(10))
		RUN(write_protect);
}

#define PDE_2		(PD_2 + V / 0x400000 * 4)
#define PDE_3		(PD_3 + V / 0x200000 * 8)
#define PDE_4		(PD_4 + V / 0x200000 * 8)

/* 4 MiB, or a table that lies at their start */
TEST_F(modes, cr4_pse)
{
	static const struct step steps[] = {
		STORE(PDE_2, 0x400000 | PTE_TABLE | PTE_PS), STORE(0x400000, ENTRY(2)),
		STORE(0x400800, 0x5a5a), STORE(0x600000, ENTRY(9)),
		PAGING_2, LOAD(V, FRAME(2)),
		DO(CR4, CR4_PSE), DO(CR3, PD_2), LOAD(V, ENTRY(2) | 0x20), LOAD(V + 0x800, 0x5a5a),
		DO(CR4, 0), DO(CR3, PD_2), LOAD(V, FRAME(2)), LOAD(V + 0x800, 0),
		DO(CR4, CR4_PSE), DO(CR3, PD_2), LOAD(V + 0x800, 0x5a5a),
		/* bit 21 is reserved in a 4 MiB page alone */
		STORE(PDE_2, 0x600000 | PTE_TABLE | PTE_PS), DO(CR3, PD_2),
		PF(LOAD, V, 9), PF(STORE, V, 0xb),
		DO(CR4, 0), DO(CR3, PD_2), LOAD(V, FRAME(9)),
		PAGING_OFF, STORE(PDE_2, PT_2 | PTE_TABLE),
	};
	int i;

	for (i = 0; i < 20; i += mhv_stride(10))
		RUN(steps);
}

/* What forgets global translations, and what need not but makes all others new */
TEST_F(modes, flushes)
{
	static const struct step steps[] = {
		PAGING_2, LOAD(V, FRAME(2)), STORE(PTE_2, ENTRY(5)), DO(CR3, PD_2),
		LOAD(V, FRAME(5)), STORE(PTE_2, ENTRY(6)), AT(INVLPG, V), LOAD(V, FRAME(6)),
		DO(CR4, CR4_PGE), STORE(PTE_2, ENTRY(5) | PTE_G), AT(INVLPG, V), LOAD(V, FRAME(5)),
		STORE(PTE_2, ENTRY(6) | PTE_G), DO(CR4, 0), LOAD(V, FRAME(6)),
		STORE(PTE_2, ENTRY(7) | PTE_G), DO(CR4, CR4_PGE), LOAD(V, FRAME(7)),
		STORE(PTE_2, ENTRY(8)), AT(INVLPG, V), LOAD(V, FRAME(8)),
		STORE(PTE_2, ENTRY(5) | PTE_G), AT(INVLPG, V), LOAD(V, FRAME(5)),
		STORE(PTE_2, ENTRY(2)), DO(CR0, CR0_OFF), DO(CR0, CR0_ON), LOAD(V, FRAME(2)),
		PAGING_OFF,
		PAGING_4, DO(CR4, CR4_PAE | CR4_PGE), STORE(PTE_4, ENTRY(5) | PTE_G),
		AT(INVLPG, V), LOAD(V, FRAME(5)), STORE(PTE_4, ENTRY(6) | PTE_G),
		DO(CR4, CR4_PAE), LOAD64(V, FRAME(6)), STORE(PTE_4, ENTRY(7)),
		DO(CR4, CR4_PAE | CR4_PGE), LOAD64(V, FRAME(7)), STORE(PTE_4, ENTRY(4)),
		DO(CR3, PML4_4), LOAD64(V, FRAME(4)), PAGING_OFF,
	};
	int i;

	for (i = 0; i < 20; i += mhv_stride(10))
		RUN(steps);
}

/* SMEP forgets translations when it is switched on; the code is the supervisor's. */
TEST_F(modes, smep)
{
	static const struct step steps[] = {
		STORE(PD_4, PTE_P | PTE_W | PTE_PS), PAGING_4, LOAD(V, FRAME(4)), AT(CALL, V + 4),
		STORE(PTE_4, ENTRY(5)), DO(CR4, CR4_PAE | CR4_SMEP), LOAD(V, FRAME(5)),
		PF(CALL, V + 4, 0x11), STORE(PTE_4, FRAME(4) | PTE_P | PTE_W), AT(INVLPG, V),
		AT(CALL, V + 4), STORE(PTE_4, ENTRY(4)), AT(INVLPG, V), PF(CALL, V + 4, 0x11),
		STORE(PTE_4, 0), AT(INVLPG, V), PF(CALL, V + 4, 0x10), STORE(PTE_4, ENTRY(4)),
		DO(CR4, CR4_PAE), AT(INVLPG, V), AT(CALL, V + 4), PAGING_OFF,
	};
	int i;

	if (!self->smep)
		SKIP(return, "the guest has no SMEP");
	for (i = 0; i < 20; i += mhv_stride(10))
		RUN(steps);
}

/* Bit 63: NX, or reserved */
TEST_F(modes, efer_nxe)
{
	static const struct step steps[] = {
		PAGING_3, AT(CALL, V + 4), STORE(PTE_3 + 4, 0x80000000), AT(INVLPG, V),
		PF(LOAD, V, 9), PF(STORE, V, 0xb), PF(CALL, V + 4, 9),
		DO(EFER, EFER_NXE), DO(CR3, PDPT_3), LOAD(V, FRAME(3)), PF(CALL, V + 4, 0x11),
		STORE(V, FRAME(3)), DO(EFER, 0), DO(CR3, PDPT_3), PF(LOAD, V, 9),
		DO(EFER, EFER_NXE), DO(CR3, PDPT_3), LOAD(V, FRAME(3)),
		STORE(PTE_3 + 4, 0), AT(INVLPG, V), AT(CALL, V + 4),
		STORE(PTE_3, 0), AT(INVLPG, V), PF(CALL, V + 4, 0x10), DO(EFER, 0),
		PF(CALL, V + 4, 0), STORE(PTE_3, ENTRY(3)), PAGING_OFF,
		/* no fetch bit in the error code of 32-bit paging, NXE or not */
		STORE(PTE_2, 0), DO(EFER, EFER_NXE), PAGING_2, PF(CALL, V + 4, 0),
		STORE(PTE_2, ENTRY(2)), AT(INVLPG, V), AT(CALL, V + 4), PAGING_OFF,
		/* the level above, four levels */
		STORE(PDE_4 + 4, 0x80000000), PAGING_4, PF(LOAD64, V, 9),
		DO(EFER, EFER_LME | EFER_NXE), DO(CR3, PML4_4), LOAD64(V, FRAME(4)),
		PF(CALL, V + 4, 0x11), DO(EFER, EFER_LME), DO(CR3, PML4_4), PF(LOAD, V, 9),
		PAGING_OFF, STORE(PDE_4 + 4, 0),
	};
	int i;

	for (i = 0; i < 20; i += mhv_stride(10))
		RUN(steps);
}

/* Bits that one mode ignores and another one reserves */
TEST_F(modes, reserved_by_mode)
{
	static const struct step steps[] = {
		STORE(PTE_4 + 4, 0x7ff00000), STORE(PTE_3 + 4, 0x00100000),
		PAGING_4, LOAD64(V, FRAME(4)), PAGING_OFF,
		PAGING_3, PF(LOAD, V, 9), STORE(PTE_3 + 4, 0x40000000), PF(STORE, V, 0xb),
		PAGING_OFF,
		/* 51 is past the physical width in both */
		STORE(PTE_4 + 4, 0x00080000), STORE(PTE_3 + 4, 0x00080000),
		PAGING_4, PF(LOAD64, V, 9), PAGING_OFF,
		PAGING_3, PF(LOAD, V, 9), PAGING_OFF,
		STORE(PTE_4 + 4, 0), STORE(PTE_3 + 4, 0),
		PAGING_4, LOAD64(V, FRAME(4)), PAGING_OFF,
		PAGING_3, LOAD(V, FRAME(3)), PAGING_OFF,
	};
	int i;

	for (i = 0; i < 20; i += mhv_stride(10))
		RUN(steps);
}
