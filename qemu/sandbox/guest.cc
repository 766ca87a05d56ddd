// SPDX-License-Identifier: GPL-2.0
#include "guest.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <iterator>
#include <sstream>

#include "kernel_log.h"
#include "machine.h"
#include "prepared.h"

namespace fwts::sandbox {

namespace fs = std::filesystem;

namespace {

bool wants_prepared(const Options& options) {
    if (!options.prepared.value_or(false) || !options.gdb_socket.empty() || options.wait_gdb ||
        options.icount || options.console_shell || !options.qemu.empty())
        return false;
    const KernelImage kernel = find_kernel(options.kernel);
    std::error_code error;
    const fs::path directory = fs::canonical(kernel.directory, error);
    return fs::exists(directory / "complete");
}

void tell(const std::string& text) {
    fmt::print(stderr, "sandbox: {}\n", text);
}

// The same machine for whoever starts from it: what is one guest's own comes later.
Options common_part(const Options& options) {
    Options common;
    common.kernel = options.kernel;
    common.cpus = options.cpus;
    common.memory = options.memory;
    common.accelerator = options.accelerator;
    common.append = options.append;
    common.boot_limit = std::max(options.boot_limit, kPrepareLimit);
    return common;
}

}  // namespace

Guest::Guest(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}
Guest::Guest(Guest&&) noexcept = default;
Guest& Guest::operator=(Guest&&) noexcept = default;
Guest::~Guest() = default;

namespace {

// A boot whose log complains is no beginning for anybody.
void check_log(const std::string& log) {
    const auto complaints = find_complaints(log);
    if (!complaints.empty())
        throw SetupError("the kernel complains while it boots: " + complaints.front());
}

}  // namespace

// One state serves many starts: this makes it if there is none. @return null: boot.
std::unique_ptr<PreparedState> Guest::find_prepared(const Options& options) {
    if (!wants_prepared(options)) return nullptr;
    auto machine = std::make_unique<Machine>(common_part(options), Machine::Start::kPrepare);
    auto state = std::make_unique<PreparedState>(cache_directory(), machine->description());
    if (state->open()) return state;
    const Descriptor lock = state->lock();
    if (state->open()) return state;  // prepared by whom we waited for
    tell(fmt::format("preparing a guest with the {} kernel; later ones start from it",
                     fs::path(options.kernel).filename().string()));
    try {
        machine->begin();
        Guest guest(std::move(machine));
        guest.wait_ready();
        check_log(guest.kernel_log());
        guest.machine_->save(state->begin());
        guest.kill();
        state->commit();
    } catch (...) {
        state->abandon();
        throw;
    }
    return state;
}

std::unique_ptr<PreparedState> Guest::try_prepared(const Options& options) {
    try {
        return find_prepared(options);
    } catch (const std::exception& error) {
        tell(fmt::format("no prepared guest, booting instead: {}", error.what()));
        return nullptr;
    }
}

void Guest::prepare(const Options& options) {
    try_prepared(options);
}

Guest Guest::launch(const Options& options) {
    const auto state = try_prepared(options);
    if (auto file = state ? state->open() : std::nullopt) {
        auto machine =
            std::make_unique<Machine>(options, Machine::Start::kRestore, std::move(*file));
        try {
            machine->begin();
            machine->restore();
            return Guest(std::move(machine));
        } catch (const std::exception& error) {
            state->discard();
            tell(fmt::format("{}: removed, booting instead: {}", state->directory().string(),
                             error.what()));
        }
    }
    auto machine = std::make_unique<Machine>(options);
    machine->begin();
    return Guest(std::move(machine));
}

Guest Guest::boot(const Options& options) {
    Guest guest = launch(options);
    guest.wait_ready();
    return guest;
}

void Guest::wait_ready() {
    machine_->wait_ready();
}

bool Guest::prepared() const {
    return machine_->start == Machine::Start::kRestore;
}

bool Guest::ready() const {
    return machine_->ready;
}

ExecResult Guest::exec(const std::vector<std::string>& argv, const ExecOptions& options) {
    return machine_->exec(argv, options);
}

namespace {

// The words of a line in which a shell would find nothing to do but to start the program, or none.
std::vector<std::string> plain_words(const std::string& line) {
    const auto plain = [](unsigned char c) {
        return std::isalnum(c) != 0 || std::strchr("_./:,+@%=- ", c) != nullptr;
    };
    if (!std::all_of(line.begin(), line.end(), plain)) return {};
    std::istringstream text(line);
    std::vector<std::string> words(std::istream_iterator<std::string>(text), {});
    const bool assigns = !words.empty() && words.front().find('=') != std::string::npos;
    return assigns ? std::vector<std::string>() : words;
}

}  // namespace

ExecResult Guest::run(const std::string& line, const ExecOptions& options) {
    // Each start of a program takes the strict kernel a tenth of a second: do without the shell
    // where it would only start another.
    if (const auto words = plain_words(line); !words.empty()) {
        try {
            return exec(words, options);
        } catch (const SetupError& error) {
            // A word of the shell's own, or the shell shall say that there is no such program.
            if (std::string_view(error.what()).find("No such file") == std::string_view::npos)
                throw;
        }
    }
    return exec({"sh", "-c", line}, options);
}

std::string Guest::must(const std::string& line, const ExecOptions& options) {
    const ExecResult result = run(line, options);
    if (!result.ok()) {
        throw GuestError(fmt::format("guest: `{}` ended with status {}: {}{}", line, result.status,
                                     result.err, result.out));
    }
    return result.out;
}

void Guest::start(const std::vector<std::string>& argv) {
    machine_->agent->forget(machine_->agent->ask({{"op", "exec"}, {"argv", argv}}));
}

void Guest::put(const std::string& path, std::string_view content, std::optional<unsigned> mode) {
    machine_->put(path, content, mode);
}

std::string Guest::get(const std::string& path) {
    std::string content;
    machine_->call({{"op", "get"}, {"path", path}},
                   [&content](bool, std::string_view piece) { content += piece; });
    return content;
}

void Guest::power_off() {
    machine_->power_off();
}

void Guest::kill() {
    machine_->kill();
}

void Guest::wait_end(std::chrono::milliseconds limit) {
    machine_->wait_end(limit);
}

int Guest::end_descriptor() const {
    return fcntl(machine_->ended(), F_DUPFD_CLOEXEC, 0);
}

Cable& Guest::cable() {
    return *machine_->cable;
}

Qmp& Guest::qmp() {
    return *machine_->qmp;
}

Console& Guest::console() {
    return *machine_->console;
}

RegisterLog Guest::registers() {
    if (!machine_->options.record_registers)
        throw SetupError("registers were not recorded; set Options::record_registers");
    return RegisterLog(read_from(machine_->trace));
}

std::string Guest::kernel_log() {
    try {
        return must("dmesg");
    } catch (const std::runtime_error&) {
        return console().text();
    }
}

std::string Guest::memory(std::uint64_t address, std::size_t size) {
    return machine_->memory(address, size);
}

std::uint32_t Guest::read_register(std::uint32_t offset) {
    return machine_->read_register(offset);
}

unsigned Guest::message_processor(unsigned vector) {
    return machine_->message_processor(vector);
}

std::optional<std::chrono::milliseconds> Guest::boot_time() const {
    return machine_->boot_time;
}

const std::string& Guest::accelerator() const {
    return machine_->accelerator.reason;
}

std::string Guest::qemu_output() const {
    return machine_->qemu_output();
}

}  // namespace fwts::sandbox
