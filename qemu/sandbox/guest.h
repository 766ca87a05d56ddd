// SPDX-License-Identifier: GPL-2.0
// A guest: a QEMU with our kernel, our agent inside and one card whose cable we hold.
//
//     auto guest = Guest::boot({.kernel = "strict", .modules = {"igbook.ko"}});
//     auto result = guest.run("ip link set eth0 up");
//     guest.cable().send(udp(7, "hello"));
//
// Whatever happens to the guest while somebody waits for it (panic, hang, reboot, QEMU's end) comes
// out of the waiting call as a GuestFailure with a report. When the Guest goes, all of it goes.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent_link.h"
#include "boot_image.h"
#include "cable.h"
#include "console.h"
#include "failure.h"
#include "qmp.h"
#include "register_log.h"

namespace fwts::sandbox {

class PreparedState;

/// How a guest is to be started.
struct Options {
    std::string kernel = "trace";  ///< trace, strict or a directory
    /// Inserted in this order before boot() ends, each after the kernel's own modules it needs.
    std::vector<std::filesystem::path> modules = {};
    std::vector<Placement> files = {};  ///< put into the guest's file system
    int cpus = 1;
    int memory = 512;  ///< MiB
    std::string accelerator = "auto";
    bool icount = false;  ///< one instruction is one nanosecond; deterministic, one processor
    bool nic = true;
    std::string mac = "52:54:00:12:34:56";  ///< the card's address, in its NVM
    bool peer = false;                      ///< a neighbour answers on the cable (peer.h)
    bool record_registers = false;          ///< keep the card's register writes (registers())
    std::filesystem::path capture = {};     ///< pcapng file; empty: none
    std::filesystem::path gdb_socket = {};  ///< QEMU's gdb stub listens here; empty: none
    bool wait_gdb = false;                  ///< processors stand until gdb lets them go
    bool console_shell = false;             ///< an interactive shell on the serial console
    std::string append = {};                ///< more words for the kernel's command line
    std::vector<std::string> qemu = {};     ///< more arguments for QEMU
    std::chrono::seconds boot_limit{60};    ///< until the agent must have said hello
    /// Start from a prepared guest, and prepare it if there is none (README.md). Unset: no.
    /// Never with gdb, icount, a console shell, arguments of one's own for QEMU, or
    /// a kernel that qemu/kernel did not finish.
    std::optional<bool> prepared = {};
};

struct ExecOptions {
    std::string input = {};
    std::map<std::string, std::string> environment = {};
    /// Running time of the guest; a stopped guest's time does not count.
    std::chrono::milliseconds limit{60'000};
    std::size_t output_limit = std::size_t{64} << 20;  ///< bytes; then the command is killed
    AgentLink::OutputHandler on_output = {};           ///< sees output as it comes; may be empty
};

struct ExecResult {
    int status = 0;  ///< exit status, or 128 + signal as a shell says it
    int signal = 0;  ///< 0 if it exited
    std::string out, err;
    bool output_cut = false;  ///< it was killed for talking too much

    [[nodiscard]] bool ok() const { return status == 0; }
};

class Guest {
  public:
    /// Starts a guest, waits for its agent and inserts the modules.
    /// @throws SetupError before it runs, GuestFailure after.
    static Guest boot(const Options& options);

    /// Makes sure that launch() finds a prepared guest, if these options want one. Takes as long as
    /// a boot when there is none yet; launch() would do it as well.
    static void prepare(const Options& options);

    /// Starts a guest and returns; call wait_ready() before anything that needs the agent.
    static Guest launch(const Options& options);

    Guest(Guest&&) noexcept;
    Guest& operator=(Guest&&) noexcept;
    ~Guest();

    /// Waits for the agent and inserts the modules, as boot() does.
    void wait_ready();
    [[nodiscard]] bool ready() const;

    /// Runs a program and waits for it. @param argv  not split, not expanded
    /// @throws Hang if it does not end in time, another GuestFailure if the guest ends,
    /// GuestError if the program cannot be started or something else than the agent answers.
    ExecResult exec(const std::vector<std::string>& argv, const ExecOptions& options = {});

    /// Runs a line of shell; one that is a program and its words alone, without the shell.
    ExecResult run(const std::string& line, const ExecOptions& options = {});

    /// Runs a line of shell that must succeed. @return its output. @throws GuestError with its
    /// error.
    std::string must(const std::string& line, const ExecOptions& options = {});

    /// Starts a program and leaves it alone; its output is lost.
    void start(const std::vector<std::string>& argv);

    /// @param mode  of the file; without one a new file gets 0644 and an old one keeps its own,
    /// which files of /proc and /sys refuse to have set.
    void put(const std::string& path, std::string_view content,
             std::optional<unsigned> mode = std::nullopt);
    std::string get(const std::string& path);

    /// Powers the guest off and waits until nothing is left. Later calls find no guest.
    void power_off();

    /// Ends the guest at once. Threads that wait for it leave with QemuExit.
    void kill();

    /// Waits until the guest ends by itself and throws what became of it (Panic, Reboot, QemuExit).
    [[noreturn]] void wait_end(std::chrono::milliseconds limit);

    /// @return a new descriptor, to poll: readable once the guest has ended. The caller closes it.
    [[nodiscard]] int end_descriptor() const;

    Cable& cable();
    Qmp& qmp();
    Console& console();
    /// The card's register writes so far. @throws SetupError unless Options::record_registers.
    RegisterLog registers();

    /// @return the kernel's log by dmesg; if the agent cannot, what the console shows.
    std::string kernel_log();

    /// @return @p size bytes of guest memory from physical @p address, read from outside.
    std::string memory(std::uint64_t address, std::size_t size);

    /// Reads a register of the card from outside. Some registers change when read: ICR and all
    /// statistics clear, so a driver under test can notice. A card that sleeps or does not decode
    /// memory is woken for that moment.
    /// @param offset  in bytes from the start of BAR 0
    /// @throws GuestError when the card cannot be found.
    std::uint32_t read_register(std::uint32_t offset);

    /// Reads from the card's MSI-X table, from outside, which processor a vector's message goes to.
    /// @throws GuestError when the card cannot be found.
    unsigned message_processor(unsigned vector);

    /// @return whether it was started from a prepared guest.
    [[nodiscard]] bool prepared() const;
    /// @return milliseconds from launch() until the agent serves, or nothing before.
    [[nodiscard]] std::optional<std::chrono::milliseconds> boot_time() const;
    /// @return which accelerator runs it, and why.
    [[nodiscard]] const std::string& accelerator() const;
    /// @return what QEMU itself wrote to its standard error.
    [[nodiscard]] std::string qemu_output() const;

  private:
    class Machine;
    explicit Guest(std::unique_ptr<Machine> machine);
    static std::unique_ptr<PreparedState> find_prepared(const Options& options);
    static std::unique_ptr<PreparedState> try_prepared(const Options& options);
    std::unique_ptr<Machine> machine_;
};

}  // namespace fwts::sandbox
