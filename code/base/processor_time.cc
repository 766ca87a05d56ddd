// SPDX-License-Identifier: GPL-2.0
#include "processor_time.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace fwts {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

microseconds used(int who) {
    rusage usage{};
    getrusage(who, &usage);
    return std::chrono::seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

struct Status {
    pid_t parent = 0;
    milliseconds own{0};
    milliseconds of_children{0};  ///< of those that were waited for
};

Status status_of(pid_t thread) {
    std::ifstream file("/proc/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(file, line);
    // The second field, the name in parentheses, may hold anything; user time is the 14th.
    const auto name_end = line.rfind(')');
    if (name_end == std::string::npos) return {};
    std::istringstream fields(line.substr(name_end + 1));
    Status status;
    std::string skipped;
    fields >> skipped >> status.parent;
    for (int field = 5; field < 14; ++field) fields >> skipped;
    std::array<long, 4> ticks{};
    for (auto& one : ticks) fields >> one;
    const auto time = [](long count) { return milliseconds(count * 1000 / sysconf(_SC_CLK_TCK)); };
    status.own = time(ticks[0] + ticks[1]);
    status.of_children = time(ticks[2] + ticks[3]);
    return status;
}

}  // namespace

pid_t parent_of(pid_t process) {
    return status_of(process).parent;
}

std::vector<pid_t> all_processes() {
    std::vector<pid_t> found;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") == std::string::npos)
            found.push_back(static_cast<pid_t>(std::stoi(name)));
    }
    return found;
}

milliseconds processor_time() {
    return std::chrono::duration_cast<milliseconds>(used(RUSAGE_SELF) + used(RUSAGE_CHILDREN));
}

milliseconds processor_time_of(pid_t thread) {
    return status_of(thread).own;
}

milliseconds processor_time_of_tree(pid_t root) {
    std::map<pid_t, std::vector<pid_t>> children;
    std::map<pid_t, milliseconds> used;
    for (const pid_t pid : all_processes()) {
        const auto status = status_of(pid);
        children[status.parent].push_back(pid);
        used[pid] = status.own + status.of_children;
    }
    milliseconds sum(0);
    std::vector<pid_t> waiting{root};
    while (!waiting.empty()) {
        const auto pid = waiting.back();
        waiting.pop_back();
        sum += used[pid];
        waiting.insert(waiting.end(), children[pid].begin(), children[pid].end());
    }
    return sum;
}

milliseconds kept_waiting(pid_t thread) {
    std::ifstream file("/proc/" + std::to_string(thread) + "/schedstat");
    long long ran = 0;
    long long waited = 0;  // ns, as the one before
    file >> ran >> waited;
    return std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(waited));
}

}  // namespace fwts
