// SPDX-License-Identifier: MIT
/*
 * The least that the module must do on any kernel and architecture: its device nodes are there, objects are made, memory
 * is mapped and shared, wrong calls give the driver's errors, and everything goes away by closing it. Static and without
 * a library, so that it runs where the suites' programs are not built for.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/gunyah.h>
#include <linux/types.h>
#include <mockvisor.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (1 << 20)
#define GUEST_BASE 0x80000000ull

static int failures;

static int must(const char *what, long value, int good)
{
	if (!good) {
		printf("%s: %ld (%s)\n", what, value, strerror(errno));
		failures++;
	}
	return (int)value;
}

#define MUST_FAIL(error, call)                                      \
	do {                                                        \
		long value_;                                        \
		errno = 0;                                          \
		value_ = (call);                                    \
		must(#call " gives " #error, value_, value_ == -1 && errno == (error)); \
	} while (0)

static int checked(const char *what, long value)
{
	return must(what, value, value >= 0);
}

static void check_vm(int dev)
{
	struct gunyah_create_mem_args create = { .flags = GHMF_CLOEXEC, .size = SIZE };
	struct gunyah_fn_vcpu_arg id = { .id = 0 };
	struct gunyah_fn_desc function = { .type = GUNYAH_FN_VCPU, .arg_size = sizeof(id), .arg = (uintptr_t)&id };
	struct gunyah_vm_dtb_config tree = { .guest_phys_addr = GUEST_BASE, .size = 4096 };
	int vm = checked("CREATE_VM", ioctl(dev, GUNYAH_CREATE_VM, 0));
	int memory = checked("CREATE_GUEST_MEM", ioctl(dev, GUNYAH_CREATE_GUEST_MEM, &create));
	struct gunyah_map_mem_args map = {
		.guest_addr = GUEST_BASE,
		.flags = GUNYAH_MEM_ALLOW_READ | GUNYAH_MEM_ALLOW_WRITE | GUNYAH_MEM_ALLOW_EXEC,
		.guest_mem_fd = (uint32_t)memory,
		.size = SIZE,
	};
	unsigned char *data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	int vcpu;
	long size;

	must("mmap of guest memory", (long)data, data != MAP_FAILED);
	if (data != MAP_FAILED) {
		memset(data, 0x5a, SIZE);
		must("guest memory keeps what is written", data[SIZE - 1], data[SIZE - 1] == 0x5a);
		munmap(data, SIZE);
	}
	checked("MAP_MEM", ioctl(vm, GUNYAH_VM_MAP_MEM, &map));
	MUST_FAIL(EEXIST, ioctl(vm, GUNYAH_VM_MAP_MEM, &map));
	vcpu = checked("ADD_FUNCTION", ioctl(vm, GUNYAH_VM_ADD_FUNCTION, &function));
	MUST_FAIL(EEXIST, ioctl(vm, GUNYAH_VM_ADD_FUNCTION, &function));
	size = checked("VCPU_MMAP_SIZE", ioctl(vcpu, GUNYAH_VCPU_MMAP_SIZE, 0));
	data = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	must("mmap of the run page", (long)data, data != MAP_FAILED);
	MUST_FAIL(ENODEV, ioctl(vcpu, GUNYAH_VCPU_RUN, 0));
	checked("SET_DTB_CONFIG", ioctl(vm, GUNYAH_VM_SET_DTB_CONFIG, &tree));
	/* there is no tree at that address: a start must say so, not hang */
	must("VM_START without a device tree fails", 0, ioctl(vm, GUNYAH_VM_START, 0) == -1);
	close(vcpu);
	close(memory);
	close(vm);
}

int main(void)
{
	int dev = open("/dev/gunyah", O_RDWR | O_CLOEXEC);
	int control = open("/dev/mockvisor", O_RDWR | O_CLOEXEC);
	int acrn = open("/dev/acrn_hsm", O_RDWR | O_CLOEXEC);
	int i;

	must("open /dev/gunyah", dev, dev >= 0);
	must("open /dev/mockvisor", control, control >= 0);
	must("open /dev/acrn_hsm", acrn, acrn >= 0);
	must("version", 0, ioctl(control, MOCKVISOR_VERSION, 0) == MOCKVISOR_ABI_VERSION);
	MUST_FAIL(ENOTTY, ioctl(dev, 0x1234, 0));
	MUST_FAIL(EINVAL, ioctl(acrn, 0x1234, 0));
	for (i = 0; i < 20; i++)
		check_vm(dev);
	printf("%d failures\n", failures);
	return failures != 0;
}
