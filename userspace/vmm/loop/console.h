// SPDX-License-Identifier: MIT
// The event loop around a machine: terminal, signals, the end.  The only place that knows Asio.
//
//   terminal   raw input but for Ctrl-C; Ctrl-A x quits, Ctrl-A Ctrl-A types a Ctrl-A
//   pipe       bytes are typed as they come; at the end of input the guest sees Ctrl-D (0x04) once
//   signals    SIGINT, SIGTERM, SIGHUP stop the machine
#pragma once

#include "vmm/machine/machine.h"

namespace mv {

// Holds SIGINT, SIGTERM and SIGHUP back in this thread and in those that it starts from here on; run_on_console() reads them
// as events.  A vCPU's thread executes the guest for long without a system call: no handler is to wait for it, or to run there.
void hold_stop_signals();

// Runs the machine with this process's standard input until it ends.  After hold_stop_signals().  Restores the terminal.
Outcome run_on_console(Machine& machine);

}  // namespace mv
