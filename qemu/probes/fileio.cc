// SPDX-License-Identifier: GPL-2.0
// fileio: reads and writes a file just as it is told, and says what each call returned, which no
// shell does. Runs in the guest.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace {

constexpr std::size_t kRoom = std::size_t{1} << 17;
constexpr const char* kUsage =
    "usage: fileio FILE DATA ACTION...\n"
    "FILE is opened once. Each ACTION is one call and gives one line: what it returned, errno, "
    "and\n"
    "for a read the bytes in hexadecimal.\n"
    "  r:OFFSET:LENGTH    read so many bytes there\n"
    "  w:LENGTH           write the next so many bytes of the file DATA\n"
    "  w:LENGTH:READABLE  the same, but only the first so many can be read from memory\n"
    "example: fileio /sys/bus/pci/devices/0000:01:00.0/nvm - r:0:128 r:127:10\n";

[[noreturn]] void give_up(const char* what) {
    std::fprintf(stderr, "fileio: %s: %s\n", what, std::strerror(errno));
    std::exit(1);
}

/// Memory whose end is the end of what can be read.
char* edge() {
    void* room =
        mmap(nullptr, 2 * kRoom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) give_up("mmap");
    char* end = static_cast<char*>(room) + kRoom;
    if (munmap(end, kRoom) != 0) give_up("munmap");
    return end;
}

void report(ssize_t result, const char* bytes) {
    std::printf("%zd %d", result, result < 0 ? errno : 0);
    if (bytes != nullptr && result > 0) {
        std::printf(" ");
        for (ssize_t i = 0; i < result; ++i)
            std::printf("%02x", static_cast<unsigned char>(bytes[i]));
    }
    std::printf("\n");
}

void read_at(int file, std::size_t offset, std::size_t length) {
    std::vector<char> bytes(length + 1);
    const ssize_t result = pread(file, bytes.data(), length, static_cast<off_t>(offset));
    report(result, bytes.data());
}

void write_next(int file, int data, std::size_t length, std::size_t readable) {
    static char* const end = edge();
    if (length > kRoom || readable > length) {
        std::fputs(kUsage, stderr);
        std::exit(2);
    }
    std::vector<char> bytes(length);
    if (length > 0 && read(data, bytes.data(), length) != static_cast<ssize_t>(length))
        give_up("DATA");
    std::copy_n(bytes.data(), readable, end - readable);
    report(write(file, end - readable, length), nullptr);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fputs(kUsage, stderr);
        return 2;
    }
    const bool writes = argv[3][0] == 'w';
    const int file = open(argv[1], writes ? O_WRONLY : O_RDONLY);
    if (file < 0) give_up(argv[1]);
    const int data = writes ? open(argv[2], O_RDONLY) : -1;
    if (writes && data < 0) give_up(argv[2]);
    for (int i = 3; i < argc; ++i) {
        std::size_t first = 0;
        std::size_t second = 0;
        const int given = std::sscanf(argv[i] + 1, ":%zu:%zu", &first, &second);
        if (argv[i][0] == 'r' && given == 2 && !writes)
            read_at(file, first, second);
        else if (argv[i][0] == 'w' && given >= 1 && writes)
            write_next(file, data, first, given == 2 ? second : first);
        else {
            std::fputs(kUsage, stderr);
            return 2;
        }
    }
    return 0;
}
