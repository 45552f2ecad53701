// SPDX-License-Identifier: GPL-2.0 OR MIT
/* x87 instructions: which one it is, operands from and to memory, control (2A "F..." pages, 1 chapter 8). */
#include "x87.h"

#define TRY(call)                                                                                                        \
	do {                                                                                                              \
		enum x86_leave leave_ = (call);                                                                           \
		if (leave_)                                                                                               \
			return leave_;                                                                                    \
	} while (0)

/* An unmasked exception of an earlier instruction.  With CR0.NE clear the processor would signal FERR#; no interrupt controller
 * here listens, so execution goes on as with IGNNE# asserted (1 8.7.2). */
enum x86_leave x87_pending(struct x86_cpu *cpu)
{
	if ((cpu->fpu.fsw & SW_ES) && (cpu->cr0 & CR0_NE))
		return x86_raise(cpu, X86_MF);
	return X86_NEXT;
}

void x87_to_mmx(struct x86_cpu *cpu)
{
	x87_top_put(cpu, 0);
	cpu->fpu.used = 0xff;
}

static void status_update(struct x86_cpu *cpu)
{
	if (cpu->fpu.fsw & ~cpu->fpu.fcw & 0x3f)
		cpu->fpu.fsw |= SW_ES | SW_B;
	else
		cpu->fpu.fsw &= 0xffffu & ~(SW_ES | SW_B);
}

void x87_control_put(struct x86_cpu *cpu, u16 v)
{
	cpu->fpu.fcw = (u16)((v & 0x1f3f) | 0x40);
	status_update(cpu);
}

void x87_begin(const struct x86_cpu *cpu, struct fp_env *e, bool precision_control)
{
	static const u8 bits[] = { 24, 64, 53, 64 };

	memset(e, 0, sizeof(*e));
	e->nan = FP_NAN_X87;
	e->round = (cpu->fpu.fcw >> 10) & 3;
	e->precision = precision_control ? bits[(cpu->fpu.fcw >> 8) & 3] : 64;
	e->unmasked = ~cpu->fpu.fcw & 0x3f;
	e->wrap = 1;
}

bool x87_end(struct x86_cpu *cpu, const struct fp_env *e)
{
	u32 flags = e->flags & 0x3f, before = flags & e->unmasked & (FP_INVALID | FP_DENORMAL | FP_DIVZERO);

	if (before)
		flags &= FP_INVALID | FP_DENORMAL | FP_DIVZERO;
	cpu->fpu.fsw |= (u16)flags;
	x87_c1(cpu, !before && (flags & FP_INEXACT) && e->up);
	status_update(cpu);
	return !before;
}

bool x87_stack_fault(struct x86_cpu *cpu, bool overflow)
{
	cpu->fpu.fsw |= FP_INVALID | SW_SF;
	x87_c1(cpu, overflow);
	status_update(cpu);
	return cpu->fpu.fcw & FP_INVALID;
}

void x87_push(struct x86_cpu *cpu, struct fp80 v)
{
	x87_top_put(cpu, x87_top(cpu) - 1);
	x87_put(cpu, 0, v);
}

bool x87_room(struct x86_cpu *cpu)
{
	if (x87_empty(cpu, 7))
		return true;
	if (x87_stack_fault(cpu, true))
		x87_push(cpu, X87_INDEFINITE);
	return false;
}

/* D8..DF reserved encodings; @op: low bits of the escape byte. */
bool x87_reserved(u32 op, u32 modrm)
{
	u32 digit = (modrm >> 3) & 7, n = modrm & 0x3f;

	if (modrm < 0xc0)
		return (op == 1 && digit == 1) || (op == 3 && (digit == 4 || digit == 6)) || (op == 5 && digit == 5);
	switch (op) {
	case 1:
		return (n > 0x10 && n < 0x18) || n == 0x22 || n == 0x23 || n == 0x26 || n == 0x27 || n == 0x2f;
	case 2:
		return n >= 0x20 && n != 0x29;
	case 3:
		return (n >= 0x25 && n < 0x28) || n >= 0x38;
	case 5:
		return n >= 0x30;
	case 6:
		return n >= 0x18 && n < 0x20 && n != 0x19;
	case 7:
		return (n > 0x20 && n < 0x28) || n >= 0x38;
	default:
		return false;
	}
}

/* Instructions that do not wait for pending exceptions and leave the last-instruction pointers alone. */
static bool control(u32 op, u32 modrm)
{
	u32 digit = (modrm >> 3) & 7;

	if (modrm < 0xc0)
		return (op == 1 && digit >= 4) || (op == 5 && (digit == 4 || digit >= 6));
	return (op == 3 && (modrm & 0x38) == 0x20) || (op == 7 && modrm == 0xe0);
}

static bool waits(u32 op, u32 modrm)
{
	u32 digit = (modrm >> 3) & 7;

	if (!control(op, modrm))
		return true;
	if (modrm < 0xc0)
		return (op == 1 && (digit == 4 || digit == 5)) || (op == 5 && digit == 4);
	return false;
}

static enum x86_leave read_int(struct x86_cpu *cpu, struct x86_insn *i, u32 size, struct fp_num *n)
{
	struct fp_env e = { .round = FP_NEAREST };
	u64 v;

	TRY(x86_read(cpu, i->seg, x86_ea(cpu, i), size, &v));
	*n = fp_from_int(&e, &fp_format80, x86_sign_extend(v, size), true);
	return X86_NEXT;
}

static enum x86_leave read_real(struct x86_cpu *cpu, struct x86_insn *i, u32 size, struct fp_num *n)
{
	u64 v;

	TRY(x86_read(cpu, i->seg, x86_ea(cpu, i), size, &v));
	*n = size == 4 ? fp_unpack32((u32)v) : fp_unpack64(v);
	return X86_NEXT;
}

/* FLD m32, m64: signalling NaNs become quiet, subnormals are reported. */
static void load_real(struct x86_cpu *cpu, struct fp_num n)
{
	struct fp_env e;

	if (!x87_room(cpu))
		return;
	x87_begin(cpu, &e, false);
	n = fp_convert(&e, &fp_format80, n);
	/* a subnormal number is loaded even if it traps */
	if (x87_end(cpu, &e) || !(e.flags & e.unmasked & FP_INVALID))
		x87_push(cpu, fp_pack80(n));
}

/* Stores are done only if nothing unmasked comes up; the flags are set in any case, but not before the write succeeded. */
static enum x86_leave store_value(struct x86_cpu *cpu, struct x86_insn *i, struct fp_env *e, u64 v, u32 size, bool pop)
{
	/* overflow and underflow of a memory destination: nothing is stored (1 8.5.4) */
	bool write = !(e->flags & e->unmasked & 0x1f);

	if (write)
		TRY(x86_write(cpu, i->seg, x86_ea(cpu, i), size, v));
	x87_end(cpu, e);
	if (write && pop)
		x87_pop(cpu);
	return X86_NEXT;
}

static enum x86_leave store_empty(struct x86_cpu *cpu, struct x86_insn *i, u64 v, u32 size, bool pop)
{
	if (cpu->fpu.fcw & FP_INVALID)
		TRY(x86_write(cpu, i->seg, x86_ea(cpu, i), size, v));
	if (x87_stack_fault(cpu, false) && pop)
		x87_pop(cpu);
	return X86_NEXT;
}

static enum x86_leave store_real(struct x86_cpu *cpu, struct x86_insn *i, u32 size, bool pop)
{
	struct fp_env e;
	u64 v;

	if (x87_empty(cpu, 0))
		return store_empty(cpu, i, size == 4 ? 0xffc00000 : 0xfff8000000000000ull, size, pop);
	x87_begin(cpu, &e, false);
	e.wrap = 0;
	if (size == 4)
		v = fp32_pack(fp_convert(&e, &fp_format32, fp_unpack80(*x87_st(cpu, 0))));
	else
		v = fp64_pack(fp_convert(&e, &fp_format64, fp_unpack80(*x87_st(cpu, 0))));
	e.flags &= (u8)~FP_DENORMAL;
	/* a trapping underflow or overflow is reported without inexact: nothing was rounded for the destination */
	if (e.flags & e.unmasked & (FP_OVERFLOW | FP_UNDERFLOW))
		e.flags &= (u8)~FP_INEXACT;
	return store_value(cpu, i, &e, v, size, pop);
}

static enum x86_leave store_int(struct x86_cpu *cpu, struct x86_insn *i, u32 size, bool truncate, bool pop)
{
	struct fp_env e;
	u64 v;

	if (x87_empty(cpu, 0))
		return store_empty(cpu, i, 1ull << (size * 8 - 1), size, pop);
	x87_begin(cpu, &e, false);
	if (truncate)
		e.round = FP_TRUNCATE;
	v = fp_to_int(&e, fp_unpack80(*x87_st(cpu, 0)), size * 8, true);
	return store_value(cpu, i, &e, v, size, pop);
}

static enum x86_leave load_extended(struct x86_cpu *cpu, struct x86_insn *i)
{
	u8 b[10];
	struct fp80 v;

	TRY(x86_read_block(cpu, i->seg, x86_ea(cpu, i), b, 10));
	memcpy(&v.sig, b, 8);
	memcpy(&v.se, b + 8, 2);
	if (x87_room(cpu)) {
		x87_c1(cpu, false);
		x87_push(cpu, v);
	}
	return X86_NEXT;
}

static enum x86_leave store_extended(struct x86_cpu *cpu, struct x86_insn *i)
{
	struct fp80 v = x87_empty(cpu, 0) ? X87_INDEFINITE : *x87_st(cpu, 0);
	bool go = !x87_empty(cpu, 0) || (cpu->fpu.fcw & FP_INVALID);
	u8 b[10];

	memcpy(b, &v.sig, 8);
	memcpy(b + 8, &v.se, 2);
	if (go)
		TRY(x86_write_block(cpu, i->seg, x86_ea(cpu, i), b, 10));
	if (x87_empty(cpu, 0))
		x87_stack_fault(cpu, false);
	else
		x87_c1(cpu, false);
	if (go)
		x87_pop(cpu);
	return X86_NEXT;
}

/* Packed BCD: 18 digits and a sign byte. */
static enum x86_leave load_bcd(struct x86_cpu *cpu, struct x86_insn *i)
{
	struct fp_env e = { .round = FP_NEAREST };
	struct fp80 r;
	u64 v = 0;
	u8 b[10];
	int n;

	TRY(x86_read_block(cpu, i->seg, x86_ea(cpu, i), b, 10));
	if (!x87_room(cpu))
		return X86_NEXT;
	for (n = 8; n >= 0; n--)
		v = v * 100 + (b[n] >> 4) * 10u + (b[n] & 15u);
	r = fp_pack80(fp_from_int(&e, &fp_format80, v, false));
	r.se |= (u16)((b[9] & 0x80) << 8);
	x87_c1(cpu, false);
	x87_push(cpu, r);
	return X86_NEXT;
}

static enum x86_leave store_bcd(struct x86_cpu *cpu, struct x86_insn *i)
{
	bool empty = x87_empty(cpu, 0), write;
	struct fp80 st = *x87_st(cpu, 0);
	struct fp_env e;
	u8 b[10];
	u64 v;
	int n;

	x87_begin(cpu, &e, false);
	if (empty)
		e.flags = FP_INVALID;
	v = fp_to_int(&e, fp_unpack80(st), 64, true);
	if ((s64)v < 0)
		v = 0 - v;
	if (empty || (e.flags & FP_INVALID) || v > 999999999999999999ull) {
		e.flags = FP_INVALID;
		memset(b, 0, 7);
		b[7] = 0xc0;
		b[8] = b[9] = 0xff;
	} else {
		for (n = 0; n < 9; n++, v /= 100)
			b[n] = (u8)(v % 10 | (v / 10 % 10) << 4);
		b[9] = (u8)(st.se >> 15 << 7);
	}
	write = !(e.flags & e.unmasked & FP_INVALID);
	if (write)
		TRY(x86_write_block(cpu, i->seg, x86_ea(cpu, i), b, 10));
	if (empty)
		x87_stack_fault(cpu, false);
	else
		x87_end(cpu, &e);
	if (write)
		x87_pop(cpu);
	return X86_NEXT;
}

static enum x86_leave arith_memory(struct x86_cpu *cpu, struct x86_insn *i, u32 op, u32 digit)
{
	struct fp_num n;

	switch (op) {
	case 0:
		TRY(read_real(cpu, i, 4, &n));
		break;
	case 4:
		TRY(read_real(cpu, i, 8, &n));
		break;
	case 2:
		TRY(read_int(cpu, i, 4, &n));
		break;
	default:
		TRY(read_int(cpu, i, 2, &n));
	}
	if (digit == X87_COM || digit == X87_COMP) {
		if (x87_compare(cpu, n, false, false, false) && digit == X87_COMP)
			x87_pop(cpu);
	} else {
		x87_arith(cpu, digit, 0, n, false);
	}
	return X86_NEXT;
}

static enum x86_leave memory(struct x86_cpu *cpu, struct x86_insn *i, u32 op, u32 digit)
{
	static const u8 int_size[] = { 4, 8, 2 };
	struct fp_num n;
	u32 size;
	u64 v;

	if (!(op & 1))
		return arith_memory(cpu, i, op, digit);
	if (op == 1 || (op == 5 && (digit == 0 || digit == 2 || digit == 3))) {
		size = op == 1 ? 4 : 8;
		switch (digit) {
		case 0:
			TRY(read_real(cpu, i, size, &n));
			load_real(cpu, n);
			return X86_NEXT;
		case 2: case 3:
			return store_real(cpu, i, size, digit == 3);
		case 4: case 6:
			return x87_environment(cpu, i, digit == 4, false);
		case 5:
			TRY(x86_read(cpu, i->seg, x86_ea(cpu, i), 2, &v));
			x87_control_put(cpu, (u16)v);
			return X86_NEXT;
		default:
			return x86_write(cpu, i->seg, x86_ea(cpu, i), 2, cpu->fpu.fcw);
		}
	}
	if (op == 5 && digit >= 4) {
		if (digit == 7)
			return x86_write(cpu, i->seg, x86_ea(cpu, i), 2, cpu->fpu.fsw);
		return x87_environment(cpu, i, digit == 4, true);
	}
	if (op == 3 && digit >= 5)
		return digit == 5 ? load_extended(cpu, i) : store_extended(cpu, i);
	if (op == 7 && (digit == 4 || digit == 6))
		return digit == 4 ? load_bcd(cpu, i) : store_bcd(cpu, i);
	size = op == 7 && digit >= 5 ? 8 : int_size[(op - 3) / 2];
	if (digit == 0 || digit == 5) {
		TRY(read_int(cpu, i, size, &n));
		if (x87_room(cpu)) {
			x87_c1(cpu, false);
			x87_push(cpu, fp_pack80(n));
		}
		return X86_NEXT;
	}
	return store_int(cpu, i, size, digit == 1, digit != 2);
}

static void exchange(struct x86_cpu *cpu, u32 n)
{
	struct fp80 a, b;

	if (x87_empty(cpu, 0) || x87_empty(cpu, n)) {
		if (!x87_stack_fault(cpu, false))
			return;
		if (x87_empty(cpu, 0))
			x87_put(cpu, 0, X87_INDEFINITE);
		if (x87_empty(cpu, n))
			x87_put(cpu, n, X87_INDEFINITE);
	} else {
		x87_c1(cpu, false);
	}
	a = *x87_st(cpu, 0);
	b = *x87_st(cpu, n);
	x87_put(cpu, 0, b);
	x87_put(cpu, n, a);
}

static void copy(struct x86_cpu *cpu, u32 to, u32 from, bool pop)
{
	struct fp80 v = *x87_st(cpu, from);

	if (x87_empty(cpu, from)) {
		if (!x87_stack_fault(cpu, false))
			return;
		v = X87_INDEFINITE;
	} else {
		x87_c1(cpu, false);
	}
	x87_put(cpu, to, v);
	if (pop)
		x87_pop(cpu);
}

static void load_register(struct x86_cpu *cpu, u32 n)
{
	struct fp80 v = *x87_st(cpu, n);

	/* underflow comes before overflow */
	if (x87_empty(cpu, n)) {
		if (!x87_stack_fault(cpu, false))
			return;
		v = X87_INDEFINITE;
	} else if (!x87_room(cpu)) {
		return;
	} else {
		x87_c1(cpu, false);
	}
	x87_push(cpu, v);
}

static void conditional_move(struct x86_cpu *cpu, u32 op, u32 digit, u32 n)
{
	static const u8 condition[] = { 2, 4, 6, 10 };	/* B, E, BE, U as Jcc has them */

	if (x87_empty(cpu, 0) || x87_empty(cpu, n)) {
		if (x87_stack_fault(cpu, false))
			x87_put(cpu, 0, X87_INDEFINITE);
		return;
	}
	if (x86_condition_slow(&cpu->fl, condition[digit & 3]) == (op == 2))
		x87_put(cpu, 0, *x87_st(cpu, n));
}

static void sign(struct x86_cpu *cpu, bool absolute)
{
	if (x87_empty(cpu, 0)) {
		if (x87_stack_fault(cpu, false))
			x87_put(cpu, 0, X87_INDEFINITE);
		return;
	}
	if (absolute)
		x87_st(cpu, 0)->se &= 0x7fff;
	else
		x87_st(cpu, 0)->se ^= 0x8000;
	x87_c1(cpu, false);
}

static void d9_registers(struct x86_cpu *cpu, u32 n)
{
	switch (n) {
	case 0x20: case 0x21:
		sign(cpu, n & 1);
		return;
	case 0x24:
		x87_compare(cpu, (struct fp_num){ 0, 0, 0, FP_ZERO_NUM, 0 }, false, false, false);
		return;
	case 0x25:
		x87_examine(cpu);
		return;
	default:
		if (n >= 0x30)
			x87_transcendental(cpu, n - 0x30);
		else
			x87_constant(cpu, n - 0x28);
	}
}

static void clear(struct x86_cpu *cpu, u32 n)
{
	if (n == 0x22) {
		cpu->fpu.fsw &= 0x7f00;
	} else if (n == 0x23) {
		cpu->fpu.fcw = 0x37f;
		cpu->fpu.fsw = 0;
		cpu->fpu.used = 0;
		cpu->fpu.fip = 0;
		cpu->fpu.fdp = 0;
		cpu->fpu.fop = 0;
	}
	/* the 8087's and 80287's others do nothing */
}

static enum x86_leave registers(struct x86_cpu *cpu, u32 op, u32 modrm)
{
	u32 digit = (modrm >> 3) & 7, n = modrm & 7, all = modrm & 0x3f;
	struct fp_num v;
	bool done;

	if (op == 1 && all >= 0x20) {
		d9_registers(cpu, all);
		return X86_NEXT;
	}
	switch (op << 3 | digit) {
	case 010:
		load_register(cpu, n);
		return X86_NEXT;
	case 011: case 051: case 071:
		exchange(cpu, n);
		return X86_NEXT;
	case 012:
		return X86_NEXT;
	case 013:	/* an alias of FSTP that does not notice an empty register */
		if (x87_empty(cpu, 0)) {
			x87_c1(cpu, false);
			x87_pop(cpu);
			return X86_NEXT;
		}
		copy(cpu, n, 0, true);
		return X86_NEXT;
	case 053: case 072: case 073:
		copy(cpu, n, 0, true);
		return X86_NEXT;
	case 052:
		copy(cpu, n, 0, false);
		return X86_NEXT;
	case 020: case 021: case 022: case 023: case 030: case 031: case 032: case 033:
		conditional_move(cpu, op, digit, n);
		return X86_NEXT;
	case 034:
		clear(cpu, all);
		return X86_NEXT;
	case 050: case 070:
		cpu->fpu.used &= (u8)~(1u << ((x87_top(cpu) + n) & 7));
		x87_c1(cpu, false);
		if (op == 7)	/* FFREEP */
			x87_pop(cpu);
		return X86_NEXT;
	case 074:
		X86_REG16(cpu, 0) = cpu->fpu.fsw;
		return X86_NEXT;
	default:
		break;
	}
	v = fp_unpack80(*x87_st(cpu, n));
	if ((op == 3 || op == 7) || (op == 5) || (op == 2)) {	/* FUCOM(P), FUCOMPP, F(U)COMI(P) */
		bool quiet = op == 5 || op == 2 || digit == 5;

		done = x87_compare(cpu, v, x87_empty(cpu, n), quiet, op == 3 || op == 7);
		if (done && (op == 7 || op == 2 || (op == 5 && digit == 5)))
			x87_pop(cpu);
		if (done && op == 2)
			x87_pop(cpu);
		return X86_NEXT;
	}
	if (digit == X87_COM || digit == X87_COMP) {
		done = x87_compare(cpu, v, x87_empty(cpu, n), false, false);
		if (done && (digit == X87_COMP || op == 6))
			x87_pop(cpu);
		if (done && op == 6 && digit == X87_COMP)
			x87_pop(cpu);
		return X86_NEXT;
	}
	if (op == 0) {
		x87_arith(cpu, digit, 0, v, x87_empty(cpu, n));
	} else {
		/* DC, DE: the reversed ones trade places with respect to D8 */
		done = x87_arith(cpu, digit >= X87_SUB ? digit ^ 1u : digit, n, fp_unpack80(*x87_st(cpu, 0)), x87_empty(cpu, 0));
		if (done && op == 6)
			x87_pop(cpu);
	}
	return X86_NEXT;
}

enum x86_leave x87_execute(struct x86_cpu *cpu, struct x86_insn *i)
{
	u32 op = i->sub, modrm = i->rm;
	u64 ea = 0;

	if (!x86_has(cpu, X86_HAS_FPU) || (cpu->cr0 & (CR0_EM | CR0_TS)))
		return x86_raise(cpu, X86_NM);
	if (waits(op, modrm))
		TRY(x87_pending(cpu));
	if (modrm < 0xc0)
		ea = x86_ea(cpu, i);
	/* an instruction that faults in memory leaves the pointers alone: they are set behind it */
	TRY(modrm < 0xc0 ? memory(cpu, i, op, (modrm >> 3) & 7) : registers(cpu, op, modrm));
	if (!control(op, modrm)) {
		cpu->fpu.fop = (u16)(op << 8 | modrm);
		cpu->fpu.fip = x86_this_rip(cpu, i);
		if (modrm < 0xc0)
			cpu->fpu.fdp = ea;
	}
	return X86_NEXT;
}
