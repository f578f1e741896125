// JSON-RPC 2.0 at the phone: what is wrong is answered with the code of the specification and a
// sentence; what is right is done. The sections are those of the JSON-RPC specification.
#include "apps/phone/control.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "apps/phone/control_requests.h"
#include "apps/phone/verbs.h"
#include "live/scratch.h"

namespace holdfast::phone {
namespace {

using Json = nlohmann::json;

class NoMedia final : public media::Engine {
public:
    void submit(media::Command command) override { commands.push_back(std::move(command)); }
    [[nodiscard]] int descriptor() const override { return -1; }
    std::vector<media::Event> take() override { return {}; }
    std::vector<media::Command> commands;
};

// A phone whose driver never runs: it is not registered, and events are told to it by hand.
class JsonRpc : public testing::Test {
protected:
    JsonRpc() {
        runtime::DriverOptions options;
        options.keep_state = false;
        options.local = Endpoint{IpAddress::v4(127, 0, 0, 1), 0};
        driver = *runtime::Driver::open(loop, options);
        engine.emplace(driver->engine_options());
        PhoneSettings settings;
        for (const auto* user : {"alice", "carol"}) {
            registration::AccountConfig account;
            account.aor = "sip:" + std::string(user) + "@example.test";
            settings.accounts.push_back(account);
        }
        history.emplace(*runtime::CallHistory::open(scratch.path()));
        phone.emplace(
            loop, *driver, media, *engine, settings,
            PhoneHandlers{
                .tell = [this](Instant, const Event& event,
                               const std::string& aor) { control->on_event({}, event, aor); },
                .began = [](CallRef, const runtime::PastCall&) {},
                .over = [this](
                            CallRef,
                            const runtime::PastCall& call) { EXPECT_TRUE(history->add(call)); }});
        control.emplace(*phone, &*history, "1.2.3",
                        Control::Handlers{
                            .send = [this](runtime::ControlClient to,
                                           std::string_view line) { sent[to].emplace_back(line); },
                            .words_of = [](const Event&) { return "in words"; }});
    }
    Json ask(const std::string& line) {
        const auto answer = control->answer(me, line);
        EXPECT_EQ(answer.find('\n'), std::string::npos) << "one line";
        return answer.empty() ? Json() : Json::parse(answer);
    }
    int code(const std::string& line) {
        const auto answer = ask(line);
        EXPECT_EQ(answer["jsonrpc"], "2.0") << answer;
        EXPECT_FALSE(answer.contains("result")) << answer;
        EXPECT_FALSE(answer["error"]["message"].get<std::string>().empty());
        return answer["error"]["code"].get<int>();
    }
    static std::string call(const std::string& method, const std::string& params = "{}") {
        return R"({"jsonrpc":"2.0","id":7,"method":")" + method + R"(","params":)" + params + "}";
    }
    void rings(std::uint32_t number, const std::string& who = "Bob <sip:bob@example.test>") {
        Event event{.kind = EventKind::ring, .account = AccountId{1}, .call = CallRef{number}};
        event.reason = who;
        phone->on_event({}, event);
    }
    void happens(std::uint32_t number, EventKind kind, int status = 0, std::string reason = "") {
        Event event{.kind = kind, .account = AccountId{1}, .call = CallRef{number}};
        event.status = status;
        event.reason = std::move(reason);
        phone->on_event({}, event);
    }

    const runtime::ControlClient me{1};
    live::ScratchDirectory scratch;
    runtime::Loop loop;
    NoMedia media;
    std::map<runtime::ControlClient, std::vector<std::string>> sent;
    std::optional<Engine> engine;
    std::optional<runtime::CallHistory> history;
    std::optional<Control> control;
    std::optional<Phone> phone;
    std::unique_ptr<runtime::Driver> driver;
};

// §5.1
TEST_F(JsonRpc, WhatIsWrongHasItsCode) {
    EXPECT_EQ(code("{"), -32700);
    EXPECT_EQ(code("dial bob"), -32700);
    EXPECT_EQ(code(std::string(60'000, '[')), -32700);
    EXPECT_EQ(code("7"), -32600);
    EXPECT_EQ(code("{}"), -32600);
    EXPECT_EQ(code(R"({"jsonrpc":"1.0","id":1,"method":"status"})"), -32600);
    EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1})"), -32600);
    EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":7})"), -32600);
    EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":{},"method":"status"})"), -32600);
    EXPECT_EQ(code(call("dail")), -32601);
    EXPECT_NE(ask(call("dail")).dump().find("did you mean dial?"), std::string::npos);
    EXPECT_EQ(code(call("dial", "[\"bob\"]")), -32602);
    EXPECT_EQ(code(call("dial")), -32602);
    EXPECT_EQ(code(call("dial", R"({"uri":7})")), -32602);
    EXPECT_EQ(code(call("dial", R"({"uri":"bob","video":true})")), -32602);
    EXPECT_EQ(code(call("status", R"({"call":1})")), -32602);
    for (const auto* number : {"0", "-1", "1.5", "\"1\"", "4294967296", "18446744073709551615"})
        EXPECT_EQ(code(call("answer", R"({"call":)" + std::string(number) + "}")), -32602)
            << number;
    EXPECT_EQ(code(call("reject", R"({"status":200})")), -32602);
    EXPECT_EQ(code(call("reject", R"({"status":700})")), -32602);
    EXPECT_EQ(code(call("hang_up", R"({"which":"some"})")), -32602);
    EXPECT_EQ(code(call("hang_up", R"({"which":"all","call":1})")), -32602);
    EXPECT_EQ(code(call("mute")), -32602);
    EXPECT_EQ(code(call("record")), -32602);
    for (const auto* calls :
         {"1", "[]", "[0]", "[-1]", "[4294967296]", "[18446744073709551615]", "[1.5]", "[\"1\"]"})
        EXPECT_EQ(code(call("conference", R"({"calls":)" + std::string(calls) + "}")), -32602)
            << calls;
    EXPECT_EQ(code(call("mute", R"({"microphone":"yes"})")), -32602);
    EXPECT_EQ(code(call("history", R"({"limit":101})")), -32602);
    EXPECT_EQ(code(call("history", R"({"search":")" + std::string(501, 'x') + "\"}")), -32602);
    for (const auto* params : {R"({"call":1})", R"({"other":1})", R"({"call":1,"other":0})"})
        EXPECT_EQ(code(call("connect", params)), -32602) << params;
    EXPECT_EQ(code(call("transfer", R"({"call":1})")), -32602);
    EXPECT_EQ(code(call("subscribe", R"({"events":[]})")), -32602) << "none, or all?";
    EXPECT_EQ(code(call("subscribe", R"({"events":"ring"})")), -32602);
    EXPECT_EQ(code(call("subscribe", R"({"events":["rang"]})")), -32602);
    EXPECT_EQ(code(call("subscribe", R"({"events":[7]})")), -32602);
    EXPECT_TRUE(media.commands.empty());
}

// What is right and cannot be done now.
TEST_F(JsonRpc, WhatCannotBeDoneIsSaid) {
    EXPECT_EQ(code(call("dial", R"({"uri":"bob"})")), 1);
    EXPECT_NE(ask(call("dial", R"({"uri":"bob"})")).dump().find("is not registered"),
              std::string::npos);
    EXPECT_NE(ask(call("dial", R"({"uri":"bob","account":"eve"})")).dump().find("no account"),
              std::string::npos);
    for (const auto* method : {"answer", "reject", "hang_up", "hold", "resume"})
        EXPECT_EQ(code(call(method)), 1) << method;
    EXPECT_EQ(code(call("dtmf", R"({"digits":"1"})")), 1);
    EXPECT_EQ(code(call("dtmf", R"({"digits":"one"})")), 1);
    EXPECT_EQ(code(call("mute", R"({"microphone":true})")), 1);
    EXPECT_EQ(code(call("hang_up", R"({"call":5})")), 1);
    EXPECT_EQ(ask(call("hang_up", R"({"which":"all"})"))["result"]["calls"], Json::array());
}

// §4, §4.1, §5: the id comes back as it was; without one there is no answer.
TEST_F(JsonRpc, TheIdComesBackAndANotificationHasNoAnswer) {
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":"a","method":"hello"})")["id"], "a");
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":null,"method":"hello"})")["id"], nullptr);
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":18446744073709551615,"method":"hello"})")["id"],
              18446744073709551615U);
    EXPECT_EQ(ask(R"({"jsonrpc":"2.0","id":-9223372036854775808,"method":"hello"})")["id"],
              std::numeric_limits<std::int64_t>::min());
    for (const auto* huge : {"18446744073709551616", "-9223372036854775809", "1e300"})
        EXPECT_EQ(code(R"({"jsonrpc":"2.0","method":"hello","id":)" + std::string(huge) + "}"),
                  -32600)
            << huge << " would come back as another one";
    // §4.2: parameters may be left out; none are as good as none.
    for (const auto* none : {"null", "[]", "{}"})
        EXPECT_TRUE(ask(call("hello", none)).contains("result")) << none;
    const auto hello = ask(call("hello"));
    EXPECT_EQ(hello["id"], 7);
    EXPECT_EQ(hello["result"]["holdfast"], "1.2.3");
    EXPECT_EQ(hello["result"]["protocol"], control_protocol);
    EXPECT_EQ(control->answer(me, R"({"jsonrpc":"2.0","method":"hello"})"), "");
    EXPECT_EQ(control->answer(me, R"({"jsonrpc":"2.0","method":"nonsense"})"), "");
}

// §6
TEST_F(JsonRpc, ABatchIsAnsweredAsOne) {
    const auto answers = ask("[" + call("hello") + R"(,{"jsonrpc":"2.0","method":"hello"},7,)" +
                             call("nonsense") + "]");
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_TRUE(answers[0].contains("result"));
    EXPECT_EQ(answers[1]["error"]["code"], -32600);
    EXPECT_EQ(answers[2]["error"]["code"], -32601);
    EXPECT_EQ(code("[]"), -32600);
    EXPECT_EQ(control->answer(me, R"([{"jsonrpc":"2.0","method":"hello"}])"), "");
    std::string most = call("hello");
    for (std::size_t i = 1; i < control_batch_most; ++i) most += "," + call("hello");
    EXPECT_EQ(ask("[" + most + "]").size(), control_batch_most);
    EXPECT_EQ(code("[" + most + "," + call("hello") + "]"), -32600);
}

// A batch is bounded in what it gets, too; what is not done any more is said.
TEST_F(JsonRpc, TheAnswersOfABatchAreBounded) {
    constexpr int calls = 100;
    for (int i = 0; i < calls; ++i)
        ASSERT_TRUE(history->add({.account = "sip:alice@example.test",
                                  .peer = std::string(runtime::history_text_most, 'p'),
                                  .outcome = "failed",
                                  .reason = std::string(runtime::history_text_most, 'r')}));
    std::string most = call("history");
    for (std::size_t i = 1; i < control_batch_most; ++i) most += "," + call("history");
    const auto line = control->answer(me, "[" + most + "]");
    EXPECT_LT(line.size(), runtime::control_queue_most);
    const auto answers = Json::parse(line);
    ASSERT_EQ(answers.size(), control_batch_most);
    EXPECT_TRUE(answers[0].contains("result"));
    EXPECT_EQ(answers[control_batch_most - 1]["error"]["code"], 1);
    EXPECT_EQ(answers[control_batch_most - 1]["id"], 7);
}

// What is read is copied and freed level by level, and a line has room for more than a stack has.
TEST_F(JsonRpc, ADepthThatNoRequestNeedsIsRefused) {
    const auto lists = [](std::size_t deep) {
        return std::string(deep, '[') + std::string(deep, ']');
    };
    const auto with_id = [](const std::string& id, const char* method = "status") {
        return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + R"("})";
    };
    EXPECT_EQ(code(with_id(lists(control_depth_most - 1))), -32600) << "read, but no id";
    EXPECT_EQ(code(with_id(lists(control_depth_most))), -32700);
    EXPECT_EQ(code(with_id(lists(30'000))), -32700);
    EXPECT_EQ(code(call("dial", R"({"uri":)" + lists(30'000) + "}")), -32700);

    // Past the limit of a batch's answers, what is no id is repeated no more than before it.
    const auto methods = [](const std::string&) -> std::expected<ControlMethod, ControlRefusal> {
        return [](Params&) -> ControlResult { return std::string(control_batch_answer_most, 'a'); };
    };
    const auto answers = Json::parse(answer_line(
        "[" + with_id("7", "long") + "," + with_id("[]", "long") + "," + with_id("8", "long") + "]",
        methods));
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_EQ(answers[0]["id"], 7);
    EXPECT_TRUE(answers[1]["id"].is_null());
    EXPECT_EQ(answers[1]["error"]["code"], 1);
    EXPECT_EQ(answers[2]["id"], 8);
}

TEST_F(JsonRpc, StatusListsAccountsAndCalls) {
    constexpr std::uint32_t incoming = 2147483649;
    rings(incoming);
    const auto status = ask(call("status"))["result"];
    EXPECT_EQ(status["accounts"].size(), 2U);
    EXPECT_EQ(status["accounts"][1]["account"], "sip:carol@example.test");
    EXPECT_EQ(status["accounts"][0]["registered"], false);
    ASSERT_EQ(status["calls"].size(), 1U);
    EXPECT_EQ(status["calls"][0]["call"], incoming);
    EXPECT_EQ(status["calls"][0]["direction"], "in");
    EXPECT_EQ(status["calls"][0]["stage"], "ringing");
    EXPECT_EQ(status["calls"][0]["peer"], "Bob <sip:bob@example.test>");
    EXPECT_EQ(status["calls"][0]["account"], "sip:alice@example.test");
}

// Which call is meant: the one that is named, else the only one that the verb can be for.
TEST_F(JsonRpc, TheOnlyCallThatFitsIsMeantAndOfSeveralNone) {
    rings(11);
    EXPECT_EQ(ask(call("answer"))["result"]["call"], 11);
    ASSERT_EQ(media.commands.size(), 1U);
    EXPECT_EQ(std::get<media::in::Open>(media.commands.front()).session.value, 11U);
    happens(11, EventKind::answered);
    rings(12);
    EXPECT_EQ(ask(call("mute", R"({"speaker":true})"))["result"]["call"], 11);
    rings(13);
    EXPECT_EQ(code(call("answer")), 1);
    EXPECT_NE(ask(call("answer")).dump().find("several"), std::string::npos);
    EXPECT_EQ(code(call("answer", R"({"call":11})")), 1) << "it is answered already";
    EXPECT_EQ(ask(call("hold"))["result"]["call"], 11);
    happens(11, EventKind::held, 0, "by us");
    EXPECT_EQ(code(call("hold")), 1);
    EXPECT_EQ(code(call("dtmf", R"({"digits":"1"})")), 1) << "nobody hears it on hold";
    EXPECT_EQ(ask(call("resume"))["result"]["call"], 11);
    EXPECT_EQ(ask(call("hang_up", R"({"which":"incoming"})"))["result"]["calls"], (Json{12, 13}));
}

// What comes from a caller is no reason to send what is no JSON.
TEST_F(JsonRpc, ACallersNameIsAlwaysJson) {
    rings(11, "\xff\"\n\x01");
    EXPECT_EQ(ask(call("status"))["result"]["calls"].size(), 1U);
    control->answer(me, call("subscribe"));
    happens(11, EventKind::call_ended, 487, "\xfe\n");
    ASSERT_EQ(sent[me].size(), 1U);
    EXPECT_EQ(sent[me].front().find('\n'), std::string::npos);
    EXPECT_TRUE(Json::accept(sent[me].front()));
}

TEST_F(JsonRpc, SubscribersAreToldWhatTheyAskedFor) {
    const runtime::ControlClient other{2};
    control->answer(me, call("subscribe", R"({"events":["ring"]})"));
    control->answer(other, call("subscribe"));
    rings(11);
    happens(11, EventKind::call_ended, 487, "the caller hung up");
    ASSERT_EQ(sent[me].size(), 1U);
    ASSERT_EQ(sent[other].size(), 2U);
    const auto told = Json::parse(sent[me].front());
    EXPECT_EQ(told["jsonrpc"], "2.0");
    EXPECT_EQ(told["method"], "event");
    EXPECT_FALSE(told.contains("id"));
    EXPECT_EQ(told["params"]["event"], "ring");
    EXPECT_EQ(told["params"]["call"], 11);
    EXPECT_EQ(told["params"]["account"], "sip:alice@example.test");
    EXPECT_EQ(told["params"]["words"], "in words");
    control->answer(me, call("unsubscribe"));
    control->gone(other);
    rings(12);
    EXPECT_EQ(sent[me].size(), 1U);
    EXPECT_EQ(sent[other].size(), 2U);
}

TEST_F(JsonRpc, HistoryRemembersHowCallsWent) {
    rings(11);
    happens(11, EventKind::call_ended, 487, "the caller hung up");
    rings(12);
    control->answer(me, call("reject"));
    happens(12, EventKind::call_ended, 486, "hung up");
    rings(13);
    happens(13, EventKind::call_ended, 487, "answered elsewhere");
    const auto calls = ask(call("history"))["result"]["calls"];
    ASSERT_EQ(calls.size(), 3U);
    EXPECT_EQ(calls[0]["outcome"], "answered elsewhere");
    EXPECT_EQ(calls[1]["outcome"], "rejected");
    EXPECT_EQ(calls[2]["outcome"], "missed");
    EXPECT_EQ(calls[2]["reason"], "the caller hung up");
    EXPECT_EQ(calls[2]["talked"], 0);
    EXPECT_EQ(ask(call("history", R"({"search":"elsewhere","limit":1})"))["result"]["calls"].size(),
              1U);
    EXPECT_EQ(ask(call("history", R"({"before":2})"))["result"]["calls"].size(), 1U);
}

// docs/control.md: `rules` tells what holds after it; what is wrong changes nothing.
TEST_F(JsonRpc, RulesAreChangedAndTold) {
    EXPECT_EQ(ask(call("rules"))["result"]["do_not_disturb"], false);
    EXPECT_EQ(ask(call("rules", R"({"do_not_disturb":true})"))["result"]["do_not_disturb"], true);
    EXPECT_EQ(code(call("rules", R"({"do_not_disturb":"off"})")), -32602);
    EXPECT_EQ(code(call("rules", R"({"dnd":false})")), -32602);
    EXPECT_EQ(code(call("rules", R"({"auto_answer":"soon","one_call":true})")), 1);
    EXPECT_EQ(code(call("rules", R"({"allow":"bob"})")), 1);
    const auto all = ask(call("rules", R"({"one_call":true,"auto_answer":"asked","deny":"Bob"})"));
    EXPECT_EQ(
        all["result"].dump(),
        R"({"auto_answer":"asked","deny":["bob"],"do_not_disturb":true,"forward_after":"20s",)"
        R"("forward_always":"","forward_busy":"","forward_no_answer":"","one_call":true})");
    EXPECT_EQ(ask(call("rules", R"({"forward_busy":"carol"})"))["result"]["forward_busy"], "carol");
    EXPECT_EQ(code(call("rules", R"({"forward_busy":"97,1"})")), 1);
    EXPECT_EQ(ask(call("status"))["result"]["rules"]["do_not_disturb"], true);
    EXPECT_EQ(ask(call("rules", R"({"do_not_disturb":false})"))["result"]["do_not_disturb"], false);
}

TEST(Outcome, OfOurOwnCallsIsToldByWhoEndedThem) {
    Call ours{.incoming = false};
    EXPECT_EQ(outcome_of(ours, true, 487, ""), "cancelled");
    EXPECT_EQ(outcome_of(ours, false, 486, ""), "busy");
    EXPECT_EQ(outcome_of(ours, false, 600, ""), "busy");
    EXPECT_EQ(outcome_of(ours, false, 480, ""), "no answer");
    EXPECT_EQ(outcome_of(ours, false, 408, ""), "no answer");
    EXPECT_EQ(outcome_of(ours, false, 404, ""), "failed");
    ours.no_sound = true;
    EXPECT_EQ(outcome_of(ours, false, 0, ""), "no sound");
    ours.answered = Instant{};
    EXPECT_EQ(outcome_of(ours, true, 200, ""), "answered");
}

}  // namespace
}  // namespace holdfast::phone
