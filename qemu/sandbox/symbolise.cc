// SPDX-License-Identifier: GPL-2.0
#include "symbolise.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <regex>

#include "process.h"
#include "text.h"

namespace fwts::sandbox {

namespace fs = std::filesystem;

namespace {

struct Symbol {
    std::uint64_t value = 0;
    std::uint64_t size = 0;
    std::string section;
};

using Symbols = std::multimap<std::string, Symbol>;

std::vector<std::string> lines_from(const std::vector<std::string>& argv) {
    Limits limits;
    limits.wall = std::chrono::minutes(10);
    limits.output_bytes = std::uint64_t{1} << 30;
    return split_lines(
        run_process(argv, limits, {{"PATH", "/usr/bin:/bin"}}, Errors::dropped).output);
}

// `nm -f sysv`: name|value|class|type|size|line|section
Symbols read_symbols(const fs::path& file) {
    Symbols symbols;
    for (const std::string& line : lines_from({"nm", "-f", "sysv", file.string()})) {
        const auto fields = split(line, '|');
        if (fields.size() < 7 || trimmed(fields[3]) != "FUNC") continue;
        const auto number = [&](std::size_t field) {
            return std::stoull("0" + std::string(trimmed(fields[field])), nullptr, 16);
        };
        symbols.emplace(trimmed(fields[0]),
                        Symbol{number(1), number(4), std::string(trimmed(fields[6]))});
    }
    return symbols;
}

// Of static functions with one name, the size the kernel printed tells which is meant.
const Symbol* find_symbol(const Symbols& symbols, const TraceFrame& frame) {
    const Symbol* found = nullptr;
    const auto [begin, end] = symbols.equal_range(frame.function);
    for (auto each = begin; each != end; ++each)
        if (found == nullptr || each->second.size == frame.size) found = &each->second;
    return found;
}

// "function at path/file.c:12", with inlined callers, the path shortened to what is in the tree.
std::string line_of(const fs::path& file, std::uint64_t address, const std::string& section) {
    std::vector<std::string> command{"addr2line", "-f", "-i", "-e", file.string()};
    if (!section.empty()) command.insert(command.end(), {"-j", section});
    command.push_back(fmt::format("{:#x}", address));
    const auto lines = lines_from(command);
    std::string text;
    for (std::size_t i = 0; i + 1 < lines.size(); i += 2) {
        if (lines[i + 1].rfind("??", 0) == 0) continue;
        std::string place = lines[i + 1].substr(0, lines[i + 1].find(" (discriminator"));
        static const std::regex tree(R"(^.*/linux-[^/]*/)");
        place = fs::path(std::regex_replace(place, tree, "")).lexically_normal().string();
        text += fmt::format("{}{} at {}", text.empty() ? "" : ", inlined into ", lines[i], place);
    }
    return text;
}

// Modules with debug information: the caller's, then the kernel's build tree, then what is loaded.
fs::path find_module(const std::string& name, const KernelImage& kernel,
                     const std::vector<fs::path>& modules) {
    const auto fits = [&name](const fs::path& path) {
        std::string stem = path.stem().string();
        std::replace(stem.begin(), stem.end(), '-', '_');
        return path.extension() == ".ko" && stem == name;
    };
    for (const fs::path& module : modules)
        if (fits(module)) return module;
    for (const char* tree : {"build/drivers", "build/net", "build/lib", "modules"}) {
        std::error_code error;
        for (const auto& each : fs::recursive_directory_iterator(kernel.directory / tree, error))
            if (fits(each.path())) return each.path();
    }
    return {};
}

}  // namespace

std::vector<std::string> symbolise(const std::vector<TraceFrame>& frames, const KernelImage& kernel,
                                   const std::vector<fs::path>& modules) {
    std::map<std::string, std::pair<fs::path, Symbols>> files;  // by module name; "" is the kernel
    std::vector<std::string> lines;
    for (const TraceFrame& frame : frames) {
        if (files.count(frame.module) == 0) {
            const fs::path file =
                frame.module.empty() ? kernel.vmlinux : find_module(frame.module, kernel, modules);
            files[frame.module] = {file, file.empty() ? Symbols() : read_symbols(file)};
        }
        const auto& [file, symbols] = files[frame.module];
        const std::string raw = fmt::format("{}+{:#x}{}", frame.function, frame.offset,
                                            frame.module.empty() ? "" : " [" + frame.module + "]");
        std::string place;
        if (const Symbol* symbol = find_symbol(symbols, frame)) {
            // A return address points behind its call; the first frame is where it stood.
            const std::uint64_t back = lines.empty() || frame.offset == 0 ? 0 : 1;
            place = line_of(file, symbol->value + frame.offset - back,
                            frame.module.empty() ? "" : symbol->section);
        }
        lines.push_back(place.empty() ? raw : fmt::format("{} ({})", place, raw));
    }
    return lines;
}

std::vector<std::string> symbolise_addresses(const std::vector<std::uint64_t>& addresses,
                                             const KernelImage& kernel) {
    std::vector<std::string> lines;
    for (std::size_t cpu = 0; cpu < addresses.size(); ++cpu) {
        const std::string place = line_of(kernel.vmlinux, addresses[cpu], "");
        lines.push_back(fmt::format("cpu {}: {}", cpu,
                                    place.empty() ? fmt::format("{:#x}", addresses[cpu]) : place));
    }
    return lines;
}

std::vector<std::uint64_t> instruction_pointers(std::string_view registers) {
    std::vector<std::uint64_t> found;
    std::size_t at = 0;
    while ((at = registers.find("RIP=", at)) != std::string_view::npos) {
        found.push_back(std::stoull(std::string(registers.substr(at + 4, 16)), nullptr, 16));
        at += 4;
    }
    return found;
}

}  // namespace fwts::sandbox
