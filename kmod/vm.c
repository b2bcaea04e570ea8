// SPDX-License-Identifier: GPL-2.0-only
/* The VM: its file descriptor, its life, and requests to all of its vCPUs. */
#include <linux/anon_inodes.h>
#include <linux/cpumask.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <asm/msr.h>

#include "mhv.h"
#include "mmu/mmu.h"

static bool vm_has_tdp(void)
{
	const u64 need = BIT_ULL(MHV_FEAT_EPT) | BIT_ULL(MHV_FEAT_UNRESTRICTED);
	struct mhv_info info = {};

	mhv_op(describe)(&info);
	return (info.features & need) == need;
}

static u32 vm_paging(const struct mhv_vm_config *config)
{
	if (config->paging != MHV_PAGING_AUTO)
		return config->paging;
	return vm_has_tdp() ? MHV_PAGING_TDP : MHV_PAGING_SHADOW;
}

static int vm_mmu_create(struct mhv_vm *vm, const struct mhv_vm_config *config)
{
	vm->paging = vm_paging(config);
	return vm->paging == MHV_PAGING_SHADOW ? mhv_shadow_create(vm, config) :
	       mhv_tdp_create(vm);
}

static void vm_mmu_destroy(struct mhv_vm *vm)
{
	mhv_tdp_destroy(vm);
	mhv_shadow_destroy(vm);
}

static void vm_free(struct mhv_vm *vm)
{
	int i;

	mhv_notifier_unregister(vm);
	for (i = 0; i < MHV_MAX_VCPUS; i++) {
		if (vm->vcpus[i])
			mhv_vcpu_free(vm->vcpus[i]);
		/* requests go to none of them any more */
		vm->vcpus[i] = NULL;
	}
	vm_mmu_destroy(vm);
	mhv_routes_destroy(vm);
	kvfree(rcu_dereference_protected(vm->slots, true));
	cleanup_srcu_struct(&vm->srcu);
	mmdrop(vm->mm);
	kfree(vm);
	mhv_hardware_put();
	module_put(THIS_MODULE);
}

static void vm_release(struct kref *ref)
{
	vm_free(container_of(ref, struct mhv_vm, ref));
}

void mhv_vm_get(struct mhv_vm *vm)
{
	kref_get(&vm->ref);
}

void mhv_vm_put(struct mhv_vm *vm)
{
	kref_put(&vm->ref, vm_release);
}

static int vm_check_config(const struct mhv_vm_config *config)
{
	if ((config->flags & ~MHV_VM_GNP) || config->reserved0 ||
	    memchr_inv(config->reserved, 0, sizeof(config->reserved)))
		return -EINVAL;
	if (config->paging > MHV_PAGING_SHADOW)
		return -EINVAL;
	if (vm_paging(config) == MHV_PAGING_TDP && (config->flags || config->shadow_pages))
		return -EINVAL;
	return config->paging == MHV_PAGING_TDP && !vm_has_tdp() ? -EOPNOTSUPP : 0;
}

static struct mhv_vm *vm_alloc(const struct mhv_vm_config *config)
{
	struct mhv_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	struct mhv_slots *slots;
	int ret = -ENOMEM;

	if (!vm)
		return ERR_PTR(ret);
	kref_init(&vm->ref);
	mutex_init(&vm->slots_lock);
	mutex_init(&vm->vcpus_lock);
	spin_lock_init(&vm->mmu_lock);
	vm->tsc_start = rdtsc();
	mutex_init(&vm->routes_lock);
	/* even, and not 0, which an empty cache entry has */
	vm->mmio_gen = 2;
	vm->routes_gen = 1;

	slots = kvzalloc(sizeof(*slots), GFP_KERNEL_ACCOUNT);
	if (!slots)
		goto err_vm;
	RCU_INIT_POINTER(vm->slots, slots);
	ret = init_srcu_struct(&vm->srcu);
	if (ret)
		goto err_slots;
	ret = vm_mmu_create(vm, config);
	if (ret)
		goto err_srcu;
	vm->mm = current->mm;
	mmgrab(vm->mm);
	ret = mhv_notifier_register(vm);
	if (ret)
		goto err_mm;
	return vm;

err_mm:
	mmdrop(vm->mm);
	vm_mmu_destroy(vm);
err_srcu:
	cleanup_srcu_struct(&vm->srcu);
err_slots:
	kvfree(slots);
err_vm:
	kfree(vm);
	return ERR_PTR(ret);
}

/**
 * mhv_vm_create - MHV_CREATE_VM
 * @config: as user space gave it
 *
 * Context: may sleep.
 * Return: a file descriptor; -EINVAL, -EOPNOTSUPP, -ENOMEM, or what
 * mhv_hardware_get() says of the host.
 */
int mhv_vm_create(const struct mhv_vm_config *config)
{
	struct mhv_vm *vm;
	int ret = vm_check_config(config);

	if (ret)
		return ret;
	ret = mhv_hardware_get();
	if (ret)
		return ret;
	vm = vm_alloc(config);
	if (IS_ERR(vm)) {
		mhv_hardware_put();
		return PTR_ERR(vm);
	}
	__module_get(THIS_MODULE);
	ret = anon_inode_getfd("mhv-vm", &mhv_vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (ret < 0)
		mhv_vm_put(vm);
	return ret;
}

static DEFINE_PER_CPU(struct cpumask, request_mask);

static void vm_ack_request(void *unused)
{
}

/**
 * mhv_request_all - make every vCPU act on a request before it runs guest code again
 * @vm: the VM
 * @request: MHV_REQ_*
 *
 * A vCPU in the guest is made to leave it: when this returns none runs that has not
 * seen the request.  Pairs with vcpu_enter(), which sets its mode and then looks at
 * its requests.
 * Context: interrupts on; spinlocks may be held.
 */
void mhv_request_all(struct mhv_vm *vm, int request)
{
	int i, cpu, me = get_cpu();
	struct cpumask *targets = this_cpu_ptr(&request_mask);

	cpumask_clear(targets);
	for (i = 0; i < MHV_MAX_VCPUS; i++) {
		struct mhv_vcpu *v = mhv_vm_vcpu(vm, i);

		if (!v)
			continue;
		set_bit(request, &v->requests);
		/* the request before the mode: pairs with vcpu_enter() */
		smp_mb__after_atomic();
		cpu = READ_ONCE(v->cpu);
		if (READ_ONCE(v->mode) == MHV_IN_GUEST && cpu >= 0 && cpu != me)
			cpumask_set_cpu(cpu, targets);
	}
	if (!cpumask_empty(targets))
		smp_call_function_many(targets, vm_ack_request, NULL, true);
	put_cpu();
}

/* ---- the file -------------------------------------------------------------- */

static long vm_set_memslot(struct mhv_vm *vm, void __user *uarg)
{
	struct mhv_memslot arg;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	return mhv_set_memslot(vm, &arg);
}

static long vm_create_vcpu(struct mhv_vm *vm, void __user *uarg)
{
	struct mhv_vcpu_config arg;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	return mhv_vcpu_create(vm, &arg);
}

static long vm_create_area(struct mhv_vm *vm, void __user *uarg)
{
	struct mhv_area arg;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	ret = mhv_area_create(vm, &arg);
	if (ret)
		return ret;
	return copy_to_user(uarg, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long vm_set_route(struct mhv_vm *vm, void __user *uarg)
{
	struct mhv_route arg;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	return mhv_set_route(vm, &arg);
}

static long vm_set_options(struct mhv_vm *vm, void __user *uarg)
{
	struct mhv_options arg;
	bool unsync;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if ((arg.disabled >> MHV_OPT_COUNT) || (arg.flags & ~(u64)MHV_OPTION_MEASURE) ||
	    arg.reserved[0] || arg.reserved[1])
		return -EINVAL;
	unsync = (vm->disabled ^ arg.disabled) & BIT(MHV_OPT_UNSYNC);
	WRITE_ONCE(vm->disabled, arg.disabled |
		   (arg.flags & MHV_OPTION_MEASURE ? MHV_VM_MEASURE : 0));
	if (unsync && vm->shadow)
		mhv_shadow_zap_all(vm);
	return 0;
}

static long vm_dump_mmu(struct mhv_vm *vm, void __user *uarg)
{
	struct mhv_mmu arg;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	ret = mhv_dump_mmu(vm, &arg);
	if (ret)
		return ret;
	return copy_to_user(uarg, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long vm_audit(struct mhv_vm *vm, void __user *uarg)
{
	struct mhv_audit arg;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (memchr_inv(&arg, 0, sizeof(arg)))
		return -EINVAL;
	if (!vm->shadow)
		return -EOPNOTSUPP;
	mhv_shadow_audit(vm, &arg);
	return copy_to_user(uarg, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mhv_vm *vm = file->private_data;
	void __user *uarg = (void __user *)arg;

	if (current->mm != vm->mm)
		return -EIO;
	switch (cmd) {
	case MHV_SET_MEMSLOT:
		return vm_set_memslot(vm, uarg);
	case MHV_CREATE_VCPU:
		return vm_create_vcpu(vm, uarg);
	case MHV_CREATE_AREA:
		return vm_create_area(vm, uarg);
	case MHV_SET_ROUTE:
		return vm_set_route(vm, uarg);
	case MHV_SET_OPTIONS:
		return vm_set_options(vm, uarg);
	case MHV_DUMP_MMU:
		return vm_dump_mmu(vm, uarg);
	case MHV_AUDIT:
		return vm_audit(vm, uarg);
	}
	return -ENOTTY;
}

static vm_fault_t vm_page_fault(struct vm_fault *vmf)
{
	vmf->page = mhv_area_page(vmf->vma->vm_private_data, vmf->pgoff);
	if (!vmf->page)
		return VM_FAULT_SIGBUS;
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct vm_area_ops = {
	.fault = vm_page_fault,
};

/* The VM lives at least as long as the mapping, which holds the file. */
static int vm_map_areas(struct file *file, struct vm_area_struct *vma)
{
	struct mhv_vm *vm = file->private_data;

	if (!(vma->vm_flags & VM_SHARED) || (vma->vm_flags & VM_EXEC) ||
	    !mhv_area_page(vm, vma->vm_pgoff + vma_pages(vma) - 1))
		return -EINVAL;
	mhv_vma_flags(vma, VM_DONTEXPAND, VM_MAYEXEC);
	vma->vm_private_data = vm;
	vma->vm_ops = &vm_area_ops;
	return 0;
}

static int vm_close(struct inode *inode, struct file *file)
{
	mhv_vm_put(file->private_data);
	return 0;
}

const struct file_operations mhv_vm_fops = {
	.owner		= THIS_MODULE,
	.release	= vm_close,
	.unlocked_ioctl	= vm_ioctl,
	.mmap		= vm_map_areas,
	.llseek		= noop_llseek,
};
