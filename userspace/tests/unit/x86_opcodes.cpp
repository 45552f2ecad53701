// SPDX-License-Identifier: MIT
// docs/x86-opcodes.md is what the opcode maps say: made from the decoder, compared here.  MV_WRITE_DOCS=1 writes it.
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#define noinline __attribute__((noinline))
extern "C" {
#include "core/cpu/x86/absent.h"
#include "core/cpu/x86/simd/simd.h"
}

namespace {

const char *absent(int map, int opcode, int column) {
#define X(m, o, c, name) if (map == m && opcode == o && (c >> column & 1)) return name;
  X86_ABSENT_LIST(X)
#undef X
  return nullptr;
}

const char *const kSem[] = {
#define X(name) #name,
    X86_SEM_LIST(X)
#undef X
};

// The meanings an opcode has over all ModRM bytes and modes.
std::string meanings(int map, int opcode, int column) {
  static const u8 prefix[] = {0, 0x66, 0xf3, 0xf2};
  static const u32 modes[] = {X86_MODE_64, X86_MODE_32};
  std::string list, last;
  for (u32 mode : modes)
    for (int modrm = 0; modrm < 256; modrm++) {
      u8 b[16] = {};
      int n = 0;
      if (column) b[n++] = prefix[column];
      if (map > 1) b[n++] = 0x0f;
      if (map > 2) b[n++] = map == 3 ? 0x38 : 0x3a;
      b[n++] = static_cast<u8>(opcode);
      b[n] = static_cast<u8>(modrm);
      x86_insn i;
      x86_decode(b, 16, 0, mode, &i);
      std::string name = i.sem >= X86_SEM_VECTOR ? x86_vec_rows[i.sem - X86_SEM_VECTOR].name : i.sem < X86_SEMS ? kSem[i.sem] : "UD";
      if (name == "UD" || name == "TOO_LONG" || name == last) continue;
      last = name;
      if ((" " + list + " ").find(" " + name + " ") == std::string::npos) list += (list.empty() ? "" : " ") + name;
    }
  return list;
}

bool is_prefix(int map, int opcode) {
  return (map == 1 && ((opcode & 0xe7) == 0x26 || (opcode >= 0x64 && opcode <= 0x67) || opcode == 0xf0 || opcode == 0xf2 || opcode == 0xf3 || opcode == 0x0f)) ||
         (map == 2 && (opcode == 0x38 || opcode == 0x3a));
}

std::string document() {
  static const char *const title[] = {"", "One byte", "0F", "0F 38", "0F 3A"};
  static const char *const columns[] = {"", "66", "F3", "F2"};
  std::ostringstream o;
  o << "<!-- SPDX-License-Identifier: MIT -->\n# x86 opcodes\n\nMade from the decoder's tables (`MV_WRITE_DOCS=1 mv_unit_tests --gtest_filter=X86Opcodes.*`), and compared by that test.\n"
       "An opcode is implemented (its meanings are listed, as the sources name them), intentionally absent, or reserved (not\nlisted). The latter two raise #UD. F3 and F2 are listed where they "
       "change the meaning.\n";
  for (int map = 1; map <= 4; map++) {
    o << "\n## " << title[map] << "\n\n| opcode | prefix | meaning |\n| --- | --- | --- |\n";
    for (int opcode = 0; opcode < 256; opcode++) {
      if (is_prefix(map, opcode)) continue;
      std::string plain;
      for (int column = 0; column < 4; column++) {
        std::string m = meanings(map, opcode, column);
        if (!column) plain = m;
        const char *no = absent(map, opcode, column);
        if (column && (m == plain || m.empty()) && (!no || !m.empty() || absent(map, opcode, 0))) continue;
        if (m.empty() && !no) continue;
        char head[32];
        snprintf(head, sizeof(head), "| %02X | %s | ", opcode, columns[column]);
        o << head << m << (no ? std::string(m.empty() ? "absent: " : "; absent: ") + no : "") << " |\n";
      }
    }
  }
  return o.str();
}

TEST(X86Opcodes, TheDocumentIsWhatTheMapsSay) {
  std::string path = std::string(__FILE__).substr(0, std::string(__FILE__).find("userspace/tests")) + "docs/x86-opcodes.md", want = document();
  if (getenv("MV_WRITE_DOCS")) std::ofstream(path) << want;
  std::ifstream f(path);
  if (!f) GTEST_SKIP() << "the source tree is not here";
  std::stringstream have;
  have << f.rdbuf();
  EXPECT_EQ(have.str() == want, true) << "run with MV_WRITE_DOCS=1";
}

TEST(X86Opcodes, VectorRowsAreSortedAndDisjoint) {
  for (u32 n = 2; n < X86_VECS; n++) {
    const auto &a = x86_vec_rows[n - 1], &b = x86_vec_rows[n];
    int ka = a.map << 8 | a.opcode, kb = b.map << 8 | b.opcode;
    EXPECT_LE(ka, kb) << b.name;
    EXPECT_TRUE(ka != kb || !(a.prefixes & b.prefixes)) << b.name;
  }
}

// Any bytes: a length of 1 to 15 or "need more", and nothing else happens.
TEST(X86Opcodes, DecoderTakesAnything) {
  u64 x = 20261121;
  for (int n = 0; n < 400000; n++) {
    u8 b[16];
    for (u8 &v : b) x = x * 6364136223846793005ull + 1442695040888963407ull, v = static_cast<u8>(x >> 56);
    if (n & 1) b[0] = 0x0f;
    if (n & 2) b[1] = 0x38 | (b[1] & 2);
    x86_insn i;
    u32 avail = n % 16, len = x86_decode(b, avail, 0x1000, n % 3, &i);
    ASSERT_LE(len, 15u);
    ASSERT_TRUE(i.sem < X86_SEM_VECTOR || i.sem - X86_SEM_VECTOR < X86_VECS);
  }
}

}  // namespace
