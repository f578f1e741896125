// Nobody reads the source to learn an option: --help, the man page and the table say the same.
#include "apps/cli/help.h"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <regex>
#include <utility>
#include <vector>

#include "base/event.h"

namespace holdfast::cli {
namespace {

std::string man_page(const std::string& name) {
    std::ifstream stream(std::string(HOLDFAST_TEST_DATA) + "/../../packaging/man/" + name);
    EXPECT_TRUE(stream.good());
    std::string text{std::istreambuf_iterator<char>(stream), {}};
    for (auto at = text.find("\\-"); at != std::string::npos; at = text.find("\\-", at))
        text.erase(at, 1);
    return text;
}

TEST(Help, NamesEveryOptionWithItsValueDefaultAndMeaning) {
    for (const auto& command : commands()) {
        const auto text = help_of(command);
        for (const auto& option : option_table()) {
            const bool has = (option.commands & command.options) != 0;
            auto head = "  --" + std::string(option.name);
            if (!option.value.empty()) head += " " + std::string(option.value);
            EXPECT_EQ(text.find(head + "\n") != std::string::npos, has) << command.name << head;
            const auto first_word = std::string(option.meaning.substr(0, option.meaning.find(' ')));
            if (!has) continue;
            EXPECT_NE(text.find(head + "\n        " + first_word), std::string::npos) << head;
        }
    }
}

TEST(Help, FitsEightyColumns) {
    std::string all = help();
    for (const auto& command : commands()) all += help_of(command);
    std::size_t begin = 0;
    while (begin < all.size()) {
        const auto end = all.find('\n', begin);
        const auto line = all.substr(begin, end - begin);
        std::size_t characters = 0;
        for (const char c : line)
            characters += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1U : 0U;
        EXPECT_LE(characters, 80U) << line;
        begin = end + 1;
    }
}

TEST(Help, OfTheProgramNamesEveryCommand) {
    for (const auto& command : commands())
        EXPECT_NE(help().find("holdfast " + std::string(command.name)), std::string::npos);
}

TEST(ManPage, NamesEveryOptionCommandKeyAndExitCode) {
    const auto page = man_page("holdfast.1");
    for (const auto& option : option_table()) {
        const auto name =
            option.commands != 0 ? "--" + std::string(option.name) : std::string(option.name);
        EXPECT_NE(page.find(name), std::string::npos) << name;
    }
    for (const auto& command : commands())
        EXPECT_NE(page.find("holdfast " + std::string(command.name)), std::string::npos)
            << command.name;
    for (const auto& [code, meaning] : exit_codes()) {
        const auto entry = ".B " + std::to_string(number_of(code)) + "\n" + std::string(meaning);
        EXPECT_NE(page.find(entry), std::string::npos) << entry;
    }
}

TEST(ManPage, OfTheFileNamesEveryKey) {
    const auto page = man_page("holdfast.toml.5");
    std::vector<std::string_view> keys{"[policy]", "[[account]]", "[[hook]]", "events",
                                       "command",  "url",         "timeout"};
    for (const auto& option : option_table())
        if (option.in_file) keys.push_back(option.name);
    for (const auto key : keys) {
        // In bold: a word of a sentence does not explain a key.
        std::string entry = R"((^|\n)\.BR? ([^\n]* )?)";
        for (const char c : key) {
            if (c == '[' || c == ']') entry += '\\';
            entry += c;
        }
        EXPECT_TRUE(std::regex_search(page, std::regex(entry + "( [^\n]*)?(\n|$)"))) << key;
    }
}

// What hooks and scripts live on (docs/events.md).
TEST(EventsPage, HasARowForEveryEvent) {
    std::ifstream stream(std::string(HOLDFAST_TEST_DATA) + "/../../docs/events.md");
    ASSERT_TRUE(stream.good());
    std::string rows;
    for (std::string line; std::getline(stream, line);)
        if (line.starts_with("| `")) rows += line.substr(0, line.find('|', 1)) + "\n";
    for (auto kind = EventKind::resolved;;
         kind = static_cast<EventKind>(std::to_underlying(kind) + 1)) {
        EXPECT_NE(rows.find("`" + std::string(name_of(kind)) + "`"), std::string::npos)
            << name_of(kind);
        if (kind == EventKind::stopped) break;
    }
}

// B4: systemd does not kill whom `stop-within` and the hooks' 5 s (docs/run.md) have not ended yet.
TEST(SystemdUnit, WaitsForTheUnregisters) {
    std::ifstream stream(std::string(HOLDFAST_TEST_DATA) +
                         "/../../packaging/systemd/holdfast.service");
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const std::string key = "TimeoutStopSec=";
    const auto at = text.find(key);
    ASSERT_NE(at, std::string::npos);
    const std::chrono::seconds waits{std::stoi(text.substr(at + key.size()))};
    EXPECT_GT(waits, FleetOptions{}.stop_within + std::chrono::seconds{5});
}

TEST(Help, WordsAreBrokenBeforeTheEdge) {
    EXPECT_EQ(wrapped("one two three", 2, 9), "one two\n  three");
    EXPECT_EQ(wrapped("", 2, 9), "");
    EXPECT_EQ(wrapped("averylongwordindeed x", 2, 9), "averylongwordindeed\n  x");
}

}  // namespace
}  // namespace holdfast::cli
