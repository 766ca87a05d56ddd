// SPDX-License-Identifier: GPL-2.0
// The host's statement of the registers beside the driver's: neither is made from the other.
#include "registers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <regex>

#include "files.h"
#include "text.h"

namespace fwts::sandbox {
namespace {

std::uint32_t number(const std::string& text) {
    return static_cast<std::uint32_t>(std::stoul(text, nullptr, 0));
}

/// The driver's definitions: registers by offset and stride (0: there is one), fields by mask.
struct Driver {
    std::map<std::string, std::pair<std::uint32_t, std::uint32_t>> registers;
    std::map<std::string, std::uint32_t> fields;
};

Driver driver() {
    static const std::regex one(R"(#define REG_(\w+)\s+(0x\w+).*)");
    static const std::regex many(R"(#define REG_(\w+)\(n\)\s+\((0x\w+) \+ (\w+) \* \(n\)\).*)");
    static const std::regex bit(R"(#define\s+(\w+)\s+BIT\((\d+)\).*)");
    static const std::regex mask(R"(#define\s+(\w+)\s+GENMASK\((\d+), (\d+)\).*)");
    Driver found;
    std::smatch part;
    for (const auto& line : split_lines(read_file(FWTS_SOURCE_DIR "/code/driver/igbook_regs.h")))
        if (std::regex_match(line, part, one))
            found.registers[part[1]] = {number(part[2]), 0};
        else if (std::regex_match(line, part, many))
            found.registers[part[1]] = {number(part[2]), number(part[3])};
        else if (std::regex_match(line, part, bit))
            found.fields[part[1]] = 1U << number(part[2]);
        else if (std::regex_match(line, part, mask))
            found.fields[part[1]] = (~0U >> (31 - number(part[2]) + number(part[3])))
                                    << number(part[3]);
    return found;
}

TEST(Registers, TheDriverHasThemWhereTheHostHasThem) {
    const auto known = driver();
    EXPECT_GT(known.registers.size(), 50U);
    for (const auto& [name, place] : known.registers) {
        EXPECT_EQ(register_offset(name), place.first) << name;
        const auto* const entry =
            std::find_if(std::begin(kRegisters), std::end(kRegisters),
                         [&name = name](const Register& each) { return each.name == name; });
        ASSERT_NE(entry, std::end(kRegisters)) << name;
        EXPECT_EQ(entry->stride, place.second) << name;
    }
}

TEST(Registers, FieldsTheHostLooksAtAreTheDriversFields) {
    const auto known = driver();
    for (const RegisterField& field : kRegisterFields) {
        const auto found = known.fields.find(std::string(field.name));
        ASSERT_NE(found, known.fields.end()) << field.name << ": the driver has no such field";
        EXPECT_EQ(found->second, field.mask) << field.name;
    }
}

TEST(Registers, ANameLeadsToItsPlaceAndBack) {
    for (const Register& each : kRegisters)
        EXPECT_EQ(register_name(each.offset).rfind(each.name, 0), 0U);
    EXPECT_EQ(register_name(0xe018 + 3 * 0x40), "TDT(3)");
    EXPECT_EQ(register_offset("RAH(1)"), 0x540cU);
    EXPECT_EQ(register_name(0x540c), "RAH(1)");
    EXPECT_EQ(register_name(0x000d0), "IMS");
    EXPECT_EQ(register_name(0x01508), "IMS");
    EXPECT_EQ(register_name(0x1234), "0x1234");
    EXPECT_FALSE(register_offset("TDT(16)"));
    EXPECT_FALSE(register_offset("TDT(x)"));
    EXPECT_FALSE(register_offset("NONE"));
}

}  // namespace
}  // namespace fwts::sandbox
