// SPDX-License-Identifier: MIT
// The plugin as a process: how it is started, and what it writes to standard error.
#pragma once

#include <sys/types.h>

#include <utility>  // this Asio uses std::exchange without naming it

#include <boost/asio.hpp>

#include "plugin/host/lines.h"
#include "plugin/host/loop/plugin_host.h"

namespace mv::plugin {

// Starts it with `socket` as the only descriptor beside the standard ones.  `output` becomes its standard error.  Throws std::system_error.
pid_t spawn_plugin(const PluginConfig& config, int socket, int output);

// Reads a pipe on the loop, a chunk at a time, so that a program that writes without end keeps nobody else from being served.
class PluginOutput {
 public:
  PluginOutput(boost::asio::io_context& context, std::function<void(std::string_view)> line);
  // For the program; close() it once that runs.
  int writing_end() const { return write_.get(); }
  void program_runs();
  // What is in the pipe now is the last: descendants of the program may still hold it.
  void finish();

 private:
  void listen();
  bool read_chunk();

  boost::asio::posix::stream_descriptor read_;
  Fd write_;
  Lines lines_;
};

}  // namespace mv::plugin
