// What a person dials, from the command to the other side: the dial plan of a configuration file,
// digits after a comma, voicemail and pickup. What is read how is in dialling_test.cpp.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "apps/phone/running_phones.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;

class RunningDialling : public RunningPhones {
protected:
    // A phone of alice, by a file with these lines more.
    CommandRun& phone_of(const std::string& lines) {
        std::ofstream(file("dial.toml")) << "[[account]]\naor = \"sip:alice@example.test\"\n"
                                            "password = \"secret\"\n"
                                         << lines;
        ::chmod(file("dial.toml").c_str(), 0600);
        Words words{"phone", "--config", file("dial.toml")};
        for (const auto& word : usual("alice")) words.push_back(word);
        return runs.emplace_back(words, environment());
    }
    // Keys that no clock time and no number holds in this order.
    static constexpr const char* pin = "AB*D";
};

// RFC 4733: pressed after the answer, and heard; nowhere else is said which they were.
TEST_F(RunningDialling, DigitsAfterACommaArriveAndAreSecret) {
    auto& alice = phone("alice", {"--log", "all"});
    auto& bob = phone("bob");
    EXPECT_EQ(ctl("alice", {"dial", "sip:bob@example.test," + std::string(pin)}), "call 1\n");
    ASSERT_TRUE(hears(bob, "\"ring\"")) << story(alice) << story(bob);
    EXPECT_EQ(ctl("bob", {"answer"}).substr(0, 5), "call ");
    for (const std::string digit : {"A", "B", "*", "D"})
        ASSERT_TRUE(hears(bob, R"("reason":")" + digit + "\"")) << story(alice) << story(bob);
    std::string heard;
    const std::string mark = R"("event":"dtmf",)";
    for (auto at = bob.output().find(mark); at != std::string::npos;
         at = bob.output().find(mark, at + 1))
        heard += bob.output().at(bob.output().find("\"reason\":\"", at) + 10);
    EXPECT_EQ(heard, pin) << "one after the other, each once";
    EXPECT_TRUE(hears(alice, R"("reason":"4 digits that waited are sent")")) << story(alice);
    const auto status = ctl("alice", {"status", "--json"});
    ctl("alice", {"hangup"});
    ASSERT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    const auto history = ctl("alice", {"history", "--json"});
    EXPECT_NE(history.find(R"("peer":"sip:bob@example.test",)"), std::string::npos) << history;
    for (const auto& text : {alice.output(), alice.errors(), status, history})
        EXPECT_EQ(text.find(pin), std::string::npos) << text;
    quits(alice, "alice");
}

// The plan of the file decides what the server is asked for; what it refuses is not sent.
TEST_F(RunningDialling, ThePlanAndThePrefixAreTheFiles) {
    auto& alice = phone_of(
        "prefix = \"7\"\ndial-plan = [\"1xx\", \"0900x. ! it is dear\", \"<00:+>x.\"]\n"
        "voicemail = \"97\"\npickup = \"**\"\n");
    ASSERT_TRUE(hears(alice, "\"registered\"")) << story(alice);
    EXPECT_EQ(ctl("alice", {"dial", "0900 12"}, 24),
              "holdfast: 090012 is not dialled: it is dear (rule \"0900x.\" of the dial plan).\n");
    const auto calls = [&](const Words& verb, const std::string& uri) {
        EXPECT_EQ(ctl("alice", verb).substr(0, 5), "call ");
        // Nobody has this number: each call ends by itself.
        const auto begun = R"("peer":")" + uri + "\"";
        EXPECT_TRUE(run_until([&] {
            return ctl("alice", {"history", "--json"}).find(begun) != std::string::npos;
        })) << uri
            << ctl("alice", {"history", "--json"});
        EXPECT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    };
    calls({"dial", "101"}, "sip:101@example.test");
    calls({"dial", "2-01"}, "sip:7201@example.test");
    calls({"dial", "0043 1"}, "sip:+431@example.test");
    calls({"dial", "tel:+49-30-1"}, "sip:+49301@example.test;user=phone");
    calls({"voicemail"}, "sip:97@example.test");
    calls({"pickup", "101"}, "sip:**101@example.test");
    quits(alice, "alice");
}

// At the shell, too, a PIN that a blank has parted is not repeated.
TEST_F(RunningDialling, ABlankGivesNoPinAway) {
    auto& alice = phone("alice");
    for (const Words& verb :
         std::vector<Words>{{"dial", "*97,12", "7777#"}, {"dtmf", "77", "77"}}) {
        const auto said = ctl("alice", verb, 24);
        EXPECT_EQ(said.find("77"), std::string::npos) << said;
    }
    auto& call = runs.emplace_back(Words{"call", "*97,", "7777#"}, environment());
    ASSERT_TRUE(run_until([&] { return call.ended(); }));
    EXPECT_EQ(call.exit_code(), 2);
    EXPECT_EQ(call.errors().find("77"), std::string::npos) << call.errors();
    quits(alice, "alice");
}

TEST_F(RunningDialling, ARuleThatIsNoneEndsTheStart) {
    auto& alice = phone_of("dial-plan = [\n\"1xx\",\n\"1[x\"]\n");
    ASSERT_TRUE(run_until([&] { return alice.ended(); })) << story(alice);
    EXPECT_EQ(alice.exit_code(), 3) << story(alice);
    EXPECT_TRUE(alice.complained("dial.toml:6: dial-plan: \"1[x\" is no rule of a dial plan"))
        << story(alice);
}

}  // namespace
}  // namespace holdfast::phone
