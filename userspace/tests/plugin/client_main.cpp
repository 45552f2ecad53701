// SPDX-License-Identifier: MIT
// libcrosvm_plugin's main connection against a scripted host.
#include <crosvm.h>
#include <gmock/gmock.h>
#include <sys/eventfd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "tests/plugin/fake_host.h"

namespace mv::test {
namespace {

// Connected; the host's next words are the test's.
struct PluginClient : testing::Test {
  explicit PluginClient(unsigned vcpus = 1) : host(vcpus) {
    host.run([](FakeHost& h) { h.answer_get_vcpus(); });
    EXPECT_EQ(crosvm_connect(&self), 0);
    host.join();
  }
  ~PluginClient() override { crosvm_destroy_connection(&self); }
  void expect(std::string request, std::string response, std::vector<int> fds = {}) {
    host.run([=](FakeHost& h) { h.answer(request, response, fds); });
  }
  FakeHost host;
  crosvm* self = nullptr;
};

TEST(PluginClientConnect, SaysWhyItCannot) {
  crosvm* self = nullptr;
  unsetenv("CROSVM_SOCKET");
  EXPECT_EQ(crosvm_connect(&self), -ENOTCONN);
  for (const char* bad : {"", "x", "3x", "-1", "99999999999"}) {
    setenv("CROSVM_SOCKET", bad, 1);
    EXPECT_EQ(crosvm_connect(&self), -EINVAL) << bad;
  }
  unsetenv("CROSVM_SOCKET");
  EXPECT_EQ(self, nullptr);
}

TEST(PluginClientConnect, AnOddOrEmptyListOfPipesIsNone) {
  for (const unsigned n : {0u, 1u, 3u}) {
    FakeHost host(2);
    host.run([n](FakeHost& h) {
      const std::vector<int> all = {h.vcpu(0).to_host[1], h.vcpu(0).to_plugin[0], h.vcpu(1).to_host[1]};
      h.answer("8a0100", "920100", {all.begin(), all.begin() + n});
    });
    crosvm* self = nullptr;
    EXPECT_EQ(crosvm_connect(&self), -EPROTO);
  }
}

TEST(PluginClientConnect, ThirtyTwoVcpus) {
  FakeHost host(32);
  host.run([](FakeHost& h) { h.answer_get_vcpus(); });
  crosvm* self = nullptr;
  ASSERT_EQ(crosvm_connect(&self), 0);
  crosvm_vcpu* v = nullptr;
  EXPECT_EQ(crosvm_get_vcpu(self, 31, &v), 0);
  crosvm_destroy_connection(&self);
}

TEST_F(PluginClient, Statement4_ErrorsArePositiveOnTheWireAndNegativeInTheInterface) {
  for (const char* reply : {"082c9a0100", "082b9a0100"}) {  // +22, and -22 of the oldest hosts
    expect("920100", reply);
    EXPECT_EQ(crosvm_start(self), -EINVAL) << reply;
  }
}

TEST_F(PluginClient, RequestsHaveTheBytesOfTheProtocol) {
  expect("520510f8071801", "5a00");
  EXPECT_EQ(crosvm_reserve_range(self, CROSVM_ADDRESS_SPACE_IOPORT, 0x3f8, 1), 0);
  expect("520710800a18012001", "5a00");
  EXPECT_EQ(crosvm_reserve_async_write_range(self, CROSVM_ADDRESS_SPACE_IOPORT, 0x500, 1), 0);
  expect("8201020801", "8a0100");
  EXPECT_EQ(crosvm_pause_vcpus(self, 1, nullptr), 0);
  expect("6200", "6a00");
  EXPECT_EQ(crosvm_set_irq_routing(self, 0, nullptr), 0);
  expect("5a0408051001", "6200");
  EXPECT_EQ(crosvm_set_irq(self, 5, true), 0);
}

TEST_F(PluginClient, BadArgumentsNeverReachTheHost) {
  crosvm_irq_route route = {};
  route.kind = 2;
  EXPECT_EQ(crosvm_set_irq_routing(self, 1, &route), -EINVAL);
  EXPECT_EQ(crosvm_reserve_range(self, 2, 0, 1), -EINVAL);
  crosvm_memory* memory = nullptr;
  EXPECT_EQ(crosvm_create_memory(self, 0, 0x800, 0x1000, 0, false, false, &memory), -EINVAL);
  EXPECT_EQ(crosvm_create_memory(self, 0, 0, 0x1001, 0, false, false, &memory), -EINVAL);
  crosvm_io* io = nullptr;
  EXPECT_EQ(crosvm_create_io_event(self, 0, 0, 3, nullptr, &io), -EINVAL);
  EXPECT_EQ(crosvm_create_io_event(self, 2, 0, 1, nullptr, &io), -EINVAL);
  uint64_t args[4] = {};
  EXPECT_EQ(crosvm_enable_capability(self, 1, 0, args), -EINVAL);
  crosvm_hint good = {.hint_version = 0, ._reserved = 0, .address_space = 0, .address_flags = 0, .details_count = 0, .address = 4, .details = nullptr};
  for (const auto& spoil : std::vector<std::function<void(crosvm_hint&)>>{
           [](auto& h) { h.hint_version = 1; }, [](auto& h) { h._reserved = 1; }, [](auto& h) { h.address_space = 2; },
           [](auto& h) { h.address_flags = 2; }, [](auto& h) { h.details_count = 33; }, [](auto& h) { h.address = 0; }}) {
    crosvm_hint bad = good;
    spoil(bad);
    EXPECT_EQ(crosvm_set_hypercall_hint(self, 1, &bad), -EINVAL);
  }
  EXPECT_EQ(crosvm_set_hypercall_hint(self, 2, &good), -EINVAL);
  // the host's next request is this one: nothing came before it
  expect("9a01021004", "a20100");
  EXPECT_EQ(crosvm_set_hypercall_hint(self, 1, &good), 0);
}

TEST_F(PluginClient, Statement24_AnIoEventWithoutDatamatchAsksForWritesOfAnyLength) {
  const int event = eventfd(0, EFD_CLOEXEC);
  crosvm_io* io = nullptr;
  expect("0a05120310f807", "1200", {event});
  ASSERT_EQ(crosvm_create_io_event(self, CROSVM_ADDRESS_SPACE_IOPORT, 0x3f8, 4, nullptr, &io), 0);
  expect("1200", "1a00");
  EXPECT_EQ(crosvm_destroy_io_event(self, &io), 0);
  close(event);
}

TEST_F(PluginClient, Statement9_AFailedDestroyLeavesTheHandle) {
  const int event = eventfd(0, EFD_CLOEXEC);
  const uint8_t match = 0x88;
  crosvm_io* io = nullptr;
  expect("0a0a120810f8071801208801", "1200", {event});
  ASSERT_EQ(crosvm_create_io_event(self, CROSVM_ADDRESS_SPACE_IOPORT, 0x3f8, 1, &match, &io), 0);
  EXPECT_GE(crosvm_io_event_fd(io), 0);
  expect("1200", "08041a00");
  EXPECT_EQ(crosvm_destroy_io_event(self, &io), -ENOENT);
  EXPECT_NE(io, nullptr);
  expect("1200", "1a00");
  EXPECT_EQ(crosvm_destroy_io_event(self, &io), 0);
  EXPECT_EQ(io, nullptr);
  close(event);
}

TEST_F(PluginClient, AnIdentifierOfAFailedCreateIsUsedAgain) {
  crosvm_irq* irq = nullptr;
  expect("0a06220408051001", "080c1200");
  EXPECT_EQ(crosvm_create_irq_event(self, 5, &irq), -6);
  const int a = eventfd(0, EFD_CLOEXEC), b = eventfd(0, EFD_CLOEXEC);
  expect("0a06220408051001", "1200", {a, b});
  EXPECT_EQ(crosvm_create_irq_event(self, 5, &irq), 0);
  EXPECT_NE(crosvm_irq_event_get_fd(irq), crosvm_irq_event_get_resample_fd(irq));
  expect("1200", "1a00");
  EXPECT_EQ(crosvm_destroy_irq_event(self, &irq), 0);
  close(a);
  close(b);
}

TEST_F(PluginClient, MemoryGoesWithItsDescriptor) {
  crosvm_memory* memory = nullptr;
  expect("0a0b1a09088020108020188020", "1200");
  ASSERT_EQ(crosvm_create_memory(self, 0, 0x1000, 0x1000, 0x1000, false, false, &memory), 0);
  host.join();
  EXPECT_EQ(host.fds_received(), 1u);
  uint8_t log[3] = {0xaa, 0xaa, 0xaa};
  expect("aa0600", "aa06040a020001");
  EXPECT_EQ(crosvm_memory_get_dirty_log(self, memory, log), -EPROTO) << "one page is one byte of log";
  expect("aa0600", "aa06030a0101");
  EXPECT_EQ(crosvm_memory_get_dirty_log(self, memory, log), 0);
  EXPECT_THAT(log, testing::ElementsAre(1, 0xaa, 0xaa));
  expect("1200", "1a00");
  EXPECT_EQ(crosvm_destroy_memory(self, &memory), 0);
}

TEST_F(PluginClient, Statement30_AListThatDoesNotFitSaysHowLongItIs) {
  uint32_t indices[2] = {}, count = 9;
  expect("4200", "4a050a03101112");
  EXPECT_EQ(crosvm_get_msr_index_list(self, 2, indices, &count), -E2BIG);
  EXPECT_EQ(count, 3u);
  kvm_cpuid_entry2 leaf = {};
  expect("3200", "3a080a06080118012002");
  EXPECT_EQ(crosvm_get_supported_cpuid(self, 1, &leaf, &count), 0);
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(leaf.function, 1u);
  EXPECT_EQ(leaf.flags, static_cast<uint32_t>(KVM_CPUID_FLAG_SIGNIFCANT_INDEX));
  EXPECT_EQ(leaf.index, 2u);
  expect("3200", "08163a00");
  EXPECT_EQ(crosvm_get_supported_cpuid(self, 1, &leaf, &count), -11);
  EXPECT_EQ(count, 0u);
}

TEST_F(PluginClient, NetConfigIsInNetworkByteOrder) {
  const int tap = eventfd(0, EFD_CLOEXEC);
  crosvm_net_config net;
  expect("4a00", "52120a06de21e8476b6a1564736c051dfffffffc", {tap});
  ASSERT_EQ(crosvm_net_get_config(self, &net), 0);
  EXPECT_EQ(std::memcmp(&net.host_ip, "\x64\x73\x6c\x05", 4), 0);
  EXPECT_EQ(std::memcmp(&net.netmask, "\xff\xff\xff\xfc", 4), 0);
  EXPECT_EQ(net.host_mac_address[5], 0x6a);
  EXPECT_EQ(fcntl(net.tap_fd, F_GETFD), 0) << "the plugin's own: survives exec";
  close(net.tap_fd);
  close(tap);
}

TEST_F(PluginClient, Statement28_AVcpuIsTheSameFromEveryConnection) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
  crosvm* second = nullptr;
  expect("1a00", "2200", {pair[1]});
  ASSERT_EQ(crosvm_new_connection(self, &second), 0);
  crosvm_vcpu *a = nullptr, *b = nullptr, *none = nullptr;
  EXPECT_EQ(crosvm_get_vcpu(self, 0, &a), 0);
  EXPECT_EQ(crosvm_get_vcpu(second, 0, &b), 0);
  EXPECT_EQ(a, b);
  EXPECT_EQ(crosvm_get_vcpu(second, 1, &none), -ENOENT);
  EXPECT_EQ(none, nullptr);
  EXPECT_EQ(crosvm_destroy_connection(&second), 0);
  EXPECT_EQ(second, nullptr);
  close(pair[0]);
  close(pair[1]);
}

TEST_F(PluginClient, WrongAnswersAreErrors) {
  for (const char* reply : {"5a00", "ffff", "1200"}) {
    expect("920100", reply);
    EXPECT_EQ(crosvm_start(self), -EPROTO) << reply;
  }
  kvm_pic_state pic;
  expect("6a00", "72050a03000000");
  EXPECT_EQ(crosvm_get_pic_state(self, true, &pic), -EPROTO) << "not the size of the structure";
}

TEST_F(PluginClient, Statement34_AHostThatIsGoneIsAnErrorAndNoSignal) {
  std::signal(SIGPIPE, SIG_DFL);
  host.run([](FakeHost& h) {
    h.request();
    h.hang_up();
  });
  EXPECT_EQ(crosvm_start(self), -EPIPE);
  EXPECT_EQ(crosvm_start(self), -EPIPE);
  EXPECT_EQ(crosvm_set_irq(self, 1, true), -EPIPE);
  host.join();
  host.run([](FakeHost&) {});
}

std::string slurp(const char* path) {
  std::ifstream file(path);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

TEST(PluginClientLibrary, ExportsTheFunctionsOfTheHeaderAndNothingElse) {
  std::set<std::string> declared, exported;
  const std::string header = slurp(MV_CROSVM_HEADER);
  const std::regex function(R"(\n(?:int) (crosvm_\w+)\()");
  for (std::sregex_iterator i(header.begin(), header.end(), function), end; i != end; ++i) declared.insert((*i)[1]);
  FILE* nm = popen("nm -D --defined-only " MV_CLIENT_LIBRARY, "r");
  ASSERT_NE(nm, nullptr);
  char line[512], name[256], kind;
  while (std::fgets(line, sizeof(line), nm)) {
    if (std::sscanf(line, "%*x %c %255[^@\n]", &kind, name) == 2 && kind != 'A') exported.insert(name);
  }
  EXPECT_EQ(pclose(nm), 0);
  EXPECT_GT(declared.size(), 50u);
  EXPECT_EQ(exported, declared);
}

}  // namespace
}  // namespace mv::test
