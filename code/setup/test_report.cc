// SPDX-License-Identifier: GPL-2.0
// Reads the JUnit reports of CTest: how many tests, how they ended, and what each cost.
#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <pugixml.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Test {
    std::string layer;  ///< the report's name
    std::string name;
    double seconds = 0;  ///< by the wall, several tests running side by side
    bool passed = false;
    bool remembered = false;  ///< not run: it passed before with the same inputs
    bool skipped = false;     ///< it said itself that it cannot run here
};

/// @throws std::runtime_error when the file is no report.
std::vector<Test> read_report(const fs::path& file) {
    pugi::xml_document document;
    const auto parsed = document.load_file(file.c_str());
    if (!parsed)
        throw std::runtime_error(
            fmt::format("{}: no JUnit report: {}", file.string(), parsed.description()));
    std::vector<Test> tests;
    for (const auto& node : document.select_nodes("//testcase")) {
        const auto one = node.node();
        const std::string_view skipped = one.child("skipped").attribute("message").value();
        Test test;
        test.layer = file.stem().string();
        test.name = one.attribute("name").value();
        test.seconds = one.attribute("time").as_double();
        test.passed = std::string_view(one.attribute("status").value()) == "run";
        test.remembered =
            std::string_view(one.child_value("system-out")).starts_with("remembered: passed");
        test.skipped = skipped.find("SKIP_RETURN_CODE") != std::string_view::npos;
        tests.push_back(std::move(test));
    }
    return tests;
}

/// Four numbers: tests, those that did not pass, those that were remembered, those skipped.
void print_counts(const std::vector<Test>& tests) {
    const auto count = [&](auto which) { return std::count_if(tests.begin(), tests.end(), which); };
    std::cout << fmt::format("{} {} {} {}\n", tests.size(),
                             count([](const Test& test) { return !test.passed && !test.skipped; }),
                             count([](const Test& test) { return test.remembered; }),
                             count([](const Test& test) { return test.skipped; }));
}

/// The dearest to the terminal, all of them to a table.
void print_costs(std::vector<Test> tests, std::size_t most, const fs::path& table) {
    std::stable_sort(tests.begin(), tests.end(),
                     [](const Test& a, const Test& b) { return a.seconds > b.seconds; });
    std::ofstream out(table);
    out << "seconds\tlayer\ttest\n";
    for (const auto& test : tests)
        if (!test.remembered)
            out << fmt::format("{:.1f}\t{}\t{}\n", test.seconds, test.layer, test.name);
    if (!out.flush()) throw std::runtime_error(table.string() + ": cannot be written");
    for (std::size_t i = 0; i < std::min(most, tests.size()); ++i)
        std::cout << fmt::format("{:>7.1f} s  {}\n", tests[i].seconds, tests[i].name);
}

}  // namespace

int main(int argc, char** argv) try {
    CLI::App app{"Reads the JUnit reports that CTest leaves."};
    app.require_subcommand(1);
    std::vector<std::string> reports;
    std::size_t most = 20;
    std::string table;
    auto* counts = app.add_subcommand(
        "counts", "print the numbers of tests: all, not passed, remembered, skipped");
    auto* costs = app.add_subcommand("costs", "print the dearest tests, and write a table of all");
    costs->add_option("--most", most, "so many of them")->capture_default_str();
    costs->add_option("--table", table, "the file, with tabs")->required();
    for (auto* command : {counts, costs})
        command->add_option("REPORT", reports)->required()->check(CLI::ExistingFile);
    CLI11_PARSE(app, argc, argv);

    std::vector<Test> tests;
    for (const auto& report : reports) {
        auto more = read_report(report);
        std::move(more.begin(), more.end(), std::back_inserter(tests));
    }
    if (counts->parsed())
        print_counts(tests);
    else
        print_costs(std::move(tests), most, table);
    return 0;
} catch (const std::exception& error) {
    std::cerr << "test-report: " << error.what() << '\n';
    return 1;
}
