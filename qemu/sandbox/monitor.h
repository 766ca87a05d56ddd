// SPDX-License-Identifier: GPL-2.0
// Where the threads that use a guest meet the one thread that listens to it.
//
// The listener changes state under `mutex` and calls `changed`. Everybody else waits here, and is
// woken by what it waits for, by the end of the guest, or by time. Time stands still while the
// guest does (somebody looks at it with gdb): a stopped guest does not hang. It knows nothing of
// QEMU.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

namespace fwts::sandbox {

class Monitor {
  public:
    using Clock = std::chrono::steady_clock;
    using Lock = std::unique_lock<std::mutex>;

    /// Locks the state.
    Lock lock() { return Lock(mutex_); }

    /// Wakes all waiters; they look again at what they wait for.
    void changed() { condition_.notify_all(); }

    /// Waits until @p done() holds, and @return true; or until the guest has run for @p limit and
    /// @return false. If the guest ends first, calls the handler of on_end(), which throws.
    /// @p lock is held whenever @p done runs.
    template <typename Done>
    bool wait(Lock& lock, Clock::duration limit, Done done) {
        const Clock::duration begin = running_time();
        while (!done()) {
            if (ended_) throw_end(lock);
            const Clock::duration left = limit - (running_time() - begin);
            if (left <= Clock::duration::zero()) return false;
            if (stopped_at_)
                condition_.wait(lock);
            else
                condition_.wait_for(lock, left);
        }
        return true;
    }

    /// As wait(), but @p limit is time on the wall, which passes while the guest stands, too.
    template <typename Done>
    bool wait_on_wall(Lock& lock, Clock::duration limit, Done done) {
        const Clock::time_point end = Clock::now() + limit;
        while (!done()) {
            if (ended_) throw_end(lock);
            if (Clock::now() >= end) return false;
            condition_.wait_until(lock, end);
        }
        return true;
    }

    /// Sets what waiters do when the guest is gone; it must throw and is called without the lock.
    void on_end(std::function<void()> handler) { end_handler_ = std::move(handler); }

    /// The guest is gone; all waiters leave. Call with the lock held.
    void end();
    [[nodiscard]] bool ended() const { return ended_; }

    /// The guest's processors stopped or go on. Call with the lock held.
    void stopped();
    void resumed();
    [[nodiscard]] bool is_stopped() const { return stopped_at_.has_value(); }

  private:
    [[nodiscard]] Clock::duration running_time() const;
    void throw_end(Lock& lock);

    std::mutex mutex_;
    std::condition_variable condition_;
    std::function<void()> end_handler_;
    std::optional<Clock::time_point> stopped_at_;
    Clock::duration stopped_for_{};
    bool ended_ = false;
};

}  // namespace fwts::sandbox
