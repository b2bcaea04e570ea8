// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software check of a VMCS against the rules of VM entry.  Read from the bottom:
 * vmx_check() lists the groups in the order of the SDM's chapter "VM Entries",
 * each group lists its rules.
 *
 * Every rule is one require() that names the field to blame.  A rule about a field
 * is asked only where the field exists: VMREAD of a field that the processor lacks
 * fails, and that must not happen while a failure is being explained.
 *
 * Left out, for mhv uses none of them: CET and shadow stacks, Intel PT, LBR and
 * performance-counter MSRs, SGX, PASID translation, HLAT, user interrupts, and
 * all that concerns entries to or from SMM beyond their controls being 0.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/stdarg.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "check.h"
#include "vmcs.h"

#define VECTOR_DB	1
#define VECTOR_NMI	2
#define VECTOR_MC	18
#define VECTOR_CP	21

/* Exceptions with an error code: #DF #TS #NP #SS #GP #PF #AC */
#define ERROR_CODE_VECTORS	(BIT(8) | GENMASK(14, 10) | BIT(17))

#define DEBUGCTL_BTF		BIT_ULL(1)
#define DEBUGCTL_RESERVED	(GENMASK_ULL(5, 3) | GENMASK_ULL(63, 16))
#define EFER_VALID		(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX)
#define CR4_CET			BIT_ULL(23)
#define BNDCFGS_RESERVED	GENMASK_ULL(11, 2)
#define RFLAGS_RESERVED		(GENMASK_ULL(63, 22) | BIT_ULL(15) | BIT_ULL(5) | BIT_ULL(3))
#define PDPTE_RESERVED		(GENMASK_ULL(8, 5) | GENMASK_ULL(2, 1))
#define EPTP_RESERVED		GENMASK_ULL(11, 8)

/* struct check - one run of the check */
struct check {
	const struct vmx_check_ops *ops;
	void *ctx;
	const struct vmx_check_caps *caps;

	/* the report so far */
	char *buf;
	size_t size, len;
	unsigned int broken;

	/* read once: controls (@cpu2 is 0 where it is not in use), guest, event */
	u32 pin, cpu, cpu2, exit, entry;
	u64 cr0, cr4, rflags;
	u32 intr_info;
};

static u64 get(const struct check *c, u32 field)
{
	return c->ops->read(c->ctx, field);
}

/* ---- the report ---------------------------------------------------------- */

/* Adds a line, or nothing when it does not fit whole. */
static void __printf(2, 3) add_line(struct check *c, const char *fmt, ...)
{
	size_t room = c->size - c->len;
	va_list args;
	int n;

	if (!room)
		return;
	va_start(args, fmt);
	n = vsnprintf(c->buf + c->len, room, fmt, args);
	va_end(args);

	if (n >= 0 && (size_t)n < room)
		c->len += n;
	else
		c->buf[c->len] = '\0';
}

static void require_named(struct check *c, bool ok, u32 field, const char *name,
			  const char *rule)
{
	if (ok)
		return;
	c->broken++;
	add_line(c, "%s %#llx: %s\n", name, (unsigned long long)get(c, field), rule);
}

#define require(c, ok, field, rule) require_named(c, ok, VMCS_##field, #field, rule)

/* Names of bits that people know by name. */
struct bit_name {
	u8 bit;
	const char *name;
};

static const struct bit_name cr0_names[] = {
	{ 0, "PE" }, { 1, "MP" }, { 2, "EM" }, { 3, "TS" }, { 5, "NE" }, { 16, "WP" },
	{ 18, "AM" }, { 31, "PG" }, {}
};

static const struct bit_name cr4_names[] = {
	{ 0, "VME" }, { 1, "PVI" }, { 2, "TSD" }, { 3, "DE" }, { 4, "PSE" }, { 5, "PAE" },
	{ 6, "MCE" }, { 7, "PGE" }, { 8, "PCE" }, { 9, "OSFXSR" }, { 10, "OSXMMEXCPT" },
	{ 11, "UMIP" }, { 12, "LA57" }, { 13, "VMXE" }, { 14, "SMXE" }, { 16, "FSGSBASE" },
	{ 17, "PCIDE" }, { 18, "OSXSAVE" }, { 20, "SMEP" }, { 21, "SMAP" }, { 22, "PKE" },
	{ 23, "CET" }, { 24, "PKS" }, {}
};

static const struct bit_name no_names[] = { {} };

static const char *bit_name(const struct bit_name *names, int bit)
{
	for (; names->name; names++)
		if (names->bit == bit)
			return names->name;
	return NULL;
}

/* A line for each bit of @value that is 0 in spite of @must, or 1 without @may. */
static void require_bits(struct check *c, const char *field, u64 value, u64 must, u64 may,
			 const struct bit_name *names)
{
	u64 bad = (must & ~value) | (value & ~may);
	const char *name;
	int bit;

	for (bit = 0; bit < 64; bit++) {
		if (!(bad & BIT_ULL(bit)))
			continue;
		name = bit_name(names, bit);
		c->broken++;
		add_line(c, "%s %#llx: bit %d%s%s%s must be %d\n", field,
			 (unsigned long long)value, bit, name ? " (" : "", name ?: "",
			 name ? ")" : "", !!(must & BIT_ULL(bit)));
	}
}

/* ---- predicates ---------------------------------------------------------- */

static bool within_phys(const struct check *c, u64 addr)
{
	return !(addr >> c->caps->phys_bits);
}

static bool canonical(const struct check *c, u64 addr)
{
	int unused = 64 - c->caps->linear_bits;

	return (u64)((s64)(addr << unused) >> unused) == addr;
}

static bool pat_valid(u64 pat)
{
	int i;

	for (i = 0; i < 8; i++, pat >>= 8) {
		switch (pat & 0xff) {
		case VMX_MEMTYPE_UC:
		case VMX_MEMTYPE_WC:
		case VMX_MEMTYPE_WT:
		case VMX_MEMTYPE_WP:
		case VMX_MEMTYPE_WB:
		case VMX_MEMTYPE_UC_MINUS:
			continue;
		default:
			return false;
		}
	}
	return true;
}

static bool unrestricted(const struct check *c)
{
	return c->cpu2 & CPU2_UNRESTRICTED_GUEST;
}

static bool long_mode(const struct check *c)
{
	return c->entry & ENTRY_IA32E_MODE;
}

static bool injects(const struct check *c, u32 type)
{
	return (c->intr_info & INTR_INFO_VALID) && (c->intr_info & INTR_INFO_TYPE) == type;
}

static u32 vector(const struct check *c)
{
	return c->intr_info & INTR_INFO_VECTOR;
}

static u32 may_be_1(u64 ctl_caps)
{
	return ctl_caps >> 32;
}

static void require_canonical(struct check *c, u32 field, const char *name)
{
	require_named(c, canonical(c, get(c, field)), field, name, "must be canonical");
}

/* ---- controls: addresses -------------------------------------------------- */

/* Which control word decides that an address is in use. */
enum ctl_word { WORD_PIN, WORD_CPU, WORD_CPU2 };

struct address_rule {
	u32 field;
	const char *name;
	enum ctl_word word;
	u32 control;
	u32 low_bits;	/* must be 0 */
};

#define ADDRESS(f, w, bit, low) \
	{ .field = VMCS_CTRL_##f, .name = "CTRL_" #f, .word = WORD_##w, .control = (bit), \
	  .low_bits = (low) }

static const struct address_rule address_rules[] = {
	ADDRESS(IO_BITMAP_A, CPU, CPU_IO_BITMAPS, 0xfff),
	ADDRESS(IO_BITMAP_B, CPU, CPU_IO_BITMAPS, 0xfff),
	ADDRESS(MSR_BITMAP, CPU, CPU_MSR_BITMAPS, 0xfff),
	ADDRESS(VIRTUAL_APIC_ADDR, CPU, CPU_TPR_SHADOW, 0xfff),
	ADDRESS(APIC_ACCESS_ADDR, CPU2, CPU2_VIRTUAL_APIC_ACCESSES, 0xfff),
	ADDRESS(POSTED_INTR_DESC, PIN, PIN_POSTED_INTR, 0x3f),
	ADDRESS(PML_ADDR, CPU2, CPU2_PML, 0xfff),
	ADDRESS(SPP_TABLE, CPU2, CPU2_SUB_PAGE_WRITE, 0xfff),
	ADDRESS(VMREAD_BITMAP, CPU2, CPU2_VMCS_SHADOWING, 0xfff),
	ADDRESS(VMWRITE_BITMAP, CPU2, CPU2_VMCS_SHADOWING, 0xfff),
	ADDRESS(VE_INFO_ADDR, CPU2, CPU2_EPT_VE, 0xfff),
};

static u32 control_word(const struct check *c, enum ctl_word word)
{
	switch (word) {
	case WORD_PIN:
		return c->pin;
	case WORD_CPU:
		return c->cpu;
	default:
		return c->cpu2;
	}
}

static void check_addresses(struct check *c)
{
	const struct address_rule *r = address_rules;
	const struct address_rule *end = r + sizeof(address_rules) / sizeof(*r);
	u64 addr;

	for (; r < end; r++) {
		if (!(control_word(c, r->word) & r->control))
			continue;
		addr = get(c, r->field);
		require_named(c, !(addr & r->low_bits), r->field, r->name,
			      r->low_bits == 0x3f ? "must be 64-byte aligned" :
						    "must be 4 KiB aligned");
		require_named(c, within_phys(c, addr), r->field, r->name,
			      "is beyond the physical-address width");
	}
}

/* ---- controls: one needs another ------------------------------------------ */

static void check_reserved_controls(struct check *c)
{
	const struct vmx_check_caps *caps = c->caps;

	require_bits(c, "CTRL_PIN", c->pin, (u32)caps->pin, may_be_1(caps->pin), no_names);
	require_bits(c, "CTRL_CPU", c->cpu, (u32)caps->cpu, may_be_1(caps->cpu), no_names);
	if (c->cpu & CPU_SECONDARY_CONTROLS)
		require_bits(c, "CTRL_CPU2", c->cpu2, (u32)caps->cpu2, may_be_1(caps->cpu2),
			     no_names);
	if (c->cpu & CPU_TERTIARY_CONTROLS)
		require_bits(c, "CTRL_TERTIARY", get(c, VMCS_CTRL_TERTIARY), 0, caps->cpu3,
			     no_names);
	require_bits(c, "CTRL_EXIT", c->exit, (u32)caps->exit, may_be_1(caps->exit), no_names);
	if (c->exit & EXIT_SECONDARY_CONTROLS)
		require_bits(c, "CTRL_EXIT2", get(c, VMCS_CTRL_EXIT2), 0, caps->exit2,
			     no_names);
	require_bits(c, "CTRL_ENTRY", c->entry, (u32)caps->entry, may_be_1(caps->entry),
		     no_names);
}

static void check_interrupt_controls(struct check *c)
{
	bool nmi_exiting = c->pin & PIN_NMI_EXITING;
	bool virtual_nmis = c->pin & PIN_VIRTUAL_NMIS;
	bool posted = c->pin & PIN_POSTED_INTR;
	bool delivery = c->cpu2 & CPU2_VIRTUAL_INTR_DELIVERY;

	require(c, !virtual_nmis || nmi_exiting, CTRL_PIN,
		"bit 5 (virtual NMIs) needs bit 3 (NMI exiting)");
	require(c, !(c->cpu & CPU_NMI_WINDOW_EXITING) || virtual_nmis, CTRL_CPU,
		"bit 22 (NMI-window exiting) needs virtual NMIs");
	require(c, !delivery || (c->pin & PIN_EXT_INTR_EXITING), CTRL_CPU2,
		"bit 9 (virtual-interrupt delivery) needs external-interrupt exiting");
	require(c, !posted || delivery, CTRL_PIN,
		"bit 7 (posted interrupts) needs virtual-interrupt delivery");
	require(c, !posted || (c->exit & EXIT_ACK_INTR), CTRL_PIN,
		"bit 7 (posted interrupts) needs acknowledge interrupt on exit");
	if (posted)
		require(c, get(c, VMCS_CTRL_POSTED_INTR_VECTOR) <= 0xff,
			CTRL_POSTED_INTR_VECTOR, "bits 15:8 must be 0");
}

/* Without delivery of virtual interrupts the threshold may not exceed VTPR. */
static void check_tpr_threshold(struct check *c)
{
	u32 threshold = get(c, VMCS_CTRL_TPR_THRESHOLD);
	u64 page = get(c, VMCS_CTRL_VIRTUAL_APIC_ADDR);
	u64 vtpr;

	require(c, threshold <= 0xf, CTRL_TPR_THRESHOLD, "bits 31:4 must be 0");
	if (c->cpu2 & CPU2_VIRTUAL_APIC_ACCESSES)
		return;
	if (!within_phys(c, page) || (page & 0xfff))
		return;
	if (c->ops->read_mem && c->ops->read_mem(c->ctx, page + 0x80, &vtpr))
		require(c, (threshold & 0xf) <= ((vtpr >> 4) & 0xf), CTRL_TPR_THRESHOLD,
			"must not exceed bits 7:4 of VTPR");
}

static void check_apic_controls(struct check *c)
{
	bool x2apic = c->cpu2 & CPU2_VIRTUAL_X2APIC;
	bool delivery = c->cpu2 & CPU2_VIRTUAL_INTR_DELIVERY;

	require(c, !x2apic || !(c->cpu2 & CPU2_VIRTUAL_APIC_ACCESSES), CTRL_CPU2,
		"bits 0 and 4 (virtualize APIC accesses, x2APIC mode) exclude each other");
	if (c->cpu & CPU_TPR_SHADOW) {
		if (!delivery)
			check_tpr_threshold(c);
		return;
	}
	require(c, !x2apic, CTRL_CPU2, "bit 4 (virtualize x2APIC mode) needs TPR shadow");
	require(c, !(c->cpu2 & CPU2_APIC_REGISTER_VIRT), CTRL_CPU2,
		"bit 8 (APIC-register virtualization) needs TPR shadow");
	require(c, !delivery, CTRL_CPU2,
		"bit 9 (virtual-interrupt delivery) needs TPR shadow");
}

static void check_eptp(struct check *c)
{
	u64 eptp = get(c, VMCS_CTRL_EPTP);
	u64 cap = c->caps->ept_vpid;
	u64 type = eptp & EPTP_MEMTYPE_MASK;
	u64 walk = eptp & EPTP_WALK_MASK;
	bool type_ok = (type == VMX_MEMTYPE_UC && (cap & EPT_CAP_UC)) ||
		       (type == VMX_MEMTYPE_WB && (cap & EPT_CAP_WB));
	bool walk_ok = (walk == EPTP_WALK_4 && (cap & EPT_CAP_WALK_4)) ||
		       (walk == EPTP_WALK_5 && (cap & EPT_CAP_WALK_5));

	require(c, type_ok, CTRL_EPTP,
		"bits 2:0 are no memory type that the processor has for EPT");
	require(c, walk_ok, CTRL_EPTP,
		"bits 5:3 are no page-walk length that the processor has");
	require(c, !(eptp & EPTP_AD) || (cap & EPT_CAP_AD), CTRL_EPTP,
		"bit 6 is set but EPT has no accessed and dirty flags here");
	require(c, !(eptp & EPTP_SHADOW_STACK) || (cap & EPT_CAP_SHADOW_STACK), CTRL_EPTP,
		"bit 7 is set but EPT knows no supervisor shadow stacks here");
	require(c, !(eptp & EPTP_RESERVED), CTRL_EPTP, "bits 11:8 must be 0");
	require(c, within_phys(c, eptp), CTRL_EPTP, "is beyond the physical-address width");
}

static void check_ept_controls(struct check *c)
{
	bool ept = c->cpu2 & CPU2_EPT;

	if (ept)
		check_eptp(c);
	require(c, ept || !unrestricted(c), CTRL_CPU2,
		"bit 7 (unrestricted guest) needs EPT");
	require(c, ept || !(c->cpu2 & CPU2_PML), CTRL_CPU2,
		"bit 17 (page-modification logging) needs EPT");
	require(c, ept || !(c->cpu2 & CPU2_MODE_BASED_EXEC), CTRL_CPU2,
		"bit 22 (mode-based execute control) needs EPT");
	require(c, ept || !(c->cpu2 & CPU2_SUB_PAGE_WRITE), CTRL_CPU2,
		"bit 23 (sub-page write permissions) needs EPT");
	require(c, ept || !(c->cpu2 & CPU2_PT_USES_GPA), CTRL_CPU2,
		"bit 24 (Intel PT uses guest physical addresses) needs EPT");
}

static void check_vmfunc(struct check *c)
{
	u64 functions = get(c, VMCS_CTRL_VMFUNC);
	u64 list;

	require_bits(c, "CTRL_VMFUNC", functions, 0, c->caps->vmfunc, no_names);
	if (!(functions & BIT_ULL(0)))
		return;
	list = get(c, VMCS_CTRL_EPTP_LIST);
	require(c, c->cpu2 & CPU2_EPT, CTRL_VMFUNC, "bit 0 (EPTP switching) needs EPT");
	require(c, !(list & 0xfff), CTRL_EPTP_LIST, "must be 4 KiB aligned");
	require(c, within_phys(c, list), CTRL_EPTP_LIST,
		"is beyond the physical-address width");
}

static void check_other_controls(struct check *c)
{
	u64 targets = VMX_MISC_CR3_TARGETS(c->caps->misc);

	require(c, get(c, VMCS_CTRL_CR3_TARGET_COUNT) <= targets, CTRL_CR3_TARGET_COUNT,
		"is more than the processor has");
	if (c->cpu2 & CPU2_VPID)
		require(c, get(c, VMCS_CTRL_VPID), CTRL_VPID, "must not be 0");
	if (c->cpu2 & CPU2_TSC_SCALING)
		require(c, get(c, VMCS_CTRL_TSC_MULTIPLIER), CTRL_TSC_MULTIPLIER,
			"must not be 0");
	if (c->cpu2 & CPU2_VMFUNC)
		check_vmfunc(c);
	require(c, (c->pin & PIN_PREEMPTION_TIMER) || !(c->exit & EXIT_SAVE_PREEMPTION_TIMER),
		CTRL_EXIT, "bit 22 (save preemption timer) needs the timer");
	require(c, !(c->entry & ENTRY_TO_SMM), CTRL_ENTRY,
		"bit 10 (entry to SMM) must be 0 outside SMM");
	require(c, !(c->entry & ENTRY_NO_DUAL_MONITOR), CTRL_ENTRY,
		"bit 11 (deactivate dual-monitor treatment) must be 0 outside SMM");
}

/* ---- controls: MSR areas ---------------------------------------------------- */

struct msr_area {
	u32 count_field, addr_field;
	const char *addr_name;
	bool loads;
};

static const struct msr_area msr_areas[] = {
	{ VMCS_CTRL_EXIT_MSR_STORE_COUNT, VMCS_CTRL_EXIT_MSR_STORE_ADDR,
	  "CTRL_EXIT_MSR_STORE_ADDR", false },
	{ VMCS_CTRL_EXIT_MSR_LOAD_COUNT, VMCS_CTRL_EXIT_MSR_LOAD_ADDR,
	  "CTRL_EXIT_MSR_LOAD_ADDR", true },
	{ VMCS_CTRL_ENTRY_MSR_LOAD_COUNT, VMCS_CTRL_ENTRY_MSR_LOAD_ADDR,
	  "CTRL_ENTRY_MSR_LOAD_ADDR", true },
};

static bool msr_loadable(u64 entry)
{
	u32 index = entry;

	return index != MSR_FS_BASE && index != MSR_GS_BASE && (index >> 8) != 8;
}

/* Entries of 16 bytes: index, 32 reserved bits, value. */
static void check_msr_entries(struct check *c, const struct msr_area *area, u64 addr, u64 count)
{
	u64 i, entry;

	for (i = 0; i < count && c->ops->read_mem; i++) {
		if (!c->ops->read_mem(c->ctx, addr + 16 * i, &entry))
			return;
		require_named(c, !(entry >> 32), area->addr_field, area->addr_name,
			      "an entry has reserved bits 63:32 set");
		require_named(c, !area->loads || msr_loadable(entry), area->addr_field,
			      area->addr_name,
			      "an entry names an MSR that cannot be loaded this way");
	}
}

static void check_msr_area(struct check *c, const struct msr_area *area)
{
	u64 count = get(c, area->count_field);
	u64 addr;

	if (!count)
		return;
	addr = get(c, area->addr_field);
	require_named(c, !(addr & 0xf), area->addr_field, area->addr_name,
		      "must be 16-byte aligned");
	require_named(c, within_phys(c, addr) && within_phys(c, addr + 16 * count - 1),
		      area->addr_field, area->addr_name,
		      "the area passes the physical-address width");
	if (!(addr & 0xf) && count <= VMX_MISC_MSR_LIST_MAX(c->caps->misc))
		check_msr_entries(c, area, addr, count);
}

static void check_msr_areas(struct check *c)
{
	size_t i;

	for (i = 0; i < sizeof(msr_areas) / sizeof(*msr_areas); i++)
		check_msr_area(c, &msr_areas[i]);
}

/* ---- controls: event injection ---------------------------------------------- */

static bool vector_has_error_code(const struct check *c)
{
	if (vector(c) == VECTOR_CP)
		return c->caps->cr4_fixed1 & CR4_CET;
	return vector(c) < 32 && (ERROR_CODE_VECTORS & BIT(vector(c)));
}

static void check_error_code(struct check *c)
{
	bool has = c->intr_info & INTR_INFO_ERROR_CODE;
	bool real_mode = unrestricted(c) && !(c->cr0 & X86_CR0_PE);

	if (real_mode)
		require(c, !has, CTRL_ENTRY_INTR_INFO,
			"no exception has an error code in real mode");
	else if (!injects(c, INTR_HARD_EXCEPTION))
		require(c, !has, CTRL_ENTRY_INTR_INFO,
			"only hardware exceptions have an error code");
	else if (!(c->caps->basic & VMX_BASIC_ANY_ERROR_CODE))
		require(c, has == vector_has_error_code(c), CTRL_ENTRY_INTR_INFO,
			has ? "this vector has no error code" : "this vector has an error code");
	if (has)
		require(c, get(c, VMCS_CTRL_ENTRY_ERROR_CODE) <= 0xffff,
			CTRL_ENTRY_ERROR_CODE, "bits 31:16 must be 0");
}

static bool event_type_valid(const struct check *c)
{
	switch (c->intr_info & INTR_INFO_TYPE) {
	case INTR_EXT:
	case INTR_NMI:
	case INTR_HARD_EXCEPTION:
	case INTR_SOFT:
	case INTR_PRIV_SOFT_EXCEPTION:
	case INTR_SOFT_EXCEPTION:
		return true;
	case INTR_OTHER:
		return may_be_1(c->caps->cpu) & CPU_MONITOR_TRAP_FLAG;
	default:
		return false;
	}
}

static bool event_has_insn(const struct check *c)
{
	return injects(c, INTR_SOFT) || injects(c, INTR_PRIV_SOFT_EXCEPTION) ||
	       injects(c, INTR_SOFT_EXCEPTION);
}

static void check_event(struct check *c)
{
	u64 len;

	if (!(c->intr_info & INTR_INFO_VALID))
		return;
	require(c, event_type_valid(c), CTRL_ENTRY_INTR_INFO, "bits 10:8 are no event type");
	require(c, !injects(c, INTR_NMI) || vector(c) == VECTOR_NMI, CTRL_ENTRY_INTR_INFO,
		"an NMI has vector 2");
	require(c, !injects(c, INTR_HARD_EXCEPTION) || vector(c) < 32, CTRL_ENTRY_INTR_INFO,
		"an exception's vector is below 32");
	require(c, !injects(c, INTR_OTHER) || !vector(c), CTRL_ENTRY_INTR_INFO,
		"a pending monitor trap has vector 0");
	require(c, !(c->intr_info & INTR_INFO_ENTRY_RESERVED), CTRL_ENTRY_INTR_INFO,
		"bits 30:12 must be 0");
	check_error_code(c);
	if (!event_has_insn(c))
		return;
	len = get(c, VMCS_CTRL_ENTRY_INSN_LEN);
	require(c, len <= 15, CTRL_ENTRY_INSN_LEN, "is longer than an instruction");
	require(c, len || (c->caps->misc & VMX_MISC_INSN_LEN_0), CTRL_ENTRY_INSN_LEN,
		"must not be 0 on this processor");
}

static void check_controls(struct check *c)
{
	check_reserved_controls(c);
	check_addresses(c);
	check_interrupt_controls(c);
	check_apic_controls(c);
	check_ept_controls(c);
	check_other_controls(c);
	check_msr_areas(c);
	check_event(c);
}

/* ---- host state ----------------------------------------------------------- */

/* NW and CD are not touched by entry and exit, hence never checked. */
#define CR0_UNCHECKED	(X86_CR0_NW | X86_CR0_CD)

static void check_host_registers(struct check *c)
{
	const struct vmx_check_caps *caps = c->caps;
	u64 cr4 = get(c, VMCS_HOST_CR4);
	u64 efer, lm = EFER_LMA | EFER_LME;

	require_bits(c, "HOST_CR0", get(c, VMCS_HOST_CR0), caps->cr0_fixed0 & ~CR0_UNCHECKED,
		     caps->cr0_fixed1 | CR0_UNCHECKED, cr0_names);
	require_bits(c, "HOST_CR4", cr4, caps->cr4_fixed0, caps->cr4_fixed1, cr4_names);
	require(c, within_phys(c, get(c, VMCS_HOST_CR3)), HOST_CR3,
		"is beyond the physical-address width");
	require_canonical(c, VMCS_HOST_SYSENTER_ESP, "HOST_SYSENTER_ESP");
	require_canonical(c, VMCS_HOST_SYSENTER_EIP, "HOST_SYSENTER_EIP");
	if (c->exit & EXIT_LOAD_PAT)
		require(c, pat_valid(get(c, VMCS_HOST_PAT)), HOST_PAT,
			"holds a byte that is no memory type");
	if (c->exit & EXIT_LOAD_PKRS)
		require(c, !(get(c, VMCS_HOST_PKRS) >> 32), HOST_PKRS, "bits 63:32 must be 0");

	/* a 64-bit kernel runs this, so the host is in IA-32e mode */
	require(c, c->exit & EXIT_HOST_64BIT, CTRL_EXIT,
		"bit 9 (host address-space size) must be 1 for a 64-bit host");
	require(c, cr4 & X86_CR4_PAE, HOST_CR4, "bit 5 (PAE) must be 1 for a 64-bit host");
	require_canonical(c, VMCS_HOST_RIP, "HOST_RIP");
	if (!(c->exit & EXIT_LOAD_EFER))
		return;
	efer = get(c, VMCS_HOST_EFER);
	require(c, !(efer & ~(u64)EFER_VALID), HOST_EFER, "has reserved bits set");
	require(c, (efer & lm) == lm, HOST_EFER, "LMA and LME must be 1 for a 64-bit host");
}

struct field_name {
	u32 field;
	const char *name;
};

#define FIELD(f) { VMCS_##f, #f }

static void check_host_segments(struct check *c)
{
	static const struct field_name selectors[] = {
		FIELD(HOST_ES_SELECTOR), FIELD(HOST_CS_SELECTOR), FIELD(HOST_SS_SELECTOR),
		FIELD(HOST_DS_SELECTOR), FIELD(HOST_FS_SELECTOR), FIELD(HOST_GS_SELECTOR),
		FIELD(HOST_TR_SELECTOR), {}
	};
	static const struct field_name bases[] = {
		FIELD(HOST_FS_BASE), FIELD(HOST_GS_BASE), FIELD(HOST_TR_BASE),
		FIELD(HOST_GDTR_BASE), FIELD(HOST_IDTR_BASE), {}
	};
	const struct field_name *f;

	for (f = selectors; f->name; f++)
		require_named(c, !(get(c, f->field) & 7), f->field, f->name,
			      "bits 2:0 (RPL, TI) must be 0");
	require(c, get(c, VMCS_HOST_CS_SELECTOR), HOST_CS_SELECTOR, "must not be 0");
	require(c, get(c, VMCS_HOST_TR_SELECTOR), HOST_TR_SELECTOR, "must not be 0");
	for (f = bases; f->name; f++)
		require_canonical(c, f->field, f->name);
}

static void check_host(struct check *c)
{
	check_host_registers(c);
	check_host_segments(c);
}

/* ---- guest control registers, debug registers, MSRs -------------------------- */

static void check_guest_crs(struct check *c)
{
	const struct vmx_check_caps *caps = c->caps;
	u64 cr0_free = CR0_UNCHECKED;
	bool pg = c->cr0 & X86_CR0_PG;

	if (unrestricted(c))
		cr0_free |= X86_CR0_PE | X86_CR0_PG;
	require_bits(c, "GUEST_CR0", c->cr0, caps->cr0_fixed0 & ~cr0_free,
		     caps->cr0_fixed1 | cr0_free, cr0_names);
	require(c, !pg || (c->cr0 & X86_CR0_PE), GUEST_CR0, "bit 31 (PG) needs bit 0 (PE)");
	require_bits(c, "GUEST_CR4", c->cr4, caps->cr4_fixed0, caps->cr4_fixed1, cr4_names);
	require(c, !(c->cr4 & CR4_CET) || (c->cr0 & X86_CR0_WP), GUEST_CR4,
		"bit 23 (CET) needs CR0.WP");
	require(c, within_phys(c, get(c, VMCS_GUEST_CR3)), GUEST_CR3,
		"is beyond the physical-address width");
	if (long_mode(c)) {
		require(c, pg, GUEST_CR0, "bit 31 (PG) must be 1 in IA-32e mode");
		require(c, c->cr4 & X86_CR4_PAE, GUEST_CR4,
			"bit 5 (PAE) must be 1 in IA-32e mode");
	} else {
		require(c, !(c->cr4 & X86_CR4_PCIDE), GUEST_CR4,
			"bit 17 (PCIDE) must be 0 outside IA-32e mode");
	}
}

static void check_guest_debug(struct check *c)
{
	if (!(c->entry & ENTRY_LOAD_DEBUG_CONTROLS))
		return;
	require(c, !(get(c, VMCS_GUEST_DEBUGCTL) & DEBUGCTL_RESERVED), GUEST_DEBUGCTL,
		"has reserved bits set");
	require(c, !(get(c, VMCS_GUEST_DR7) >> 32), GUEST_DR7, "bits 63:32 must be 0");
}

static void check_guest_efer(struct check *c)
{
	u64 efer = get(c, VMCS_GUEST_EFER);
	bool lma = efer & EFER_LMA;
	bool lme = efer & EFER_LME;

	require(c, !(efer & ~(u64)EFER_VALID), GUEST_EFER, "has reserved bits set");
	require(c, lma == long_mode(c), GUEST_EFER,
		"bit 10 (LMA) must equal the entry control IA-32e mode guest");
	require(c, !(c->cr0 & X86_CR0_PG) || lma == lme, GUEST_EFER,
		"bits 8 (LME) and 10 (LMA) must be equal while CR0.PG is 1");
}

static void check_guest_msrs(struct check *c)
{
	u64 value;

	require_canonical(c, VMCS_GUEST_SYSENTER_ESP, "GUEST_SYSENTER_ESP");
	require_canonical(c, VMCS_GUEST_SYSENTER_EIP, "GUEST_SYSENTER_EIP");
	if (c->entry & ENTRY_LOAD_PAT)
		require(c, pat_valid(get(c, VMCS_GUEST_PAT)), GUEST_PAT,
			"holds a byte that is no memory type");
	if (c->entry & ENTRY_LOAD_EFER)
		check_guest_efer(c);
	if (c->entry & ENTRY_LOAD_BNDCFGS) {
		value = get(c, VMCS_GUEST_BNDCFGS);
		require(c, !(value & BNDCFGS_RESERVED), GUEST_BNDCFGS, "bits 11:2 must be 0");
		require(c, canonical(c, value & ~0xfffull), GUEST_BNDCFGS,
			"the base must be canonical");
	}
	if (c->entry & ENTRY_LOAD_PKRS)
		require(c, !(get(c, VMCS_GUEST_PKRS) >> 32), GUEST_PKRS,
			"bits 63:32 must be 0");
}

/* ---- guest segments ---------------------------------------------------------- */

/* struct seg - a segment register as the VMCS has it */
struct seg {
	int nr;
	u32 selector, limit, ar;
	u64 base;
	bool usable;
};

#define SEG_NAMES(r) { "GUEST_" #r "_SELECTOR", "GUEST_" #r "_BASE", "GUEST_" #r "_LIMIT", \
		       "GUEST_" #r "_AR" }

static const struct { const char *selector, *base, *limit, *ar; } seg_names[] = {
	[VMCS_SEG_ES] = SEG_NAMES(ES), [VMCS_SEG_CS] = SEG_NAMES(CS),
	[VMCS_SEG_SS] = SEG_NAMES(SS), [VMCS_SEG_DS] = SEG_NAMES(DS),
	[VMCS_SEG_FS] = SEG_NAMES(FS), [VMCS_SEG_GS] = SEG_NAMES(GS),
	[VMCS_SEG_LDTR] = SEG_NAMES(LDTR), [VMCS_SEG_TR] = SEG_NAMES(TR),
};

static struct seg get_seg(const struct check *c, int nr)
{
	struct seg s = {
		.nr = nr,
		.selector = get(c, VMCS_GUEST_SELECTOR(nr)),
		.limit = get(c, VMCS_GUEST_LIMIT(nr)),
		.ar = get(c, VMCS_GUEST_AR(nr)),
		.base = get(c, VMCS_GUEST_BASE(nr)),
	};

	s.usable = !(s.ar & SEG_AR_UNUSABLE);
	return s;
}

static u32 seg_type(const struct seg *s)
{
	return s->ar & SEG_AR_TYPE_MASK;
}

static u32 seg_dpl(const struct seg *s)
{
	return (s->ar & SEG_AR_DPL_MASK) >> SEG_AR_DPL_SHIFT;
}

static void require_selector(struct check *c, const struct seg *s, bool ok, const char *rule)
{
	require_named(c, ok, VMCS_GUEST_SELECTOR(s->nr), seg_names[s->nr].selector, rule);
}

static void require_base(struct check *c, const struct seg *s, bool ok, const char *rule)
{
	require_named(c, ok, VMCS_GUEST_BASE(s->nr), seg_names[s->nr].base, rule);
}

static void require_ar(struct check *c, const struct seg *s, bool ok, const char *rule)
{
	require_named(c, ok, VMCS_GUEST_AR(s->nr), seg_names[s->nr].ar, rule);
}

/* Rules for every usable segment but those of virtual-8086 mode. */
static void check_seg_common(struct check *c, const struct seg *s, bool system)
{
	bool g = s->ar & SEG_AR_G;

	require_ar(c, s, !!(s->ar & SEG_AR_S) != system,
		   system ? "bit 4 (S) must be 0 for a system segment" :
			    "bit 4 (S) must be 1 for code and data");
	require_ar(c, s, s->ar & SEG_AR_P, "bit 7 (P) must be 1");
	require_ar(c, s, !(s->ar & SEG_AR_RESERVED), "bits 11:8 and 31:17 must be 0");
	require_ar(c, s, !g || (s->limit & 0xfff) == 0xfff,
		   "bit 15 (G) must be 0 unless bits 11:0 of the limit are 1");
	require_ar(c, s, g || !(s->limit & 0xfff00000),
		   "bit 15 (G) must be 1 when bits 31:20 of the limit are not 0");
}

/* Virtual-8086 mode: all is given by the selector. */
static void check_seg_v8086(struct check *c, const struct seg *s)
{
	require_base(c, s, s->base == (u64)s->selector << 4,
		     "must be the selector times 16 in virtual-8086 mode");
	require_named(c, s->limit == 0xffff, VMCS_GUEST_LIMIT(s->nr), seg_names[s->nr].limit,
		      "must be 0xffff in virtual-8086 mode");
	require_ar(c, s, s->ar == 0xf3, "must be 0xf3 in virtual-8086 mode");
}

static void check_cs_dpl(struct check *c, const struct seg *cs, const struct seg *ss)
{
	switch (seg_type(cs)) {
	case 3:
		require_ar(c, cs, !seg_dpl(cs), "DPL of a data segment in CS must be 0");
		break;
	case 9:
	case 11:
		require_ar(c, cs, seg_dpl(cs) == seg_dpl(ss), "DPL must be that of SS");
		break;
	case 13:
	case 15:
		require_ar(c, cs, seg_dpl(cs) <= seg_dpl(ss),
			   "DPL of conforming code must not exceed that of SS");
		break;
	}
}

static void check_cs(struct check *c, const struct seg *cs, const struct seg *ss)
{
	u32 type = seg_type(cs);
	bool code = (type & 9) == 9;

	require_base(c, cs, !(cs->base >> 32), "bits 63:32 must be 0");
	require_ar(c, cs, code || (type == 3 && unrestricted(c)),
		   unrestricted(c) ? "type must be accessed code, or 3" :
				     "type must be accessed code");
	check_cs_dpl(c, cs, ss);
	require_ar(c, cs, !long_mode(c) || !(cs->ar & SEG_AR_L) || !(cs->ar & SEG_AR_DB),
		   "bit 14 (D/B) must be 0 in 64-bit mode");
	check_seg_common(c, cs, false);
}

/* SS.DPL is the CPL: it counts also where SS is unusable. */
static void check_ss(struct check *c, const struct seg *ss, const struct seg *cs)
{
	u32 type = seg_type(ss);

	if (!unrestricted(c)) {
		require_selector(c, ss, (ss->selector & 3) == (cs->selector & 3),
				 "RPL must be that of CS");
		require_ar(c, ss, seg_dpl(ss) == (ss->selector & 3),
			   "DPL must be the selector's RPL");
	}
	if (seg_type(cs) == 3 || !(c->cr0 & X86_CR0_PE))
		require_ar(c, ss, !seg_dpl(ss),
			   "DPL must be 0 in real mode and with a data segment in CS");
	if (!ss->usable)
		return;
	require_ar(c, ss, type == 3 || type == 7, "type must be accessed writable data");
	require_base(c, ss, !(ss->base >> 32), "bits 63:32 must be 0");
	check_seg_common(c, ss, false);
}

static void check_data_seg(struct check *c, int nr)
{
	struct seg s = get_seg(c, nr);
	u32 type = seg_type(&s);

	if (nr == VMCS_SEG_FS || nr == VMCS_SEG_GS)
		require_base(c, &s, canonical(c, s.base), "must be canonical");
	if (!s.usable)
		return;
	if (nr == VMCS_SEG_DS || nr == VMCS_SEG_ES)
		require_base(c, &s, !(s.base >> 32), "bits 63:32 must be 0");
	require_ar(c, &s, type & 1, "type must be accessed");
	require_ar(c, &s, !(type & 8) || (type & 2), "type must not be execute-only code");
	if (!unrestricted(c) && type < 12)
		require_ar(c, &s, seg_dpl(&s) >= (s.selector & 3),
			   "DPL must not be below the selector's RPL");
	check_seg_common(c, &s, false);
}

static void check_tr(struct check *c)
{
	struct seg tr = get_seg(c, VMCS_SEG_TR);
	u32 type = seg_type(&tr);

	require_selector(c, &tr, !(tr.selector & 4), "bit 2 (TI) must be 0");
	require_base(c, &tr, canonical(c, tr.base), "must be canonical");
	require_ar(c, &tr, type == 11 || (type == 3 && !long_mode(c)),
		   long_mode(c) ? "type must be 11 (busy 64-bit TSS)" :
				  "type must be 3 or 11 (busy TSS)");
	require_ar(c, &tr, tr.usable, "bit 16 (unusable) must be 0");
	check_seg_common(c, &tr, true);
}

static void check_ldtr(struct check *c)
{
	struct seg ldtr = get_seg(c, VMCS_SEG_LDTR);

	if (!ldtr.usable)
		return;
	require_selector(c, &ldtr, !(ldtr.selector & 4), "bit 2 (TI) must be 0");
	require_base(c, &ldtr, canonical(c, ldtr.base), "must be canonical");
	require_ar(c, &ldtr, seg_type(&ldtr) == 2, "type must be 2 (LDT)");
	check_seg_common(c, &ldtr, true);
}

static void check_guest_segments(struct check *c)
{
	static const u8 data[] = { VMCS_SEG_ES, VMCS_SEG_DS, VMCS_SEG_FS, VMCS_SEG_GS };
	struct seg cs = get_seg(c, VMCS_SEG_CS);
	struct seg ss = get_seg(c, VMCS_SEG_SS);
	struct seg s;
	size_t i;

	check_tr(c);
	check_ldtr(c);
	if (c->rflags & X86_EFLAGS_VM) {
		for (i = VMCS_SEG_ES; i <= VMCS_SEG_GS; i++) {
			s = get_seg(c, i);
			check_seg_v8086(c, &s);
		}
		return;
	}
	check_cs(c, &cs, &ss);
	check_ss(c, &ss, &cs);
	for (i = 0; i < sizeof(data); i++)
		check_data_seg(c, data[i]);
}

/* ---- guest descriptor tables, RIP, RFLAGS ------------------------------------- */

static void check_guest_tables(struct check *c)
{
	require_canonical(c, VMCS_GUEST_GDTR_BASE, "GUEST_GDTR_BASE");
	require_canonical(c, VMCS_GUEST_IDTR_BASE, "GUEST_IDTR_BASE");
	require(c, get(c, VMCS_GUEST_GDTR_LIMIT) <= 0xffff, GUEST_GDTR_LIMIT,
		"bits 31:16 must be 0");
	require(c, get(c, VMCS_GUEST_IDTR_LIMIT) <= 0xffff, GUEST_IDTR_LIMIT,
		"bits 31:16 must be 0");
}

static void check_guest_rip(struct check *c)
{
	u64 rip = get(c, VMCS_GUEST_RIP);
	s64 upper = (s64)rip >> c->caps->linear_bits;

	if (long_mode(c) && (get(c, VMCS_GUEST_CS_AR) & SEG_AR_L))
		require(c, upper == 0 || upper == -1, GUEST_RIP,
			"the bits above the linear-address width must be equal");
	else
		require(c, !(rip >> 32), GUEST_RIP, "bits 63:32 must be 0 outside 64-bit mode");
}

static void check_guest_rflags(struct check *c)
{
	bool vm = c->rflags & X86_EFLAGS_VM;

	require(c, !(c->rflags & RFLAGS_RESERVED), GUEST_RFLAGS,
		"bits 63:22, 15, 5 and 3 must be 0");
	require(c, c->rflags & X86_EFLAGS_FIXED, GUEST_RFLAGS, "bit 1 must be 1");
	require(c, !vm || !long_mode(c), GUEST_RFLAGS,
		"bit 17 (VM) must be 0 in IA-32e mode");
	require(c, !vm || (c->cr0 & X86_CR0_PE), GUEST_RFLAGS,
		"bit 17 (VM) must be 0 while CR0.PE is 0");
	require(c, !injects(c, INTR_EXT) || (c->rflags & X86_EFLAGS_IF), GUEST_RFLAGS,
		"bit 9 (IF) must be 1 to inject an interrupt");
}

/* ---- guest non-register state -------------------------------------------------- */

static bool activity_supported(const struct check *c, u64 activity)
{
	switch (activity) {
	case ACTIVITY_ACTIVE:
		return true;
	case ACTIVITY_HLT:
		return c->caps->misc & VMX_MISC_ACTIVITY_HLT;
	case ACTIVITY_SHUTDOWN:
		return c->caps->misc & VMX_MISC_ACTIVITY_SHUTDOWN;
	case ACTIVITY_WAIT_SIPI:
		return c->caps->misc & VMX_MISC_ACTIVITY_WAIT_SIPI;
	default:
		return false;
	}
}

/* Events that an inactive processor takes. */
static bool event_fits_activity(const struct check *c, u64 activity)
{
	bool exception = injects(c, INTR_HARD_EXCEPTION);

	switch (activity) {
	case ACTIVITY_HLT:
		return injects(c, INTR_EXT) || injects(c, INTR_NMI) ||
		       (exception && (vector(c) == VECTOR_DB || vector(c) == VECTOR_MC)) ||
		       (injects(c, INTR_OTHER) && !vector(c));
	case ACTIVITY_SHUTDOWN:
		return injects(c, INTR_NMI) || (exception && vector(c) == VECTOR_MC);
	case ACTIVITY_WAIT_SIPI:
		return false;
	default:
		return true;
	}
}

static void check_activity(struct check *c)
{
	u64 activity = get(c, VMCS_GUEST_ACTIVITY);
	u64 blocking = get(c, VMCS_GUEST_INTERRUPTIBILITY);
	u32 ss_dpl = get(c, VMCS_GUEST_SS_AR) & SEG_AR_DPL_MASK;
	bool active = activity == ACTIVITY_ACTIVE;
	bool held = blocking & (INTR_STATE_STI | INTR_STATE_MOV_SS);

	require(c, activity_supported(c, activity), GUEST_ACTIVITY,
		"is no activity state of this processor");
	require(c, activity != ACTIVITY_HLT || !ss_dpl, GUEST_ACTIVITY,
		"HLT needs a DPL of 0 in SS");
	require(c, active || !held, GUEST_ACTIVITY,
		"must be active while STI or MOV SS blocks");
	require(c, !(c->intr_info & INTR_INFO_VALID) || event_fits_activity(c, activity),
		GUEST_ACTIVITY, "does not take the event to be injected");
}

static void check_interruptibility(struct check *c)
{
	u64 state = get(c, VMCS_GUEST_INTERRUPTIBILITY);
	bool sti = state & INTR_STATE_STI;
	bool mov_ss = state & INTR_STATE_MOV_SS;
	bool nmi = injects(c, INTR_NMI);

	require(c, !(state & INTR_STATE_RESERVED), GUEST_INTERRUPTIBILITY,
		"bits 31:5 must be 0");
	require(c, !sti || !mov_ss, GUEST_INTERRUPTIBILITY,
		"bits 0 and 1 (blocking by STI, by MOV SS) exclude each other");
	require(c, !sti || (c->rflags & X86_EFLAGS_IF), GUEST_INTERRUPTIBILITY,
		"bit 0 (blocking by STI) needs RFLAGS.IF");
	require(c, !injects(c, INTR_EXT) || (!sti && !mov_ss), GUEST_INTERRUPTIBILITY,
		"bits 1:0 must be 0 to inject an interrupt");
	require(c, !nmi || !mov_ss, GUEST_INTERRUPTIBILITY,
		"bit 1 (blocking by MOV SS) must be 0 to inject an NMI");
	require(c, !nmi || !sti, GUEST_INTERRUPTIBILITY,
		"bit 0 (blocking by STI) must be 0 to inject an NMI on some processors");
	require(c, !nmi || !(c->pin & PIN_VIRTUAL_NMIS) || !(state & INTR_STATE_NMI),
		GUEST_INTERRUPTIBILITY,
		"bit 3 (blocking by NMI) must be 0 to inject an NMI");
	require(c, !(state & INTR_STATE_SMI), GUEST_INTERRUPTIBILITY,
		"bit 2 (blocking by SMI) must be 0 outside SMM");
	require(c, !(state & INTR_STATE_ENCLAVE) || !mov_ss, GUEST_INTERRUPTIBILITY,
		"bits 1 and 4 (MOV SS, enclave) exclude each other");
}

/* A single-step trap that is held back must be there, and only then. */
static void check_pending_step(struct check *c, u64 pending)
{
	u64 blocking = get(c, VMCS_GUEST_INTERRUPTIBILITY);
	bool held = (blocking & (INTR_STATE_STI | INTR_STATE_MOV_SS)) ||
		    get(c, VMCS_GUEST_ACTIVITY) == ACTIVITY_HLT;
	bool step = (c->rflags & X86_EFLAGS_TF) &&
		    !(get(c, VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF);
	bool bs = pending & PENDING_DEBUG_BS;

	require(c, !held || bs == step, GUEST_PENDING_DEBUG,
		step ? "bit 14 (BS) must be 1: a single-step trap is held back" :
		       "bit 14 (BS) must be 0: there is no single-step");
}

static void check_pending_debug(struct check *c)
{
	u64 known = PENDING_DEBUG_B_MASK | PENDING_DEBUG_BUS_LOCK | PENDING_DEBUG_ENABLED_BP |
		    PENDING_DEBUG_BS | PENDING_DEBUG_RTM;
	u64 pending = get(c, VMCS_GUEST_PENDING_DEBUG);
	u64 blocking = get(c, VMCS_GUEST_INTERRUPTIBILITY);

	require(c, !(pending & ~known), GUEST_PENDING_DEBUG, "has reserved bits set");
	check_pending_step(c, pending);
	if (!(pending & PENDING_DEBUG_RTM))
		return;
	require(c, pending == (PENDING_DEBUG_RTM | PENDING_DEBUG_ENABLED_BP),
		GUEST_PENDING_DEBUG, "bit 16 (RTM) needs bit 12 and excludes all others");
	require(c, !(blocking & INTR_STATE_MOV_SS), GUEST_PENDING_DEBUG,
		"bit 16 (RTM) excludes blocking by MOV SS");
}

static void check_link_pointer(struct check *c)
{
	u64 link = get(c, VMCS_GUEST_LINK_POINTER);
	bool shadowing = c->cpu2 & CPU2_VMCS_SHADOWING;
	u64 head;

	if (link == ~0ull)
		return;
	require(c, !(link & 0xfff), GUEST_LINK_POINTER, "must be 4 KiB aligned, or all ones");
	require(c, within_phys(c, link), GUEST_LINK_POINTER,
		"is beyond the physical-address width");
	if ((link & 0xfff) || !within_phys(c, link) || !c->ops->read_mem ||
	    !c->ops->read_mem(c->ctx, link, &head))
		return;
	require(c, ((u32)head & ~BIT(31)) == VMX_BASIC_REVISION(c->caps->basic),
		GUEST_LINK_POINTER, "the VMCS there has another revision");
	require(c, !!(head & BIT(31)) == shadowing, GUEST_LINK_POINTER,
		"the VMCS there must be a shadow VMCS with VMCS shadowing, and only then");
}

static void check_pdptes(struct check *c)
{
	static const char * const names[] = {
		"GUEST_PDPTE0", "GUEST_PDPTE1", "GUEST_PDPTE2", "GUEST_PDPTE3",
	};
	bool ept = c->cpu2 & CPU2_EPT;
	u64 table = get(c, VMCS_GUEST_CR3) & GENMASK_ULL(31, 5);
	u32 field;
	u64 pdpte;
	bool ok;
	int i;

	if (!(c->cr0 & X86_CR0_PG) || !(c->cr4 & X86_CR4_PAE) || long_mode(c))
		return;
	for (i = 0; i < 4; i++) {
		field = ept ? VMCS_GUEST_PDPTE0 + 2 * i : VMCS_GUEST_CR3;
		if (ept)
			pdpte = get(c, field);
		else if (!c->ops->read_mem || !c->ops->read_mem(c->ctx, table + 8 * i, &pdpte))
			return;
		ok = !(pdpte & BIT_ULL(0)) ||
		     (!(pdpte & PDPTE_RESERVED) && within_phys(c, pdpte));
		require_named(c, ok, field, ept ? names[i] : "GUEST_CR3",
			      ept ? "has reserved bits set" :
				    "a PDPTE there has reserved bits set");
	}
}

static void check_guest(struct check *c)
{
	check_guest_crs(c);
	check_guest_debug(c);
	check_guest_msrs(c);
	check_guest_segments(c);
	check_guest_tables(c);
	check_guest_rip(c);
	check_guest_rflags(c);
	check_activity(c);
	check_interruptibility(c);
	check_pending_debug(c);
	check_link_pointer(c);
	check_pdptes(c);
}

/**
 * vmx_check() - name the rules of VM entry that a VMCS breaks
 * @ops:	the VMCS
 * @ctx:	handed to @ops
 * @caps:	what the processor offers
 * @buf:	out: the report, a line for each broken rule, NUL-terminated; a line that
 *		does not fit is left out whole
 * @size:	bytes of @buf; 0 to count alone
 *
 * Context: that of @ops (for VMREAD: the VMCS is current on this CPU).
 * Return: the number of broken rules, those whose line was left out included.
 */
unsigned int vmx_check(const struct vmx_check_ops *ops, void *ctx,
		       const struct vmx_check_caps *caps, char *buf, size_t size)
{
	struct check c = { .ops = ops, .ctx = ctx, .caps = caps, .buf = buf, .size = size };

	if (size)
		buf[0] = '\0';
	c.pin = get(&c, VMCS_CTRL_PIN);
	c.cpu = get(&c, VMCS_CTRL_CPU);
	if (c.cpu & CPU_SECONDARY_CONTROLS)
		c.cpu2 = get(&c, VMCS_CTRL_CPU2);
	c.exit = get(&c, VMCS_CTRL_EXIT);
	c.entry = get(&c, VMCS_CTRL_ENTRY);
	c.cr0 = get(&c, VMCS_GUEST_CR0);
	c.cr4 = get(&c, VMCS_GUEST_CR4);
	c.rflags = get(&c, VMCS_GUEST_RFLAGS);
	c.intr_info = get(&c, VMCS_CTRL_ENTRY_INTR_INFO);

	check_controls(&c);
	check_host(&c);
	check_guest(&c);
	return c.broken;
}
