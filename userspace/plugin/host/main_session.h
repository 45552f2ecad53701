// SPDX-License-Identifier: MIT
// The answers to main requests: the state of one plugin's machine as its connections see it.  It reads and writes no connection;
// whoever does hands in a packet and sends what comes out.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/host/machine.h"
#include "plugin/host/shared.h"
#include "plugin/host/tap.h"
#include "plugin.pb.h"
#include "vmm/backend/fd.h"

namespace mv::plugin {

// What the session cannot do by itself.
struct MainActions {
  // A new connection: the plugin's end; or a negative errno.
  std::function<int()> new_connection;
  // The plugin's ends of every vCPU's channel; borrowed.
  std::function<std::vector<int>()> vcpu_fds;
  std::function<int()> shutdown_eventfd;  // borrowed
  std::function<void()> start;
  std::function<void(uint64_t mask, uint64_t user)> pause;
  const Tap* tap = nullptr;
};

struct MainReply {
  std::string bytes;
  std::vector<int> fds;    // to be sent
  std::vector<Fd> closed;  // of those, the ones that nobody needs afterwards
};

class MainSession {
 public:
  MainSession(Machine& machine, Shared& shared, MainActions actions) : machine_(machine), shared_(shared), actions_(std::move(actions)) {}
  ~MainSession();

  // False: no request at all, the connection is to be dropped.
  bool serve(std::string_view packet, std::vector<Fd> fds, MainReply& reply);

 private:
  using Request = wire::MainRequest;
  struct Object {
    enum Kind { io_event, memory, irq_event } kind = memory;
    Fd first, second;
    Mapping mapping;
    uint64_t length = 0;
  };

  int answer(const Request& request, std::vector<Fd>& fds, wire::MainResponse& response, MainReply& reply);
  int create(const Request::Create& create, std::vector<Fd>& fds, MainReply& reply);
  int create_memory(uint32_t id, const Request::Create::Memory& spec, std::vector<Fd>& fds, Object& object);
  int create_io_event(uint32_t id, const Request::Create::IoEvent& spec, Object& object, MainReply& reply);
  int create_irq_event(uint32_t id, const Request::Create::IrqEvent& spec, Object& object, MainReply& reply);
  int destroy(uint32_t id);
  int reserve(const Request::ReserveRange& range);
  int set_routes(const Request::SetIrqRouting& table);
  int set_hint(const Request::SetCallHint& hint);
  int get_state(int set, std::string& state);
  int set_state(int set, const std::string& state);
  int dirty_log(uint32_t id, std::string& bitmap);
  int net_config(wire::MainResponse::NetConfig& out, MainReply& reply) const;
  int start();

  Machine& machine_;
  Shared& shared_;
  MainActions actions_;
  std::map<uint32_t, Object> objects_;
  bool started_ = false;
};

// The wire's list of CPUID leaves.
void put_cpuid(const std::vector<kvm_cpuid_entry2>& from, wire::CpuidList& to);

}  // namespace mv::plugin
