// SPDX-License-Identifier: GPL-2.0
#include "kernel_symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "descriptor.h"
#include "failure.h"

namespace fwts::sandbox {

namespace {

constexpr std::uint64_t kStartOfKernelMap = 0xffffffff80000000;

class ElfFile {
  public:
    explicit ElfFile(const std::filesystem::path& path)
        : name_(path.string()), file_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        header_ = read<Elf64_Ehdr>(0, 1).front();
        if (std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 ||
            header_.e_ident[EI_CLASS] != ELFCLASS64) {
            throw SetupError(name_ + ": no ELF file of 64 bits");
        }
        sections_ = read<Elf64_Shdr>(header_.e_shoff, header_.e_shnum);
    }

    [[nodiscard]] const Elf64_Shdr& symbols() const {
        for (const Elf64_Shdr& section : sections_)
            if (section.sh_type == SHT_SYMTAB && section.sh_link < sections_.size()) return section;
        throw SetupError(name_ + ": has no symbols");
    }

    [[nodiscard]] const Elf64_Shdr& section(std::size_t number) const {
        return sections_.at(number);
    }

    template <typename Item>
    [[nodiscard]] std::vector<Item> read(std::uint64_t offset, std::size_t count) const {
        std::vector<Item> items(count);
        const std::size_t size = count * sizeof(Item);
        std::size_t done = 0;
        while (done < size) {
            const ssize_t n = pread(file_.get(), reinterpret_cast<char*>(items.data()) + done,
                                    size - done, static_cast<off_t>(offset + done));
            if (n <= 0) throw SetupError(name_ + ": cannot be read");
            done += static_cast<std::size_t>(n);
        }
        return items;
    }

  private:
    std::string name_;
    Descriptor file_;
    Elf64_Ehdr header_{};
    std::vector<Elf64_Shdr> sections_;
};

}  // namespace

std::map<std::string, KernelSymbol> kernel_symbols(const std::filesystem::path& vmlinux,
                                                   const std::set<std::string>& names) {
    const ElfFile file(vmlinux);
    const Elf64_Shdr& table = file.symbols();
    const Elf64_Shdr& strings = file.section(table.sh_link);
    auto text = file.read<char>(strings.sh_offset, strings.sh_size);
    text.push_back('\0');
    std::map<std::string, KernelSymbol> found;
    for (const auto& symbol :
         file.read<Elf64_Sym>(table.sh_offset, table.sh_size / sizeof(Elf64_Sym))) {
        if (symbol.st_name >= strings.sh_size || symbol.st_value < kStartOfKernelMap) continue;
        std::string name(text.data() + symbol.st_name);
        if (names.count(name) != 0) {
            found.try_emplace(std::move(name),
                              KernelSymbol{symbol.st_value - kStartOfKernelMap, symbol.st_size});
        }
    }
    return found;
}

}  // namespace fwts::sandbox
