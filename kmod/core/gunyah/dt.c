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
enum place { PLACE_OTHER, PLACE_ROOT, PLACE_CPUS, PLACE_CPU, PLACE_CONFIG, PLACE_MEMORY, PLACE_VDEVICES, PLACE_VDEVICE };

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
		return same(name, "memory") ? PLACE_MEMORY : same(name, "vdevices") ? PLACE_VDEVICES : PLACE_OTHER;
	case PLACE_VDEVICES:
		return PLACE_VDEVICE;
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

/* A node on the way from the root.  Properties come before children, so a child finds its parent's complete. */
struct node {
	u8 place;
	u8 address_cells;	/* of its children; 2 and 1 where the tree does not say (section 2.3.5) */
	u8 size_cells;
	u8 is_cpu : 1;
	u8 enabled : 1;
	u8 is_gic : 1;
	u8 is_doorbell : 1;
	u8 has_label : 1;
	u32 reg_at;		/* in the structure block */
	u32 reg_len;
	u32 label;
	u32 intid;
};

static bool list_has(const u8 *value, u32 len, const char *s)
{
	u32 at = 0;

	while (at < len && string_in(value, len, at)) {
		if (same((const char *)value + at, s))
			return true;
		at += (u32)strlen((const char *)value + at) + 1;
	}
	return false;
}

static u8 cells(const u8 *value, u32 len)
{
	u32 n = len == 4 ? be32(value) : 0;

	return n > 2 ? 0 : (u8)n;	/* 0: addresses below are not looked at */
}

static void take_cpu(struct node *n, const char *name, const u8 *value, u32 len)
{
	if (same(name, "device_type"))
		n->is_cpu = value_is(value, len, "cpu");
	if (same(name, "status"))
		n->enabled = value_is(value, len, "okay") || value_is(value, len, "ok");
}

static void take_memory(struct gunyah_dt *dt, const char *name, const u8 *value, u32 len)
{
	if (!same(name, "base-address") || (len != 8 && len != 4))
		return;
	dt->memory_base = len == 8 ? (u64)be32(value) << 32 | be32(value + 4) : be32(value);
	dt->has_memory_base = 1;
}

/* interrupts = <0 number flags>: a shared interrupt, whose number counts from 32. */
static void take_vdevice(struct node *n, const char *name, const u8 *value, u32 len)
{
	if (same(name, "vdevice-type"))
		n->is_doorbell = value_is(value, len, "doorbell");
	if (same(name, "label") && len == 4) {
		n->label = be32(value);
		n->has_label = 1;
	}
	if (same(name, "interrupts") && len >= 8 && !be32(value) && be32(value + 4) < 988)
		n->intid = 32 + be32(value + 4);
}

static void take_property(struct reader *r, struct gunyah_dt *dt, struct node *n, const char *name, const u8 *value, u32 len)
{
	if (n->place == PLACE_CPU)
		take_cpu(n, name, value, len);
	if (n->place == PLACE_MEMORY)
		take_memory(dt, name, value, len);
	if (n->place == PLACE_VDEVICE)
		take_vdevice(n, name, value, len);
	if (same(name, "#address-cells"))
		n->address_cells = cells(value, len);
	if (same(name, "#size-cells"))
		n->size_cells = cells(value, len);
	if (same(name, "compatible"))
		n->is_gic = list_has(value, len, "arm,gic-v3");
	if (same(name, "reg")) {
		n->reg_at = (u32)(value - r->structs);
		n->reg_len = len;
	}
}

static int read_property(struct reader *r, struct gunyah_dt *dt, struct node *n)
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
	take_property(r, dt, n, name, value, len);
	return 0;
}

static u64 number(const u8 *at, u32 words)
{
	return words == 2 ? (u64)be32(at) << 32 | be32(at + 4) : be32(at);
}

/* reg: distributor, then redistributor regions, of which Gunyah has one. */
static void close_gic(const struct reader *r, struct gunyah_dt *dt, const struct node *n, const struct node *parent)
{
	u32 a = parent->address_cells, s = parent->size_cells;
	const u8 *reg = r->structs + n->reg_at;

	if (!n->is_gic || dt->gic_redist_size || !a || !s || n->reg_len < 8 * (a + s))
		return;
	dt->gic_dist = number(reg, a);
	dt->gic_redist = number(reg + 4 * (a + s), a);
	dt->gic_redist_size = number(reg + 4 * (2 * a + s), s);
}

static int close_cpu(struct gunyah_dt *dt, const struct node *n, const char **where)
{
	if (!n->is_cpu)
		return 0;
	*where = "/cpus: too many";
	if (dt->cpus == GUNYAH_DT_CPUS)
		return -EINVAL;
	if (n->enabled)
		dt->enabled |= 1u << dt->cpus;
	dt->cpus++;
	return 0;
}

static int close_doorbell(struct gunyah_dt *dt, const struct node *n, const char **where)
{
	if (!n->is_doorbell || !n->has_label)
		return 0;
	*where = "/gunyah-vm-config/vdevices: too many doorbells";
	if (dt->doorbells == GUNYAH_DT_DOORBELLS)
		return -EINVAL;
	dt->doorbell[dt->doorbells++] = (struct gunyah_dt_doorbell){ n->label, n->intid };
	return 0;
}

static int open_node(struct reader *r, struct node *path, u32 depth)
{
	const char *name = string_in(r->structs, r->structs_size, r->at);

	if (!name || depth == DT_DEPTH)
		return -EINVAL;
	path[depth] = (struct node){ .address_cells = 2, .size_cells = 1, .enabled = 1 };
	path[depth].place = (u8)(depth ? place_below(path[depth - 1].place, name) : PLACE_ROOT);
	return skip(r, (u32)strlen(name) + 1) ? 0 : -EINVAL;
}

static int close_node(const struct reader *r, struct gunyah_dt *dt, const struct node *path, u32 depth, const char **where)
{
	const struct node *n = &path[depth];

	if (depth)
		close_gic(r, dt, n, n - 1);
	if (n->place == PLACE_CPU)
		return close_cpu(dt, n, where);
	return n->place == PLACE_VDEVICE ? close_doorbell(dt, n, where) : 0;
}

int gunyah_dt_read(const void *blob, size_t size, struct gunyah_dt *dt, const char **where)
{
	struct node path[DT_DEPTH];
	struct reader r;
	u32 depth = 0;
	u32 token;

	memset(dt, 0, sizeof(*dt));
	if (open_blob(&r, blob, size, where))
		return -EINVAL;
	*where = "structure block";
	while (take_word(&r, &token)) {
		switch (token) {
		case FDT_BEGIN_NODE:
			if (open_node(&r, path, depth))
				return -EINVAL;
			depth++;
			break;
		case FDT_END_NODE:
			if (!depth || close_node(&r, dt, path, --depth, where))
				return -EINVAL;
			*where = "structure block";
			break;
		case FDT_PROP:
			if (!depth || read_property(&r, dt, &path[depth - 1]))
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
