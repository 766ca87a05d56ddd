// SPDX-License-Identifier: GPL-2.0
/// @file
/// Rings that want more memory than there is: the user is told, and nothing else happens.
#include <fmt/format.h>

#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;
using testing::HasSubstr;
using testing::Not;

/// MiB that are left for rings: enough for 4096 buffers of four pages, not for half as many beside
/// them.
constexpr int kLeft = 72;

/// A machine with room for the rings it has, and not for what is asked of it.
Guest small_guest(const std::string& stage) {
    sandbox::Options options;
    options.memory = 192;
    options.peer = true;
    options.files = {{built_module("trace", stage), kDriver}};
    Guest guest = Guest::boot(options);
    silence(guest);
    guest.must(std::string("modprobe dca && insmod ") + kDriver +
               " && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 mtu 9216 &&"
               " ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true));
    // Programs and kernel are larger on one Debian than on another: a file in memory takes what is
    // too much.
    guest.must("mkdir /ballast && mount -t tmpfs -o size=100% none /ballast");
    guest.must(
        fmt::format("dd if=/dev/zero of=/ballast/file bs=1M count=$(("
                    "$(awk '/MemAvailable/ {{ print int($2 / 1024) }}' /proc/meminfo) - {}))",
                    kLeft));
    return guest;
}

void expect_refused(Guest& guest, const std::string& command) {
    const sandbox::ExecResult result = guest.run(command, {.limit = 120s});
    EXPECT_NE(result.status, 0) << command;
    EXPECT_THAT(result.err, HasSubstr("Cannot allocate memory")) << command;
}

TEST(Memory, ForRingsIsRefusedRatherThanTakenFromPrograms) {
    for (const std::string& stage : stages("04")) {
        const testing::ScopedTrace trace(__FILE__, __LINE__, "stage " + stage);
        Guest guest = small_guest(stage);
        // A buffer for a jumbo frame is one page from stage 07 on: it takes more rings.
        const bool queues = stage >= "07";
        if (queues) guest.must("ethtool -L eth0 combined 8");
        // Before, it is four pages: half as many as will be asked for, so that both have no room.
        if (!queues) guest.must("ethtool -G eth0 rx 2048");
        // While it is up the old rings go on.
        expect_refused(guest, "ethtool -G eth0 rx 4096");
        EXPECT_THAT(guest.must("ethtool -g eth0"), shows("RX", queues ? "256" : "2048"));
        guest.must("ping -c 2 -i 0.2 -W 20 192.0.2.1");
        // Without the old rings beside it there is room.
        guest.must("ip link set eth0 down");
        if (queues) guest.must("ethtool -L eth0 combined 1");
        guest.must("ethtool -G eth0 rx 4096 && ip link set eth0 up");
        EXPECT_TRUE(carrier_becomes(guest, true));
        EXPECT_THAT(guest.must("dmesg"),
                    testing::AllOf(Not(HasSubstr("oom-kill")), Not(HasSubstr("Out of memory")),
                                   Not(HasSubstr("page allocation failure"))));
        guest.must("rmmod igbook");
        guest.power_off();
    }
}

}  // namespace
}  // namespace fwts::driver
