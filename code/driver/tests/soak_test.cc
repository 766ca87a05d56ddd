// SPDX-License-Identifier: GPL-2.0
/// @file
/// Again and again: loading, opening, closing and unloading must leave nothing behind.
#include "support.h"

namespace fwts::driver {
namespace {

class Soak : public StageTest {};

TEST_P(Soak, LoadsAndUnloadsAHundredTimes) {
    sandbox::Guest guest = sandbox::Guest::boot(strict_without_acpi(GetParam()));
    guest.must("dmesg -c >/dev/null");
    // Unloaded in three states in turn: never opened, up, and up with a carrier or about to get it.
    const std::string script =
        "set -e\n"
        "i=0\n"
        "while [ $i -lt 100 ]; do\n"
        "  insmod /modules/igbook.ko\n"
        "  if [ $((i % 3)) -gt 0 ]; then ip link set eth0 up; fi\n"
        "  if [ $((i % 3)) -eq 2 ]; then ip link set eth0 down; ip link set eth0 up; fi\n"
        "  rmmod igbook\n"
        "  i=$((i + 1))\n"
        "done\n"
        "echo $i\n";
    EXPECT_EQ(guest.must(script, {.limit = 600s}), "100\n");
    // Opened and closed without unloading, until the carrier is there and before.
    guest.must("insmod /modules/igbook.ko");
    for (int i = 0; i < 20; i++) {
        guest.must("ip link set eth0 up");
        if (i % 5 == 0) {
            ASSERT_TRUE(carrier_becomes(guest, true)) << "round " << i;
        }
        guest.must("ip link set eth0 down");
    }
    guest.must("rmmod igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

INSTANTIATE_TEST_SUITE_P(Stages, Soak, testing::Values("01", "02", "03"), stage_name);

}  // namespace
}  // namespace fwts::driver
