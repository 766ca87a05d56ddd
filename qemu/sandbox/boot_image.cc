// SPDX-License-Identifier: GPL-2.0
#include "boot_image.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "cpio.h"
#include "descriptor.h"
#include "failure.h"
#include "files.h"

namespace fwts::sandbox {

namespace fs = std::filesystem;

namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

// Directories are made only where the guest has none: an entry for a directory would replace a
// symlink of that name (/bin may be one).
void add_parents(CpioWriter& writer, std::set<std::string>& known, const std::string& path) {
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
        const std::string parent = path.substr(0, at);
        if (known.insert(parent).second) writer.add_directory(parent);
    }
}

}  // namespace

fs::path checkout_root() {
    if (const std::string root = environment("FWTS_ROOT"); !root.empty()) return root;
    // Where this program lies now, build/bin: a checkout may have been renamed or copied since.
    std::error_code error;
    const auto bin = fs::read_symlink("/proc/self/exe", error).parent_path();
    auto root = bin.parent_path().parent_path();
    return fs::exists(root / "qemu/kernel/kernel", error) ? root : fs::path(FWTS_SOURCE_DIR);
}

fs::path cache_directory() {
    if (const std::string cache = environment("FWTS_CACHE"); !cache.empty())
        return fs::absolute(cache);
    if (const std::string base = environment("XDG_CACHE_HOME"); !base.empty())
        return fs::absolute(base) / "from-wire-to-socket";
    std::string home = environment("HOME");
    if (const passwd* user = getpwuid(getuid()); home.empty() && user != nullptr)
        home = user->pw_dir;
    return fs::path(home) / ".cache/from-wire-to-socket";
}

KernelImage find_kernel(const std::string& spec) {
    const bool by_path = spec.find('/') != std::string::npos;
    const fs::path directory = by_path ? fs::path(spec) : checkout_root() / "build/kernel" / spec;
    KernelImage image{directory, directory / "bzImage", directory / "vmlinux",
                      directory / "modules"};
    if (!fs::exists(image.bzimage)) {
        if (by_path) {
            throw SetupError(
                fmt::format("{}: no kernel there; --kernel takes trace, strict or a "
                            "directory with a bzImage",
                            image.bzimage.string()));
        }
        throw SetupError(
            fmt::format("kernel \"{}\" is not built ({} is missing); build it with "
                        "`make kernel K={}` or `qemu/kernel/kernel build {}`",
                        spec, image.bzimage.string(), spec, spec));
    }
    if (!by_path && !fs::exists(directory / "complete")) {
        throw SetupError(
            fmt::format("kernel \"{}\" is half built; finish it with "
                        "`qemu/kernel/kernel build {}`",
                        spec, spec));
    }
    if (!fs::is_directory(image.modules)) image.modules.clear();
    return image;
}

fs::path find_module(const KernelImage& kernel, const std::string& name) {
    if (!kernel.modules.empty()) {
        for (const auto& entry : fs::recursive_directory_iterator(kernel.modules))
            if (entry.path().filename() == name + ".ko") return entry.path();
    }
    throw SetupError(
        fmt::format("the kernel in {} has no module {}", kernel.directory.string(), name));
}

Descriptor make_initrd(const KernelImage& kernel, const std::vector<Placement>& files) {
    const fs::path base = checkout_root() / "build/guest/initramfs.cpio";
    if (!fs::exists(base)) {
        throw SetupError(
            fmt::format("the guest's file system is not built ({} is missing); build "
                        "it with `make guest` or `qemu/guest/guest build`",
                        base.string()));
    }
    std::string bytes = read_file(base);
    bytes.resize((bytes.size() + 3) / 4 * 4, '\0');
    std::set<std::string> known = cpio_paths(bytes);
    CpioWriter writer;
    if (!kernel.modules.empty()) {
        // modules/lib/modules/RELEASE/…; the guest may already have a /lib.
        for (const auto& tree : fs::directory_iterator(kernel.modules / "lib/modules")) {
            const std::string name = "lib/modules/" + tree.path().filename().string();
            add_parents(writer, known, name + "/");
            writer.add_tree(tree.path(), name + "/");
        }
    }
    for (const auto& file : files) {
        const std::string to = fs::path("/" + file.to).lexically_normal().string().substr(1);
        struct stat info = {};
        if (stat(file.from.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
            throw SetupError(fmt::format("{}: no such file; it was to become {} in the guest",
                                         file.from.string(), file.to));
        }
        add_parents(writer, known, to);
        writer.add_file(to, read_file(file.from), info.st_mode & 0777);
    }
    Descriptor initrd = make_memory_file("initrd");
    write_all(initrd.get(), bytes);
    write_all(initrd.get(), writer.finish());
    return initrd;
}

}  // namespace fwts::sandbox
