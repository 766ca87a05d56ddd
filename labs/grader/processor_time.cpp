// SPDX-License-Identifier: GPL-2.0
#include "processor_time.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace fwts::grader {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

microseconds used(int who) {
    rusage usage{};
    getrusage(who, &usage);
    return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

}  // namespace

milliseconds processor_time() {
    return std::chrono::duration_cast<milliseconds>(used(RUSAGE_SELF) + used(RUSAGE_CHILDREN));
}

milliseconds processor_time_of(pid_t thread) {
    std::ifstream file(fmt::format("/proc/{}/stat", thread));
    std::string line;
    std::getline(file, line);
    // The second field, the name in parentheses, may hold anything; user time is the 14th.
    const auto name_end = line.rfind(')');
    if (name_end == std::string::npos) return milliseconds(0);
    std::istringstream fields(line.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return milliseconds((user + system) * 1000 / sysconf(_SC_CLK_TCK));
}

milliseconds kept_waiting(pid_t thread) {
    std::ifstream file(fmt::format("/proc/{}/schedstat", thread));
    long long ran = 0;
    long long waited = 0;  // ns, as the one before
    file >> ran >> waited;
    return std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(waited));
}

}  // namespace fwts::grader
