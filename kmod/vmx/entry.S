/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Into the guest and out again.
 *
 *	int mhv_vmx_enter(u64 *gpr, bool launched, unsigned long *host_rsp)
 *
 * gpr		general registers in the hardware's order; RSP is the VMCS's business
 * launched	VMRESUME if true, VMLAUNCH if not
 * host_rsp	what VMCS_HOST_RSP holds; rewritten only when the stack is elsewhere
 *
 * Returns 0 after a VM exit, 1 when the entry failed (VMfail).  Interrupts are off.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>
#include <asm/unwind_hints.h>

#define VMCS_HOST_RSP	0x6c14

#define RAX	0
#define RCX	8
#define RDX	16
#define RBX	24
#define RBP	40
#define RSI	48
#define RDI	56
#define R8	64
#define R9	72
#define R10	80
#define R11	88
#define R12	96
#define R13	104
#define R14	112
#define R15	120

	.section .noinstr.text, "ax"

SYM_FUNC_START(mhv_vmx_enter)
	push	%rbp
	mov	%rsp, %rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rdi

	cmp	%rsp, (%rdx)
	je	1f
	mov	%rsp, (%rdx)
	mov	$VMCS_HOST_RSP, %eax
	vmwrite	%rsp, %rax
1:
	/* CF holds `launched` from here to the entry: no flag is touched but by VERW, ZF */
	bt	$0, %esi

	mov	RCX(%rdi), %rcx
	mov	RDX(%rdi), %rdx
	mov	RBX(%rdi), %rbx
	mov	RBP(%rdi), %rbp
	mov	RSI(%rdi), %rsi
	mov	R8(%rdi), %r8
	mov	R9(%rdi), %r9
	mov	R10(%rdi), %r10
	mov	R11(%rdi), %r11
	mov	R12(%rdi), %r12
	mov	R13(%rdi), %r13
	mov	R14(%rdi), %r14
	mov	R15(%rdi), %r15
	mov	RAX(%rdi), %rax
	mov	RDI(%rdi), %rdi

	/* drop what other threads' data the CPU's buffers hold, where the host does so */
	VM_CLEAR_CPU_BUFFERS

	UNWIND_HINT_SAVE
	jnc	2f
	vmresume
	jmp	.Lfailed
2:	vmlaunch
	jmp	.Lfailed

SYM_INNER_LABEL_ALIGN(mhv_vmx_exit_point, SYM_L_GLOBAL)
	/* VMCS_HOST_RIP: the stack is as it was at the entry */
	UNWIND_HINT_RESTORE
	ANNOTATE_NOENDBR
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rax, RAX(%rdi)
	pop	RDI(%rdi)
	mov	%rcx, RCX(%rdi)
	mov	%rdx, RDX(%rdi)
	mov	%rbx, RBX(%rdi)
	mov	%rbp, RBP(%rdi)
	mov	%rsi, RSI(%rdi)
	mov	%r8, R8(%rdi)
	mov	%r9, R9(%rdi)
	mov	%r10, R10(%rdi)
	mov	%r11, R11(%rdi)
	mov	%r12, R12(%rdi)
	mov	%r13, R13(%rdi)
	mov	%r14, R14(%rdi)
	mov	%r15, R15(%rdi)
	xor	%eax, %eax

.Lout:
	/* nothing of the guest's in a register that host code could be led to use */
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebx, %ebx
	xor	%ebp, %ebp
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d

	/* before the first RET: the guest's return predictions must not be used */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE

	/* where the kernel runs with IBRS, it must be written anew after an exit */
	ALTERNATIVE "jmp .Lno_ibrs", "", X86_FEATURE_KERNEL_IBRS
	mov	%eax, %ebx
	mov	PER_CPU_VAR(x86_spec_ctrl_current), %rdx
	mov	%edx, %eax
	shr	$32, %rdx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
	mov	%ebx, %eax
.Lno_ibrs:
	CLEAR_BRANCH_HISTORY_VMEXIT

	pop	%rdi
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

.Lfailed:
	/* VMfail: the registers hold the guest's values still, the stack is ours */
	mov	$1, %eax
	jmp	.Lout
SYM_FUNC_END(mhv_vmx_enter)

	.section .note.GNU-stack, "", @progbits
