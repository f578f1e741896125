// The client of a direct account, told by hand what DNS, flows and calls say.
//   RFC 3263 §4.3; rules L1, F2, F3. Not tested here: calls over it (tests/direct_calls_test.cpp,
//   tests/direct_ways_test.cpp).
#include "registration/direct.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;

constexpr FlowId near_flow{11};
constexpr FlowId far_flow{12};
constexpr CallRef alices{1};
constexpr CallRef carols{2};

Target target_at(int host) {
    return {Transport::udp, {IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(host)), 5060}};
}

AccountConfig direct_account() {
    AccountConfig config;
    config.aor = "sip:carol@0.0.0.0";
    config.direct_to = "sip:bob@example.test";
    config.transport = Transport::udp;
    config.policy.use_naptr = false;
    return config;
}

// What it asks for is written down, in words.
class Teller {
public:
    Teller() { tell(told::Start{}); }

    void tell(const Told& told) {
        actions_.clear();
        direct.handle(
            told, {AccountId{1}, now_, 0, random_, health_, pool_, flows_, addresses_, actions_});
        for (const auto& action : actions_) note(action);
    }
    void pass(Duration duration) {
        const Instant end = now_ + duration;
        for (int steps = 0; steps < 100 && direct.next_deadline().at <= end; ++steps) {
            now_ = std::max(now_, direct.next_deadline().at);
            tell(told::Time{});
        }
        now_ = end;
    }
    // The services of the domain: first.test, which is at 1, before second.test, at 2.
    void answer_services() {
        dns::Answer text{.status = dns::Status::ok, .records = {}, .ttl = 60s};
        text.records.emplace_back(dns::Srv{.priority = 1, .port = 5060, .target = "first.test"});
        text.records.emplace_back(dns::Srv{.priority = 2, .port = 5060, .target = "second.test"});
        answer("_sip._udp.example.test", text);
    }
    void answer_host(const std::string& name, int host) {
        dns::Answer text{.status = dns::Status::ok, .records = {}, .ttl = 60s};
        text.records.emplace_back(target_at(host).endpoint.address);
        answer(name, text);
    }
    void answer(const std::string& name, const dns::Answer& text) {
        const auto asked = std::ranges::find(questions_, name, &dns::Question::name);
        ASSERT_NE(asked, questions_.end()) << name << " was not asked for: " << log_;
        const auto question = *asked;
        questions_.erase(asked);
        tell(told::Dns{question, text});
    }
    void find_both() {
        answer_services();
        answer_host("first.test", 1);
        answer_host("second.test", 2);
    }
    // Since the last time.
    std::string said() { return std::exchange(log_, {}); }

    Direct direct{direct_account(), "x", nullptr};

private:
    void say(const std::string& words) { log_ += (log_.empty() ? "" : " ") + words; }
    void note(const Action& action) {
        if (const auto* ask = std::get_if<act::Ask>(&action)) questions_.push_back(ask->question);
        if (const auto* open = std::get_if<act::Open>(&action))
            say("open-" + std::to_string(open->target == target_at(1) ? 1 : 2));
        if (const auto* release = std::get_if<act::Release>(&action))
            say("release-" + std::to_string(release->flow.value));
        if (const auto* event = std::get_if<Event>(&action))
            if (event->kind != EventKind::resolved) say(std::string(name_of(event->kind)));
        if (const auto* end = std::get_if<act::EndCalls>(&action)) {
            say("end");
            for (const CallRef call : end->only) say("call-" + std::to_string(call.value));
        }
    }

    Instant now_{1000s};
    Random random_{seed_from_number(2)};
    location::Health health_;
    location::CandidatePool pool_;
    flow::Table flows_;
    std::vector<IpAddress> addresses_{IpAddress::v4(10, 0, 0, 2)};
    Actions actions_;
    std::vector<dns::Question> questions_;
    std::string log_;
};

// L1: half an answer serves after 300 ms. What fails before the rest has come does not end the
// search, whatever it was.
TEST(Direct, TheRestOfAnAnswerIsWaitedFor) {
    for (const int how : {0, 1, 2}) {
        Teller it;
        it.answer_services();
        it.answer_host("first.test", 1);
        it.pass(300ms);
        ASSERT_EQ(it.said(), "open-1");
        if (how == 0) {
            it.tell(told::FlowFailed{target_at(1), FlowError::refused, {}});
            EXPECT_EQ(it.said(), "notice");
        } else {
            it.tell(told::FlowOpen{near_flow, target_at(1)});
            it.tell(told::CallWaits{.flow = near_flow, .call = alices});
            ASSERT_EQ(it.said(), "connected");
            EXPECT_TRUE(it.direct.view().has_another_way);
            if (how == 1) {
                it.tell(told::FlowLost{near_flow, target_at(1), FlowError::refused, {}, true});
            } else {
                it.tell(told::CallWaits{.call = alices, .unheard = false});
                it.tell(told::CallUnavailable{near_flow, alices});
            }
            EXPECT_EQ(it.said(), "notice release-11");
        }
        it.pass(500ms);
        EXPECT_EQ(it.said(), "");
        it.answer_host("second.test", 2);
        EXPECT_EQ(it.said(), "open-2");
        it.tell(told::FlowOpen{far_flow, target_at(2)});
        EXPECT_EQ(it.said(), "connected");
    }
}

// If that rest is nothing, what failed last is the reason.
TEST(Direct, TheRestOfAnAnswerMayBeNothing) {
    Teller it;
    it.answer_services();
    it.answer_host("first.test", 1);
    it.pass(300ms);
    it.tell(told::FlowFailed{target_at(1), FlowError::refused, "by hand"});
    it.said();
    it.answer("second.test", {.status = dns::Status::servfail, .records = {}, .ttl = {}});
    EXPECT_EQ(it.said(), "not_connected end");
    EXPECT_NE(it.direct.view().state.find("by hand"), std::string::npos);
}

// RegisterNow asks again after DNS has failed, and waits for what it says.
TEST(Direct, DnsThatFailedIsAskedAgain) {
    Teller it;
    it.answer("_sip._udp.example.test",
              {.status = dns::Status::servfail, .records = {}, .ttl = {}});
    it.answer("example.test", {.status = dns::Status::servfail, .records = {}, .ttl = {}});
    ASSERT_EQ(it.said(), "not_connected end");
    it.tell(told::RegisterNow{});
    EXPECT_EQ(it.said(), "");
    it.find_both();
    EXPECT_EQ(it.said(), "open-1");
}

// F2, F3: only who waits for an answer minds ICMP, and silence.
TEST(Direct, WhoWaitsIsCountedByCall) {
    Teller it;
    it.answer("_sip._udp.example.test", {.status = dns::Status::ok, .records = {}, .ttl = 60s});
    it.answer_host("example.test", 1);
    it.tell(told::FlowOpen{near_flow, target_at(1)});
    ASSERT_EQ(it.said(), "open-1 connected");
    it.tell(told::CallWaits{.flow = near_flow, .call = alices});
    it.tell(told::CallWaits{.flow = near_flow, .call = carols});
    it.tell(told::CallWaits{.call = alices, .unheard = false});
    const told::FlowLost icmp{near_flow, target_at(1), FlowError::refused, {}, true};
    it.tell(icmp);
    EXPECT_EQ(it.said(), "end call-2");
    it.tell(icmp);
    EXPECT_EQ(it.said(), "");
}

// F3: a target is not left for its silence when nobody waits for it any more.
TEST(Direct, PatienceEndsWithTheLastWhoWaits) {
    for (const bool hangs_up : {true, false}) {
        Teller it;
        it.find_both();
        it.tell(told::FlowOpen{near_flow, target_at(1)});
        it.tell(told::CallWaits{.flow = near_flow, .call = alices});
        if (hangs_up) it.tell(told::CallWaits{.call = alices, .unheard = false});
        it.said();
        it.pass(5s);
        EXPECT_EQ(it.said(), hangs_up ? "" : "open-2");
    }
}

// Who leaves goes nowhere any more: what was being opened is let go of.
TEST(Direct, WhoLeavesDoesNotComeBack) {
    Teller it;
    it.find_both();
    it.tell(told::FlowOpen{near_flow, target_at(1)});
    it.tell(told::CallWaits{.flow = near_flow, .call = alices});
    it.pass(5s);
    ASSERT_EQ(it.said(), "open-1 connected open-2");
    it.tell(told::ShutDown{});
    it.tell(told::FlowOpen{far_flow, target_at(2)});
    it.tell(told::RegisterNow{});
    EXPECT_EQ(it.said(), "release-12");
    EXPECT_EQ(it.direct.next_deadline().at, never);
}

}  // namespace
}  // namespace holdfast::registration
