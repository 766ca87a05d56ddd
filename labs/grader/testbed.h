// SPDX-License-Identifier: GPL-2.0
// The testbed a check works at: a running guest with the submission's module at hand, and the
// instruments around it.
//
// Two kinds of instruments. From outside (registers, NVM, register record, cable) the answer is
// the card's or QEMU's and no code in the guest can change it. From inside (sh, text) the answer
// passed through the guest's kernel, which the submission is part of; a check uses it only for
// something random per run or together with a look from outside.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "lab.h"
#include "params.h"
#include "register_log.h"

namespace fwts::grader {

/// An Ethernet address as "52:54:00:12:34:56".
using Mac = std::string;

/// A random unicast, locally administered address.
Mac random_mac(std::mt19937_64& random);

/// What a command in the guest gave.
struct Ran {
    int status = 0;
    std::string out;
    std::string err;
};

using sandbox::RegisterWrite;

/// A descriptor as it stands in the guest's memory, whatever its format: two little-endian words.
struct RingSlot {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
};

/// A descriptor ring, from the card's registers and the guest's memory.
struct Ring {
    std::uint64_t base = 0;  ///< address on the bus, which here is the physical one
    std::uint32_t head = 0;
    std::uint32_t tail = 0;
    std::vector<RingSlot> slots;  ///< as many as the length register says
};

enum class Direction { receive, transmit };

/// A mapping, as DMA-API debugging has it on its list for the driver.
struct Mapping {
    std::uint64_t address = 0;  ///< on the bus
    std::uint64_t size = 0;
    bool operator==(const Mapping&) const = default;
};

struct TestbedOptions {
    std::filesystem::path kernel;
    std::filesystem::path modules = {};   ///< built companions and probes
    std::filesystem::path programs = {};  ///< where programs for the guest are
    GuestNeeds guest = {};
    std::uint64_t seed = 0;
    Params params = {};  ///< of the lab
    /// By the clock, from give_module() on, less what a busy host kept the guest waiting: some six
    /// times what the slowest lab's reference takes.
    std::chrono::duration<double> whole_limit{600};
};

class Testbed {
  public:
    using Seconds = std::chrono::duration<double>;
    static constexpr Seconds usual_limit{10};
    /// What the guest does at once, it does within this time, and if a busy host keeps it waiting,
    /// within that much of the time it had: some thirty times what it takes.
    static constexpr Seconds usual_patience{3};

    /// Starts a guest; it boots while the caller does something else. The card's address follows
    /// from the seed. @throws the sandbox's exceptions when that fails.
    explicit Testbed(const TestbedOptions& options);
    ~Testbed();
    Testbed(const Testbed&) = delete;
    Testbed& operator=(const Testbed&) = delete;

    /// Waits until the guest has booted. Must come before everything below.
    /// @throws the sandbox's exceptions when it does not boot.
    void wait_ready();

    /// Whether the lab has one; without, nothing below but module(), param() and what is random.
    bool has_guest() const;

    /// Ends the guest, whatever it is doing; wait_ready() in another thread then throws.
    void end();

    /// Puts the submission's module where the checks find it. From now on time counts: when
    /// TestbedOptions::whole_limit is over, what asks the guest throws the sandbox's Hang.
    void give_module(const std::filesystem::path& module);
    /// Path in the guest of a companion that the lab asked for: "dca-provider".
    static std::string companion(const std::string& name);

    // --- inside the guest -------------------------------------------------------------------

    /// Runs a shell script.
    /// @param limit  processor time that the guest may use until it ends, so that a busy host does
    /// not make it fail; and six times as long by the clock.
    /// @throws the sandbox's Hang when it takes longer; then the guest is gone.
    Ran sh(const std::string& script, Seconds limit = usual_limit);
    /// Runs one program, which is half the work of a shell and the program.
    Ran run(const std::vector<std::string>& argv, Seconds limit = usual_limit);
    /// As sh(), and the check fails unless the status is 0. @return stdout without the last
    /// newline.
    std::string must(const std::string& what, const std::string& script,
                     Seconds limit = usual_limit);
    /// As run(), and the check fails unless the status is 0.
    std::string must_run(const std::vector<std::string>& argv, Seconds limit = usual_limit);
    /// Contents of a file without the last newline, or "" when it cannot be read. No program is
    /// started for it: use it wherever it will do.
    std::string text(const std::string& path);
    /// As text(), with every byte.
    std::string bytes(const std::string& path);

    /// Starts a program and leaves it alone; its output is lost.
    void start(const std::vector<std::string>& argv);
    /// Writes a file without starting a program: a control file of the kernel's, for example.
    /// The check fails when it cannot be written.
    void put(const std::string& path, const std::string& content);

    // --- from outside -----------------------------------------------------------------------

    /// Reads a register of the card through QEMU. Reading has the register's side effects.
    std::uint32_t reg(std::uint32_t offset);
    /// Writes a register of the card through its I/O window, which no driver uses: what a partner
    /// on the cable or a fault of the card would do to it.
    void set_reg(std::uint32_t offset, std::uint32_t value);
    /// The processor that an MSI-X vector's message goes to, as the card's table has it.
    unsigned message_processor(unsigned vector);
    /// Word `number` of the card's NVM, read before the submission was loaded.
    std::uint16_t nvm_word(unsigned number) const;
    /// Every register write since the card was made, in order; companions' marks as in marks.h.
    std::vector<RegisterWrite> writes() const;
    /// A companion writes marks into that record (Marks::open()).
    std::uint32_t open_marks(std::uint32_t known, std::uint32_t count);
    /// It is gone.
    void close_marks(std::uint32_t known);
    /// How many marks since the last call were made by nobody of ours.
    std::size_t forged_marks();
    /// Puts the cable in or pulls it.
    void plug(bool in);
    /// Bytes of the guest's memory. Sound for what the card reaches: addresses on the bus are
    /// physical addresses.
    std::string memory(std::uint64_t address, std::size_t size);
    /// A descriptor ring of the card. The check fails when the registers name none.
    Ring ring(Direction direction, unsigned queue = 0);

    // --- the cable --------------------------------------------------------------------------

    /// Puts a frame, whole and without FCS, on the cable.
    /// The check fails when the guest takes nothing from the cable any more.
    void send(const std::string& frame);
    /// The next frame the guest sent. @return nothing when none comes within `limit`, not counting
    /// what a busy host kept the guest waiting.
    std::optional<std::string> receive(Seconds limit = usual_patience);
    /// The next one that is wanted, in that time; those before it are dropped.
    std::optional<std::string> receive(const std::function<bool(const std::string&)>& wanted,
                                       Seconds limit = usual_patience);
    /// All frames that have come and that nobody took.
    std::vector<std::string> take_frames();
    /// A frame of `size` bytes from the cable's end to `to`, with a random payload. The protocol is
    /// one for local experiments (0x88b5), so the guest's own stack leaves it alone.
    std::string random_frame(std::size_t size, const Mac& to);
    /// From now on the guest sends no frames of its own accord: no interface made later has IPv6.
    void silence_guest();

    // --- what this run is about ---------------------------------------------------------------

    /// The address in the card's NVM, random per run.
    const Mac& mac() const;
    /// "0000:00:02.0"
    const std::string& pci_address() const;
    /// The module on the host, for looking into it.
    const std::filesystem::path& module() const;
    /// Path of the module in the guest.
    static constexpr const char* guest_module = "/modules/submission/igbook.ko";
    std::mt19937_64& random();
    /// A parameter of the lab. @throws std::runtime_error when lab.toml does not name it.
    const std::string& param(const std::string& name) const;
    /// Bytes that follow from the seed, for payloads that nobody can know beforehand.
    std::string random_bytes(std::size_t size);
    /// Mappings that a check has failed for, which no later one is to find: write_off_mappings().
    std::vector<Mapping>& written_off();

    /// Lets the agent answer once. It is a process, so in a guest with one processor the interrupts
    /// and softirqs that had begun before are over then, and QEMU has recorded what they wrote.
    void let_settle();
    /// Seconds since the boot by the guest's clock, which goes on while the host keeps it waiting.
    double uptime();
    /// Waits until a condition holds that can be seen from outside. It does not disturb the guest,
    /// if `holds` does not.
    /// @return whether it held within `limit`, not counting what a busy host kept the guest
    /// waiting.
    bool soon(const std::function<bool()>& holds, Seconds limit = usual_patience);
    /// Waits until a condition holds, asking the guest again and again.
    /// @param seen  says what is there instead, for the report.
    /// The check fails when it did not hold within `limit`, counted as in soon().
    void wait_until(const std::string& what, const std::string& expected,
                    const std::function<bool()>& holds, const std::function<std::string()>& seen,
                    Seconds limit);

    // --- lost memory ------------------------------------------------------------------------

    /// What kmemleak finds: objects older than a second that nobody refers to. At most once in
    /// a guest: it is the dearest thing there is. The module should be unloaded.
    /// @return its report, empty when nothing is lost.
    std::string lost_memory();

    // --- the kernel log -----------------------------------------------------------------------

    /// Everything on the console since the last call. A mark of our own is sent through the guest's
    /// kernel log first and waited for, so nothing printed before the call is missed.
    /// @throws Failure when the mark does not come: the log has been silenced.
    std::vector<std::string> take_log();
    // --- the kernel's watchmen (watchmen.h) ---------------------------------------------------

    /// What is no longer as it was before the module came, a line each.
    std::vector<std::string> changed_watchmen();
    /// The kernel complained: some of its checkers stop then, of their own accord.
    /// @param log  what it said
    void excuse_watchmen(const std::vector<std::string>& log);
    /// Whether the kernel's code is what it was.
    bool code_unchanged();

    /// Processor time the guest has used, from outside.
    std::chrono::milliseconds processor_time() const;
    /// Release of the guest's kernel.
    std::string release() const;
    /// The whole console so far, for --keep-logs.
    std::string console() const;

  private:
    bool wait(const std::function<bool()>& holds, Seconds limit, std::chrono::milliseconds between);

    struct Parts;
    class ProcessorLimit;
    std::unique_ptr<Parts> parts_;
};

/// A parameter of the lab that is a number.
unsigned number(const Testbed& testbed, const std::string& parameter);

}  // namespace fwts::grader
