// SPDX-License-Identifier: MIT
// Eventfds that the plugin has too.  What makes a descriptor wait belongs to all who have it, so neither a flag nor a look at it
// beforehand keeps a write from waiting for ever.
#pragma once

namespace mv::plugin {

// Adds one, as the kernel does for KVM's ioeventfds: without waiting, whatever the plugin did to it; one that is full stays so.
void signal_eventfd(int eventfd);

}  // namespace mv::plugin
