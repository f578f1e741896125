// The table of docs/measured.md, "Staying registered (virtual time)": the figures as they are
// measured here, with the reference in brackets. Not a test: presets_test.cpp holds each cell to
// its range.
//   build/release/tests/preset_figures
#include <iostream>
#include <string>

#include "tests/preset_measured.h"
#include "tests/preset_table.h"

int main() {
    using namespace holdfast::lab;

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
