// SPDX-License-Identifier: MIT
// A plugin that sends any bytes, in any order, on a main connection and to a vCPU: for libFuzzer, or to play files again.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "plugin/host/main_session.h"
#include "plugin/host/vcpu2018.h"
#include "plugin/host/vcpu_session.h"
#include "plugin/wire/wire2018.h"

namespace mv::plugin {
namespace {

constexpr size_t kMostPacket = 4096;

// The machine stays from input to input; what a plugin made in it goes with its session.
Machine& machine() {
  static const auto one = make_inproc_machine(1);
  return *one;
}

int sealed_file() {
  static const int fd = [] {
    const int f = memfd_create("fuzz", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    if (f < 0 || ftruncate(f, 0x10000) || fcntl(f, F_ADD_SEALS, F_SEAL_SHRINK)) std::abort();
    return f;
  }();
  return fd;
}

// The input: one letter, two bytes of length, so many bytes; and again.
class Script {
 public:
  Script(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}
  bool next(char& kind, std::string_view& bytes) {
    if (rest_.size() < 3) return false;
    kind = rest_[0];
    const size_t length = static_cast<uint8_t>(rest_[1]) | static_cast<size_t>(static_cast<uint8_t>(rest_[2])) << 8;
    bytes = rest_.substr(3, length);
    rest_.remove_prefix(3 + bytes.size());
    return true;
  }

 private:
  std::string_view rest_;
};

class Plugin {
 public:
  void play(char kind, std::string_view bytes) {
    switch (kind) {
      case 'm':
        return main(bytes.substr(0, kMostPacket), false);
      case 'f':
        return main(bytes.substr(0, kMostPacket), true);
      case 'o':
        return main(wire::main_request_of_2018(bytes.substr(0, kMostPacket)), false);
      case 'v':
        return after(vcpu_.take(bytes, out_));
      case 'q':
        return packet(bytes);
      case 'a':
        return access(bytes);
      case 'p':
        if (running_) after(vcpu_.post_paused(bytes.size(), out_));
        return;
      default:
        return;
    }
  }

 private:
  void main(std::string_view bytes, bool with_file) {
    std::vector<Fd> fds;
    if (with_file) fds.emplace_back(dup(sealed_file()));
    MainReply reply;
    if (main_.serve(bytes, std::move(fds), reply) && reply.bytes.empty()) std::abort();  // a reply says something
    if (wire::main_response_for_2018(reply.bytes).size() > reply.bytes.size() + 8) std::abort();
  }
  void packet(std::string_view bytes) {
    if (bytes.empty()) return;
    Vcpu2018::Packets packets;
    if (const auto request = old_.heard(bytes, packets)) after(vcpu_.take(*request, out_));
    old_.said(out_, packets);
    if (running_) old_.resumed(packets);
    out_.clear();
  }
  void access(std::string_view bytes) {
    GuestAccess a = {};
    if (!running_ || bytes.size() < 18) return;
    a.space = bytes[0] & 1 ? Space::mmio : Space::ioport;
    a.write = bytes[0] & 2;
    a.size = 1u << (bytes[1] & 3);
    std::memcpy(&a.address, bytes.data() + 2, 8);
    std::memcpy(&a.data, bytes.data() + 10, 8);
    after(vcpu_.post_access(a, out_));
  }
  void after(VcpuSession::Next next) {
    running_ = next == VcpuSession::Next::run;
    if (out_.size() > kMostOut) out_.clear();
  }

  static constexpr size_t kMostOut = 1 << 20;
  Fd shutdown_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  Shared shared_;
  MainSession main_{machine(),
                    shared_,
                    {[] { return dup(sealed_file()); }, [] { return std::vector<int>(); }, [this] { return shutdown_.get(); }, [] {},
                     [](uint64_t, uint64_t) {}}};
  VcpuSession vcpu_{machine().vcpu(0), shared_};
  Vcpu2018 old_;
  std::string out_;
  bool running_ = vcpu_.post_init() == VcpuSession::Next::run;
};

}  // namespace
}  // namespace mv::plugin

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mv::plugin::Plugin plugin;
  mv::plugin::Script script(data, size);
  char kind;
  std::string_view bytes;
  for (int i = 0; i < 256 && script.next(kind, bytes); ++i) plugin.play(kind, bytes);
  return 0;
}
