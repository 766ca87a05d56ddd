// SPDX-License-Identifier: GPL-2.0
// sockio: makes calls on sockets of the family EDP just as it is told, and says what each returned.
// Runs in the guest.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "../../code/companions/edp/edp.h"

namespace {

constexpr const char* kUsage =
    "usage: sockio ACTION...\n"
    "Each ACTION is one call and gives one line: its name, what it returned, the error's name or\n"
    "`-`, and what it brought. INTERFACE - is none and #N the Nth, MAC is twelve digits, FLAGS "
    "are letters:\n"
    "p MSG_PEEK, t MSG_TRUNC, d MSG_DONTWAIT, o MSG_OOB.\n"
    "  socket[:TYPE[:PROTOCOL]]   a new one, on which the calls after it are made\n"
    "  use:N                      make them on the Nth again\n"
    "  bind:INTERFACE:PORT   connect:INTERFACE:MAC:PORT   disconnect\n"
    "  short:N                    bind with N bytes of address\n"
    "  ports:INTERFACE            bind new sockets to port 0 of it until one is refused, and\n"
    "                             close them; says how many ports they got, and `slow` when a\n"
    "                             refusal takes longer than a hundred of them\n"
    "  send:TEXT[:FLAGS]   sendto:INTERFACE:MAC:PORT:TEXT   fill:SIZE\n"
    "  recv:SIZE[:FLAGS]          shows flags, sender, what a control message says, data\n"
    "  read:SIZE                  asks for nothing besides the data\n"
    "  readv   sendv              recv into memory that is none, send out of it\n"
    "  poll:MILLISECONDS[:in]     until it can be read or written, or read\n"
    "  name   peer   inq   outq   close\n"
    "  set:LEVEL:OPTION:VALUE   get:LEVEL:OPTION[:SIZE]   timeout:MILLISECONDS (SO_RCVTIMEO)\n"
    "  alarm:MILLISECONDS         signals whose handler does not restart calls; restart: does\n"
    "  netns:NAME                 calls after it are made in that network namespace; netns: back\n"
    "  note:FILE   await:FILE     make a file; wait until there is one\n"
    "  beside:N                   the next N calls are another process's, which has the same "
    "sockets\n"
    "  fuzz:SEED:COUNT            so many calls on three sockets with whatever arguments\n"
    "fill sends datagrams of SIZE bytes to the peer without waiting until one is refused.\n"
    "example: sockio socket bind:eth0:7 recv:100:p recv:100\n";

using Words = std::vector<std::string>;

std::vector<int> sockets;
std::size_t current;

const std::string& word(const Words& words, std::size_t index) {
    static const std::string kNone;
    return index < words.size() ? words[index] : kNone;
}

int number(const Words& words, std::size_t index, int fallback = 0) {
    const std::string& text = word(words, index);
    return text.empty() ? fallback : std::atoi(text.c_str());
}

int descriptor() {
    return current < sockets.size() ? sockets[current] : -1;
}

int flags_of(const std::string& letters) {
    static const std::map<char, int> kFlags = {
        {'p', MSG_PEEK}, {'t', MSG_TRUNC}, {'d', MSG_DONTWAIT}, {'o', MSG_OOB}};
    int flags = 0;
    for (const char letter : letters) flags |= kFlags.at(letter);
    return flags;
}

sockaddr_edp address(const Words& words, bool station) {
    sockaddr_edp made{};
    made.sedp_family = AF_EDP;
    if (word(words, 1).starts_with('#'))
        made.sedp_ifindex = std::atoi(word(words, 1).c_str() + 1);
    else if (word(words, 1) != "-")
        made.sedp_ifindex = static_cast<int>(if_nametoindex(word(words, 1).c_str()));
    if (station)
        for (std::size_t i = 0; i < 6; ++i)
            made.sedp_mac[i] = static_cast<unsigned char>(
                std::strtoul(word(words, 2).substr(2 * i, 2).c_str(), nullptr, 16));
    made.sedp_port = htons(static_cast<std::uint16_t>(number(words, station ? 3 : 2)));
    return made;
}

void show_address(const sockaddr_edp& shown) {
    std::array<char, IF_NAMESIZE> name{'-'};
    if_indextoname(static_cast<unsigned>(shown.sedp_ifindex), name.data());
    std::printf(" %u/%s/", shown.sedp_family, name.data());
    for (const unsigned char byte : shown.sedp_mac) std::printf("%02x", byte);
    std::printf("/%u", ntohs(shown.sedp_port));
    if (shown.sedp_zero[0] != 0 || shown.sedp_zero[1] != 0) std::printf("/not-zero");
}

/// The line's beginning. @return whether the call succeeded.
bool report(const char* name, ssize_t result) {
    std::printf("%s %zd %s", name, result, result < 0 ? strerrorname_np(errno) : "-");
    return result >= 0;
}

ssize_t on_address(const Words& words, bool station,
                   const std::function<ssize_t(const sockaddr*, socklen_t)>& call) {
    const sockaddr_edp made = address(words, station);
    return call(reinterpret_cast<const sockaddr*>(&made), sizeof made);
}

void do_socket(const Words& words) {
    const int made = socket(AF_EDP, number(words, 1, SOCK_DGRAM), number(words, 2));
    report("socket", made < 0 ? -1 : 0);
    if (made < 0) return;
    sockets.push_back(made);
    current = sockets.size() - 1;
}

void do_recv(const Words& words) {
    std::vector<char> data(static_cast<std::size_t>(number(words, 1)) + 1);
    std::array<char, 512> control{};
    sockaddr_edp sender{};
    iovec piece{data.data(), data.size() - 1};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = recvmsg(descriptor(), &message, flags_of(word(words, 2)));
    if (!report("recv", got)) return;
    std::printf(" %s", (message.msg_flags & MSG_TRUNC) != 0 ? "cut" : "whole");
    show_address(sender);
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
        std::printf(" control %d/%d", c->cmsg_level, c->cmsg_type);
        sockaddr_edp to{};
        if (c->cmsg_level != SOL_EDP) continue;
        if (c->cmsg_len != CMSG_LEN(sizeof to)) std::printf(" of another size");
        std::memcpy(&to, CMSG_DATA(c), sizeof to);
        show_address(to);
    }
    std::printf(" '%s'", data.data());
}

void do_read(const Words& words) {
    std::vector<char> data(static_cast<std::size_t>(number(words, 1)) + 1);
    if (report("read", read(descriptor(), data.data(), data.size() - 1)))
        std::printf(" '%s'", data.data());
}

void do_fill(const Words& words) {
    const std::vector<char> data(static_cast<std::size_t>(number(words, 1)), 'f');
    int sent = 0;
    errno = 0;
    while (send(descriptor(), data.data(), data.size(), MSG_DONTWAIT) >= 0 && sent < 100000) ++sent;
    std::printf("fill %d %s", sent, strerrorname_np(errno));
}

void do_poll(const Words& words) {
    const bool either = word(words, 2) != "in";
    pollfd one{descriptor(), static_cast<short>(either ? POLLIN | POLLOUT : POLLIN), 0};
    if (report("poll", poll(&one, 1, number(words, 1))))
        std::printf("%s%s%s", (one.revents & POLLIN) != 0 ? " in" : "",
                    (one.revents & POLLOUT) != 0 ? " out" : "",
                    (one.revents & POLLERR) != 0 ? " err" : "");
}

void do_name(const char* name, int (*call)(int, sockaddr*, socklen_t*)) {
    sockaddr_edp got{};
    socklen_t length = sizeof got;
    if (report(name, call(descriptor(), reinterpret_cast<sockaddr*>(&got), &length)))
        show_address(got);
}

void do_get(const Words& words) {
    int value = 0;
    auto length = static_cast<socklen_t>(number(words, 3, sizeof value));
    if (report("get",
               getsockopt(descriptor(), number(words, 1), number(words, 2), &value, &length)))
        std::printf(" %d %u", value, length);
}

void do_ioctl(const char* name, unsigned long what) {
    int value = 0;
    if (report(name, ioctl(descriptor(), what, &value))) std::printf(" %d", value);
}

timeval milliseconds(long amount) {
    return {amount / 1000, amount % 1000 * 1000};
}

void do_alarm(const Words& words, int flags) {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    action.sa_flags = flags;
    sigaction(SIGALRM, &action, nullptr);
    // Again and again: the first may come before the call it is to interrupt.
    const itimerval timer{milliseconds(number(words, 1)), milliseconds(number(words, 1))};
    report("alarm", setitimer(ITIMER_REAL, &timer, nullptr));
}

void do_netns(const Words& words) {
    static const int kFirst = open("/proc/self/ns/net", O_RDONLY);
    const bool back = word(words, 1).empty();
    const int fd = back ? kFirst : open(("/var/run/netns/" + word(words, 1)).c_str(), O_RDONLY);
    report("netns", setns(fd, CLONE_NEWNET));
    if (!back) close(fd);
}

void do_await(const Words& words) {
    while (access(word(words, 1).c_str(), F_OK) != 0) usleep(2000);
    report("await", 0);
}

void do_set(const Words& words) {
    const int value = number(words, 3);
    report("set",
           setsockopt(descriptor(), number(words, 1), number(words, 2), &value, sizeof value));
}

void do_timeout(const Words& words) {
    const timeval limit = milliseconds(number(words, 1));
    report("timeout", setsockopt(descriptor(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
}

void do_connect(const Words& words) {
    report("connect", on_address(words, true, [](const sockaddr* to, socklen_t length) {
               return connect(descriptor(), to, length);
           }));
}

void do_disconnect(const Words& /*words*/) {
    const sockaddr none{};
    report("disconnect", connect(descriptor(), &none, sizeof none));
}

void do_bind(const Words& words) {
    report("bind", on_address(words, false, [](const sockaddr* to, socklen_t length) {
               return bind(descriptor(), to, length);
           }));
}

void do_ports(const Words& words) {
    using Clock = std::chrono::steady_clock;
    constexpr rlim_t kMany = 70000;
    constexpr int kRefusals = 5;
    const rlimit limit{kMany, kMany};
    setrlimit(RLIMIT_NOFILE, &limit);
    const sockaddr_edp wanted = address({"", word(words, 1), "0"}, false);
    std::vector<int> made;
    std::set<unsigned> ports;
    auto shortest = Clock::duration::max();
    Clock::duration all{};
    int error = 0;
    const auto begin = Clock::now();
    for (int refused = 0; refused < kRefusals && made.size() < kMany;) {
        made.push_back(socket(AF_EDP, SOCK_DGRAM, 0));
        const auto before = Clock::now();
        const auto* const name = reinterpret_cast<const sockaddr*>(&wanted);
        if (bind(made.back(), name, sizeof wanted) == 0) {
            all = Clock::now() - begin;
            sockaddr_edp got{};
            socklen_t length = sizeof got;
            getsockname(made.back(), reinterpret_cast<sockaddr*>(&got), &length);
            ports.insert(ntohs(got.sedp_port));
        } else {
            error = errno;
            shortest = std::min(shortest, Clock::now() - before);
            ++refused;
        }
    }
    std::printf("ports %zu %s %s", ports.size(), strerrorname_np(error),
                shortest / 100 > all / std::max<long>(std::ssize(ports), 1) ? "slow" : "quick");
    for (const int one : made) close(one);
}

void do_short(const Words& words) {
    const auto length = static_cast<socklen_t>(number(words, 1));
    report("short", on_address({"", "-", "9"}, false, [length](const sockaddr* to, socklen_t) {
               return bind(descriptor(), to, length);
           }));
}

void do_send(const Words& words) {
    const std::string& text = word(words, 1);
    report("send", send(descriptor(), text.data(), text.size(), flags_of(word(words, 2))));
}

void do_sendto(const Words& words) {
    const std::string& text = word(words, 4);
    report("sendto", on_address(words, true, [&text](const sockaddr* to, socklen_t length) {
               return sendto(descriptor(), text.data(), text.size(), 0, to, length);
           }));
}

/// Arguments without sense: addresses of any length, families, interfaces and ports; flags and
/// options that nobody has. Nothing of it waits.
class Nonsense {
  public:
    explicit Nonsense(unsigned seed) : random_(seed) {}

    void call() {
        int& socket = sockets_[below(sockets_.size())];
        if (socket < 0 || below(40) == 0) {
            if (socket >= 0) close(socket);
            socket = ::socket(AF_EDP, SOCK_DGRAM | SOCK_NONBLOCK, 0);
            return;
        }
        make_address();
        if (below(2) == 0)
            make_or_ask(socket);
        else
            carry(socket);
    }

    ~Nonsense() {
        for (const int socket : sockets_) close(socket);
    }
    Nonsense(const Nonsense&) = delete;
    Nonsense& operator=(const Nonsense&) = delete;

  private:
    std::size_t below(std::size_t limit) { return random_() % limit; }

    void make_address() {
        for (unsigned char& byte : bytes_) byte = static_cast<unsigned char>(random_());
        if (below(8) != 0) {
            sockaddr_edp address{};
            std::memcpy(&address, bytes_.data(), sizeof address);
            address.sedp_family = below(8) == 0 ? AF_UNSPEC : AF_EDP;
            address.sedp_ifindex = static_cast<int>(below(6)) - 1;
            address.sedp_port = htons(static_cast<std::uint16_t>(below(20)));
            std::memcpy(bytes_.data(), &address, sizeof address);
        }
        length_ =
            static_cast<socklen_t>(below(4) == 0 ? below(bytes_.size()) : sizeof(sockaddr_edp));
    }

    void make_or_ask(int socket) {
        auto* const name = reinterpret_cast<sockaddr*>(bytes_.data());
        int value = static_cast<int>(random_());
        const int option = static_cast<int>(below(4));
        switch (below(6)) {
            case 0:
                std::ignore = bind(socket, name, length_);
                break;
            case 1:
                std::ignore = connect(socket, name, length_);
                break;
            case 2:
                getsockname(socket, name, &length_);
                break;
            case 3:
                getpeername(socket, name, &length_);
                break;
            case 4:
                setsockopt(socket, SOL_EDP, option, &value, below(2) == 0 ? length_ : 4);
                break;
            default:
                getsockopt(socket, SOL_EDP, option, bytes_.data(), &length_);
        }
    }

    void carry(int socket) {
        const int flags = static_cast<int>(random_() & (MSG_PEEK | MSG_TRUNC | MSG_OOB)) |
                          MSG_DONTWAIT | MSG_NOSIGNAL;
        auto* const name = reinterpret_cast<sockaddr*>(bytes_.data());
        const std::size_t size = below(3) == 0 ? below(data_.size()) : below(100);
        char* const data = below(10) == 0 ? nullptr : data_.data();
        const bool named = below(2) == 0;
        if (below(2) == 0)
            sendto(socket, data, size, flags, named ? name : nullptr, length_);
        else
            recvfrom(socket, data, size, flags, named ? name : nullptr, &length_);
    }

    std::mt19937 random_;
    std::array<int, 3> sockets_{-1, -1, -1};
    std::array<unsigned char, 128> bytes_{};
    std::vector<char> data_ = std::vector<char>(70000);
    socklen_t length_ = 0;
};

void do_fuzz(const Words& words) {
    Nonsense nonsense(static_cast<unsigned>(number(words, 1)));
    for (int i = 0; i < number(words, 2); ++i) nonsense.call();
    report("fuzz", number(words, 2));
}

const std::map<std::string, std::function<void(const Words&)>> kActions = {
    {"socket", do_socket},
    {"use", [](const Words& w) { current = static_cast<std::size_t>(number(w, 1)); }},
    {"bind", do_bind},
    {"short", do_short},
    {"ports", do_ports},
    {"connect", do_connect},
    {"disconnect", do_disconnect},
    {"send", do_send},
    {"sendto", do_sendto},
    {"fill", do_fill},
    {"fuzz", do_fuzz},
    {"recv", do_recv},
    {"read", do_read},
    {"readv",
     [](const Words& /*w*/) {
         report("readv", recv(descriptor(), reinterpret_cast<void*>(8), 4, MSG_DONTWAIT));
     }},
    {"sendv",
     [](const Words& /*w*/) {
         report("sendv", send(descriptor(), reinterpret_cast<void*>(8), 4, MSG_DONTWAIT));
     }},
    {"poll", do_poll},
    {"name", [](const Words& /*w*/) { do_name("name", getsockname); }},
    {"peer", [](const Words& /*w*/) { do_name("peer", getpeername); }},
    {"inq", [](const Words& /*w*/) { do_ioctl("inq", SIOCINQ); }},
    {"outq", [](const Words& /*w*/) { do_ioctl("outq", SIOCOUTQ); }},
    {"close", [](const Words& /*w*/) { report("close", close(descriptor())); }},
    {"set", do_set},
    {"get", do_get},
    {"timeout", do_timeout},
    {"alarm", [](const Words& w) { do_alarm(w, 0); }},
    {"restart", [](const Words& w) { do_alarm(w, SA_RESTART); }},
    {"netns", do_netns},
    {"note", [](const Words& w) { report("note", close(creat(word(w, 1).c_str(), 0644))); }},
    {"await", do_await},
    {"beside", [](const Words& /*w*/) { report("beside", 0); }},
};

Words split(const std::string& text) {
    Words words(1);
    for (const char letter : text)
        if (letter == ':')
            words.emplace_back();
        else
            words.back() += letter;
    return words;
}

}  // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    for (int i = 1; i < argc; ++i) {
        const Words words = split(argv[i]);
        const auto action = kActions.find(words[0]);
        if (action == kActions.end()) {
            std::fputs(kUsage, stderr);
            return 2;
        }
        action->second(words);
        if (words[0] != "use") std::printf("\n");
        if (words[0] == "beside") {
            const int calls = number(words, 1);
            if (fork() == 0)
                argc = std::min(argc, i + 1 + calls);
            else
                i += calls;
        }
    }
    return argc > 1 ? 0 : 2;
}
