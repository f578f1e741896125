// A preset that does not behave as the client whose name it bears is wrong: the rows S1–S11 of what
// phones really do, measured in virtual time beside Holdfast and beside the reference
// (tests/preset_table.h). Rules B4, F2, F3, K2, L2, L3, L7, N2, N3, S1, S2 for Holdfast; RFC 3263
// §4.3 and RFC 2782 for rfc3263.
//
// The figures themselves are printed by tests/hand/preset_figures.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "tests/preset_measured.h"
#include "tests/preset_table.h"

namespace holdfast::lab {
namespace {

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

}  // namespace
}  // namespace holdfast::lab
