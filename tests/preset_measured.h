// What a cell of the presets' table measures, and how its figures are written: for the tests, and
// for the program that prints the table.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "tests/preset_table.h"

namespace holdfast::lab {

constexpr std::uint64_t runs_per_cell = 5;

inline std::string text_of(double value, Unit unit) {
    if (value == Figure::never) return "never";
    std::array<char, 32> text{};
    const bool whole = unit == Unit::count || value == 0;
    const int digits = whole ? 0 : value < 0.1 ? 3 : value < 1 ? 2 : 1;
    std::snprintf(text.data(), text.size(), "%.*f", digits, value);
    return text.data();
}

inline std::string text_of(const std::vector<double>& values, Unit unit) {
    const auto [low, high] = std::ranges::minmax(values);
    const auto first = text_of(low, unit);
    const auto last = text_of(high, unit);
    return first == last ? first : first + "–" + last;
}

inline std::string unit_text(Unit unit) {
    switch (unit) {
    case Unit::seconds: return " (s)";
    case Unit::count: return "";
    case Unit::percent: return " (%)";
    case Unit::milliseconds: return " (ms)";
    }
    return {};
}

inline std::vector<double> measured(const Row& row, std::string_view preset) {
    std::vector<double> values;
    for (std::uint64_t seed = 1; seed <= runs_per_cell; ++seed)
        values.push_back(row.measure({.preset = preset, .seed = seed}).value);
    return values;
}

}  // namespace holdfast::lab
