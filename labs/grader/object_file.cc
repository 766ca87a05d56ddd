// SPDX-License-Identifier: GPL-2.0
#include "object_file.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <vector>

namespace fwts::grader {
namespace {

constexpr std::size_t most_sections = 100'000;

/// A record of the file's own format. @throws when it does not lie in the file.
template <typename Record>
Record record_at(const std::string& file, std::uint64_t at) {
    Record record;
    if (at > file.size() || file.size() - at < sizeof record)
        throw std::runtime_error("the object file is cut off");
    std::memcpy(&record, file.data() + at, sizeof record);
    return record;
}

/// The records of a section. @throws when they do not lie in the file.
template <typename Record>
std::vector<Record> records_in(const std::string& file, const Elf64_Shdr& section) {
    if (section.sh_offset > file.size() || file.size() - section.sh_offset < section.sh_size)
        throw std::runtime_error("the object file is cut off");
    std::vector<Record> records(section.sh_size / sizeof(Record));
    for (std::size_t i = 0; i < records.size(); ++i)
        records[i] = record_at<Record>(file, section.sh_offset + i * sizeof(Record));
    return records;
}

std::vector<Elf64_Shdr> sections_of(const std::string& file) {
    const auto header = record_at<Elf64_Ehdr>(file, 0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_shentsize != sizeof(Elf64_Shdr))
        throw std::runtime_error("this is no object file of 64 bits");
    std::vector<Elf64_Shdr> sections;
    for (std::size_t i = 0; i < std::min<std::size_t>(header.e_shnum, most_sections); ++i) {
        if (header.e_shoff > file.size()) throw std::runtime_error("the object file is cut off");
        sections.push_back(record_at<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr)));
    }
    return sections;
}

/// Whether the name that begins there is this one.
bool is_called(const std::string& file, const Elf64_Shdr& names, std::uint32_t at,
               const std::string& name) {
    if (names.sh_offset > file.size() || at > file.size() - names.sh_offset) return false;
    return file.compare(names.sh_offset + at, name.size() + 1, name.c_str(), name.size() + 1) == 0;
}

}  // namespace

Extent variable_in(const std::string& object, const std::string& name) {
    const auto sections = sections_of(object);
    std::optional<Elf64_Sym> found;
    for (const auto& table : sections) {
        if (table.sh_type != SHT_SYMTAB || table.sh_link >= sections.size()) continue;
        for (const auto& symbol : records_in<Elf64_Sym>(object, table)) {
            if (ELF64_ST_BIND(symbol.st_info) != STB_GLOBAL || symbol.st_shndx == SHN_UNDEF ||
                !is_called(object, sections[table.sh_link], symbol.st_name, name))
                continue;
            if (found) throw std::runtime_error(fmt::format("there are two of {}", name));
            found = symbol;
        }
    }
    if (!found) throw std::runtime_error(fmt::format("there is no global variable {}", name));
    if (found->st_shndx >= sections.size() || sections[found->st_shndx].sh_type != SHT_PROGBITS)
        throw std::runtime_error(fmt::format("{} has no value", name));
    const auto& home = sections[found->st_shndx];
    const bool inside =
        found->st_value <= home.sh_size && found->st_size <= home.sh_size - found->st_value &&
        home.sh_offset <= object.size() && home.sh_size <= object.size() - home.sh_offset;
    if (!inside) throw std::runtime_error("the object file is cut off");
    return {home.sh_offset + found->st_value, found->st_size};
}

}  // namespace fwts::grader
