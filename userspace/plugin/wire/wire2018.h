// SPDX-License-Identifier: MIT
// The protocol as it was in February 2018 (API 0.10): other numbers for requests, an errno of the other sign, fewer fields.  Messages
// of today are rewritten into those and back, by a table.  Pure functions: no I/O here.
#pragma once

#include <string>
#include <string_view>

namespace mv::wire {

// A message of 2018 as one of today, and back.  Fields that the other side does not have are left out; a request that 2018 did
// not have becomes one that nobody has.  What cannot be read becomes what cannot be read.
std::string main_request_of_2018(std::string_view bytes);
std::string main_response_for_2018(std::string_view bytes);
std::string vcpu_request_of_2018(std::string_view bytes);
std::string vcpu_response_for_2018(std::string_view bytes);

// The other directions, for the library.
std::string main_request_for_2018(std::string_view bytes);
std::string main_response_of_2018(std::string_view bytes);
std::string vcpu_request_for_2018(std::string_view bytes);
std::string vcpu_response_of_2018(std::string_view bytes);

}  // namespace mv::wire
