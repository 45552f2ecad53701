// SPDX-License-Identifier: MIT
// libseccomp cannot say what happens to a call none of whose conditions is met, nor compare an argument twice.
#include "plugin/host/loop/argument_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <stdexcept>

#include "vmm/text_lines.h"

namespace mv::plugin {

namespace {

using Program = std::vector<sock_filter>;

constexpr const char* kForm = ": valid is a condition such as arg1 == 0x5401 || arg0 in 3 && arg2 != 0, with numbers and 6 arguments";
constexpr size_t kLongestJump = 255;

std::vector<std::string> split(const std::string& text, const std::string& mark) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end; (end = text.find(mark, begin)) != std::string::npos; begin = end + mark.size()) parts.push_back(trimmed(text.substr(begin, end - begin)));
  parts.push_back(trimmed(text.substr(begin)));
  return parts;
}

std::optional<uint64_t> number_of(std::string text) {
  const bool hex = text.rfind("0x", 0) == 0, octal = !hex && text.size() > 1 && text[0] == '0';
  if (hex) text.erase(0, 2);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : octal ? 8 : 10);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<uint64_t> value_of(const std::string& text) {
  uint64_t value = 0;
  for (const std::string& part : split(text, "|")) {
    const auto number = number_of(part);
    if (!number) return std::nullopt;
    value |= *number;
  }
  return value;
}

struct Operator {
  const char* name;
  Comparison::Kind kind;
  bool negated;
};
// A name stands before those that it begins with.
constexpr Operator kOperators[] = {{"==", Comparison::equal, false},   {"!=", Comparison::equal, true},  {"<=", Comparison::above, true},
                                   {">=", Comparison::at_least, false}, {"<", Comparison::at_least, true}, {">", Comparison::above, false},
                                   {"&", Comparison::any_of, false},   {"in ", Comparison::any_of, true}};

std::optional<Comparison> comparison_of(const std::string& text) {
  if (text.size() < 5 || text.compare(0, 3, "arg") != 0 || text[3] < '0' || text[3] > '5') return std::nullopt;
  const std::string rest = trimmed(text.substr(4));
  for (const Operator& o : kOperators) {
    if (rest.rfind(o.name, 0) != 0) continue;
    const auto value = value_of(rest.substr(std::string(o.name).size()));
    if (!value) return std::nullopt;
    const bool inside = o.kind == Comparison::any_of && o.negated;
    return Comparison{o.kind, o.negated, static_cast<unsigned>(text[3] - '0'), inside ? ~*value : *value};
  }
  return std::nullopt;
}

sock_filter load(size_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)); }
sock_filter give(uint32_t result) { return BPF_STMT(BPF_RET | BPF_K, result); }

// Where a comparison's jumps lead, until it is known how far that is.
enum Target : uint8_t { kNext, kMet, kUnmet };

sock_filter jump(uint16_t kind, uint32_t value, Target yes, Target no) { return {static_cast<uint16_t>(BPF_JMP | kind | BPF_K), yes, no, value}; }

// The halves of an argument: what the higher one decides, the lower one does not see.
Program halves(const Comparison& c) {
  const size_t low = offsetof(seccomp_data, args) + 8 * c.argument;
  const auto high_value = static_cast<uint32_t>(c.value >> 32), low_value = static_cast<uint32_t>(c.value);
  switch (c.kind) {
    case Comparison::equal:
      return {load(low + 4), jump(BPF_JEQ, high_value, kNext, kUnmet), load(low), jump(BPF_JEQ, low_value, kMet, kUnmet)};
    case Comparison::any_of:
      return {load(low + 4), jump(BPF_JSET, high_value, kMet, kNext), load(low), jump(BPF_JSET, low_value, kMet, kUnmet)};
    default:
      return {load(low + 4), jump(BPF_JGT, high_value, kMet, kNext), jump(BPF_JEQ, high_value, kNext, kUnmet), load(low),
              jump(c.kind == Comparison::above ? BPF_JGT : BPF_JGE, low_value, kMet, kUnmet)};
  }
}

// `skip`: how many instructions there are behind this comparison, up to where the next alternative is tried.
Program code_of(const Comparison& c, size_t skip, const std::string& where) {
  Program code = halves(c);
  for (size_t i = 0; i < code.size(); ++i) {
    if (BPF_CLASS(code[i].code) != BPF_JMP) continue;
    const size_t met = code.size() - i - 1;
    const size_t far[] = {0, c.negated ? met + skip : met, c.negated ? met : met + skip};
    if (met + skip > kLongestJump) throw std::invalid_argument(where + ": too many comparisons joined by &&");
    code[i].jt = static_cast<uint8_t>(far[code[i].jt]);
    code[i].jf = static_cast<uint8_t>(far[code[i].jf]);
  }
  return code;
}

Program code_of(const std::vector<Comparison>& all, uint32_t met, const std::string& where) {
  Program code = {give(met)};
  for (auto c = all.rbegin(); c != all.rend(); ++c) {
    const Program one = code_of(*c, code.size(), where);
    code.insert(code.begin(), one.begin(), one.end());
  }
  return code;
}

}  // namespace

Condition parse_condition(const std::string& text, const std::string& where) {
  Condition condition;
  for (const std::string& alternative : split(text, "||")) {
    auto& all = condition.emplace_back();
    for (const std::string& part : split(alternative, "&&")) {
      const auto comparison = comparison_of(part);
      if (!comparison) throw std::invalid_argument(where + kForm);
      all.push_back(*comparison);
    }
  }
  return condition;
}

void add_conditional_call(Program& program, uint32_t number, const Condition& condition, uint32_t met, uint32_t otherwise, const std::string& where) {
  Program body;
  for (const auto& all : condition) {
    const Program code = code_of(all, met, where);
    body.insert(body.end(), code.begin(), code.end());
  }
  body.push_back(give(otherwise));
  // numbers mean something else to other architectures, and jumps over `body` may be long
  const auto beyond = static_cast<uint32_t>(body.size());
  const Program head = {load(offsetof(seccomp_data, arch)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 2),
                        load(offsetof(seccomp_data, nr)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 1, 0),
                        BPF_STMT(BPF_JMP | BPF_JA, beyond)};
  program.insert(program.end(), head.begin(), head.end());
  program.insert(program.end(), body.begin(), body.end());
  if (program.size() > BPF_MAXINSNS / 2) throw std::invalid_argument(where + ": too many conditions");
}

}  // namespace mv::plugin
