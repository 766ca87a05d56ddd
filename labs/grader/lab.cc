// SPDX-License-Identifier: GPL-2.0
#include "lab.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <toml++/toml.h>
#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

/// Reads members of one table and names the place when something is amiss.
class Reader {
  public:
    Reader(const fs::path& file, const toml::table& table) : file_(file), table_(table) {}

    std::string text(const char* key) const {
        if (const auto value = table_[key].value<std::string>()) return *value;
        throw wrong(fmt::format("needs a text \"{}\"", key));
    }

    bool has(const char* key) const { return table_.contains(key); }

    bool flag(const char* key) const {
        if (const auto value = table_[key].value<bool>()) return *value;
        throw wrong(fmt::format("needs true or false for \"{}\"", key));
    }

    int number(const char* key) const {
        if (const auto value = table_[key].value<int>()) return *value;
        throw wrong(fmt::format("needs a number \"{}\"", key));
    }

    /// A text, or a list of texts.
    std::vector<std::string> text_or_texts(const char* key) const {
        if (const auto value = table_[key].value<std::string>()) return {*value};
        return texts(key);
    }

    std::vector<std::string> texts(const char* key) const {
        std::vector<std::string> result;
        const auto* array = table_[key].as_array();
        if (array == nullptr) throw wrong(fmt::format("needs a list \"{}\"", key));
        for (const auto& item : *array) {
            const auto value = item.value<std::string>();
            if (!value) throw wrong(fmt::format("\"{}\" must hold texts only", key));
            result.push_back(*value);
        }
        return result;
    }

    std::vector<unsigned> numbers(const char* key) const {
        std::vector<unsigned> result;
        const auto* array = table_[key].as_array();
        if (array == nullptr) throw wrong(fmt::format("needs a list \"{}\"", key));
        for (const auto& item : *array) {
            const auto value = item.value<unsigned>();
            if (!value) throw wrong(fmt::format("\"{}\" must hold numbers only", key));
            result.push_back(*value);
        }
        return result;
    }

    /// The tables of an array of tables; none when the key is absent.
    std::vector<Reader> tables(const char* key) const {
        std::vector<Reader> result;
        if (!table_.contains(key)) return result;
        const auto* array = table_[key].as_array();
        if (array == nullptr) throw wrong(fmt::format("\"{}\" must be an array of tables", key));
        for (const auto& item : *array) {
            if (!item.is_table())
                throw wrong(fmt::format("\"{}\" must be an array of tables", key));
            result.emplace_back(file_, *item.as_table());
        }
        return result;
    }

    /// The table of that name; nothing when the key is absent.
    std::optional<Reader> table(const char* key) const {
        if (!table_.contains(key)) return std::nullopt;
        const auto* inner = table_[key].as_table();
        if (inner == nullptr) throw wrong(fmt::format("\"{}\" must be a table", key));
        return Reader(file_, *inner);
    }

    void only(std::initializer_list<const char*> keys) const {
        for (const auto& [key, value] : table_) {
            const std::string name(key.str());
            if (std::none_of(keys.begin(), keys.end(), [&](const char* k) { return name == k; }))
                throw wrong(fmt::format("does not know \"{}\"", name));
        }
    }

    /// The table of parameters; empty when there is none.
    Params params() const {
        Params result;
        const auto* table = table_["params"].as_table();
        if (table == nullptr) return result;
        const Reader inner(file_, *table);
        for (const auto& [key, value] : *table) {
            const std::string name(key.str());
            result[name] = inner.text(name.c_str());
            require_harmless(name, result[name]);
        }
        return result;
    }

    Edit edit() const {
        only({"file", "find", "replace"});
        return Edit{text("file"), text("find"), text("replace")};
    }

    std::runtime_error wrong(const std::string& what) const {
        return std::runtime_error(
            fmt::format("{}:{}: this table {}", file_.string(), table_.source().begin.line, what));
    }

  private:
    const fs::path& file_;
    const toml::table& table_;
};

std::vector<Edit> edits(const Reader& reader, const char* key) {
    std::vector<Edit> result;
    for (const auto& table : reader.tables(key)) result.push_back(table.edit());
    return result;
}

GuestNeeds read_guest(const Reader& reader) {
    reader.only({"none", "cpus", "acpi", "bounce", "modules", "companions", "programs"});
    GuestNeeds needs;
    if (reader.has("none")) needs.none = reader.flag("none");
    if (reader.has("cpus")) needs.cpus = reader.number("cpus");
    if (reader.has("acpi")) needs.acpi = reader.flag("acpi");
    if (reader.has("bounce")) needs.bounce = reader.flag("bounce");
    if (reader.has("modules")) needs.modules = reader.texts("modules");
    if (reader.has("companions")) needs.companions = reader.texts("companions");
    if (reader.has("programs")) needs.programs = reader.texts("programs");
    if (needs.cpus > 1 && !needs.acpi)
        throw reader.wrong("asks for more than one processor, which needs acpi = true");
    return needs;
}

Mutant read_mutant(const Reader& reader) {
    reader.only({"name", "story", "edit", "fails", "blocked", "soak"});
    Mutant mutant{reader.text("name"),   reader.text("story"),    edits(reader, "edit"),
                  reader.texts("fails"), reader.texts("blocked"), false};
    if (reader.has("soak")) mutant.soak = reader.flag("soak");
    return mutant;
}

Alternative read_alternative(const Reader& reader) {
    reader.only({"name", "style", "book", "without", "edit"});
    Alternative alternative{
        reader.text("name"), reader.text("style"), {}, {}, edits(reader, "edit")};
    if (reader.has("book")) alternative.book = reader.texts("book");
    if (reader.has("without")) alternative.without = reader.texts("without");
    return alternative;
}

/// The alternatives that have a directory, each with what lab.toml says of it.
std::vector<Alternative> read_alternatives(const Reader& top, const fs::path& directory) {
    std::vector<Alternative> all;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(directory / "alternatives", none))
        if (entry.is_directory()) all.push_back({entry.path().filename().string(), "", {}, {}, {}});
    std::sort(all.begin(), all.end(),
              [](const auto& one, const auto& other) { return one.name < other.name; });
    for (const auto& table : top.tables("alternative")) {
        auto stated = read_alternative(table);
        const auto found = std::find_if(all.begin(), all.end(), [&](const Alternative& one) {
            return one.name == stated.name;
        });
        if (found == all.end())
            throw table.wrong(
                fmt::format("names an alternative without a directory, alternatives/{}; its files "
                            "and functions lie there",
                            stated.name));
        *found = std::move(stated);
    }
    return all;
}

Equivalent read_equivalent(const Reader& reader) {
    if (reader.has("mutant")) {
        reader.only({"mutant", "reason"});
        return Equivalent{reader.text("mutant"), "", "", "", "", reader.text("reason")};
    }
    reader.only({"file", "function", "find", "replace", "reason"});
    return Equivalent{"",
                      reader.text("file"),
                      reader.text("function"),
                      reader.text("find"),
                      reader.text("replace"),
                      reader.text("reason")};
}

Clause read_clause(const Reader& reader) {
    reader.only({"name", "says", "checks", "mutants"});
    return Clause{reader.text("name"), reader.text_or_texts("says"), reader.texts("checks"),
                  reader.texts("mutants")};
}

/// "range" is the first and the last number, "among" names all.
Fault read_fault(const Reader& reader) {
    reader.only({"name", "family", "story", "range", "among", "edit"});
    Fault fault{reader.text("name"),
                reader.text("family"),
                reader.text("story"),
                {},
                edits(reader, "edit")};
    if (reader.has("among")) {
        fault.numbers = reader.numbers("among");
    } else {
        const auto ends = reader.numbers("range");
        if (ends.size() != 2) throw reader.wrong("needs two numbers for \"range\"");
        for (unsigned number = ends[0]; number <= ends[1]; ++number)
            fault.numbers.push_back(number);
    }
    if (fault.numbers.size() < 2) throw reader.wrong("leaves no choice of a number");
    return fault;
}

Ward read_ward(const Reader& top, const fs::path& directory) {
    Ward ward;
    const auto patients = top.table("patients");
    if (!patients) return ward;
    patients->only({"stage", "directory", "shared"});
    ward.stage = patients->text("stage");
    ward.directory = directory / patients->text("directory");
    for (const auto& file : patients->texts("shared"))
        ward.shared.push_back(directory / "skeleton" / file);
    for (const auto& fault : top.tables("fault")) ward.faults.push_back(read_fault(fault));
    return ward;
}

/// Who has what, and what the lab's texts may say of it.
void choose(Lab& lab) {
    if (lab.ward.faults.empty()) return;
    lab.patients = choose_patients(lab.ward, lab.params.at("patient_key"));
    lab.secret = answers_of(lab.ward, lab.patients);
    lab.params.insert(lab.secret.begin(), lab.secret.end());
}

void fill_in(Lab& lab) {
    const auto fill = [&](std::vector<Edit>& edits) {
        for (auto& edit : edits) {
            edit.find = filled_in(edit.find, lab.params);
            edit.replace = filled_in(edit.replace, lab.params);
        }
    };
    for (auto& blank : lab.blanks) blank.body = filled_in(blank.body, lab.params);
    fill(lab.gaps);
    fill(lab.hooks);
    fill(lab.answers);
    for (auto& alternative : lab.alternatives) fill(alternative.edits);
    for (auto& mutant : lab.mutants) fill(mutant.edits);
    for (auto& one : lab.equivalents) {
        one.find = filled_in(one.find, lab.params);
        one.replace = filled_in(one.replace, lab.params);
    }
}

/// The one of that name.
template <typename T>
const T& named(const std::vector<T>& all, const std::string& wanted, const std::string& trouble) {
    std::vector<std::string> names;
    for (const auto& candidate : all) {
        if (candidate.name == wanted) return candidate;
        names.push_back(candidate.name);
    }
    throw std::runtime_error(
        fmt::format("{} \"{}\"; it has: {}", trouble, wanted, fmt::join(names, ", ")));
}

Lab from_table(const fs::path& file, const toml::table& table, const fs::path& params) {
    const Reader top(file, table);
    top.only({"title", "stage", "floor", "minutes", "allow", "guest", "params", "blank", "gap",
              "hook", "answer", "alternative", "mutant", "clause", "remarks", "general",
              "equivalent", "patients", "fault"});
    Lab lab;
    lab.params = top.params();
    if (!params.empty()) lab.params = changed_by(params, lab.params);
    lab.directory = file.parent_path();
    lab.name = lab.directory.filename().string();
    lab.title = top.text("title");
    lab.stage = top.text("stage");
    lab.floor = top.number("floor");
    lab.minutes = top.number("minutes");
    lab.intake.allow = top.texts("allow");
    if (const auto guest = top.table("guest")) lab.guest = read_guest(*guest);
    for (const auto& blank : top.tables("blank")) {
        blank.only({"function", "body"});
        lab.blanks.push_back(Blank{blank.text("function"), blank.text("body")});
    }
    lab.gaps = edits(top, "gap");
    lab.hooks = edits(top, "hook");
    lab.answers = edits(top, "answer");
    lab.alternatives = read_alternatives(top, lab.directory);
    for (const auto& mutant : top.tables("mutant")) lab.mutants.push_back(read_mutant(mutant));
    for (const auto& one : top.tables("equivalent"))
        lab.equivalents.push_back(read_equivalent(one));
    for (const auto& clause : top.tables("clause")) lab.clauses.push_back(read_clause(clause));
    if (top.has("remarks")) lab.remarks = top.texts("remarks");
    if (top.has("general")) lab.general = top.texts("general");
    lab.ward = read_ward(top, lab.directory);
    choose(lab);
    fill_in(lab);
    return lab;
}

}  // namespace

const Alternative& Lab::alternative(const std::string& wanted) const {
    return named(alternatives, wanted, fmt::format("lab {} has no alternative", name));
}

const Mutant& Lab::mutant(const std::string& wanted) const {
    return named(mutants, wanted, fmt::format("lab {} has no mutant", name));
}

Lab read_lab(const fs::path& directory, const fs::path& params) {
    const fs::path file = fs::canonical(directory) / "lab.toml";
    try {
        return from_table(file, toml::parse_file(file.string()), params);
    } catch (const toml::parse_error& error) {
        throw std::runtime_error(fmt::format("{}:{}: {}", file.string(), error.source().begin.line,
                                             error.description()));
    }
}

fs::path find_lab(const fs::path& labs, const std::string& number) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(labs)) {
        const auto name = entry.path().filename().string();
        if (!fs::exists(entry.path() / "lab.toml")) continue;
        if (name == number || name.starts_with(number + "-")) return entry.path();
        names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    throw std::runtime_error(
        fmt::format("there is no lab \"{}\"; there are: {}", number, fmt::join(names, ", ")));
}

}  // namespace fwts::grader
