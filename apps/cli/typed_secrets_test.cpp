// What the list of processes shows of a PIN that was typed.
#include "apps/cli/typed_secrets.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::cli {
namespace {

using Words = std::vector<std::string>;

Words shown(Words typed) {
    std::vector<char*> arguments;
    arguments.reserve(typed.size());
    for (auto& word : typed) arguments.push_back(word.data());
    hide_typed_digits(arguments);
    return typed;
}

TEST(TypedSecrets, WhatStandsBehindACommaIsHidden) {
    EXPECT_EQ(shown({"call", "*97,,1234#", "--account", "alice@example.test"}),
              (Words{"call", "*97,,xxxxx", "--account", "alice@example.test"}));
    EXPECT_EQ(shown({"call", "sip:bob@example.test,12", "--json"}),
              (Words{"call", "sip:bob@example.test,xx", "--json"}));
    EXPECT_EQ(shown({"call", "<sip:bob@example.test>, 12"}),
              (Words{"call", "<sip:bob@example.test>,xxx"}));
    EXPECT_EQ(shown({"ctl", "--socket", "/run/s", "dial", "97,4711"}),
              (Words{"ctl", "--socket", "/run/s", "dial", "97,xxxx"}));
    EXPECT_EQ(shown({"phone", "--voicemail=97,4711"}), (Words{"phone", "--voicemail=97,xxxx"}));
    EXPECT_EQ(shown({"phone", "--voicemail", "97,4711"}),
              (Words{"phone", "--voicemail", "97,xxxx"}));
    // As address books have them, and as a link or a blank leaves them.
    EXPECT_EQ(shown({"call", "*97p4711#"}), (Words{"call", "*97xxxxxx"}));
    EXPECT_EQ(shown({"call", "97;4711"}), (Words{"call", "97xxxxx"}));
    EXPECT_EQ(shown({"ctl", "dial", "tel:97%2C4711"}), (Words{"ctl", "dial", "tel:97xxxxxxx"}));
    EXPECT_EQ(shown({"ctl", "dial", "97,", "4711#", "alice"}),
              (Words{"ctl", "dial", "97,", "xxxxx", "alice"}));
    EXPECT_EQ(shown({"ctl", "dial", "97", ",4711"}), (Words{"ctl", "dial", "97", ",xxxx"}));
    // RFC 3261 §25.1: a user may have commas.
    EXPECT_EQ(shown({"call", "sip:a,b@example.test"}), (Words{"call", "sip:a,b@example.test"}));
}

TEST(TypedSecrets, DigitsToPressAreHidden) {
    EXPECT_EQ(shown({"call", "bob", "--dtmf", "4711", "--json"}),
              (Words{"call", "bob", "--dtmf", "xxxx", "--json"}));
    EXPECT_EQ(shown({"answer", "--dtmf=47,11"}), (Words{"answer", "--dtmf=xx,xx"}));
    EXPECT_EQ(shown({"call", "--dtmf-by", "tones"}), (Words{"call", "--dtmf-by", "tones"}));
    EXPECT_EQ(shown({"ctl", "--json", "dtmf", "2", "4711", "--socket=/run/s"}),
              (Words{"ctl", "--json", "dtmf", "x", "xxxx", "--socket=/run/s"}));
}

TEST(TypedSecrets, NothingElseIs) {
    EXPECT_EQ(shown({"register", "a,1"}), (Words{"register", "a,1"}));
    EXPECT_EQ(shown({"call"}), (Words{"call"}));
    EXPECT_EQ(shown({}), Words{});
    EXPECT_EQ(shown({"ctl", "status"}), (Words{"ctl", "status"}));
}

}  // namespace
}  // namespace holdfast::cli
