#include "apps/cli/recording_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace holdfast::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr std::size_t mebibyte = 1U << 20U;

class RecordingFile : public ::testing::Test {
protected:
    void SetUp() override { std::filesystem::create_directories(folder); }
    void TearDown() override { std::filesystem::remove_all(folder); }
    [[nodiscard]] std::string name(const std::string& file) const { return folder / file; }

    // Somebody writes it into a FIFO for as long as somebody reads.
    std::expected<std::string, std::string> through_fifo(const std::string& text,
                                                         std::size_t most) const {
        const auto path = name("fifo");
        EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
        const auto before = std::signal(SIGPIPE, SIG_IGN);
        std::expected<std::string, std::string> read;
        {
            const std::jthread writer([&] { std::ofstream(path, std::ios::binary) << text; });
            read = text_of_recording(path, most);
        }
        std::signal(SIGPIPE, before);
        return read;
    }

    std::filesystem::path folder =
        std::filesystem::path(::testing::TempDir()) / ("recording" + std::to_string(::getpid()));
};

TEST_F(RecordingFile, IsReadWholeUpToTheLimit) {
    const auto text = "{" + std::string(mebibyte - 1, 'x');
    std::ofstream(name("full")) << text;
    EXPECT_EQ(text_of_recording(name("full"), mebibyte), text);
    std::ofstream(name("more")) << text << 'x';
    const auto more = text_of_recording(name("more"), mebibyte);
    ASSERT_FALSE(more);
    EXPECT_THAT(more.error(), EndsWith("more has more than 1 MiB: no recording that can be read"));
}

TEST_F(RecordingFile, PipeIsReadWholeUpToTheLimit) {
    const auto text = "{" + std::string(mebibyte - 1, 'x');
    EXPECT_EQ(through_fifo(text, mebibyte), text);
}

TEST_F(RecordingFile, PipeWithMoreIsLeftThere) {
    const auto more = through_fifo("{" + std::string(4 * mebibyte, 'x'), mebibyte);
    ASSERT_FALSE(more);
    EXPECT_THAT(more.error(), EndsWith("fifo has more than 1 MiB: no recording that can be read"));
}

TEST_F(RecordingFile, OfRubbishOnlyTheBeginningIsRead) {
    const auto zeros = text_of_recording("/dev/zero");
    ASSERT_TRUE(zeros);
    EXPECT_LE(zeros->size(), mebibyte);
}

TEST_F(RecordingFile, WhatCannotBeReadIsSaid) {
    const auto missing = text_of_recording(name("none"));
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error(), HasSubstr("none cannot be read: No such file or directory"));
    const auto directory = text_of_recording(folder);
    ASSERT_FALSE(directory);
    EXPECT_THAT(directory.error(), HasSubstr("is a directory"));
}

}  // namespace
}  // namespace holdfast::cli
