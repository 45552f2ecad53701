// SPDX-License-Identifier: MIT
// The protocol of 2018 in bytes, against the host.  Numbers of requests and of Wait.Io are facts about that revision; numbers of
// the main connection's responses are inferred: one more than the request's, as ever since.
#include <sys/socket.h>
#include <unistd.h>

#include "tests/plugin/statements/under_host.h"

namespace mv::test {
namespace {

PLUGIN_TEST(Raw_MainRequestsHaveTheNumbersOf2018, 1) {
  const int s = raw_socket();
  EXPECT_EQ(raw(s, "2a00"), "32020801") << "an extension";
  EXPECT_EQ(raw(s, "320510f8071801"), "3a00") << "a range";
  EXPECT_EQ(raw(s, "320510f8071801"), "08013a00") << "again: EPERM, negative";
  EXPECT_EQ(raw(s, "3200"), "08033a00") << "ENOENT";
  EXPECT_EQ(raw(s, "3a020801"), "4200") << "an interrupt";
  EXPECT_EQ(raw(s, "4200"), "4a00") << "no routes";
  EXPECT_EQ(raw(s, "4a050800"), "dropped") << "cut off";
}

PLUGIN_TEST(Raw_TheRestOfThem, 1) {
  const int s = raw_socket();
  EXPECT_EQ(raw(s, "4a0508808080" "40"), "5200") << "identity map";
  EXPECT_EQ(raw(s, "52020801"), "5a00") << "pause";
  EXPECT_EQ(raw(s, "0a06080122021001"), "1200") << "an interrupt's eventfds";
  EXPECT_EQ(raw(s, "12020801"), "1a00") << "and their end";
  EXPECT_EQ(raw(s, "aa0600"), "0803aa0600") << "a dirty log of nothing: ENOENT";
  EXPECT_EQ(raw(s, "9a0100"), "0831") << "hints came later: ENOTTY";
  EXPECT_EQ(raw(s, "6200"), "6a00") << "start";
  EXPECT_EQ(raw(s, "6200"), "082b6a00") << "twice: EINVAL";
}

PLUGIN_TEST(Raw_AVcpuIsASocketWithAnAnswerToEverything, 1) {
  // mov dx, 500h; out dx, al; in al, dx
  Vm vm({0xba, 0x00, 0x05, 0xee, 0xec, END});
  vm.reserve(0x500, 1);
  const std::vector<int> vcpus = fds_for(raw_socket(), "5a00");
  ASSERT_EQ(vcpus.size(), 1u);
  const int v = vcpus[0];
  int type = 0;
  socklen_t size = sizeof(type);
  ASSERT_EQ(getsockopt(v, SOL_SOCKET, SO_TYPE, &type, &size), 0);
  EXPECT_EQ(type, SOCK_SEQPACKET);
  ASSERT_EQ(crosvm_start(vm.get()), 0);
  EXPECT_EQ(raw(v, "1a00"), "088d01") << "before the first event: EPROTO, negative";
  vm.init();
  EXPECT_EQ(raw(v, "1a020803"), "088d01") << "an event has to be asked for";
  EXPECT_EQ(raw(v, "0a00"), "120a120810800a1801220100") << "data is field 4";
  EXPECT_EQ(raw(v, "0a00"), "088d01") << "once";
  EXPECT_EQ(raw(v, "1200"), "1a00") << "a resume is answered";
  EXPECT_EQ(raw(v, "0a00"), "12081206" "10800a" "220100") << "a read";
  EXPECT_EQ(raw(v, "12030a015a"), "1a00");
  EXPECT_EQ(raw(v, "0a00"), "120a120810800c180122015a") << "what was read";
  EXPECT_EQ(raw(v, "4200"), "0831") << "no request";
}

}  // namespace
}  // namespace mv::test
