// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Decoded code of one CPU: see block.h. */
#include "block.h"

static u32 block_hash(const struct hv_blocks *bs, u64 gpa, u32 mode)
{
	/* every bit of the mode counts: AArch64 keeps its virtual page there, and a shared page has as many as it has users */
	return (u32)(gpa ^ (gpa >> 12) ^ (mode * 0x9e3779b1u) >> 12) & bs->hash_mask;
}

static u32 filter_bit(u64 gpa)
{
	u64 page = gpa >> HV_PAGE_SHIFT;

	return (u32)((page ^ (page >> 14)) % HV_CODE_FILTER);
}

/* A power of two of entries for an arena, at most @limit. */
static u32 table_entries(size_t size, size_t bytes_each, u32 limit)
{
	u32 n = 64;

	while (n < limit && n * bytes_each < size)
		n *= 2;
	return n;
}

/* Lay the arena out: what is the ISA's, hash table, jump cache, blocks. */
static void lay_out(struct hv_blocks *bs)
{
	u32 hash, jump;

	bs->hash = &bs->no_hash;
	bs->jump = &bs->no_jump;
	bs->hash_mask = 0;
	bs->jump_mask = 0;
	bs->start = 0;
	if (!bs->arena)
		return;
	hash = table_entries(bs->size, 128, HV_BLOCK_HASH);
	jump = table_entries(bs->size, 512, HV_JUMP_CACHE);
	bs->hash = (struct hv_block **)(bs->arena + bs->reserve);
	bs->jump = (struct hv_jump *)(bs->hash + hash);
	bs->start = (size_t)((u8 *)(bs->jump + jump) - bs->arena);
	bs->hash_mask = hash - 1;
	bs->jump_mask = jump - 1;
}

void hv_blocks_init(struct hv_blocks *bs, void *arena, size_t size, size_t limit, size_t reserve)
{
	memset(bs, 0, sizeof(*bs));
	bs->reserve = (reserve + 63) & ~(size_t)63;
	bs->limit = limit;
	hv_blocks_set_arena(bs, arena, size);
}

void *hv_blocks_set_arena(struct hv_blocks *bs, void *arena, size_t size)
{
	void *old = bs->arena;

	bs->arena = arena;
	bs->size = size;
	bs->want = 0;
	lay_out(bs);
	hv_blocks_flush(bs);
	return old;
}

void hv_blocks_forget_jumps(struct hv_blocks *bs)
{
	memset(bs->jump, 0, (bs->jump_mask + 1) * sizeof(*bs->jump));
}

void hv_blocks_flush(struct hv_blocks *bs)
{
	bs->used = bs->start;
	bs->flushes++;
	memset(bs->hash, 0, (bs->hash_mask + 1) * sizeof(struct hv_block *));
	memset(bs->filter, 0, sizeof(bs->filter));
	hv_blocks_forget_jumps(bs);
}

struct hv_block *hv_blocks_find(struct hv_blocks *bs, u64 gpa, u32 mode)
{
	struct hv_block *b = bs->hash[block_hash(bs, gpa, mode)];

	while (b && (b->gpa != gpa || b->mode != mode))
		b = b->hash_next;
	return b;
}

struct hv_block *hv_blocks_room(struct hv_blocks *bs, size_t insn_size, size_t raw_max)
{
	size_t need = sizeof(struct hv_block) + HV_BLOCK_MAX * insn_size + raw_max;

	if (hv_blocks_need_arena(bs))
		return NULL;
	if (bs->used + need > bs->size) {
		if (bs->size < bs->limit) {
			bs->want = bs->size * 2 > bs->limit ? bs->limit : bs->size * 2;
			return NULL;
		}
		hv_blocks_flush(bs);
		return NULL;
	}
	return (struct hv_block *)(bs->arena + bs->used);
}

bool hv_blocks_cover(const struct hv_blocks *bs, u64 gpa)
{
	u32 bit = filter_bit(gpa);

	return (bs->filter[bit / 64] >> (bit % 64)) & 1;
}

bool hv_blocks_mark(struct hv_blocks *bs, u64 gpa)
{
	u32 bit = filter_bit(gpa);
	u64 mask = 1ull << (bit % 64);
	bool fresh = !(bs->filter[bit / 64] & mask);

	bs->filter[bit / 64] |= mask;
	return fresh;
}

bool hv_blocks_insert(struct hv_blocks *bs, struct hv_block *b, size_t insn_size)
{
	u32 h = block_hash(bs, b->gpa, b->mode);
	size_t size = sizeof(*b) + b->count * insn_size + b->bytes;
	bool fresh;

	b->raw = (u8 *)hv_block_insns(b) + b->count * insn_size;
	memcpy(b->raw, b->code, b->first);
	if (b->bytes > b->first)
		memcpy(b->raw + b->first, b->code2, b->bytes - b->first);
	b->dead = 0;
	b->link[0].key = 0;
	b->link[1].key = 0;
	b->hash_next = bs->hash[h];
	bs->hash[h] = b;
	bs->used += (size + 15) & ~(size_t)15;
	bs->decoded++;
	fresh = hv_blocks_mark(bs, b->gpa);
	return fresh;
}

ENV_GUEST bool same_bytes(const u8 *a, const u8 *guest, u32 n)
{
	while (n >= 8) {
		if (env_guest_ld64(guest) != env_guest_ld64(a))
			return false;
		a += 8;
		guest += 8;
		n -= 8;
	}
	while (n--) {
		if (env_guest_ld8(guest++) != *a++)
			return false;
	}
	return true;
}

static void unhash(struct hv_blocks *bs, struct hv_block *b)
{
	struct hv_block **at = &bs->hash[block_hash(bs, b->gpa, b->mode)];

	while (*at && *at != b)
		at = &(*at)->hash_next;
	if (*at)
		*at = b->hash_next;
	b->dead = 1;
}

bool hv_block_verify(struct hv_blocks *bs, struct hv_block *b, u64 epoch)
{
	if (b->dead || !same_bytes(b->raw, b->code, b->first) ||
	    (b->bytes > b->first && !same_bytes(b->raw + b->first, b->code2, b->bytes - b->first))) {
		unhash(bs, b);
		return false;
	}
	b->epoch = epoch;
	return true;
}
