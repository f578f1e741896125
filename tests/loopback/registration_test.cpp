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
        options.ca_file = scratch_.path() / "ca.pem";
        EXPECT_TRUE(authority_.write_to(options.ca_file));
        return options;
    }
    Authority authority_;
};

TEST_P(LiveRegistration, OnePhoneWithRotatingDns) {
    auto& world = add_world({.records = {.rotate = true}, .authority = &authority_});
    auto& phone = add_phone(world, trusting());
    ASSERT_TRUE(run_until_registered(phone, 5s)) << phone.log() << world.ladder();
    const auto bindings = world.cluster().bindings("sip:alice@example.test");
    ASSERT_EQ(bindings.size(), 1U) << world.ladder();
    EXPECT_EQ(bindings[0].flow.transport, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Transports, LiveRegistration,
                         testing::Values(Transport::udp, Transport::tcp, Transport::tls),
                         [](const auto& test) { return std::string(name_of(test.param)); });

}  // namespace
}  // namespace holdfast::live
