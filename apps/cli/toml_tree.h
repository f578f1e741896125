// A TOML document as plain values that know their lines; and how a table of it is read key by key,
// with every mistake said once, by its line and key. toml++ is behind it, in toml_tree.cpp alone.
//
//     TableReader nat(table, "nat", problems);
//     nat.text("name", options.name);
//     nat.duration("udp_timeout", options.udp_timeout);
//     nat.finish();  // what nobody has asked for is an unknown key
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"

namespace holdfast::cli {

template <class T>
using Word = std::pair<std::string_view, T>;  // how it is written, what it means

inline std::string in_quotes(std::string_view text) { return '"' + std::string(text) + '"'; }

struct TomlValue {
    enum class Kind : std::uint8_t { text, integer, real, truth, list, table, other };
    Kind kind = Kind::other;
    unsigned line = 0;
    std::string text{};
    double number = 0;
    bool truth = false;
    std::vector<TomlValue> list{};
    std::vector<std::pair<std::string, TomlValue>> table{};  // in the file's order

    [[nodiscard]] const TomlValue* find(std::string_view key) const;
};

// The error names line and reason: "NAME:3: …".
std::expected<TomlValue, std::string> parse_toml(std::string_view text, const std::string& name);

// Names and texts are shown on terminals: nothing in them may be obeyed there. Line ends and tabs
// count, too; the error is a sentence's end.
std::expected<void, std::string> judge_text(std::string_view text);

// What is wrong with one file, in the order of its lines.
class Problems {
public:
    explicit Problems(std::string file) : file_(std::move(file)) {}
    void add(unsigned line, const std::string& key, const std::string& what);
    [[nodiscard]] bool empty() const { return found_.empty(); }
    [[nodiscard]] std::string text() const;  // a line each: "FILE:LINE: KEY: WHAT"

private:
    std::string file_;
    std::vector<std::pair<unsigned, std::string>> found_;
};

class TableReader {
public:
    // where: how errors call the table: "nat", or "" at the top.
    TableReader(const TomlValue& table, std::string where, Problems& problems);

    // Each leaves the value alone if the key is not there, or is wrong.
    bool text(std::string_view key, std::string& value);
    void duration(std::string_view key, Duration& value);
    void duration(std::string_view key, std::optional<Duration>& value);
    void flag(std::string_view key, bool& value);
    void share(std::string_view key, double& value);  // 0 to 1
    void real(std::string_view key, double& value);   // from 0
    void count(std::string_view key, std::size_t& value, std::size_t most = 1'000'000);
    void count(std::string_view key, std::uint32_t& value, std::uint32_t most = 1'000'000);
    void count(std::string_view key, int& value, int most);
    void texts(std::string_view key, std::vector<std::string>& values);
    // One of these words.
    template <class T>
    void word(std::string_view key, T& value, std::span<const Word<T>> known) {
        std::vector<std::string_view> words;
        for (const auto& [name, meaning] : known) words.push_back(name);
        if (const auto at = word_of(key, words)) value = known[*at].second;
    }
    // A text that something else judges; its error is a sentence's end.
    void judged(std::string_view key,
                const std::function<std::expected<void, std::string>(const std::string&)>& judge);
    // A list of tables: [[key]].
    void tables(std::string_view key, const std::function<void(const TomlValue&)>& each);
    void table(std::string_view key, const std::function<void(const TomlValue&)>& read);

    [[nodiscard]] bool has(std::string_view key) const { return table_.find(key) != nullptr; }
    [[nodiscard]] unsigned line() const { return table_.line; }
    [[nodiscard]] unsigned line_of(std::string_view key) const;
    void complain(std::string_view key, const std::string& what);
    void complain_of_value(std::string_view key, std::size_t element, const std::string& what);
    void wants(std::string_view key, const std::string& what);  // that it is there
    void finish();

private:
    const TomlValue* take(std::string_view key);
    const TomlValue* take(std::string_view key, TomlValue::Kind kind, std::string_view wanted);
    std::optional<double> whole_number(std::string_view key, double most);
    std::optional<std::size_t> word_of(std::string_view key,
                                       std::span<const std::string_view> words);
    [[nodiscard]] std::string name_of(std::string_view key) const;

    const TomlValue& table_;
    std::string where_;
    Problems& problems_;
    std::vector<std::string> known_;
};

}  // namespace holdfast::cli
