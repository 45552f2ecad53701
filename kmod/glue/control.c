// SPDX-License-Identifier: GPL-2.0
/* /dev/mockvisor: what no real hypervisor tells.  A VM is named by the caller's own file descriptor of it. */
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <mockvisor.h>

#include "acrn_call.h"
#include "acrn_hsm.h"
#include "control.h"
#include "gunyah_glue.h"

/* What the calls below need of a vCPU, whichever hypervisor it belongs to. */
struct vcpu_view {
	struct hv_walk *walk;
	struct hv_cpu *cpu;
	u64 accesses;
};

/* A VM held so that its vCPUs stay. */
struct vm_view {
	struct file *file;
	struct acrn_hsm *acrn;
	struct gunyah_vm *gunyah;
};

static void vm_drop(struct vm_view *vm)
{
	if (vm->acrn)
		up_read(&vm->acrn->lock);
	if (vm->gunyah)
		mutex_unlock(&vm->gunyah->lock);
	fput(vm->file);
}

static int vm_hold(struct vm_view *vm, int fd)
{
	memset(vm, 0, sizeof(*vm));
	vm->file = fget(fd);
	if (!vm->file)
		return -EBADF;
	if (vm->file->f_op == &acrn_hsm_fops) {
		vm->acrn = vm->file->private_data;
		down_read(&vm->acrn->lock);
		if (vm->acrn->live)
			return 0;
	} else if (vm->file->f_op == &gunyah_vm_fops) {
		vm->gunyah = vm->file->private_data;
		mutex_lock(&vm->gunyah->lock);
		return 0;
	}
	vm_drop(vm);
	return -EINVAL;
}

static int vcpu_find(const struct vm_view *vm, u32 id, struct vcpu_view *v)
{
	struct acrn_vcpu *a;
	struct gunyah_vcpu *g;

	if (vm->acrn) {
		if (id >= vm->acrn->core.vcpu_num)
			return -ENOENT;
		a = &vm->acrn->vcpu[id]->core;
		*v = (struct vcpu_view){ &a->walk, &a->cpu.hv, a->accesses };
		return 0;
	}
	g = id < GUNYAH_VCPUS ? vm->gunyah->core.vcpu[id] : NULL;
	if (!g)
		return -ENOENT;
	*v = (struct vcpu_view){ &g->walk, &g->cpu.hv, g->accesses };
	return 0;
}

static long walk_switch(void __user *user)
{
	struct mockvisor_walk_switch arg;
	struct vcpu_view v;
	struct vm_view vm;
	u32 i;
	int r;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	r = vm_hold(&vm, arg.vm_fd);
	if (r)
		return r;
	for (i = 0; i < max_t(u32, GUNYAH_VCPUS, ACRN_IO_REQUEST_MAX); i++) {
		if (!vcpu_find(&vm, i, &v))
			WRITE_ONCE(v.walk->on, !!arg.on);
	}
	if (vm.gunyah)
		vm.gunyah->walk = !!arg.on;
	vm_drop(&vm);
	return 0;
}

static void walk_fill(struct mockvisor_walk *to, const struct hv_walk_record *from)
{
	to->cookie = from->cookie;
	to->address = from->address;
	to->data = from->data;
	to->size = from->size;
	to->space = from->space;
	to->direction = from->direction;
	memcpy(to->start, from->start, sizeof(to->start));
	to->end = from->end;
}

/* What is asked of one vCPU: every such argument begins with the VM's fd and the vCPU's number. */
struct vcpu_question {
	__s32 vm_fd;
	__u32 vcpu;
};

union vcpu_answer {
	struct vcpu_question question;
	struct mockvisor_walk walk;
	struct mockvisor_counters counters;
};

static int answer_walk(const struct vcpu_view *v, union vcpu_answer *a)
{
	struct hv_walk_record record;
	int r = hv_walk_get(v->walk, a->walk.cookie, &record);

	if (!r)
		walk_fill(&a->walk, &record);
	return r;
}

static int answer_counters(const struct vcpu_view *v, union vcpu_answer *a)
{
	a->counters.instructions = READ_ONCE(v->cpu->retired);
	a->counters.accesses = v->accesses;
	a->counters.blocks_decoded = READ_ONCE(v->cpu->blocks.decoded);
	a->counters.block_flushes = READ_ONCE(v->cpu->blocks.flushes);
	a->counters.arena_bytes = READ_ONCE(v->cpu->blocks.size);
	return 0;
}

static long ask_vcpu(void __user *user, size_t size, int (*answer)(const struct vcpu_view *v, union vcpu_answer *a))
{
	union vcpu_answer a;
	struct vcpu_view v;
	struct vm_view vm;
	int r;

	if (copy_from_user(&a, user, size))
		return -EFAULT;
	r = vm_hold(&vm, a.question.vm_fd);
	if (r)
		return r;
	r = vcpu_find(&vm, a.question.vcpu, &v);
	if (!r)
		r = answer(&v, &a);
	vm_drop(&vm);
	if (r)
		return r;
	return copy_to_user(user, &a, size) ? -EFAULT : 0;
}

static long device_interrupt(const struct mockvisor_device_interrupt __user *user)
{
	struct mockvisor_device_interrupt arg;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	return arg.reserved ? -EINVAL : acrn_hsm_device_interrupt(arg.bdf, arg.high);
}

/* Read and written back whole; a descriptor of another kind has no such points. */
static long fault_call(struct mockvisor_fault __user *user, bool arm)
{
	struct mockvisor_fault arg;
	struct acrn_hsm *hsm;
	struct file *file;
	int r = -EINVAL;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	file = fget(arg.fd);
	if (!file)
		return -EBADF;
	if (file->f_op == &acrn_hsm_fops && acrn_call_find(arg.call)) {
		hsm = file->private_data;
		r = arm ? mv_fault_arm(&hsm->faults, &arg) : mv_fault_read(&hsm->faults, &arg);
	}
	fput(file);
	if (r || arm)
		return r;
	return copy_to_user(user, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long memory_forget(const struct mockvisor_memory_forget __user *user)
{
	struct mockvisor_memory_forget arg;
	struct acrn_hsm *hsm;
	struct file *file;
	int r = -EINVAL;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (arg.reserved)
		return -EINVAL;
	file = fget(arg.vm_fd);
	if (!file)
		return -EBADF;
	if (file->f_op == &acrn_hsm_fops) {
		hsm = file->private_data;
		down_write(&hsm->lock);
		if (hsm->live)
			r = acrn_hsm_forget(hsm, arg.gpa, arg.len);
		up_write(&hsm->lock);
	}
	fput(file);
	return r;
}

/* What is asked of an ACRN VM as a whole or of one of its vCPUs: @size bytes that begin with its descriptor. */
union acrn_question {
	__s32 vm_fd;
	struct mockvisor_x86_state state;
	struct mockvisor_x86_cpuid cpuid;
	struct mockvisor_vcpu_hold hold;
	struct mockvisor_x86_chip chip;
	struct mockvisor_x86_pin pin;
	struct mockvisor_x86_ends ends;
};

static int acrn_answer(struct acrn_hsm *hsm, unsigned int number, union acrn_question *q)
{
	switch (number) {
	case MOCKVISOR_X86_STATE_GET:
		return acrn_state_get(hsm, &q->state);
	case MOCKVISOR_X86_STATE_SET:
		return acrn_state_set(hsm, &q->state);
	case MOCKVISOR_X86_CPUID_SET:
		return acrn_state_cpuid(hsm, &q->cpuid);
	case MOCKVISOR_VCPU_HOLD:
		return q->hold.reserved || q->hold.on > 1 ? -EINVAL : acrn_state_hold(hsm, q->hold.vcpu, q->hold.on);
	case MOCKVISOR_X86_CHIP_GET:
		return acrn_state_chip_get(hsm, &q->chip);
	case MOCKVISOR_X86_CHIP_SET:
		return acrn_state_chip_set(hsm, &q->chip);
	case MOCKVISOR_X86_PIN:
		return acrn_state_pin(hsm, &q->pin);
	case MOCKVISOR_X86_ENDS_WATCH:
		return acrn_state_ends_watch(hsm, &q->ends);
	case MOCKVISOR_X86_ENDS_TAKE:
		acrn_state_ends_take(hsm, &q->ends);
		return 0;
	default:
		return -ENOTTY;
	}
}

static long ask_acrn(unsigned int number, void __user *user)
{
	size_t size = _IOC_SIZE(number);
	union acrn_question *q;
	struct vm_view vm;
	int r;

	/* too large for the stack */
	q = kzalloc(sizeof(*q), GFP_KERNEL);
	if (!q)
		return -ENOMEM;
	r = copy_from_user(q, user, size) ? -EFAULT : vm_hold(&vm, q->vm_fd);
	if (!r) {
		r = vm.acrn ? acrn_answer(vm.acrn, number, q) : -EINVAL;
		vm_drop(&vm);
	}
	if (!r && (_IOC_DIR(number) & _IOC_READ) && copy_to_user(user, q, size))
		r = -EFAULT;
	kfree(q);
	return r;
}

static long control_ioctl(struct file *file, unsigned int number, unsigned long argument)
{
	switch (number) {
	case MOCKVISOR_VERSION:
		return MOCKVISOR_ABI_VERSION;
	case MOCKVISOR_WALK_SWITCH:
		return walk_switch((void __user *)argument);
	case MOCKVISOR_WALK_GET:
		return ask_vcpu((void __user *)argument, sizeof(struct mockvisor_walk), answer_walk);
	case MOCKVISOR_COUNTERS:
		return ask_vcpu((void __user *)argument, sizeof(struct mockvisor_counters), answer_counters);
	case MOCKVISOR_DEVICE_INTERRUPT:
		return device_interrupt((void __user *)argument);
	case MOCKVISOR_FAULT_SET:
	case MOCKVISOR_FAULT_GET:
		return fault_call((void __user *)argument, number == MOCKVISOR_FAULT_SET);
	case MOCKVISOR_X86_STATE_GET:
	case MOCKVISOR_X86_STATE_SET:
	case MOCKVISOR_X86_CPUID_SET:
	case MOCKVISOR_VCPU_HOLD:
	case MOCKVISOR_X86_CHIP_GET:
	case MOCKVISOR_X86_CHIP_SET:
	case MOCKVISOR_X86_PIN:
	case MOCKVISOR_X86_ENDS_WATCH:
	case MOCKVISOR_X86_ENDS_TAKE:
		return ask_acrn(number, (void __user *)argument);
	case MOCKVISOR_MEMORY_FORGET:
		return memory_forget((void __user *)argument);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice control_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "mockvisor",
	.fops = &control_fops,
};

int control_register(void)
{
	return misc_register(&control_device);
}

void control_unregister(void)
{
	misc_deregister(&control_device);
}
