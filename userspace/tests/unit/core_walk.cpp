// SPDX-License-Identifier: MIT
// Walk records, and the names of everything.
#include <gtest/gtest.h>

#include <string>

extern "C" {
#include "core/acrn/acrn.h"
#include "core/gunyah/gunyah.h"
#include "core/walk.h"
}

namespace {

hv_exit access(u64 cookie, u8 direction = HV_WRITE) {
  hv_exit e{};
  e.kind = HV_EXIT_ACCESS;
  e.space = HV_SPACE_PIO;
  e.size = 2;
  e.direction = direction;
  e.address = 0x3f8;
  e.data = 'x';
  e.cookie = cookie;
  return e;
}

// The seven words of one access; the next step ends it.
void walk(hv_walk& w, u64 cookie, u8 direction = HV_WRITE) {
  const hv_exit e = access(cookie, direction);
  hv_walk_step(&w);
  hv_walk_exit(&w, &e);
  hv_walk_mark(&w, cookie, HV_WORD_POST);
  hv_walk_mark(&w, cookie, HV_WORD_DELIVER);
  hv_walk_mark(&w, cookie, HV_WORD_COMPLETE);
  hv_walk_resume(&w, cookie, 'r');
  hv_walk_step(&w);
}

TEST(Walk, OffKeepsNothing) {
  hv_walk w{};
  walk(w, 1);
  hv_walk_record r;
  EXPECT_EQ(hv_walk_get(&w, 1, &r), -EAGAIN);
  EXPECT_EQ(hv_walk_get(&w, 0, &r), -EAGAIN);
}

TEST(Walk, RecordHasEveryWordInOrder) {
  hv_walk w{};
  w.on = 1;
  walk(w, 1);
  hv_walk_record r;
  ASSERT_EQ(hv_walk_get(&w, 1, &r), 0);
  EXPECT_EQ(r.address, 0x3f8u);
  EXPECT_EQ(r.size, 2);
  EXPECT_EQ(r.data, u64{'x'}) << "what was written";
  u64 last = 1;
  for (int word = 0; word < HV_WORDS; ++word) {
    if (word == HV_WORD_SERVE) continue;
    EXPECT_GE(r.start[word], last) << hv_word_name(word);
    last = r.start[word];
  }
  EXPECT_GE(r.end, last);
  EXPECT_EQ(r.start[HV_WORD_SERVE], 0u) << "userspace's own";
}

TEST(Walk, ReadRecordsTheReply) {
  hv_walk w{};
  w.on = 1;
  walk(w, 1, HV_READ);
  hv_walk_record r;
  ASSERT_EQ(hv_walk_get(&w, 0, &r), 0) << "0 is the newest";
  EXPECT_EQ(r.data, u64{'r'});
}

TEST(Walk, IncompleteIsNotGiven) {
  hv_walk w{};
  w.on = 1;
  const hv_exit e = access(1);
  hv_walk_step(&w);
  hv_walk_exit(&w, &e);
  hv_walk_record r;
  EXPECT_EQ(hv_walk_get(&w, 1, &r), -EAGAIN);
  hv_walk_resume(&w, 1, 0);
  EXPECT_EQ(hv_walk_get(&w, 1, &r), -EAGAIN) << "resume is not over before the next step";
  hv_walk_step(&w);
  EXPECT_EQ(hv_walk_get(&w, 1, &r), 0);
}

TEST(Walk, TheLastSixteenAreKept) {
  hv_walk w{};
  w.on = 1;
  for (u64 c = 1; c <= 20; ++c) walk(w, c);
  hv_walk_record r;
  EXPECT_EQ(hv_walk_get(&w, 4, &r), -EAGAIN) << "forgotten";
  EXPECT_EQ(hv_walk_get(&w, 5, &r), 0);
  EXPECT_EQ(hv_walk_get(&w, 20, &r), 0);
  EXPECT_EQ(hv_walk_get(&w, 21, &r), -EAGAIN);
  hv_walk_mark(&w, 4, HV_WORD_POST);
  hv_walk_resume(&w, 4, 99);
  EXPECT_EQ(hv_walk_get(&w, 20, &r), 0) << "a late mark hits nobody else's record";
  EXPECT_EQ(r.cookie, 20u);
}

TEST(Walk, FirstMarkCounts) {
  hv_walk w{};
  w.on = 1;
  walk(w, 1);
  hv_walk_record before, after;
  ASSERT_EQ(hv_walk_get(&w, 1, &before), 0);
  hv_walk_mark(&w, 1, HV_WORD_DELIVER);
  ASSERT_EQ(hv_walk_get(&w, 1, &after), 0);
  EXPECT_EQ(after.start[HV_WORD_DELIVER], before.start[HV_WORD_DELIVER]);
}

using Namer = const char* (*)(unsigned);

// Every number has a name of its own; what is none is "?".
void expect_names(Namer name, std::initializer_list<const char*> names) {
  unsigned n = 0;
  for (const char* expected : names) EXPECT_STREQ(name(n++), expected);
  EXPECT_STREQ(name(n), "?");
  EXPECT_STREQ(name(~0u), "?");
}

TEST(Names, OfEverything) {
  expect_names(hv_word_name, {"step", "exit", "post", "deliver", "serve", "complete", "resume"});
  expect_names(hv_exit_kind_name, {"none", "access", "budget", "kick", "idle", "shutdown", "call", "page", "arena", "pause"});
  expect_names(hv_space_name, {"pio", "mmio", "config"});
  expect_names(hv_direction_name, {"read", "write"});
  expect_names(acrn_vm_state_name, {"powered-off", "created", "running", "paused"});
  expect_names(acrn_vcpu_state_name, {"init", "running", "blocked", "zombie"});
  expect_names(acrn_slot_state_name, {"pending", "complete", "processing", "free"});
  expect_names(gunyah_state_name, {"no-state", "init", "ready", "running", "paused", "load", "auth", "?", "init-failed", "exited", "resetting", "reset"});
  expect_names(gunyah_exit_reason_name, {"unknown", "mmio", "status", "page-fault"});
  expect_names(gunyah_exit_type_name, {"vm-exit", "system-off", "system-reset", "system-reset2", "watchdog", "hypervisor-error", "hardware-error", "force-stop"});
}

TEST(Names, EveryEnumeratorHasOne) {
  for (unsigned i = 0; i < HV_WORDS; ++i) EXPECT_STRNE(hv_word_name(i), "?");
  for (unsigned i = 0; i < HV_EXIT_KINDS; ++i) EXPECT_STRNE(hv_exit_kind_name(i), "?");
  for (unsigned i = 0; i < HV_SPACES; ++i) EXPECT_STRNE(hv_space_name(i), "?");
}

}  // namespace
