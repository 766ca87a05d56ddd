// SPDX-License-Identifier: GPL-2.0
#include "manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <set>

// toml++ is header-only here, and this is the only file that pays for it.
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace fwts::loom {

namespace {

int line_of(const toml::node& node) {
    return static_cast<int>(node.source().begin.line);
}

std::string required(const toml::table& table, const char* key, const std::string& path, int line,
                     Errors& errors) {
    const toml::node* node = table.get(key);
    if (node != nullptr && node->is_string() && !node->as_string()->get().empty())
        return node->as_string()->get();
    errors.push_back({path, node == nullptr ? line : line_of(*node),
                      fmt::format("a stage lacks '{}'", key), fmt::format("add  {} = \"…\"", key)});
    return "?";
}

void read_stage(const toml::node& node, Manifest& manifest, Errors& errors) {
    const int line = line_of(node);
    if (!node.is_table()) {
        errors.push_back({manifest.path, line, "'stage' is not a table", "write  [[stage]]"});
        return;
    }
    const toml::table& table = *node.as_table();
    Stage stage;
    stage.line = line;
    stage.number = required(table, "number", manifest.path, line, errors);
    stage.name = required(table, "name", manifest.path, line, errors);
    stage.title = required(table, "title", manifest.path, line, errors);
    stage.chapter = required(table, "chapter", manifest.path, line, errors);
    if (stage.directory().find_first_of("/ ") != std::string::npos)
        errors.push_back({manifest.path, line,
                          fmt::format("'{}' cannot name a directory", stage.directory()),
                          "use letters, digits and '-' in number and name"});
    if (manifest.find(stage.number))
        errors.push_back({manifest.path, line,
                          fmt::format("stage {} is listed twice", stage.number),
                          "give each stage a number of its own"});
    manifest.stages.push_back(std::move(stage));
}

std::optional<std::string> non_empty(std::string_view text) {
    if (text.empty()) return std::nullopt;
    return std::string(text);
}

void read_file(std::string_view name, const toml::node& node, Manifest& manifest, Errors& errors) {
    const int line = line_of(node);
    if (!node.is_string()) {
        errors.push_back({manifest.path, line, fmt::format("the lifetime of {} is no text", name),
                          fmt::format("write  \"{}\" = \"01\"  or  \"01..03\"", name)});
        return;
    }
    const std::string_view value = node.as_string()->get();
    const size_t dots = value.find("..");
    const auto from = std::string(value.substr(0, dots));
    const auto until =
        dots == std::string_view::npos ? std::nullopt : non_empty(value.substr(dots + 2));
    const Lifetime life =
        resolve_lifetime(manifest, from, until, Lifetime{}, manifest.path, line, errors);
    ManifestFile file{std::string(name), std::string(name.substr(name.rfind('/') + 1)), life, line};
    if (file.place != file.name && life.until == Lifetime::kForever)
        errors.push_back({manifest.path, line, fmt::format("{} lives on in the last stage", name),
                          "only what a later stage supersedes lies in a folder: say until when"});
    manifest.files.push_back(std::move(file));
}

bool meet(const Lifetime& a, const Lifetime& b) {
    return a.from < b.until && b.from < a.until;
}

void check_names(const Manifest& manifest, Errors& errors) {
    for (const ManifestFile& file : manifest.files)
        for (const ManifestFile& other : manifest.files)
            if (other.line < file.line && other.name == file.name && meet(other.life, file.life))
                errors.push_back(
                    {manifest.path, file.line,
                     fmt::format("two files called {} in one stage", file.name),
                     fmt::format("let one of {} (line {}) and {} end where the other begins",
                                 other.place, other.line, file.place)});
}

void read_files(const toml::table& root, Manifest& manifest, Errors& errors) {
    const toml::table* files = root["files"].as_table();
    if (files == nullptr || files->empty()) {
        errors.push_back({manifest.path, 0, "no [files] are listed",
                          "list each driver file with its first stage, \"file.c\" = \"01\""});
        return;
    }
    for (const auto& [key, node] : *files) read_file(key.str(), node, manifest, errors);
    std::sort(manifest.files.begin(), manifest.files.end(),
              [](const ManifestFile& a, const ManifestFile& b) { return a.line < b.line; });
    check_names(manifest, errors);
}

}  // namespace

std::optional<int> Manifest::find(std::string_view number) const {
    for (size_t i = 0; i < stages.size(); ++i)
        if (stages[i].number == number) return static_cast<int>(i);
    return std::nullopt;
}

std::string Manifest::numbers() const {
    std::string text;
    for (const Stage& stage : stages) text += (text.empty() ? "" : ", ") + stage.number;
    return text;
}

Manifest parse_manifest(std::string_view text, const std::string& path) {
    Manifest manifest;
    manifest.path = path;
    Errors errors;
    try {
        const toml::table root = toml::parse(text, path);
        const toml::array* stages = root["stage"].as_array();
        if (stages == nullptr || stages->empty())
            errors.push_back({path, 0, "no stage is listed", "add a [[stage]] table"});
        else
            for (const toml::node& node : *stages) read_stage(node, manifest, errors);
        read_files(root, manifest, errors);
    } catch (const toml::parse_error& error) {
        throw Failure({path, static_cast<int>(error.source().begin.line),
                       std::string(error.description()), "correct the TOML"});
    }
    throw_if_any(errors);
    return manifest;
}

Lifetime resolve_lifetime(const Manifest& manifest, const std::optional<std::string>& from,
                          const std::optional<std::string>& until, const Lifetime& outer,
                          const std::string& file, int line, Errors& errors) {
    Lifetime life = outer;
    for (const auto& [number, end] : {std::pair{&from, &life.from}, {&until, &life.until}}) {
        if (!*number) continue;
        const std::optional<int> found = manifest.find(**number);
        if (!found) {
            errors.push_back(
                {file, line, fmt::format("unknown stage '{}'", **number),
                 fmt::format("use one of {}, or list it in stages.toml", manifest.numbers())});
            return outer;
        }
        *end = *found;
    }
    if (life.from >= life.until) {
        errors.push_back(
            {file, line, "the lifetime is empty", "let 'until' name a stage after the first"});
        return outer;
    }
    return life;
}

}  // namespace fwts::loom
