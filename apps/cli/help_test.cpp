// Nobody reads the source to learn an option: --help, the man page and the table say the same.
#include "apps/cli/help.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "apps/phone/verbs.h"
#include "base/event.h"

namespace holdfast::cli {
namespace {

std::string text_of_file(const std::string& path) {
    std::ifstream stream(std::string(HOLDFAST_TEST_DATA) + "/../../" + path);
    EXPECT_TRUE(stream.good()) << path;
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string man_page(const std::string& name) {
    auto text = text_of_file("packaging/man/" + name);
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

// "call, phone": of these commands.
std::string names_of(std::uint16_t options) {
    std::string names;
    for (const auto& command : commands())
        if ((command.options & options) != 0)
            names += (names.empty() ? "" : ", ") + std::string(command.name);
    return names;
}

// The entries of a page, by what their first line says: what they end with, if it is a line
// "Of NAMES.", and "" where it is none.
std::map<std::string, std::string> takers_by_entry(const std::string& page) {
    std::map<std::string, std::string> takers;
    std::istringstream stream(page);
    std::string head;
    bool is_head = false;
    for (std::string line, last; std::getline(stream, line); last = line) {
        if ((line == ".TP" || line.starts_with(".SH")) && !head.empty()) {
            const bool is_of = last.starts_with("Of ") && last.ends_with(".");
            takers[head] = is_of ? last.substr(3, last.size() - 4) : "";
            head.clear();
        }
        if (is_head) head = line;
        is_head = line == ".TP";
    }
    return takers;
}

TEST(ManPage, SaysOfWhichCommandsAnOptionIs) {
    const auto takers = takers_by_entry(man_page("holdfast.1"));
    for (const auto& option : option_table()) {
        if (option.commands == 0) continue;
        const std::regex head(R"(\.BI? --)" + std::string(option.name) + "( .*)?");
        const auto entry = std::ranges::find_if(
            takers, [&](const auto& one) { return std::regex_match(one.first, head); });
        ASSERT_NE(entry, takers.end()) << option.name;
        EXPECT_EQ(entry->second, names_of(option.commands)) << option.name;
    }
}

// Of those that read a file. Several keys share an entry where the same commands take them.
TEST(ManPage, OfTheFileSaysOfWhichCommandsAKeyIs) {
    const auto takers = takers_by_entry(man_page("holdfast.toml.5"));
    const auto config = std::ranges::find(option_table(), "config", &OptionText::name);
    for (const auto& option : option_table()) {
        if (!option.in_file) continue;
        auto who = option.commands == 0 ? config->commands
                                        : std::uint16_t(option.commands & config->commands);
        if ((option.commands & of_an_account) != 0) who |= for_run;
        const std::regex head(R"(\.BR? (.* )?)" + std::string(option.name) + "( .*)?");
        const auto entry = std::ranges::find_if(
            takers, [&](const auto& one) { return std::regex_match(one.first, head); });
        ASSERT_NE(entry, takers.end()) << option.name;
        EXPECT_EQ(entry->second, names_of(who)) << option.name << ": " << entry->first;
    }
}

// --help of ctl, the man page and docs/commands.md name every verb of the phone.
TEST(Verbs, AreInHelpManualAndDocs) {
    const auto ctl = std::ranges::find(commands(), "ctl", &Command::name);
    ASSERT_NE(ctl, commands().end());
    const auto page = man_page("holdfast.1");
    const auto docs = text_of_file("docs/commands.md");
    for (const auto& verb : phone::verbs()) {
        const std::string name(verb.name);
        EXPECT_TRUE(std::regex_search(help_of(*ctl), std::regex("\\b" + name + "\\b"))) << name;
        EXPECT_TRUE(std::regex_search(page, std::regex("\n\\.BR ([^\n]* )?" + name + "\\b")))
            << name;
        EXPECT_TRUE(std::regex_search(docs, std::regex("\n\\| [^|]*`" + name + "\\b"))) << name;
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

// The words of a C++ list between two texts: "in::Time" of `std::variant<in::Time, …>`.
std::vector<std::string> alternatives_of(const std::string& name, const std::string& header) {
    const auto begin = header.find("using " + name + " = std::variant<");
    const auto end = header.find(">;", begin);
    EXPECT_NE(begin, std::string::npos) << name;
    const auto list = header.substr(begin, end - begin);
    const std::regex word("(in|out)::[A-Za-z]+");
    std::vector<std::string> found;
    for (std::sregex_iterator at(list.begin(), list.end(), word), last; at != last; ++at)
        found.push_back(at->str());
    return found;
}

// docs/embedding.md: the table of headers is what is installed, and every input and output is
// spoken of.
TEST(EmbeddingPage, HasEveryHeaderInputAndOutput) {
    const auto page = text_of_file("docs/embedding.md");
    std::set<std::string> installed;
    std::istringstream headers(text_of_file("packaging/public-headers"));
    for (std::string line; std::getline(headers, line);)
        if (!line.empty() && !line.starts_with('#')) installed.insert(line);
    std::set<std::string> described;
    const std::regex header("`([a-z_]+/[a-z_]+\\.h)`");
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("| `")) continue;
        const auto cell = line.substr(0, line.find('|', 1));
        for (std::sregex_iterator at(cell.begin(), cell.end(), header), last; at != last; ++at)
            described.insert((*at)[1]);
    }
    EXPECT_EQ(described, installed);
    auto words = alternatives_of("Output", text_of_file("src/base/outbox.h"));
    const auto inputs = alternatives_of("Input", text_of_file("src/engine/input.h"));
    EXPECT_GE(inputs.size(), 20U);
    words.insert(words.end(), inputs.begin(), inputs.end());
    for (const auto& word : words)
        EXPECT_TRUE(std::regex_search(page, std::regex("`" + word + "[`{]"))) << word;
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
