// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Bytes to struct x86_insn: prefixes, ModRM, SIB, displacement, immediate (2A chapter 2). */
#include "decode_tables.h"
#include "internal.h"
#include "simd/simd.h"

struct reader {
	const u8 *p;
	u32 at;
	u32 avail;
	bool ran_out;
};

static u8 take8(struct reader *r)
{
	if (r->at >= r->avail) {
		r->ran_out = true;
		return 0;
	}
	return r->p[r->at++];
}

static u64 take(struct reader *r, u32 n)
{
	u64 v = 0;
	u32 i;

	for (i = 0; i < n; i++)
		v |= (u64)take8(r) << (i * 8);
	return v;
}

static s64 take_signed(struct reader *r, u32 n)
{
	return (s64)x86_sign_extend(take(r, n), n);
}

struct prefixes {
	u8 rex;
	u8 rex_seen;
	u8 opsize;
	u8 adsize;
	u8 rep;		/* 0, 0xf2, 0xf3: the last one */
	u8 lock;
	s8 seg;
};

/* Reads prefixes; returns the opcode's first byte. */
static u8 take_prefixes(struct reader *r, u32 mode, struct prefixes *p)
{
	bool m64 = (mode & X86_MODE_SIZE) == X86_MODE_64;
	u8 c;

	for (;;) {
		c = take8(r);
		if (r->ran_out || r->at > 15)
			return 0;
		switch (c) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			if (!m64)
				p->seg = (s8)((c >> 3) & 3);
			break;
		case 0x64:
		case 0x65:
			p->seg = (s8)(c - 0x60);
			break;
		case 0x66:
			p->opsize = 1;
			break;
		case 0x67:
			p->adsize = 1;
			break;
		case 0xf0:
			p->lock = 1;
			break;
		case 0xf2:
		case 0xf3:
			p->rep = c;
			break;
		default:
			if (m64 && (c & 0xf0) == 0x40) {
				p->rex = c;
				p->rex_seen = 1;
				continue;
			}
			return c;
		}
		/* REX counts only right before the opcode */
		p->rex = 0;
		p->rex_seen = 0;
	}
}

/* Byte offset of a register operand; without REX 4..7 are AH CH DH BH. */
static u8 register_offset(u32 n, u32 size, bool rex_seen)
{
	if (size == 1 && !rex_seen && n >= 4 && n < 8)
		return (u8)((n - 4) * 8 + 1);
	return (u8)(n * 8);
}

/* 16-bit addressing forms (2A table 2-1). */
static void memory16(struct reader *r, u32 mod, u32 rm, struct x86_insn *i)
{
	static const u8 bases[] = { X86_RBX, X86_RBX, X86_RBP, X86_RBP, X86_RSI, X86_RDI, X86_RBP, X86_RBX };
	static const u8 indices[] = { X86_RSI, X86_RDI, X86_RSI, X86_RDI, X86_ZERO, X86_ZERO, X86_ZERO, X86_ZERO };

	i->base = (u8)(bases[rm] * 8);
	i->index = (u8)(indices[rm] * 8);
	if (mod == 0 && rm == 6) {
		i->base = X86_ZERO * 8;
		i->disp = (s64)take(r, 2);
	} else if (mod) {
		i->disp = take_signed(r, mod);
	}
	i->seg = i->base == X86_RBP * 8 ? X86_SS : X86_DS;
}

/* Returns true if the displacement is relative to the next instruction. */
static bool memory32(struct reader *r, u32 mod, u32 rm, const struct prefixes *p, bool m64, struct x86_insn *i)
{
	u32 base = rm, index;
	bool rip = false;
	u8 sib;

	if (rm == 4) {
		sib = take8(r);
		base = sib & 7;
		index = ((sib >> 3) & 7) | (p->rex & 2) << 2;
		if (index != 4) {
			i->index = (u8)(index * 8);
			i->scale = sib >> 6;
		}
	}
	if (mod == 0 && base == 5) {
		i->disp = take_signed(r, 4);
		rip = m64 && rm == 5;
	} else {
		i->base = (u8)((base | (p->rex & 1) << 3) * 8);
		if (mod)
			i->disp = take_signed(r, mod == 1 ? 1 : 4);
		if (base == 4 || base == 5)
			i->seg = p->rex & 1 ? X86_DS : X86_SS;
	}
	return rip;
}

/* The register forms of 0F 01 that are instructions of their own. */
static bool resolve_group7(u32 modrm, bool opsize, u32 rep, struct x86_opcode *out)
{
	bool plain = !opsize && !rep;

	switch (modrm) {
	case 0xc1:	/* VMCALL, and VMMCALL: which one is right depends on who made the processor */
	case 0xd9:
		out->sem = plain ? X86_SEM_VMCALL : X86_SEM_UD;
		return true;
	case 0xca:
		out->sem = plain ? X86_SEM_CLAC : X86_SEM_UD;
		return true;
	case 0xcb:
		out->sem = plain ? X86_SEM_STAC : X86_SEM_UD;
		return true;
	case 0xd0:
		out->sem = plain ? X86_SEM_XGETBV : X86_SEM_UD;
		return true;
	case 0xd1:
		out->sem = plain ? X86_SEM_XSETBV : X86_SEM_UD;
		return true;
	case 0xf8:
		out->sem = X86_SEM_SWAPGS;
		return true;
	case 0xf9:
		out->sem = X86_SEM_RDTSCP;
		return true;
	default:
		return false;
	}
}

/* 0F AE: state and fences */
static bool resolve_group15(u32 digit, bool reg, bool opsize, u32 rep, struct x86_opcode *out)
{
	static const u16 memory[8] = { X86_SEM_FXSAVE, X86_SEM_FXRSTOR, X86_SEM_LDMXCSR, X86_SEM_STMXCSR,
				       X86_SEM_XSAVE, X86_SEM_XRSTOR, X86_SEM_XSAVEOPT, X86_SEM_NOP };

	if (reg && rep == 0xf3 && !opsize) {
		out->sem = digit < 2 ? X86_SEM_RDBASE : X86_SEM_WRBASE;
		return digit < 4;
	}
	if (rep || opsize)
		return false;
	out->sem = reg ? X86_SEM_NOP : memory[digit];
	return !reg || digit >= 5;
}

static bool resolve_group(const struct x86_opcode *row, u32 modrm, u32 rep, bool opsize, struct x86_opcode *out)
{
	u32 digit = (modrm >> 3) & 7;
	bool reg = modrm >> 6 == 3;

	*out = *row;
	switch (row->sem) {
	case X86_G1:
		out->sem = (u16)(X86_SEM_ADD + digit);
		if (digit == 7)
			out->how &= ~O_LOCK;
		break;
	case X86_G1A:
		out->sem = X86_SEM_POP;
		return digit == 0;
	case X86_G2:
		out->sem = (u16)(X86_SEM_ROL + digit);
		break;
	case X86_G3:
		*out = x86_group3[digit];
		out->how |= row->how & ~(u32)O_LOCK;
		break;
	case X86_G4:
		out->sem = digit ? X86_SEM_DEC : X86_SEM_INC;
		return digit < 2;
	case X86_G5:
		*out = x86_group5[digit];
		out->how |= row->how;
		break;
	case X86_G6:
		*out = x86_group6[digit];
		out->how |= row->how;
		break;
	case X86_G7:
		if (reg && resolve_group7(modrm, opsize, rep, out))
			break;
		*out = x86_group7[digit];
		out->how |= row->how;
		break;
	case X86_G8:
		if (digit < 4)
			return false;
		out->sem = (u16)(X86_SEM_BT + digit - 4);
		if (digit == 4)
			out->how &= ~O_LOCK;
		break;
	case X86_G9:
		out->sem = X86_SEM_CMPXCHG8B;
		if (digit == 6 && reg && !rep) {
			out->sem = X86_SEM_RDRAND;
			out->how &= ~(u32)O_LOCK;
			return true;
		}
		return digit == 1 && !reg;
	case X86_G11:
		out->sem = X86_SEM_MOV;
		return digit == 0;
	case X86_G15:
		return resolve_group15(digit, reg, opsize, rep, out);
	case X86_B8:
		out->sem = X86_SEM_POPCNT;
		return rep == 0xf3;
	case X86_BC:
		out->sem = rep == 0xf3 ? X86_SEM_TZCNT : X86_SEM_BSF;
		break;
	case X86_BD:
		out->sem = rep == 0xf3 ? X86_SEM_LZCNT : X86_SEM_BSR;
		break;
	case X86_C3:
		out->sem = X86_SEM_MOVNTI;
		return !rep && !opsize;
	default:
		break;
	}
	return out->sem != X86_SEM_UD;
}

static void operand_size(const struct x86_opcode *o, const struct prefixes *p, u32 mode, struct x86_insn *i)
{
	u32 code = mode & X86_MODE_SIZE;
	bool m64 = code == X86_MODE_64;

	if (o->how & O_BYTE)
		i->size = 1;
	else if (m64 && (p->rex & 8))
		i->size = 8;
	else if (m64 && (o->how & O_BRANCH))
		i->size = 8;		/* near branches ignore 66h in 64-bit mode, as Intel has it */
	else if (code == X86_MODE_16 ? p->opsize : !p->opsize)
		i->size = 4;
	else
		i->size = 2;
	if (m64 && (o->how & O_D64) && i->size == 4)
		i->size = 8;
}

static bool lock_legal(const struct x86_opcode *o, const struct x86_insn *i)
{
	/* 2A LOCK: memory destinations only */
	return (o->how & O_LOCK) && (i->flags & X86_I_MEM);
}

static u32 bad(struct x86_insn *i, u32 len, u32 sem)
{
	i->sem = (u16)sem;
	i->len = (u8)len;
	i->flags = X86_I_LAST;
	return len;
}

/* 0F 38 rows that work on general registers. */
static struct x86_opcode three_byte(u8 c, u32 rep, bool opsize)
{
	struct x86_opcode o = { X86_SEM_UD, O_MODRM };

	if ((c & 0xfe) == 0xf0) {
		if (rep == 0xf2)
			o = (struct x86_opcode){ X86_SEM_CRC32, O_MODRM | O_TO_REG };
		else if (!rep)
			o = (struct x86_opcode){ X86_SEM_MOVBE, O_MODRM | O_MEM | (c & 1 ? 0 : O_TO_REG) };
	} else if (c == 0xf6 && rep == 0xf3) {
		o = (struct x86_opcode){ X86_SEM_ADOX, O_MODRM | O_TO_REG };
	} else if (c == 0xf6 && opsize && !rep) {
		o = (struct x86_opcode){ X86_SEM_ADCX, O_MODRM | O_TO_REG };
	}
	return o;
}

/* Operands of a vector instruction: register numbers instead of offsets into the general registers. */
static bool vector(struct reader *r, const struct prefixes *p, u32 fn, u32 column, u32 modrm, struct x86_insn *i)
{
	u32 flags = x86_vec_rows[fn].flags, digit = (modrm >> 3) & 7;
	bool reg = modrm >> 6 == 3;

	i->sem = (u16)(X86_SEM_VECTOR + fn);
	i->sub = (u8)column;
	i->reg = (u8)(digit | (p->rex & 4) << 1);
	i->rm = (u8)((modrm & 7) | (p->rex & 1) << 3);
	if (flags & VF_IMM) {
		i->imm = (s64)take8(r);
		i->flags |= X86_I_IMM;
	}
	if ((flags & VF_REG && !reg) || (flags & VF_MEM && reg) || p->lock)
		return false;
	if (!(flags & VF_DIGIT))
		return true;
	if (fn != X86_V_SHIFTQ)
		return digit == 2 || digit == 4 || digit == 6;
	return digit == 2 || digit == 6 || ((digit & 3) == 3 && column == X86_VEC_66);
}

/* VEX: only the general-register instructions of BMI1 and BMI2 (2A 2.3). */
static bool vex(struct reader *r, struct prefixes *p, bool three, u32 *sem, u32 *v)
{
	static const u16 f5[] = { X86_SEM_BZHI, 0, X86_SEM_PEXT, X86_SEM_PDEP };
	static const u16 f7[] = { X86_SEM_BEXTR, X86_SEM_SHLX, X86_SEM_SARX, X86_SEM_SHRX };
	u8 b1 = three ? take8(r) : 0, b2 = take8(r), c = take8(r);
	bool good = three && !(b2 & 4) && !p->opsize && !p->rep && !p->lock && !p->rex_seen;
	u32 pp = b2 & 3;

	p->rex = (u8)((~b1 >> 5 & 7) | (b2 & 0x80 ? 8 : 0));
	p->rex_seen = 1;
	*v = ~(u32)b2 >> 3 & 15;
	*sem = X86_SEM_UD;
	if ((b1 & 31) == 2) {
		if (c == 0xf2 && !pp)
			*sem = X86_SEM_ANDN;
		else if (c == 0xf3 && !pp)
			*sem = X86_SEM_BLSR;	/* or what the digit says */
		else if (c == 0xf5)
			*sem = f5[pp];
		else if (c == 0xf6 && pp == 3)
			*sem = X86_SEM_MULX;
		else if (c == 0xf7)
			*sem = f7[pp];
	} else if ((b1 & 31) == 3 && c == 0xf0 && pp == 3) {
		*sem = X86_SEM_RORX;
		good = good && !*v;
	}
	return good && *sem;
}

u32 x86_decode(const u8 *code, u32 avail, u64 rip, u32 mode, struct x86_insn *i)
{
	struct prefixes p = { 0, 0, 0, 0, 0, 0, -1 };
	struct reader r = { code, 0, avail, false };
	bool m64 = (mode & X86_MODE_SIZE) == X86_MODE_64, relative = false, two = false, known;
	const struct x86_opcode *row;
	struct x86_opcode o;
	u32 modrm = 0xc0, imm_size = 0, reg, rm, map = 0, fn = 0, column = 0, vex_sem = 0, vex_v = 0;
	struct x86_opcode extra;
	bool is_vex = false;
	u8 c;

	memset(i, 0, sizeof(*i));
	i->base = X86_ZERO * 8;
	i->index = X86_ZERO * 8;
	i->seg = X86_DS;
	c = take_prefixes(&r, mode, &p);
	if (c == 0x0f) {
		two = true;
		c = take8(&r);
		if (c == 0x38 || c == 0x3a) {
			map = c == 0x38 ? 1 : 2;
			c = take8(&r);
		}
		column = p.rep == 0xf3 ? X86_VEC_F3 : p.rep == 0xf2 ? X86_VEC_F2 : p.opsize ? X86_VEC_66 : X86_VEC_NP;
		fn = x86_vec_find(map, c, column);
	}
	row = two ? &x86_two_byte[c] : &x86_one_byte[c];
	if ((c & 0xfe) == 0xc4 && !two && (m64 || (r.at < r.avail && r.p[r.at] >= 0xc0))) {
		is_vex = true;
		known = vex(&r, &p, c == 0xc4, &vex_sem, &vex_v);
		extra = (struct x86_opcode){ (u16)vex_sem, O_MODRM | (vex_sem == X86_SEM_RORX ? O_IMM8 : 0) };
		row = &extra;
		if (!known)
			return r.ran_out && r.avail < 15 ? 0 : bad(i, r.at, X86_SEM_UD);
	}
	if (map || fn) {
		extra = map ? three_byte(map == 1 ? c : 0, p.rep, p.opsize) : (struct x86_opcode){ X86_SEM_UD, O_MODRM };
		row = &extra;
	}
	i->asize = m64 ? (p.adsize ? 4 : 8) : ((mode & X86_MODE_SIZE) == X86_MODE_32) != p.adsize ? 4 : 2;
	if (row->how & O_MODRM)
		modrm = take8(&r);
	known = resolve_group(row, modrm, p.rep, p.opsize, &o);
	if (map == 2 && !fn)
		known = false;
	if (m64 && (o.how & O_NOT64))
		known = false;
	operand_size(&o, &p, mode, i);
	if (!two && c == 0x63 && !m64) {
		o.sem = X86_SEM_ARPL;
		o.how &= ~O_TO_REG;
		i->size = 2;
	}
	i->sem = o.sem;
	reg = (modrm >> 3) & 7;
	rm = modrm & 7;
	if (o.how & O_MODRM) {
		i->reg = register_offset(reg | (p.rex & 4) << 1, i->size, p.rex_seen);
		i->sub = (u8)reg;
		if ((modrm & 0xc0) == 0xc0 || (o.how & O_REGS)) {
			i->rm = register_offset(rm | (p.rex & 1) << 3, i->size, p.rex_seen);
			if (o.how & O_MEM)
				known = false;
		} else {
			i->flags |= X86_I_MEM;
			if (i->asize == 2)
				memory16(&r, modrm >> 6, rm, i);
			else
				relative = memory32(&r, modrm >> 6, rm, &p, m64, i);
		}
	}
	if (fn) {
		known = vector(&r, &p, fn, column, modrm, i);
		o = extra;
		o.sem = i->sem;
	}
	if (is_vex) {
		if (o.sem == X86_SEM_BLSR) {
			known = reg >= 1 && reg <= 3;
			i->sem = o.sem = (u16)(X86_SEM_BLSR + reg - 1);
		}
		i->sub = (u8)(vex_v * 8);
	}
	if (o.sem == X86_SEM_X87) {
		i->sub = c & 7;
		i->rm = (u8)modrm;
		known = !x87_reserved(c & 7, modrm);
	}
	if (o.sem == X86_SEM_CRC32) {
		i->sub = c & 1 ? i->size : 1;
		if (!(i->flags & X86_I_MEM))
			i->rm = register_offset(rm | (p.rex & 1) << 3, i->sub, p.rex_seen);
	}
	if (o.sem == X86_SEM_CRC32 || o.sem == X86_SEM_ADCX || o.sem == X86_SEM_ADOX || o.sem == X86_SEM_MOVNTI ||
	    o.sem == X86_SEM_RDBASE || o.sem == X86_SEM_WRBASE || is_vex)
		i->size = p.rex & 8 ? 8 : 4;
	if (o.how & O_OPREG)
		i->rm = register_offset((c & 7) | (p.rex & 1) << 3, i->size, p.rex_seen);
	if (o.how & O_TO_REG)
		i->flags |= X86_I_TO_REG;
	if (o.how & O_CC)
		i->sub = c & 15;
	if (o.how & O_SEG)
		i->sub = two ? (c >> 3) & 7 : (c >> 3) & 3;
	if (p.seg >= 0)
		i->seg = (u8)p.seg;
	/* the source of MOVZX and MOVSX has its own size, kept in sub */
	if (o.sem == X86_SEM_MOVZX || o.sem == X86_SEM_MOVSX) {
		i->sub = two ? (c & 1 ? 2 : 1) : 4;
		if (!(i->flags & X86_I_MEM))
			i->rm = register_offset(rm | (p.rex & 1) << 3, i->sub, p.rex_seen);
	}
	if (o.sem == X86_SEM_LFAR)
		i->sub = c == 0xc4 ? X86_ES : c == 0xc5 ? X86_DS : c == 0xb2 ? X86_SS : c == 0xb4 ? X86_FS : X86_GS;
	if (o.how & O_MOFFS) {
		i->flags |= X86_I_MEM;
		i->disp = (s64)take(&r, i->asize);
	}
	if (o.how & O_IMM8)
		imm_size = 1;
	else if (o.how & O_IMMZ)
		imm_size = i->size == 8 ? 4 : i->size;
	else if (o.how & O_IMMV)
		imm_size = i->size;
	else if (o.how & O_IMM16)
		imm_size = 2;
	if (imm_size) {
		i->imm = take_signed(&r, imm_size);
		i->flags |= X86_I_IMM;
	}
	if (o.sem == X86_SEM_ENTER)
		i->sub = take8(&r);
	if (o.sem == X86_SEM_CALL_FAR || o.sem == X86_SEM_JMP_FAR) {
		i->imm = (s64)take(&r, i->size);
		i->disp = (s64)take(&r, 2);
	}
	if (o.how & O_ONE) {
		i->imm = 1;
		i->flags |= X86_I_IMM;
	}
	if (r.at > 15)
		return bad(i, 15, X86_SEM_TOO_LONG);
	if (r.ran_out)
		return avail >= 15 ? bad(i, 15, X86_SEM_TOO_LONG) : 0;
	if (p.rep == 0xf3)
		i->flags |= X86_I_REP;
	if (p.rep == 0xf2)
		i->flags |= X86_I_REPNE;
	if (p.lock) {
		if (!lock_legal(&o, i))
			known = false;
		i->flags |= X86_I_LOCK;
	}
	/* XCHG with memory is locked without the prefix (3A 8.1.2.1) */
	if (o.sem == X86_SEM_XCHG && (i->flags & X86_I_MEM))
		i->flags |= X86_I_LOCK;
	/* 90h is NOP unless REX.B makes it XCHG r8, rax; F3 90 is PAUSE */
	if (!two && c == 0x90 && !(p.rex & 1))
		i->sem = p.rep == 0xf3 ? X86_SEM_PAUSE : X86_SEM_NOP;
	if (o.sem == X86_SEM_MOV_TO_SEG && (i->sub == X86_CS || i->sub > X86_GS))
		known = false;
	if (o.sem == X86_SEM_MOV_FROM_SEG && i->sub > X86_GS)
		known = false;
	if (o.sem == X86_SEM_MOV_CR_TO || o.sem == X86_SEM_MOV_CR_FROM || o.sem == X86_SEM_MOV_DR_TO ||
	    o.sem == X86_SEM_MOV_DR_FROM) {
		i->sub = (u8)(reg | (p.rex & 4) << 1);
		i->size = m64 ? 8 : 4;
	}
	if (!known)
		return bad(i, r.at, X86_SEM_UD);
	i->len = (u8)r.at;
	if (relative)
		i->disp = (s64)((u64)i->disp + rip + r.at);
	if (o.how & O_REL) {
		i->imm = (s64)(rip + r.at + (u64)i->imm);
		if (i->size == 4)
			i->imm = (u32)i->imm;
		else if (i->size == 2)
			i->imm = (u16)i->imm;
	}
	if (o.how & O_END)
		i->flags |= X86_I_LAST;
	return r.at;
}
