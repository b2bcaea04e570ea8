/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small VM library over the ABI of /dev/mhv, for the selftests.
 *
 * What a test is not about is done by functions that end the process with one
 * line when they fail; what it is about it calls itself.
 */
#ifndef SELFTESTS_MHV_VM_H
#define SELFTESTS_MHV_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdnoreturn.h>
#include <sys/ioctl.h>
#include <linux/mhv.h>

#include "guest_layout.h"

#define PAGE_SIZE	4096ul
#define BIT_ULL(n)	(1ull << (n))

struct vm {
	int dev;
	int fd;
	struct mhv_info info;
	__u8 *mem;		/* backs gpa 0 .. size - 1 as slot 0 */
	__u64 size;
};

struct vcpu {
	struct vm *vm;
	int fd;
	struct mhv_run *run;
	__u8 *data;		/* MHV_DATA_PAGE */
	const __u64 *stats;
};

/* What the default interrupt and exception handler leaves behind */
struct guest_log_entry {
	__u64 vector, error, rip, cs, rflags, rsp, ss, cr2;
};

struct guest_log {
	__u64 count;
	__u8 skip[256];		/* bytes to skip at the saved rip, by vector */
	struct guest_log_entry entry[LOG_ENTRIES];
};

enum guest_paging { FLAT32, PSE32, PAE32 };

/* The section that holds all guest code of the binary */
extern const char __start_guest[], __stop_guest[];
extern const char guest_vectors[];

/* Guest linear address of a label or function in section "guest" */
#define GUEST_ADDR(sym)	(GUEST_CODE + (__u64)(sym) - (__u64)__start_guest)

/* A guest routine in assembly; @bits is the mode it is assembled for. */
#define GUEST_ASM(name, bits, body)					\
	extern const char name[];					\
	asm(".pushsection guest, \"ax\", @progbits\n"			\
	    ".balign 16\n"						\
	    ".code" #bits "\n"						\
	    ".globl " #name "\n"					\
	    #name ":\n"							\
	    body "\n"							\
	    ".code64\n"							\
	    ".popsection\n")

/* A further label inside a GUEST_ASM body, declared for C */
#define GUEST_LABEL(name)	extern const char name[]

/* A guest function in C, 64-bit */
#define __guest_regs	__attribute__((target("general-regs-only")))
#define __guest	__attribute__((section("guest"), noinline, used, \
			       target("general-regs-only")))

#define __str(x)	#x
#define STR(x)		__str(x)

/* For assembly bodies: report %eax, report end */
#define G_REPORT	"out %eax, $" STR(PORT_REPORT) "\n"
#define G_DONE		"out %al, $" STR(PORT_DONE) "\n" \
			"9: hlt\n" \
			"jmp 9b\n"

static __always_inline __guest_regs void guest_out32(__u16 port, __u32 val)
{
	asm volatile("outl %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static __always_inline __guest_regs void guest_done(void)
{
	for (;;)
		asm volatile("outb %%al, %0" : : "N"(PORT_DONE) : "memory");
}

/* lib/vm.c */
noreturn void die(const char *fmt, ...);
__u32 vm_paging(void);
bool vm_is_shadowed(const struct vm *vm);
void vm_create(struct vm *vm);
void vm_create_bare(struct vm *vm);
void vm_destroy(struct vm *vm);
int vm_slot(struct vm *vm, __u32 slot, __u32 flags, __u64 gpa, __u64 size, void *hva);
void vm_set_slot(struct vm *vm, __u32 slot, __u64 gpa, __u64 size, void *hva);
void *vm_ptr(struct vm *vm, __u64 gpa);
struct guest_log *vm_log(struct vm *vm);
void vm_set_gate(struct vm *vm, int vector, __u64 handler, int dpl, int ist);
void vm_set_gdt(struct vm *vm, int selector, __u32 base, __u32 limit, __u32 flags);

void vcpu_create(struct vm *vm, struct vcpu *vcpu, __u32 id);
void vcpu_destroy(struct vcpu *vcpu);
void vcpu_set_long(struct vcpu *vcpu, const void *entry);
void vcpu_set_user(struct vcpu *vcpu, const void *entry);
void vcpu_set_prot32(struct vcpu *vcpu, const void *entry, enum guest_paging paging);
void vcpu_set_real(struct vcpu *vcpu, const void *entry);
int vcpu_run(struct vcpu *vcpu);
int vcpu_load(struct vcpu *vcpu, __u64 gva, __u64 *value);
int vcpu_store(struct vcpu *vcpu, __u64 gva, __u64 value);
int vcpu_again(struct vcpu *vcpu, __u64 *value);
void vcpu_done_io(struct vcpu *vcpu);
void vcpu_dump(struct vcpu *vcpu);
struct mhv_regs vcpu_regs(struct vcpu *vcpu);
void vcpu_set_regs(struct vcpu *vcpu, const struct mhv_regs *regs);
void vcpu_set_flags(struct vcpu *vcpu, __u64 rflags);
struct mhv_sregs vcpu_sregs(struct vcpu *vcpu);
void vcpu_set_sregs(struct vcpu *vcpu, const struct mhv_sregs *sregs);
int vcpu_msr_get(struct vcpu *vcpu, __u32 index, __u64 *value);
int vcpu_msr_set(struct vcpu *vcpu, __u32 index, __u64 value);
int vcpu_inject(struct vcpu *vcpu, __u8 type, __u8 vector);
bool vcpu_cpuid(struct vcpu *vcpu, __u32 function, __u32 index,
		struct mhv_cpuid_entry *out);
int vcpu_stat_index(struct vcpu *vcpu, const char *name);
__u64 vcpu_stat(struct vcpu *vcpu, const char *name);

/* lib/host.c */
void host_pin(int cpu);
int host_cpus(void);
void *host_alloc(size_t size);
void host_start(pthread_t *thread, void *(*fn)(void *), void *arg);
long host_meminfo(const char *field);
int host_write(const char *path, const char *text);
int host_command(const char *const argv[]);
long host_mhv_users(void);
long host_mhv_settled(void);
bool host_module_loaded(const char *name);
const char *host_module_path(void);

struct host_swap {
	int loop;
	char path[32];
};

const char *host_swap_on(struct host_swap *swap);
void host_swap_off(struct host_swap *swap);
int host_pages_in_swap(const void *mem, int pages);

#define CR0_PE		BIT_ULL(0)
#define CR0_MP		BIT_ULL(1)
#define CR0_EM		BIT_ULL(2)
#define CR0_TS		BIT_ULL(3)
#define CR0_ET		BIT_ULL(4)
#define CR0_NE		BIT_ULL(5)
#define CR0_WP		BIT_ULL(16)
#define CR0_NW		BIT_ULL(29)
#define CR0_CD		BIT_ULL(30)
#define CR0_PG		BIT_ULL(31)
#define CR4_DE		BIT_ULL(3)
#define CR4_PSE		BIT_ULL(4)
#define CR4_PAE		BIT_ULL(5)
#define CR4_PGE		BIT_ULL(7)
#define CR4_OSFXSR	BIT_ULL(9)
#define CR4_OSXMMEXCPT	BIT_ULL(10)
#define CR4_VMXE	BIT_ULL(13)
#define CR4_PCIDE	BIT_ULL(17)
#define CR4_OSXSAVE	BIT_ULL(18)
#define CR4_SMEP	BIT_ULL(20)
#define CR4_SMAP	BIT_ULL(21)
#define EFER_SCE	BIT_ULL(0)
#define EFER_LME	BIT_ULL(8)
#define EFER_LMA	BIT_ULL(10)
#define EFER_NXE	BIT_ULL(11)
#define RFLAGS_FIXED	BIT_ULL(1)
#define RFLAGS_TF	BIT_ULL(8)
#define RFLAGS_IF	BIT_ULL(9)
#define RFLAGS_DF	BIT_ULL(10)
#define RFLAGS_IOPL3	(3ull << 12)
#define RFLAGS_AC	BIT_ULL(18)

#define MSR_TSC			0x10
#define MSR_APIC_BASE		0x1b
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_MISC_ENABLE		0x1a0
#define MSR_PAT			0x277
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_SFMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103

/* Pages the guest maps elsewhere: entry 512 of the page directories, 2 MiB at 1 GiB */
#define GUEST_WINDOW	0x40000000ull

/* Vectors */
enum { DE_VECTOR, DB_VECTOR, NMI_VECTOR, BP_VECTOR, OF_VECTOR, BR_VECTOR, UD_VECTOR,
	NM_VECTOR, DF_VECTOR, TS_VECTOR = 10, NP_VECTOR, SS_VECTOR, GP_VECTOR, PF_VECTOR,
	MF_VECTOR = 16, AC_VECTOR };

#endif
