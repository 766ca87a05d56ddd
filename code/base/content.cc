// SPDX-License-Identifier: GPL-2.0
#include "content.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>

namespace fwts {

namespace {

constexpr std::uint64_t kPrime = 0x9e3779b97f4a7c15;
constexpr std::size_t kWord = sizeof(std::uint64_t);
constexpr std::size_t kLanes = 4;  // the processor multiplies them side by side

std::string hex(std::uint64_t number) {
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(number));
    return digits.data();
}

}  // namespace

std::uint64_t content_hash(std::string_view bytes) {
    std::array<std::uint64_t, kLanes> lanes{1, 2, 3, 4};
    const auto mix = [](std::uint64_t value, std::uint64_t word) {
        return (std::rotl(value, 29) ^ word) * kPrime;
    };
    const auto word_at = [&bytes](std::size_t at) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data() + at, std::min(kWord, bytes.size() - at));
        return word;
    };
    std::size_t at = 0;
    for (; at + kLanes * kWord <= bytes.size(); at += kLanes * kWord)
        for (std::size_t lane = 0; lane < kLanes; ++lane)
            lanes[lane] = mix(lanes[lane], word_at(at + lane * kWord));
    std::uint64_t value = mix(kPrime, bytes.size());
    for (; at < bytes.size(); at += kWord) value = mix(value, word_at(at));
    for (const std::uint64_t lane : lanes) value = mix(value, lane);
    return mix(value, value >> 32);
}

std::string content_of(const std::filesystem::path& file) {
    const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return "missing";
    struct stat info{};
    std::string text = "missing";
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        const auto size = static_cast<std::size_t>(info.st_size);
        void* bytes = size == 0 ? nullptr : mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) {
            text = std::to_string(size) + " " +
                   hex(content_hash({static_cast<const char*>(bytes), size}));
            if (bytes != nullptr) munmap(bytes, size);
        }
    }
    close(fd);
    return text;
}

}  // namespace fwts
