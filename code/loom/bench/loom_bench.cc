// SPDX-License-Identifier: GPL-2.0
// A driver of the size that the last chapter will have: ten stages, some 6000 lines in 20 files.
// The aim is all ten stages in under 100 ms, on a warm machine.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>

#include "disk.h"
#include "snippet.h"
#include "source.h"
#include "stage_writer.h"
#include "tagger.h"
#include "tangle.h"

namespace {

using namespace fwts::loom;  // NOLINT(google-build-using-namespace): a benchmark of loom

std::string function(int file, int index) {
    const int stage = 1 + (file + index) % 10;
    std::string text =
        stage > 1 && index % 3 == 0 ? fmt::format("/* loom: from {:02} */\n", stage) : "";
    text += fmt::format(
        "/**\n * igbook_{0}_{1}() - one step of many\n * @hw: the device\n */\n"
        "static int igbook_{0}_{1}(struct hw *hw)\n{{\n\tu32 value;\n\n",
        file, index);
    for (int i = 0; i < 10; ++i)
        text += fmt::format(
            "\tvalue = rd32(hw, REG_{});\n\tif (!(value & BIT({})))\n"
            "\t\treturn -EIO;\n",
            i, i);
    if (index % 3 == 1 && stage > 1)
        text += fmt::format(
            "\n\t/* loom: begin step-{0}-{1} from {2:02} */\n\twr32(hw, 1, value);\n"
            "\t/* loom: end step-{0}-{1} */\n",
            file, index, stage);
    return text + "\n\treturn 0;\n}\n\n";
}

/// The synthetic driver in the directory "d".
MemoryDisk driver() {
    MemoryDisk disk;
    std::string manifest;
    for (int stage = 1; stage <= 10; ++stage)
        manifest += fmt::format(
            "[[stage]]\nnumber = \"{0:02}\"\nname = \"s{0}\"\ntitle = \"S\"\nchapter = \"c{0}\"\n",
            stage);
    manifest += "[files]\n";
    for (int file = 0; file < 20; ++file) {
        std::string text = "// SPDX-License-Identifier: GPL-2.0\n#include \"igbook.h\"\n\n";
        for (int i = 0; i < 7; ++i) text += function(file, i);
        disk.files[fmt::format("d/f{}.c", file)] = text;
        manifest += fmt::format("\"f{}.c\" = \"01\"\n", file);
    }
    disk.files["d/stages.toml"] = manifest;
    disk.files["d/Kbuild.in"] = "igbook-y := @OBJECTS@\n";
    disk.files["d/Makefile.in"] = "# @STAGE@\n";
    return disk;
}

void write_all(Disk& disk, const Source& source) {
    const auto trees = tangle_all(source);
    for (const StageTree& tree : trees)
        write_stage(disk, "o", source.manifest.stages[tree.stage], tree,
                    tree.stage == 0 ? nullptr : &trees[tree.stage - 1]);
}

void count_lines(benchmark::State& state, const Source& source) {
    size_t lines = 0;
    for (const SourceFile& file : source.files) lines += file.lines.size();
    state.counters["lines"] = static_cast<double>(lines);
}

/// What `loom tangle` does, from starting ctags on; the stages are as the last run left them.
void tangle_ten_stages(benchmark::State& state) {
    MemoryDisk disk = driver();
    for (auto unused : state) {
        (void)unused;
        Ctags tagger;
        const Source source = read_source(disk, "d", tagger);
        write_all(disk, source);
        count_lines(state, source);
    }
}
BENCHMARK(tangle_ten_stages)->Unit(benchmark::kMillisecond)->UseRealTime();

/// What `loom weave` does: ctags sees every distinct text of every stage as well.
void weave_ten_stages(benchmark::State& state) {
    MemoryDisk disk = driver();
    for (auto unused : state) {
        (void)unused;
        Ctags tagger;
        const Source source = read_source(disk, "d", tagger);
        benchmark::DoNotOptimize(weave(source, tangle_all(source), tagger));
        count_lines(state, source);
    }
}
BENCHMARK(weave_ten_stages)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
