// SPDX-License-Identifier: MIT
#include "plugin/wire/wire2018.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <span>

namespace mv::wire {

namespace {

using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

// A field's number today and in 2018.  `inner`: what it consists of, if not everything is the same; `negated`: a sint32.
struct Field {
  uint32_t today, then;
  std::span<const Field> inner = {};
  bool negated = false;
};

constexpr Field kReserveRange[] = {{1, 1}, {2, 2}, {3, 3}};  // no async_write
constexpr Field kMainRequest[] = {{1, 1},   {2, 2},   {3, 3},   {4, 4},   {5, 5},   {10, 6, kReserveRange}, {11, 7},
                                  {12, 8},  {15, 9},  {16, 10}, {17, 11}, {18, 12}, {101, 101}};
constexpr Field kMainResponse[] = {{1, 1, {}, true}, {2, 2},   {3, 3},   {4, 4},   {5, 5},   {6, 6},    {11, 7},
                                   {12, 8},          {13, 9},  {16, 10}, {17, 11}, {18, 12}, {19, 13}, {101, 101}};

constexpr Field kResume[] = {{1, 1}};  // no registers
constexpr Field kVcpuRequest[] = {{1, 1}, {2, 2, kResume}, {3, 3}, {4, 4}, {5, 5}, {6, 6}, {7, 7}};
constexpr Field kIo[] = {{1, 1}, {2, 2}, {3, 3}, {5, 4}};  // neither no_resume nor registers
constexpr Field kWait[] = {{1, 1}, {2, 2, kIo}, {3, 3}};
constexpr Field kVcpuResponse[] = {{1, 1, {}, true}, {2, 2, kWait}, {3, 3}, {4, 4}, {5, 5}, {6, 6}, {7, 7}, {8, 8}};

enum class To { today, then };
enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// Not a field's tag, and read as such by nobody.
constexpr std::string_view kUnreadable("\xff\xff\xff\xff\xff", 5);
// A field that nobody knows: number 127, empty.
constexpr std::string_view kUnknown("\xfa\x07\x00", 3);

const Field* find(std::span<const Field> table, uint32_t number, To to) {
  for (const Field& f : table) {
    if ((to == To::today ? f.then : f.today) == number) return &f;
  }
  return nullptr;
}

// Zigzag: n and -n are neighbours, with zero on its own.
uint64_t negate(uint64_t zigzag) { return zigzag ? ((zigzag - 1) ^ 1) + 1 : 0; }

bool rewrite(std::string_view bytes, std::span<const Field> table, To to, std::string& out);

// The field's value from `in`, under its other number; without a field it is skipped.
bool copy_field(CodedInputStream& in, uint32_t tag, const Field* field, To to, CodedOutputStream& out) {
  const uint32_t type = tag & 7;
  if (field) out.WriteTag((to == To::today ? field->today : field->then) << 3 | type);
  uint64_t number;
  uint32_t number32;
  std::string value, inner;
  switch (type) {
    case kVarint:
      if (!in.ReadVarint64(&number)) return false;
      if (field) out.WriteVarint64(field->negated ? negate(number) : number);
      return true;
    case kFixed64:
      if (!in.ReadLittleEndian64(&number)) return false;
      if (field) out.WriteLittleEndian64(number);
      return true;
    case kFixed32:
      if (!in.ReadLittleEndian32(&number32)) return false;
      if (field) out.WriteLittleEndian32(number32);
      return true;
    case kBytes:
      if (!in.ReadVarint32(&number32) || number32 > INT32_MAX || !in.ReadString(&value, static_cast<int>(number32))) return false;
      if (!field) return true;
      if (!field->inner.empty()) {
        if (!rewrite(value, field->inner, to, inner)) return false;
        value = std::move(inner);
      }
      out.WriteVarint32(static_cast<uint32_t>(value.size()));
      out.WriteString(value);
      return true;
    default:
      return false;
  }
}

bool rewrite(std::string_view bytes, std::span<const Field> table, To to, std::string& out) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  StringOutputStream stream(&out);
  CodedOutputStream coded(&stream);
  while (const uint32_t tag = in.ReadTag()) {
    if (!copy_field(in, tag, find(table, tag >> 3, to), to, coded)) return false;
  }
  return in.ConsumedEntireMessage();
}

std::string message(std::string_view bytes, std::span<const Field> table, To to) {
  std::string out;
  if (!rewrite(bytes, table, to, out)) return std::string(kUnreadable);
  return out.empty() && !bytes.empty() ? std::string(kUnknown) : out;
}

}  // namespace

std::string main_request_of_2018(std::string_view bytes) { return message(bytes, kMainRequest, To::today); }
std::string main_request_for_2018(std::string_view bytes) { return message(bytes, kMainRequest, To::then); }
std::string main_response_of_2018(std::string_view bytes) { return message(bytes, kMainResponse, To::today); }
std::string main_response_for_2018(std::string_view bytes) { return message(bytes, kMainResponse, To::then); }
std::string vcpu_request_of_2018(std::string_view bytes) { return message(bytes, kVcpuRequest, To::today); }
std::string vcpu_request_for_2018(std::string_view bytes) { return message(bytes, kVcpuRequest, To::then); }
std::string vcpu_response_of_2018(std::string_view bytes) { return message(bytes, kVcpuResponse, To::today); }
std::string vcpu_response_for_2018(std::string_view bytes) { return message(bytes, kVcpuResponse, To::then); }

}  // namespace mv::wire
