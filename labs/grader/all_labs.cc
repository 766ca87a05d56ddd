// SPDX-License-Identifier: GPL-2.0
#include "all_labs.h"

#include <fmt/format.h>

#include <stdexcept>

namespace fwts::labs {

grader::Scenario scenario_for(const std::string& name) {
    if (name == "01-registration") return registration();
    if (name == "02-dma") return dma();
    if (name == "03-dca") return dca();
    if (name == "04-rings") return rings();
    if (name == "05-softirq") return softirq();
    if (name == "06-napi") return napi();
    if (name == "07-receive") return receive();
    if (name == "08-transmit") return transmit();
    if (name == "09-sockets") return sockets();
    if (name == "10-observe") return observe();
    throw std::runtime_error(fmt::format(
        "lab {} has a directory but no checks; add them to labs/grader/all_labs.cc", name));
}

}  // namespace fwts::labs
