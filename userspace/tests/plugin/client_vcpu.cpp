// SPDX-License-Identifier: MIT
// libcrosvm_plugin's vCPU functions against a scripted host.
#include <crosvm.h>
#include <gmock/gmock.h>

#include <csignal>

#include "plugin/client/pipe.h"
#include "tests/plugin/fake_host.h"

namespace mv::test {
namespace {

constexpr const char* kInit = "0412020a00";
constexpr const char* kOut = "0c120a120810f80718012a0139";  // '9' to port 0x3f8

// A vCPU that was not waited for yet.
struct PluginVcpu : testing::Test {
  PluginVcpu() : v(host.vcpu(0)) {
    host.run([](FakeHost& h) { h.answer_get_vcpus(); });
    EXPECT_EQ(crosvm_connect(&self), 0);
    host.join();
    host.run([](FakeHost&) {});
    EXPECT_EQ(crosvm_get_vcpu(self, 0, &vcpu), 0);
  }
  ~PluginVcpu() override { crosvm_destroy_connection(&self); }
  // Brings it to the event whose bytes are given.
  void stop_at(const char* hex) {
    v.say(hex);
    ASSERT_EQ(crosvm_vcpu_wait(vcpu, &event), 0);
    ASSERT_EQ(v.read_request(), "0a00");
  }
  FakeHost host;
  FakeVcpu& v;
  crosvm* self = nullptr;
  crosvm_vcpu* vcpu = nullptr;
  crosvm_vcpu_event event = {};
};

std::string framed_state(size_t size, uint8_t fill) {
  // VcpuResponse.get_state{state: size bytes}, each length two bytes long as these structures want it
  const auto varint = [](size_t n) { return to_hex({std::string{static_cast<char>(n | 0x80), static_cast<char>(n >> 7)}}); };
  return varint(size + 6) + "22" + varint(size + 3) + "0a" + varint(size) + to_hex(std::string(size, static_cast<char>(fill)));
}

TEST_F(PluginVcpu, WaitIsAskedForOnce) {
  stop_at(kInit);
  EXPECT_EQ(event.kind, CROSVM_VCPU_EVENT_KIND_INIT);
  EXPECT_EQ(crosvm_vcpu_resume(vcpu), 0);
  EXPECT_EQ(v.read_request(), "1200");
  v.say(kOut);
  ASSERT_EQ(crosvm_vcpu_wait(vcpu, &event), 0);
  EXPECT_EQ(event.kind, CROSVM_VCPU_EVENT_KIND_IO_ACCESS);
  EXPECT_EQ(event.io_access.address_space, CROSVM_ADDRESS_SPACE_IOPORT);
  EXPECT_EQ(event.io_access.address, 0x3f8u);
  EXPECT_EQ(event.io_access.length, 1u);
  EXPECT_EQ(event.io_access.is_write, 1);
  EXPECT_EQ(event.io_access.no_resume, 0);
  EXPECT_EQ(event.io_access.data[0], '9');
  EXPECT_EQ(crosvm_vcpu_resume(vcpu), 0);
  EXPECT_EQ(v.read_request(), "12030a0139") << "no second wait before the resume";
}

TEST_F(PluginVcpu, Statement19_AReadsBufferIsZeroedAndGoesBackFilled) {
  // the host's two bytes are not shown to the plugin
  stop_at("0b1209120710f8072a02ffff");
  EXPECT_EQ(event.io_access.is_write, 0);
  ASSERT_EQ(event.io_access.length, 2u);
  EXPECT_EQ(event.io_access.data[0] | event.io_access.data[1], 0);
  event.io_access.data[1] = 0x5a;
  EXPECT_EQ(crosvm_vcpu_resume(vcpu), 0);
  EXPECT_EQ(v.read_request(), "12040a02005a");
}

TEST_F(PluginVcpu, Statement13_SeveralEventsThatArriveTogetherComeOneByOne) {
  const std::string async = "0e120c120a10800a180120012a01";
  v.say(async + "07" + async + "08" + async + "09" + kOut);
  for (const int value : {7, 8, 9}) {
    ASSERT_EQ(crosvm_vcpu_wait(vcpu, &event), 0);
    EXPECT_EQ(event.io_access.no_resume, 1);
    EXPECT_EQ(event.io_access.data[0], value);
    kvm_fpu fpu;
    EXPECT_EQ(crosvm_vcpu_get_fpu(vcpu, &fpu), -EPROTO) << "the vCPU runs";
    EXPECT_EQ(crosvm_vcpu_resume(vcpu), -EPROTO);
  }
  ASSERT_EQ(crosvm_vcpu_wait(vcpu, &event), 0);
  EXPECT_EQ(event.io_access.no_resume, 0);
  EXPECT_EQ(crosvm_vcpu_wait(vcpu, &event), -EPROTO) << "stopped: resume first";
}

TEST_F(PluginVcpu, Statement14_AMessageMayComeByteByByte) {
  host.run([](FakeHost& h) {
    const std::string all = kOut;
    for (size_t i = 0; i < all.size(); i += 2) {
      h.vcpu(0).say(all.substr(i, 2));
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  ASSERT_EQ(crosvm_vcpu_wait(vcpu, &event), 0);
  EXPECT_EQ(event.io_access.data[0], '9');
}

TEST_F(PluginVcpu, Statement14_ALongBacklogKeepsItsFraming) {
  ASSERT_GE(fcntl(v.to_plugin[1], F_SETPIPE_SZ, 0x40000), 0x40000);
  std::string all;
  for (int i = 0; i < 7000; ++i) all += "0e120c120a10800a180120012a01" + to_hex(std::string(1, static_cast<char>(i)));
  ASSERT_GT(all.size() / 2, 64u << 10);
  v.say(all);
  for (int i = 0; i < 7000; ++i) {
    ASSERT_EQ(crosvm_vcpu_wait(vcpu, &event), 0);
    ASSERT_EQ(event.io_access.data[0], static_cast<uint8_t>(i));
  }
}

TEST_F(PluginVcpu, Statement17_SettingRegistersNeedsNoHostAndTheLastSetWins) {
  stop_at(kInit);
  kvm_regs regs;
  std::memset(&regs, 1, sizeof(regs));
  EXPECT_EQ(crosvm_vcpu_set_regs(vcpu, &regs), 0);
  std::memset(&regs, 2, sizeof(regs));
  EXPECT_EQ(crosvm_vcpu_set_regs(vcpu, &regs), 0);
  EXPECT_EQ(crosvm_vcpu_resume(vcpu), 0);
  EXPECT_EQ(v.read_request(), "129301" "129001" + to_hex(std::string(144, 2)));
}

TEST_F(PluginVcpu, Statement17_GetAfterSetGoesThroughTheHost) {
  stop_at(kInit);
  kvm_debugregs regs;
  std::memset(&regs, 1, sizeof(regs));
  ASSERT_EQ(crosvm_vcpu_set_debugregs(vcpu, &regs), 0);
  host.run([](FakeHost& h) {
    FakeVcpu& v = h.vcpu(0);
    EXPECT_EQ(v.read_request(), "228501" "0803" "128001" + to_hex(std::string(128, 1)));
    v.say("022a00");
    EXPECT_EQ(v.read_request(), "1a020803");
    v.say(framed_state(128, 7));
  });
  ASSERT_EQ(crosvm_vcpu_get_debugregs(vcpu, &regs), 0);
  EXPECT_EQ(regs.db[0], 0x0707070707070707u);
}

TEST_F(PluginVcpu, AnErrorOfTheFlushedSetIsTheGetsError) {
  stop_at(kInit);
  kvm_sregs sregs = {};
  ASSERT_EQ(crosvm_vcpu_set_sregs(vcpu, &sregs), 0);
  v.say("04082c2a00");
  EXPECT_EQ(crosvm_vcpu_get_sregs(vcpu, &sregs), -EINVAL);
}

TEST_F(PluginVcpu, ARefusedResumeLeavesTheVcpuStoppedWhereItWas) {
  stop_at("0b1209120710f8072a02ffff");
  event.io_access.data[0] = 0x11;
  kvm_sregs sregs = {};
  ASSERT_EQ(crosvm_vcpu_set_sregs(vcpu, &sregs), 0);
  ASSERT_EQ(crosvm_vcpu_resume(vcpu), 0);
  v.read_request();
  v.say("02082c");
  crosvm_vcpu_event next;
  EXPECT_EQ(crosvm_vcpu_wait(vcpu, &next), -EINVAL);
  EXPECT_EQ(crosvm_vcpu_resume(vcpu), 0);
  EXPECT_EQ(v.read_request(), "12040a021100") << "the event's data again, without the registers";
}

TEST_F(PluginVcpu, Statement18_HintedRegistersNeedNoHost) {
  // out to 0x3f8 with 144 bytes of regs: io{address, is_write, data, regs}
  stop_at(kInit);
  ASSERT_EQ(crosvm_vcpu_resume(vcpu), 0);
  v.read_request();
  const std::string io = "10f80718012a0139329001" + to_hex(std::string(144, 3));
  ASSERT_EQ(io.size() / 2, 155u);
  v.say("a101" "129e01" "129b01" + io);
  ASSERT_EQ(crosvm_vcpu_wait(vcpu, &event), 0);
  kvm_regs regs;
  ASSERT_EQ(crosvm_vcpu_get_regs(vcpu, &regs), 0);
  EXPECT_EQ(regs.rip, 0x0303030303030303u);
  // and once they are set, they come from the host
  ASSERT_EQ(crosvm_vcpu_set_regs(vcpu, &regs), 0);
  v.say("022a00" + framed_state(144, 9));
  ASSERT_EQ(crosvm_vcpu_get_regs(vcpu, &regs), 0);
  EXPECT_EQ(regs.rip, 0x0909090909090909u);
}

TEST_F(PluginVcpu, StateOfAnotherSizeIsAProtocolError) {
  stop_at(kInit);
  v.say(framed_state(140, 1));
  kvm_regs regs;
  EXPECT_EQ(crosvm_vcpu_get_regs(vcpu, &regs), -EPROTO);
}

TEST_F(PluginVcpu, Statement30_MsrsStopAtTheFirstThatIsNone) {
  stop_at(kInit);
  kvm_msr_entry entries[3] = {};
  entries[0].index = 0x10;
  entries[1].index = 0x11;
  entries[2].index = 0x12;
  uint32_t count = 0;
  v.say("05" "3203" "0a0107");
  ASSERT_EQ(crosvm_vcpu_get_msrs(vcpu, 3, entries, &count), 0);
  EXPECT_EQ(v.read_request(), "2a050a03101112");
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(entries[0].data, 7u);
}

TEST_F(PluginVcpu, PausedCarriesTheUsersPointer) {
  int mine;
  const uint64_t pointer = reinterpret_cast<uintptr_t>(&mine);
  std::string varint;
  for (uint64_t p = pointer; p; p >>= 7) varint.push_back(static_cast<char>((p & 0x7f) | (p > 0x7f ? 0x80 : 0)));
  const auto byte = [](size_t n) { return to_hex({std::string(1, static_cast<char>(n))}); };
  stop_at((byte(varint.size() + 5) + "12" + byte(varint.size() + 3) + "1a" + byte(varint.size() + 1) + "08" + to_hex(varint)).c_str());
  EXPECT_EQ(event.kind, CROSVM_VCPU_EVENT_KIND_PAUSED);
  EXPECT_EQ(event.user, &mine);
}

TEST_F(PluginVcpu, HypervEvents) {
  stop_at("0a12082206080110021803");
  EXPECT_EQ(event.kind, CROSVM_VCPU_EVENT_KIND_HYPERV_HCALL);
  EXPECT_EQ(event.hyperv_call.params[1], 3u);
  event.hyperv_call.result[0] = 0x42;
  EXPECT_EQ(crosvm_vcpu_resume(vcpu), 0);
  EXPECT_EQ(v.read_request(), "120a0a084200000000000000");
  v.say("0c120a2a0808011002" "18032004");
  ASSERT_EQ(crosvm_vcpu_wait(vcpu, &event), 0);
  EXPECT_EQ(event.kind, CROSVM_VCPU_EVENT_KIND_HYPERV_SYNIC);
  EXPECT_EQ(event.hyperv_synic.msg_page, 4u);
}

TEST_F(PluginVcpu, CapabilitiesHaveNoFlagsAndNoArguments) {
  stop_at(kInit);
  uint64_t args[4] = {0, 0, 1, 0};
  EXPECT_EQ(crosvm_vcpu_enable_capability(vcpu, 123, 0, args), -EINVAL);
  EXPECT_EQ(crosvm_vcpu_enable_capability(vcpu, 123, 1, nullptr), -EINVAL);
  args[2] = 0;
  v.say("025200");
  EXPECT_EQ(crosvm_vcpu_enable_capability(vcpu, 123, 0, args), 0);
  EXPECT_EQ(v.read_request(), "5202087b");
}

TEST_F(PluginVcpu, GarbageIsAProtocolError) {
  v.say("ffffffffffff01");
  EXPECT_EQ(crosvm_vcpu_wait(vcpu, &event), -EPROTO);
}

TEST_F(PluginVcpu, Statement34_AHostThatIsGoneEndsTheWaitAndSendsNoSignal) {
  std::signal(SIGPIPE, SIG_DFL);
  stop_at(kInit);
  // the plugin's own ends are duplicates: closing the host's is what its death does
  v.hang_up();
  EXPECT_EQ(crosvm_vcpu_resume(vcpu), -EPIPE);
  kvm_fpu fpu;
  EXPECT_EQ(crosvm_vcpu_get_fpu(vcpu, &fpu), -EPIPE);
}

TEST_F(PluginVcpu, Statement34_AHostThatDiesWhileThePluginWaits) {
  host.run([](FakeHost& h) {
    h.vcpu(0).read_request();
    h.vcpu(0).hang_up();
  });
  EXPECT_EQ(crosvm_vcpu_wait(vcpu, &event), -EPIPE);
}

TEST(PluginPipe, NeitherWayOfWritingLetsASignalThrough) {
  std::signal(SIGPIPE, SIG_DFL);
  for (auto* write_to : {plugin::write_quietly, plugin::write_masked}) {
    int fds[2];
    char bytes[4] = {};
    ASSERT_EQ(pipe(fds), 0);
    EXPECT_EQ(write_to(fds[1], "abc"), 0);
    EXPECT_EQ(read(fds[0], bytes, sizeof(bytes)), 3);
    EXPECT_STREQ(bytes, "abc");
    close(fds[0]);
    EXPECT_EQ(write_to(fds[1], "abc"), -EPIPE);
    close(fds[1]);
    EXPECT_EQ(write_to(fds[1], "abc"), -EBADF);
  }
}

TEST_F(PluginVcpu, ASigpipeThatWasPendingStaysPending) {
  stop_at(kInit);
  v.hang_up();
  sigset_t pipe, before, pending;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  pthread_kill(pthread_self(), SIGPIPE);
  EXPECT_EQ(crosvm_vcpu_resume(vcpu), -EPIPE);
  sigpending(&pending);
  EXPECT_TRUE(sigismember(&pending, SIGPIPE));
  const timespec now = {};
  EXPECT_EQ(sigtimedwait(&pipe, nullptr, &now), SIGPIPE);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace mv::test
