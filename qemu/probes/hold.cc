// SPDX-License-Identifier: GPL-2.0
// hold DEVICE QUEUE      makes the card send nothing of one transmit queue; the others go on.
// hold DEVICE QUEUE off  lets it go on, with what has been put into the queue meanwhile.
// Runs in the guest. DEVICE is a PCI address: 0000:01:00.0.
//
// The emulated card sends while the driver writes the tail, so that nothing is ever under way when
// that write is done. With the queue switched off (TXDCTL.ENABLE) it only notes the tail: frames
// stay in the ring as on a card with a slow cable. Switched on again it looks at the ring when the
// tail is written next. Nobody should be sending by this queue then: what he writes may be newer.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

constexpr std::size_t kBar = 0x20000;
constexpr std::uint32_t kTail = 0x0e018;
constexpr std::uint32_t kControl = 0x0e028;
constexpr std::uint32_t kEnable = 1U << 25;
constexpr long kQueues = 16;

volatile std::uint32_t* registers(const std::string& device) {
    const std::string file = "/sys/bus/pci/devices/" + device + "/resource0";
    const int fd = open(file.c_str(), O_RDWR | O_SYNC | O_CLOEXEC);
    void* bar =
        fd < 0 ? MAP_FAILED : mmap(nullptr, kBar, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bar == MAP_FAILED) {
        std::perror(file.c_str());
        std::exit(1);
    }
    return static_cast<volatile std::uint32_t*>(bar);
}

}  // namespace

int main(int argc, char** argv) {
    const bool off = argc == 4 && std::string_view(argv[3]) == "off";
    const long queue = argc > 2 ? std::strtol(argv[2], nullptr, 10) : -1;
    if ((argc != 3 && !off) || queue < 0 || queue >= kQueues) {
        std::fputs("usage: hold DEVICE QUEUE [off]\n", stderr);
        return 2;
    }
    volatile std::uint32_t* bar = registers(argv[1]);
    volatile std::uint32_t* control = bar + (kControl + 0x40 * queue) / 4;
    volatile std::uint32_t* tail = bar + (kTail + 0x40 * queue) / 4;
    if (off) {
        *control = *control | kEnable;
        *tail = *tail;
    } else {
        *control = *control & ~kEnable;
    }
    return 0;
}
