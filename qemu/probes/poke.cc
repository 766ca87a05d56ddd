// SPDX-License-Identifier: GPL-2.0
// poke DEVICE OFFSET VALUE   writes a register of the card, beside its driver.
// Runs in the guest. DEVICE is a PCI address: 0000:01:00.0; the numbers may be hexadecimal.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
    constexpr std::size_t kBar = 0x20000;
    const unsigned long offset = argc == 4 ? std::strtoul(argv[2], nullptr, 0) : kBar;
    if (offset >= kBar || offset % 4 != 0) {
        std::fputs("usage: poke DEVICE OFFSET VALUE\n", stderr);
        return 2;
    }
    const std::string file = std::string("/sys/bus/pci/devices/") + argv[1] + "/resource0";
    const int fd = open(file.c_str(), O_RDWR | O_SYNC | O_CLOEXEC);
    void* bar =
        fd < 0 ? MAP_FAILED : mmap(nullptr, kBar, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bar == MAP_FAILED) {
        std::perror(file.c_str());
        return 1;
    }
    static_cast<volatile std::uint32_t*>(bar)[offset / 4] =
        static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 0));
    return 0;
}
