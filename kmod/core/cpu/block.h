/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Decoded code.  A block is a run of instructions from one entry point to the first branch, page end or HV_BLOCK_MAX,
 * decoded once into the form that the executor runs.  Each vCPU has its own blocks in an arena that was handed in, found
 * by guest-physical address and mode; direct branches link block to block.  Nothing is ever freed singly: a full arena
 * is emptied, or replaced by a larger one (HV_EXIT_ARENA).
 *
 * Coherence: see hv_cpu.epoch.  A CPU's own stores must act on its own next instruction at once, so pages with decoded
 * code stay out of its write TLB; the slow store calls hv_blocks_stored().
 */
#ifndef MV_BLOCK_H
#define MV_BLOCK_H

#include "../memmap.h"

#define HV_BLOCK_MAX 32			/* instructions */
#define HV_BLOCK_HASH (1u << 14)	/* entries at most; small arenas have fewer */
#define HV_JUMP_CACHE (1u << 12)
#define HV_ARENA_FIRST (16u << 10)	/* asked for first by a CPU that was given none, besides what it reserves */
#define HV_CODE_FILTER (1u << 14)	/* bits: guest-physical pages with decoded code, hashed */

struct hv_block;

struct hv_link {
	struct hv_block *to;
	u64 key;			/* good while equal to hv_cpu.key; 0 never is */
};

/**
 * struct hv_block - followed in memory by count decoded instructions (ISA's own struct), then by a copy of the bytes
 * @gpa: of the first byte
 * @va: free for the ISA: x86 keeps one block per virtual address, so that branch targets are constants
 * @mode: decoding and privilege mode bits, as in hv_cpu.key
 * @epoch: when bytes were last seen equal to memory
 * @count: instructions
 * @bytes: guest bytes covered
 * @first: bytes on the first page (== bytes unless the only instruction straddles a page boundary)
 * @code: host address of the first byte
 * @code2: host address of the second page's first byte, if straddling
 * @raw: copy of the bytes that were decoded
 * @link: successors: 0 fall through or not taken, 1 taken
 * @hash_next: next in the hash chain
 */
struct hv_block {
	u64 gpa;
	u64 va;
	u64 epoch;
	u32 mode;
	u16 count;
	u16 bytes;
	u16 first;
	u16 dead;	/* 1: bytes changed under it, never run it again */
	const u8 *code;
	const u8 *code2;
	u8 *raw;
	struct hv_link link[2];
	struct hv_block *hash_next;
};

struct hv_jump {
	u64 va;
	u64 key;
	struct hv_block *block;
};

/**
 * struct hv_blocks - one CPU's decoded code
 * @arena: memory for blocks and the tables that find them; @size bytes, @used of them taken.  NULL: not asked for yet, so
 *	that a CPU that never runs costs nothing
 * @reserve: bytes at the arena's start that are the ISA's own (its TLB); @start: where blocks begin
 * @hash, @jump: in the arena; without one, a single empty entry
 * @limit: largest arena the environment will hand in; while size < limit a full arena asks for more
 * @want: arena size asked for with HV_EXIT_ARENA
 * @flushes: how often everything was dropped (statistics)
 * @decoded: blocks decoded (statistics)
 */
struct hv_blocks {
	u8 *arena;
	size_t size;
	size_t used;
	size_t limit;
	size_t want;
	u64 flushes;
	u64 decoded;
	size_t reserve;
	size_t start;
	struct hv_block **hash;
	struct hv_jump *jump;
	u32 hash_mask;
	u32 jump_mask;
	struct hv_block *no_hash;
	struct hv_jump no_jump;
	u64 filter[HV_CODE_FILTER / 64];
};

static inline void *hv_block_insns(struct hv_block *b)
{
	return b + 1;
}

/**
 * hv_blocks_init - no blocks yet
 * @arena: @size bytes, or NULL and 0: asked for with HV_EXIT_ARENA when they are needed; may grow to @limit
 * @reserve: see struct hv_blocks
 */
void hv_blocks_init(struct hv_blocks *bs, void *arena, size_t size, size_t limit, size_t reserve);

/* There is no arena: ask for one, and leave step() with HV_EXIT_ARENA. */
static inline bool hv_blocks_need_arena(struct hv_blocks *bs)
{
	if (likely(bs->arena))
		return false;
	bs->want = bs->reserve + HV_ARENA_FIRST;
	return true;
}

/**
 * hv_blocks_set_arena - replace the arena; every block is dropped
 *
 * Call it between steps (after HV_EXIT_ARENA, with at least hv_blocks.want bytes).  Return: the old arena, to be freed.
 */
void *hv_blocks_set_arena(struct hv_blocks *bs, void *arena, size_t size);

/* Drop every block, link and jump-cache entry. */
void hv_blocks_flush(struct hv_blocks *bs);
/* Drop the jump cache only: after changes of translation it would only hold dead keys. */
void hv_blocks_forget_jumps(struct hv_blocks *bs);

struct hv_block *hv_blocks_find(struct hv_blocks *bs, u64 gpa, u32 mode);

/**
 * hv_blocks_room - space for a block of HV_BLOCK_MAX instructions of @insn_size bytes and its @raw_max byte copy
 *
 * Return: an uninitialised block to be filled in and handed to hv_blocks_insert(), or NULL if the arena is full: then
 * either hv_blocks.want is set and the CPU leaves with HV_EXIT_ARENA, or want is 0, hv_blocks_flush() was called by this
 * function, every struct hv_block pointer is dead, and the caller tries once more.
 */
struct hv_block *hv_blocks_room(struct hv_blocks *bs, size_t insn_size, size_t raw_max);

/**
 * hv_blocks_insert - keep the block: count, bytes, first, code, code2, gpa, mode, epoch are set; copies the raw bytes
 *
 * Return: true if the page of this block had no decoded code before as far as the filter tells: the caller drops its
 * write translations.
 */
bool hv_blocks_insert(struct hv_blocks *bs, struct hv_block *b, size_t insn_size);

/* Count @gpa's page as one with decoded code: the second page of a straddling instruction.  Return: as hv_blocks_insert(). */
bool hv_blocks_mark(struct hv_blocks *bs, u64 gpa);

/* May @gpa's page hold decoded code of this CPU?  Never a false no. */
bool hv_blocks_cover(const struct hv_blocks *bs, u64 gpa);

/* Are the block's bytes still those in memory?  Sets epoch if so; otherwise the block is unhashed and must not be run. */
bool hv_block_verify(struct hv_blocks *bs, struct hv_block *b, u64 epoch);

/* Find by virtual address; the key holds translation generation and mode.  NULL: look up the slow way, then hv_jump_put(). */
static __always_inline struct hv_block *hv_jump_get(struct hv_blocks *bs, u64 va, u64 key)
{
	struct hv_jump *j = &bs->jump[(va ^ (va >> 12)) & bs->jump_mask];

	return likely(j->va == va && j->key == key) ? j->block : NULL;
}

static inline void hv_jump_put(struct hv_blocks *bs, u64 va, u64 key, struct hv_block *b)
{
	struct hv_jump *j = &bs->jump[(va ^ (va >> 12)) & bs->jump_mask];

	j->va = va;
	j->key = key;
	j->block = b;
}

#endif
