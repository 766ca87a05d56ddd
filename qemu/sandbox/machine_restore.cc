// SPDX-License-Identifier: GPL-2.0
// A machine kept as a file, and started from one.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdint>

#include "files.h"
#include "machine.h"
#include "prepared.h"

namespace fwts::sandbox {

namespace fs = std::filesystem;
using std::chrono_literals::operator""s;

namespace {

constexpr auto kRestoredLimit = 60s;  // for the first answer of a guest started from a state

const nlohmann::json kMigrationEvents = {
    {"capabilities", {{{"capability", "events"}, {"state", true}}}}};

}  // namespace

std::string Guest::Machine::description() const {
    return describe_guest(plan(wiring_).argv, kernel, accelerator.kvm);
}

void Guest::Machine::await_migration(std::size_t seen) {
    for (;;) {
        const auto answer = qmp->command("query-migrate");
        const std::string status = answer.value("status", "");
        if (status == "completed") return;
        if (status == "failed" || status == "cancelled")
            throw QmpError("migration: " + answer.value("error-desc", status));
        if (!qmp->wait_event("MIGRATION", seen, kPrepareLimit)) {
            throw QmpError(fmt::format("migration: nothing new in {} s, it is {}",
                                       kPrepareLimit.count(), status));
        }
        seen = qmp->event_count("MIGRATION");
    }
}

void Guest::Machine::save(const fs::path& file) {
    qmp->stop();
    qmp->command("migrate-set-capabilities", kMigrationEvents);
    qmp->command("migrate-set-parameters", {{"max-bandwidth", 0}});
    const auto seen = qmp->event_count("MIGRATION");
    qmp->command("migrate", {{"uri", "file:" + file.string()}});
    await_migration(seen);
}

void Guest::Machine::restore() {
    qmp->command("migrate-set-capabilities", kMigrationEvents);
    const auto seen = qmp->event_count("MIGRATION");
    // A machine that moved tells the switches, with frames in the card's name. Ours did not move.
    qmp->command("migrate-set-parameters", {{"announce-rounds", 0}});
    qmp->command("migrate-incoming", {{"uri", "file:" + inherited_path(wiring_.state)}});
    await_migration(seen);
    wiring_.state.close();
    if (options.nic) {
        qmp->command("device_add", {{"driver", "igb"},
                                    {"id", "nic"},
                                    {"bus", "nic-port"},
                                    {"netdev", "cable"},
                                    {"romfile", ""},
                                    {"mac", options.mac}});
        initialise_card();
    }
    qmp->resume();
    agent->resume();
    const std::int64_t id = agent->ask({{"op", "ping"}});
    if (!agent->wait(id, kRestoredLimit))
        throw SetupError(fmt::format("its agent does not answer in {} s", kRestoredLimit.count()));
}

// What a boot would have given the guest: the time, the card, its files.
void Guest::Machine::settle_restored() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    std::string line = fmt::format("date -u -s @{} >/dev/null\n",
                                   std::chrono::duration_cast<std::chrono::seconds>(now).count());
    if (options.nic) {
        // Nobody tells the kernel of the card (add_devices()); it has to look.
        line +=
            "cd /sys/bus/pci; n=0; echo 1 >rescan\n"
            "until [ -e devices/0000:01:00.0/resource0 ]; do\n"
            "n=$((n + 1)); [ $n -lt 600 ] || exit 1; sleep 0.05; done\n";
    }
    // It stands in for a boot, so it has a boot's time: on a busy host this takes long, too.
    const ExecResult result = exec({"sh", "-c", line}, {.limit = options.boot_limit});
    if (!result.ok()) {
        throw SetupError(fmt::format("the card did not appear in the prepared guest: {}{}",
                                     result.err, result.out));
    }
    for (const Placement& file : placements(options)) {
        struct stat info = {};
        if (stat(file.from.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
            throw SetupError(fmt::format("{}: no such file; it was to become {} in the guest",
                                         file.from.string(), file.to));
        }
        put(fs::path("/" + file.to).lexically_normal().string(), read_file(file.from),
            info.st_mode & 0777);
    }
}

}  // namespace fwts::sandbox
