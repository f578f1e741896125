// A file is written whole or not at all, and a mistake in its name is said before the work begins.
#include "apps/cli/output_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

namespace holdfast::cli {
namespace {

class OutputFileTest : public ::testing::Test {
protected:
    OutputFileTest() {
        auto pattern = (std::filesystem::temp_directory_path() / "holdfast-output-XXXXXX").string();
        folder = ::mkdtemp(pattern.data());
    }
    ~OutputFileTest() override { std::filesystem::remove_all(folder); }
    static std::string content(const std::filesystem::path& path) {
        std::ifstream stream(path);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(folder))
            all.push_back(entry.path().filename());
        std::ranges::sort(all);
        return all;
    }
    std::filesystem::path folder;
};

TEST_F(OutputFileTest, IsThereWholeAfterCommit) {
    const auto path = folder / "page.html";
    auto file = OutputFile::open(path);
    ASSERT_TRUE(file) << file.error();
    EXPECT_FALSE(std::filesystem::exists(path));
    ASSERT_TRUE(file->commit("new"));
    EXPECT_EQ(content(path), "new");
    EXPECT_EQ(names(), std::vector<std::string>{"page.html"});
    // Whoever may read other files of this user may read it.
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    const auto mask = ::umask(0);
    ::umask(mask);
    EXPECT_EQ(status.st_mode & 0777U, 0666U & ~mask);
}

TEST_F(OutputFileTest, WithoutCommitWhatWasThereStays) {
    const auto path = folder / "page.html";
    std::ofstream(path) << "old";
    {
        const auto file = OutputFile::open(path);
        ASSERT_TRUE(file) << file.error();
        EXPECT_EQ(names().size(), 2U);
    }
    EXPECT_EQ(content(path), "old");
    EXPECT_EQ(names(), std::vector<std::string>{"page.html"});
}

TEST_F(OutputFileTest, ASymbolicLinkStaysOne) {
    std::ofstream(folder / "real.html") << "old";
    std::filesystem::create_symlink("real.html", folder / "link.html");
    auto file = OutputFile::open(folder / "link.html");
    ASSERT_TRUE(file) << file.error();
    ASSERT_TRUE(file->commit("new"));
    EXPECT_TRUE(std::filesystem::is_symlink(folder / "link.html"));
    EXPECT_EQ(content(folder / "real.html"), "new");
}

TEST_F(OutputFileTest, SaysAtOnceThatItsNameIsWrong) {
    const auto refusal = [](const std::filesystem::path& path) {
        const auto file = OutputFile::open(path);
        return file ? std::string("opened") : file.error();
    };
    const auto missing = (folder / "missing" / "page.html").string();
    EXPECT_EQ(refusal(missing), missing +
                                    " cannot be written: No such file or directory (its "
                                    "folder must be there)");
    EXPECT_EQ(refusal(folder), folder.string() + " cannot be written: Is a directory");
    std::ofstream(folder / "plain") << "x";
    const auto below = (folder / "plain" / "page.html").string();
    EXPECT_EQ(refusal(below), below + " cannot be written: Not a directory");
    if (::geteuid() == 0) return;  // who may do everything is refused nothing
    const auto kept = folder / "kept";
    std::ofstream(kept) << "old";
    std::filesystem::permissions(kept, std::filesystem::perms::owner_read);
    EXPECT_EQ(refusal(kept), kept.string() + " cannot be written: Permission denied");
}

// A device is no file to put another in the place of; this one is always full.
TEST_F(OutputFileTest, AFullDiskIsAnErrorAndADeviceStaysOne) {
    auto file = OutputFile::open("/dev/full");
    ASSERT_TRUE(file) << file.error();
    const auto written = file->commit("new");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error(), "/dev/full cannot be written: No space left on device");
    EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

}  // namespace
}  // namespace holdfast::cli
