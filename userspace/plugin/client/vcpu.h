// SPDX-License-Identifier: MIT
// The plugin's handle of one vCPU: its connection, what came with the last event, what goes with the next resume.
#pragma once

#include <crosvm.h>

#include <optional>
#include <string>

#include "plugin/client/vcpu_link.h"

struct crosvm_vcpu {
 public:
  using State = mv::wire::VcpuRequest::State;

  explicit crosvm_vcpu(std::unique_ptr<mv::plugin::VcpuLink> link) : link_(std::move(link)) {}

  int wait(crosvm_vcpu_event& event);
  int resume();
  int get_state(State set, void* state, size_t size);
  int set_state(State set, const void* state, size_t size);
  // Goes with the next resume.
  int set_later(State set, const void* state, size_t size);
  // A request and its response; only while the vCPU is stopped.
  int ask(const mv::wire::VcpuRequest& request, mv::wire::VcpuResponse::MessageCase answer, mv::wire::VcpuResponse& response);

 private:
  // Registers that can travel with events and resumes.
  struct Carried {
    std::string hint;   // came with the event, and is still true
    std::string later;  // goes with the resume
  };
  static constexpr unsigned kCarried = 4;  // REGS, SREGS, (FPU never), DEBUGREGS

  int take_event(const mv::wire::VcpuResponse::Wait& wait, crosvm_vcpu_event& event);
  void take_io(const mv::wire::VcpuResponse::Wait::Io& io, crosvm_vcpu_event& event);
  int flush(State set);
  int flush_all();

  std::unique_ptr<mv::plugin::VcpuLink> link_;
  std::string data_;  // what event.io_access.data points to
  Carried carried_[kCarried];
  bool asked_ = false;
  bool stopped_ = false;
};
