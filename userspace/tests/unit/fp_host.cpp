// SPDX-License-Identifier: MIT
// The integer floating-point library against this machine's FPU: enumerated specials and random values, every rounding mode,
// values and flags.  MV_SEED chooses the random part, MV_COUNT its size.
#ifdef __x86_64__
#include <gtest/gtest.h>
#include <immintrin.h>

#include <cstring>
#include <random>
#include <vector>

extern "C" {
#include "core/cpu/fp/fp.h"
}

namespace {

using Rng = std::mt19937_64;

u64 environment(const char *name, u64 otherwise) {
  const char *v = getenv(name);
  return v ? strtoull(v, nullptr, 0) : otherwise;
}
u64 seed() { return environment("MV_SEED", 20261121); }
u64 count() { return environment("MV_COUNT", 40000); }

// Exponents near the limits and near each other are where rounding happens.
template <int kExpBits, int kFracBits>
u64 random_value(Rng &rng) {
  const u64 bias = (1ull << (kExpBits - 1)) - 1, max = bias * 2 + 1, frac_mask = (1ull << kFracBits) - 1;
  u64 frac = rng() & frac_mask, exp;
  switch (rng() % 6) {
    case 0: exp = rng() % 4; break;
    case 1: exp = max - rng() % 4; break;
    case 2: exp = rng() & max; break;
    case 3: exp = bias / 2 + rng() % 60; break;
    default: exp = bias - 40 + rng() % 80; break;
  }
  switch (rng() % 6) {
    case 0: frac = 0; break;
    case 1: frac = frac_mask; break;
    case 2: frac = 1ull << (rng() % kFracBits); break;
    case 3: frac &= ~0ull << (rng() % kFracBits); break;
    default: break;
  }
  return (rng() & 1) << (kExpBits + kFracBits) | (exp & max) << kFracBits | (frac & frac_mask);
}

template <int kExpBits, int kFracBits>
std::vector<u64> specials() {
  const u64 bias = (1ull << (kExpBits - 1)) - 1, max = bias * 2 + 1, one = 1;
  std::vector<u64> v;
  for (u64 exp : {u64{0}, one, u64{2}, u64{kFracBits}, bias - kFracBits - 1, bias - 1, bias, bias + 1, bias + 30, bias + 31, bias + 62, bias + 63, max - 2, max - 1, max})
    for (u64 frac : {u64{0}, one, u64{2}, (one << (kFracBits - 1)) - 1, one << (kFracBits - 1), (one << (kFracBits - 1)) + 1, (one << kFracBits) - 2, (one << kFracBits) - 1})
      for (u64 sign : {0, 1}) v.push_back(sign << (kExpBits + kFracBits) | exp << kFracBits | frac);
  return v;
}

struct Mode {
  u32 mxcsr;
  fp_env env;
};
std::vector<Mode> modes() {
  std::vector<Mode> v;
  for (u32 rc = 0; rc < 4; rc++)
    for (u32 flush = 0; flush < 4; flush++) {
      fp_env e{};
      e.round = rc;
      e.flush = flush & 1;
      e.flush_inputs = flush >> 1;
      v.push_back({0x1f80 | rc << 13 | (flush & 1) << 15 | (flush >> 1) << 6, e});
    }
  return v;
}

template <typename T, typename B>
T as(B b) { T t; memcpy(&t, &b, sizeof(t)); return t; }

#define SSE2OP(insn, type)                                                                                    \
  [](u64 a, u64 b, u32 mxcsr, u32 *out) -> u64 {                                                              \
    __m128i x = _mm_set_epi64x(0, static_cast<long long>(a)), y = _mm_set_epi64x(0, static_cast<long long>(b)); \
    u32 def = 0x1f80;                                                                                         \
    asm volatile("ldmxcsr %2\n\t" insn " %3, %0\n\tstmxcsr %1\n\tldmxcsr %4" : "+x"(x), "=m"(*out) : "m"(mxcsr), "x"(y), "m"(def)); \
    return static_cast<type>(_mm_cvtsi128_si64(x));                                                           \
  }
using Host = u64 (*)(u64, u64, u32, u32 *);
using Ours = u64 (*)(fp_env *, u64, u64);

void compare(const char *name, Host host, Ours ours, const std::vector<u64> &special, u64 (*random)(Rng &), bool unary = false) {
  Rng rng(seed());
  u64 cases = 0;
  int bad = 0;
  auto one = [&](u64 a, u64 b, const Mode &m) {
    u32 out = 0;
    u64 want = host(a, b, m.mxcsr, &out);
    fp_env e = m.env;
    u64 got = ours(&e, a, b);
    cases++;
    if ((got != want || (e.flags & 0x3f) != (out & 0x3f)) && bad++ < 5)
      ADD_FAILURE() << name << std::hex << " " << a << ", " << b << " mxcsr " << m.mxcsr << ": " << got << " flags " << (e.flags & 0x3f) << ", host " << want << " flags "
                    << (out & 0x3f);
  };
  auto all = modes();
  for (u64 a : special)
    for (u64 b : special) {
      if (unary && b != special[0]) break;
      for (u32 rc = 0; rc < 16; rc += (unary || (a ^ b) % 3 == 0) ? 1 : 5) one(a, b, all[rc]);
    }
  for (u64 n = 0; n < count(); n++) {
    u64 a = random(rng), b = random(rng);
    if (rng() % 4 == 0) b = a ^ (1ull << (rng() % 20));
    one(a, b, all[rng() % 16]);
  }
  printf("%s: %llu cases, %d differences\n", name, cases, bad);
}

#define OURS32(op) [](fp_env *e, u64 a, u64 b) -> u64 { return fp32_##op(e, static_cast<u32>(a), static_cast<u32>(b)); }
#define OURS64(op) [](fp_env *e, u64 a, u64 b) -> u64 { return fp64_##op(e, a, b); }

const auto kSpecial32 = specials<8, 23>();
const auto kSpecial64 = specials<11, 52>();

TEST(Fp, ArithmeticAsTheHost) {
  compare("addss", SSE2OP("addss", u32), OURS32(add), kSpecial32, random_value<8, 23>);
  compare("subss", SSE2OP("subss", u32), OURS32(sub), kSpecial32, random_value<8, 23>);
  compare("mulss", SSE2OP("mulss", u32), OURS32(mul), kSpecial32, random_value<8, 23>);
  compare("divss", SSE2OP("divss", u32), OURS32(div), kSpecial32, random_value<8, 23>);
  compare("addsd", SSE2OP("addsd", u64), OURS64(add), kSpecial64, random_value<11, 52>);
  compare("subsd", SSE2OP("subsd", u64), OURS64(sub), kSpecial64, random_value<11, 52>);
  compare("mulsd", SSE2OP("mulsd", u64), OURS64(mul), kSpecial64, random_value<11, 52>);
  compare("divsd", SSE2OP("divsd", u64), OURS64(div), kSpecial64, random_value<11, 52>);
}

TEST(Fp, RootsAndConversionsAsTheHost) {
  compare("sqrtss", [](u64, u64 b, u32 m, u32 *o) { return SSE2OP("sqrtss", u32)(0, b, m, o); },
          [](fp_env *e, u64, u64 b) -> u64 { return fp32_pack(fp_sqrt(e, &fp_format32, fp_unpack32(static_cast<u32>(b)))); }, kSpecial32, random_value<8, 23>);
  compare("sqrtsd", SSE2OP("sqrtsd", u64), [](fp_env *e, u64, u64 b) -> u64 { return fp64_pack(fp_sqrt(e, &fp_format64, fp_unpack64(b))); }, kSpecial64, random_value<11, 52>);
  compare("cvtsd2ss", SSE2OP("cvtsd2ss", u32), [](fp_env *e, u64, u64 b) -> u64 { return fp32_pack(fp_convert(e, &fp_format32, fp_unpack64(b))); }, kSpecial64,
          random_value<11, 52>);
  compare("cvtss2sd", SSE2OP("cvtss2sd", u64), [](fp_env *e, u64, u64 b) -> u64 { return fp64_pack(fp_convert(e, &fp_format64, fp_unpack32(static_cast<u32>(b)))); }, kSpecial32,
          random_value<8, 23>);
#define TO_INT(insn, reg, ctype)                                                                                                               \
  [](u64, u64 b, u32 mxcsr, u32 *out) -> u64 {                                                                                                  \
    __m128i y = _mm_set_epi64x(0, static_cast<long long>(b));                                                                                   \
    u32 def = 0x1f80;                                                                                                                           \
    u64 r = 0;                                                                                                                                  \
    asm volatile("ldmxcsr %2\n\t" insn " %3, %" reg "0\n\tstmxcsr %1\n\tldmxcsr %4" : "=&r"(r), "=m"(*out) : "m"(mxcsr), "x"(y), "m"(def));       \
    return static_cast<ctype>(r);                                                                                                               \
  }
  compare("cvtsd2si", TO_INT("cvtsd2si", "q", u64), [](fp_env *e, u64, u64 b) -> u64 { return fp_to_int(e, fp_unpack64(b), 64, true); }, kSpecial64, random_value<11, 52>);
  compare("cvtsd2sil", TO_INT("cvtsd2si", "k", u32), [](fp_env *e, u64, u64 b) -> u64 { return static_cast<u32>(fp_to_int(e, fp_unpack64(b), 32, true)); }, kSpecial64,
          random_value<11, 52>);
  compare("cvtss2si", TO_INT("cvtss2si", "q", u64), [](fp_env *e, u64, u64 b) -> u64 { return fp_to_int(e, fp_unpack32(static_cast<u32>(b)), 64, true); }, kSpecial32,
          random_value<8, 23>);
  auto integers = specials<11, 52>();
  compare("cvtsi2sd", [](u64, u64 b, u32 mxcsr, u32 *out) -> u64 {
            __m128i x = _mm_setzero_si128();
            u32 def = 0x1f80;
            asm volatile("ldmxcsr %2\n\tcvtsi2sdq %3, %0\n\tstmxcsr %1\n\tldmxcsr %4" : "+x"(x), "=m"(*out) : "m"(mxcsr), "r"(b), "m"(def));
            return static_cast<u64>(_mm_cvtsi128_si64(x));
          },
          [](fp_env *e, u64, u64 b) -> u64 { return fp64_pack(fp_from_int(e, &fp_format64, b, true)); }, integers, random_value<11, 52>);
}

TEST(Fp, ComparisonsAndRoundingAsTheHost) {
  auto order = [](fp_order o) -> u64 { return o == FP_UNORDERED ? 0x45 : o == FP_LESS ? 1 : o == FP_EQUAL ? 0x40 : 0; };
  (void)order;
#define COMI(insn)                                                                                                                                        \
  [](u64 a, u64 b, u32 mxcsr, u32 *out) -> u64 {                                                                                                          \
    __m128i x = _mm_set_epi64x(0, static_cast<long long>(a)), y = _mm_set_epi64x(0, static_cast<long long>(b));                                           \
    u32 def = 0x1f80;                                                                                                                                     \
    u64 f;                                                                                                                                                \
    asm volatile("ldmxcsr %2\n\t" insn " %4, %3\n\tlahf\n\tstmxcsr %1\n\tldmxcsr %5" : "=&a"(f), "=m"(*out) : "m"(mxcsr), "x"(x), "x"(y), "m"(def) : "cc"); \
    return f >> 8 & 0x45;                                                                                                                                    \
  }
#define OUR_COMI(bits, q)                                                                                                      \
  [](fp_env *e, u64 a, u64 b) -> u64 {                                                                                         \
    fp_order o = fp_compare(e, fp_unpack##bits(static_cast<u##bits>(a)), fp_unpack##bits(static_cast<u##bits>(b)), q);        \
    return o == FP_UNORDERED ? 0x45 : o == FP_LESS ? 1 : o == FP_EQUAL ? 0x40 : 0;                                            \
  }
  compare("comiss", COMI("comiss"), OUR_COMI(32, false), kSpecial32, random_value<8, 23>);
  compare("ucomiss", COMI("ucomiss"), OUR_COMI(32, true), kSpecial32, random_value<8, 23>);
  compare("comisd", COMI("comisd"), OUR_COMI(64, false), kSpecial64, random_value<11, 52>);
  compare("ucomisd", COMI("ucomisd"), OUR_COMI(64, true), kSpecial64, random_value<11, 52>);
  if (!__builtin_cpu_supports("sse4.1")) GTEST_SKIP() << "no SSE4.1 here";
  compare("roundss", SSE2OP("roundss $4,", u32), [](fp_env *e, u64, u64 b) -> u64 { return fp32_pack(fp_round_integral(e, &fp_format32, fp_unpack32(static_cast<u32>(b)), true)); },
          kSpecial32, random_value<8, 23>);
  compare("roundsd", SSE2OP("roundsd $4,", u64), [](fp_env *e, u64, u64 b) -> u64 { return fp64_pack(fp_round_integral(e, &fp_format64, fp_unpack64(b), true)); }, kSpecial64,
          random_value<11, 52>);
}

// FMA: c comes from the operands, too: a * b - a and so on cancel.
TEST(Fp, FusedMultiplyAddAsTheHost) {
  if (!__builtin_cpu_supports("fma")) GTEST_SKIP() << "no FMA here";
  static u64 addend;
  auto host64 = [](u64 a, u64 b, u32 mxcsr, u32 *out) -> u64 {
    __m128i x = _mm_set_epi64x(0, static_cast<long long>(a)), y = _mm_set_epi64x(0, static_cast<long long>(b)), z = _mm_set_epi64x(0, static_cast<long long>(addend));
    u32 def = 0x1f80;
    asm volatile("ldmxcsr %2\n\tvfmadd213sd %4, %3, %0\n\tstmxcsr %1\n\tldmxcsr %5" : "+x"(y), "=m"(*out) : "m"(mxcsr), "x"(x), "x"(z), "m"(def));
    return static_cast<u64>(_mm_cvtsi128_si64(y));
  };
  auto host32 = [](u64 a, u64 b, u32 mxcsr, u32 *out) -> u64 {
    __m128i x = _mm_set_epi64x(0, static_cast<long long>(a)), y = _mm_set_epi64x(0, static_cast<long long>(b)), z = _mm_set_epi64x(0, static_cast<long long>(addend));
    u32 def = 0x1f80;
    asm volatile("ldmxcsr %2\n\tvfmadd213ss %4, %3, %0\n\tstmxcsr %1\n\tldmxcsr %5" : "+x"(y), "=m"(*out) : "m"(mxcsr), "x"(x), "x"(z), "m"(def));
    return static_cast<u32>(_mm_cvtsi128_si64(y));
  };
  auto ours64 = [](fp_env *e, u64 a, u64 b) -> u64 { return fp64_pack(fp_fma(e, &fp_format64, fp_unpack64(a), fp_unpack64(b), fp_unpack64(addend))); };
  auto ours32 = [](fp_env *e, u64 a, u64 b) -> u64 {
    return fp32_pack(fp_fma(e, &fp_format32, fp_unpack32(static_cast<u32>(a)), fp_unpack32(static_cast<u32>(b)), fp_unpack32(static_cast<u32>(addend))));
  };
  Rng rng(seed());
  auto all = modes();
  int bad = 0;
  u64 cases = 0;
  auto one = [&](Host h, Ours o, u64 a, u64 b, u64 c, const Mode &m) {
    u32 out = 0;
    addend = c;
    u64 want = h(a, b, m.mxcsr, &out);
    fp_env e = m.env;
    u64 got = o(&e, a, b);
    cases++;
    if ((got != want || (e.flags & 0x3f) != (out & 0x3f)) && bad++ < 5)
      ADD_FAILURE() << std::hex << a << " * " << b << " + " << c << " mxcsr " << m.mxcsr << ": " << got << " flags " << (e.flags & 0x3f) << ", host " << want << " flags " << (out & 0x3f);
  };
  for (u64 n = 0; n < count() * 2; n++) {
    const Mode &m = all[rng() % 16];
    u64 a = random_value<11, 52>(rng), b = random_value<11, 52>(rng), c = random_value<11, 52>(rng);
    if (rng() % 2) {  // make c about as large as the product
      fp_env e{};
      c = fp64_mul(&e, a, b) ^ 1ull << 63 ^ rng() % 4;
    }
    one(host64, ours64, a, b, c, m);
    a = random_value<8, 23>(rng), b = random_value<8, 23>(rng), c = random_value<8, 23>(rng);
    if (rng() % 2) {
      fp_env e{};
      c = fp32_mul(&e, static_cast<u32>(a), static_cast<u32>(b)) ^ 1ull << 31 ^ rng() % 4;
    }
    one(host32, ours32, a, b, c, m);
  }
  printf("fma: %llu cases, %d differences\n", cases, bad);
}

// --- x87 ---

struct X80 {
  fp80 v;
  char pad[6];
};
static_assert(sizeof(fp80) == 16);

fp80 random80(Rng &rng) {
  fp80 v{};
  v.sig = rng();
  switch (rng() % 6) {
    case 0: v.sig = 0; break;
    case 1: v.sig = ~0ull; break;
    case 2: v.sig = 1ull << (rng() % 64); break;
    case 3: v.sig &= ~0ull << (rng() % 64); break;
    default: break;
  }
  switch (rng() % 6) {
    case 0: v.se = rng() % 3; break;
    case 1: v.se = 0x7fff - rng() % 3; break;
    case 2: v.se = rng() & 0x7fff; break;
    default: v.se = 0x3fff - 40 + rng() % 80; break;
  }
  if (v.se && rng() % 16) v.sig |= 1ull << 63;
  v.se |= (rng() & 1) << 15;
  return v;
}

#define X87OP(insn)                                                                                             \
  [](const fp80 &a, const fp80 &b, u16 cw, u16 *sw) {                                                           \
    fp80 r{};                                                                                                   \
    u16 def = 0x37f;                                                                                            \
    asm volatile("fninit\n\tfldt %2\n\tfldt %3\n\tfldcw %4\n\t" insn "\n\tfnstsw %1\n\tfldcw %5\n\tfstpt %0\n\tfninit" : "=m"(r), "=m"(*sw) : "m"(b), "m"(a), "m"(cw), "m"(def)); \
    return r;                                                                                                   \
  }

TEST(Fp, ExtendedArithmeticAsTheHost) {
  struct {
    const char *name;
    fp80 (*host)(const fp80 &, const fp80 &, u16, u16 *);
    fp80 (*ours)(fp_env *, const fp80 &, const fp80 &);
  } ops[] = {
      {"fadd", X87OP("fadd %%st(1)"), [](fp_env *e, const fp80 &a, const fp80 &b) { return fp80_add(e, a, b); }},
      {"fsub", X87OP("fsub %%st(1)"), [](fp_env *e, const fp80 &a, const fp80 &b) { return fp80_sub(e, a, b); }},
      {"fmul", X87OP("fmul %%st(1)"), [](fp_env *e, const fp80 &a, const fp80 &b) { return fp80_mul(e, a, b); }},
      {"fdiv", X87OP("fdiv %%st(1)"), [](fp_env *e, const fp80 &a, const fp80 &b) { return fp80_div(e, a, b); }},
      {"fsqrt", X87OP("fsqrt"), [](fp_env *e, const fp80 &a, const fp80 &) { return fp_pack80(fp_sqrt(e, &fp_format80, fp_unpack80(a))); }},
      {"frndint", X87OP("frndint"), [](fp_env *e, const fp80 &a, const fp80 &) { return fp_pack80(fp_round_integral(e, &fp_format80, fp_unpack80(a), true)); }},
  };
  std::vector<fp80> special;
  for (u16 se : {0, 1, 2, 0x3fbe, 0x3ffe, 0x3fff, 0x4000, 0x403d, 0x403e, 0x7ffd, 0x7ffe, 0x7fff})
    for (u64 sig : {0ull, 1ull, 0x3fffffffffffffffull, 0x7fffffffffffffffull, 1ull << 63, 1ull << 63 | 1, 1ull << 63 | 1ull << 62, ~0ull << 11, ~0ull << 40, ~0ull - 1, ~0ull})
      for (u16 sign : {0, 0x8000}) special.push_back({sig, static_cast<u16>(se | sign)});
  for (auto &op : ops) {
    Rng rng(seed());
    int bad = 0;
    u64 cases = 0;
    auto one = [&](const fp80 &a, const fp80 &b, u32 rc, u32 pc) {
      static const u8 precision[] = {24, 0, 53, 64};
      u16 sw = 0;
      fp80 want = op.host(a, b, static_cast<u16>(0x7f & 0x3f) | rc << 10 | pc << 8, &sw);
      fp_env e{};
      e.round = rc;
      e.nan = FP_NAN_X87;
      e.precision = precision[pc];
      fp80 got = op.ours(&e, a, b);
      cases++;
      u32 us = (e.flags & 0x3f) | (e.up ? 0x200 : 0), them = sw & 0x23f;
      if ((got.sig != want.sig || got.se != want.se || us != them) && bad++ < 5)
        ADD_FAILURE() << op.name << std::hex << " " << a.se << ":" << a.sig << ", " << b.se << ":" << b.sig << " rc " << rc << " pc " << pc << ": " << got.se << ":" << got.sig << " " << us
                      << ", host " << want.se << ":" << want.sig << " " << them;
    };
    for (auto &a : special)
      for (auto &b : special) one(a, b, static_cast<u32>(cases % 4), cases / 4 % 3 ? static_cast<u32>(cases / 4 % 3 + 1) : 0);
    for (u64 n = 0; n < count(); n++) {
      fp80 a = random80(rng), b = random80(rng);
      u32 pc = static_cast<u32>(rng() % 3);
      one(a, b, static_cast<u32>(rng() % 4), pc ? pc + 1 : 0);
    }
    printf("%s: %llu cases, %d differences\n", op.name, cases, bad);
  }
}

// What no x86 can show: Arm's choices.
TEST(Fp, ArmChoices) {
  fp_env e{};
  e.nan = FP_NAN_ARM;
  EXPECT_EQ(fp64_div(&e, 0, 0), 0x7ff8000000000000u);
  EXPECT_EQ(e.flags, FP_INVALID);
  EXPECT_EQ(fp64_add(&e, 0x7ff8000000000001, 0x7ff0000000000002), 0x7ff8000000000002u);  // signalling before quiet
  EXPECT_EQ(fp_to_int(&e, fp_unpack64(0x7ff8000000000000), 32, true), 0u);
  EXPECT_EQ(fp_to_int(&e, fp_unpack64(0xfff0000000000000), 32, true), 0xffffffff80000000u);
  EXPECT_EQ(fp_to_int(&e, fp_unpack64(0xbff0000000000000), 64, false), 0u);
  e = {};
  e.round = FP_AWAY;
  EXPECT_EQ(fp_to_int(&e, fp_unpack64(0x4004000000000000), 64, true), 3u);             // 2.5
  EXPECT_EQ(fp_to_int(&e, fp_unpack64(0xbfe0000000000000), 64, true), ~0ull);          // -0.5
  e = {};
  e.round = FP_ODD;
  EXPECT_EQ(fp32_pack(fp_convert(&e, &fp_format32, fp_unpack64(0x3ff0000000000001))), 0x3f800001u);
  EXPECT_EQ(fp32_pack(fp_convert(&e, &fp_format32, fp_unpack64(0x0000000000000001))), 1u);
  EXPECT_EQ(fp32_pack(fp_convert(&e, &fp_format32, fp_unpack64(0x7fe0000000000000))), 0x7f7fffffu);
  e = {};
  e.nan = FP_NAN_ARM;
  e.default_nan = 1;
  EXPECT_EQ(fp32_add(&e, 0xffc12345, 0), 0x7fc00000u);
  e = {};
  e.tiny_before = 1;  // rounds up to the smallest normal number: tiny before, not after
  EXPECT_EQ(fp32_mul(&e, 0x00ffffff, 0x3f000000), 0x00800000u);
  EXPECT_EQ(e.flags & FP_UNDERFLOW, FP_UNDERFLOW);
  e = {};
  EXPECT_EQ(fp32_mul(&e, 0x00ffffff, 0x3f000000), 0x00800000u);
  e = {};
  EXPECT_EQ(fp32_pack(fp_convert(&e, &fp_format32, fp_unpack16(0x0001))), 0x33800000u);
  EXPECT_EQ(fp_pack(&fp_format16, fp_convert(&e, &fp_format16, fp_unpack32(0x477fe000))), 0x7bffu);
  EXPECT_EQ(fp_pack(&fp_format16, fp_convert(&e, &fp_format16, fp_unpack32(0x477ff000))), 0x7c00u);
}

}  // namespace
#endif
