// What tests of scenario files begin with.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apps/cli/scenario_file.h"

namespace holdfast::cli {

// The least there is, seven lines of it, and what comes behind.
inline std::string least_and(const std::string& more) {
    return "title = \"A test\"\n"
           "[[cluster]]\n"
           "nodes = [\"203.0.113.11\", \"203.0.113.12\"]\n"
           "[[nat]]\n"
           "name = \"home\"\n"
           "[[phone]]\n"
           "behind = \"home\"\n" +
           more;
}

inline std::string mistakes_in(const std::string& text) {
    const auto scenario = parse_scenario(text, "x.toml");
    return scenario ? "no error" : scenario.error();
}

struct Mistake {
    std::string text;   // behind the least there is
    std::string error;  // a part of what is said
};

inline void expect_each(const std::vector<Mistake>& mistakes) {
    for (const auto& [text, error] : mistakes) {
        const auto said = mistakes_in(least_and(text));
        EXPECT_NE(said.find(error), std::string::npos)
            << text << "\nsaid: " << said << "\nexpected: " << error;
    }
}

}  // namespace holdfast::cli
