// SPDX-License-Identifier: GPL-2.0
#include "monitor.h"

#include <stdexcept>

namespace fwts::sandbox {

void Monitor::end() {
    ended_ = true;
    changed();
}

void Monitor::stopped() {
    if (!stopped_at_) stopped_at_ = Clock::now();
    changed();
}

void Monitor::resumed() {
    if (stopped_at_) {
        stopped_for_ += Clock::now() - *stopped_at_;
        stopped_at_.reset();
    }
    changed();
}

Monitor::Clock::duration Monitor::running_time() const {
    return stopped_at_.value_or(Clock::now()).time_since_epoch() - stopped_for_;
}

void Monitor::throw_end(Lock& lock) {
    lock.unlock();
    if (end_handler_) end_handler_();
    throw std::logic_error("the guest is gone");
}

}  // namespace fwts::sandbox
