// What --help names is in the man page, in docs/commands.md and in the completions of the three
// shells, and these name nothing else. Read from --help's own text, so that both ways hold.
#include "apps/cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "apps/cli/help.h"
#include "apps/cli/lab_command.h"
#include "apps/phone/verbs.h"
#include "live/scratch.h"
#include "registration/policy.h"

namespace holdfast::cli {
namespace {

using Names = std::set<std::string>;

std::string file_text(const std::string& path) {
    std::ifstream stream(std::string(HOLDFAST_TEST_DATA) + "/../../" + path);
    EXPECT_TRUE(stream.good()) << path;
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::string word_at(const std::string& line, std::size_t at) {
    const auto end = std::ranges::find_if(
        line.begin() + static_cast<std::ptrdiff_t>(at), line.end(),
        [](char c) { return c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9'); });
    return {line.begin() + static_cast<std::ptrdiff_t>(at), end};
}

// The options that --help lists for this command: lines that begin with them.
Names options_in_help(const Command& command) {
    Names names{"--help"};
    for (const auto& line : lines_of(help_of(command)))
        if (line.starts_with("  --")) names.insert(word_at(line, 2));
    return names;
}

Names all_options_in_help() {
    Names names{"--version"};
    for (const auto& command : commands()) names.merge(options_in_help(command));
    return names;
}

Names commands_in_help() {
    Names names;
    for (const auto& line : lines_of(help()))
        if (line.starts_with("  holdfast ") && !line.starts_with("  holdfast -") &&
            !line.starts_with("  holdfast COMMAND"))
            names.insert(word_at(line, std::string("  holdfast ").size()));
    return names;
}

// Everything that is written like an option.
Names options_named(const std::string& text) {
    Names names;
    for (auto at = text.find("--"); at != std::string::npos; at = text.find("--", at)) {
        const auto word = word_at(text, at);
        const bool begins_here = at == 0 || (text[at - 1] != '-' && text[at - 1] != '/');
        if (begins_here && word.size() > 2 && word[2] != '-') names.insert(word);
        at += word.size();
    }
    return names;
}

TEST(EveryOption, IsInTheManPageAndNoOther) {
    auto page = file_text("packaging/man/holdfast.1");
    std::erase(page, '\\');
    auto named = options_named(page);
    named.erase("--user");  // systemctl's
    EXPECT_EQ(named, all_options_in_help());
    Names commands;
    for (const auto& line : lines_of(page))
        if (line.starts_with(".B holdfast ")) {
            const auto word = word_at(line, std::string(".B holdfast ").size());
            if (!word.starts_with('-')) commands.insert(word);
        }
    EXPECT_EQ(commands, commands_in_help());
}

std::string in_a_row(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '|') result += '\\';
        result += c;
    }
    return result;
}

// docs/commands.md: a section per command with its operand, and one row per option.
TEST(EveryOption, IsInTheDocsAndNoOther) {
    Names expected{"## `holdfast --version`",
                   "| `-h`, `--help` | | what a command does, and its options | every command |"};
    for (const auto& command : commands()) {
        auto heading = "## `holdfast " + std::string(command.name);
        if (!command.operand.empty()) heading += " " + std::string(command.operand);
        expected.insert(heading + "`");
    }
    for (const auto& option : option_table()) {
        if (option.commands == 0) continue;
        auto row = "| `--" + std::string(option.name);
        if (!option.value.empty()) row += " " + in_a_row(option.value);
        row += "` | " + in_a_row(option.standard);
        row += (option.standard.empty() ? "| " : " | ") + in_a_row(option.meaning) + " | ";
        std::string knowing;
        for (const auto& command : commands())
            if ((option.commands & command.options) != 0)
                knowing += (knowing.empty() ? "" : ", ") + std::string(command.name);
        expected.insert(row + knowing + " |");
    }
    Names written;
    const auto page = file_text("docs/commands.md");
    for (const auto& line : lines_of(page))
        if (line.starts_with("## `holdfast ") || line.starts_with("| `-")) written.insert(line);
    EXPECT_EQ(written, expected);
    auto named = options_named(page);
    named.erase("--user");  // systemctl's
    EXPECT_EQ(named, all_options_in_help());
}

TEST(EveryOption, IsInEachCompletionAndNoOther) {
    const auto all = all_options_in_help();
    EXPECT_EQ(options_named(bash_completion()), all);
    EXPECT_EQ(options_named(zsh_completion()), all);
    auto fish = Names{};  // "-l NAME" is how fish writes it
    const auto text = fish_completion();
    for (auto at = text.find(" -l "); at != std::string::npos; at = text.find(" -l ", at + 1))
        fish.insert("--" + word_at(text, at + 4));
    EXPECT_EQ(fish, all);
}

// The shells themselves, asked what they would offer. One that is not installed is said so.
class Shell : public testing::Test {
protected:
    Shell() {
        write("holdfast.bash", bash_completion());
        write("_holdfast", zsh_completion());
        write("holdfast.fish", fish_completion());
    }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(scratch.path() / name) << text;
    }
    static bool has(const std::string& shell) {
        return std::system(("command -v " + shell + " >/dev/null").c_str()) == 0;
    }
    // Standard output, within 30 s; the program gets the script's path as $1.
    [[nodiscard]] std::string run(const std::string& command, const std::string& script) const {
        write("script", script);
        const auto line = "cd '" + scratch.path().string() + "' && timeout 30 " + command +
                          " ./script 2>&1 </dev/null";
        auto* const pipe = ::popen(line.c_str(), "r");
        if (pipe == nullptr) return "no shell could be started";
        std::string text;
        for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
        EXPECT_EQ(::pclose(pipe), 0) << text;
        return text;
    }
    [[nodiscard]] std::set<std::string> in_bash(const std::string& words) const {
        const auto text = run("bash --norc",
                              "source ./holdfast.bash\n"
                              "COMP_WORDS=(" +
                                  words +
                                  ")\n"
                                  "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
                                  "_holdfast\n"
                                  "printf '%s\\n' \"${COMPREPLY[@]}\"\n");
        const auto lines = lines_of(text);
        return {lines.begin(), lines.end()};
    }
    [[nodiscard]] std::set<std::string> in_fish(const std::string& line) const {
        Names offered;
        for (const auto& row : lines_of(run("fish --no-config",
                                            "source ./holdfast.fish\n"
                                            "complete -C '" +
                                                line + "'\n")))
            offered.insert(row.substr(0, row.find('\t')));
        return offered;
    }
    // What stands in the line after these keys: a terminal of its own, in which ^X shows it.
    [[nodiscard]] std::string typed_in_zsh(const std::string& keys) const {
        const auto text =
            run("zsh -f",
                "zmodload zsh/zpty\n"
                "export TERM=dumb\n"
                "zpty inner zsh -f -i\n"
                "zpty -w inner $'PS1=; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; "
                "show() { zle -I; print -r \"<$BUFFER>\"; }; zle -N show; bindkey \"^X\" show; "
                "print re\\'\\'ady'\n"
                "zpty -r -m inner said '*ready*'\n"
                "zpty -w -n inner $'" +
                    keys +
                    "\\x18'\n"
                    "zpty -r -m inner said '*<holdfast*>*'\n"
                    "print -r -- $said\n"
                    "zpty -d inner\n");
        const auto begin = text.rfind("<holdfast");
        if (begin == std::string::npos) return text;
        return text.substr(begin + 1, text.find('>', begin) - begin - 1);
    }

    live::ScratchDirectory scratch;
};

TEST_F(Shell, BashOffersWhatHelpLists) {
    auto first = commands_in_help();
    first.insert({"--help", "--version"});
    EXPECT_EQ(in_bash("holdfast ''"), first);
    for (const auto& command : commands())
        EXPECT_EQ(in_bash("holdfast " + std::string(command.name) + " --"),
                  options_in_help(command));
    EXPECT_EQ(in_bash("holdfast register --transport t"), (Names{"tcp", "tls"}));
    EXPECT_EQ(in_bash("holdfast register --transport = u"), (Names{"udp"}));
    EXPECT_EQ(in_bash("holdfast policy --set policy.patience"), (Names{"policy.patience="}));
    EXPECT_EQ(in_bash("holdfast register --preset microsip-r"), (Names{"microsip-rewrite"}));
    write("my phone.toml", "");
    EXPECT_EQ(in_bash("holdfast register --config my"), (Names{"my phone.toml"}));
    EXPECT_EQ(in_bash("holdfast register --auth-user ''"), (Names{""}));  // nothing
}

TEST_F(Shell, FishOffersWhatHelpLists) {
    if (!has("fish")) GTEST_SKIP() << "fish is not installed (tools/bootstrap package)";
    EXPECT_EQ(in_fish("holdfast "), commands_in_help());
    for (const auto& command : commands())
        EXPECT_EQ(in_fish("holdfast " + std::string(command.name) + " --"),
                  options_in_help(command));
    EXPECT_EQ(in_fish("holdfast register --transport t"), (Names{"tcp", "tls"}));
    EXPECT_THAT(in_fish("holdfast register --config holdfast.f"),
                testing::Contains("holdfast.fish"));
}

Names verbs_of_ctl() {
    Names names{"events"};
    for (const auto& verb : phone::verbs()) names.emplace(verb.name);
    return names;
}

// After `ctl` the verbs, after a verb its words; a verb that is called like a command has not its
// options.
TEST_F(Shell, BashOffersTheVerbsOfCtl) {
    EXPECT_EQ(in_bash("holdfast ctl ''"), verbs_of_ctl());
    EXPECT_EQ(in_bash("holdfast ctl --json --socket = /x un"), (Names{"unmute"}));
    EXPECT_EQ(in_bash("holdfast ctl --socket /x un"), (Names{"unmute"}));
    EXPECT_EQ(in_bash("holdfast ctl mute 3 ''"), (Names{"microphone", "speaker", "both"}));
    EXPECT_EQ(in_bash("holdfast ctl dnd ''"), (Names{"on", "off"}));
    EXPECT_EQ(in_bash("holdfast ctl answer ''"), (Names{""}));  // nothing
}

TEST_F(Shell, BashOffersTheWordsOfLab) {
    Names words;
    for (const auto& word : lab_words()) words.emplace(word.name);
    EXPECT_EQ(in_bash("holdfast lab ''"), words);
    write("a.rec", "");
    EXPECT_EQ(in_bash("holdfast lab replay a."), (Names{"a.rec"}));
    EXPECT_EQ(in_bash("holdfast trace a."), (Names{"a.rec"}));
}

TEST_F(Shell, FishOffersTheVerbsOfCtl) {
    if (!has("fish")) GTEST_SKIP() << "fish is not installed (tools/bootstrap package)";
    EXPECT_EQ(in_fish("holdfast ctl "), verbs_of_ctl());
    EXPECT_EQ(in_fish("holdfast ctl --json un"), (Names{"unmute"}));
    EXPECT_EQ(in_fish("holdfast ctl hangup "), (Names{"all", "incoming", "calling"}));
    EXPECT_EQ(in_fish("holdfast ctl answer --j"), (Names{"--json"}));
    EXPECT_EQ(in_fish("holdfast ctl answer --tr"), (Names{}));
}

TEST_F(Shell, ZshCompletesCommandOptionAndValue) {
    if (!has("zsh")) GTEST_SKIP() << "zsh is not installed (tools/bootstrap package)";
    EXPECT_EQ(typed_in_zsh("holdfast reg\\t--trans\\tud\\t--on\\t"),
              "holdfast register --transport udp --once ");
    EXPECT_EQ(run("zsh -f -n ./_holdfast", ""), "");
}

TEST_F(Shell, ZshCompletesTheVerbsOfCtl) {
    if (!has("zsh")) GTEST_SKIP() << "zsh is not installed (tools/bootstrap package)";
    EXPECT_EQ(typed_in_zsh("holdfast ctl --js\\thang\\tinc\\t"),
              "holdfast ctl --json hangup incoming ");
    EXPECT_EQ(typed_in_zsh("holdfast ctl unm\\t3 spe\\t"), "holdfast ctl unmute 3 speaker ");
}

}  // namespace
}  // namespace holdfast::cli
