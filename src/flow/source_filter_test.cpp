#include "flow/source_filter.h"

#include <gtest/gtest.h>

namespace holdfast::flow {
namespace {

IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }

class SourceFilterTest : public testing::Test {
protected:
    static SourceFilter filter(const SourceRules& rules = {}) {
        SourceFilter made{rules};
        made.set_addresses(std::vector{address("203.0.113.11"), address("203.0.113.12")});
        made.set_tokens(std::vector<std::string>{"k3f9q", "old77"});
        return made;
    }
    static IncomingRequest from(std::string_view source) {
        return {.source = *Endpoint::parse(source), .token = {}};
    }
};

// (a) on a flow we opened, and (d) of a dialog of ours: whatever the source. docs/security.md,
// "Accepted requests".
TEST_F(SourceFilterTest, OwnFlowAndOwnDialog) {
    auto request = from("192.0.2.200:5060");
    request.on_own_flow = true;
    EXPECT_EQ(filter().judge(request), SourceVerdict::own_flow);
    EXPECT_EQ(filter({.secure = true}).judge(request), SourceVerdict::own_flow);
    request.on_own_flow = false;
    request.of_our_dialog = true;
    EXPECT_EQ(filter().judge(request), SourceVerdict::own_dialog);
    EXPECT_EQ(filter({.secure = true}).judge(request), SourceVerdict::own_dialog);
}

// (b) another node of the cluster may deliver, from any port.
TEST_F(SourceFilterTest, AnyPortOfAKnownAddress) {
    EXPECT_EQ(filter().judge(from("203.0.113.12:49152")), SourceVerdict::known_address);
    EXPECT_EQ(filter().judge(from("203.0.113.13:5060")), SourceVerdict::drop);
}

// (c) our Contact token, in any case; no token is no token.
TEST_F(SourceFilterTest, ContactToken) {
    auto request = from("192.0.2.200:5060");
    request.token = "K3F9Q";
    EXPECT_EQ(filter().judge(request), SourceVerdict::contact_token);
    request.token = "k3f9";
    EXPECT_EQ(filter().judge(request), SourceVerdict::drop);
    request.token = "";
    auto careless = filter();
    careless.set_tokens(std::vector<std::string>{""});
    EXPECT_EQ(careless.judge(request), SourceVerdict::drop);
}

// Everything else is dropped, unless anybody may call.
TEST_F(SourceFilterTest, StrangersAreDropped) {
    EXPECT_EQ(filter().judge(from("192.0.2.200:5060")), SourceVerdict::drop);
    EXPECT_EQ(filter({.accept_direct_calls = true}).judge(from("192.0.2.200:5060")),
              SourceVerdict::direct);
    EXPECT_FALSE(is_accepted(SourceVerdict::drop));
    EXPECT_TRUE(is_accepted(SourceVerdict::direct));
}

// A TLS account takes (a) and (d) only: neither address nor token, in clear text, proves the
// server.
TEST_F(SourceFilterTest, SecureAccountsTakeNothingElse) {
    const auto secure = filter({.secure = true, .accept_direct_calls = true});
    auto request = from("203.0.113.11:5061");
    request.token = "k3f9q";
    EXPECT_EQ(secure.judge(request), SourceVerdict::drop);
}

// The list has a limit: at the limit, and one past it (I8).
TEST_F(SourceFilterTest, AddressesAreLimited) {
    std::vector<IpAddress> many;
    for (std::size_t i = 0; i <= filter_addresses; ++i)
        many.push_back(IpAddress::v4(198, 51, 100, static_cast<std::uint8_t>(i)));
    auto limited = filter();
    limited.set_addresses(many);
    EXPECT_EQ(limited.judge(from("198.51.100.95:5060")), SourceVerdict::known_address);
    EXPECT_EQ(limited.judge(from("198.51.100.96:5060")), SourceVerdict::drop);
}

}  // namespace
}  // namespace holdfast::flow
