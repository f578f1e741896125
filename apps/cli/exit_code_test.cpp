// Exit codes are a promise: each has one number and one meaning, written down where people look for
// it.
#include "apps/cli/exit_code.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

#include "apps/cli/help.h"

namespace holdfast::cli {
namespace {

std::string text_of(const std::string& file) {
    std::ifstream stream(std::string(HOLDFAST_TEST_DATA) + "/../../" + file);
    EXPECT_TRUE(stream.good()) << file;
    return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(ExitCodes, HaveOneNumberEachFromZeroUpwards) {
    int expected = 0;
    for (const auto& [code, meaning] : exit_codes()) {
        EXPECT_EQ(number_of(code), expected++);
        EXPECT_FALSE(meaning.empty());
    }
    EXPECT_EQ(expected, number_of(ExitCode::bad) + 1);
}

TEST(ExitCodes, StandInTheDocumentationAndInEveryHelp) {
    const auto page = text_of("docs/exit-codes.md");
    for (const auto& [code, meaning] : exit_codes()) {
        const auto row =
            "| " + std::to_string(number_of(code)) + " | " + std::string(meaning) + " |";
        EXPECT_NE(page.find(row), std::string::npos) << row;
    }
    for (const auto& command : commands())
        EXPECT_NE(help_of(command).find("Exit codes:"), std::string::npos) << command.name;
}

TEST(ExitCodes, TellFailuresOfTheHostApart) {
    using runtime::FailureKind;
    std::set<ExitCode> codes;
    for (const auto kind : {FailureKind::state_in_use, FailureKind::state_unusable,
                            FailureKind::port_in_use, FailureKind::address_unusable,
                            FailureKind::tls_files, FailureKind::recording, FailureKind::system})
        codes.insert(exit_code_of(kind));
    EXPECT_EQ(codes.size(), 7U);
}

}  // namespace
}  // namespace holdfast::cli
