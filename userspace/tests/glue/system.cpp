// SPDX-License-Identifier: MIT
#include "glue/system.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "glue/runner.h"

namespace mv::glue {

static std::string contents(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error(std::string("cannot read ") + path);
  return text.str();
}

// "name value" or "name: value kB"; 0 if there is no such line.
static int64_t value_of(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  std::string key;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    int64_t value = 0;
    if (words >> key >> value && (key == name || key == name + ":")) return value;
  }
  return 0;
}

int64_t pinned_pages() {
  // the counters are kept per CPU; reading this file adds them up
  std::ifstream("/proc/sys/vm/stat_refresh").get();
  const std::string text = contents("/proc/vmstat");
  return value_of(text, "nr_foll_pin_acquired") - value_of(text, "nr_foll_pin_released");
}

int module_users() { return std::stoi(contents("/sys/module/mockvisor/refcnt")); }

int64_t available_bytes() { return value_of(contents("/proc/meminfo"), "MemAvailable") * 1024; }

int64_t kernel_bytes() {
  // folds what each CPU counted for itself
  (void)std::ifstream("/proc/sys/vm/stat_refresh").get();
  const std::string info = contents("/proc/meminfo");
  int64_t sum = 0;
  for (const char* part : {"Slab", "VmallocUsed", "PageTables", "Percpu"}) sum += value_of(info, part);
  // stacks are vmalloc areas already where the kernel checks them for overflows
  if (contents("/proc/vmallocinfo").find("dup_task_struct") == std::string::npos) sum += value_of(info, "KernelStack");
  return sum * 1024;
}

bool kernel_checks_memory() { return contents("/proc/kallsyms").find(" kasan_") != std::string::npos; }

bool Baseline::restored() const {
  return eventually([this] { return pinned_pages() == pins_ && module_users() == users_; });
}

Child::Child(const std::function<bool()>& body) {
  int ends[2];
  if (::pipe(ends) != 0) return;
  pid_ = ::fork();
  if (pid_ == 0) {
    ::close(ends[0]);
    const char good = body() ? 'y' : 'n';
    if (::write(ends[1], &good, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  ::close(ends[1]);
  char good = 'n';
  ready_ = ::read(ends[0], &good, 1) == 1 && good == 'y';
  ::close(ends[0]);
}

void Child::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace mv::glue
