// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Arithmetic with flags for the general path, one operand size at a time as an argument. */
#include "internal.h"

static void flags_bits(struct x86_cpu *cpu, u64 result, u32 size, bool cf, bool of, bool af)
{
	cpu->fl.result = x86_sign_extend(result, size);
	cpu->fl.bits = (u32)((cf ? X86_FLAG_CF : 0) | (of ? X86_FLAG_OF : 0) | (af ? X86_FLAG_AF : 0));
	cpu->fl.kind = X86_FL_BITS;
}

/* ADD OR ADC SBB AND SUB XOR CMP TEST INC DEC NEG (a is ignored); returns the result. */
u64 x86_alu(struct x86_cpu *cpu, u32 sem, u32 size, u64 a, u64 b)
{
	struct x86_flags *f = &cpu->fl;
	u64 r, sign = 1ull << (size * 8 - 1), carry;

	a = x86_sign_extend(a, size);
	b = x86_sign_extend(b, size);
	switch (sem) {
	case X86_SEM_ADC:
	case X86_SEM_SBB:
		carry = x86_cf(f);
		if (sem == X86_SEM_ADC) {
			r = x86_sign_extend(a + b + carry, size);
			flags_bits(cpu, r, size, carry ? r <= a : r < a, ~(a ^ b) & (a ^ r) & sign, (a ^ b ^ r) & 16);
		} else {
			r = x86_sign_extend(a - b - carry, size);
			flags_bits(cpu, r, size, carry ? a <= b : a < b, (a ^ b) & (a ^ r) & sign, (a ^ b ^ r) & 16);
		}
		return r;
	case X86_SEM_ADD:
		r = a + b;
		f->kind = X86_FL_ADD;
		break;
	case X86_SEM_INC:
		b = x86_cf(f);
		r = a + 1;
		f->kind = X86_FL_INC;
		break;
	case X86_SEM_DEC:
		b = x86_cf(f);
		r = a - 1;
		f->kind = X86_FL_DEC;
		break;
	case X86_SEM_SUB:
	case X86_SEM_CMP:
		r = a - b;
		f->kind = X86_FL_SUB;
		break;
	case X86_SEM_NEG:
		b = a;
		a = 0;
		r = a - b;
		f->kind = X86_FL_SUB;
		break;
	default:
		r = sem == X86_SEM_OR ? a | b : sem == X86_SEM_XOR ? a ^ b : a & b;
		a = r;
		b = 0;
		f->kind = X86_FL_SUB;
	}
	r = x86_sign_extend(r, size);
	f->a = a;
	f->b = b;
	f->result = r;
	return r;
}

static u64 rotate_carry(struct x86_cpu *cpu, bool left, u32 size, u64 a, u32 count)
{
	u64 fl = x86_flags_work_out(&cpu->fl);
	u32 bits = size * 8;
	bool cf = fl & X86_FLAG_CF, next, of;

	count %= bits + 1;
	while (count--) {
		if (left) {
			next = (a >> (bits - 1)) & 1;
			a = a << 1 | cf;
		} else {
			next = a & 1;
			a = a >> 1 | (u64)cf << (bits - 1);
		}
		cf = next;
	}
	of = left ? ((a >> (bits - 1)) & 1) != cf : ((a >> (bits - 1)) ^ (a >> (bits - 2))) & 1;
	fl &= ~(X86_FLAG_CF | X86_FLAG_OF);
	x86_flags_put(&cpu->fl, fl | (cf ? X86_FLAG_CF : 0) | (of ? X86_FLAG_OF : 0));
	return a;
}

/* Shifts and rotates (2B SAL/SAR, RCL/RCR): @count as the instruction has it; a masked count of 0 leaves all flags. */
u64 x86_shift(struct x86_cpu *cpu, u32 sem, u32 size, u64 a, u32 count)
{
	u32 bits = size * 8, n;
	u64 mask = x86_size_mask(size), r, fl;
	bool cf, of;

	count &= size == 8 ? 63 : 31;
	a &= mask;
	if (!count)
		return a;
	switch (sem) {
	case X86_SEM_SHL:
	case X86_SEM_SAL:
		r = count < 64 ? (a << count) & mask : 0;
		cf = count <= bits && ((a >> (bits - count)) & 1);
		flags_bits(cpu, r, size, cf, ((r >> (bits - 1)) & 1) != cf, false);
		return r;
	case X86_SEM_SHR:
		r = a >> count;
		flags_bits(cpu, r, size, (a >> (count - 1)) & 1, (a >> (bits - 1)) & 1, false);
		return r;
	case X86_SEM_SAR:
		r = (u64)((s64)x86_sign_extend(a, size) >> count) & mask;
		flags_bits(cpu, r, size, ((s64)x86_sign_extend(a, size) >> (count - 1)) & 1, false, false);
		return r;
	case X86_SEM_RCL:
	case X86_SEM_RCR:
		return rotate_carry(cpu, sem == X86_SEM_RCL, size, a, count) & mask;
	default:
		break;
	}
	n = count % bits;
	if (sem == X86_SEM_ROL) {
		r = n ? (a << n | a >> (bits - n)) & mask : a;
		cf = r & 1;
		of = ((r >> (bits - 1)) & 1) != cf;
	} else {
		r = n ? (a >> n | a << (bits - n)) & mask : a;
		cf = (r >> (bits - 1)) & 1;
		of = ((r >> (bits - 1)) ^ (r >> (bits - 2))) & 1;
	}
	fl = x86_flags_work_out(&cpu->fl) & ~(X86_FLAG_CF | X86_FLAG_OF);
	x86_flags_put(&cpu->fl, fl | (cf ? X86_FLAG_CF : 0) | (of ? X86_FLAG_OF : 0));
	return r;
}

/* SHLD, SHRD; 16-bit counts above 16 are undefined: bits come from both registers in turn, as AMD has it. */
u64 x86_shift_double(struct x86_cpu *cpu, bool right, u32 size, u64 a, u64 b, u32 count)
{
	u32 bits = size * 8;
	u64 mask = x86_size_mask(size), r;
	bool cf;

	count &= size == 8 ? 63 : 31;
	a &= mask;
	b &= mask;
	if (!count)
		return a;
	if (size == 2) {
		if (right) {
			r = (a | b << 16 | a << 32) >> count & mask;
			cf = ((a | b << 16) >> (count - 1)) & 1;
		} else {
			r = ((a << 32 | b << 16 | a) >> (32 - count)) & mask;
			cf = ((a << 16 | b) >> (32 - count)) & 1;
		}
	} else if (right) {
		r = (a >> count | b << (bits - count)) & mask;
		cf = (a >> (count - 1)) & 1;
	} else {
		r = (a << count | b >> (bits - count)) & mask;
		cf = (a >> (bits - count)) & 1;
	}
	flags_bits(cpu, r, size, cf, ((r ^ a) >> (bits - 1)) & 1, false);
	return r;
}

/* high:low / by; false on overflow or division by zero.  128 by 64 bits, bit by bit: rare, and libgcc is not there. */
bool x86_divide(u64 high, u64 low, u64 by, u64 *quotient, u64 *remainder)
{
	u32 n;
	bool carry;

	if (high >= by)
		return false;
	if (!high) {
		*quotient = low / by;
		*remainder = low % by;
		return true;
	}
	for (n = 0; n < 64; n++) {
		carry = high >> 63;
		high = high << 1 | low >> 63;
		low <<= 1;
		if (carry || high >= by) {
			high -= by;
			low |= 1;
		}
	}
	*quotient = low;
	*remainder = high;
	return true;
}

/* DAA DAS AAA AAS AAD (AAM divides, so it lives with the divisions). */
void x86_adjust(struct x86_cpu *cpu, u32 sem, u64 imm)
{
	u64 fl = x86_flags_work_out(&cpu->fl);
	u32 ax = (u16)cpu->r[X86_RAX], al = ax & 0xff, ah = ax >> 8, old = al;
	bool cf = fl & X86_FLAG_CF, af = fl & X86_FLAG_AF, low = (al & 15) > 9 || af, high;

	switch (sem) {
	case X86_SEM_DAA:
	case X86_SEM_DAS:
		high = old > 0x99 || cf;
		if (sem == X86_SEM_DAA) {
			al += (low ? 6 : 0) + (high ? 0x60 : 0);
			cf = high;
		} else {
			cf = high || (low && old < 6);
			al -= (low ? 6 : 0) + (high ? 0x60 : 0);
		}
		af = low;
		break;
	case X86_SEM_AAA:
		if (low) {
			ax += 0x106;
			al = ax & 0xff;
			ah = (ax >> 8) & 0xff;
		}
		cf = low;
		af = low;
		al &= 15;
		break;
	case X86_SEM_AAS:
		if (low) {
			ax -= 0x106;
			al = ax & 0xff;
			ah = (ax >> 8) & 0xff;
		}
		cf = low;
		af = low;
		al &= 15;
		break;
	default:
		al = (al + ah * (u8)imm) & 0xff;
		ah = 0;
		cf = false;
		af = false;
	}
	X86_REG16(cpu, 0) = (u16)((al & 0xff) | ah << 8);
	flags_bits(cpu, al, 1, cf, false, af);
}
