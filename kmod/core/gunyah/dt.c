// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Bounded reader of flattened device trees: see dt.h. */
#include "dt.h"

#define FDT_MAGIC 0xd00dfeedu
#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE 2u
#define FDT_PROP 3u
#define FDT_NOP 4u
#define FDT_END 9u
#define DT_DEPTH 16

/* header words, big endian */
enum { FDT_H_MAGIC, FDT_H_TOTALSIZE, FDT_H_STRUCT, FDT_H_STRINGS, FDT_H_RSVMAP, FDT_H_VERSION, FDT_H_COMPATIBLE,
       FDT_H_BOOT_CPU, FDT_H_STRINGS_SIZE, FDT_H_STRUCT_SIZE, FDT_H_WORDS };

struct reader {
	const u8 *structs;
	u32 structs_size;
	const u8 *strings;
	u32 strings_size;
	u32 at;
};

/* nodes on the way from the root that matter */
enum place { PLACE_OTHER, PLACE_ROOT, PLACE_CPUS, PLACE_CPU, PLACE_CONFIG, PLACE_MEMORY };

static u32 be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

/* A string that ends inside its area, or NULL. */
static const char *string_in(const u8 *area, u32 size, u32 at)
{
	u32 i;

	for (i = at; i < size; i++) {
		if (!area[i])
			return (const char *)area + at;
	}
	return NULL;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool value_is(const u8 *value, u32 len, const char *s)
{
	return string_in(value, len, 0) && same((const char *)value, s);
}

static enum place place_below(enum place parent, const char *name)
{
	switch (parent) {
	case PLACE_ROOT:
		if (same(name, "cpus"))
			return PLACE_CPUS;
		if (same(name, "gunyah-vm-config") || same(name, "qcom,vm-config"))
			return PLACE_CONFIG;
		return PLACE_OTHER;
	case PLACE_CPUS:
		return PLACE_CPU;
	case PLACE_CONFIG:
		return same(name, "memory") ? PLACE_MEMORY : PLACE_OTHER;
	default:
		return PLACE_OTHER;
	}
}

static int open_blob(struct reader *r, const u8 *blob, size_t size, const char **where)
{
	u32 word[FDT_H_WORDS];
	u32 i;

	*where = "header";
	if (size < sizeof(word))
		return -EINVAL;
	for (i = 0; i < FDT_H_WORDS; i++)
		word[i] = be32(blob + 4 * i);
	if (word[FDT_H_MAGIC] != FDT_MAGIC || word[FDT_H_TOTALSIZE] > size || word[FDT_H_VERSION] < 17 ||
	    word[FDT_H_COMPATIBLE] > 17)
		return -EINVAL;
	if ((u64)word[FDT_H_STRUCT] + word[FDT_H_STRUCT_SIZE] > word[FDT_H_TOTALSIZE] || word[FDT_H_STRUCT] % 4 ||
	    (u64)word[FDT_H_STRINGS] + word[FDT_H_STRINGS_SIZE] > word[FDT_H_TOTALSIZE])
		return -EINVAL;
	r->structs = blob + word[FDT_H_STRUCT];
	r->structs_size = word[FDT_H_STRUCT_SIZE];
	r->strings = blob + word[FDT_H_STRINGS];
	r->strings_size = word[FDT_H_STRINGS_SIZE];
	r->at = 0;
	return 0;
}

static bool take_word(struct reader *r, u32 *word)
{
	if (r->structs_size - r->at < 4)
		return false;
	*word = be32(r->structs + r->at);
	r->at += 4;
	return true;
}

/* Skip @len bytes and the padding to the next word. */
static bool skip(struct reader *r, u32 len)
{
	u64 to = ((u64)r->at + len + 3) & ~3ull;

	if (to > r->structs_size)
		return false;
	r->at = (u32)to;
	return true;
}

struct cpu_node {
	bool is_cpu;
	bool enabled;
};

static void take_property(struct gunyah_dt *dt, struct cpu_node *cpu, enum place place, const char *name, const u8 *value,
			  u32 len)
{
	if (place == PLACE_CPU && same(name, "device_type"))
		cpu->is_cpu = value_is(value, len, "cpu");
	if (place == PLACE_CPU && same(name, "status"))
		cpu->enabled = value_is(value, len, "okay") || value_is(value, len, "ok");
	if (place == PLACE_MEMORY && same(name, "base-address") && (len == 8 || len == 4)) {
		dt->memory_base = len == 8 ? (u64)be32(value) << 32 | be32(value + 4) : be32(value);
		dt->has_memory_base = 1;
	}
}

static int read_property(struct reader *r, struct gunyah_dt *dt, struct cpu_node *cpu, enum place place)
{
	const char *name;
	u32 len, name_at;
	const u8 *value;

	if (!take_word(r, &len) || !take_word(r, &name_at))
		return -EINVAL;
	value = r->structs + r->at;
	name = string_in(r->strings, r->strings_size, name_at);
	if (!name || !skip(r, len))
		return -EINVAL;
	take_property(dt, cpu, place, name, value, len);
	return 0;
}

static int close_cpu(struct gunyah_dt *dt, const struct cpu_node *cpu)
{
	if (!cpu->is_cpu)
		return 0;
	if (dt->cpus == GUNYAH_DT_CPUS)
		return -EINVAL;
	if (cpu->enabled)
		dt->enabled |= 1u << dt->cpus;
	dt->cpus++;
	return 0;
}

int gunyah_dt_read(const void *blob, size_t size, struct gunyah_dt *dt, const char **where)
{
	enum place place[DT_DEPTH];
	struct cpu_node cpu = { false, true };
	struct reader r;
	const char *name;
	u32 depth = 0;
	u32 token;

	memset(dt, 0, sizeof(*dt));
	if (open_blob(&r, blob, size, where))
		return -EINVAL;
	*where = "structure block";
	while (take_word(&r, &token)) {
		switch (token) {
		case FDT_BEGIN_NODE:
			name = string_in(r.structs, r.structs_size, r.at);
			if (!name || depth == DT_DEPTH)
				return -EINVAL;
			place[depth] = depth ? place_below(place[depth - 1], name) : PLACE_ROOT;
			if (place[depth] == PLACE_CPU) {
				cpu.is_cpu = false;
				cpu.enabled = true;
			}
			depth++;
			if (!skip(&r, (u32)strlen(name) + 1))
				return -EINVAL;
			break;
		case FDT_END_NODE:
			if (!depth)
				return -EINVAL;
			if (place[--depth] == PLACE_CPU && close_cpu(dt, &cpu)) {
				*where = "/cpus: too many";
				return -EINVAL;
			}
			break;
		case FDT_PROP:
			if (!depth || read_property(&r, dt, &cpu, place[depth - 1]))
				return -EINVAL;
			break;
		case FDT_NOP:
			break;
		case FDT_END:
			if (depth)
				return -EINVAL;
			*where = "/cpus: no enabled cpu";
			return dt->enabled ? 0 : -EINVAL;
		default:
			return -EINVAL;
		}
	}
	return -EINVAL;
}
