// SPDX-License-Identifier: GPL-2.0
#include "marks.h"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>

namespace fwts::grader {
namespace {

constexpr std::uint32_t first = 0x1fe00;
constexpr std::uint32_t beyond = 0x20000;  // BAR 0 ends
// Each kind of companion has its own part: two may be there at once.
constexpr std::array<std::uint32_t, 4> parts{first, 0x1ff00, 0x1ff80, beyond};
constexpr std::uint32_t forgery = 0x80000000;
constexpr std::uint32_t register_bytes = 4;

}  // namespace

std::uint32_t Marks::open(std::uint32_t known, std::uint32_t count, std::size_t order) {
    const auto part = std::find(parts.begin(), parts.end(), known);
    if (known >= beyond || part == parts.end()) throw std::logic_error("no place for marks");
    Span span;
    span.known = known;
    span.bytes = count * register_bytes;
    const auto places = (*(part + 1) - known - span.bytes) / register_bytes + 1;
    span.secret = known + register_bytes * static_cast<std::uint32_t>(random_() % places);
    span.from = order;
    span.until = std::numeric_limits<std::size_t>::max();
    spans_.push_back(span);
    return span.secret;
}

void Marks::close(std::uint32_t known, std::size_t order) {
    for (auto& span : spans_)
        if (span.known == known) span.until = std::min(span.until, order);
}

void Marks::settle(std::vector<sandbox::RegisterWrite>& record) const {
    for (std::size_t i = 0; i < record.size(); ++i) {
        auto& write = record[i];
        if (write.implemented || write.offset < first || write.offset >= beyond) continue;
        const auto span = std::find_if(spans_.begin(), spans_.end(), [&](const Span& one) {
            return i >= one.from && i < one.until && write.offset >= one.secret &&
                   write.offset < one.secret + one.bytes;
        });
        if (span == spans_.end())
            write.offset |= forgery;
        else
            write.offset += span->known - span->secret;
    }
}

bool Marks::forged(const sandbox::RegisterWrite& write) {
    return (write.offset & forgery) != 0;
}

}  // namespace fwts::grader
