// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: /dev/mhv, and virtualisation on all CPUs for as long as there is a VM.
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "mhv.h"
#include "mmu/mmu.h"
#include "mmu/spte.h"

/* ---- virtualisation on and off --------------------------------------------- */

static DEFINE_MUTEX(hardware_lock);
static unsigned int hardware_users;	/* hardware_lock */
static bool hardware_down;		/* hardware_lock: reboot or suspend */

static void hardware_enable_cpu(void *error)
{
	int ret = mhv_op(enable)();

	if (ret)
		cmpxchg((int *)error, 0, ret);
}

static void hardware_disable_cpu(void *unused)
{
	mhv_op(disable)();
}

static int hardware_enable_all(void)
{
	int error = 0;

	on_each_cpu(hardware_enable_cpu, &error, 1);
	if (error)
		on_each_cpu(hardware_disable_cpu, NULL, 1);
	return error;
}

static int hardware_verdict_errno(u32 verdict)
{
	switch (verdict) {
	case MHV_HOST_NO_VMX:
		return -ENODEV;
	case MHV_HOST_FIRMWARE_OFF:
		return -EACCES;
	}
	return -EOPNOTSUPP;
}

static int hardware_check(void)
{
	struct mhv_info info = {};

	mhv_op(describe)(&info);
	/* who owns VMX is seen on each CPU when it is enabled */
	if (!info.verdict || info.verdict == MHV_HOST_BUSY)
		return 0;
	pr_notice_ratelimited("mhv: no VM: %s\n", info.detail);
	return hardware_verdict_errno(info.verdict);
}

static void hardware_say_refusal(int error)
{
	const char *why = "a CPU refuses to enable virtualisation";

	if (error == -EBUSY)
		why = "another hypervisor owns VMX";
	else if (error == -ESHUTDOWN)
		why = "the host goes down";
	pr_notice_ratelimited("mhv: no VM: %s\n", why);
}

/**
 * mhv_hardware_get - virtualisation on, on every CPU, for one more VM
 *
 * Context: may sleep.
 * Return: 0, or the errno that belongs to the host's verdict.
 */
int mhv_hardware_get(void)
{
	int ret = hardware_check();

	if (ret)
		return ret;
	cpus_read_lock();
	mutex_lock(&hardware_lock);
	if (hardware_down)
		ret = -ESHUTDOWN;
	else if (!hardware_users)
		ret = hardware_enable_all();
	if (!ret)
		hardware_users++;
	mutex_unlock(&hardware_lock);
	cpus_read_unlock();
	/* the scheduler looks for notifiers only while somebody counts on it */
	if (!ret)
		preempt_notifier_inc();
	else
		hardware_say_refusal(ret);
	return ret;
}

/**
 * mhv_hardware_put - one VM less
 *
 * Context: may sleep.
 */
void mhv_hardware_put(void)
{
	preempt_notifier_dec();
	cpus_read_lock();
	mutex_lock(&hardware_lock);
	if (!--hardware_users)
		on_each_cpu(hardware_disable_cpu, NULL, 1);
	mutex_unlock(&hardware_lock);
	cpus_read_unlock();
}

/* A CPU comes up.  Should another hypervisor own it, it stays out of our reach. */
static int hardware_cpu_online(unsigned int cpu)
{
	int error = 0;

	mutex_lock(&hardware_lock);
	if (hardware_users && !hardware_down) {
		local_irq_disable();
		hardware_enable_cpu(&error);
		local_irq_enable();
	}
	mutex_unlock(&hardware_lock);
	return error;
}

/* A CPU goes down: its threads are pushed away as they schedule (vmx_leave_cpu()). */
static int hardware_cpu_offline(unsigned int cpu)
{
	local_irq_disable();
	hardware_disable_cpu(NULL);
	local_irq_enable();
	return 0;
}

static void hardware_suspend(void)
{
	mutex_lock(&hardware_lock);
	hardware_down = true;
	if (hardware_users)
		on_each_cpu(hardware_disable_cpu, NULL, 1);
	mutex_unlock(&hardware_lock);
}

/*
 * The firmware must find VMX off on a reboot.  A panic or an emergency reboot does not
 * come here: Linux 6.1 then finds VMX on by itself and leaves it; 6.12 asks the one
 * hypervisor that has registered, a place that KVM expects to be free.
 */
static int hardware_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	hardware_suspend();
	return NOTIFY_OK;
}

static struct notifier_block hardware_reboot_nb = {
	.notifier_call = hardware_reboot,
};

/*
 * Suspend: a platform device's noirq callbacks run when user space is frozen, so that
 * no vCPU is in the guest, and before the other CPUs go.
 */
static int hardware_pm_suspend(struct device *dev)
{
	hardware_suspend();
	return 0;
}

static int hardware_pm_resume(struct device *dev)
{
	int ret = 0;

	mutex_lock(&hardware_lock);
	hardware_down = false;
	if (hardware_users)
		ret = hardware_enable_all();
	mutex_unlock(&hardware_lock);
	return ret;
}

static const struct dev_pm_ops hardware_pm_ops = {
	SET_NOIRQ_SYSTEM_SLEEP_PM_OPS(hardware_pm_suspend, hardware_pm_resume)
};

static struct platform_driver hardware_driver = {
	.driver = { .name = "mhv", .pm = &hardware_pm_ops },
};

static struct platform_device *hardware_device;
static int hardware_cpuhp;

static int __init hardware_init(void)
{
	int ret;

	ret = platform_driver_register(&hardware_driver);
	if (ret)
		return ret;
	hardware_device = platform_device_register_simple("mhv", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(hardware_device)) {
		ret = PTR_ERR(hardware_device);
		goto err_driver;
	}
	ret = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "mhv:online", hardware_cpu_online,
					hardware_cpu_offline);
	if (ret < 0)
		goto err_device;
	hardware_cpuhp = ret;
	ret = register_reboot_notifier(&hardware_reboot_nb);
	if (ret)
		goto err_cpuhp;
	return 0;

err_cpuhp:
	cpuhp_remove_state_nocalls(hardware_cpuhp);
err_device:
	platform_device_unregister(hardware_device);
err_driver:
	platform_driver_unregister(&hardware_driver);
	return ret;
}

static void hardware_exit(void)
{
	unregister_reboot_notifier(&hardware_reboot_nb);
	cpuhp_remove_state_nocalls(hardware_cpuhp);
	platform_device_unregister(hardware_device);
	platform_driver_unregister(&hardware_driver);
}

/* ---- /dev/mhv -------------------------------------------------------------- */

static long dev_get_info(void __user *uarg)
{
	struct mhv_info info = {
		.api_version = MHV_API_VERSION,
		.max_vcpus = MHV_MAX_VCPUS,
		.max_memslots = MHV_MAX_MEMSLOTS,
		.nr_stats = MHV_NR_STATS,
		.tsc_khz = tsc_khz,
		.run_size = 3 * PAGE_SIZE,
	};

	mhv_op(describe)(&info);
	return copy_to_user(uarg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long dev_get_stat_name(void __user *uarg)
{
	struct mhv_stat_name arg;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	ret = mhv_stat_name(&arg);
	if (ret)
		return ret;
	return copy_to_user(uarg, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long dev_create_vm(void __user *uarg)
{
	struct mhv_vm_config config;

	if (copy_from_user(&config, uarg, sizeof(config)))
		return -EFAULT;
	return mhv_vm_create(&config);
}

static long dev_get_host_cpuid(void __user *uarg)
{
	struct mhv_cpuid_entry *entries;
	u32 nr;
	long ret = mhv_cpuid_host(&entries, &nr);

	if (ret)
		return ret;
	ret = mhv_cpuid_copy(entries, nr, uarg);
	kfree(entries);
	return ret;
}

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *uarg = (void __user *)arg;

	switch (cmd) {
	case MHV_GET_INFO:
		return dev_get_info(uarg);
	case MHV_GET_STAT_NAME:
		return dev_get_stat_name(uarg);
	case MHV_CREATE_VM:
		return dev_create_vm(uarg);
	case MHV_GET_HOST_CPUID:
		return dev_get_host_cpuid(uarg);
	}
	return -ENOTTY;
}

static const struct file_operations dev_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= dev_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice dev_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "mhv",
	.fops	= &dev_fops,
};

module_param_named(mmio_gen_bits, mhv_mmio_gen_bits, uint, 0444);
MODULE_PARM_DESC(mmio_gen_bits, "bits of the generation in a device entry, 2 to 18 (for tests)");

static int __init mhv_init(void)
{
	int ret;

	if (mhv_mmio_gen_bits < 2 || mhv_mmio_gen_bits > SPTE_GEN_BITS) {
		pr_err("mhv: mmio_gen_bits=%u: from 2 to %u\n", mhv_mmio_gen_bits, SPTE_GEN_BITS);
		return -EINVAL;
	}
	mhv_cpuid_setup();
	ret = mhv_vmx_init();
	if (ret)
		return ret;
	ret = hardware_init();
	if (ret)
		goto err_vmx;
	ret = mhv_shrinker_init();
	if (ret)
		goto err_hardware;
	ret = misc_register(&dev_misc);
	if (ret)
		goto err_shrinker;
	return 0;

err_shrinker:
	mhv_shrinker_exit();
err_hardware:
	hardware_exit();
err_vmx:
	mhv_vmx_exit();
	return ret;
}

static void __exit mhv_exit(void)
{
	misc_deregister(&dev_misc);
	mhv_shrinker_exit();
	hardware_exit();
	mhv_vmx_exit();
	/* tables that were freed under RCU */
	rcu_barrier();
}

module_init(mhv_init);
module_exit(mhv_exit);

MODULE_DESCRIPTION("mhv, a mini hypervisor");
MODULE_AUTHOR("The mhv authors");
MODULE_LICENSE("GPL");
