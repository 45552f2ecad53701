// SPDX-License-Identifier: MIT
/*
 * Every allocation failure path: each call of a life that works is made again with its 1st, 2nd, ... nth allocation
 * failing (/proc/self/fail-nth), until no allocation is left to fail. It may fail with ENOMEM or succeed; what it must not do
 * is hang, splat or leak, which the kernel's own checkers tell (flavors kasan, lockdep, kmemleak, fault).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/acrn.h>
#include <linux/falloc.h>
#include <linux/gunyah.h>
#include <linux/types.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (1 << 20)
#define MAX_FAULTS 500 /* no call allocates that often; more means that the counter does not work */
#define BASE 0x80000000ull

static int fail_fd, failures, injected;

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		printf("%s: %s; this kernel cannot fail allocations, use --flavor fault\n", path, strerror(errno));
		exit(1);
	}
	close(fd);
}

static void arm(int nth)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%d", nth);

	/* copying from and to user memory may be made to fail, too: then that was the armed fault, and it is gone */
	if (pwrite(fail_fd, text, size, 0) != size && (errno != EFAULT || pwrite(fail_fd, text, size, 0) != size)) {
		perror("write to /proc/self/fail-nth");
		exit(1);
	}
}

/* Zero once the fault happened, else what is left of n. */
static int left(void)
{
	char text[16] = "1";

	if (pread(fail_fd, text, sizeof(text) - 1, 0) <= 0 && errno != EFAULT) {
		perror("read of /proc/self/fail-nth");
		exit(1);
	}
	arm(0);
	return atoi(text);
}

struct life {
	int dev, vm, memory, vcpu;
	void *host, *requests;
};

typedef long (*call_fn)(struct life *life);

static long acrn_open(struct life *l) { return l->dev = open("/dev/acrn_hsm", O_RDWR | O_CLOEXEC); }

static long acrn_create(struct life *l)
{
	struct acrn_vm_creation c = { .ioreq_buf = (uintptr_t)l->requests, .cpu_affinity = 3 };

	return ioctl(l->dev, ACRN_IOCTL_CREATE_VM, &c);
}

static long acrn_memory(struct life *l)
{
	struct acrn_vm_memmap m = { .type = 0, .attr = ACRN_MEM_ACCESS_RWX | ACRN_MEM_TYPE_WB, .vma_base = (uintptr_t)l->host,
				    .len = SIZE };

	return ioctl(l->dev, ACRN_IOCTL_SET_MEMSEG, &m);
}

static long acrn_client(struct life *l) { return ioctl(l->dev, ACRN_IOCTL_CREATE_IOREQ_CLIENT, 0); }
static long acrn_start(struct life *l) { return ioctl(l->dev, ACRN_IOCTL_START_VM, 0); }
static long acrn_pause(struct life *l) { return ioctl(l->dev, ACRN_IOCTL_PAUSE_VM, 0); }
static long acrn_reset(struct life *l) { return ioctl(l->dev, ACRN_IOCTL_RESET_VM, 0); }
static long acrn_destroy(struct life *l) { return ioctl(l->dev, ACRN_IOCTL_DESTROY_VM, 0); }

/* The eventfd lives on in what it was given to. */
static int with_eventfd(struct life *l, long (*give)(struct life *l, int fd))
{
	int fd = eventfd(0, EFD_CLOEXEC);
	long r = give(l, fd);

	close(fd);
	return r;
}

static long give_acrn_ioeventfd(struct life *l, int fd)
{
	struct acrn_ioeventfd e = { .fd = fd, .flags = ACRN_IOEVENTFD_FLAG_PIO, .addr = 0x3f8, .len = 1 };

	return ioctl(l->dev, ACRN_IOCTL_IOEVENTFD, &e);
}

static long give_acrn_irqfd(struct life *l, int fd)
{
	struct acrn_irqfd f = { .fd = fd, .msi = { .msi_addr = 0xfee00000, .msi_data = 0x30 } };

	return ioctl(l->dev, ACRN_IOCTL_IRQFD, &f);
}

static long acrn_ioeventfd(struct life *l) { return with_eventfd(l, give_acrn_ioeventfd); }
static long acrn_irqfd(struct life *l) { return with_eventfd(l, give_acrn_irqfd); }
static long acrn_monitor(struct life *l) { return ioctl(l->dev, ACRN_IOCTL_VM_INTR_MONITOR, l->host); }

/* One of the module's own pretend devices: 00:14.0. */
static long acrn_assign(struct life *l)
{
	struct acrn_pcidev d = { .virt_bdf = 3 << 3, .phys_bdf = 0x14 << 3 };

	return ioctl(l->dev, ACRN_IOCTL_ASSIGN_PCIDEV, &d);
}

static long acrn_vdev(struct life *l)
{
	struct acrn_vdev v = { .id.value = 0x11101af4, .slot = 4 << 3, .io_addr = { 0x80000000, 0x80001000, 0x80100000 },
			       .io_size = { 0, 0, 0x10000 } };

	strcpy((char *)v.args, "hv:/fail");
	return ioctl(l->dev, ACRN_IOCTL_CREATE_VDEV, &v);
}

static long gunyah_open(struct life *l) { return l->dev = open("/dev/gunyah", O_RDWR | O_CLOEXEC); }
static long gunyah_create(struct life *l) { return l->vm = ioctl(l->dev, GUNYAH_CREATE_VM, 0); }

static long gunyah_memory(struct life *l)
{
	struct gunyah_create_mem_args c = { .flags = GHMF_CLOEXEC, .size = SIZE };

	return l->memory = ioctl(l->dev, GUNYAH_CREATE_GUEST_MEM, &c);
}

static long gunyah_touch(struct life *l)
{
	char *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, l->memory, 0);

	if (p == MAP_FAILED)
		return -1;
	return munmap(p, SIZE);
}

static long gunyah_map(struct life *l)
{
	struct gunyah_map_mem_args m = { .guest_addr = BASE, .guest_mem_fd = (uint32_t)l->memory, .size = SIZE,
		.flags = GUNYAH_MEM_ALLOW_READ | GUNYAH_MEM_ALLOW_WRITE | GUNYAH_MEM_ALLOW_EXEC };

	return ioctl(l->vm, GUNYAH_VM_MAP_MEM, &m);
}

static long gunyah_vcpu(struct life *l)
{
	struct gunyah_fn_vcpu_arg id = { .id = 0 };
	struct gunyah_fn_desc f = { .type = GUNYAH_FN_VCPU, .arg_size = sizeof(id), .arg = (uintptr_t)&id };

	return l->vcpu = ioctl(l->vm, GUNYAH_VM_ADD_FUNCTION, &f);
}

static long give_gunyah_irqfd(struct life *l, int fd)
{
	struct gunyah_fn_irqfd_arg a = { .fd = (uint32_t)fd, .label = 1 };
	struct gunyah_fn_desc f = { .type = GUNYAH_FN_IRQFD, .arg_size = sizeof(a), .arg = (uintptr_t)&a };

	return ioctl(l->vm, GUNYAH_VM_ADD_FUNCTION, &f);
}

static long give_gunyah_ioeventfd(struct life *l, int fd)
{
	struct gunyah_fn_ioeventfd_arg a = { .fd = fd, .addr = 0x1000, .len = 4 };
	struct gunyah_fn_desc f = { .type = GUNYAH_FN_IOEVENTFD, .arg_size = sizeof(a), .arg = (uintptr_t)&a };

	return ioctl(l->vm, GUNYAH_VM_ADD_FUNCTION, &f);
}

static long gunyah_irqfd(struct life *l) { return with_eventfd(l, give_gunyah_irqfd); }
static long gunyah_ioeventfd(struct life *l) { return with_eventfd(l, give_gunyah_ioeventfd); }

static long gunyah_region(struct life *l)
{
	struct gh_userspace_memory_region r = { .label = 1, .flags = GH_MEM_ALLOW_RWX, .guest_phys_addr = BASE + SIZE,
						.memory_size = SIZE, .userspace_addr = (uintptr_t)l->host };

	return ioctl(l->vm, GH_VM_SET_USER_MEM_REGION, &r);
}

static long gunyah_allocate(struct life *l) { return fallocate(l->memory, FALLOC_FL_KEEP_SIZE, 0, SIZE); }

static long gunyah_page(struct life *l)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, l->vcpu, 0);

	if (p == MAP_FAILED)
		return -1;
	*(volatile char *)p = 0;
	return munmap(p, 4096);
}

static long gunyah_start(struct life *l)
{
	struct gunyah_vm_dtb_config tree = { .guest_phys_addr = BASE, .size = 4096 };

	if (ioctl(l->vm, GUNYAH_VM_SET_DTB_CONFIG, &tree))
		return -1;
	ioctl(l->vm, GUNYAH_VM_START, 0); /* without a tree it fails; it allocates before it does */
	return 0;
}

struct step {
	const char *name;
	call_fn call;
};

static const struct step acrn[] = { { "open acrn_hsm", acrn_open }, { "CREATE_VM", acrn_create }, { "SET_MEMSEG", acrn_memory },
	{ "CREATE_IOREQ_CLIENT", acrn_client }, { "IOEVENTFD", acrn_ioeventfd }, { "IRQFD", acrn_irqfd },
	{ "VM_INTR_MONITOR", acrn_monitor }, { "ASSIGN_PCIDEV", acrn_assign }, { "CREATE_VDEV", acrn_vdev }, { "START_VM", acrn_start }, { "PAUSE_VM", acrn_pause }, { "RESET_VM", acrn_reset },
	{ "DESTROY_VM", acrn_destroy }, { NULL, NULL } };
static const struct step gunyah[] = { { "open gunyah", gunyah_open }, { "CREATE_VM", gunyah_create },
	{ "CREATE_GUEST_MEM", gunyah_memory }, { "mmap of memory", gunyah_touch }, { "fallocate of memory", gunyah_allocate },
	{ "MAP_MEM", gunyah_map }, { "ADD_FUNCTION irqfd", gunyah_irqfd }, { "ADD_FUNCTION ioeventfd", gunyah_ioeventfd },
	{ "SET_USER_MEM_REGION", gunyah_region },
	{ "ADD_FUNCTION", gunyah_vcpu }, { "mmap of the run page", gunyah_page }, { "START", gunyah_start }, { NULL, NULL } };

static void end(struct life *l)
{
	int fds[] = { l->vcpu, l->memory, l->vm, l->dev };
	unsigned int i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	munmap(l->host, SIZE);
	munmap(l->requests, 4096);
}

/* One life in which the `at`th step's nth allocation fails; false when it has no nth. */
static int life(const struct step *steps, int at, int nth)
{
	struct life l = { -1, -1, -1, -1, NULL, NULL };
	int i, more = 1;
	long value;

	l.host = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	l.requests = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	for (i = 0; steps[i].name && i <= at; i++) {
		if (i == at)
			arm(nth);
		value = steps[i].call(&l);
		if (i == at)
			more = left() == 0;
		else if (value < 0) {
			printf("%s without a fault: %s\n", steps[i].name, strerror(errno));
			failures++;
		}
	}
	end(&l);
	injected += more;
	return more;
}

static void sweep(const struct step *steps)
{
	int at, nth;

	for (at = 0; steps[at].name; at++) {
		for (nth = 1; nth < MAX_FAULTS && life(steps, at, nth); nth++)
			;
		printf("%s: %d allocations\n", steps[at].name, nth - 1);
		failures += nth == MAX_FAULTS;
	}
}

int main(void)
{
	set("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	set("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	set("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	fail_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_fd < 0) {
		printf("/proc/self/fail-nth: %s; use --flavor fault\n", strerror(errno));
		return 1;
	}
	sweep(acrn);
	sweep(gunyah);
	printf("%d faults injected, %d failures\n", injected, failures);
	return failures || !injected;
}
