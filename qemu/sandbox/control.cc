// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <list>
#include <set>
#include <thread>
#include <utility>

#include "base64.h"
#include "descriptor.h"
#include "protocol.h"

namespace fwts::sandbox {

namespace {

std::string prefix() {
    const char* guests = std::getenv("FWTS_GUESTS");
    if (guests == nullptr || *guests == '\0') return fmt::format("fwts-sandbox/{}/", getuid());
    check_name(guests);
    return fmt::format("fwts-sandbox/{}/{}/", getuid(), guests);
}

struct Address {
    sockaddr_un address{};
    socklen_t size = 0;
};

// A first byte of 0 makes the name abstract.
Address address_of(const std::string& name) {
    Address result;
    result.address.sun_family = AF_UNIX;
    const std::string path = prefix() + name;
    std::copy(path.begin(), path.end(), result.address.sun_path + 1);
    result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + path.size());
    return result;
}

bool same_user(const Descriptor& socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == getuid();
}

void send_line(const Descriptor& socket, const nlohmann::json& message) {
    std::string line = message.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
    std::string_view left = line;
    while (!left.empty()) {
        const ssize_t n = send(socket.get(), left.data(), left.size(), MSG_NOSIGNAL);
        if (n < 0) return;  // whoever asked has gone
        left.remove_prefix(static_cast<std::size_t>(n));
    }
}

// Reads until there is a whole line. @return nothing at the end.
std::optional<nlohmann::json> receive_line(const Descriptor& socket, QmpLines& lines) {
    for (;;) {
        if (auto message = lines.next()) return message;
        std::array<char, 65536> bytes{};
        const ssize_t n = recv(socket.get(), bytes.data(), bytes.size(), 0);
        if (n <= 0) return std::nullopt;
        lines.add({bytes.data(), static_cast<std::size_t>(n)});
    }
}

ExecOptions exec_options(const nlohmann::json& request) {
    ExecOptions options;
    options.input = base64_decode(request.value("stdin", std::string()));
    options.limit = std::chrono::milliseconds(request.value("timeout_ms", std::int64_t{600'000}));
    return options;
}

}  // namespace

void check_name(const std::string& name) {
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
    if (name.empty() || name.size() > 40 || !plain) {
        throw SetupError(
            fmt::format("\"{}\" cannot name a guest: use up to 40 letters, digits, "
                        "'-', '_' and '.'",
                        name));
    }
}

class ControlServer::Service {
  public:
    Service(const std::string& name, Guest& guest, std::function<void()> on_stop);
    ~Service();

  private:
    struct Client {
        Descriptor socket;
        std::thread thread;
        std::atomic<bool> done = false;
    };

    void accept_all();
    void serve(Client& client);
    nlohmann::json obey(const nlohmann::json& request, const Client& client);

    Guest& guest_;
    std::function<void()> on_stop_;
    Descriptor socket_;
    std::list<Client> clients_;
    std::thread thread_;
};

ControlServer::Service::Service(const std::string& name, Guest& guest,
                                std::function<void()> on_stop)
    : guest_(guest),
      on_stop_(std::move(on_stop)),
      socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    check_name(name);
    const Address address = address_of(name);
    if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address.address), address.size) !=
            0 ||
        listen(socket_.get(), 16) != 0) {
        throw SetupError(
            fmt::format("a guest named {0} runs already; `sandbox stop {0}` ends it", name));
    }
    thread_ = std::thread([this] { accept_all(); });
}

ControlServer::Service::~Service() {
    shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
    for (Client& client : clients_) shutdown(client.socket.get(), SHUT_RDWR);
    for (Client& client : clients_) client.thread.join();
}

void ControlServer::Service::accept_all() {
    for (;;) {
        Descriptor accepted(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!accepted.open()) return;
        clients_.remove_if([](Client& client) {
            if (client.done) client.thread.join();
            return client.done.load();
        });
        if (same_user(accepted)) {
            Client& client = clients_.emplace_back();
            client.socket = std::move(accepted);
            client.thread = std::thread([this, &client] { serve(client); });
        }
    }
}

void ControlServer::Service::serve(Client& client) {
    QmpLines lines;
    while (const auto request = receive_line(client.socket, lines)) {
        nlohmann::json answer;
        try {
            answer = obey(*request, client);
        } catch (const std::exception& error) {
            answer = {{"error", error.what()}, {"kind", kind_of(error)}};
        }
        send_line(client.socket, answer);
        if (request->value("op", "") == "stop") on_stop_();
    }
    client.done = true;
}

nlohmann::json ControlServer::Service::obey(const nlohmann::json& request, const Client& client) {
    const auto op = request.value("op", std::string());
    if (op == "exec") {
        const auto argv = request.at("argv").get<std::vector<std::string>>();
        if (!request.value("wait", true)) {
            guest_.start(argv);
            return {{"status", 0}};
        }
        ExecOptions options = exec_options(request);
        options.on_output = [&client](bool err, std::string_view piece) {
            send_line(client.socket, {{"output", base64_encode(piece)}, {"err", err}});
        };
        return {{"status", guest_.exec(argv, options).status}};
    }
    if (op == "send")
        for (const auto& hex : request.at("frames"))
            guest_.cable().send(from_hex(hex.get<std::string>()));
    else if (op == "link")
        guest_.qmp().set_link(request.at("up").get<bool>());
    else if (op == "console")
        return {{"lines", guest_.console().tail()}};
    else if (op == "status")
        return {{"status", guest_.qmp().status()}, {"ready", guest_.ready()}, {"pid", getpid()}};
    else if (op != "stop")
        throw SetupError("unknown request \"" + op + "\"");
    return {{"status", 0}};
}

ControlServer::ControlServer(const std::string& name, Guest& guest, std::function<void()> on_stop)
    : service_(std::make_unique<Service>(name, guest, std::move(on_stop))) {}

ControlServer::~ControlServer() = default;

ControlClient::ControlClient(const std::string& name)
    : name_(name), socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    check_name(name);
    const Address address = address_of(name);
    if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address.address), address.size) !=
            0 ||
        !same_user(socket_)) {
        throw SetupError(
            fmt::format("no guest named {} runs; `sandbox list` shows those that do, "
                        "`sandbox start --name {}` starts it",
                        name, name));
    }
}

nlohmann::json ControlClient::ask(const nlohmann::json& request,
                                  const AgentLink::OutputHandler& on_output) {
    send_line(socket_, request);
    QmpLines lines;
    while (auto answer = receive_line(socket_, lines)) {
        if (answer->contains("output")) {
            if (on_output) {
                on_output(answer->value("err", false),
                          base64_decode(answer->value("output", std::string())));
            }
            continue;
        }
        if (answer->contains("error")) {
            const auto text = answer->value("error", std::string());
            const auto kind = answer->value("kind", std::string());
            if (kind == "panic") throw Panic(text, {}, {});
            if (kind == "hang") throw Hang(text, {}, {});
            if (kind == "reboot") throw Reboot(text, {}, {});
            if (kind == "exit") throw QemuExit(text, {}, {});
            throw SetupError(text);
        }
        return *answer;
    }
    throw QemuExit(fmt::format("guest {} ended before it answered", name_), {}, {});
}

std::vector<std::string> running_guests() {
    std::set<std::string> names;
    std::ifstream sockets("/proc/net/unix");
    const std::string begin = "@" + prefix();
    for (std::string line; std::getline(sockets, line);) {
        const std::size_t at = line.find(begin);
        if (at == std::string::npos) continue;
        const std::string name = line.substr(at + begin.size());
        // With a slash: one of $FWTS_GUESTS, which is not set here.
        if (name.find('/') == std::string::npos) names.insert(name);
    }
    return {names.begin(), names.end()};
}

std::string kind_of(const std::exception& error) {
    if (dynamic_cast<const Panic*>(&error) != nullptr) return "panic";
    if (dynamic_cast<const Hang*>(&error) != nullptr) return "hang";
    if (dynamic_cast<const Reboot*>(&error) != nullptr) return "reboot";
    return dynamic_cast<const QemuExit*>(&error) != nullptr ? "exit" : "setup";
}

}  // namespace fwts::sandbox
