// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * From a virtual address to decoded code.  Blocks are found by guest-physical address and mode, and there is one for each
 * virtual address at which it runs, so that branch targets and ADRP results are constants.
 */
#include "internal.h"

/* Spreads the blocks of one address by their virtual page, and tells most of them apart. */
static u32 block_mode(u64 va, u32 mode)
{
	u64 page = va >> HV_PAGE_SHIFT;

	return mode | (u32)((page ^ (page >> 16) ^ (page >> 32)) & 0xffff) << 16;
}

static struct hv_block *find(struct hv_blocks *bs, u64 gpa, u64 va, u32 mode)
{
	struct hv_block *b = hv_blocks_find(bs, gpa, mode);

	while (b && (b->va != va || b->gpa != gpa || b->mode != mode))
		b = b->hash_next;
	return b;
}

static struct hv_block *decode(struct arm64_cpu *cpu, u64 gpa, const u8 *host, u32 mode, u32 key)
{
	struct hv_blocks *bs = &cpu->hv.blocks;
	u32 count = (u32)((HV_PAGE_SIZE - (gpa & ~HV_PAGE_MASK)) / 4);
	struct hv_block *b;
	u32 n, slots, used;

	b = hv_blocks_room(bs, sizeof(struct arm64_insn), sizeof(cpu->window));
	if (!b && !bs->want)
		b = hv_blocks_room(bs, sizeof(struct arm64_insn), sizeof(cpu->window));
	if (!b)
		return NULL;
	if (count > HV_BLOCK_MAX)
		count = HV_BLOCK_MAX;
	if (key & ARM64_KEY_ONE)
		count = 1;
	for (n = 0; n < count; n++)
		cpu->window[n] = env_guest_ld32(host + 4 * n);
	slots = arm64_decode_block(hv_block_insns(b), cpu->window, count, cpu->pc, key, &used);
	b->gpa = gpa;
	b->va = cpu->pc;
	b->mode = mode;
	b->epoch = cpu->hv.epoch;
	b->count = (u16)slots;
	b->bytes = b->first = (u16)(4 * used);
	b->code = host;
	b->code2 = NULL;
	hv_blocks_insert(bs, b, sizeof(struct arm64_insn));
	/* what was decoded is what counts, not what another thread made of it since */
	memcpy(b->raw, cpu->window, b->bytes);
	b->count = (u16)used;
	return b;
}

struct hv_block *arm64_block(struct arm64_cpu *cpu, u32 one, enum arm64_leave *leave)
{
	u32 key = one | (u32)(cpu->hv.key & (ARM64_KEY_SP_BAD | ARM64_KEY_FP));
	struct hv_blocks *bs = &cpu->hv.blocks;
	struct hv_block *b;
	u32 mode;
	u8 *host;
	u64 gpa;

	/* AArch64.BranchAddr() (J1): a tag does not get into PC */
	cpu->pc = arm64_strip_tag(cpu, cpu->pc);
	if (unlikely(cpu->pc & 3)) {
		cpu->sys.far_el1 = cpu->pc;
		*leave = arm64_raise(cpu, ARM64_EC_PC, 0);
		return NULL;
	}
	*leave = arm64_translate(cpu, cpu->pc, ARM64_FETCH, &host, &gpa);
	if (*leave != ARM64_NEXT)
		return NULL;
	if (unlikely(!host)) {
		*leave = arm64_abort(cpu, cpu->pc, ARM64_FETCH, ARM64_FSC_EXTERNAL);
		return NULL;
	}
	/* the order is that of D1.3.5 */
	if (unlikely(cpu->hv.key & ARM64_KEY_BREAK) && arm64_break_here(cpu)) {
		*leave = ARM64_JUMP;
		return NULL;
	}
	if (unlikely(cpu->il)) {
		*leave = arm64_raise(cpu, ARM64_EC_ILLEGAL, 0);
		return NULL;
	}
	mode = block_mode(cpu->pc, key);
	b = find(bs, gpa, cpu->pc, mode);
	/* the same guest page may have another host page now: then the bytes to compare with are elsewhere */
	if (b && b->epoch != cpu->hv.epoch) {
		b->code = host;
		if (!hv_block_verify(bs, b, cpu->hv.epoch)) {
			b->epoch = 0;
			b = NULL;
		}
	}
	if (!b)
		b = decode(cpu, gpa, host, mode, key);
	if (!b) {
		cpu->stop = HV_EXIT_ARENA;
		*leave = ARM64_STOP;
		return NULL;
	}
	if (!one)
		hv_jump_put(bs, cpu->pc, cpu->hv.key, b);
	return b;
}
