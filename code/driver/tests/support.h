// SPDX-License-Identifier: GPL-2.0
/// @file
/// What the driver's tests share: a strict guest with one stage, and how to wait and to judge.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "guest.h"

namespace fwts::driver {

using namespace std::chrono_literals;

/// The files a stage leaves in the guest under these names.
inline constexpr const char* kDriver = "/modules/igbook.ko";
inline constexpr const char* kFailcall = "/modules/failcall.ko";

/// Registers the tests read from outside, as offsets in BAR 0 (82576 datasheet).
enum Register : std::uint32_t {
    kCtrlExt = 0x00018,
    kRctl = 0x00100,
    kRlpml = 0x05004,
    kMta = 0x05200,
    kRal0 = 0x05400,
    kRah0 = 0x05404,
    kRal1 = 0x05408,
    kRah1 = 0x0540c,
    kRdbal0 = 0x0c000,
    kRdlen0 = 0x0c008,
    kRdh0 = 0x0c010,
    kRdt0 = 0x0c018,
    kTdbal0 = 0x0e000,
    kTdbah0 = 0x0e004,
    kTdlen0 = 0x0e008,
    kTdh0 = 0x0e010,
    kTdt0 = 0x0e018,
    kTxdctl0 = 0x0e028,
};

/// Options for a strict guest that finds @p stage at kDriver but has not loaded it.
sandbox::Options strict(const std::string& stage);

/// The same without ACPI. Enabling a device runs ACPI's interpreter, which under KASAN takes longer
/// than the rest of probe; and when its allocations fail, 6.12's interpreter itself uses freed
/// memory (acpi_ns_get_attached_object), which is not what these tests are about.
sandbox::Options strict_without_acpi(const std::string& stage);

/// Asks again and again until @p holds is true. @return false when it is not within @p limit.
bool eventually(const std::function<bool()>& holds, std::chrono::seconds limit = 30s);

/// Waits for /sys/class/net/eth0/carrier to say @p up.
bool carrier_becomes(sandbox::Guest& guest, bool up);

/// Fails the test if the kernel complained, or if kmemleak finds memory nobody owns.
/// Lines that contain @p expected are none.
void expect_no_complaint(sandbox::Guest& guest, const std::string& expected = {});

/// A stage of the driver, as a parameter of tests: "01", "02".
class StageTest : public testing::TestWithParam<std::string> {};

/// Names the tests of a parameterised suite: "stage01".
std::string stage_name(const testing::TestParamInfo<std::string>& info);

}  // namespace fwts::driver
