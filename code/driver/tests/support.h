// SPDX-License-Identifier: GPL-2.0
/// @file
/// What the driver's tests share: a strict guest with one stage, and how to wait and to judge.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "guest.h"

namespace fwts::driver {

using namespace std::chrono_literals;

/// The files a stage leaves in the guest under these names.
inline constexpr const char* kDriver = "/modules/igbook.ko";
inline constexpr const char* kFailcall = "/modules/failcall.ko";
inline constexpr const char* kWatchcall = "/modules/watchcall.ko";
inline constexpr const char* kSlowcall = "/modules/slowcall.ko";
inline constexpr const char* kVanish = "/modules/vanish.ko";
/// Where tests mount tracefs.
inline const std::string kTracing = "/sys/kernel/tracing/";

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

/// @return the module of a stage, whatever the stage's name is.
std::filesystem::path built_module(const std::string& kernel, const std::string& stage);

/// @return a module of the strict kernel's own, such as "pktgen".
std::filesystem::path kernel_module(const std::string& name);

/// Options for a strict guest that finds @p stage at kDriver but has not loaded it.
sandbox::Options strict(const std::string& stage);

/// What a program prints as "@p name: @p value", with however many blanks: versions of ethtool
/// differ.
inline auto shows(const std::string& name, const std::string& value) {
    return testing::ContainsRegex("(^|\n)" + name + ":[ \t]*" + value + "\n");
}

/// Where the card is.
inline constexpr const char* kDevice = "0000:01:00.0";

/// As long as it lives, the device is enabled and a driver's enabling only counts. Enabling it in
/// earnest runs ACPI's interpreter, which under KASAN takes longer than the rest of probe; and when
/// its allocations fail, 6.12's interpreter itself uses freed memory (acpi_ns_get_attached_object),
/// which is not what these tests are about. At its end the driver must have disabled the device as
/// often as it enabled it.
class HeldDevice {
  public:
    explicit HeldDevice(sandbox::Guest& guest);
    ~HeldDevice();
    HeldDevice(const HeldDevice&) = delete;
    HeldDevice& operator=(const HeldDevice&) = delete;

  private:
    sandbox::Guest& guest_;
};

/// As long as it lives, a call in the kernel takes long: slowcall.ko holds whoever makes it, until
/// let go or for a minute.
class SlowCall {
  public:
    /// @param call parameters of slowcall.ko: which call, of whom.
    SlowCall(sandbox::Guest& guest, const std::string& call);
    /// Lets go.
    ~SlowCall();
    SlowCall(const SlowCall&) = delete;
    SlowCall& operator=(const SlowCall&) = delete;

    /// Waits for somebody to stand in the call. @return false if nobody comes.
    [[nodiscard]] bool entered() const;
    void let_go();

  private:
    sandbox::Guest& guest_;
};

/// What vanish.ko shows a driver in the card's place: another device's ROM, full of ones.
class Ones {
  public:
    /// Where that device is.
    static constexpr const char* kRom = "0000:00:1e.0";

    /// Adds the device and the module to what a guest is started with.
    explicit Ones(sandbox::Options& options);
    /// The guest has read the file when it runs.
    ~Ones();
    Ones(const Ones&) = delete;
    Ones& operator=(const Ones&) = delete;

  private:
    std::filesystem::path file_;
};

/// @return whether configuration space lets the card at memory: COMMAND, Bus Master Enable.
bool masters(sandbox::Guest& guest);

/// @return every stage in stages.toml: a new one gets all the tests that are for every stage.
std::vector<std::string> stages();
/// @return those from @p from on that come before @p until.
std::vector<std::string> stages(const std::string& from, const std::string& until = "99");

/// Asks again and again until @p holds is true. @return false when it is not within @p limit.
bool eventually(const std::function<bool()>& holds, std::chrono::seconds limit = 30s);

/// Waits for /sys/class/net/eth0/carrier to say @p up.
bool carrier_becomes(sandbox::Guest& guest, bool up);

/// @return a file's content, by the agent itself: a cat would keep the strict kernel busy for a
/// quarter of a second. Nothing if it cannot be read.
std::string content(sandbox::Guest& guest, const std::string& path);

/// @return a counter of /sys/class/net/INTERFACE/statistics.
std::uint64_t statistic(sandbox::Guest& guest, const std::string& name,
                        const std::string& interface = "eth0");

/// @return the figure after "NAME: " in what `ethtool -S` says; 0, and the test fails, without one.
std::uint64_t counter_in(const std::string& statistics, const std::string& name);

/// @return that figure of eth0, now.
std::uint64_t counter(sandbox::Guest& guest, const std::string& name);

/// @return how many lines DMA-API debugging has on its list for the driver.
std::size_t mappings(sandbox::Guest& guest);

/// @return random numbers that are the same each time, unless FWTS_SEED says other; prints the
/// seed.
std::mt19937_64 seeded();

/// @return the line of /proc/interrupts of the interrupt called @p name, or nothing and the test
/// fails.
std::string interrupt_line(sandbox::Guest& guest, const std::string& name);

/// From now on the guest sends no frames of its own accord; for interfaces that are made later.
void silence(sandbox::Guest& guest);

/// The card takes nothing out of a transmit ring any more (qemu/probes/hold.cc) ...
void hold(sandbox::Guest& guest, int queue = 0);
/// ... and goes on.
void let_go(sandbox::Guest& guest, int queue = 0);

/// Writes 16 bits at @p at, in the order of the network.
void put16(sandbox::Frame& frame, std::size_t at, std::size_t value);

/// @return @p frame with one bit of the byte at @p at turned.
sandbox::Frame spoilt(sandbox::Frame frame, std::size_t at);

/// The helper `frames VERB eth0 COUNT` (frames.cc), started and listening.
class Frames {
  public:
    Frames(sandbox::Guest& guest, const std::string& verb, std::size_t count);
    /// @return whether it has seen all frames and ended.
    [[nodiscard]] bool done(std::chrono::seconds limit = 30s);

  private:
    sandbox::Guest& guest_;
    std::string file_;
};

/// Fails the test if the kernel's log has a line of complaint, and empties it. Lines that contain
/// @p expected are none.
void expect_silent_log(sandbox::Guest& guest, const std::string& expected = {});

/// The same, and looks for memory nobody owns: two scans by kmemleak, ten seconds.
void expect_no_complaint(sandbox::Guest& guest, const std::string& expected = {});

/// A stage of the driver, as a parameter of tests: "01", "02".
///
/// A guest and the search of its memory cost more than most tests, so those of a stage share one:
/// the machine as a user has it, with ACPI and MSI-X; register writes are recorded. A
/// test finds the module not loaded and leaves it so. Afterwards the log must hold no complaint;
/// memory is looked through when a guest's last test has ended. A test that fails takes its guest
/// with it.
class StageTest : public testing::TestWithParam<std::string> {
  protected:
    static sandbox::Guest& guest();

    void TearDown() override;
};

/// Names the tests of a parameterised suite: "stage01".
std::string stage_name(const testing::TestParamInfo<std::string>& info);

}  // namespace fwts::driver
