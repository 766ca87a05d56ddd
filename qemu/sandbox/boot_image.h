// SPDX-License-Identifier: GPL-2.0
// What a guest boots from: a kernel that was built, and an initial RAM file system put together in
// memory for this one run.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "descriptor.h"

namespace fwts::sandbox {

/// @return the checkout's directory: $FWTS_ROOT, else where this was compiled.
std::filesystem::path checkout_root();

/// @return the cache's directory, outside the checkout: $FWTS_CACHE, else below $XDG_CACHE_HOME.
std::filesystem::path cache_directory();

/// A built kernel, as qemu/kernel leaves it.
struct KernelImage {
    std::filesystem::path directory;
    std::filesystem::path bzimage;
    std::filesystem::path vmlinux;  ///< for symbols; may be missing in a directory given by hand
    std::filesystem::path modules;  ///< a modules_install tree; empty if there is none
};

/// @param spec  "trace" or "strict", or the path of a directory with a bzImage.
/// @throws SetupError that says which command builds what is missing.
KernelImage find_kernel(const std::string& spec);

/// @return a module of the kernel's own, found by its name: "dca".
/// @throws SetupError when the kernel was built without it.
std::filesystem::path find_module(const KernelImage& kernel, const std::string& name);

/// A file of the host and the place in the guest where it will lie.
struct Placement {
    std::filesystem::path from;
    std::string to;
};

/// @return the guest's file system, the kernel's modules and @p files as one initrd in memory.
/// @throws SetupError if a file cannot be read or the guest's file system was not built.
Descriptor make_initrd(const KernelImage& kernel, const std::vector<Placement>& files);

}  // namespace fwts::sandbox
