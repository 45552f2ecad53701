// SPDX-License-Identifier: MIT
// One vCPU's conversation with the plugin: which event is out, what may be asked, what a resume does.  Bytes in, bytes out;
// the vCPU's thread does the reading and writing.
#pragma once

#include <string>
#include <string_view>

#include "plugin/host/machine.h"
#include "plugin/host/shared.h"
#include "plugin/wire/single_fields.h"
#include "plugin.pb.h"

namespace mv::plugin {

class VcpuSession {
 public:
  VcpuSession(MachineVcpu& vcpu, const Shared& shared) : vcpu_(vcpu), shared_(shared) {}

  enum class Next {
    read,    // the plugin has the word: give its next bytes to take()
    run,     // the guest goes on
    finish,  // the host has said so, in a message to itself
  };

  // The first event: the plugin asks for it.
  Next post_init();
  // What the guest did, if the plugin serves that; otherwise it is done here.  `out` gets bytes to be written first.
  Next post_access(const GuestAccess& access, std::string& out);
  Next post_paused(uint64_t user, std::string& out);
  Next post_hyperv_call(const HypervWords& words, std::string& out);
  Next post_hyperv_synic(const HypervWords& words, std::string& out);
  // Bytes as they come: requests may come in pieces, and several at once.  What is left of them when the guest goes on is
  // taken up at its next stop, with no bytes.
  Next take(std::string_view bytes, std::string& out);
  // Requests are left that take() has not come to, for their answers would be long: write what it said, and call it with no bytes.
  bool has_more() const { return more_; }

 private:
  using Request = wire::VcpuRequest;
  using Response = wire::VcpuResponse;
  enum class Phase { running, offered, stopped };  // offered: the first event waits for being asked for

  Next serve(std::string_view message, std::string& out);
  Next post(const Response& response, std::string& out);
  void add_registers(const GuestAccess& access, Response::Wait::Io& io) const;
  int answer(const Request& request, Response& response);
  int resume(const Request::Resume& resume);
  int put_state(int set, const std::string& state);
  std::string state_of(VcpuState set) const;

  MachineVcpu& vcpu_;
  const Shared& shared_;
  Phase phase_ = Phase::running;
  wire::SingleFields in_;
  unsigned read_size_ = 0;  // of the access that waits for its data; 0: none does
  bool access_out_ = false;
  bool more_ = false;
};

}  // namespace mv::plugin
