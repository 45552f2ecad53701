// SPDX-License-Identifier: MIT
/* The places of the module that a call comes by, as KCOV counts them (Documentation/dev-tools/kcov.rst). */
#include <fcntl.h>
#include <linux/kcov.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define ENTRIES 4096
#define NO_CALL _IO('?', 1)
#define GUNYAH_CREATE_VM _IO('G', 0)

static int kcov = -1;
static unsigned long *places;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* How many places an open and one call of a node come by; only what is built with coverage counts. */
static unsigned long walk(const char *node, unsigned long call)
{
	unsigned long seen;
	int fd, made;

	if (ioctl(kcov, KCOV_ENABLE, KCOV_TRACE_PC))
		die("KCOV_ENABLE");
	__atomic_store_n(places, 0, __ATOMIC_RELAXED);
	fd = open(node, O_RDWR);
	made = ioctl(fd, call, 0);
	seen = __atomic_load_n(places, __ATOMIC_RELAXED);
	if (ioctl(kcov, KCOV_DISABLE, 0))
		die("KCOV_DISABLE");
	if (fd < 0)
		die(node);
	if (made > 0)
		close(made);
	close(fd);
	printf("%s: %lu places\n", node, seen);
	return seen;
}

int main(void)
{
	kcov = open("/sys/kernel/debug/kcov", O_RDWR);
	if (kcov < 0)
		die("/sys/kernel/debug/kcov");
	if (ioctl(kcov, KCOV_INIT_TRACE, ENTRIES))
		die("KCOV_INIT_TRACE");
	places = mmap(NULL, ENTRIES * sizeof(*places), PROT_READ | PROT_WRITE, MAP_SHARED, kcov, 0);
	if (places == MAP_FAILED)
		die("mmap");
	if (walk("/dev/null", NO_CALL) != 0) {
		printf("a node that is not the module's has no places of it\n");
		return 1;
	}
	return !(walk("/dev/acrn_hsm", NO_CALL) >= 3 && walk("/dev/gunyah", GUNYAH_CREATE_VM) >= 3);
}
