// SPDX-License-Identifier: GPL-2.0
#include "patients.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <stdexcept>

#include "builder.h"
#include "files.h"
#include "jail.h"
#include "lab.h"
#include "object_file.h"
#include "prebuilt.h"
#include "scratch.h"
#include "skeleton.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

using Random = std::mt19937_64;

constexpr const char* variable = "igbook_case";
constexpr std::uint32_t golden_ratio = 0x61c88647;  // of the kernel's hash_32()

/// A number below `end`; the library's distributions differ from one to another.
std::size_t below(Random& random, std::size_t end) {
    return static_cast<std::size_t>(random() % end);
}

template <typename Item>
void shuffle(std::vector<Item>& items, Random& random) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(random, i)]);
}

/// The faults' families, each with its faults' enumerators.
std::vector<std::vector<unsigned>> families(const Ward& ward) {
    std::vector<std::string> names;
    std::vector<std::vector<unsigned>> members;
    for (unsigned i = 0; i < ward.faults.size(); ++i) {
        const auto at = std::find(names.begin(), names.end(), ward.faults[i].family);
        const auto family = static_cast<std::size_t>(at - names.begin());
        if (at == names.end()) {
            names.push_back(ward.faults[i].family);
            members.emplace_back();
        }
        members[family].push_back(i + 1);
    }
    return members;
}

std::string in_c(const Ward& ward, unsigned fault, unsigned number) {
    return fmt::format("{}, {}", ward.faults.at(fault - 1).name, number);
}

/// The one after it, of those the fault can have.
unsigned another_number(const Fault& fault, unsigned number) {
    const auto at = std::find(fault.numbers.begin(), fault.numbers.end(), number);
    return at + 1 == fault.numbers.end() ? fault.numbers.front() : *(at + 1);
}

std::string names_in(const fs::path& dir) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir))
        names.push_back(entry.path().filename().string());
    return fmt::format("{}", fmt::join(names, ", "));
}

void make_sources(const Lab& lab, const fs::path& driver, const fs::path& out) {
    cut_stage(driver, lab.ward.stage, out);
    for (const auto& entry : fs::directory_iterator(lab.ward.directory))
        write_file(out / entry.path().filename(), read_file(entry.path()));
    for (const auto& file : lab.ward.shared) write_file(out / file.filename(), read_file(file));
    for (const auto& fault : lab.ward.faults) apply_all(fault.edits, out);
}

}  // namespace

std::vector<Patient> choose_patients(const Ward& ward, const std::string& secret) {
    std::seed_seq seed(secret.begin(), secret.end());
    Random random(seed);
    std::vector<Patient> patients;
    for (auto& members : families(ward)) {
        shuffle(members, random);
        for (unsigned i = 0; i < patients_per_family; ++i) {
            const auto& numbers = ward.faults[members.at(i) - 1].numbers;
            patients.push_back({'a', members[i], numbers[below(random, numbers.size())]});
        }
    }
    shuffle(patients, random);
    for (std::size_t i = 0; i < patients.size(); ++i)
        patients[i].letter = static_cast<char>('a' + i);
    return patients;
}

Params answers_of(const Ward& ward, const std::vector<Patient>& patients) {
    Params params;
    for (const auto& patient : patients) {
        const auto& fault = ward.faults.at(patient.fault - 1);
        const unsigned other = patient.fault % static_cast<unsigned>(ward.faults.size()) + 1;
        const auto add = [&](const char* what, const std::string& value) {
            params[fmt::format("{}_{}", what, patient.letter)] = value;
        };
        add("answer", in_c(ward, patient.fault, patient.number));
        add("number", in_c(ward, patient.fault, another_number(fault, patient.number)));
        add("fault", in_c(ward, other, ward.faults[other - 1].numbers.front()));
        add("case", fmt::format("{} {}", patient.fault, patient.number));
    }
    return params;
}

std::string build_ward(const Lab& lab, const fs::path& driver, const fs::path& kernel,
                       const fs::path& cache) {
    const Scratch scratch("ward");
    const auto sources = scratch.path() / "sources";
    make_sources(lab, driver, sources);
    const auto objects = prebuilt(sources, kernel, cache);
    const auto out = scratch.path() / "out";
    fs::create_directories(out);
    const auto built = build_module(sources, kernel, objects, out, build_limits());
    if (!built.ok)
        throw std::runtime_error(fmt::format("the patients of lab {} do not compile: {}\n{}",
                                             lab.name, built.message,
                                             fmt::join(built.messages, "\n")));
    return read_file(built.module);
}

std::string made_ill(std::string module, const Patient& patient, std::uint32_t salt) {
    const auto place = variable_in(module, variable);
    const std::uint32_t sealed = (patient.fault << 16U | patient.number) ^ salt * golden_ratio;
    if (place.size != sizeof salt + sizeof sealed)
        throw std::runtime_error(fmt::format("{} has {} bytes", variable, place.size));
    std::memcpy(module.data() + place.at, &salt, sizeof salt);
    std::memcpy(module.data() + place.at + sizeof salt, &sealed, sizeof sealed);
    return module;
}

void make_patients(const Lab& lab, const fs::path& driver, const fs::path& kernel,
                   const fs::path& cache, const fs::path& out) {
    if (lab.ward.faults.empty())
        throw std::runtime_error(fmt::format("lab {} has no patients", lab.name));
    fs::create_directories(out);
    if (!fs::is_empty(out))
        throw std::runtime_error(fmt::format("{}: is not empty ({}); name a new directory",
                                             out.string(), names_in(out)));
    const auto healthy = build_ward(lab, driver, kernel, cache);
    std::random_device random;
    write_file(out / "healthy.ko", made_ill(healthy, {}, random()));
    for (const auto& patient : lab.patients)
        write_file(out / fmt::format("patient-{}.ko", patient.letter),
                   made_ill(healthy, patient, random()));
}

}  // namespace fwts::grader
