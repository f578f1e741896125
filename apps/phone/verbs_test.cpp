// What is typed becomes requests, and answers become words: the same for the console and ctl.
#include "apps/phone/verbs.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace holdfast::phone {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

std::string params_of(const Words& words) {
    const auto request = request_of(words);
    if (!request) return request.error();
    const auto object = Json::parse(*request);
    EXPECT_EQ(object["jsonrpc"], "2.0");
    EXPECT_EQ(object["id"], 1);
    return object["method"].get<std::string>() +
           (object.contains("params") ? " " + object["params"].dump() : "");
}
std::string error_of(const Words& words) {
    const auto request = request_of(words);
    return request ? "accepted" : request.error();
}

TEST(Verbs, BecomeRequests) {
    EXPECT_EQ(params_of({"status"}), "status");
    EXPECT_EQ(params_of({"dial", "bob"}), R"(dial {"uri":"bob"})");
    EXPECT_EQ(params_of({"dial", "bob", "carol"}), R"(dial {"account":"carol","uri":"bob"})");
    EXPECT_EQ(params_of({"voicemail"}), "voicemail");
    EXPECT_EQ(params_of({"voicemail", "carol"}), R"(voicemail {"account":"carol"})");
    EXPECT_EQ(params_of({"pickup", "101"}), R"(pickup {"extension":"101"})");
    EXPECT_EQ(params_of({"pickup", "101", "carol"}),
              R"(pickup {"account":"carol","extension":"101"})");
    EXPECT_EQ(params_of({"answer"}), "answer");
    EXPECT_EQ(params_of({"answer", "2147483649"}), R"(answer {"call":2147483649})");
    EXPECT_EQ(params_of({"reject"}), "reject");
    EXPECT_EQ(params_of({"reject", "603"}), R"(reject {"status":603})");
    EXPECT_EQ(params_of({"reject", "2147483649", "480"}),
              R"(reject {"call":2147483649,"status":480})");
    EXPECT_EQ(params_of({"hangup"}), "hang_up");
    EXPECT_EQ(params_of({"hangup", "3"}), R"(hang_up {"call":3})");
    EXPECT_EQ(params_of({"hangup", "incoming"}), R"(hang_up {"which":"incoming"})");
    EXPECT_EQ(params_of({"dtmf", "42"}), R"(dtmf {"digits":"42"})");
    EXPECT_EQ(params_of({"dtmf", "42", "1#"}), R"(dtmf {"call":42,"digits":"1#"})");
    EXPECT_EQ(params_of({"mute"}), R"(mute {"microphone":true})");
    EXPECT_EQ(params_of({"mute", "2", "both"}),
              R"(mute {"call":2,"microphone":true,"speaker":true})");
    EXPECT_EQ(params_of({"unmute"}), R"(mute {"microphone":false,"speaker":false})");
    EXPECT_EQ(params_of({"unmute", "speaker"}), R"(mute {"speaker":false})");
    EXPECT_EQ(params_of({"record", "/tmp/a.wav"}), R"(record {"path":"/tmp/a.wav"})");
    EXPECT_EQ(params_of({"record", "2", "/tmp/x/../a.wav"}),
              R"(record {"call":2,"path":"/tmp/x/../a.wav"})");
    EXPECT_EQ(
        params_of({"record", "a.wav"}),
        R"(record {"path":")" + (std::filesystem::current_path() / "a.wav").string() + R"("})");
    EXPECT_EQ(params_of({"stoprecording", "2"}), R"(stop_recording {"call":2})");
    EXPECT_EQ(params_of({"conference"}), "conference");
    EXPECT_EQ(params_of({"conference", "1", "3"}), R"(conference {"calls":[1,3]})");
    EXPECT_EQ(params_of({"split"}), "split");
    EXPECT_EQ(params_of({"transfer", "carol"}), R"(transfer {"uri":"carol"})");
    EXPECT_EQ(params_of({"transfer", "1", "42"}), R"(transfer {"call":1,"uri":"42"})");
    EXPECT_EQ(params_of({"connect", "1", "2147483649"}),
              R"(connect {"call":1,"other":2147483649})");
    EXPECT_EQ(params_of({"dnd"}), "rules");
    EXPECT_EQ(params_of({"dnd", "on"}), R"(rules {"do_not_disturb":true})");
    EXPECT_EQ(params_of({"dnd", "off"}), R"(rules {"do_not_disturb":false})");
    EXPECT_EQ(params_of({"onecall", "on"}), R"(rules {"one_call":true})");
    EXPECT_EQ(params_of({"autoanswer", "2s"}), R"(rules {"auto_answer":"2s"})");
    EXPECT_EQ(params_of({"forward"}), "rules");
    EXPECT_EQ(params_of({"forward", "always", "carol"}), R"(rules {"forward_always":"carol"})");
    EXPECT_EQ(params_of({"forward", "busy", "off"}), R"(rules {"forward_busy":"off"})");
    EXPECT_EQ(params_of({"forward", "noanswer", "97"}), R"(rules {"forward_no_answer":"97"})");
    EXPECT_EQ(params_of({"forward", "after", "5s"}), R"(rules {"forward_after":"5s"})");
    EXPECT_NE(error_of({"forward", "carol"}).find("When?"), std::string::npos);
    EXPECT_NE(error_of({"forward", "always"}).find("Whom"), std::string::npos);
    EXPECT_EQ(params_of({"deny", "+4930*"}), R"(rules {"deny":"+4930*"})");
    EXPECT_EQ(params_of({"deny"}), "rules");
    EXPECT_EQ(params_of({"allow", "bob"}), R"(rules {"allow":"bob"})");
    EXPECT_EQ(params_of({"history", "bob", "b."}), R"(history {"limit":20,"search":"bob b."})");
}

TEST(Verbs, ThatAreWrongAreSaid) {
    EXPECT_EQ(error_of({}), "What? (help lists the verbs)");
    EXPECT_EQ(error_of({"dail", "bob"}), "There is no verb \"dail\"; help or --help lists them");
    EXPECT_NE(error_of({"dial"}).find("Whom?"), std::string::npos);
    EXPECT_EQ(error_of({"pickup"}), "Whose call? pickup EXTENSION [ACCOUNT]");
    EXPECT_NE(error_of({"dtmf"}).find("Which digits?"), std::string::npos);
    for (const Words& words : std::vector<Words>{{"status", "now"},
                                                 {"dial", "a", "b", "c"},
                                                 {"voicemail", "a", "b"},
                                                 {"pickup", "1", "b", "c"},
                                                 {"answer", "1", "2"},
                                                 {"hangup", "all", "of"},
                                                 {"dtmf", "1", "2", "3"},
                                                 {"transfer", "1", "2", "3"},
                                                 {"connect", "1", "2", "3"},
                                                 {"record", "1", "2", "3"},
                                                 {"split", "1", "2"},
                                                 {"dnd", "on", "off"},
                                                 {"mute", "1", "both", "ends"}})
        EXPECT_NE(error_of(words).find("one word too many"), std::string::npos) << words.front();
    for (const Words& words : std::vector<Words>{{"answer", "bob"},
                                                 {"answer", "0"},
                                                 {"hold", "-1"},
                                                 {"reject", "bob"},
                                                 {"hangup", "some"},
                                                 {"dtmf", "x", "1"},
                                                 {"transfer", "x", "1"},
                                                 {"connect", "x", "1"},
                                                 {"record", "x", "1"},
                                                 {"conference", "x"},
                                                 {"dnd", "maybe"},
                                                 {"mute", "ears"}})
        EXPECT_NE(error_of(words).find("\"" + words[1] + "\" is n"), std::string::npos)
            << words.front();
    EXPECT_NE(error_of({"reject", "2147483649", "200"}).find("no status"), std::string::npos);
}

// A blank beside a comma is no end of what is dialled.
TEST(Verbs, DigitsBehindACommaMayHaveABlankBesideIt) {
    EXPECT_EQ(params_of({"dial", "*97,", "1234#"}), R"(dial {"uri":"*97,1234#"})");
    EXPECT_EQ(params_of({"dial", "*97", ",1234#", "carol"}),
              R"(dial {"account":"carol","uri":"*97,1234#"})");
    EXPECT_EQ(params_of({"dial", "97", "p", "1234"}), R"(dial {"uri":"97p1234"})");
    EXPECT_EQ(params_of({"dial", "97", "100"}), R"(dial {"account":"100","uri":"97"})");
    EXPECT_EQ(params_of({"transfer", "1", "97,", "1234"}),
              R"(transfer {"call":1,"uri":"97,1234"})");
    EXPECT_EQ(params_of({"dtmf", "1", ",5"}), R"(dtmf {"call":1,"digits":",5"})");
}

// Whatever a blank makes of it: what may be a PIN is in no sentence.
TEST(Verbs, NoSentenceShowsAPin) {
    for (const Words& words : std::vector<Words>{{"dial", "97,1", "77", "77"},
                                                 {"dial", "97", "77", "77"},
                                                 {"dtmf", "7a", "77"},
                                                 {"dtmf", "12", "77", "77"},
                                                 {"dtmf", "1,", "77"},
                                                 {"transfer", "97,77", "x"},
                                                 {"transfer", "1", "97", "77"},
                                                 {"voicemail", "1", "77"},
                                                 {"pickup", "1", "2", "77"},
                                                 {"77#"},
                                                 {"dial97,77"},
                                                 {"*97p77"}}) {
        const auto error = error_of(words);
        EXPECT_FALSE(error.empty()) << words.front();
        EXPECT_EQ(error.find('7', error.find("97") == std::string::npos ? 0 : error.find("97") + 2),
                  std::string::npos)
            << error;
    }
}

TEST(Verbs, EachIsInTheHelpAndUnderstood) {
    for (const auto& verb : verbs()) {
        EXPECT_NE(verbs_in_words().find(std::string(verb.name)), std::string::npos);
        EXPECT_EQ(error_of({std::string(verb.name), "1", "2", "3", "4"}).find("no verb"),
                  std::string::npos)
            << verb.name;
    }
}

TEST(Answers, AreWordsForAPerson) {
    const auto status = in_words(
        "status",
        R"({"jsonrpc":"2.0","id":1,"result":{"accounts":[{"account":"sip:a@b","state":"registered",)"
        R"("reachable":true}],"calls":[{"call":3,"account":"sip:a@b","direction":"out",)"
        R"("peer":"sip:c@d","stage":"talking","talked":67.9,"held":true}]}})");
    ASSERT_TRUE(status);
    EXPECT_EQ(*status,
              "sip:a@b: registered, reachable\n"
              "call 3 to sip:c@d: talking 1:07, on hold (sip:a@b)");
    EXPECT_EQ(in_words("status", R"({"result":{"calls":[{"call":3,"account":"sip:a@b","direction":)"
                                 R"("in","peer":"sip:c@d","stage":"talking","recording":"/a.wav",)"
                                 R"("conference":[4,5]}]}})"),
              "call 3 from sip:c@d: talking, recorded to /a.wav, in a conference with call 4, 5 "
              "(sip:a@b)");
    EXPECT_EQ(in_words("conference", R"({"result":{"calls":[1,2]}})"),
              "To be in a conference: call 1, 2");
    EXPECT_EQ(in_words("hangup", R"({"result":{"calls":[1,2]}})"), "Hung up: call 1, 2");
    EXPECT_EQ(in_words("deny", R"({"result":{"do_not_disturb":true,"one_call":true,)"
                               R"("auto_answer":"2s","forward_always":"carol","forward_busy":"",)"
                               R"("forward_no_answer":"97","forward_after":"20s",)"
                               R"("deny":["bob","+49*"]}})"),
              "do not disturb: calls are refused\none call at a time: a second one is busy\n"
              "calls are answered by themselves after 2s\nevery call is forwarded to carol\n"
              "not answered for 20s they are forwarded to 97\ndenied: bob +49*");
    EXPECT_EQ(in_words("dial", R"({"result":{"call":1}})"), "call 1");
    const auto refused =
        in_words("answer", R"({"error":{"code":1,"message":"There is no call that rings here"}})");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, 1);
    EXPECT_EQ(refused.error().sentence, "There is no call that rings here");
}

// A phone of another version, or no phone at all.
TEST(Answers, ThatAreStrangeThrowNothing) {
    for (const auto* answer :
         {"", "7", "[]", "null", "{\"result\":7}", "{\"result\":{\"calls\":7}}",
          "{\"result\":{\"calls\":[7]}}", "{\"error\":7}", "{\"result\":{\"accounts\":[{}]}}",
          R"({"result":{"calls":[{"call":"x","talked":"y"}]}})"}) {
        for (const auto& verb : verbs()) (void)in_words(verb.name, answer);
        (void)csv_of(answer);
        (void)result_of(answer);
        (void)notification_of(answer);
    }
    EXPECT_FALSE(in_words("status", "no JSON"));
}

// RFC 4180 §2; and a spreadsheet runs what begins with a formula's sign.
TEST(Csv, QuotesWhatCallersChoose) {
    const auto page =
        csv_of(R"({"result":{"calls":[{"id":9,"account":"sip:a@b","direction":"in","started":0,)"
               R"("peer":"\"Bob, B.\" <sip:c@d>","outcome":"missed","talked":0,"status":487,)"
               R"("reason":"=1+2"},{"id":8,"account":"sip:a@b","direction":"out","started":0,)"
               R"("peer":"sip:c@d","outcome":"answered","talked":61}]}})");
    ASSERT_TRUE(page);
    EXPECT_EQ(page->last, 8);
    EXPECT_NE(page->rows.find(",sip:a@b,in,\"\"\"Bob, B.\"\" <sip:c@d>\",missed,0,487,'=1+2\r\n"),
              std::string::npos)
        << page->rows;
    EXPECT_TRUE(page->rows.ends_with(",sip:a@b,out,sip:c@d,answered,61,,\r\n")) << page->rows;
}

// A row is a row, whatever a caller is called: in a table, too.
TEST(Csv, AndTablesHaveNoControlCharacters) {
    const std::string answer =
        R"({"result":{"calls":[{"id":9,"account":"sip:a@b","direction":"in","started":0,)"
        R"("peer":"B\u001b[2J\r\nob\u007f\u009b\u202e","outcome":"missed","talked":0,)"
        R"("reason":" =1+2"}]}})";
    const auto page = csv_of(answer);
    ASSERT_TRUE(page);
    EXPECT_NE(page->rows.find(",B\uFFFD[2J\uFFFD\uFFFDob\uFFFD\uFFFD\uFFFD,missed,0,,' =1+2\r\n"),
              std::string::npos)
        << page->rows;
    const auto table = in_words("history", answer);
    ASSERT_TRUE(table);
    EXPECT_EQ(table->find_first_of("\n\r\x1b\x7f"), std::string::npos) << *table;
}

TEST(Csv, FormulasAreTexts) {
    for (const auto* sign : {"=", "+", "-", "@"}) {
        const auto page =
            csv_of(R"({"result":{"calls":[{"id":9,"peer":")" + std::string(sign) + R"(1"}]}})");
        ASSERT_TRUE(page);
        EXPECT_NE(page->rows.find(",'" + std::string(sign) + "1,"), std::string::npos);
    }
}

TEST(Notifications, AreEventsWithTheirWords) {
    const auto told = notification_of(
        R"({"jsonrpc":"2.0","method":"event","params":{"t":1,"event":"ring","account":"sip:a@b",)"
        R"("call":11,"words":"Incoming call: Bob"}})");
    EXPECT_EQ(told.words, "sip:a@b  call 11: Incoming call: Bob");
    EXPECT_EQ(told.event, R"({"t":1,"event":"ring","account":"sip:a@b","call":11})");
    EXPECT_FALSE(told.is_last);
    EXPECT_TRUE(notification_of(R"({"method":"event","params":{"event":"stopped"}})").is_last);
    EXPECT_EQ(notification_of(R"({"id":1,"result":{}})").event, "");
}

}  // namespace
}  // namespace holdfast::phone
