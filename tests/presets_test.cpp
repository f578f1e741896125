// A preset that does not behave as the client whose name it bears is wrong: the rows S1–S11 of what
// phones really do, measured in virtual time beside Holdfast and beside the reference
// (tests/preset_table.h). Rules B4, F2, F3, K2, L2, L3, L7, N2, N3, S1, S2 for Holdfast; RFC 3263
// §4.3 and RFC 2782 for rfc3263.
//
//   scenario_test --gtest_filter='*MarkdownTable*'     prints the table of docs/measured.md
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "tests/preset_table.h"

namespace holdfast::lab {
namespace {

constexpr std::uint64_t runs_per_cell = 5;

std::string text_of(double value, Unit unit) {
    if (value == Figure::never) return "never";
    std::array<char, 32> text{};
    const bool whole = unit == Unit::count || value == 0;
    const int digits = whole ? 0 : value < 0.1 ? 3 : value < 1 ? 2 : 1;
    std::snprintf(text.data(), text.size(), "%.*f", digits, value);
    return text.data();
}

std::string text_of(const std::vector<double>& values, Unit unit) {
    const auto [low, high] = std::ranges::minmax(values);
    const auto first = text_of(low, unit);
    const auto last = text_of(high, unit);
    return first == last ? first : first + "–" + last;
}

std::string unit_text(Unit unit) {
    switch (unit) {
    case Unit::seconds: return " (s)";
    case Unit::count: return "";
    case Unit::percent: return " (%)";
    case Unit::milliseconds: return " (ms)";
    }
    return {};
}

std::vector<double> measured(const Row& row, std::string_view preset) {
    std::vector<double> values;
    for (std::uint64_t seed = 1; seed <= runs_per_cell; ++seed)
        values.push_back(row.measure({.preset = preset, .seed = seed}).value);
    return values;
}

// One cell of the table.
struct Cell {
    std::size_t row = 0;
    std::size_t column = 0;
};

std::vector<Cell> checked_cells() {
    std::vector<Cell> cells;
    for (std::size_t row = 0; row < preset_rows_table.size(); ++row)
        for (std::size_t column = 0; column < preset_columns.size(); ++column)
            if (preset_rows_table[row].expected[column].kind != Expected::Kind::none)
                cells.push_back({row, column});
    return cells;
}

std::string name_of_cell(const testing::TestParamInfo<Cell>& info) {
    const auto& row = preset_rows_table[info.param.row];
    auto name = std::string(row.id) + "_" + std::to_string(info.param.row) + "_" +
                preset_columns[info.param.column];
    for (auto& c : name)
        if (c == '-' || c == '.') c = '_';
    return name;
}

class Presets : public testing::TestWithParam<Cell> {};

TEST_P(Presets, BehavesAsMeasured) {
    const auto& row = preset_rows_table[GetParam().row];
    const std::string_view preset = preset_columns[GetParam().column];
    const auto& expected = row.expected[GetParam().column];
    for (std::uint64_t seed = 1; seed <= runs_per_cell; ++seed) {
        const auto figure = row.measure({.preset = preset, .seed = seed});
        ASSERT_TRUE(expected.accepts(figure.value, row.unit))
            << row.id << " " << row.title << ", preset " << preset << ", seed " << seed << ": "
            << text_of(figure.value, row.unit) << unit_text(row.unit) << ", expected "
            << expected.reference << "\n"
            << figure.story;
    }
}

INSTANTIATE_TEST_SUITE_P(Table, Presets, testing::ValuesIn(checked_cells()), name_of_cell);

// S2: who loses a connection with all the others comes back at a moment of the spread, not at once.
TEST(Fleet, LostConnectionsComeBackSpread) {
    const Row& row = *std::ranges::find(preset_rows_table, "S5c", &Row::id);
    double low = Figure::never;
    double high = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const auto gap = row.measure({.preset = "fleet", .seed = seed}).value;
        low = std::min(low, gap);
        high = std::max(high, gap);
    }
    EXPECT_LE(low, 2.5);
    EXPECT_GE(high, 7.5);
    EXPECT_LE(high, 10.1);
}

// The figures, as this program measures them; with a reference in brackets.
TEST(Presets, MarkdownTable) {
    std::string table = "| scenario |";
    std::string line = "| --- |";
    for (const auto* preset : preset_columns) {
        table += " `" + std::string(preset) + "` |";
        line += " --- |";
    }
    table += "\n" + line + "\n";
    for (const auto& row : preset_rows_table) {
        table +=
            "| " + std::string(row.id) + " " + std::string(row.title) + unit_text(row.unit) + " |";
        for (std::size_t column = 0; column < preset_columns.size(); ++column)
            table += " " + text_of(measured(row, preset_columns[column]), row.unit) + " [" +
                     std::string(row.expected[column].reference) + "] |";
        table += "\n";
    }
    std::cout << table;
}

}  // namespace
}  // namespace holdfast::lab
