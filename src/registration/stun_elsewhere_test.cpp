// N4, last resort: where the STUN server is found (RFC 8489 §8), what is made of its answer, and
// that it never costs more than half a second. Not here: the exchange itself (engine/stun_desk),
// the whole way (tests/rules_nat_test.cpp).
#include "registration/stun_elsewhere.h"

#include <gtest/gtest.h>

#include <variant>
#include <vector>

namespace holdfast::registration {
namespace {

using namespace std::chrono_literals;

class StunElsewhereTest : public testing::Test {
protected:
    Instant now{1000s};
    Random random{seed_from_number(1)};
    location::Health health;
    location::CandidatePool pool;
    flow::Table flows;
    std::vector<IpAddress> addresses{IpAddress::v4(10, 0, 0, 2)};
    Actions actions;

    Context context() {
        return {AccountId{1}, now, 0, random, health, pool, flows, addresses, actions};
    }
    template <class T>
    std::vector<T> take() {
        std::vector<T> found;
        for (const auto& action : actions)
            if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
        return found;
    }
    std::vector<std::string> asked() {
        std::vector<std::string> found;
        for (const auto& ask : take<act::Ask>())
            found.push_back(std::string(name_of(ask.question.type)) + " " + ask.question.name);
        actions.clear();
        return found;
    }
    static told::Dns answer(std::string name, dns::RecordType type,
                            std::vector<dns::Record> records,
                            dns::Status status = dns::Status::ok) {
        return {{.name = std::move(name), .type = type}, {status, std::move(records), 60s}};
    }
    static Target server(std::uint8_t last, std::uint16_t port) {
        return {Transport::udp, {IpAddress::v4(192, 0, 2, last), port}};
    }
};

constexpr auto a = dns::RecordType::a;
constexpr auto srv = dns::RecordType::srv;

// What a person may write, and what is refused with words (N4).
TEST_F(StunElsewhereTest, ServersAsPeopleWriteThem) {
    const auto of = [](std::string_view text) { return stun_server_of(text); };
    EXPECT_EQ(of("Stun.Example.test")->host, "stun.example.test");
    EXPECT_EQ(of("stun.example.test")->port, 0);
    EXPECT_EQ(of("stun.example.test:5349")->port, 5349);
    EXPECT_EQ(of("192.0.2.1")->host, "192.0.2.1");
    EXPECT_EQ(of("[2001:db8::1]:3478")->host, "2001:db8::1");
    EXPECT_EQ(of("[2001:db8::1]:3478")->port, 3478);
    for (const auto* wrong : {"", "stun.example.test:0", "stun.example.test:70000", "300.1.2.3",
                              "two words", "stun:stun.example.test", "stun.example.test:"})
        EXPECT_FALSE(of(wrong)) << wrong;
}

// SRV beside the address, in parallel; without SRV the default port (RFC 8489 §8).
TEST_F(StunElsewhereTest, WithoutSrvItIsTheDefaultPort) {
    StunElsewhere stun("stun.example.test");
    stun.start(context());
    EXPECT_EQ(asked(), (std::vector<std::string>{"SRV _stun._udp.stun.example.test",
                                                 "A stun.example.test"}));
    stun.on_dns(answer("stun.example.test", a, {IpAddress::v4(192, 0, 2, 1)}), context());
    EXPECT_TRUE(actions.empty());  // SRV may still say otherwise
    stun.on_dns(answer("_stun._udp.stun.example.test", srv, {}, dns::Status::nxdomain), context());
    ASSERT_EQ(take<act::AskStun>().size(), 1u);
    EXPECT_EQ(take<act::AskStun>().front().server, server(1, 3478));
}

// With SRV: the lowest priority, its port, its host's address (RFC 8489 §8, RFC 2782).
TEST_F(StunElsewhereTest, SrvSaysWhere) {
    StunElsewhere stun("example.test");
    stun.start(context());
    actions.clear();
    stun.on_dns(answer("_stun._udp.example.test", srv,
                       {dns::Srv{20, 9, 3478, "far.example.test"},
                        dns::Srv{10, 1, 5000, "near.example.test"}}),
                context());
    EXPECT_EQ(asked(), std::vector<std::string>{"A near.example.test"});
    stun.on_dns(answer("near.example.test", a, {IpAddress::v4(192, 0, 2, 7)}), context());
    ASSERT_EQ(take<act::AskStun>().size(), 1u);
    EXPECT_EQ(take<act::AskStun>().front().server, server(7, 5000));
}

// A number and a port ask no DNS; without an IPv4 address of our own it is AAAA that is asked.
TEST_F(StunElsewhereTest, NumbersAndFamilies) {
    StunElsewhere number("192.0.2.9:4000");
    number.start(context());
    ASSERT_EQ(take<act::AskStun>().size(), 1u);
    EXPECT_EQ(take<act::AskStun>().front().server, server(9, 4000));
    actions.clear();

    addresses = {*IpAddress::parse("2001:db8::2")};
    StunElsewhere six("stun.example.test:3478");
    six.start(context());
    EXPECT_EQ(asked(), std::vector<std::string>{"AAAA stun.example.test"});
}

// The mapping counts for the very port that was seen, and for nothing else (N4).
TEST_F(StunElsewhereTest, TheMappingIsOfOnePort) {
    StunElsewhere stun("192.0.2.9");
    stun.start(context());
    const Endpoint local{IpAddress::v4(10, 0, 0, 2), 40000};
    const Endpoint seen{IpAddress::v4(198, 51, 100, 7), 13450};
    stun.on_answered({.server = server(9, 3478), .mapping = seen, .local = local, .problem = {}},
                     context());
    EXPECT_EQ(stun.hold(context()), std::nullopt);
    flow::Flow flow{.id = FlowId{1}, .target = server(11, 5060)};
    flow.local = local;
    EXPECT_EQ(stun.mapping_for(flow), seen);
    flow.target.transport = Transport::tcp;
    EXPECT_EQ(stun.mapping_for(flow), std::nullopt);
    flow.target.transport = Transport::udp;
    flow.local.port = 40001;
    EXPECT_EQ(stun.mapping_for(flow), std::nullopt);
}

// The first REGISTER waits half a second from when it could go, not a moment longer, and it is told
// once (N4).
TEST_F(StunElsewhereTest, HoldsTheFirstRegisterForHalfASecond) {
    StunElsewhere stun("192.0.2.9");
    stun.start(context());
    now += 3s;  // DNS of the domain took its time
    EXPECT_EQ(stun.hold(context()), now + 500ms);
    now += 499ms;
    EXPECT_EQ(stun.hold(context()), now + 1ms);
    EXPECT_TRUE(take<Event>().empty());
    now += 1ms;
    EXPECT_EQ(stun.hold(context()), std::nullopt);
    EXPECT_EQ(stun.hold(context()), std::nullopt);
    stun.on_answered({.server = server(9, 3478), .problem = "it does not answer"}, context());
    ASSERT_EQ(take<Event>().size(), 1u);
    EXPECT_NE(take<Event>().front().reason.find("no answer within half a second"),
              std::string::npos);
}

// What DNS does not know is told, and nothing waits for it (N4). Off means off.
TEST_F(StunElsewhereTest, DnsFailuresAreToldAndHoldNothing) {
    for (const auto status : {dns::Status::nxdomain, dns::Status::servfail, dns::Status::ok}) {
        actions.clear();
        StunElsewhere stun("stun.example.test:3478");
        stun.start(context());
        stun.on_dns(answer("stun.example.test", a, {}, status), context());
        EXPECT_EQ(stun.hold(context()), std::nullopt);
        EXPECT_TRUE(take<act::AskStun>().empty());
        EXPECT_EQ(take<Event>().size(), 1u);
    }
    actions.clear();
    StunElsewhere off("");
    off.start(context());
    EXPECT_EQ(off.hold(context()), std::nullopt);
    EXPECT_TRUE(actions.empty());
}

}  // namespace
}  // namespace holdfast::registration
