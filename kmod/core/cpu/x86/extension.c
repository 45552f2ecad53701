// SPDX-License-Identifier: GPL-2.0 OR MIT
/* General-register instructions that came with a CPUID bit: POPCNT, LZCNT, BMI1, BMI2, ADX, MOVBE, CRC32, RDRAND, bases. */
#include "internal.h"

#define TRY(call)                                                                                                        \
	do {                                                                                                              \
		enum x86_leave leave_ = (call);                                                                           \
		if (leave_)                                                                                               \
			return leave_;                                                                                    \
	} while (0)

static enum x86_leave source(struct x86_cpu *cpu, struct x86_insn *i, u32 size, u64 *v)
{
	if (i->flags & X86_I_MEM)
		return x86_read(cpu, i->seg, x86_ea(cpu, i), size, v);
	*v = x86_reg_get(cpu, i->rm, size);
	return X86_NEXT;
}

static u64 swapped(u64 v, u32 size)
{
	return size == 8 ? __builtin_bswap64(v) : size == 4 ? __builtin_bswap32((u32)v) : __builtin_bswap16((u16)v);
}

static u32 ones(u64 v)
{
	u32 n = 0;

	for (; v; v &= v - 1)
		n++;
	return n;
}

/* Polynomial 11EDC6F41h, bits reflected (2A CRC32). */
static u32 crc32c(u32 crc, u64 v, u32 size)
{
	u32 n;

	for (n = 0; n < size * 8; n++, v >>= 1)
		crc = crc >> 1 ^ ((crc ^ (u32)v) & 1 ? 0x82f63b78u : 0);
	return crc;
}

static u64 deposit(u64 v, u64 mask)
{
	u64 r = 0;

	for (; mask; mask &= mask - 1, v >>= 1)
		r |= v & 1 ? mask & (0 - mask) : 0;
	return r;
}

static u64 extract(u64 v, u64 mask)
{
	u64 r = 0;
	u32 n;

	for (n = 0; mask; mask &= mask - 1, n++)
		r |= v & mask & (0 - mask) ? 1ull << n : 0;
	return r;
}

/* SF and ZF of a result, CF as given, the others clear: what Intel and AMD leave in those that are undefined, too. */
static void logic_flags(struct x86_cpu *cpu, u64 r, u32 size, bool cf)
{
	u64 fl = (r >> (size * 8 - 1) & 1 ? X86_FLAG_SF : 0) | (r & x86_size_mask(size) ? 0 : X86_FLAG_ZF);

	x86_flags_put(&cpu->fl, fl | (cf ? X86_FLAG_CF : 0));
}

/* POPCNT, TZCNT, LZCNT */
static enum x86_leave count(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v, r, fl;

	TRY(source(cpu, i, i->size, &v));
	if (i->sem == X86_SEM_POPCNT) {
		x86_reg_put(cpu, i->reg, i->size, ones(v));
		x86_flags_put(&cpu->fl, v ? 0 : X86_FLAG_ZF);
		return X86_NEXT;
	}
	if (i->sem == X86_SEM_TZCNT)
		r = v ? (u64)__builtin_ctzll(v) : i->size * 8u;
	else
		r = v ? (u64)__builtin_clzll(v) - (64u - i->size * 8u) : i->size * 8u;
	x86_reg_put(cpu, i->reg, i->size, r);
	fl = x86_flags_work_out(&cpu->fl) & ~(X86_FLAG_CF | X86_FLAG_ZF);
	x86_flags_put(&cpu->fl, fl | (v ? 0 : X86_FLAG_CF) | (r ? 0 : X86_FLAG_ZF));
	return X86_NEXT;
}

static enum x86_leave add_with(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 bit = i->sem == X86_SEM_ADCX ? X86_FLAG_CF : X86_FLAG_OF, fl = x86_flags_work_out(&cpu->fl), v;
	unsigned __int128 sum;

	TRY(source(cpu, i, i->size, &v));
	sum = (unsigned __int128)x86_reg_get(cpu, i->reg, i->size) + v + (fl & bit ? 1 : 0);
	x86_reg_put(cpu, i->reg, i->size, (u64)sum);
	x86_flags_put(&cpu->fl, (fl & ~bit) | (sum >> (i->size * 8) ? bit : 0));
	return X86_NEXT;
}

static enum x86_leave bit_field(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v, w = x86_reg_get(cpu, i->sub, i->size), r, mask = x86_size_mask(i->size);
	u32 bits = i->size * 8, start, len;

	TRY(source(cpu, i, i->size, &v));
	switch (i->sem) {
	case X86_SEM_ANDN:
		r = ~w & v & mask;
		logic_flags(cpu, r, i->size, false);
		x86_reg_put(cpu, i->reg, i->size, r);
		return X86_NEXT;
	case X86_SEM_BLSR: case X86_SEM_BLSMSK: case X86_SEM_BLSI:
		r = i->sem == X86_SEM_BLSR ? v & (v - 1) : i->sem == X86_SEM_BLSI ? v & (0 - v) : v ^ (v - 1);
		logic_flags(cpu, r & mask, i->size, i->sem == X86_SEM_BLSI ? v : !v);
		x86_reg_put(cpu, i->sub, i->size, r);	/* VEX.vvvv is the destination */
		return X86_NEXT;
	case X86_SEM_BEXTR:
		start = w & 0xff;
		len = (w >> 8) & 0xff;
		r = start < bits ? v >> start : 0;
		if (len < 64)
			r &= (1ull << len) - 1;
		x86_flags_put(&cpu->fl, r & mask ? 0 : X86_FLAG_ZF);
		break;
	case X86_SEM_BZHI:
		start = w & 0xff;
		r = start < bits ? v & ((1ull << start) - 1) : v;
		logic_flags(cpu, r, i->size, start >= bits);
		break;
	case X86_SEM_PEXT:
		r = extract(w, v);
		break;
	case X86_SEM_PDEP:
		r = deposit(w, v);
		break;
	case X86_SEM_MULX: {
		unsigned __int128 p = (unsigned __int128)v * x86_reg_get(cpu, X86_RDX * 8, i->size);

		x86_reg_put(cpu, i->sub, i->size, (u64)p);
		r = (u64)(p >> bits);
		break;
	}
	case X86_SEM_RORX:
		start = (u32)i->imm & (bits - 1);
		r = start ? v >> start | v << (bits - start) : v;
		break;
	case X86_SEM_SARX:
		r = (u64)((s64)x86_sign_extend(v, i->size) >> (w & (bits - 1)));
		break;
	case X86_SEM_SHLX:
		r = v << (w & (bits - 1));
		break;
	default:
		r = v >> (w & (bits - 1));
	}
	x86_reg_put(cpu, i->reg, i->size, r);
	return X86_NEXT;
}

static enum x86_leave base(struct x86_cpu *cpu, struct x86_insn *i)
{
	u32 digit = (i->reg / 8) & 3;
	u64 *at = &cpu->seg[digit & 1 ? X86_GS : X86_FS].base, v;

	if (!x86_code64(cpu) || !(cpu->cr4 & CR4_FSGSBASE))
		return x86_raise(cpu, X86_UD);
	if (i->sem == X86_SEM_RDBASE) {
		x86_reg_put(cpu, i->rm, i->size, *at);
		return X86_NEXT;
	}
	v = x86_reg_get(cpu, i->rm, i->size);
	if (!x86_canonical(v))
		return x86_raise_error(cpu, X86_GP, 0);
	*at = v;
	return X86_NEXT;
}

/* Not random at all: repeatable, as runs in virtual time have to be. */
static enum x86_leave random(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v;

	cpu->random += 0x9e3779b97f4a7c15ull;
	v = cpu->random;
	v = (v ^ v >> 31) * 0xd6e8feb86659fd93ull;
	v = (v ^ v >> 29) * 0xd6e8feb86659fd93ull;
	x86_reg_put(cpu, i->rm, i->size, v ^ v >> 32);
	x86_flags_put(&cpu->fl, X86_FLAG_CF);
	return X86_NEXT;
}

static u32 feature_of(u32 sem)
{
	switch (sem) {
	case X86_SEM_POPCNT:
		return X86_HAS_POPCNT;
	case X86_SEM_MOVBE:
		return X86_HAS_MOVBE;
	case X86_SEM_CRC32:
		return X86_HAS_SSE42;
	case X86_SEM_ADCX: case X86_SEM_ADOX:
		return X86_HAS_ADX;
	case X86_SEM_RDRAND:
		return X86_HAS_RDRAND;
	case X86_SEM_RDTSCP:
		return X86_HAS_RDTSCP;
	case X86_SEM_CLAC: case X86_SEM_STAC:
		return X86_HAS_SMAP;
	case X86_SEM_RDBASE: case X86_SEM_WRBASE:
		return X86_HAS_FSGSBASE;
	case X86_SEM_MOVNTI:
		return X86_HAS_SSE2;
	case X86_SEM_EMMS:
		return X86_HAS_MMX;
	case X86_SEM_ANDN: case X86_SEM_BEXTR: case X86_SEM_BLSR: case X86_SEM_BLSMSK: case X86_SEM_BLSI:
		return X86_HAS_BMI1;
	default:
		return X86_HAS_BMI2;
	}
}

enum x86_leave x86_extension(struct x86_cpu *cpu, struct x86_insn *i)
{
	u64 v;

	if (i->sem == X86_SEM_X87)
		return x87_execute(cpu, i);
	if (i->sem >= X86_SEM_FXSAVE && i->sem <= X86_SEM_XSETBV)
		return x86_extended_state(cpu, i);
	if (i->sem == X86_SEM_TZCNT || i->sem == X86_SEM_LZCNT)
		return count(cpu, i);
	if (!x86_has(cpu, feature_of(i->sem)))
		return x86_raise(cpu, X86_UD);
	switch (i->sem) {
	case X86_SEM_POPCNT:
		return count(cpu, i);
	case X86_SEM_EMMS:
		if (cpu->cr0 & CR0_EM)
			return x86_raise(cpu, X86_UD);
		if (cpu->cr0 & CR0_TS)
			return x86_raise(cpu, X86_NM);
		TRY(x87_pending(cpu));
		x87_to_mmx(cpu);
		cpu->fpu.used = 0;
		return X86_NEXT;
	case X86_SEM_MOVBE:
		if (i->flags & X86_I_TO_REG) {
			TRY(source(cpu, i, i->size, &v));
			x86_reg_put(cpu, i->reg, i->size, swapped(v, i->size));
			return X86_NEXT;
		}
		return x86_write(cpu, i->seg, x86_ea(cpu, i), i->size, swapped(x86_reg_get(cpu, i->reg, i->size), i->size));
	case X86_SEM_MOVNTI:
		return x86_write(cpu, i->seg, x86_ea(cpu, i), i->size, x86_reg_get(cpu, i->reg, i->size));
	case X86_SEM_CRC32:
		TRY(source(cpu, i, i->sub, &v));
		cpu->r[i->reg / 8] = crc32c((u32)cpu->r[i->reg / 8], v, i->sub);
		return X86_NEXT;
	case X86_SEM_ADCX: case X86_SEM_ADOX:
		return add_with(cpu, i);
	case X86_SEM_RDRAND:
		return random(cpu, i);
	case X86_SEM_RDTSCP:
		if ((cpu->cr4 & CR4_TSD) && cpu->cpl)
			return x86_raise_error(cpu, X86_GP, 0);
		v = x86_tsc(cpu);
		cpu->r[X86_RAX] = (u32)v;
		cpu->r[X86_RDX] = v >> 32;
		cpu->r[X86_RCX] = (u32)cpu->tsc_aux;
		return X86_NEXT;
	case X86_SEM_CLAC: case X86_SEM_STAC:
		if (cpu->cpl)
			return x86_raise(cpu, X86_UD);
		cpu->rflags = (cpu->rflags & ~X86_FLAG_AC) | (i->sem == X86_SEM_STAC ? X86_FLAG_AC : 0);
		return X86_NEXT;
	case X86_SEM_RDBASE: case X86_SEM_WRBASE:
		return base(cpu, i);
	default:
		/* VEX has no meaning in real mode and virtual-8086 mode (2A 2.3.2) */
		if (x86_real(cpu) || (cpu->rflags & X86_FLAG_VM))
			return x86_raise(cpu, X86_UD);
		return bit_field(cpu, i);
	}
}
