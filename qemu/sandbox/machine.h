// SPDX-License-Identifier: GPL-2.0
// What is behind a Guest: one QEMU, its connections and the thread that reads them. For guest.cc
// and machine_*.cc only.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "accelerator.h"
#include "descriptor.h"
#include "guest.h"
#include "qemu_process.h"

namespace fwts::sandbox {

// A boot of the strict kernel on a loaded machine.
constexpr auto kPrepareLimit = std::chrono::seconds(300);
constexpr unsigned kPortSlot = 3;  // of the root port, on bus 0

// What QEMU said of its own end.
struct EndOfGuest {
    bool panicked = false;
    std::string shutdown_reason;  // of the last SHUTDOWN event
    std::optional<int> status;    // wait status
    bool asked_for = false;       // by power_off() or the destructor
};

/// @return the files that options name, modules among them, and where they lie in the guest.
std::vector<Placement> placements(const Options& options);

// Everything that belongs to one running guest. One thread, the listener, reads all descriptors.
class Guest::Machine {
  public:
    /// How it gets to where its agent serves.
    enum class Start {
        kBoot,
        kPrepare,  ///< boots without the card and anybody's files, to be kept
        kRestore,  ///< goes on where a kept one stood
    };

    explicit Machine(const Options& options, Start start = Start::kBoot,
                     Descriptor state = Descriptor());
    ~Machine();
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    /// Starts QEMU and the listener. Not in the constructor: now the destructor must run.
    void begin();
    /// Goes on where the kept guest stood, and plugs the card.
    void restore();
    /// Writes what the guest is into a file. It does not run afterwards.
    void save(const std::filesystem::path& file);
    [[nodiscard]] std::string description() const;
    void wait_ready();
    ExecResult exec(const std::vector<std::string>& argv, const ExecOptions& options);
    nlohmann::json call(const nlohmann::json& message, AgentLink::OutputHandler handler = {});
    void power_off();
    void kill();
    [[noreturn]] void wait_end(std::chrono::milliseconds limit);
    [[noreturn]] void hang(const std::string& message);
    std::string memory(std::uint64_t address, std::size_t size);
    std::uint32_t read_register(std::uint32_t offset);
    unsigned message_processor(unsigned vector);

    void put(const std::string& path, std::string_view content, std::optional<unsigned> mode);

    Options options;
    Start start;
    KernelImage kernel;
    Accelerator accelerator;
    Monitor monitor;

  private:
    // Both ends of what QEMU is connected by, until QEMU has been started.
    struct Wiring {
        SocketPair qmp = make_socket_pair(SOCK_STREAM);
        SocketPair agent = make_socket_pair(SOCK_STREAM);
        SocketPair console = make_socket_pair(SOCK_STREAM);
        SocketPair cable = make_socket_pair(SOCK_DGRAM);
        Descriptor initrd;
        Descriptor state;
        Descriptor trace = make_memory_file("register-trace");
        Descriptor dump = make_memory_file("guest-memory");
    };

    QemuProcess::Plan plan(const Wiring& wiring) const;
    void add_devices(std::vector<std::string>& argv, const Wiring& wiring) const;
    void add_debugging(std::vector<std::string>& argv, const Wiring& wiring) const;
    void listen();
    void serve();
    void on_event(const nlohmann::json& event);
    void wake() const;
    [[noreturn]] void report_end();
    void await_migration(std::size_t seen);
    std::optional<std::uint64_t> bar(unsigned number);
    std::uint32_t examine(std::uint64_t address);
    std::uint32_t port_read(const char* format, unsigned port);
    std::uint32_t config(std::uint32_t card, std::uint32_t offset);
    void set_config(std::uint32_t card, std::uint32_t offset, std::uint32_t value);
    std::optional<std::uint32_t> power_control();
    std::uint32_t read_awake(std::uint32_t offset);
    void initialise_card();
    void settle_restored();
    void insert_modules();
    std::vector<std::string> where_it_stands();

    Wiring wiring_;
    std::optional<QemuProcess> qemu_;
    Descriptor wake_;
    Descriptor ended_;  // eventfd
    EndOfGuest end_;
    std::exception_ptr trouble_;  // of ours, in the listener
    std::optional<std::chrono::steady_clock::time_point> panicked_at_;
    std::chrono::steady_clock::time_point started_;
    std::atomic<bool> leave_ = false;
    std::thread listener_;
    std::mutex dumping_;

  public:
    std::atomic<bool> ready = false;
    std::optional<std::chrono::milliseconds> boot_time;
    std::optional<Qmp> qmp;
    std::optional<AgentLink> agent;
    std::optional<Console> console;
    std::optional<Cable> cable;
    Descriptor trace;
    Descriptor dump;
    [[nodiscard]] std::string qemu_output() const { return qemu_->output(); }
    [[nodiscard]] int ended() const { return ended_.get(); }
};

}  // namespace fwts::sandbox
