// SPDX-License-Identifier: MIT
// Random integer instructions, for comparison with Unicorn (x86_unicorn.cpp) and with this machine (x86_host.cpp).
#ifndef MV_TEST_X86_GENERATOR_H
#define MV_TEST_X86_GENERATOR_H

#include <cstdlib>
#include <initializer_list>
#include <random>
#include <vector>

extern "C" {
#include "core/cpu/x86/x86.h"
}

namespace x86_test {

using Rng = std::mt19937_64;

struct Case {
  std::vector<u8> bytes;
  u64 undefined = 0;  // flags that the manual leaves undefined
  bool string = false;
};

inline u64 environment(const char *name, u64 otherwise) {
  const char *v = getenv(name);
  return v ? strtoull(v, nullptr, 0) : otherwise;
}

constexpr u64 kAF = X86_FLAG_AF, kOF = X86_FLAG_OF, kCF = X86_FLAG_CF, kZF = X86_FLAG_ZF, kSF = X86_FLAG_SF, kPF = X86_FLAG_PF;

// Makes one instruction.  Memory operands use [rbx + disp8], [rbx + rsi * s + disp8] or a 16-bit form; rbx, rsi point into data.
class Generator {
 public:
  Generator(Rng &rng, int bits) : rng_(rng), bits_(bits) {}

  Case make() {
    c_ = {};
    switch (pick(26)) {
      case 0: case 1: case 2: return alu();
      case 3: return immediate_group();
      case 4: case 5: return shifts();
      case 6: return group3();
      case 7: return incdec();
      case 8: case 9: return moves();
      case 10: return extends();
      case 11: return cmov_setcc();
      case 12: return bits();
      case 13: return scans();
      case 14: return doubles();
      case 15: return multiply();
      case 16: return exchanges();
      case 17: return stack();
      case 18: return strings();
      case 19: return lea();
      case 20: return one_byte();
      case 21: return branch();
      case 22: return bswap();
      case 23: return bcd();
      case 24: return immediate_moves();
      default: return enter_leave();
    }
  }

 private:
  u32 pick(u32 n) { return static_cast<u32>(rng_() % n); }
  void put(std::initializer_list<int> b) { for (int x : b) c_.bytes.push_back(static_cast<u8>(x)); }
  void imm(int n) { while (n--) put({static_cast<int>(rng_() & 0xff)}); }
  // Prefixes; sets size_.
  void prefix(bool byte, bool lock_ok = false) {
    (void)lock_ok;
    bool p66 = pick(4) == 0;
    bool rexw = bits_ == 64 && pick(2);
    if (p66) put({0x66});
    if (bits_ == 64 && (rexw || pick(3) == 0)) put({0x40 | (rexw ? 8 : 0) | (rex_r_ = pick(2) ? 4 : 0)});
    size_ = byte ? 1 : rexw ? 8 : (bits_ == 16) != p66 ? 2 : 4;
  }
  int imm_size() const { return size_ == 8 ? 4 : size_; }
  // ModRM with a random reg (or the digit given).
  void modrm(int digit = -1, bool memory_only = false) {
    int reg = digit >= 0 ? digit : static_cast<int>(pick(8));
    if (!memory_only && pick(2)) { put({0xc0 | reg << 3 | static_cast<int>(pick(8))}); return; }
    int disp = static_cast<int>(pick(256));
    if (bits_ == 16) { put({0x40 | reg << 3 | static_cast<int>(pick(2) ? 7 : 0), disp}); return; }
    if (pick(2)) put({0x40 | reg << 3 | 3, disp});
    else put({0x40 | reg << 3 | 4, static_cast<int>(pick(2)) << 6 | 6 << 3 | 3, disp});
  }
  Case alu() {
    int op = static_cast<int>(pick(8)), form = static_cast<int>(pick(6));
    prefix(!(form & 1));
    put({op << 3 | form});
    if (form < 4) modrm(); else imm(size_ == 1 ? 1 : imm_size());
    if (op == 1 || op == 4 || op == 6) c_.undefined = kAF;
    return c_;
  }
  Case immediate_group() {
    int op = static_cast<int>(pick(8)), form = pick(3) == 0 ? 0 : pick(2) ? 1 : 3;
    prefix(form == 0);
    put({0x80 | form});
    modrm(op);
    imm(form == 1 ? imm_size() : 1);
    if (op == 1 || op == 4 || op == 6) c_.undefined = kAF;
    return c_;
  }
  Case shifts() {
    static const int ops[] = {0xc0, 0xc1, 0xd0, 0xd1, 0xd2, 0xd3};
    int op = ops[pick(6)], digit = static_cast<int>(pick(8));
    if (digit == 6) digit = 4;
    prefix(!(op & 1));
    put({op});
    modrm(digit);
    u32 count = 1;
    if (op < 0xd0) { imm(1); count = c_.bytes.back(); } else if (op >= 0xd2) count = 99;
    c_.undefined = digit >= 4 ? kAF : 0;
    if ((count & (size_ == 8 ? 63 : 31)) != 1 || count == 99) c_.undefined |= kOF;
    if (count != 1 && digit >= 4 && size_ < 4) c_.undefined |= kCF;  // counts above the width
    return c_;
  }
  Case group3() {
    // no divisions: Unicorn may die of SIGFPE; they are checked against arithmetic in unit/x86_engine.cpp
    int digit = static_cast<int>(pick(5));
    if (digit) digit++;  // Unicorn does not know F6 /1, an alias of TEST
    bool byte = pick(2);
    prefix(byte);
    put({byte ? 0xf6 : 0xf7});
    modrm(digit);
    if (digit == 0) { imm(size_ == 1 ? 1 : imm_size()); c_.undefined = kAF; }
    if (digit >= 4) c_.undefined = kSF | kZF | kAF | kPF;
    return c_;
  }
  Case incdec() {
    bool byte = pick(2);
    prefix(byte);
    if (bits_ != 64 && !byte && pick(2)) { put({0x40 + static_cast<int>(pick(16))}); return c_; }
    put({byte ? 0xfe : 0xff});
    modrm(static_cast<int>(pick(2)));
    return c_;
  }
  Case moves() {
    int form = static_cast<int>(pick(4));
    prefix(!(form & 1));
    put({0x88 | form});
    modrm();
    return c_;
  }
  Case immediate_moves() {
    bool byte = pick(2);
    prefix(byte);
    if (pick(2)) {
      // Unicorn takes REX.R for a part of the opcode extension here and raises #UD
      if (bits_ == 64 && !c_.bytes.empty() && (c_.bytes.back() & 0xf4) == 0x44) c_.bytes.back() &= static_cast<u8>(~4);
      put({byte ? 0xc6 : 0xc7});
      modrm(0);
      imm(byte ? 1 : imm_size());
    } else {
      put({(byte ? 0xb0 : 0xb8) + static_cast<int>(pick(8))});
      imm(size_);
    }
    return c_;
  }
  Case extends() {
    static const int ops[] = {0xb6, 0xb7, 0xbe, 0xbf};
    prefix(false);
    if (bits_ == 64 && size_ == 8 && pick(4) == 0) put({0x63});
    else put({0x0f, ops[pick(4)]});
    modrm();
    return c_;
  }
  Case cmov_setcc() {
    bool set = pick(2);
    prefix(set);
    put({0x0f, (set ? 0x90 : 0x40) + static_cast<int>(pick(16))});
    modrm();
    return c_;
  }
  Case bits() {
    static const int ops[] = {0xa3, 0xab, 0xb3, 0xbb};
    prefix(false);
    if (pick(2)) {
      put({0x0f, 0xba});
      modrm(4 + static_cast<int>(pick(4)));
      imm(1);
    } else {  // memory with a register offset would leave the data: registers only
      put({0x0f, ops[pick(4)], 0xc0 | static_cast<int>(pick(64))});
    }
    c_.undefined = kOF | kSF | kAF | kPF;
    return c_;
  }
  Case scans() {
    prefix(false);
    put({0x0f, 0xbc + static_cast<int>(pick(2))});
    modrm();
    c_.undefined = kOF | kSF | kAF | kPF | kCF;
    return c_;
  }
  Case doubles() {
    static const int ops[] = {0xa4, 0xa5, 0xac, 0xad};
    prefix(false);
    if (size_ == 2) return make();  // counts above 16 are undefined
    int op = ops[pick(4)];
    put({0x0f, op});
    modrm();
    if (!(op & 1)) imm(1);
    c_.undefined = kAF | kOF;
    return c_;
  }
  Case multiply() {
    prefix(false);
    switch (pick(3)) {
      case 0: put({0x0f, 0xaf}); modrm(); break;
      case 1: put({0x69}); modrm(); imm(imm_size()); break;
      default: put({0x6b}); modrm(); imm(1);
    }
    c_.undefined = kSF | kZF | kAF | kPF;
    return c_;
  }
  Case exchanges() {
    bool byte = pick(2);
    bool lock = pick(3) == 0;
    static const int ops[] = {0x86, 0xb0, 0xc0};
    int op = ops[pick(3)] | (byte ? 0 : 1);
    if (lock) put({0xf0});
    prefix(byte);
    if ((op | 1) == 0x87) put({op}); else put({0x0f, op});
    modrm(-1, lock);
    return c_;
  }
  Case stack() {
    if (pick(3) == 0) put({0x66});
    switch (pick(6)) {
      case 0: put({0x50 + static_cast<int>(pick(8))}); break;
      case 1: put({0x58 + static_cast<int>(pick(8))}); break;
      case 2: put({0x6a}); imm(1); break;
      case 3: put({0x8f}); modrm(0); break;
      case 4: put({0xff}); modrm(6); break;
      default:
        if (bits_ == 64) put({0x9c}); else put({pick(2) ? 0x60 : 0x61});
    }
    return c_;
  }
  Case strings() {
    static const int ops[] = {0xa4, 0xaa, 0xac, 0xa6, 0xae};
    bool byte = pick(2), compare;
    int op = ops[pick(5)];
    c_.string = true;
    compare = op == 0xa6 || op == 0xae;
    if (pick(2)) put({compare && pick(2) ? 0xf2 : 0xf3});
    prefix(byte);
    put({op | (byte ? 0 : 1)});
    return c_;
  }
  Case lea() {
    prefix(false);
    put({0x8d});
    modrm(-1, true);
    return c_;
  }
  Case one_byte() {
    static const int ops[] = {0x98, 0x99, 0x9e, 0x9f, 0xf5, 0xf8, 0xf9, 0xfc, 0xfd, 0x90, 0xd7};
    int op = ops[pick(11)];
    // with REX Unicorn's SAHF and LAHF take SPL for AH
    if ((op | 1) != 0x9f) prefix(false);
    put({op});
    c_.string = op == 0xd7;
    return c_;
  }
  Case branch() {
    switch (pick(5)) {
      case 0: put({0x70 + static_cast<int>(pick(16)), static_cast<int>(pick(100))}); break;
      case 1: put({0xe0 + static_cast<int>(pick(4)), static_cast<int>(pick(100))}); break;
      case 2: put({0xeb, static_cast<int>(pick(100))}); break;
      case 3: put({0xe8, static_cast<int>(pick(100)), 0}); if (bits_ != 16) put({0, 0}); break;
      default: put({0x0f, 0x80 + static_cast<int>(pick(16)), static_cast<int>(pick(100)), 0}); if (bits_ != 16) put({0, 0});
    }
    return c_;
  }
  Case bswap() {
    if (bits_ == 64 && pick(2)) put({0x48});
    else if (bits_ == 16) put({0x66});
    put({0x0f, 0xc8 + static_cast<int>(pick(8))});
    return c_;
  }
  Case bcd() {
    if (bits_ == 64) return make();
    static const int ops[] = {0x27, 0x2f, 0x37, 0x3f, 0xd4, 0xd5, 0xd6};
    int op = ops[pick(7)];
    put({op});
    if (op == 0xd4 || op == 0xd5) { put({10}); c_.undefined = kOF | kAF | kCF; }
    else if (op == 0x37 || op == 0x3f) c_.undefined = kOF | kSF | kZF | kPF;
    else if (op != 0xd6) c_.undefined = kOF;
    return c_;
  }
  Case enter_leave() {
    if (pick(2)) put({0xc8, static_cast<int>(pick(64)), 0, static_cast<int>(pick(3))});
    else put({0xc9});
    return c_;
  }

  Rng &rng_;
  int bits_;
  int size_ = 4;
  int rex_r_ = 0;
  Case c_;
};

}  // namespace x86_test

#endif
