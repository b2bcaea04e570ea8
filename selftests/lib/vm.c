// SPDX-License-Identifier: GPL-2.0-only
/* Test VMs: memory, descriptor and page tables, vCPUs in each mode. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mhv_vm.h"

#define PTE_P		1ull
#define PTE_RW		2ull
#define PTE_US		4ull
#define PTE_PS		0x80ull
#define PTE_TABLE	(PTE_P | PTE_RW | PTE_US)
#define PTE_LARGE	(PTE_TABLE | PTE_PS)

/* Descriptor flags as bits 40-47 and 52-55 of the entry, here in bits 0-7, 12-15 */
#define DESC_CODE64	0xa09b
#define DESC_CODE32	0xc09b
#define DESC_CODE16	0x009b
#define DESC_DATA	0xc093
#define DESC_DATA16	0x0093
#define DESC_UCODE32	0xc0fb
#define DESC_UDATA	0xc0f3
#define DESC_UCODE64	0xa0fb
#define DESC_TSS	0x008b

void die(const char *fmt, ...)
{
	int err = errno;
	va_list args;

	fputs("# ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, " (%s)\n", strerror(err));
	_exit(1);
}

int vm_slot(struct vm *vm, __u32 slot, __u32 flags, __u64 gpa, __u64 size, void *hva)
{
	struct mhv_memslot ms = {
		.slot = slot,
		.flags = flags,
		.gpa = gpa,
		.size = size,
		.hva = (__u64)hva,
	};

	return ioctl(vm->fd, MHV_SET_MEMSLOT, &ms) ? -errno : 0;
}

void vm_set_slot(struct vm *vm, __u32 slot, __u64 gpa, __u64 size, void *hva)
{
	if (vm_slot(vm, slot, 0, gpa, size, hva))
		die("memslot %u at %#llx", slot, gpa);
}

void *vm_ptr(struct vm *vm, __u64 gpa)
{
	if (gpa >= vm->size)
		die("gpa %#llx is past the VM's memory", gpa);
	return vm->mem + gpa;
}

struct guest_log *vm_log(struct vm *vm)
{
	return vm_ptr(vm, GUEST_LOG);
}

/* @flags: the descriptor's bits 40-47 and 52-55, in bits 0-7 and 12-15 */
void vm_set_gdt(struct vm *vm, int selector, __u32 base, __u32 limit, __u32 flags)
{
	__u64 *gdt = vm_ptr(vm, GUEST_GDT);
	__u64 base64 = base;

	if (flags & 0x8000)
		limit >>= 12;
	gdt[selector / 8] = (limit & 0xffff) | ((base64 & 0xffffff) << 16) |
			    ((__u64)flags << 40) | ((__u64)(limit & 0xf0000) << 32) |
			    ((base64 & 0xff000000) << 32);
}

void vm_set_gate(struct vm *vm, int vector, __u64 handler, int dpl, int ist)
{
	__u64 *gate = (__u64 *)vm_ptr(vm, GUEST_IDT) + vector * 2;

	gate[0] = (handler & 0xffff) | (SEL_CODE64 << 16) | ((__u64)ist << 32) |
		  ((__u64)(0x8e | (dpl << 5)) << 40) | ((handler & 0xffff0000) << 32);
	gate[1] = handler >> 32;
}

static void build_descriptors(struct vm *vm)
{
	__u64 *tss = vm_ptr(vm, GUEST_TSS + 4);		/* rsp0 */
	int vector;

	vm_set_gdt(vm, SEL_CODE64, 0, ~0u, DESC_CODE64);
	vm_set_gdt(vm, SEL_DATA, 0, ~0u, DESC_DATA);
	vm_set_gdt(vm, SEL_UCODE32, 0, ~0u, DESC_UCODE32);
	vm_set_gdt(vm, SEL_UDATA, 0, ~0u, DESC_UDATA);
	vm_set_gdt(vm, SEL_UCODE64, 0, ~0u, DESC_UCODE64);
	vm_set_gdt(vm, SEL_TSS, GUEST_TSS, 0x67, DESC_TSS);
	vm_set_gdt(vm, SEL_CODE32, 0, ~0u, DESC_CODE32);
	vm_set_gdt(vm, SEL_CODE16, GUEST_CODE, 0xffff, DESC_CODE16);
	vm_set_gdt(vm, SEL_DATA16, 0, 0xffff, DESC_DATA16);
	for (vector = 0; vector < 256; vector++)
		vm_set_gate(vm, vector, GUEST_ADDR(guest_vectors + vector * 16), 3, 0);
	memcpy(tss, &(__u64){ GUEST_STACK }, 8);
	memcpy(tss + 4, &(__u64){ GUEST_IST }, 8);	/* ist1 is at 36 */
}

static void build_page_tables(struct vm *vm)
{
	__u64 *pml4 = vm_ptr(vm, GUEST_PML4), *pdpt = vm_ptr(vm, GUEST_PDPT);
	__u64 *pae = vm_ptr(vm, GUEST_PDPT32), *pd = vm_ptr(vm, GUEST_PD);
	__u32 *pd32 = vm_ptr(vm, GUEST_PD32);
	__u64 i;

	pml4[0] = GUEST_PDPT | PTE_TABLE;
	for (i = 0; i < 4; i++) {
		pdpt[i] = (GUEST_PD + i * PAGE_SIZE) | PTE_TABLE;
		pae[i] = (GUEST_PD + i * PAGE_SIZE) | PTE_P;
	}
	for (i = 0; i < 4 * 512; i++)
		pd[i] = (i << 21) | PTE_LARGE;
	for (i = 0; i < 1024; i++)
		pd32[i] = (i << 22) | PTE_LARGE;
}

/* How all test VMs are paged, by $MHV_PAGING */
static const struct paging {
	const char *name;
	__u32 paging;
	__u32 flags;
	__u32 pages;
} pagings[] = {
	{ "", MHV_PAGING_AUTO, 0, 0 },
	{ "ept", MHV_PAGING_TDP, 0, 0 },
	{ "shadow", MHV_PAGING_SHADOW, 0, 0 },
	{ "shadow,gnp", MHV_PAGING_SHADOW, MHV_VM_GNP, 0 },
	{ "shadow,small", MHV_PAGING_SHADOW, 0, MHV_MIN_SHADOW_PAGES },
};

static const struct paging *chosen_paging(void)
{
	const char *name = getenv("MHV_PAGING");
	const struct paging *p;

	for (p = pagings; p < pagings + sizeof(pagings) / sizeof(*pagings); p++)
		if (!strcmp(name ? name : "", p->name))
			return p;
	errno = EINVAL;
	die("MHV_PAGING=%s: it is ept, shadow, shadow,gnp or shadow,small", name);
}

__u32 vm_paging(void)
{
	return chosen_paging()->paging;
}

/* Does the VM have shadow paging: asked for, or for want of anything else? */
bool vm_is_shadowed(const struct vm *vm)
{
	const __u64 tdp = BIT_ULL(MHV_FEAT_EPT) | BIT_ULL(MHV_FEAT_UNRESTRICTED);

	return vm_paging() == MHV_PAGING_SHADOW || (vm->info.features & tdp) != tdp;
}

/* A VM without memory */
void vm_create_bare(struct vm *vm)
{
	struct mhv_vm_config config = {
		.paging = vm_paging(),
		.flags = chosen_paging()->flags,
		.shadow_pages = chosen_paging()->pages,
	};

	memset(vm, 0, sizeof(*vm));
	vm->dev = open(MHV_DEVICE, O_RDWR | O_CLOEXEC);
	if (vm->dev < 0)
		die("open %s", MHV_DEVICE);
	if (ioctl(vm->dev, MHV_GET_INFO, &vm->info))
		die("MHV_GET_INFO");
	vm->fd = ioctl(vm->dev, MHV_CREATE_VM, &config);
	if (vm->fd < 0)
		die("MHV_CREATE_VM, verdict %u: %s", vm->info.verdict, vm->info.detail);
}

/* A VM with the memory, tables and code of guest_layout.h */
void vm_create(struct vm *vm)
{
	size_t code = __stop_guest - __start_guest;

	vm_create_bare(vm);
	if (code > GUEST_DATA - GUEST_CODE)
		die("%zu bytes of guest code do not fit", code);
	vm->size = GUEST_MEM_SIZE;
	vm->mem = host_alloc(vm->size);
	memcpy(vm_ptr(vm, GUEST_CODE), __start_guest, code);
	build_descriptors(vm);
	build_page_tables(vm);
	vm_set_slot(vm, 0, 0, vm->size, vm->mem);
}

void vm_destroy(struct vm *vm)
{
	close(vm->fd);
	close(vm->dev);
	if (vm->mem)
		munmap(vm->mem, vm->size);
}

void vcpu_create(struct vm *vm, struct vcpu *vcpu, __u32 id)
{
	struct mhv_vcpu_config config = { .id = id };
	void *stats;

	vcpu->vm = vm;
	vcpu->fd = ioctl(vm->fd, MHV_CREATE_VCPU, &config);
	if (vcpu->fd < 0)
		die("MHV_CREATE_VCPU %u", id);
	vcpu->run = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("mmap of the run area");
	vcpu->data = (__u8 *)vcpu->run + MHV_DATA_PAGE * PAGE_SIZE;
	stats = mmap(NULL, vm->info.run_size - 2 * PAGE_SIZE, PROT_READ, MAP_SHARED,
		     vcpu->fd, MHV_STATS_PAGE * PAGE_SIZE);
	if (stats == MAP_FAILED)
		die("mmap of the statistics page");
	vcpu->stats = stats;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	munmap(vcpu->run, 2 * PAGE_SIZE);
	munmap((void *)vcpu->stats, vcpu->vm->info.run_size - 2 * PAGE_SIZE);
	close(vcpu->fd);
}

struct mhv_regs vcpu_regs(struct vcpu *vcpu)
{
	struct mhv_regs regs;

	if (ioctl(vcpu->fd, MHV_GET_REGS, &regs))
		die("MHV_GET_REGS");
	return regs;
}

void vcpu_set_regs(struct vcpu *vcpu, const struct mhv_regs *regs)
{
	if (ioctl(vcpu->fd, MHV_SET_REGS, regs))
		die("MHV_SET_REGS");
}

void vcpu_set_flags(struct vcpu *vcpu, __u64 rflags)
{
	struct mhv_regs regs = vcpu_regs(vcpu);

	regs.rflags = RFLAGS_FIXED | rflags;
	vcpu_set_regs(vcpu, &regs);
}

struct mhv_sregs vcpu_sregs(struct vcpu *vcpu)
{
	struct mhv_sregs sregs;

	if (ioctl(vcpu->fd, MHV_GET_SREGS, &sregs))
		die("MHV_GET_SREGS");
	return sregs;
}

void vcpu_set_sregs(struct vcpu *vcpu, const struct mhv_sregs *sregs)
{
	if (ioctl(vcpu->fd, MHV_SET_SREGS, sregs))
		die("MHV_SET_SREGS");
}

static void start_at(struct vcpu *vcpu, __u64 rip, __u64 rsp, __u64 rflags)
{
	struct mhv_regs regs = {
		.rip = rip,
		.rsp = rsp,
		.rflags = RFLAGS_FIXED | rflags,
	};

	vcpu_set_regs(vcpu, &regs);
}

static struct mhv_segment segment(__u16 selector, __u64 base, __u32 limit, __u32 desc)
{
	return (struct mhv_segment){
		.base = base,
		.limit = limit,
		.selector = selector,
		.type = desc & 15,
		.s = desc >> 4 & 1,
		.dpl = desc >> 5 & 3,
		.present = desc >> 7 & 1,
		.avl = desc >> 12 & 1,
		.l = desc >> 13 & 1,
		.db = desc >> 14 & 1,
		.g = desc >> 15 & 1,
	};
}

static void set_segments(struct mhv_sregs *s, struct mhv_segment cs,
			 struct mhv_segment data)
{
	s->cs = cs;
	s->ds = data;
	s->es = data;
	s->fs = data;
	s->gs = data;
	s->ss = data;
	s->tr = segment(SEL_TSS, GUEST_TSS, 0x67, DESC_TSS);
	s->ldt = (struct mhv_segment){ .unusable = 1 };
	s->gdt.base = GUEST_GDT;
	s->gdt.limit = SEL_COUNT * 8 - 1;
	s->cr2 = 0;
	s->cr8 = 0;
}

/*
 * 64-bit mode at privilege 0, paging and interrupts on.  A guest that runs long with
 * interrupts off would take the host's from it in Bochs, which lets them out only of
 * a guest that has its own on.
 */
void vcpu_set_long(struct vcpu *vcpu, const void *entry)
{
	struct mhv_sregs s = vcpu_sregs(vcpu);

	set_segments(&s, segment(SEL_CODE64, 0, ~0u, DESC_CODE64),
		     segment(SEL_DATA, 0, ~0u, DESC_DATA));
	s.idt.base = GUEST_IDT;
	s.idt.limit = 256 * 16 - 1;
	s.cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	s.cr3 = GUEST_PML4;
	s.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	s.efer = EFER_LME | EFER_LMA | EFER_SCE | EFER_NXE;
	vcpu_set_sregs(vcpu, &s);
	start_at(vcpu, GUEST_ADDR(entry), GUEST_STACK - 8, RFLAGS_IF);
}

/* 64-bit mode at privilege 3, with access to all ports */
void vcpu_set_user(struct vcpu *vcpu, const void *entry)
{
	struct mhv_regs r;
	struct mhv_sregs s;

	vcpu_set_long(vcpu, entry);
	s = vcpu_sregs(vcpu);
	s.cs = segment(SEL_UCODE64 | 3, 0, ~0u, DESC_UCODE64);
	s.ss = segment(SEL_UDATA | 3, 0, ~0u, DESC_UDATA);
	s.ds = s.ss;
	s.es = s.ss;
	vcpu_set_sregs(vcpu, &s);
	r = vcpu_regs(vcpu);
	r.rsp = GUEST_USTACK - 8;
	r.rflags |= RFLAGS_IOPL3;
	vcpu_set_regs(vcpu, &r);
}

/* 32-bit protected mode at privilege 0; the IDT is empty */
void vcpu_set_prot32(struct vcpu *vcpu, const void *entry, enum guest_paging paging)
{
	struct mhv_sregs s = vcpu_sregs(vcpu);

	set_segments(&s, segment(SEL_CODE32, 0, ~0u, DESC_CODE32),
		     segment(SEL_DATA, 0, ~0u, DESC_DATA));
	s.idt.base = GUEST_IDT32;
	s.idt.limit = 256 * 8 - 1;
	s.cr0 = CR0_PE | CR0_ET | CR0_NE;
	s.cr3 = 0;
	s.cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
	s.efer = 0;
	if (paging == PSE32) {
		s.cr0 |= CR0_PG | CR0_WP;
		s.cr3 = GUEST_PD32;
		s.cr4 |= CR4_PSE;
	} else if (paging == PAE32) {
		s.cr0 |= CR0_PG | CR0_WP;
		s.cr3 = GUEST_PDPT32;
		s.cr4 |= CR4_PAE;
	}
	vcpu_set_sregs(vcpu, &s);
	start_at(vcpu, GUEST_ADDR(entry), GUEST_STACK - 8, 0);
}

/* Real mode; code segment at GUEST_CODE, data at 0, stack below 0xff00 in both */
void vcpu_set_real(struct vcpu *vcpu, const void *entry)
{
	struct mhv_sregs s = vcpu_sregs(vcpu);

	set_segments(&s, segment(GUEST_CODE >> 4, GUEST_CODE, 0xffff, DESC_CODE16),
		     segment(0, 0, 0xffff, DESC_DATA16));
	s.tr = segment(0, 0, 0xffff, DESC_TSS);
	s.idt.base = GUEST_IVT;
	s.idt.limit = 0x3ff;
	s.cr0 = CR0_ET;
	s.cr3 = 0;
	s.cr4 = 0;
	s.efer = 0;
	vcpu_set_sregs(vcpu, &s);
	start_at(vcpu, GUEST_ADDR(entry) - GUEST_CODE, 0xff00, 0);
}

/* MHV_RUN: 0 or -errno */
int vcpu_run(struct vcpu *vcpu)
{
	return ioctl(vcpu->fd, MHV_RUN, 0) ? -errno : 0;
}

GUEST_ASM(guest_load, 64, "mov (%rcx), %rax\n" G_DONE);
GUEST_ASM(guest_store, 64, "mov %rax, (%rcx)\n" G_DONE);

/* Go on with guest_load or guest_store: 0 when it is through, or the exit it met. */
int vcpu_again(struct vcpu *vcpu, __u64 *value)
{
	int err = vcpu_run(vcpu);

	if (err)
		return err;
	if (vcpu->run->exit != MHV_EXIT_IO)
		return vcpu->run->exit;
	vcpu_done_io(vcpu);
	*value = vcpu_regs(vcpu).rax;
	return 0;
}

static int access_memory(struct vcpu *vcpu, const void *code, __u64 gva, __u64 *value)
{
	struct mhv_regs regs;

	vcpu_set_long(vcpu, code);
	regs = vcpu_regs(vcpu);
	regs.rcx = gva;
	regs.rax = *value;
	vcpu_set_regs(vcpu, &regs);
	return vcpu_again(vcpu, value);
}

/* The guest reads 8 bytes.  0, or the MHV_EXIT_* or -errno it met instead */
int vcpu_load(struct vcpu *vcpu, __u64 gva, __u64 *value)
{
	*value = 0;
	return access_memory(vcpu, guest_load, gva, value);
}

int vcpu_store(struct vcpu *vcpu, __u64 gva, __u64 value)
{
	return access_memory(vcpu, guest_store, gva, &value);
}

/* The port access handed out is done; an IN has its data stored. */
void vcpu_done_io(struct vcpu *vcpu)
{
	vcpu->run->ioreq.state = MHV_IOREQ_DONE;
}

static void dump_exit(const struct mhv_run *run)
{
	const struct mhv_ioreq *req = &run->ioreq;

	fprintf(stderr, "#   exit %u irq_ready %u irq_pending %u\n", run->exit,
		run->irq_ready, run->irq_pending);
	fprintf(stderr, "#   ioreq state %u flags %x size %u count %u addr %llx data %llx\n",
		req->state, req->flags, req->size, req->count, req->addr, req->data);
	if (run->exit == MHV_EXIT_ENTRY_FAILED)
		fprintf(stderr, "#   reason %#x qualification %#llx: %.1024s\n",
			run->entry_failed.reason, run->entry_failed.qualification,
			run->entry_failed.report);
	if (run->exit == MHV_EXIT_INSN)
		fprintf(stderr, "#   insn rip %llx gva %llx gpa %llx bytes %02x %02x %02x %02x\n",
			run->insn.rip, run->insn.gva, run->insn.gpa, run->insn.bytes[0],
			run->insn.bytes[1], run->insn.bytes[2], run->insn.bytes[3]);
	if (run->exit == MHV_EXIT_MEMORY_FAULT)
		fprintf(stderr, "#   memory fault gpa %llx hva %llx error %u write %u\n",
			run->memory_fault.gpa, run->memory_fault.hva,
			run->memory_fault.error, run->memory_fault.is_write);
	if (run->exit == MHV_EXIT_UNKNOWN)
		fprintf(stderr, "#   unknown reason %#x qualification %#llx\n",
			run->unknown.reason, run->unknown.qualification);
}

/* Say where the vCPU stands, as comment lines of the test's output. */
void vcpu_dump(struct vcpu *vcpu)
{
	struct mhv_regs r = vcpu_regs(vcpu);
	struct mhv_sregs s = vcpu_sregs(vcpu);
	struct guest_log *log;
	__u64 i;

	dump_exit(vcpu->run);
	fprintf(stderr, "#   rip %llx rsp %llx rflags %llx cs %x cr0 %llx cr4 %llx efer %llx\n",
		r.rip, r.rsp, r.rflags, s.cs.selector, s.cr0, s.cr4, s.efer);
	fprintf(stderr, "#   rax %llx rcx %llx rdx %llx rbx %llx rsi %llx rdi %llx\n",
		r.rax, r.rcx, r.rdx, r.rbx, r.rsi, r.rdi);
	if (!vcpu->vm->mem)
		return;
	log = vm_log(vcpu->vm);
	for (i = 0; i < log->count && i < 8; i++)
		fprintf(stderr, "#   event %llu: vector %llu error %llx rip %llx cr2 %llx\n",
			i, log->entry[i].vector, log->entry[i].error,
			log->entry[i].rip, log->entry[i].cr2);
}

int vcpu_msr_get(struct vcpu *vcpu, __u32 index, __u64 *value)
{
	struct mhv_msr msr = { .index = index };
	struct mhv_msrs msrs = { .nr = 1, .entries = (__u64)&msr };

	if (ioctl(vcpu->fd, MHV_GET_MSRS, &msrs))
		return -errno;
	*value = msr.value;
	return 0;
}

int vcpu_msr_set(struct vcpu *vcpu, __u32 index, __u64 value)
{
	struct mhv_msr msr = { .index = index, .value = value };
	struct mhv_msrs msrs = { .nr = 1, .entries = (__u64)&msr };

	return ioctl(vcpu->fd, MHV_SET_MSRS, &msrs) ? -errno : 0;
}

int vcpu_inject(struct vcpu *vcpu, __u8 type, __u8 vector)
{
	struct mhv_event event = { .type = type, .vector = vector };

	return ioctl(vcpu->fd, MHV_INJECT, &event) ? -errno : 0;
}

/* Find a leaf of the guest's CPUID; @out may be NULL. */
bool vcpu_cpuid(struct vcpu *vcpu, __u32 function, __u32 index,
		struct mhv_cpuid_entry *out)
{
	struct mhv_cpuid_entry entries[MHV_MAX_CPUID];
	struct mhv_cpuid cpuid = { .nr = MHV_MAX_CPUID, .entries = (__u64)entries };
	__u32 i;

	if (ioctl(vcpu->fd, MHV_GET_CPUID, &cpuid))
		die("MHV_GET_CPUID");
	for (i = 0; i < cpuid.nr; i++) {
		if (entries[i].function != function)
			continue;
		if (entries[i].flags & MHV_CPUID_INDEXED && entries[i].index != index)
			continue;
		if (out)
			*out = entries[i];
		return true;
	}
	return false;
}

/* The index of a counter, -1 where there is none of that name */
int vcpu_stat_index(struct vcpu *vcpu, const char *name)
{
	struct mhv_stat_name stat = { .index = 0 };

	for (; stat.index < vcpu->vm->info.nr_stats; stat.index++) {
		if (ioctl(vcpu->vm->dev, MHV_GET_STAT_NAME, &stat))
			die("MHV_GET_STAT_NAME %u", stat.index);
		if (!strcmp(stat.name, name))
			return stat.index;
	}
	return -1;
}

__u64 vcpu_stat(struct vcpu *vcpu, const char *name)
{
	int index = vcpu_stat_index(vcpu, name);

	if (index < 0)
		die("no statistics counter '%s'", name);
	return __atomic_load_n(&vcpu->stats[index], __ATOMIC_RELAXED);
}
