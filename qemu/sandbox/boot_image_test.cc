// SPDX-License-Identifier: GPL-2.0
#include "boot_image.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "cpio.h"
#include "descriptor.h"
#include "failure.h"
#include "files.h"
#include "scratch.h"

namespace fwts::sandbox {
namespace {

namespace fs = std::filesystem;

class BootImageTest : public ::testing::Test {
  protected:
    ~BootImageTest() override { unsetenv("FWTS_ROOT"); }

    void write(const std::string& path, const std::string& content) {
        write_file(root_ / path, content);
    }

    const Scratch scratch_{"boot-image-test"};
    const fs::path& root_ = scratch_.path();
};

TEST_F(BootImageTest, ArchiveIsReadByCpio) {
    CpioWriter writer;
    writer.add_directory("dir");
    writer.add_file("dir/file", "content", 0750);
    writer.add_symlink("link", "dir/file");
    std::ofstream(root_ / "a.cpio") << writer.finish();
    const std::string out = (root_ / "out").string();
    ASSERT_EQ(
        system(("mkdir " + out + " && cd " + out + " && cpio -i --quiet < ../a.cpio").c_str()), 0);
    EXPECT_EQ(read_file(root_ / "out/link"), "content");
    EXPECT_EQ(static_cast<unsigned>(fs::status(root_ / "out/dir/file").permissions()), 0750U);
}

TEST_F(BootImageTest, SameInputSameBytes) {
    write("tree/b", "2");
    write("tree/a", "1");
    CpioWriter one;
    one.add_tree(root_ / "tree");
    fs::last_write_time(root_ / "tree/a", fs::file_time_type::clock::now());
    CpioWriter two;
    two.add_tree(root_ / "tree");
    EXPECT_EQ(one.finish(), two.finish());
    EXPECT_EQ(cpio_paths(one.finish()), (std::set<std::string>{"a", "b"}));
    EXPECT_EQ(one.finish().size() % 4, 0U);
}

TEST_F(BootImageTest, LinksOutOfATreeStayBehind) {
    write("tree/a", "1");
    fs::create_symlink("/usr/src/linux", root_ / "tree/build");
    CpioWriter writer;
    writer.add_tree(root_ / "tree");
    EXPECT_EQ(cpio_paths(writer.finish()).count("build"), 0U);
}

TEST_F(BootImageTest, DamageIsRefused) {
    EXPECT_THROW(cpio_paths(std::string(200, 'x')), SetupError);
    CpioWriter writer;
    writer.add_file("file", std::string(1000, 'x'));
    EXPECT_THROW(cpio_paths(writer.finish().substr(0, 500)), SetupError);
}

TEST_F(BootImageTest, InitrdHoldsGuestModulesAndFilesAndNoDirectoryTwice) {
    CpioWriter guest;
    guest.add_directory("lib");
    guest.add_symlink("bin", "usr/bin");
    write("build/guest/initramfs.cpio", guest.finish());
    write("build/kernel/trace/bzImage", "kernel");
    write("build/kernel/trace/complete", "");
    write("build/kernel/trace/modules/lib/modules/6.12/igb.ko", "module");
    write("tool", "tool");
    setenv("FWTS_ROOT", root_.c_str(), 1);
    const Descriptor initrd = make_initrd(find_kernel("trace"), {{root_ / "tool", "/bin/tool"}});
    const std::string bytes = read_from(initrd);
    EXPECT_EQ(cpio_paths(bytes), (std::set<std::string>{"lib", "bin"}));
    const auto added = cpio_paths(std::string_view(bytes).substr(guest.finish().size()));
    EXPECT_EQ(added, (std::set<std::string>{"lib/modules", "lib/modules/6.12",
                                            "lib/modules/6.12/igb.ko", "bin/tool"}));
}

TEST_F(BootImageTest, ErrorsSayWhatToRun) {
    setenv("FWTS_ROOT", root_.c_str(), 1);
    try {
        find_kernel("strict");
        FAIL();
    } catch (const SetupError& error) {
        EXPECT_NE(std::string(error.what()).find("qemu/kernel/kernel build strict"),
                  std::string::npos);
    }
    write("build/kernel/trace/bzImage", "half built");
    EXPECT_THROW(find_kernel("trace"), SetupError);
    try {
        make_initrd({}, {});
        FAIL();
    } catch (const SetupError& error) {
        EXPECT_NE(std::string(error.what()).find("qemu/guest/guest build"), std::string::npos);
    }
    CpioWriter guest;
    write("build/guest/initramfs.cpio", guest.finish());
    try {
        make_initrd({}, {{"/no/such/file.ko", "/modules/file.ko"}});
        FAIL();
    } catch (const SetupError& error) {
        EXPECT_NE(std::string(error.what()).find("/no/such/file.ko"), std::string::npos);
    }
}

/// An environment variable as it was before, when the test is over.
class Kept {
  public:
    explicit Kept(const char* name) : name_(name) {
        if (const char* value = getenv(name)) value_ = value;
    }
    ~Kept() {
        if (value_)
            setenv(name_, value_->c_str(), 1);
        else
            unsetenv(name_);
    }
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

  private:
    const char* name_;
    std::optional<std::string> value_;
};

TEST(CacheDirectory, IsAbsoluteWhateverTheEnvironment) {
    const Kept cache("FWTS_CACHE");
    const Kept base("XDG_CACHE_HOME");
    const Kept home("HOME");
    setenv("FWTS_CACHE", "here", 1);
    EXPECT_EQ(cache_directory(), fs::current_path() / "here");
    unsetenv("FWTS_CACHE");
    setenv("XDG_CACHE_HOME", "/caches", 1);
    EXPECT_EQ(cache_directory(), "/caches/from-wire-to-socket");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    EXPECT_TRUE(cache_directory().is_absolute()) << cache_directory();
    EXPECT_NE(cache_directory(), "/.cache/from-wire-to-socket");
}

}  // namespace
}  // namespace fwts::sandbox
