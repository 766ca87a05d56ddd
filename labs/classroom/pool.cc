// SPDX-License-Identifier: GPL-2.0
#include "pool.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/wait.h>

#include <csignal>
#include <map>

#include "files.h"
#include "process.h"
#include "progress.h"
#include "scratch.h"

namespace fwts::classroom {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

double since(Clock::time_point began) {
    return std::chrono::duration<double>(Clock::now() - began).count();
}

/// A bar that is written over on a terminal, and a line for each grading either way.
class ProgressBar {
  public:
    explicit ProgressBar(std::size_t all) : all_(all) {}

    void line(const std::string& text) {
        shown_.say(fmt::format("[{}/{}] {}", ++done_, all_, text));
    }
    void say(const std::string& text) const { shown_.say(text); }
    void draw(const std::vector<std::string>& running) const {
        constexpr std::size_t width = 24;
        const auto filled = all_ == 0 ? width : width * done_ / all_;
        std::string text = fmt::format("[{}{}] {}/{}", std::string(filled, '#'),
                                       std::string(width - filled, '.'), done_, all_);
        if (done_ > 0 && done_ < all_)
            text +=
                fmt::format(", about {:.0f} s left", since(began_) / static_cast<double>(done_) *
                                                         static_cast<double>(all_ - done_));
        if (!running.empty()) text += fmt::format(": {}", fmt::join(running, ", "));
        shown_.show(text);
    }

  private:
    ProgressLine shown_;
    std::size_t all_;
    std::size_t done_ = 0;
    Clock::time_point began_ = Clock::now();
};

class Pool {
  public:
    Pool(const Roster& roster, const PoolPlan& plan, const Signals& signals)
        : roster_(roster), plan_(plan), signals_(signals), bar_(roster.submissions.size()) {}

    PoolEnd run() {
        const auto began = Clock::now();
        while (end_.asked_to_end == 0) {
            while (next_ < roster_.submissions.size() &&
                   running_.size() < static_cast<std::size_t>(plan_.at_once))
                begin(next_++);
            if (running_.empty()) break;
            bar_.draw(names());
            heed(signals_.wait(milliseconds(1000)));
            collect();
        }
        if (end_.asked_to_end != 0) stop();
        end_.seconds = since(began);
        return end_;
    }

  private:
    fs::path room(std::size_t index) const { return scratch_.path() / std::to_string(index); }

    std::vector<std::string> names() const {
        std::vector<std::string> result;
        result.reserve(running_.size());
        for (const auto& [pid, index] : running_)
            result.push_back(roster_.submissions[index].student);
        return result;
    }

    void begin(std::size_t index) {
        fs::create_directories(room(index));
        Program one;
        one.argv = plan_.command(index);
        one.environment = environment();
        one.environment["TMPDIR"] = room(index).string();
        one.death_signal = SIGTERM;  // it ends its own children then
        running_[start_logged(one, room(index) / "log")] = index;
    }

    void heed(int signal_number) {
        if (Signals::asks_to_end(signal_number)) end_.asked_to_end = signal_number;
    }

    void collect() {
        int status = 0;
        for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) finish(pid);
    }

    void finish(pid_t pid) {
        const auto at = running_.find(pid);
        if (at == running_.end()) return;
        const auto index = at->second;
        running_.erase(at);
        if (end_.asked_to_end == 0) {
            ++end_.done;
            auto said = read_file(room(index) / "log");
            while (said.ends_with('\n')) said.pop_back();
            bar_.line(said.empty() ? fmt::format("{}: its grading died and left no word",
                                                 roster_.submissions[index].student)
                                   : said);
        }
        std::error_code ignored;
        fs::remove_all(room(index), ignored);
    }

    /// Asks all to end, gives them ten seconds, and then does not ask.
    void stop() {
        bar_.say(fmt::format("classroom: ending {} running gradings …", running_.size()));
        for (const auto& [pid, index] : running_) kill(pid, SIGTERM);
        const auto deadline = Clock::now() + std::chrono::seconds(10);
        while (!running_.empty() && Clock::now() < deadline) {
            signals_.wait(milliseconds(100));
            collect();
        }
        for (const auto& [pid, index] : running_) kill(pid, SIGKILL);
        while (!running_.empty()) {
            const auto pid = waitpid(-1, nullptr, 0);
            if (pid < 0 && errno != EINTR) break;
            if (pid > 0) finish(pid);
        }
    }

    const Roster& roster_;
    const PoolPlan& plan_;
    const Signals& signals_;
    ProgressBar bar_;
    Scratch scratch_{"class"};
    std::map<pid_t, std::size_t> running_;
    std::size_t next_ = 0;
    PoolEnd end_;
};

}  // namespace

PoolEnd run_pool(const Roster& roster, const PoolPlan& plan, const Signals& signals) {
    return Pool(roster, plan, signals).run();
}

}  // namespace fwts::classroom
