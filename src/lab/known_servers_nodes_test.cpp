// The known servers' habits that are a node's, not a location service's, as docs/interop.md has
// them: whom it answers at all and how, its pings, its lock-out, what it closes, and what a closed
// connection costs. What a REGISTER does to bindings is in known_servers_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "lab/known_servers.h"
#include "lab/tcp.h"
#include "lab/test_script.h"

namespace holdfast::lab {
namespace {

const Endpoint box = endpoint("203.0.113.11:5060");
const std::string aor = "sip:alice@example.test";

// One node of a server, and a phone that says what the test wants.
struct Node1 {
    explicit Node1(ServerOptions options, const std::string& node = "203.0.113.11",
                   std::string_view phone_address = "192.0.2.20:40000")
        : cluster(world.add_registrars({node}, {.server = std::move(options)})),
          phone(world, phone_address) {
        cluster.add_user("alice", "secret");
    }
    // How many answers a REGISTER without credentials gets.
    std::size_t answers_to_register(const Endpoint& to, const std::string& uri) {
        const auto before = phone.answers.size();
        phone.register_at(to, {.authorized = false, .uri = uri});
        return phone.answers.size() - before;
    }
    [[nodiscard]] std::size_t bindings() { return cluster.bindings(aor).size(); }
    [[nodiscard]] const BindingPings& pings() { return cluster.node(0).pings(); }

    World world{Seed{5}};
    Cluster& cluster;
    Script phone;
};

// drops_user_in_uri: no answer at all to a Request-URI that is an AOR.
TEST(Fritzbox, AnswersNoRegisterWithAUserInItsUri) {
    Node1 at(fritzbox());
    EXPECT_EQ(at.answers_to_register(box, aor), 0u) << at.world.ladder();
    EXPECT_EQ(at.answers_to_register(box, "sip:example.test"), 1u);
    Node1 other(kamailio());
    EXPECT_EQ(other.answers_to_register(box, aor), 1u) << "others answer it";
}

// brackets_received: `received=[2001:db8::7]`, which RFC 3261 §25.1 has without brackets.
TEST(Fritzbox, BracketsAnIpv6AddressInReceived) {
    for (const bool brackets : {true, false}) {
        auto server = fritzbox();
        server.brackets_received = brackets;
        Node1 at(server, "2001:db8:b::11", "[2001:db8:c::7]:40000");
        at.phone.register_at(endpoint("[2001:db8:b::11]:5060"), {.authorized = false});
        ASSERT_EQ(at.phone.last_status(), 401) << at.world.ladder();
        const std::string text(at.phone.answers.back().text());
        EXPECT_EQ(text.find(";received=[2001:db8:c::7]") != std::string::npos, brackets) << text;
        EXPECT_EQ(text.find(";received=2001:db8:c::7") != std::string::npos, !brackets) << text;
    }
    Node1 ipv4(fritzbox());
    ipv4.phone.register_at(box, {.authorized = false});
    EXPECT_EQ(ipv4.phone.answers.back().top_via().received, "192.0.2.20");
}

// wrong_is_forbidden: 403 to a wrong answer and to an unknown user, where others challenge anew.
TEST(Fritzbox, AndFreeswitchForbidAWrongPassword) {
    for (auto* const habits : {fritzbox, freeswitch, kamailio, asterisk}) {
        auto server = habits();
        server.ban = {};
        Node1 at(server);
        const int refusal = habits().digest.wrong_is_forbidden ? 403 : 401;
        EXPECT_EQ(refusal == 403, habits == fritzbox || habits == freeswitch);
        EXPECT_EQ(at.phone.register_at(box, {.password = "wrong"}), refusal);
        EXPECT_EQ(at.phone.register_at(box, {.cseq = 3, .user = "nobody"}), refusal);
        EXPECT_EQ(at.phone.register_at(box, {.cseq = 5}), 200) << at.world.ladder();
    }
}

// Its realm is its own name; there is one registration, of 300 s at most, and the next phone takes
// its place.
TEST(Fritzbox, HasItsOwnRealmAndOneRegistration) {
    Node1 at(fritzbox());
    at.phone.register_at(box, {.authorized = false});
    EXPECT_EQ(at.phone.answers.back().challenges().front().realm, "fritz.box");
    EXPECT_EQ(at.phone.register_at(box, {.cseq = 2, .extra = "Expires: 3600\r\n"}), 200);
    ASSERT_EQ(at.bindings(), 1u);
    EXPECT_EQ(at.phone.answers.back().contacts().front().expires, 300u);
    EXPECT_EQ(at.phone.register_at(
                  box, {.contacts = {"<sip:alice@192.0.2.99:5060>"}, .call_id = "another@phone"}),
              200);
    ASSERT_EQ(at.bindings(), 1u);
    EXPECT_EQ(at.cluster.bindings(aor).front().contact, "sip:alice@192.0.2.99:5060");
}

// Four wrong passwords, and the phone is not heard for a minute; each try meanwhile begins that
// anew, and the next lock-out is twice as long.
TEST(Fritzbox, LocksOutLongerEachTimeAndTriesProlongIt) {
    Node1 at(fritzbox());
    const auto fails = [&](int times) {
        for (int i = 0; i < times; ++i) at.phone.register_at(box, {.password = "wrong"});
    };
    const auto is_heard = [&] { return at.answers_to_register(box, "sip:example.test") == 1; };
    fails(3);
    EXPECT_TRUE(is_heard());
    fails(1);
    EXPECT_FALSE(is_heard());
    at.world.run_for(59s);
    EXPECT_FALSE(is_heard());  // and so for another minute
    at.world.run_for(59s);
    EXPECT_FALSE(is_heard());
    at.world.run_for(60s);
    EXPECT_TRUE(is_heard()) << at.world.ladder();
    fails(4);
    at.world.run_for(119s);
    EXPECT_FALSE(is_heard());
    at.world.run_for(120s);
    EXPECT_TRUE(is_heard());
    EXPECT_EQ(at.cluster.node(0).ban_filter().bans(), 2u);
}

// options_to_aor: a B2BUA answers it itself, a proxy sends it to the phone.
TEST(OptionsToTheAor, AreAnsweredByAServerThatIsNoProxy) {
    for (auto* const habits : {asterisk, freeswitch, fritzbox, kamailio, opensips}) {
        auto server = habits();
        server.pings = {};
        Node1 at(server);
        ASSERT_EQ(at.phone.register_at(box, {}), 200);
        at.phone.answers_with = 200;
        const auto before = at.phone.answers.size();
        at.phone.send(at.phone.request(sip::Method::options, aor, 1, "probe", ""), box);
        at.world.run_for(1s);
        const bool is_proxy = habits == kamailio || habits == opensips;
        ASSERT_EQ(at.phone.answers.size() - before, 1u) << at.world.ladder();
        EXPECT_EQ(at.phone.last_status(), 200);
        EXPECT_EQ(at.phone.requests.size(), is_proxy ? 1u : 0u);
    }
}

// nathelper's pings of four zero bytes ask for no answer, and their silence costs nothing.
TEST(NathelperPings, AreFourZeroBytes) {
    for (auto* const habits : {kamailio, opensips}) {
        auto server = habits();
        server.pings.kind = PingKind::zeros;
        Node1 at(server);
        ASSERT_EQ(at.phone.register_at(box, {}), 200);
        at.world.run_for(10min);
        EXPECT_GE(at.phone.others.size(), 19u) << "one in 30 s";
        for (const auto& packet : at.phone.others) EXPECT_EQ(packet.bytes, std::string(4, '\0'));
        EXPECT_EQ(at.pings().removed(), 0u);
        EXPECT_EQ(at.bindings(), 1u);
    }
}

// OPTIONS as a ping: any answer keeps the binding. Without one it goes after three at Kamailio and
// OpenSIPS, after the first at FreeSWITCH, and never at Asterisk.
TEST(OptionsPings, TakeOutWhatDoesNotAnswer) {
    struct Row {
        ServerOptions (*habits)();
        Duration gone_after;  // after the REGISTER; 0: never
    };
    for (const auto& row :
         {Row{kamailio, 94s}, Row{opensips, 94s}, Row{freeswitch, 24s}, Row{asterisk, 0s}}) {
        for (const int answer : {404, 0}) {
            auto server = row.habits();
            server.rules.forced_expires = 0;
            Node1 at(server);
            at.phone.answers_with = answer;
            ASSERT_EQ(at.phone.register_at(box, {.extra = "Expires: 3600\r\n"}), 200);
            const bool goes = answer == 0 && row.gone_after > 0s;
            if (goes) {
                at.world.run_for(row.gone_after - at.world.elapsed() - 100ms);
                EXPECT_EQ(at.bindings(), 1u);
                at.world.run_for(200ms);
            } else {
                at.world.run_for(10min);
                EXPECT_EQ(at.pings().answered() > 0, answer != 0);
            }
            EXPECT_EQ(at.bindings(), goes ? 0u : 1u) << at.world.ladder();
            EXPECT_GE(at.phone.requests.size(), 1u);
        }
    }
}

// A phone with one TCP connection, which registers over it without a password.
struct StreamPhone : Node {
    StreamPhone(World& its_world, std::string_view address)
        : world(its_world), local(endpoint(address)) {
        world.internet().attach(local.address, *this, "stream");
        tcp.connect({local, box});
        world.run_for(1s);
    }
    void receive(const Packet& packet) override { tcp.receive(packet); }
    void registers() {
        tcp.send({local, box},
                 "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/TCP " + local.to_string() +
                     ";branch=z9hG4bK1\r\nFrom: <" + aor + ">;tag=1\r\nTo: <" + aor +
                     ">\r\nCall-ID: " + local.to_string() +
                     "\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContact: <sip:alice@" +
                     local.to_string() + ";transport=tcp>\r\nContent-Length: 0\r\n\r\n");
        world.run_for(1s);
    }
    World& world;
    Endpoint local;
    TcpHost tcp{world.internet(), world.internet(), [](const TcpEvent&) {}};
    [[nodiscard]] bool is_open() const { return tcp.is_open({local, box}); }
    void says(std::string bytes) { tcp.send({local, box}, std::move(bytes)); }
};

// closes_idle_after: a connection on which nothing came in for 120 s is closed; half a ping counts
// as much as a request. What the server itself sends does not count here.
TEST(IdleConnection, IsClosedAfterItsLifetime) {
    for (auto* const habits : {kamailio, opensips, asterisk}) {
        Node1 at(habits());
        const bool closes = habits != asterisk;
        StreamPhone idle(at.world, "192.0.2.31:40000");  // connected for 1 s less two delays
        StreamPhone talks(at.world, "192.0.2.32:40000");
        StreamPhone registers(at.world, "192.0.2.33:40000");
        at.world.run_for(116s);
        talks.says("\r\n");
        registers.registers();
        EXPECT_TRUE(idle.is_open()) << at.world.ladder();
        at.world.run_for(3s);
        EXPECT_EQ(idle.is_open(), !closes) << at.world.ladder();
        EXPECT_TRUE(talks.is_open()) << at.world.ladder();
        EXPECT_TRUE(registers.is_open());
        at.world.run_for(115s);  // 119 s since that
        EXPECT_TRUE(talks.is_open());
        EXPECT_TRUE(registers.is_open());
        at.world.run_for(2s);
        EXPECT_EQ(talks.is_open(), !closes) << at.world.ladder();
        EXPECT_EQ(registers.is_open(), !closes);
    }
}

// forgets_on_close: the binding that came over a connection goes with it, and no other. FreeSWITCH
// does it with tcp-unreg-on-socket-close, Asterisk of itself.
TEST(ClosedConnection, TakesTheBindingThatCameOverIt) {
    EXPECT_TRUE(asterisk().forgets_on_close);
    for (auto* const habits : {asterisk, freeswitch}) {
        for (const bool forgets : {true, false}) {
            auto server = habits();
            server.forgets_on_close = forgets;
            server.digest.required = false;
            server.pings = {};
            server.rules.key = BindingKey::call_id;
            server.rules.max_contacts = 0;
            Node1 at(server);
            StreamPhone one(at.world, "192.0.2.31:40000");
            StreamPhone two(at.world, "192.0.2.32:40000");
            one.registers();
            two.registers();
            ASSERT_EQ(at.phone.register_at(box, {}), 200);
            ASSERT_EQ(at.bindings(), 3u) << at.world.ladder();
            one.tcp.close({one.local, box});
            at.world.run_for(1s);
            const auto left = at.cluster.bindings(aor);
            EXPECT_EQ(left.size(), forgets ? 2u : 3u) << at.world.ladder();
            const auto is_there = [&](std::string_view address) {
                return std::ranges::any_of(left, [&](const Binding& binding) {
                    return binding.flow.remote.address == *IpAddress::parse(address);
                });
            };
            EXPECT_EQ(is_there("192.0.2.31"), !forgets);
            EXPECT_TRUE(is_there("192.0.2.32"));
            EXPECT_TRUE(is_there("192.0.2.20"));
        }
    }
}

// expires_range: less is granted than asked for, another share each time, and not less than
// min_expires.
TEST(Kamailio, GrantsLessThanAskedForAtRandom) {
    auto server = kamailio();
    server.expires_range = 50;
    Node1 at(server);
    std::set<std::uint32_t> granted;
    for (std::uint32_t i = 0; i < 20; ++i) {
        ASSERT_EQ(at.phone.register_at(box, {.cseq = 2 * i + 1, .extra = "Expires: 1000\r\n"}),
                  200);
        granted.insert(at.phone.answers.back().contacts().front().expires.value());
    }
    EXPECT_GE(*granted.begin(), 500u);
    EXPECT_LE(*granted.rbegin(), 1000u);
    EXPECT_GT(*granted.rbegin() - *granted.begin(), 200u);
    ASSERT_EQ(at.phone.register_at(box, {.cseq = 100, .extra = "Expires: 70\r\n"}), 200);
    EXPECT_GE(at.phone.answers.back().contacts().front().expires, 60u);
}

// expires_max_deviation: so many seconds more or less, drawn each time, and not less than
// min_expires; a removal is one. FreeSWITCH's sip-expires-max-deviation is the same around what is
// forced.
TEST(Opensips, GrantsMoreOrLessThanAskedForAtRandom) {
    struct Row {
        ServerOptions (*habits)();
        std::uint32_t middle;
        std::uint32_t deviation;
    };
    for (const auto& row : {Row{opensips, 1000, 100}, Row{freeswitch, 30, 10}}) {
        auto server = row.habits();
        server.expires_deviation = row.deviation;
        server.ban = {};  // this phone waits to be challenged
        Node1 at(server);
        std::set<std::uint32_t> granted;
        for (std::uint32_t i = 0; i < 40; ++i) {
            ASSERT_EQ(at.phone.register_at(box, {.cseq = 2 * i + 1, .extra = "Expires: 1000\r\n"}),
                      200)
                << at.world.ladder();
            granted.insert(at.phone.answers.back().contacts().front().expires.value());
        }
        EXPECT_GE(*granted.begin(), row.middle - row.deviation);
        EXPECT_LT(*granted.begin(), row.middle - row.deviation / 2);
        EXPECT_GT(*granted.rbegin(), row.middle + row.deviation / 2);
        EXPECT_LE(*granted.rbegin(), row.middle + row.deviation);
        EXPECT_EQ(at.phone.register_at(box, {.cseq = 100, .extra = "Expires: 0\r\n"}), 200);
        EXPECT_EQ(at.bindings(), 0u);
    }
    auto brief = opensips();
    brief.expires_deviation = 100;
    Node1 at(brief);
    for (std::uint32_t i = 0; i < 20; ++i) {
        ASSERT_EQ(at.phone.register_at(box, {.cseq = 2 * i + 1, .extra = "Expires: 70\r\n"}), 200);
        EXPECT_GE(at.phone.answers.back().contacts().front().expires, 60u);
    }
}

}  // namespace
}  // namespace holdfast::lab
