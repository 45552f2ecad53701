// SPDX-License-Identifier: GPL-2.0
/* The Gunyah functions irqfd and ioeventfd.  Both live until they are removed or the VM goes; callers hold vm->lock. */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "compat.h"
#include "gunyah_glue.h"
#include "gunyah_strict.h"

/* --- irqfd: every write to an eventfd rings a doorbell ------------------------------------------------------------------ */

struct gunyah_function_irqfd {
	struct list_head in_vm;
	struct gunyah_vm *vm;
	u32 label;
	struct eventfd_ctx *eventfd;
	wait_queue_entry_t wait;
	poll_table poll;
};

/* In the eventfd's wake-up: under its lock, maybe in interrupt context.  The counter is left alone. */
static int on_event(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct gunyah_function_irqfd *f = container_of(wait, struct gunyah_function_irqfd, wait);
	u32 intid;

	if (!(key_to_poll(key) & EPOLLIN))
		return 0;
	intid = gunyah_doorbell(&f->vm->core, f->label);
	if (intid)
		gunyah_ring(&f->vm->core, intid);
	else
		pr_debug("gunyah: nothing rings for label 0x%x\n", f->label);
	return 0;
}

static void on_poll(struct file *file, wait_queue_head_t *head, poll_table *poll)
{
	add_wait_queue(head, &container_of(poll, struct gunyah_function_irqfd, poll)->wait);
}

static struct gunyah_function_irqfd *find_irqfd(struct gunyah_vm *vm, u32 label)
{
	struct gunyah_function_irqfd *f;

	list_for_each_entry(f, &vm->irqfds, in_vm) {
		if (f->label == label)
			return f;
	}
	return NULL;
}

static int hook(struct gunyah_vm *vm, const struct gunyah_fn_irqfd_arg *args, struct file *file, struct eventfd_ctx *eventfd)
{
	struct gunyah_function_irqfd *f;

	if (find_irqfd(vm, args->label))
		return -EEXIST;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->vm = vm;
	f->label = args->label;
	f->eventfd = eventfd;
	init_waitqueue_func_entry(&f->wait, on_event);
	init_poll_funcptr(&f->poll, on_poll);
	list_add_tail(&f->in_vm, &vm->irqfds);
	/* what was written before does not count */
	vfs_poll(file, &f->poll);
	return 0;
}

int gunyah_irqfd_add(struct gunyah_vm *vm, const struct gunyah_fn_irqfd_arg *args)
{
	struct eventfd_ctx *eventfd;
	struct file *file;
	int r;

	if (args->flags & ~GUNYAH_IRQFD_FLAGS_LEVEL)
		return -EINVAL;
	file = fget(args->fd);
	if (!file)
		return -EBADF;
	eventfd = eventfd_ctx_fileget(file);
	r = PTR_ERR_OR_ZERO(eventfd);
	if (!r) {
		r = hook(vm, args, file, eventfd);
		if (r)
			eventfd_ctx_put(eventfd);
	}
	fput(file);
	return r;
}

static void irqfd_free(struct gunyah_function_irqfd *f)
{
	u64 count;

	list_del(&f->in_vm);
	eventfd_ctx_remove_wait_queue(f->eventfd, &f->wait, &count);
	eventfd_ctx_put(f->eventfd);
	kfree(f);
}

bool gunyah_irqfd_remove(struct gunyah_vm *vm, const struct gunyah_fn_irqfd_arg *args)
{
	struct gunyah_function_irqfd *f = find_irqfd(vm, args->label);

	if (f)
		irqfd_free(f);
	return f;
}

/* --- ioeventfd: some writes of the guest signal an eventfd instead of leaving VCPU_RUN ------------------------------------ */

struct gunyah_function_ioeventfd {
	struct list_head in_vm;
	struct gunyah_fn_ioeventfd_arg args;
	struct eventfd_ctx *eventfd;
	struct gunyah_ioevent event;
};

static void signal_eventfd(struct gunyah_ioevent *e)
{
	eventfd_signal(container_of(e, struct gunyah_function_ioeventfd, event)->eventfd);
}

void gunyah_events_init(struct gunyah_vm *vm)
{
	INIT_LIST_HEAD(&vm->irqfds);
	INIT_LIST_HEAD(&vm->ioeventfds);
	vm->core.events.signal = signal_eventfd;
}

static int check_ioeventfd(const struct gunyah_fn_ioeventfd_arg *a)
{
	bool match = a->flags & GUNYAH_IOEVENTFD_FLAGS_DATAMATCH;

	if (a->flags & ~GUNYAH_IOEVENTFD_FLAGS_DATAMATCH)
		return -EINVAL;
	if (a->len != 0 && a->len != 1 && a->len != 2 && a->len != 4 && a->len != 8)
		return -EINVAL;
	if (match && !a->len)
		return -EINVAL;
	return a->addr + a->len < a->addr && !strict(V17_Q9) ? -EINVAL : 0;
}

static int watch(struct gunyah_vm *vm, const struct gunyah_fn_ioeventfd_arg *args, struct eventfd_ctx *eventfd)
{
	struct gunyah_function_ioeventfd *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int r;

	if (!f)
		return -ENOMEM;
	f->args = *args;
	f->eventfd = eventfd;
	f->event.address = args->addr;
	if (args->flags & GUNYAH_IOEVENTFD_FLAGS_DATAMATCH) {
		f->event.length = args->len;
		f->event.data = args->datamatch;
	}
	r = gunyah_ioevent_add(&vm->core.events, &f->event);
	if (r)
		kfree(f);
	else
		list_add_tail(&f->in_vm, &vm->ioeventfds);
	return r;
}

int gunyah_ioeventfd_add(struct gunyah_vm *vm, const struct gunyah_fn_ioeventfd_arg *args)
{
	struct eventfd_ctx *eventfd;
	int r = check_ioeventfd(args);

	if (r)
		return r;
	eventfd = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	r = watch(vm, args, eventfd);
	if (r)
		eventfd_ctx_put(eventfd);
	return r;
}

static void ioeventfd_free(struct gunyah_vm *vm, struct gunyah_function_ioeventfd *f)
{
	list_del(&f->in_vm);
	gunyah_ioevent_remove(&vm->core.events, &f->event);
	eventfd_ctx_put(f->eventfd);
	kfree(f);
}

/* The eventfd is not looked at. */
static bool like(const struct gunyah_fn_ioeventfd_arg *a, const struct gunyah_fn_ioeventfd_arg *b)
{
	if (a->addr != b->addr || a->len != b->len || a->flags != b->flags)
		return false;
	return !(a->flags & GUNYAH_IOEVENTFD_FLAGS_DATAMATCH) || a->datamatch == b->datamatch;
}

bool gunyah_ioeventfd_remove(struct gunyah_vm *vm, const struct gunyah_fn_ioeventfd_arg *args)
{
	struct gunyah_function_ioeventfd *f, *next;
	bool found = false;

	list_for_each_entry_safe(f, next, &vm->ioeventfds, in_vm) {
		if (like(&f->args, args)) {
			ioeventfd_free(vm, f);
			found = true;
		}
	}
	return found;
}

void gunyah_events_drop(struct gunyah_vm *vm)
{
	struct gunyah_function_irqfd *irq, *next_irq;
	struct gunyah_function_ioeventfd *io, *next_io;

	list_for_each_entry_safe(irq, next_irq, &vm->irqfds, in_vm)
		irqfd_free(irq);
	list_for_each_entry_safe(io, next_io, &vm->ioeventfds, in_vm)
		ioeventfd_free(vm, io);
}
