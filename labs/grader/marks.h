// SPDX-License-Identifier: GPL-2.0
// What companions write into the record of register writes stands at registers that the card does
// not have. A driver can write there, too. So in the guest these are others than here, which nobody
// can know, and what else is written to any of them is a forgery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "register_log.h"

namespace fwts::grader {

class Marks {
  public:
    explicit Marks(std::uint64_t seed) : random_(seed) {}

    /// A companion begins to write marks.
    /// @param known  where they are to stand in the record: 0x1fe00, 0x1ff00 or 0x1ff80
    /// @param count  of registers, from there on
    /// @param order  length of the record by now
    /// @return where the companion must write them
    std::uint32_t open(std::uint32_t known, std::uint32_t count, std::size_t order);
    /// It writes no more.
    void close(std::uint32_t known, std::size_t order);
    bool any() const { return !spans_.empty(); }

    /// Moves each mark in a record to where it is known. A forged one leaves the card: forged().
    void settle(std::vector<sandbox::RegisterWrite>& record) const;
    static bool forged(const sandbox::RegisterWrite& write);

  private:
    struct Span {
        std::uint32_t known = 0;
        std::uint32_t secret = 0;
        std::uint32_t bytes = 0;
        std::size_t from = 0;
        std::size_t until = 0;
    };
    std::mt19937_64 random_;
    std::vector<Span> spans_;
};

}  // namespace fwts::grader
