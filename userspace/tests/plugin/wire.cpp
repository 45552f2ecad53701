// SPDX-License-Identifier: MIT
// The wire protocol, byte for byte.  The bytes come from protoc and the protocol's own numbers, not from our encoder.
#include <gtest/gtest.h>

#include <crosvm_check.h>

#include <functional>
#include <random>

#include "plugin.pb.h"
#include "plugin/wire/delimited.h"
#include "tests/plugin/hex.h"

namespace mv::test {
namespace {

using wire::MainRequest;
using wire::MainResponse;
using wire::VcpuRequest;
using wire::VcpuResponse;

template <typename Message>
struct Vector {
  const char* name;
  const char* hex;
  std::function<void(Message&)> fill;
};

// Encodes to the bytes, and the bytes decode to what encodes the same.
template <typename Message>
void check(const Vector<Message>& v) {
  SCOPED_TRACE(v.name);
  Message built, read;
  v.fill(built);
  EXPECT_EQ(to_hex(built.SerializeAsString()), v.hex);
  ASSERT_TRUE(read.ParseFromString(from_hex(v.hex)));
  EXPECT_EQ(read.message_case(), built.message_case());
  EXPECT_EQ(to_hex(read.SerializeAsString()), v.hex);
}

const Vector<MainRequest> kRequests[] = {
    {"get_vcpus", "8a0100", [](auto& m) { m.mutable_get_vcpus(); }},
    {"start", "920100", [](auto& m) { m.mutable_start(); }},
    {"reserve", "520510f8071801",
     [](auto& m) {
       m.mutable_reserve_range()->set_start(0x3f8);
       m.mutable_reserve_range()->set_length(1);
     }},
    {"reserve async", "520710800a18012001",
     [](auto& m) {
       m.mutable_reserve_range()->set_start(0x500);
       m.mutable_reserve_range()->set_length(1);
       m.mutable_reserve_range()->set_async_write(true);
     }},
    {"memory", "0a0b1a09088020108020188020",
     [](auto& m) {
       auto& memory = *m.mutable_create()->mutable_memory();
       memory.set_offset(0x1000);
       memory.set_start(0x1000);
       memory.set_length(0x1000);
     }},
    {"io event", "0a0c0802120810f8071801208801",
     [](auto& m) {
       m.mutable_create()->set_id(2);
       auto& event = *m.mutable_create()->mutable_io_event();
       event.set_address(0x3f8);
       event.set_length(1);
       event.set_datamatch(0x88);
     }},
    {"irq event", "0a06080122021001",
     [](auto& m) {
       m.mutable_create()->set_id(1);
       m.mutable_create()->mutable_irq_event()->set_resample(true);
     }},
    {"destroy", "1200", [](auto& m) { m.mutable_destroy(); }},
    {"pause", "8201020801", [](auto& m) { m.mutable_pause_vcpus()->set_cpu_mask(1); }},
    {"dirty log", "aa0600", [](auto& m) { m.mutable_dirty_log(); }},
};

const Vector<MainResponse> kResponses[] = {
    {"get_vcpus", "920100", [](auto& m) { m.mutable_get_vcpus(); }},
    {"start", "9a0100", [](auto& m) { m.mutable_start(); }},
    {"start refused", "082c9a0100",
     [](auto& m) {
       m.set_error(EINVAL);
       m.mutable_start();
     }},
    {"reserve refused", "08025a00",
     [](auto& m) {
       m.set_error(EPERM);
       m.mutable_reserve_range();
     }},
    {"unknown request", "0832", [](auto& m) { m.set_error(ENOTTY); }},
    {"dirty log", "aa06040a020001", [](auto& m) { m.mutable_dirty_log()->set_bitmap(from_hex("0001")); }},
    {"net", "52120a06de21e8476b6a1564736c051dfffffffc",
     [](auto& m) {
       auto& net = *m.mutable_get_net_config();
       net.set_host_mac_address(from_hex("de21e8476b6a"));
       net.set_host_ipv4_address(0x056c7364);  // 100.115.108.5 as memory holds it
       net.set_netmask(0xfcffffff);
     }},
};

const Vector<VcpuRequest> kVcpuRequests[] = {
    {"wait", "0a00", [](auto& m) { m.mutable_wait(); }},
    {"resume", "1200", [](auto& m) { m.mutable_resume(); }},
    {"resume with data", "12030a0100", [](auto& m) { m.mutable_resume()->set_data(std::string(1, '\0')); }},
    {"get REGS", "1a00", [](auto& m) { m.mutable_get_state(); }},
    {"get SREGS", "1a020801", [](auto& m) { m.mutable_get_state()->set_set(VcpuRequest::SREGS); }},
    {"shutdown", "4200", [](auto& m) { m.mutable_shutdown(); }},
};

struct Framed {
  const char* name;
  const char* hex;
  std::function<void(VcpuResponse&)> fill;
};

const Framed kFramed[] = {
    {"init", "0412020a00", [](auto& m) { m.mutable_wait()->mutable_init(); }},
    {"out 0x3f8", "0c120a120810f80718012a0139",
     [](auto& m) {
       auto& io = *m.mutable_wait()->mutable_io();
       io.set_address(0x3f8);
       io.set_is_write(true);
       io.set_data("9");
     }},
    {"async out 0x500", "0e120c120a10800a180120012a0107",
     [](auto& m) {
       auto& io = *m.mutable_wait()->mutable_io();
       io.set_address(0x500);
       io.set_is_write(true);
       io.set_no_resume(true);
       io.set_data("\x07");
     }},
    {"EPROTO", "03088e01", [](auto& m) { m.set_error(EPROTO); }},
};

TEST(PluginWire, MainRequestsHaveTheseBytes) {
  for (const auto& v : kRequests) check(v);
}

TEST(PluginWire, MainResponsesHaveTheseBytes) {
  for (const auto& v : kResponses) check(v);
}

TEST(PluginWire, VcpuRequestsHaveTheseBytes) {
  for (const auto& v : kVcpuRequests) check(v);
}

TEST(PluginWire, VcpuResponsesHaveTheseBytesBehindTheirLength) {
  for (const Framed& v : kFramed) {
    VcpuResponse m;
    v.fill(m);
    EXPECT_EQ(to_hex(wire::delimit(m)), v.hex) << v.name;
  }
}

TEST(PluginWire, ListsOfNumbersAreReadPackedAndUnpacked) {
  VcpuRequest packed, unpacked;
  ASSERT_TRUE(packed.ParseFromString(from_hex("2a040a021011")));
  ASSERT_TRUE(unpacked.ParseFromString(from_hex("2a0408100811")));
  for (const auto* m : {&packed, &unpacked}) {
    ASSERT_EQ(m->get_msrs().entry_indices_size(), 2);
    EXPECT_EQ(m->get_msrs().entry_indices(1), 0x11u);
  }
}

TEST(PluginWire, RequestAndShutdownReadTogetherAreAShutdown) {
  VcpuRequest m;
  ASSERT_TRUE(m.ParseFromString(from_hex("1a020801 4200")));
  EXPECT_EQ(m.message_case(), VcpuRequest::kShutdown);
}

TEST(PluginWire, MessagesOfAStreamComeOutWhateverItIsCutInto) {
  const char* given = getenv("MV_SEED");
  const unsigned seed = given ? static_cast<unsigned>(std::stoul(given)) : std::random_device{}();
  SCOPED_TRACE("MV_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  std::string stream;
  std::vector<std::string> sent;
  for (int i = 0; i < 200; ++i) {
    VcpuResponse m;
    m.mutable_wait()->mutable_io()->set_data(std::string(random() % 600, static_cast<char>(i)));
    sent.push_back(m.SerializeAsString());
    stream += wire::delimit(m);
  }
  wire::Delimited in;
  size_t at = 0, next = 0;
  while (at < stream.size()) {
    const size_t n = std::min<size_t>(1 + random() % 700, stream.size() - at);
    in.feed(std::string_view(stream).substr(at, n));
    at += n;
    while (const auto message = in.next()) ASSERT_EQ(*message, sent.at(next++));
  }
  EXPECT_EQ(next, sent.size());
  EXPECT_FALSE(in.broken());
}

TEST(PluginWire, ALengthThatIsNoneBreaksTheStream) {
  for (const char* hex : {"ffffffffff01", "ffffff7f"}) {
    wire::Delimited in;
    in.feed(from_hex(hex));
    EXPECT_FALSE(in.next());
    EXPECT_TRUE(in.broken()) << hex;
  }
}

}  // namespace
}  // namespace mv::test
