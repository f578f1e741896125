#include "apps/cli/text_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "apps/cli/command_testing.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t mebibyte = 1'048'576;

class TextFile : public testing::Bench {
protected:
    [[nodiscard]] std::filesystem::path file_of(std::size_t bytes) const {
        const auto path = directory / "text";
        std::ofstream(path, std::ios::binary) << std::string(bytes, 'x');
        return path;
    }
};

TEST_F(TextFile, IsReadUpToItsLimit) {
    EXPECT_EQ(read_text_file(file_of(0), "list", mebibyte), "");
    EXPECT_EQ(read_text_file(file_of(mebibyte), "list", mebibyte), std::string(mebibyte, 'x'));
    const auto path = file_of(mebibyte + 1);
    EXPECT_EQ(read_text_file(path, "list", mebibyte).error(),
              path.string() + ": this is longer than a list may be, 1 MiB");
}

TEST_F(TextFile, WithoutEndIsLeft) {
    EXPECT_EQ(read_text_file("/dev/zero", "list", mebibyte).error(),
              "/dev/zero: this is longer than a list may be, 1 MiB");
}

TEST_F(TextFile, ThatCannotBeReadSaysWhy) {
    EXPECT_EQ(read_text_file("/nowhere/x", "list", 1).error(),
              "/nowhere/x: the list cannot be read: No such file or directory");
    EXPECT_EQ(read_text_file("/", "list", 1).error(), "/: this is a directory, not a list");
}

}  // namespace
}  // namespace holdfast::cli
