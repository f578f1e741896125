// Names of headers and methods: every one is found in all its forms, and nothing else is.
#include "sip/header_name.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "sip/method.h"
#include "sip/scan.h"

namespace holdfast::sip {
namespace {

HeaderName found(std::string_view name) {
    const std::string text(name);
    const std::string padded = text + ": value" + std::string(scan::padding, '\0');
    const auto in_buffer = padded_header_name_of(std::string_view(padded).substr(0, text.size()));
    EXPECT_EQ(header_name_of(text), in_buffer) << text;
    return in_buffer;
}

// RFC 3261 §7.3.1: names in any case; §7.3.3: compact forms.
TEST(HeaderName, EveryNameIsFound) {
    for (std::size_t i = 1; i < static_cast<std::size_t>(HeaderName::count); ++i) {
        const auto name = static_cast<HeaderName>(i);
        for (auto text : {std::string(name_of(name)), std::string(compact_name_of(name))}) {
            ASSERT_FALSE(text.empty());
            EXPECT_EQ(found(text), name) << text;
            for (auto& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
            EXPECT_EQ(found(text), name) << text;
            for (auto& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            EXPECT_EQ(found(text), name) << text;
            EXPECT_EQ(found(text + "x"), HeaderName::other) << text;
            if (text.size() > 2) {
                EXPECT_EQ(found(text.substr(1)), HeaderName::other) << text;
                auto changed = text;
                changed[changed.size() / 2] = '!';
                EXPECT_EQ(found(changed), HeaderName::other) << changed;
            }
        }
    }
}

TEST(HeaderName, OthersAreNot) {
    for (const std::string_view name :
         {"", "z", "X-Mine", "Vi", "Call_ID", "Subscription-Ztate", "Tomato"})
        EXPECT_EQ(found(name), HeaderName::other) << name;
    EXPECT_EQ(name_of(HeaderName::other), "");
}

// RFC 3261 §7.1: methods are case sensitive.
TEST(Method, Names) {
    for (int i = 0; i < static_cast<int>(Method::other); ++i) {
        const auto method = static_cast<Method>(i);
        const std::string name(name_of(method));
        EXPECT_EQ(method_of(name), method) << name;
        EXPECT_EQ(method_of(name + "X"), Method::other);
        for (std::size_t at = 0; at < name.size(); ++at) {
            auto changed = name;
            changed[at] = 'x';
            EXPECT_EQ(method_of(changed), Method::other) << changed;
        }
    }
    EXPECT_EQ(method_of(""), Method::other);
    EXPECT_EQ(name_of(Method::other), "");
}

}  // namespace
}  // namespace holdfast::sip
