// SPDX-License-Identifier: GPL-2.0
// Every lab's checks. A new lab adds one function here and one line in all_labs.cc.
#pragma once

#include <string>

#include "scenario.h"

namespace fwts::labs {

grader::Scenario registration();  ///< labs/01-registration/scenario.cc
grader::Scenario dma();           ///< labs/02-dma/scenario.cc
grader::Scenario dca();           ///< labs/03-dca/scenario.cc
grader::Scenario rings();         ///< labs/04-rings/scenario.cc
grader::Scenario softirq();       ///< labs/05-softirq/scenario.cc
grader::Scenario napi();          ///< labs/06-napi/scenario.cc
grader::Scenario receive();       ///< labs/07-receive/scenario.cc
grader::Scenario transmit();      ///< labs/08-transmit/scenario.cc
grader::Scenario sockets();       ///< labs/09-sockets/scenario.cc
grader::Scenario observe();       ///< labs/10-observe/scenario.cc

/// The checks of the lab in labs/`name`.
/// @throws std::runtime_error when no such checks were compiled in.
grader::Scenario scenario_for(const std::string& name);

}  // namespace fwts::labs
