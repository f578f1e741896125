// The lab's registrar cluster against RFC 3261 §10.3 and §16, spoken to by a scripted phone.
#include <gtest/gtest.h>

#include <vector>

#include "lab/test_script.h"
#include "lab/world.h"

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

class RegistrarTest : public testing::Test {
protected:
    Cluster& make(ClusterOptions options = {}) {
        auto& cluster = world.add_registrars({"203.0.113.11", "203.0.113.12"}, options);
        cluster.add_user("alice", "secret");
        return cluster;
    }
    std::vector<Binding> bindings(Cluster& cluster) {
        return cluster.bindings("sip:alice@example.test");
    }

    World world{Seed{5}};
    Script phone{world};
    Endpoint one = endpoint("203.0.113.11:5060");
    Endpoint two = endpoint("203.0.113.12:5060");
};

// RFC 3261 §22, RFC 3581 §4: the challenge, and where the request was seen to come from.
TEST_F(RegistrarTest, ChallengesThenStoresAndListsTheBinding) {
    auto& cluster = make();
    EXPECT_EQ(phone.register_at(one, {.authorized = false}), 401);
    EXPECT_EQ(phone.answers.back().top_via().received, "192.0.2.20");
    EXPECT_EQ(phone.answers.back().top_via().rport, 40000);
    EXPECT_TRUE(bindings(cluster).empty());
    EXPECT_EQ(phone.register_at(one, {.cseq = 5, .extra = "Expires: 120\r\n"}), 200)
        << world.ladder();
    ASSERT_EQ(bindings(cluster).size(), 1u);
    ASSERT_EQ(phone.answers.back().contacts().size(), 1u);
    EXPECT_EQ(phone.answers.back().contacts()[0].expires, 120u);
    world.run_for(120s);
    EXPECT_TRUE(bindings(cluster).empty());
}

// RFC 3261 §10.3, step 7 and decision 0001: what F1 is there for.
TEST_F(RegistrarTest, EqualCseqIsRefusedOrAcceptedWithoutBeingStored) {
    auto& cluster = make();
    EXPECT_EQ(phone.register_at(one, {.cseq = 1}), 200);
    cluster.node(1).digest().required = false;
    EXPECT_EQ(phone.register_at(two, {.cseq = 2}), 500);
    cluster.node(1).options().rules.equal_cseq = EqualCseq::accept_without_storing;
    const auto before = bindings(cluster);
    world.run_for(10s);
    EXPECT_EQ(phone.register_at(two, {.cseq = 2}), 200);
    EXPECT_EQ(bindings(cluster), before);
    EXPECT_EQ(phone.register_at(two, {.cseq = 1}), 500);
}

// N3 replace: the new Contact first, the old one bare with expires=0, in one REGISTER.
TEST_F(RegistrarTest, NewContactAndRemovalInOneRequest) {
    auto& cluster = make();
    phone.register_at(one, {});
    const std::vector<std::string> both{"<sip:alice@198.51.100.1:1000>;expires=60",
                                        "<sip:alice@192.0.2.20:40000>;expires=0"};
    EXPECT_EQ(phone.register_at(one, {.cseq = 10, .contacts = both}), 200);
    ASSERT_EQ(bindings(cluster).size(), 1u);
    EXPECT_EQ(bindings(cluster)[0].contact, "sip:alice@198.51.100.1:1000");
    EXPECT_EQ(cluster.removals(), 0u);
    EXPECT_EQ(phone.register_at(
                  one, {.cseq = 20, .contacts = {"<sip:alice@198.51.100.1:1000>;expires=0"}}),
              200);
    EXPECT_TRUE(bindings(cluster).empty());
    EXPECT_EQ(cluster.removals(), 1u);
}

TEST_F(RegistrarTest, RefusesSeveralContactsAndShortExpires) {
    ClusterOptions options;
    options.server.rules = {.min_expires = 60, .max_contacts = 1};
    auto& cluster = make(options);
    EXPECT_EQ(
        phone.register_at(one, {.contacts = {"<sip:a@192.0.2.1>", "<sip:a@192.0.2.2>;expires=0"}}),
        503);
    EXPECT_EQ(phone.register_at(one, {.cseq = 9, .extra = "Expires: 30\r\n"}), 423);
    EXPECT_EQ(phone.answers.back().min_expires(), 60u);
    EXPECT_TRUE(bindings(cluster).empty());
}

// RFC 5626 §6: the same instance and reg-id replace the Contact.
TEST_F(RegistrarTest, OutboundBindingsAreKeyedByInstanceAndRegId) {
    ClusterOptions options;
    options.server.rules.outbound = true;
    auto& cluster = make(options);
    const std::string device = R"(;+sip.instance="<urn:uuid:1>";reg-id=)";
    const std::string extra = "Supported: outbound, path\r\n";
    phone.register_at(one, {.contacts = {"<sip:a@192.0.2.1>" + device + "1"}, .extra = extra});
    EXPECT_TRUE(phone.answers.back().demands("outbound"));
    phone.register_at(
        one, {.cseq = 5, .contacts = {"<sip:a@192.0.2.2>" + device + "1"}, .extra = extra});
    EXPECT_EQ(bindings(cluster).size(), 1u);
    phone.register_at(
        two, {.contacts = {"<sip:a@192.0.2.2>" + device + "2"}, .call_id = "two", .extra = extra});
    EXPECT_EQ(bindings(cluster).size(), 2u);
}

TEST_F(RegistrarTest, LocationServicesAreSharedSeparateOrReplicated) {
    auto& separate = make({.location = Location::separate});
    phone.register_at(one, {});
    EXPECT_EQ(separate.node(0).location_service().bindings("sip:alice@example.test").size(), 1u);
    EXPECT_EQ(separate.node(1).location_service().bindings("sip:alice@example.test").size(), 0u);

    World other(Seed{6});
    auto& replicated =
        other.add_registrars({"203.0.113.11", "203.0.113.12"},
                             {.location = Location::replicated, .replication_delay = 2s});
    replicated.add_user("alice", "secret");
    Script other_phone(other);
    other_phone.register_at(one, {});
    auto& second = replicated.node(1).location_service();
    EXPECT_TRUE(second.bindings("sip:alice@example.test").empty());
    other.run_for(2s);
    EXPECT_EQ(second.bindings("sip:alice@example.test").size(), 1u);
}

TEST_F(RegistrarTest, RetransmissionGetsTheSameAnswer) {
    auto& cluster = make();
    const auto text = phone.request(sip::Method::register_, "sip:example.test", 1, "x", "");
    phone.send(text, one);
    phone.send(text, one);
    ASSERT_EQ(phone.answers.size(), 2u);
    EXPECT_EQ(phone.answers[0].text(), phone.answers[1].text());
    EXPECT_EQ(cluster.registers(), 1u);
}

// Faults.
TEST_F(RegistrarTest, FaultsAreWhatTheySay) {
    auto& cluster = make();
    auto& node = cluster.node(0);
    node.silence();
    EXPECT_EQ(phone.register_at(one, {.authorized = false}), 0);
    node.heal();
    node.refuse();
    phone.register_at(one, {.cseq = 2, .authorized = false});
    node.heal();
    node.answer_with(503, 20);
    EXPECT_EQ(phone.register_at(one, {.cseq = 3}), 503);
    EXPECT_EQ(phone.answers.back().retry_after(), 20u);
    node.heal();
    node.filter_options();
    phone.answers.clear();
    phone.send(phone.request(sip::Method::options, "sip:example.test", 1, "o", ""), one);
    EXPECT_EQ(phone.last_status(), 0);
    EXPECT_EQ(phone.register_at(one, {.cseq = 5}), 200);
    node.heal();
    node.lose_answers(1);
    phone.answers.clear();
    EXPECT_EQ(phone.register_at(one, {.cseq = 8}), 401);
    EXPECT_EQ(bindings(cluster).size(), 1u);
}

// RFC 3261 §16: a call reaches the phone from any node, through the one that has its binding.
TEST_F(RegistrarTest, ACallIsForwardedThroughTheOwner) {
    auto& cluster = make();
    phone.register_at(two, {});
    cluster.node(1).silence();
    auto& caller = world.add_caller({.kind = CallKind::options, .every = 10s});
    world.run_for(9s);
    EXPECT_EQ(caller.reached(), 0u);
    EXPECT_EQ(caller.lost(), 1u);
    cluster.heal();
    phone.answers_with = 200;
    world.run_for(10s);
    ASSERT_GE(phone.requests.size(), 1u) << world.ladder();
    EXPECT_EQ(phone.requests.back().request_uri().text, "sip:alice@192.0.2.20:40000");
    EXPECT_EQ(phone.requests.back().vias().size(), 3u);
    EXPECT_EQ(caller.reached(), 1u) << world.ladder();
    EXPECT_EQ(caller.calls().back().status, 200);
}

TEST_F(RegistrarTest, AnInviteRingsAndIsCancelled) {
    make();
    phone.register_at(one, {});
    phone.requests.clear();
    phone.answers_with = 180;
    auto& caller = world.add_caller({.kind = CallKind::invite, .every = 60s, .rings_for = 2s});
    world.run_for(3s);
    EXPECT_EQ(caller.reached(), 1u) << world.ladder();
    // The CANCEL is sent again: this phone never says 487.
    ASSERT_EQ(phone.requests.size(), 3u) << world.ladder();
    EXPECT_EQ(phone.requests.front().method(), sip::Method::invite);
    EXPECT_EQ(phone.requests.back().method(), sip::Method::cancel);
}

TEST_F(RegistrarTest, NobodyRegisteredIs480) {
    make();
    auto& caller = world.add_caller({.every = 10s});
    world.run_for(5s);
    EXPECT_EQ(caller.calls().front().status, 480);
    EXPECT_EQ(caller.longest_gap(), 5s);
}

// I7: the same seed gives the same bytes at the same times.
TEST_F(RegistrarTest, SameSeedSameTrace) {
    const auto run = [](std::uint64_t number) {
        World lab(seed_from_number(number), {.jitter = 5ms, .loss = 0.1});
        auto& cluster = lab.add_registrars({"203.0.113.11"});
        cluster.add_user("alice", "secret");
        Script script(lab);
        for (std::uint32_t i = 1; i < 20; ++i)
            script.register_at(endpoint("203.0.113.11:5060"), {.cseq = 2 * i});
        return lab.trace_hash();
    };
    EXPECT_EQ(run(1), run(1));
    EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace holdfast::lab
