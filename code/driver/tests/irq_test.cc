// SPDX-License-Identifier: GPL-2.0
/// @file
/// Stage 05: the card's three ways to interrupt, each with traffic; which CPU serves; what the
/// driver tells the card and in which order. A burst that is answered to the last frame shows that
/// no interrupt was lost: nothing else comes that would wake the driver for what was left over.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <sstream>

#include "frame.h"
#include "support.h"

namespace fwts::driver {
namespace {

using sandbox::Guest;
using sandbox::RegisterLog;
using testing::ContainsRegex;

constexpr std::uint32_t kRdh = sandbox::registers::RDH0;
constexpr std::uint32_t kStatus = sandbox::registers::STATUS;
constexpr std::uint32_t kLinkUp = sandbox::registers::STATUS_LU;
constexpr std::uint32_t kIms = sandbox::registers::IMS;
constexpr std::uint32_t kImc = sandbox::registers::IMC;
constexpr std::uint32_t kEims = sandbox::registers::EIMS;
constexpr std::uint32_t kEimc = sandbox::registers::EIMC;
constexpr std::uint32_t kEitr0 = sandbox::registers::EITR0;
constexpr std::uint64_t kLsc = sandbox::registers::ICR_LSC;  // IMS: link status change
constexpr std::uint64_t kQueueCauses =
    sandbox::registers::ICR_TXDW | sandbox::registers::ICR_RXDW;  // IMS, IMC: TXDW and RXDW

/// One line of /proc/interrupts: what each CPU has counted.
struct InterruptLine {
    unsigned irq = 0;
    std::vector<unsigned long> counts;
    std::string rest;

    [[nodiscard]] unsigned long sum() const {
        unsigned long total = 0;
        for (const auto count : counts) total += count;
        return total;
    }
};

/// The line of the interrupt called @p name.
InterruptLine interrupt(Guest& guest, const std::string& name) {
    std::istringstream words(interrupt_line(guest, name));
    InterruptLine line;
    char colon = 0;
    words >> line.irq >> colon;
    for (unsigned long count = 0; words >> count;) line.counts.push_back(count);
    words.clear();
    std::getline(words, line.rest);
    return line;
}

/// The column @p column (from 0) of /proc/net/softnet_stat for each CPU: 0 is "processed".
std::vector<unsigned long> softnet(Guest& guest, unsigned column) {
    std::istringstream lines(guest.get("/proc/net/softnet_stat"));
    std::vector<unsigned long> values;
    for (std::string line; std::getline(lines, line);)
        values.push_back(std::stoul(line.substr(column * 9, 8), nullptr, 16));
    return values;
}

/// Loads the stage in one mode and brings the interface up, with the host as a known neighbour.
void bring_up(Guest& guest, const std::string& mode) {
    guest.must(std::string("insmod ") + kDriver + " irq_mode=" + mode +
               " && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up"
               " && ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0");
    ASSERT_TRUE(carrier_becomes(guest, true));
}

/// Sends @p count echo requests at once. @return how many were answered.
unsigned burst(Guest& guest, unsigned count, std::uint16_t first) {
    for (unsigned i = 0; i < count; i++)
        guest.cable().send(sandbox::ping(0x1dea, static_cast<std::uint16_t>(first + i)));
    unsigned answered = 0;
    while (answered < count && guest.cable().expect(sandbox::is_icmp_echo_reply(), 20s)) answered++;
    return answered;
}

/// Bursts of random length, each of which must be answered to the last frame.
void expect_nothing_lost(Guest& guest, std::mt19937_64& random, unsigned bursts) {
    std::uniform_int_distribution<unsigned> length(1, 40);
    for (unsigned i = 0; i < bursts; i++) {
        const unsigned count = length(random);
        ASSERT_EQ(burst(guest, count, 0), count) << "burst " << i << " of " << count;
    }
}

/// The cable is pulled and put back: of a link that is there the watchdog does not ask, so only LSC
/// can tell that it goes.
void check_link(Guest& guest, const std::string& name) {
    for (const bool up : {false, true}) {
        const auto before = interrupt(guest, name).sum();
        guest.qmp().set_link(up);
        ASSERT_TRUE(carrier_becomes(guest, up)) << "LSC was not heard";
        EXPECT_GT(interrupt(guest, name).sum(), before);
    }
}

/// Closes and opens the interface while frames keep arriving, then asks whether it still works.
void check_down_in_traffic(Guest& guest) {
    for (int round = 0; round < 2; round++) {
        for (std::uint16_t i = 0; i < 60; i++) guest.cable().send(sandbox::ping(0xdead, i));
        guest.must(
            "ip link set eth0 down && ip link set eth0 up"
            " && ip neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0");
    }
    ASSERT_TRUE(carrier_becomes(guest, true));
    // What waited on the cable is answered first, with its own identifier: wait for one of ours.
    guest.cable().send(sandbox::ping(0x1dea, 1));
    EXPECT_TRUE(guest.cable().expect(
        [](const sandbox::Frame& frame) {
            const auto parsed = sandbox::parse(frame);
            return sandbox::is_icmp_echo_reply()(frame) && parsed && parsed->l4_offset != 0 &&
                   frame[parsed->l4_offset + 4] == 0x1d && frame[parsed->l4_offset + 5] == 0xea;
        },
        20s));
    guest.cable().clear();
}

/// What a mode must look like in /proc/interrupts, and by which registers it is masked.
struct Mode {
    std::string parameter;
    std::string queues;  ///< name of the interrupt of the queues
    std::string other;   ///< ... and of the one that speaks of the link
    std::string chip;
    std::uint32_t set, clear;
    std::uint64_t bits;
};

const std::vector<Mode> kModes = {
    {"msix", "eth0-rxtx-0", "eth0-other", "MSI-?X", kEims, kEimc, 1},
    {"msi", "eth0", "eth0", "MSI-", kIms, kImc, kQueueCauses},
    {"intx", "eth0", "eth0", "IO-APIC.*fasteoi", kIms, kImc, kQueueCauses}};

/// @return the order of the first write to @p reg that has all of @p bits.
template <typename Register>
std::size_t first(const RegisterLog& log, Register reg, std::uint64_t bits = 0) {
    for (const auto& write : log.writes(reg))
        if ((write.value & bits) == bits) return write.order;
    ADD_FAILURE() << "no write to " << reg << " with " << bits;
    return 0;
}

void check_msix_registers(const RegisterLog& up) {
    EXPECT_EQ(up.last("IVAR(0)"), 0x8080U) << "receive and transmit of queue 0 to vector 0";
    EXPECT_EQ(up.last("IVAR_MISC"), 0x8100U) << "the rest to vector 1";
    EXPECT_EQ(up.last("GPIE"), 0xc0000011U) << "PBA, EIAME, MSIX_MODE, NSICR";
    EXPECT_EQ(up.last("EIAC"), 3U);
    EXPECT_EQ(up.last("EIAM"), 1U);
    EXPECT_LT(first(up, "GPIE", 1U << 4), first(up, "EIAC")) << "or EIAC is dropped";
    EXPECT_LT(first(up, "GPIE", 1U << 4), first(up, "EIAM"));
    EXPECT_LT(first(up, "EIAC"), first(up, kEims, 2));
    for (const auto& write : up.writes(kIms))
        EXPECT_EQ(write.value, kLsc) << "queues interrupt by EIMS";
}

void check_single_registers(const RegisterLog& up) {
    EXPECT_EQ(up.last("IVAR(0)"), 0x8080U) << "without an entry transmit raises no cause";
    for (const char* reg : {"GPIE", "EIAC", "EIMS"}) EXPECT_TRUE(up.writes(reg).empty()) << reg;
}

/// Routes before frames can come, unmasks when there is something to serve.
void check_up_registers(const RegisterLog& up, const Mode& mode) {
    EXPECT_LT(first(up, "IVAR(0)"), first(up, "RCTL", 1U << 1)) << "a cause without an entry";
    EXPECT_LT(first(up, "RXDCTL(0)", 1U << 25), first(up, mode.set, mode.bits));
    mode.parameter == "msix" ? check_msix_registers(up) : check_single_registers(up);
}

/// Masked, served, unmasked, and never unmasked without having been masked.
void check_masking(const RegisterLog& log, const Mode& mode) {
    const auto masks = log.writes(mode.clear);
    const auto unmasks = log.writes(mode.set);
    ASSERT_FALSE(masks.empty());
    ASSERT_FALSE(unmasks.empty());
    EXPECT_LT(masks.front().order, unmasks.front().order);
    EXPECT_EQ(masks.front().value, mode.bits);
    EXPECT_EQ(unmasks.front().value, mode.bits);
    EXPECT_GE(masks.size(), unmasks.size());
}

void check_down_registers(const RegisterLog& down) {
    const auto reset = first(down, "CTRL", 1U << 26);
    EXPECT_LT(first(down, kEimc, 0xffffffffU), reset) << "reset with interrupts on";
    EXPECT_LT(first(down, kImc, 0xffffffffU), reset);
}

/// Queue 0 has its home on CPU 0; moved to CPU 1, all its work goes along: interrupt and backlog.
void check_affinity(Guest& guest) {
    const unsigned irq = interrupt(guest, "eth0-rxtx-0").irq;
    const std::string file = "/proc/irq/" + std::to_string(irq);
    EXPECT_EQ(guest.get(file + "/affinity_hint"), "1\n");
    for (const unsigned cpu : {1U, 0U}) {
        guest.put(file + "/smp_affinity", std::to_string(1U << cpu));
        ASSERT_EQ(burst(guest, 1, 0), 1U) << "the next interrupt carries out the move";
        const auto interrupts = interrupt(guest, "eth0-rxtx-0").counts;
        const auto backlog = softnet(guest, 0);
        ASSERT_EQ(burst(guest, 30, 0), 30U);
        const auto interrupts_after = interrupt(guest, "eth0-rxtx-0").counts;
        const auto backlog_after = softnet(guest, 0);
        EXPECT_GT(interrupts_after[cpu], interrupts[cpu]);
        EXPECT_EQ(interrupts_after[1 - cpu], interrupts[1 - cpu]);
        EXPECT_GE(backlog_after[cpu], backlog[cpu] + 30) << "backlog of the CPU that served";
        EXPECT_LT(backlog_after[1 - cpu], backlog[1 - cpu] + 30);
    }
}

/// Where a user has put an interrupt it stays when the interface is opened again.
void check_affinity_is_kept(Guest& guest) {
    const std::string file =
        "/proc/irq/" + std::to_string(interrupt(guest, "eth0-rxtx-0").irq) + "/";
    guest.put(file + "smp_affinity", "2");
    ASSERT_EQ(burst(guest, 1, 0), 1U) << "the next interrupt carries out the move";
    guest.must("ip link set eth0 down && ip link set eth0 up");
    EXPECT_EQ(guest.get(file + "smp_affinity"), "2\n");
    EXPECT_EQ(guest.get(file + "affinity_hint"), "1\n");
}

/// Everything that must hold in one mode, from loading to unloading.
void check_mode(Guest& guest, const Mode& mode, std::mt19937_64& random) {
    SCOPED_TRACE(mode.parameter);
    const auto start = guest.registers().all().size();
    ASSERT_NO_FATAL_FAILURE(bring_up(guest, mode.parameter));
    check_up_registers(guest.registers().since(start), mode);
    const auto before = interrupt(guest, mode.queues);
    EXPECT_THAT(before.rest, ContainsRegex(mode.chip));

    const auto idle = guest.registers().all().size();
    ASSERT_EQ(burst(guest, 8, 0), 8U);
    EXPECT_GT(interrupt(guest, mode.queues).sum(), before.sum());
    check_masking(guest.registers().since(idle), mode);
    check_link(guest, mode.other);
    expect_nothing_lost(guest, random, 8);
    if (mode.parameter == "msix") check_affinity(guest);
    check_down_in_traffic(guest);
    if (mode.parameter == "msix") check_affinity_is_kept(guest);

    const auto end = guest.registers().all().size();
    guest.must("ip link set eth0 down");
    check_down_registers(guest.registers().since(end));
    guest.must("rmmod igbook");
    EXPECT_THAT(guest.get("/proc/interrupts"), testing::Not(testing::HasSubstr("eth0")));
}

/// A frame comes when the rings are there and nobody serves them yet. An interrupt for the link
/// reads its cause, and so clears it. The frame must be taken all the same, without another.
void check_early_frame(Guest& guest, const std::string& mode) {
    SCOPED_TRACE(mode);
    guest.must(std::string("insmod ") + kDriver + " irq_mode=" + mode);
    std::optional<SlowCall> slow(std::in_place, guest, "symbol=igbook_rings_enable after=1");
    guest.must("(ip link set eth0 up >/dev/null 2>&1 &)");
    ASSERT_TRUE(slow->entered());
    // The driver has not asked for a link yet; a cable that is put in makes one.
    guest.qmp().set_link(false);
    guest.qmp().set_link(true);
    ASSERT_TRUE(eventually([&] { return (guest.read_register(kStatus) & kLinkUp) != 0; }));
    guest.cable().send(
        sandbox::ethernet(sandbox::kGuestMac, sandbox::kHostMac, 0x88b5, sandbox::Frame(100)));
    ASSERT_TRUE(eventually([&] { return guest.read_register(kRdh) == 1; }));
    const auto before = interrupt(guest, "eth0").sum();
    guest.qmp().set_link(false);
    ASSERT_TRUE(eventually([&] { return interrupt(guest, "eth0").sum() > before; }));
    guest.qmp().set_link(true);
    slow->let_go();
    EXPECT_TRUE(carrier_becomes(guest, true));
    EXPECT_TRUE(eventually([&] {
        return guest.get("/sys/class/net/eth0/statistics/rx_packets") == "1\n";
    })) << "the frame waits for the next one";
    slow.reset();
    guest.must("rmmod igbook");
}

/// The carrier comes while the first opening still makes the rings, and pktgen, which asks for
/// nothing but the carrier and a queue that is not stopped, sends: its frames wait for the rings.
void check_send_before_rings(Guest& guest) {
    const HeldDevice held(guest);
    guest.must(std::string("insmod ") + kDriver);
    // The driver has not asked for a link yet; a cable that is put in makes one.
    guest.qmp().set_link(false);
    guest.qmp().set_link(true);
    ASSERT_TRUE(eventually([&] { return (guest.read_register(kStatus) & kLinkUp) != 0; }));
    guest.must("insmod /modules/pktgen.ko");
    SlowCall slow(guest, "symbol=igbook_rings_alloc");
    guest.must("(ip link set eth0 up >/dev/null 2>&1 &)");
    ASSERT_TRUE(slow.entered());
    ASSERT_TRUE(
        eventually([&] { return guest.must("dmesg").find("link is up") != std::string::npos; }));
    guest.put("/proc/net/pktgen/kpktgend_1", "add_device eth0\n");
    for (const char* word : {"count 3", "dst 192.0.2.1", "dst_mac 02:00:00:00:00:01"})
        guest.put("/proc/net/pktgen/eth0", std::string(word) + "\n");
    const auto sent = [&] {
        return guest.get("/proc/net/pktgen/eth0").find("pkts-sofar: 3 ") != std::string::npos;
    };
    guest.start({"sh", "-c", "echo start >/proc/net/pktgen/pgctrl"});
    EXPECT_TRUE(eventually([&] {
        return guest.get("/proc/net/pktgen/kpktgend_1").find("Running: eth0") != std::string::npos;
    }));
    EXPECT_FALSE(eventually(sent, 1s)) << "sent into rings that are not there";
    slow.let_go();
    EXPECT_TRUE(eventually(sent));
    guest.put("/proc/net/pktgen/kpktgend_1", "rem_device_all\n");
    guest.must("rmmod pktgen igbook");
}

/// Another driver's pauses outlast the reset of the card, but not the opening of the interface.
void check_pauses_left_behind(Guest& guest) {
    const HeldDevice held(guest);
    const std::array<std::uint32_t, 2> pauses = {kEitr0, kEitr0 + 4};
    for (const auto pause : pauses)
        guest.must(std::string("poke ") + kDevice + " " + std::to_string(pause) + " 0x7d00");
    ASSERT_NO_FATAL_FAILURE(bring_up(guest, "msix"));
    for (const auto pause : pauses) EXPECT_EQ(guest.read_register(pause), 0U) << pause;
    guest.must("rmmod igbook");
}

/// A word that means nothing is refused, not taken for another; left to itself the driver takes
/// the best there is: MSI when MSI-X is refused, then the line.
void check_choice(Guest& guest) {
    const HeldDevice held(guest);
    guest.must(std::string("insmod ") + kDriver + " irq_mode=none");
    EXPECT_NE(guest.run("ip link show eth0").status, 0);
    guest.must("rmmod igbook");
    for (unsigned refused = 0; refused < kModes.size(); refused++) {
        guest.must(std::string("insmod ") + kFailcall +
                   " symbol=pci_alloc_irq_vectors value=-28 count=" + std::to_string(refused));
        ASSERT_NO_FATAL_FAILURE(bring_up(guest, "auto"));
        guest.must("rmmod failcall");
        EXPECT_THAT(interrupt(guest, kModes[refused].queues).rest,
                    ContainsRegex(kModes[refused].chip));
        EXPECT_EQ(burst(guest, 4, 0), 4U);
        guest.must("rmmod igbook");
    }
}

TEST(Irq, EachModeCarriesTrafficAndLosesNothing) {
    const char* given = std::getenv("FWTS_SEED");
    const std::uint64_t seed = given ? std::strtoull(given, nullptr, 0) : 5;
    std::cout << "seed " << seed << " (FWTS_SEED)\n";
    std::mt19937_64 random(seed);
    sandbox::Options options = strict("05");
    options.cpus = 2;
    options.record_registers = true;
    options.files.push_back({FWTS_POKE, "/bin/poke"});
    options.files.push_back({kernel_module("pktgen"), "/modules/pktgen.ko"});
    Guest guest = Guest::boot(options);
    guest.must("dmesg -c");
    // No protocol may send frames of its own: the registers are looked at between bursts.
    silence(guest);
    for (const Mode& mode : kModes) ASSERT_NO_FATAL_FAILURE(check_mode(guest, mode, random));
    for (const char* mode : {"msi", "intx"})
        ASSERT_NO_FATAL_FAILURE(check_early_frame(guest, mode));
    ASSERT_NO_FATAL_FAILURE(check_pauses_left_behind(guest));
    expect_silent_log(guest);
    ASSERT_NO_FATAL_FAILURE(check_send_before_rings(guest));
    ASSERT_NO_FATAL_FAILURE(check_choice(guest));
    expect_no_complaint(guest, "irq_mode=none");
    guest.power_off();
}

}  // namespace
}  // namespace fwts::driver
