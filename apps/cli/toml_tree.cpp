// The header-only form, as in config_file.cpp.
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1

#include "apps/cli/toml_tree.h"

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>

#include "apps/cli/command_line.h"
#include "apps/cli/terminal.h"
#include "registration/policy_values.h"

namespace holdfast::cli {

namespace {

using Kind = TomlValue::Kind;

TomlValue tree_of(const toml::node& node) {
    TomlValue value;
    value.line = node.source().begin.line;
    if (const auto* text = node.as_string()) {
        value.kind = Kind::text;
        value.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
        value.kind = Kind::integer;
        value.number = static_cast<double>(integer->get());
    } else if (const auto* real = node.as_floating_point()) {
        value.kind = Kind::real;
        value.number = real->get();
    } else if (const auto* truth = node.as_boolean()) {
        value.kind = Kind::truth;
        value.truth = truth->get();
    } else if (const auto* list = node.as_array()) {
        value.kind = Kind::list;
        for (const auto& element : *list) value.list.push_back(tree_of(element));
    } else if (const auto* table = node.as_table()) {
        value.kind = Kind::table;
        for (const auto& [key, inner] : *table) {
            value.table.emplace_back(std::string(key.str()), tree_of(inner));
            // A key stands where its value begins, but for tables: those begin behind their head.
            value.table.back().second.line = std::max(1U, inner.source().begin.line);
        }
        std::ranges::stable_sort(value.table, {},
                                 [](const auto& entry) { return entry.second.line; });
    }
    return value;
}

}  // namespace

const TomlValue* TomlValue::find(std::string_view key) const {
    const auto found = std::ranges::find(table, key, &std::pair<std::string, TomlValue>::first);
    return found == table.end() ? nullptr : &found->second;
}

std::expected<TomlValue, std::string> parse_toml(std::string_view text, const std::string& name) {
    try {
        return tree_of(toml::parse(text, name));
    } catch (const toml::parse_error& error) {
        return std::unexpected(name + ":" + std::to_string(error.source().begin.line) + ": " +
                               std::string(error.description()));
    }
}

std::expected<void, std::string> judge_text(std::string_view text) {
    if (text.find_first_of("\t\n") == std::string_view::npos && printable(text) == text) return {};
    return std::unexpected("there are control characters in this text: leave them out");
}

void Problems::add(unsigned line, const std::string& key, const std::string& what) {
    found_.emplace_back(line, (key.empty() ? "" : key + ": ") + what);
}

std::string Problems::text() const {
    auto sorted = found_;
    std::ranges::stable_sort(sorted, {}, &std::pair<unsigned, std::string>::first);
    std::string text;
    for (const auto& [line, what] : sorted) {
        if (!text.empty()) text += '\n';
        text += file_ + ":" + std::to_string(line) + ": " + what;
    }
    return text;
}

TableReader::TableReader(const TomlValue& table, std::string where, Problems& problems)
    : table_(table), where_(std::move(where)), problems_(problems) {}

std::string TableReader::name_of(std::string_view key) const {
    return where_.empty() ? std::string(key) : where_ + "." + std::string(key);
}

unsigned TableReader::line_of(std::string_view key) const {
    const auto* value = table_.find(key);
    return value == nullptr ? table_.line : value->line;
}

void TableReader::complain(std::string_view key, const std::string& what) {
    problems_.add(line_of(key), name_of(key), what);
}

void TableReader::complain_of_value(std::string_view key, std::size_t element,
                                    const std::string& what) {
    const auto* value = table_.find(key);
    const bool is_there = value != nullptr && element < value->list.size();
    problems_.add(is_there ? value->list[element].line : line_of(key), name_of(key), what);
}

void TableReader::wants(std::string_view key, const std::string& what) {
    if (!has(key)) problems_.add(table_.line, name_of(key), what);
}

const TomlValue* TableReader::take(std::string_view key) {
    known_.emplace_back(key);
    return table_.find(key);
}

const TomlValue* TableReader::take(std::string_view key, Kind kind, std::string_view wanted) {
    const auto* value = take(key);
    if (value == nullptr || value->kind == kind) return value;
    complain(key, "this is " + std::string(wanted));
    return nullptr;
}

bool TableReader::text(std::string_view key, std::string& value) {
    const auto* found = take(key, Kind::text, "a text, in quotes");
    if (found == nullptr) return false;
    if (const auto good = judge_text(found->text); !good) {
        complain(key, good.error());
        return false;
    }
    value = found->text;
    return true;
}

void TableReader::duration(std::string_view key, Duration& value) {
    const auto* found = take(key);
    if (found == nullptr) return;
    std::optional<Duration> read;
    if (found->kind == Kind::text) read = registration::parse_duration(found->text);
    if (read) {
        value = *read;
        return;
    }
    complain(key, "this is a duration in quotes, with its unit: \"250ms\", \"1.5s\", \"10min\"");
}

void TableReader::duration(std::string_view key, std::optional<Duration>& value) {
    Duration read = value.value_or(Duration{-1});
    duration(key, read);
    if (read >= Duration{}) value = read;
}

void TableReader::flag(std::string_view key, bool& value) {
    if (const auto* found = take(key, Kind::truth, "true or false, without quotes"))
        value = found->truth;
}

void TableReader::real(std::string_view key, double& value) {
    const auto* found = take(key);
    if (found == nullptr) return;
    const bool is_number = found->kind == Kind::integer || found->kind == Kind::real;
    if (is_number && std::isfinite(found->number) && found->number >= 0)
        value = found->number;
    else
        complain(key, "this is a number from 0 on, without quotes");
}

void TableReader::share(std::string_view key, double& value) {
    double read = -1;
    real(key, read);
    if (read < 0) return;
    if (read <= 1)
        value = read;
    else
        complain(key, "this is a share, from 0 to 1: 0.05 is one of twenty");
}

std::optional<double> TableReader::whole_number(std::string_view key, double most) {
    const auto* found = take(key);
    if (found == nullptr) return std::nullopt;
    if (found->kind == Kind::integer && found->number >= 0 && found->number <= most)
        return found->number;
    complain(key, "this is a whole number from 0 to " +
                      std::to_string(static_cast<std::uint64_t>(most)) + ", without quotes");
    return std::nullopt;
}

void TableReader::count(std::string_view key, std::size_t& value, std::size_t most) {
    if (const auto read = whole_number(key, static_cast<double>(most)))
        value = static_cast<std::size_t>(*read);
}
void TableReader::count(std::string_view key, std::uint32_t& value, std::uint32_t most) {
    if (const auto read = whole_number(key, most)) value = static_cast<std::uint32_t>(*read);
}
void TableReader::count(std::string_view key, int& value, int most) {
    if (const auto read = whole_number(key, most)) value = static_cast<int>(*read);
}

void TableReader::texts(std::string_view key, std::vector<std::string>& values) {
    const auto* found = take(key, Kind::list, "a list of texts: [\"…\", \"…\"]");
    if (found == nullptr) return;
    values.clear();
    for (std::size_t i = 0; i < found->list.size(); ++i) {
        const auto& element = found->list[i];
        if (element.kind != Kind::text)
            complain_of_value(key, i, "this is a list of texts, each in quotes");
        else if (const auto good = judge_text(element.text); !good)
            complain_of_value(key, i, good.error());
        else
            values.push_back(element.text);
    }
}

std::optional<std::size_t> TableReader::word_of(std::string_view key,
                                                std::span<const std::string_view> words) {
    const auto* found = take(key, Kind::text, "a text, in quotes");
    if (found == nullptr) return std::nullopt;
    const auto word = std::ranges::find(words, found->text);
    if (word != words.end()) return static_cast<std::size_t>(word - words.begin());
    std::string list;
    for (const auto one : words) list += (list.empty() ? "" : ", ") + std::string(one);
    complain(key, in_quotes(found->text) + " is none of " + list + suggestion(found->text, words));
    return std::nullopt;
}

void TableReader::judged(
    std::string_view key,
    const std::function<std::expected<void, std::string>(const std::string&)>& judge) {
    std::string read;
    if (!text(key, read)) return;
    if (const auto good = judge(read); !good) complain(key, good.error());
}

void TableReader::tables(std::string_view key, const std::function<void(const TomlValue&)>& each) {
    const auto* found = take(key);
    if (found == nullptr) return;
    const bool is_list =
        found->kind == Kind::list && std::ranges::all_of(found->list, [](const TomlValue& element) {
            return element.kind == Kind::table;
        });
    if (!is_list) return complain(key, "this is a list of tables: [[" + name_of(key) + "]]");
    for (const auto& element : found->list) each(element);
}

void TableReader::table(std::string_view key, const std::function<void(const TomlValue&)>& read) {
    if (const auto* found = take(key, Kind::table, "a table: [" + name_of(key) + "]")) read(*found);
}

void TableReader::finish() {
    const std::vector<std::string_view> known(known_.begin(), known_.end());
    for (const auto& [key, value] : table_.table)
        if (std::ranges::find(known, key) == known.end())
            problems_.add(value.line, name_of(key),
                          "there is no such key" + suggestion(key, known));
}

}  // namespace holdfast::cli
