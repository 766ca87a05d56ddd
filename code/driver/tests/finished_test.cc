// SPDX-License-Identifier: GPL-2.0
/// @file
/// Stage 10, the finished driver, in what may befall it: the card is pulled out in the middle of
/// anything, the machine is switched off, and there is no MSI-X.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>

#include "failure.h"
#include "frame.h"
#include "kernel_log.h"
#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;
using sandbox::RegisterLog;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

/// Loads the driver and brings the interface up.
void bring_up(Guest& guest) {
    guest.must(std::string("insmod ") + kDriver +
               " && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up");
    ASSERT_TRUE(carrier_becomes(guest, true));
}

bool answers(Guest& guest, unsigned count = 1) {
    return guest.run("ping -i 0.05 -W 20 -c " + std::to_string(count) + " 192.0.2.1").ok();
}

// --- pulled out ---------------------------------------------------------------------------------

const std::string kSysfs = std::string("/sys/bus/pci/devices/") + kDevice;

/// Of the guest's clock, for a command whose longest wait takes five (the link of the self test).
constexpr double kSeconds = 20;

/// What the driver says when it has waited for the card in vain.
const std::string kPatience = "stay taken|still under way|does not (stop|start)$";

/// What of the guest's the host does while the card goes.
enum class Host { kNothing, kSends, kPullsPlug };

/// What the driver is doing when the card goes, and in which of its calls that happens.
struct Operation {
    std::string command;
    std::vector<std::string> at;  ///< of them all only at full depth
    bool brief = false;           ///< the first is tried in every run
    bool up = true;               ///< the interface, before
    Host host = Host::kNothing;
};

const std::vector<Operation> kOperations = {
    {.command = "ip link set eth0 up",
     .at = {"igbook_rings_enable", "igbook_set_rar", "igbook_rss_write", "igbook_irq_start",
            "request_threaded_irq", "igbook_rings_alloc", "dma_alloc_attrs", "page_pool_create",
            "igbook_ring_enable", "igbook_units_enable", "igbook_service_start",
            "igbook_link_start", "igbook_phy_write", "usleep_range_state"},
     .brief = true,
     .up = false},
    {.command = "ip link set eth0 down",
     .at = {"igbook_ring_disable", "igbook_link_stop", "igbook_vector_stop", "igbook_rings_disable",
            "igbook_dma_master_disable", "igbook_irq_stop", "igbook_stats_update",
            "igbook_hw_reset", "igbook_rings_free", "usleep_range_state"},
     .brief = true},
    {.command = "ethtool -G eth0 rx 64 tx 64",
     .at = {"igbook_tx_ring_enable", "igbook_service_stop", "igbook_units_disable",
            "igbook_ring_disable", "usleep_range_state", "igbook_rx_clean", "igbook_rss_spread",
            "igbook_rx_ring_enable", "igbook_units_enable", "igbook_service_start"},
     .brief = true},
    {.command = "ethtool -L eth0 combined 2",
     .at = {"igbook_irq_add_queue", "igbook_irq_route", "igbook_tx_spread", "igbook_rss_write",
            "igbook_irq_remove", "netif_set_real_num_queues"}},
    {.command = "ip link set eth0 mtu 4000",
     .at = {"igbook_set_frame_size", "igbook_ring_disable", "igbook_rx_ring_enable"}},
    {.command = "ethtool -t eth0 offline",
     .at = {"igbook_set_loopback", "igbook_nvm_validate", "request_threaded_irq",
            "wait_for_completion_timeout", "igbook_hw_reset", "igbook_rings_enable",
            "igbook_phy_restart_autoneg", "igbook_rx_test", "igbook_up", "igbook_attach"},
     .brief = true},
    {.command = "echo mem >/sys/power/state",
     .at = {"igbook_wake_end", "igbook_wake_arm", "igbook_down", "igbook_clock_stop",
            "igbook_drv_load", "igbook_linkset_write", "igbook_back", "pci_save_state", "igbook_up",
            "igbook_attach"},
     .brief = true},
    {.command = "echo 1 >" + kSysfs + "/reset",
     .at = {"igbook_dma_master_disable", "igbook_drv_load", "igbook_set_resetting", "igbook_back",
            "igbook_attach"}},
    {.command = "ethtool -e eth0", .at = {"igbook_swfw_acquire", "igbook_swfw_release"}},
    {.command = "ethtool -E eth0 magic 0x10c98086 offset 6 value 0x12",
     .at = {"usleep_range_state", "igbook_nvm_read", "igbook_swfw_release"}},
    {.command = "ethtool -s eth0 advertise 0x008",
     .at = {"igbook_phy_write", "igbook_link_stop", "igbook_linkset_write", "igbook_phy_read",
            "igbook_swfw_release"}},
    {.command = "ethtool -r eth0",
     .at = {"usleep_range_state", "igbook_link_stop", "igbook_linkset_write", "igbook_swfw_acquire",
            "igbook_swfw_release", "igbook_phy_restart_autoneg"},
     .brief = true},
    // The plug is pulled and put back: the link work asks the PHY.
    {.command = "",
     .at = {"igbook_phy_read", "igbook_swfw_acquire", "usleep_range_state", "netif_carrier_off",
            "igbook_link_changed", "igbook_flow_write", "igbook_ctrl_change", "netif_carrier_on"},
     .host = Host::kPullsPlug},
    {.command = "",
     .at = {"napi_gro_receive", "igbook_vector_mask", "igbook_vector_wake", "igbook_tx_clean",
            "igbook_rx_clean", "napi_complete_done", "igbook_moderate", "igbook_vector_unmask"},
     .brief = true,
     .host = Host::kSends},
    {.command = "ping -c 3 -i 0.05 -W 1 -s 1000 192.0.2.1", .at = {"dma_map_page_attrs"}},
    {.command = "ethtool -S eth0", .at = {"igbook_stats_update", "igbook_clock_counters"}},
    {.command = "ethtool eth0", .at = {"igbook_phy_read"}},
    {.command = "rmmod igbook",
     .at = {"unregister_netdev", "igbook_down", "igbook_hw_reset", "igbook_drv_load",
            "igbook_recover_end", "igbook_clock_remove", "igbook_irq_free"},
     .brief = true},
    {.command = "echo 1 >" + kSysfs + "/remove",
     .at = {"igbook_link_stop", "igbook_dca_remove", "igbook_rings_disable", "igbook_drv_load",
            "igbook_clock_remove"}}};

double uptime(Guest& guest) {
    return std::stod(guest.get("/proc/uptime"));
}

/// What is done, whatever its end, is done in time.
void expect_in_seconds(Guest& guest, const std::string& what, const std::function<void()>& act) {
    const double start = uptime(guest);
    act();
    EXPECT_LT(uptime(guest) - start, kSeconds) << what;
}

/// Does it, until the card has gone.
void lose_card(Guest& guest, const Operation& operation) {
    if (!operation.command.empty()) guest.run(operation.command, {.limit = 120s});
    if (operation.host == Host::kPullsPlug) {
        guest.qmp().set_link(false);
        guest.qmp().set_link(true);
    }
    EXPECT_TRUE(eventually([&] {
        if (operation.host == Host::kSends)
            for (int i = 0; i < 100; i++) guest.cable().try_send(sandbox::udp(9, "flood"));
        return content(guest, "/sys/module/vanish/parameters/done") == "Y\n";
    })) << "it is still there";
}

/// What it cannot have been told to leave alone it is kept from, when the rings are freed.
void check_kept_from_memory(Guest& guest) {
    if (content(guest, kSysfs + "/enable").empty() || !masters(guest)) return;
    EXPECT_EQ(guest.read_register(kRdlen0), 0U) << "it was not reset and may write to memory";
    EXPECT_EQ(guest.read_register(kTdlen0), 0U);
}

/// The interface is taken down and the driver unloaded, if that has not been done yet.
void take_away(Guest& guest) {
    expect_in_seconds(guest, "down",
                      [&] { guest.must("[ ! -e /sys/class/net/eth0 ] || ip link set eth0 down"); });
    check_kept_from_memory(guest);
    expect_in_seconds(guest, "unloading",
                      [&] { guest.must("[ ! -e /sys/module/igbook ] || rmmod igbook"); });
    guest.must("rmmod vanish");
    EXPECT_EQ(guest.must("dmesg | grep -E '" + kPatience + "' || :"), "") << "waited for nobody";
}

/// Another one is put in. The bus has not noticed anything, so it is told.
void put_back(Guest& guest) {
    guest.must("[ -e " + kSysfs + " ] || echo 1 >/sys/bus/pci/rescan");
    guest.put(kSysfs + "/reset", "1");  // as after power on
}

void check_loss(Guest& guest, const Operation& operation, const std::string& at) {
    const testing::ScopedTrace trace(
        __FILE__, __LINE__,
        (operation.command.empty() ? "link or frames" : operation.command) + ": " + at);
    if (operation.up) {
        bring_up(guest);
        ASSERT_TRUE(answers(guest));
    } else {
        guest.must(std::string("insmod ") + kDriver);
    }
    guest.must(std::string("insmod ") + kVanish + " rom=" + Ones::kRom + " at=" + at);
    expect_in_seconds(guest, "operation", [&] { lose_card(guest, operation); });
    take_away(guest);
    put_back(guest);
    expect_silent_log(guest);
}

TEST(Finished, EndsInSecondsWheneverTheCardGoes) {
    sandbox::Options options = strict("10");
    options.peer = true;
    const Ones ones(options);
    Guest guest = Guest::boot(options);
    silence(guest);
    guest.must(
        "dmesg -c >/dev/null; echo 0 >/sys/module/suspend/parameters/pm_test_delay && "
        "echo devices >/sys/power/pm_test");
    const bool all = std::getenv("FWTS_FULL") != nullptr;
    for (const Operation& operation : kOperations) {
        for (const std::string& at : operation.at) {
            if (!all && (!operation.brief || at != operation.at.front())) continue;
            ASSERT_NO_FATAL_FAILURE(check_loss(guest, operation, at));
        }
    }
    bring_up(guest);
    EXPECT_TRUE(answers(guest)) << "after all of that";
    guest.must("rmmod igbook");
    expect_no_complaint(guest);
    guest.power_off();
}

// --- switched off -------------------------------------------------------------------------------

constexpr std::uint64_t kReset = sandbox::registers::CTRL_RST;
constexpr std::uint64_t kReceive = sandbox::registers::RCTL_RXEN;
constexpr std::uint64_t kTransmit = sandbox::registers::TCTL_EN;
constexpr std::uint64_t kQueueOn = sandbox::registers::RXDCTL_ENABLE;  // TXDCTL: the same bit

/// @return the last value that @p reg was given; before write @p order, if there is one.
std::uint64_t last(const RegisterLog& log, const std::string& reg, std::size_t order = SIZE_MAX) {
    std::optional<std::uint64_t> value;
    for (const auto& write : log.writes(reg))
        if (write.order < order) value = write.value;
    EXPECT_TRUE(value) << reg << " was not written";
    return value.value_or(0);
}

/// Stopped in order before write @p reset.
void check_stopped(const RegisterLog& log, std::size_t reset) {
    EXPECT_EQ(last(log, "RXDCTL(0)", reset) & kQueueOn, 0U);
    EXPECT_EQ(last(log, "TXDCTL(0)", reset) & kQueueOn, 0U);
    EXPECT_EQ(last(log, "RCTL", reset) & kReceive, 0U);
    EXPECT_EQ(last(log, "TCTL", reset) & kTransmit, 0U);
    EXPECT_NE(last(log, "CTRL", reset) & sandbox::registers::CTRL_GIO_MASTER_DISABLE, 0U);
    EXPECT_EQ(last(log, "EIMC", reset), 0xffffffffU);
}

/// What it knows of memory is nothing, and no driver is in charge.
void check_silent(const RegisterLog& after) {
    for (const char* reg : {"RDBAL(0)", "TDBAL(0)", "RDLEN(0)", "TDLEN(0)", "RXDCTL(0)",
                            "TXDCTL(0)", "RDT(0)", "TDT(0)", "TCTL", "EIMS", "IMS"})
        EXPECT_TRUE(after.writes(reg).empty()) << reg;
    EXPECT_EQ(last(after, "CTRL_EXT") & sandbox::registers::CTRL_EXT_DRV_LOAD, 0U);
}

/// It takes what may wake the machine, or nothing.
void check_wakes(const RegisterLog& after, bool wakes) {
    if (!wakes) {
        for (const auto& write : after.writes("RCTL")) EXPECT_EQ(write.value & kReceive, 0U);
        EXPECT_TRUE(after.writes("WUFC").empty());
        return;
    }
    EXPECT_NE(last(after, "RCTL") & kReceive, 0U);
    EXPECT_EQ(last(after, "RAL(0)"), 0x12005452U) << "whom the packet is for";
    EXPECT_EQ(last(after, "RAH(0)") & 0x8000ffffU, 0x80005634U);
    EXPECT_NE(last(after, "WUC") & 2U, 0U) << "PME_EN";
    EXPECT_EQ(last(after, "WUFC"), 2U) << "a magic packet";
}

/// Frames pass both ways when the machine ends.
void check_end(bool wol, const std::function<void(Guest& guest)>& end, bool wakes) {
    sandbox::Options options = strict("10");
    options.record_registers = true;
    options.peer = true;
    Guest guest = Guest::boot(options);
    silence(guest);
    ASSERT_NO_FATAL_FAILURE(bring_up(guest));
    if (wol) guest.must("ethtool -s eth0 wol g");
    const std::size_t mark = guest.registers().all().size();
    guest.start({"ping", "-q", "-A", "192.0.2.1"});
    EXPECT_TRUE(eventually([&] { return statistic(guest, "rx_packets") > 50; }));
    for (int i = 0; i < 50; i++) guest.cable().try_send(sandbox::udp(9, "flood"));
    end(guest);
    const RegisterLog log = guest.registers().since(mark);
    std::vector<std::size_t> resets;
    for (const auto& write : log.writes("CTRL"))
        if ((write.value & kReset) != 0) resets.push_back(write.order);
    ASSERT_EQ(resets.size(), 1U);
    check_stopped(log, resets[0]);
    check_silent(log.since(resets[0]));
    check_wakes(log.since(resets[0]), wakes);
    EXPECT_THAT(sandbox::find_complaints(guest.console().text()), testing::IsEmpty());
}

TEST(Finished, LeavesASilentCardWhenTheMachineEnds) {
    const auto power_off = [](Guest& guest) { guest.power_off(); };
    const auto restart = [](Guest& guest) {
        EXPECT_THROW(guest.run("reboot -f"), sandbox::Reboot);
    };
    {
        SCOPED_TRACE("switched off");
        ASSERT_NO_FATAL_FAILURE(check_end(false, power_off, false));
    }
    {
        SCOPED_TRACE("switched off, to be woken");
        ASSERT_NO_FATAL_FAILURE(check_end(true, power_off, true));
    }
    SCOPED_TRACE("restarted");
    ASSERT_NO_FATAL_FAILURE(check_end(true, restart, false));
}

// --- without MSI-X ------------------------------------------------------------------------------

/// Echo requests, all at once: one that is left over has nothing behind it that would wake anybody.
void check_burst(Guest& guest, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        guest.cable().send(sandbox::ping(0x1dea, static_cast<std::uint16_t>(i)));
    for (unsigned i = 0; i < count; i++)
        ASSERT_TRUE(guest.cable().expect(sandbox::is_icmp_echo_reply(), 20s)) << i << " answered";
}

/// Of a link that is there only its interrupt tells that it goes.
void check_link(Guest& guest) {
    for (const bool up : {false, true}) {
        guest.qmp().set_link(up);
        EXPECT_TRUE(carrier_becomes(guest, up));
    }
}

/// All that is done by one vector.
void check_one_vector(Guest& guest, const std::string& chip) {
    EXPECT_THAT(interrupt_line(guest, "eth0"), ContainsRegex(chip));
    check_burst(guest, 40);
    EXPECT_TRUE(answers(guest, 10));
    check_link(guest);
    EXPECT_THAT(guest.must("ethtool -l eth0"), ContainsRegex("Combined:[ \t]*1\n.*\n(.*\n)*.*"
                                                             "Combined:[ \t]*1\n"));
    EXPECT_FALSE(guest.run("ethtool -L eth0 combined 2").ok());
    guest.must("ethtool -G eth0 rx 64 tx 64");
    check_burst(guest, 40);
    EXPECT_THAT(guest.must("ethtool -t eth0 offline"),
                AllOf(HasSubstr("PASS"), HasSubstr("interrupts (offline)\t 0")));
    EXPECT_TRUE(carrier_becomes(guest, true));
    check_burst(guest, 40);
    check_link(guest);
    guest.must("ip link set eth0 down && ip link set eth0 up");
    EXPECT_TRUE(carrier_becomes(guest, true));
    EXPECT_TRUE(answers(guest));
    guest.must("rmmod igbook");
    EXPECT_THAT(guest.get("/proc/interrupts"), testing::Not(HasSubstr("eth0")));
}

TEST(Finished, WorksWithOneInterrupt) {
    for (const bool msi : {true, false}) {
        SCOPED_TRACE(msi ? "MSI" : "INTx");
        sandbox::Options options = strict("10");
        options.peer = true;
        if (!msi) options.append = "pci=nomsi";
        Guest guest = Guest::boot(options);
        guest.must("dmesg -c");
        silence(guest);
        // MSI-X is asked for first.
        if (msi)
            guest.must(std::string("insmod ") + kFailcall +
                       " symbol=pci_alloc_irq_vectors value=-28");
        ASSERT_NO_FATAL_FAILURE(bring_up(guest));
        if (msi) guest.must("rmmod failcall");
        check_one_vector(guest, msi ? "MSI-" : "IO-APIC.*fasteoi");
        expect_no_complaint(guest);
        guest.power_off();
    }
}

}  // namespace
}  // namespace fwts::driver
