// SPDX-License-Identifier: GPL-2.0
#include "executed.h"

#include <fmt/format.h>

#include <sstream>

#include "failure.h"
#include "text.h"

namespace fwts::measure {

using sandbox::SetupError;

std::vector<std::string> counting(const std::filesystem::path& plugin,
                                  const std::filesystem::path& out, std::uint64_t mark) {
    return {"-plugin",
            fmt::format("file={},out={},mark={:#x}", plugin.string(), out.string(), mark)};
}

std::vector<Counts> parse_windows(std::string_view text) {
    std::vector<Counts> windows;
    Counts counts;
    for (const std::string& line : split_lines(text)) {
        if (line == "end") {
            windows.push_back(std::move(counts));
            counts.clear();
            continue;
        }
        std::istringstream words(line);
        std::uint64_t address = 0, count = 0;
        if (!(words >> std::hex >> address >> std::dec >> count) || !words.eof())
            throw SetupError(
                fmt::format("QEMU's plugin wrote a line of an unknown kind: {}", line));
        counts[address] += count;
    }
    return windows;
}

}  // namespace fwts::measure
