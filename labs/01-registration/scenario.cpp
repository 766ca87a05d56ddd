// SPDX-License-Identifier: GPL-2.0
// Lab 1, Registration: the checks. handout.md is the same list in the student's words.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "all_labs.h"
#include "bench.h"
#include "edit.h"
#include "expect.h"
#include "interface.h"

namespace fwts::labs {
namespace {

using grader::Bench;
using grader::Credit;
using grader::expect_bytes;
using grader::expect_carrier;
using grader::expect_equal;
using grader::expect_that;
using grader::interface;
using grader::load;
using grader::Mac;
using Seconds = Bench::Seconds;

// Offsets and bits as the 82576 datasheet names them.
constexpr std::uint32_t CTRL = 0x00000;
constexpr std::uint32_t CTRL_SLU = 1U << 6U;
constexpr std::uint32_t STATUS = 0x00008;
constexpr std::uint32_t STATUS_LU = 1U << 1U;
constexpr std::uint32_t CTRL_EXT = 0x00018;
constexpr std::uint32_t CTRL_EXT_DRV_LOAD = 1U << 28U;
constexpr std::uint32_t MDIC = 0x00020;
constexpr std::uint32_t MDIC_OP_READ = 1U << 27U;
constexpr std::uint32_t MII_BMSR = 1;
constexpr std::uint32_t RCTL = 0x00100;
constexpr std::uint32_t TCTL = 0x00400;
constexpr std::uint32_t RLPML = 0x05004;
constexpr std::uint32_t RAL0 = 0x05400;
constexpr std::uint32_t RAH0 = 0x05404;
constexpr std::uint32_t RAH_AV = 1U << 31U;

constexpr unsigned nvm_words = 64;

std::string sysfs(const Bench& bench) {
    return "/sys/bus/pci/devices/" + bench.pci_address();
}

/// The lines of a text that contain a word.
std::string lines_with(const std::string& word, const std::string& text) {
    std::istringstream in(text);
    std::string found;
    for (std::string line; std::getline(in, line);)
        if (line.find(word) != std::string::npos) found += line + "\n";
    return found;
}

std::string driver_of(Bench& bench) {
    return lines_with("DRIVER=", bench.text(sysfs(bench) + "/uevent"));
}

std::string claimed_regions(Bench& bench) {
    return lines_with("igbook", bench.text("/proc/iomem"));
}

// --- loads, identity, registers: what the skeleton can do already -----------------------------

void check_loads(Bench& bench) {
    load(bench);
    expect_equal("driver bound to the card", std::string("DRIVER=igbook\n"), driver_of(bench));
    const auto ctrl_ext = bench.reg(CTRL_EXT);
    expect_that((ctrl_ext & CTRL_EXT_DRV_LOAD) != 0, "CTRL_EXT, read from outside the guest",
                "DRV_LOAD set", fmt::format("{:#010x}", ctrl_ext));
    const auto ctrl = bench.reg(CTRL);
    expect_that((ctrl & CTRL_SLU) != 0, "CTRL, read from outside the guest", "SLU set",
                fmt::format("{:#010x}", ctrl));
}

void check_identity(Bench& bench) {
    const auto info = bench.must_run({"ethtool", "-i", interface(bench)});
    for (const auto& line : {std::string("driver: igbook"), "bus-info: " + bench.pci_address()})
        expect_that(info.find(line) != std::string::npos, "ethtool -i", line, info);
}

void check_registers(Bench& bench) {
    // Little-endian words in the order of the driver's dump. MDIC moves only while the interface
    // is up, so nothing changes between the two looks.
    constexpr std::array order{CTRL, STATUS, CTRL_EXT, MDIC, RCTL, TCTL, RLPML, RAL0, RAH0};
    const auto dump = bench.run({"ethtool", "-d", interface(bench), "raw", "on"}).out;
    std::string outside;
    for (const auto offset : order) {
        const auto value = bench.reg(offset);
        for (unsigned shift = 0; shift < 32; shift += 8)
            outside += static_cast<char>(value >> shift & 0xffU);
    }
    expect_bytes("ethtool -d, against the same registers read from outside the guest", outside,
                 dump);
}

// --- the address ------------------------------------------------------------------------------

void check_mac(Bench& bench) {
    const auto eth = interface(bench);
    Credit credit;
    credit.part(7, [&] {
        expect_equal("address of the interface; the card's is another in each run", bench.mac(),
                     bench.text("/sys/class/net/" + eth + "/address"));
    });
    credit.part(5, [&] {
        expect_equal("permanent address (ethtool -P)", "Permanent address: " + bench.mac(),
                     bench.must_run({"ethtool", "-P", eth}));
    });
    credit.part(3, [&] {
        expect_equal("addr_assign_type: 0 is the card's own, 1 is random", std::string("0"),
                     bench.text("/sys/class/net/" + eth + "/addr_assign_type"));
    });
    credit.done();
}

Mac address_in_filter(Bench& bench) {
    const std::uint64_t low = bench.reg(RAL0);
    const std::uint64_t high = bench.reg(RAH0);
    Mac mac;
    for (unsigned shift = 0; shift < 48; shift += 8)
        mac += fmt::format("{}{:02x}", mac.empty() ? "" : ":",
                           ((high & 0xffffU) << 32U | low) >> shift & 0xffU);
    return (high & RAH_AV) != 0 ? mac : mac + " (not valid)";
}

void check_filter(Bench& bench) {
    const auto eth = interface(bench);
    const auto before = bench.text("/sys/class/net/" + eth + "/address");
    for (const auto& mac : {grader::random_mac(bench.random()), before}) {
        bench.must_run({"ip", "link", "set", "dev", eth, "address", mac});
        expect_equal("RAL0 and RAH0 after ip link set address, read from outside the guest", mac,
                     address_in_filter(bench));
    }
}

// --- the link -----------------------------------------------------------------------------------

std::size_t reads_of_bmsr(const Bench& bench) {
    const auto writes = bench.writes();
    return static_cast<std::size_t>(
        std::count_if(writes.begin(), writes.end(), [](const grader::RegisterWrite& write) {
            return write.offset == MDIC && (write.value & MDIC_OP_READ) != 0 &&
                   (write.value >> 16U & 0x1fU) == MII_BMSR;
        }));
}

void check_carrier(Bench& bench) {
    const auto eth = interface(bench);
    const auto asked_before = reads_of_bmsr(bench);
    bench.must_run({"ip", "link", "set", "dev", eth, "up"});
    expect_carrier(bench, eth, true);
    for (const bool in : {false, true, false}) {
        bench.plug(in);
        expect_carrier(bench, eth, in);
        if (!in) expect_that((bench.reg(STATUS) & STATUS_LU) == 0, "STATUS", "LU clear", "LU set");
    }
    bench.plug(true);
    expect_that(reads_of_bmsr(bench) > asked_before, "MDIC, as QEMU recorded it",
                "reads of BMSR, the PHY's status", "none: the PHY was not asked");
    bench.must_run({"ip", "link", "set", "dev", eth, "down"});
}

/// Whatever became of the check, the next one finds the cable in and the interface down.
void check_carrier_and_tidy(Bench& bench) {
    try {
        check_carrier(bench);
    } catch (const grader::Failure&) {
        bench.plug(true);
        bench.sh("ip link set dev " + interface(bench) + " down");
        throw;
    }
}

// --- beyond the book ----------------------------------------------------------------------------

void check_ids(Bench& bench) {
    const auto module = grader::read_file(bench.module());
    for (const auto& id : {std::string("10c9"), bench.param("second_device")}) {
        std::string upper;
        for (const char c : id) upper += static_cast<char>(std::toupper(c));
        const std::string alias = fmt::format("alias=pci:v00008086d0000{}sv*sd*bc*sc*i*", upper);
        expect_that(module.find(alias) != std::string::npos, "device ids the module announces",
                    fmt::format("8086:{}", id), "no such entry in the id table");
    }
}

std::string nvm_image(const Bench& bench) {
    std::string image;
    for (unsigned number = 0; number < nvm_words; ++number) {
        const auto word = bench.nvm_word(number);
        image += static_cast<char>(word & 0xffU);
        image += static_cast<char>(word >> 8U);
    }
    return image;
}

void check_nvm_slice(Bench& bench, const std::string& file, const std::string& image) {
    // dd with skip=1 reads `size` bytes that begin at byte `size`.
    const auto size = 3 + bench.random()() % 58;
    const auto both =
        bench.sh(fmt::format("dd if={0} bs={1} skip=1 count=1; dd if={0} bs=128 "
                             "skip=1 count=1",
                             file, size));
    expect_bytes(fmt::format("{} bytes of the NVM's file from byte {} on, and then from its end",
                             size, size),
                 image.substr(size, size), both.out);
}

void check_nvm_readers(Bench& bench, const std::string& file, const std::string& image) {
    constexpr int readers = 2;
    constexpr int times = 8;
    const auto together =
        bench.sh(fmt::format("f={0}; cat $f $f $f $f $f $f $f $f > /tmp/nvm & "
                             "cat $f $f $f $f $f $f $f $f; wait; exec cat /tmp/nvm",
                             file));
    std::string expected;
    for (int i = 0; i < readers * times; ++i) expected += image;
    expect_that(together.out == expected, "the NVM's file read by two at once",
                "each gets the same image", "at least one got other bytes");
}

void check_nvm(Bench& bench) {
    const auto name = bench.param("nvm_file");
    const std::string file = sysfs(bench) + "/" + name;
    const auto image = nvm_image(bench);
    Credit credit;
    credit.part(8, [&] {
        expect_equal("mode of " + file, std::string("444"),
                     bench.must_run({"stat", "-c", "%a", file}));
        expect_bytes(name + ", against the NVM read from outside the guest", image,
                     bench.bytes(file));
    });
    credit.part(4, [&] { check_nvm_slice(bench, file, image); });
    credit.part(3, [&] { check_nvm_readers(bench, file, image); });
    credit.done();
}
// --- going, and going wrong ---------------------------------------------------------------------

void check_unload(Bench& bench) {
    bench.must_run({"ip", "link", "set", "dev", interface(bench), "up"});
    bench.must_run({"rmmod", "igbook"});
    const auto mark = bench.writes().size();
    grader::expect_released(bench);
    expect_equal("address ranges still claimed after rmmod (/proc/iomem)", std::string(),
                 claimed_regions(bench));
    grader::outwait_watchdog(bench);
    grader::expect_no_write(bench, mark, "after rmmod");
    load(bench);
    expect_equal("driver bound to the card after loading again", std::string("DRIVER=igbook\n"),
                 driver_of(bench));
}

/// Binds again and again, the Nth allocation in probe failing, until none is left to fail. Only
/// allocations with the module among the nine innermost frames of their stack count: probe's own
/// and what it calls directly, not all that registering a device comes to. A probe that fails
/// without the failing allocation having been reached still misses what an earlier one kept. One
/// line for each N: N, what bind returned, whether the driver is bound.
constexpr const char* unwind_script = R"(
d=/sys/kernel/debug/failslab
s=/sys/module/igbook/sections
# From the beginning of the module's code on: probe calls everything that counts here.
cat $s/.text > $d/require-start
echo 0xffffffffffffffff > $d/require-end
echo N > $d/ignore-gfp-wait
echo 0 > $d/verbose
read depth < $d/stacktrace-depth
echo 9 > $d/stacktrace-depth
exec 3> /sys/bus/pci/drivers/igbook/bind
n=0
while :; do
    n=$((n + 1))
    echo $n > /proc/self/fail-nth
    echo $ADDRESS >&3
    status=$?
    read left < /proc/self/fail-nth
    echo 0 > /proc/self/fail-nth
    bound=no
    [ -e $DEVICE/driver ] && bound=yes
    echo $n $status $bound
    [ $bound = yes ] && echo $ADDRESS > /sys/bus/pci/drivers/igbook/unbind
    [ "$left" != 0 ] && break
    [ $n -ge 60 ] && break
done 2>/dev/null
if [ ! -e $DEVICE/driver ]; then
    echo $ADDRESS >&3
    status=$?
    bound=no
    [ -e $DEVICE/driver ] && bound=yes
    echo last $status $bound
    [ $bound = yes ] && echo $ADDRESS > /sys/bus/pci/drivers/igbook/unbind
fi 2>/dev/null
exec 3>&-
echo 0 > $d/require-start
echo $depth > $d/stacktrace-depth
)";

void check_unwind(Bench& bench) {
    bench.must("unbind",
               fmt::format("echo {} > /sys/bus/pci/drivers/igbook/unbind", bench.pci_address()));
    const auto lines = bench.must(
        "failing allocations one by one",
        fmt::format("ADDRESS={} DEVICE={}\n{}", bench.pci_address(), sysfs(bench), unwind_script),
        Seconds(60));
    const auto last = lines.substr(lines.rfind('\n') + 1);
    const auto failed = std::count(lines.begin(), lines.end(), '\n');
    expect_that(failed >= 3, "allocations of probe that were made to fail", "several",
                fmt::format("{}; does probe allocate at all?", failed));
    expect_that(last.ends_with(" yes"),
                fmt::format("binding after {} failed attempts, each by another allocation", failed),
                "the driver binds as if nothing had happened",
                fmt::format("attempt, status, bound: {}", last));
    expect_equal("address ranges still claimed after unbind (/proc/iomem)", std::string(),
                 claimed_regions(bench));
}

void check_leaks(Bench& bench) {
    bench.must_run({"rmmod", "igbook"});
    grader::expect_nothing_lost(bench, "all that failed");
}

void add_what_the_skeleton_does(grader::Scenario& lab) {
    CHECK_POINTS(5, "the module loads and takes charge of the card")
        .id("loads")
        .hint(
            "After a good probe DRV_LOAD is set and the reset's loss of SLU made up for. What did "
            "the kernel log say?")
        .book("cov-c3")
        .run(check_loads);
    CHECK_POINTS(5, "ethtool -i names the driver and the card's place on the bus")
        .id("identity")
        .after("loads")
        .hint("ethtool_ops.get_drvinfo, and SET_NETDEV_DEV before register_netdev().")
        .book("cov-c4")
        .run(check_identity);
    CHECK_POINTS(5, "ethtool -d shows what the registers hold")
        .id("registers")
        .after("loads")
        .hint("get_regs_len says how many bytes get_regs fills; keep the order of the book.")
        .book("cov-c4")
        .run(check_registers);
}

void add_the_tasks(grader::Scenario& lab) {
    CHECK_POINTS(15, "the interface has the card's own address, also as the permanent one")
        .id("mac")
        .after("loads")
        .hint(
            "After a reset the card has copied the address from its NVM into RAL0 and RAH0, first "
            "byte lowest. eth_hw_addr_set() sets the current one only.")
        .book("cov-c9")
        .run(check_mac);
    CHECK_POINTS(5, "a new address reaches the card's first receive address register")
        .id("filter")
        .after("mac")
        .hint("RAH holds two bytes of the address and AV; write AV last.")
        .book("cov-c9")
        .run(check_filter);
    CHECK_POINTS(15, "the carrier follows the cable, out and in")
        .id("carrier")
        .after("loads")
        .hint("BMSR's link bit latches low: read it twice. STATUS.LU must agree.")
        .book("cov-c8")
        .run(check_carrier_and_tidy);
    CHECK_POINTS(5, "the driver also stands up for @second_name@, 8086:@second_device@")
        .id("ids")
        .after("loads")
        .hint("MODULE_DEVICE_TABLE makes an alias of each entry of the id table; see modinfo.")
        .book("cov-c2")
        .run(check_ids);
    CHECK_POINTS(15, "sysfs shows the NVM's 64 words, from any byte on, to several readers")
        .id("nvm")
        .after("loads")
        .hint(
            "A struct bin_attribute with a size; memory_read_from_buffer() cuts out the part. EERD "
            "is one register for all readers: which lock do the others hold?")
        .book("cov-c4")
        .run(check_nvm);
}

void add_the_end(grader::Scenario& lab) {
    CHECK_POINTS(10, "unloading with the interface up leaves nothing, loading works again")
        .id("unload")
        .after("loads")
        .hint(
            "remove is probe read backwards. Who still runs when the interface is gone? What is "
            "still claimed in /proc/iomem?")
        .book("cov-c6")
        .run(check_unload);
    CHECK_POINTS(15, "whichever allocation of probe fails, the next probe finds all free")
        .id("unwind")
        .after("unload")
        .hint(
            "Each label gives back one thing, in the reverse order of taking. A step that fails "
            "jumps to the label of the step before it.")
        .book("cov-c6")
        .run(check_unwind);
    CHECK_POINTS(5, "no memory is lost, however probe ended")
        .id("leaks")
        .after("unload")
        .hint("alloc_etherdev_mq() is undone by free_netdev(), on every way out.")
        .book("cov-c6")
        .run(check_leaks);
}

}  // namespace

grader::Scenario registration() {
    grader::Scenario lab("01-registration");
    add_what_the_skeleton_does(lab);
    add_the_tasks(lab);
    add_the_end(lab);
    return lab;
}

}  // namespace fwts::labs
