// SPDX-License-Identifier: GPL-2.0
#include "tagger.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "descriptor.h"
#include "error.h"
#include "process.h"

namespace fwts::loom {

namespace {

constexpr const char* kInstall =
    "install universal-ctags (apt-get install universal-ctags) and see that no other ctags comes "
    "first in PATH";

[[noreturn]] void complain(const std::string& what) {
    throw Failure({"ctags", 0, what, kInstall});
}

/// Words the kernel adds to C that would lead a C parser astray.
constexpr std::array kArguments = {
    "ctags",
    "--options=NONE",
    "--quiet",
    "--_interactive",
    "--output-format=json",
    "--sort=no",
    "--languages=C",
    "--language-force=C",
    "--kinds-C=defgpstuvx",
    "--fields=+neKs",
    "-D",
    "__aligned(x)=",
    "-D",
    "__packed=",
    "-D",
    "____cacheline_aligned_in_smp=",
    "-D",
    "____cacheline_internodealigned_in_smp=",
    "-D",
    "DECLARE_BITMAP(name,bits)=unsigned long name[bits]",
};

Tag to_tag(const nlohmann::json& json) {
    Tag tag;
    tag.name = json.value("name", "");
    tag.kind = json.value("kind", "");
    tag.scope = json.value("scope", "");
    tag.line = json.value("line", 0);
    tag.end = json.value("end", 0);
    return tag;
}

}  // namespace

/// The child at the other end of a socket pair.
class Ctags::Process {
  public:
    Process() try {
        auto [ours, theirs] = make_socket_pair(SOCK_STREAM);
        Program ctags;
        ctags.argv.assign(kArguments.begin(), kArguments.end());
        ctags.environment = environment();
        ctags.in = ctags.out = theirs.get();
        child_ = start(ctags);
        socket_ = std::move(ours);
    } catch (const std::system_error&) {
        complain("the program could not be started");
    }

    ~Process() {
        socket_.close();
        wait_for(child_);
    }

    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void send(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) complain("ended while it was given a file");
            text.remove_prefix(static_cast<size_t>(sent));
        }
    }

    std::string line() {
        for (;;) {
            const size_t end = pending_.find('\n', scanned_);
            if (end != std::string::npos) {
                std::string line = pending_.substr(0, end);
                pending_.erase(0, end + 1);
                scanned_ = 0;
                return line;
            }
            scanned_ = pending_.size();
            std::array<char, 65536> buffer{};
            const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
            if (got <= 0) complain("ended without an answer");
            pending_.append(buffer.data(), static_cast<size_t>(got));
        }
    }

  private:
    pid_t child_ = 0;
    Descriptor socket_;
    std::string pending_;
    size_t scanned_ = 0;
};

struct Ctags::Cache {
    std::unordered_map<std::string, std::vector<Tag>> by_text;
};

Ctags::Ctags() : process_(std::make_unique<Process>()), cache_(std::make_unique<Cache>()) {}

Ctags::~Ctags() = default;

const std::vector<Tag>& Ctags::tags(std::string_view text) {
    const auto [entry, fresh] = cache_->by_text.try_emplace(std::string(text));
    std::vector<Tag>& tags = entry->second;
    // ctags ends the session when it is asked to read nothing.
    if (!fresh || text.empty()) return tags;
    process_->send(fmt::format(
        "{{\"command\":\"generate-tags\",\"filename\":\"text.c\",\"size\":{}}}\n", text.size()));
    process_->send(text);
    for (;;) {
        const nlohmann::json answer = nlohmann::json::parse(process_->line(), nullptr, false);
        if (answer.is_discarded()) complain("gave an answer that is not JSON");
        const std::string type = answer.value("_type", "");
        if (type == "completed") break;
        if (type == "error")
            complain("refused a file: " + answer.value("message", std::string("no reason given")));
        if (type == "tag") tags.push_back(to_tag(answer));
    }
    std::stable_sort(tags.begin(), tags.end(),
                     [](const Tag& a, const Tag& b) { return a.line < b.line; });
    return tags;
}

}  // namespace fwts::loom
