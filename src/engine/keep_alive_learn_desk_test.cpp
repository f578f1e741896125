// K4 on a spare port: a NAT that forgets after so long is found out, what was learned is kept as
// long as the NAT is the same one, and nothing of it happens on the flow with the binding. Not
// tested here: which idle times are tried (flow/keepalive_learn_test.cpp).
#include "engine/keep_alive_learn_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/limits.h"
#include "engine/test_bench.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

using testing::HasSubstr;

const IpAddress public_address = IpAddress::v4(198, 51, 100, 7);
const Endpoint spare_end{our_end.address, 41000};

struct KeepAliveLearnDeskTest : testing::Test {
    Bench bench;
    Persistence persistence{{}, Instant{1h}, 0};
    KeepAliveLearnDesk desk{persistence};
    Duration nat_keeps = 60s;
    std::uint16_t public_port = 20000;
    Instant last_sent = bench.now;
    std::vector<std::string> words;           // of the events
    std::map<std::string, std::string> disk;  // what was stored
    FlowId spare;
    bool spare_closed = false;

    // A flow with the account's binding, on which the server has answered.
    FlowId flow_with_binding(AccountId account, flow::Ping answered = flow::Ping::options) {
        const FlowId id = bench.open_flow(account, udp_target(11));
        auto& flow = bench.flow(id);
        static_cast<void>(flow.keep_alive.answered(bench.now, answered));
        see(flow, {public_address, 13450});
        desk.want(account, id, alice_identity());
        return id;
    }
    void see(flow::Flow& flow, const Endpoint& mapping) {
        flow.mapping.learn_stun(bench.now, mapping, flow.target.endpoint, flow.target.endpoint);
    }
    // What came out: nothing may be sent but on the spare flow. The pings.
    std::vector<std::string> take() {
        std::vector<std::string> sent;
        for (auto& output : bench.outbox.take()) {
            if (const auto* const open = std::get_if<out::OpenFlow>(&output)) {
                EXPECT_TRUE(open->spare_port);
                EXPECT_EQ(open->target, udp_target(11));
                spare = open->flow;
                spare_closed = false;
            } else if (auto* const send = std::get_if<out::Send>(&output)) {
                EXPECT_EQ(send->flow, spare) << "never on the flow with the binding";
                sent.push_back(std::move(send->bytes));
            } else if (const auto* const close = std::get_if<out::CloseFlow>(&output)) {
                EXPECT_EQ(close->flow, spare);
                spare_closed = true;
            } else if (auto* const store = std::get_if<out::Store>(&output)) {
                disk[store->key] = store->value;
            } else if (auto* const event = std::get_if<Event>(&output)) {
                words.push_back(event->reason);
            }
        }
        return sent;
    }
    void open_spare() {
        take();
        auto* const flow = bench.flows.on_opened(bench.step(), spare, spare_end, "");
        ASSERT_NE(flow, nullptr);
        desk.on_flow_opened(bench.step(), *flow);
    }
    // The server answers what it gets, as the NAT lets it see us.
    void answer(const std::string& ping) {
        if (bench.now - last_sent > nat_keeps) ++public_port;
        last_sent = bench.now;
        const Endpoint mapping{public_address, public_port};
        const auto text =
            flow::is_stun(ping)
                ? flow::encode_binding_success(flow::decode_stun(ping)->transaction, mapping)
                : answer_to(ping, 200, {},
                            ";received=" + mapping.address.to_string() +
                                ";rport=" + std::to_string(mapping.port));
        bench.now += 20ms;
        desk.on_datagram(bench.step(), bench.flow(spare), text);
    }
    // Until the trial has ended, one way or the other.
    void live(bool server_answers = true) {
        open_spare();
        for (int steps = 0;; ++steps) {
            ASSERT_LT(steps, 1000);
            const auto pings = take();
            if (spare_closed) break;
            if (server_answers && !pings.empty()) {
                for (const auto& ping : pings) answer(ping);
                continue;  // what came of it, first
            }
            ASSERT_NE(desk.next_deadline().at, never) << "it would never end";
            bench.now = std::max(bench.now, desk.next_deadline().at);
            desk.on_time(bench.step());
        }
        EXPECT_EQ(desk.next_deadline().at, never);
        bench.flows.sweep();
    }
    void begin(FlowId flow) { desk.on_answer(bench.step(), bench.flow(flow)); }
    std::string stored() { return disk["device/keep-alive-v4"]; }
};

// By OPTIONS where these are answered, by STUN where that is: the longest that was survived, within
// 5 s of what the NAT keeps; on disk, told, and everybody's keep-alives are to be set anew.
class LearnsBy : public KeepAliveLearnDeskTest, public testing::WithParamInterface<flow::Ping> {};

TEST_P(LearnsBy, WhatTheNatKeepsIsFoundOut) {
    nat_keeps = 65s;
    const FlowId flow = flow_with_binding(alice, GetParam());
    EXPECT_FALSE(desk.interval(bench.flow(flow)));
    begin(flow);
    live();
    const auto interval = desk.interval(bench.flow(flow));
    ASSERT_TRUE(interval);
    EXPECT_GE(*interval, 60s);
    EXPECT_LE(*interval, 65s);
    EXPECT_EQ(stored(), std::to_string(interval->count()) + " 192.168.1.20 198.51.100.7");
    ASSERT_EQ(words.size(), 1u);
    EXPECT_THAT(words.front(), HasSubstr("the NAT keeps an idle mapping for 6"));
    EXPECT_EQ(desk.take_changed(), (std::vector{std::pair{alice, flow}}));
    EXPECT_TRUE(desk.take_changed().empty()) << "once";

    begin(flow);
    EXPECT_TRUE(take().empty()) << "it is known now";
    EXPECT_EQ(desk.next_deadline().at, never);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LearnsBy, testing::Values(flow::Ping::options, flow::Ping::stun),
                         [](const auto& test) { return std::string(name_of(test.param)); });

// It needs a user of the flow whose policy wants it, a mapping, and a server that answers.
TEST_F(KeepAliveLearnDeskTest, NothingBeginsWithoutABindingAMappingAndAnAnswer) {
    const FlowId flow = bench.open_flow(alice, udp_target(11));
    begin(flow);
    desk.want(alice, flow, alice_identity());
    begin(flow);
    see(bench.flow(flow), {public_address, 13450});
    begin(flow);
    EXPECT_FALSE(spare.value) << "nothing was answered here yet";
    static_cast<void>(bench.flow(flow).keep_alive.answered(bench.now, flow::Ping::options));
    desk.unwant(alice, flow);
    begin(flow);
    desk.want(bob, flow, alice_identity());
    desk.forget(bob);
    begin(flow);
    take();
    EXPECT_FALSE(spare.value);
    desk.want(bob, flow, alice_identity());
    begin(flow);
    take();
    EXPECT_TRUE(spare.value) << "the contrast";
}

// One trial serves all who are behind the NAT.
TEST_F(KeepAliveLearnDeskTest, TwoAccountsAreOneTrial) {
    const FlowId flow = flow_with_binding(alice);
    desk.want(bob, flow, alice_identity());
    begin(flow);
    begin(flow);
    EXPECT_EQ(bench.take_outputs<out::OpenFlow>().size(), 1u);
}

// N1: an answer to somebody else's branch, or a wrong STUN transaction, shows no mapping.
TEST_F(KeepAliveLearnDeskTest, AForgedAnswerTeachesNothing) {
    const FlowId flow = flow_with_binding(alice);
    begin(flow);
    open_spare();
    const auto sent = take();
    ASSERT_EQ(sent.size(), 1u);
    auto forged = answer_to(sent.front(), 200, {}, ";received=198.51.100.66;rport=666");
    const auto branch = forged.find("branch=z9hG4bK") + 14;
    forged.replace(branch, 4, "0000");
    desk.on_datagram(bench.step(), bench.flow(spare), forged);
    desk.on_datagram(bench.step(), bench.flow(spare),
                     flow::encode_binding_success({}, {public_address, 666}));
    desk.on_datagram(bench.step(), bench.flow(spare), "garbage");
    EXPECT_FALSE(bench.flow(spare).mapping.mapping());
    answer(sent.front());  // the contrast
    EXPECT_EQ(bench.flow(spare).mapping.mapping(), (Endpoint{public_address, public_port}));
}

// A server that is silent on the spare port, and a port that cannot be had: told once, nothing
// learned, and tried again after an hour, or at once at another server.
TEST_F(KeepAliveLearnDeskTest, WhatTaughtNothingIsTriedAgainAnHourLater) {
    const FlowId flow = flow_with_binding(alice);
    begin(flow);
    live(false);
    ASSERT_EQ(words.size(), 1u);
    EXPECT_THAT(words.front(), HasSubstr("the server does not answer"));
    EXPECT_FALSE(desk.interval(bench.flow(flow)));
    EXPECT_EQ(stored(), "");

    const FlowId before = spare;
    bench.now += limits::learn_again - 1us;
    begin(flow);
    take();
    EXPECT_EQ(spare, before);
    bench.now += 1us;
    begin(flow);
    live(false);
    EXPECT_NE(spare, before);
    EXPECT_EQ(words.size(), 1u) << "told once: " << words.back();
}

TEST_F(KeepAliveLearnDeskTest, ASpareFlowThatFailsIsNoEndlessTrial) {
    const FlowId flow = flow_with_binding(alice);
    begin(flow);
    take();
    bench.flows.on_failed(bench.step(),
                          {spare, udp_target(11), FlowError::network_unreachable, ""});
    desk.on_flow_ended(bench.step(), spare);
    take();
    ASSERT_EQ(words.size(), 1u);
    EXPECT_THAT(words.front(), HasSubstr("the spare flow could not be used"));
    EXPECT_EQ(desk.next_deadline().at, never);
    bench.now += limits::learn_again;
    begin(flow);
    live();
    EXPECT_TRUE(desk.interval(bench.flow(flow)));
}

// Where the port number is kept nothing can be learned this way.
TEST_F(KeepAliveLearnDeskTest, ANatThatKeepsThePortNumberIsSaid) {
    public_port = spare_end.port;
    const FlowId flow = flow_with_binding(alice);
    begin(flow);
    live();
    ASSERT_EQ(words.size(), 1u);
    EXPECT_THAT(words.front(), HasSubstr("keeps the port number"));
}

// It belongs to one NAT: another public address, or another of our own, and it is forgotten, on
// disk too, and learned anew.
TEST_F(KeepAliveLearnDeskTest, AnotherNatIsAnotherInterval) {
    const FlowId flow = flow_with_binding(alice);
    begin(flow);
    live();
    ASSERT_TRUE(desk.interval(bench.flow(flow)));
    static_cast<void>(desk.take_changed());
    see(bench.flow(flow), {IpAddress::v4(198, 51, 100, 99), 13450});
    EXPECT_FALSE(desk.interval(bench.flow(flow)));
    const FlowId before = spare;
    begin(flow);
    take();
    EXPECT_EQ(stored(), "");
    EXPECT_NE(spare, before);
    EXPECT_EQ(desk.take_changed().size(), 1u) << "the old interval is nobody's";
}

// What an earlier run learned counts, if it is what such a run writes.
TEST_F(KeepAliveLearnDeskTest, WhatIsOnDiskCounts) {
    const auto interval_of = [&](const std::string& text) {
        Persistence disk_of({{"device/keep-alive-v4", text}}, Instant{1h}, 0);
        KeepAliveLearnDesk next(disk_of);
        const FlowId flow = flow_with_binding(alice);
        next.want(alice, flow, alice_identity());
        next.on_answer(bench.step(), bench.flow(flow));
        bench.outbox.clear();
        return next.interval(bench.flow(flow));
    };
    EXPECT_EQ(interval_of("63125000 192.168.1.20 198.51.100.7"), 63125ms);
    EXPECT_EQ(interval_of("10000000 192.168.1.20 198.51.100.7"), 10s);
    EXPECT_EQ(interval_of("110000000 192.168.1.20 198.51.100.7"), 110s);
    for (const std::string damaged :
         {"", "63125000", "63125000 192.168.1.20", "9999999 192.168.1.20 198.51.100.7",
          "110000001 192.168.1.20 198.51.100.7", "-1 192.168.1.20 198.51.100.7",
          "63125000 192.168.1.20 nobody", "63125000  192.168.1.20 198.51.100.7",
          "63125000 192.168.1.21 198.51.100.7", "63125000 192.168.1.20 198.51.100.8"})
        EXPECT_FALSE(interval_of(damaged)) << damaged;
}

// K5: a trial that runs says nothing about the network we are in now; the next begins at once.
TEST_F(KeepAliveLearnDeskTest, AnotherNetworkEndsTheTrial) {
    const FlowId flow = flow_with_binding(alice);
    begin(flow);
    open_spare();
    answer(take().at(0));
    const FlowId before = spare;
    desk.on_network_changed(bench.step());
    take();
    EXPECT_TRUE(spare_closed);
    EXPECT_EQ(desk.next_deadline().at, never);
    EXPECT_TRUE(words.empty());
    bench.flows.sweep();
    begin(flow);
    take();
    EXPECT_NE(spare, before);
}

// The learned time takes the place of the policy's longest: 80–100 % of it.
TEST(LearnedInterval, ReplacesThePolicys) {
    const flow::KeepAliveSettings settings;
    const auto kept = with_interval(settings, std::nullopt);
    EXPECT_EQ(kept.udp_min, settings.udp_min);
    EXPECT_EQ(kept.udp_max, settings.udp_max);
    const auto learned = with_interval(settings, 60s);
    EXPECT_EQ(learned.udp_min, 48s);
    EXPECT_EQ(learned.udp_max, 60s);
}

}  // namespace
}  // namespace holdfast::engine
