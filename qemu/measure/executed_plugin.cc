// SPDX-License-Identifier: GPL-2.0
/// @file
/// A plugin for QEMU: counts each instruction of the guest's kernel between two calls of a
/// function.
///
///     -plugin file=executed_plugin.so,out=FILE,mark=0xffffffff81067420
///
/// At every second call FILE gets a line for each instruction that was executed since the one
/// before, "ffffffff81000000 12", and then "end". Programs are not counted. It is for one
/// processor.
///
/// Debian has no package with QEMU's header for plugins: the few functions used are declared here,
/// by QEMU's documentation, "QEMU TCG Plugins", API.

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unordered_map>

extern "C" {

using qemu_plugin_id_t = std::uint64_t;
struct qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*translated)(qemu_plugin_id_t, qemu_plugin_tb*));
std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* block);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb* block, std::size_t index);
std::uint64_t qemu_plugin_insn_vaddr(const qemu_plugin_insn* instruction);
void qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_insn* instruction,
                                            void (*executed)(unsigned, void*), int registers,
                                            void* data);

/// The interface's version, which QEMU looks at: what is used here is the same in all of them.
__attribute__((visibility("default"))) int qemu_plugin_version = 2;

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const qemu_info_t* info, int count,
                                                               char** words);
}

namespace {

constexpr std::uint64_t kKernel = 0xffffffff80000000;
constexpr int kNoRegisters = 0;

std::unordered_map<std::uint64_t, std::uint64_t> counts;
std::uint64_t mark = 0;
std::FILE* out = nullptr;
bool inside = false;

/// Before QEMU 9 there was version 1 only, and afterwards that is refused.
__attribute__((constructor)) void choose_version() {
    if (dlsym(RTLD_DEFAULT, "qemu_plugin_scoreboard_new") == nullptr) qemu_plugin_version = 1;
}

void count(unsigned /*processor*/, void* data) {
    ++*static_cast<std::uint64_t*>(data);
}

void count_mark(unsigned processor, void* data) {
    if (inside) {
        for (const auto& [address, count] : counts)
            if (count != 0)
                std::fprintf(out, "%llx %llu\n", static_cast<unsigned long long>(address),
                             static_cast<unsigned long long>(count));
        std::fputs("end\n", out);
        std::fflush(out);
    }
    for (auto& [address, count] : counts) count = 0;
    inside = !inside;
    count(processor, data);
}

void translated(qemu_plugin_id_t /*id*/, qemu_plugin_tb* block) {
    for (std::size_t i = 0; i < qemu_plugin_tb_n_insns(block); ++i) {
        qemu_plugin_insn* const instruction = qemu_plugin_tb_get_insn(block, i);
        const std::uint64_t address = qemu_plugin_insn_vaddr(instruction);
        if (address < kKernel) continue;
        // Pointers to what is in the map stay valid, however much more comes.
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, address == mark ? count_mark : count,
                                               kNoRegisters, &counts[address]);
    }
}

}  // namespace

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t* /*info*/, int count, char** words) {
    for (int i = 0; i < count; ++i) {
        const std::string_view word = words[i];
        if (word.starts_with("out=")) out = std::fopen(words[i] + 4, "we");
        if (word.starts_with("mark=")) mark = std::strtoull(words[i] + 5, nullptr, 16);
    }
    if (out == nullptr || mark == 0) {
        std::fputs("executed_plugin: wants out=FILE, which it can write, and mark=ADDRESS\n",
                   stderr);
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
