/* SPDX-License-Identifier: MIT */
/*
 * Checks what a multiboot loader gives (specification 0.6.96, sections 3.2 and 3.3): registers, segments, flags, memory map,
 * command line, module.  Prints them; the exit code is the number of the first check that failed.
 */
#include "guest.h"

struct info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
	u32 drives_length, drives_addr, config_table, boot_loader_name;
};
struct module {
	u32 start, end, string, reserved;
};
struct __attribute__((packed)) range {
	u32 size;
	u64 base, length;
	u32 type;
};

static void hex(u64 v)
{
	int i;

	for (i = 60; i >= 0; i -= 4)
		put("0123456789abcdef"[v >> i & 15]);
	put(' ');
}

static u32 zeroed[64];

int check(u32 magic, const struct info *info)
{
	const struct module *m;
	u32 at, cr0, flags, i;
	u16 cs, ds, ss;

	__asm__ volatile("mov %%cr0, %0\n pushf\n pop %1\n mov %%cs, %2\n mov %%ds, %3\n mov %%ss, %4"
			 : "=&r"(cr0), "=&r"(flags), "=r"(cs), "=r"(ds), "=r"(ss));
	if (magic != 0x2badb002)
		return 1;
	if ((cr0 & 0x80000001) != 1 || (flags & 0x20200))	/* protected, no paging, no interrupts, no virtual 8086 mode */
		return 2;
	if (!cs || !ds || ds != ss)
		return 3;
	for (i = 0; i < 64; i++)
		if (zeroed[i])
			return 4;
	if ((info->flags & 0x245) != 0x245)	/* memory, command line, map, loader's name */
		return 5;
	say("lower ");
	hex(info->mem_lower);
	say("upper ");
	hex(info->mem_upper);
	say("\nline ");
	say((const char *)info->cmdline);
	say("\nloader ");
	say((const char *)info->boot_loader_name);
	say("\n");
	for (at = 0; at < info->mmap_length; at += ((const struct range *)(info->mmap_addr + at))->size + 4) {
		const struct range *r = (const struct range *)(info->mmap_addr + at);

		say("range ");
		hex(r->base);
		hex(r->length);
		hex(r->type);
		say("\n");
	}
	if (at != info->mmap_length)
		return 6;
	if (info->flags & 8) {
		m = (const struct module *)info->mods_addr;
		if (info->mods_count != 1 || m->start & 0xfff)
			return 7;
		say("module ");
		for (i = m->start; i < m->end; i++)
			put(*(const char *)i);
		say("\n");
	}
	return 0;
}
