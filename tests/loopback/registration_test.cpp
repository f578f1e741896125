// The real runtime registers with the lab's cluster through real sockets. Measured times are in
// timed_*_test.cpp.
#include "tests/loopback/live_fixture.h"

namespace holdfast::live {
namespace {

class LiveRegistration : public LiveTest, public testing::WithParamInterface<Transport> {
protected:
    // Options of a phone that trusts the world's servers.
    PhoneOptions trusting(PhoneOptions options = {}) {
        options.transport = GetParam();
        options.ca_file = scratch.path() / "ca.pem";
        EXPECT_TRUE(authority.write_to(options.ca_file));
        return options;
    }
    Authority authority;
};

TEST_P(LiveRegistration, OnePhoneWithRotatingDns) {
    auto& world = add_world({.records = {.rotate = true}, .authority = &authority});
    auto& phone = add_phone(world, trusting());
    ASSERT_TRUE(run_until_registered(phone, 5s)) << phone.log() << world.ladder();
    const auto bindings = world.cluster().bindings("sip:alice@example.test");
    ASSERT_EQ(bindings.size(), 1U) << world.ladder();
    EXPECT_EQ(bindings[0].flow.transport, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Transports, LiveRegistration,
                         testing::Values(Transport::udp, Transport::tcp, Transport::tls),
                         [](const auto& test) { return std::string(name_of(test.param)); });

// RFC 5922 §7.2: the certificate must be for the configured name, on every server.
class LiveTls : public LiveTest {};

TEST_F(LiveTls, CertificateOfAnotherNameRegistersNobody) {
    const Authority authority;
    auto& world = add_world({.authority = &authority, .certificate_name = "other.test"});
    const auto ca_file = scratch.path() / "ca.pem";
    ASSERT_TRUE(authority.write_to(ca_file));
    auto& phone = add_phone(world, {.transport = Transport::tls, .ca_file = ca_file});
    EXPECT_TRUE(loop.run_until([&] { return phone.count(EventKind::attempt_failed) > 0; }, 5s))
        << phone.log();
    EXPECT_FALSE(run_until_registered(phone, 1s)) << phone.log();
    EXPECT_NE(phone.log().find("other.test"), std::string::npos) << phone.log();
    EXPECT_EQ(world.cluster().registers(), 0U);
}

// S11, N3, N4: the mapping of an endpoint-dependent NAT is in the first binding already; nothing is
// unregistered.
class LiveNat : public LiveTest {
protected:
    static WorldOptions behind_nat() {
        WorldOptions options{.nat = lab::NatOptions{}, .records = {.rotate = true}};
        options.nat->mapping = lab::Dependence::address_and_port_dependent;
        options.nat->public_address = "203.0.113.195";
        return options;
    }
};

TEST_F(LiveNat, ContactIsTheMappingAndNothingIsUnregistered) {
    auto& world = add_world(behind_nat());
    auto& phone = add_phone(world);
    ASSERT_TRUE(run_until_registered(phone, 5s)) << phone.log() << world.ladder();
    auto& caller = world.add_caller({.kind = lab::CallKind::invite, .rings_for = 100ms});
    EXPECT_TRUE(loop.run_until([&] { return caller.reached() >= 2; }, 5s)) << world.ladder();
    const auto bindings = world.cluster().bindings("sip:alice@example.test");
    ASSERT_EQ(bindings.size(), 1U) << world.ladder();
    EXPECT_NE(bindings[0].contact.find(bindings[0].flow.remote.to_string()), std::string::npos)
        << bindings[0].contact;
    EXPECT_EQ(world.cluster().removals(), 0U);
    EXPECT_EQ(caller.lost(), 0U) << caller.text();
}

// B3: what a killed phone left behind is found on the disk by the next one, which ends with one
// binding again.
TEST_F(LiveNat, KilledAndStartedAgainHasOneBinding) {
    auto& world = add_world(behind_nat());
    const PhoneOptions options{.state_directory = scratch.path() / "state"};
    auto& first = add_phone(world, options);
    ASSERT_TRUE(run_until_registered(first, 5s)) << first.log() << world.ladder();
    world.rebind_nat();  // so that the next one's mapping cannot be the same by luck
    kill(first);
    auto& second = add_phone(world, options);
    ASSERT_TRUE(run_until_registered(second, 5s)) << second.log() << world.ladder();
    EXPECT_TRUE(loop.run_until(
        [&] { return world.cluster().bindings("sip:alice@example.test").size() == 1; }, 5s))
        << second.log() << world.ladder();
}

// B4: an orderly end takes its binding along.
TEST_F(LiveNat, ShutDownUnregisters) {
    auto& world = add_world(behind_nat());
    auto& phone = add_phone(world);
    ASSERT_TRUE(run_until_registered(phone, 5s)) << phone.log() << world.ladder();
    phone.shut_down();
    ASSERT_TRUE(loop.run_until([&] { return phone.is_stopped(); }, 3s)) << phone.log();
    EXPECT_TRUE(world.cluster().bindings("sip:alice@example.test").empty());
}

// What was recorded through real sockets gives the same outputs when it is replayed in an engine
// alone (I7).
TEST_F(LiveNat, RecordingReplaysWithTheSameOutputs) {
    auto& world = add_world(behind_nat());
    const auto file = scratch.path() / "recording";
    auto& phone = add_phone(world, {.record_file = file});
    ASSERT_TRUE(run_until_registered(phone, 5s)) << phone.log();
    phone.shut_down();
    ASSERT_TRUE(loop.run_until([&] { return phone.is_stopped(); }, 3s)) << phone.log();
    kill(phone);
    expect_same_outputs(file);
}

}  // namespace
}  // namespace holdfast::live
