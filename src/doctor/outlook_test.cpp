// The last paragraph's figures are the rules' own (K1, K2, F3), and other clients' as they were
// measured (docs/reference.md): nothing is invented.
#include "doctor/outlook.h"

#include <gtest/gtest.h>

#include "registration/policy.h"

namespace holdfast::doctor {
namespace {

using namespace std::chrono_literals;

registration::Policy policy_named(std::string_view name) { return *registration::preset(name); }

// "So a dead server is left within keep-alive + 3 s (RTT ≤ 150 ms)" (K2).
TEST(DoctorOutlook, HoldfastLeavesADeadServerWithinKeepAliveAndThreeSeconds) {
    const auto policy = policy_named("holdfast");
    const auto near = outage(policy, {.others = 2, .rtt = 20ms});
    EXPECT_EQ(near.noticed_after, policy.keepalive_max + 2s);
    ASSERT_TRUE(near.at_most);
    EXPECT_EQ(*near.at_most, policy.keepalive_max + 2s + 200ms + policy.probe_spacing + 80ms);
    const auto far = outage(policy, {.others = 2, .rtt = 150ms});
    EXPECT_LE(*far.at_most, policy.keepalive_max + 3s);
}

TEST(DoctorOutlook, TheFiguresFollowThePolicy) {
    auto policy = policy_named("holdfast");
    policy.keepalive_max = 10s;
    EXPECT_EQ(outage(policy, {.others = 1}).noticed_after, 12s);
    EXPECT_EQ(outage(policy, {.transport = Transport::tls, .others = 1}).noticed_after,
              policy.stream_keepalive_max + 10s);
}

TEST(DoctorOutlook, WithoutAnotherServerItLastsUntilThisOneIsBack) {
    EXPECT_FALSE(outage(policy_named("holdfast"), {.others = 0}).at_most);
    EXPECT_EQ(outage(policy_named("holdfast"), {.others = 0}).tries_every, 8s);  // S1
    EXPECT_FALSE(outage(policy_named("microsip"), {.others = 0}).at_most);
}

// S5 and S5r of the reference, expires 60: never while DNS is fixed, 49 s with luck, which is
// within what is said; 5 s before the end it registers again, and gives up after 32 s.
TEST(DoctorOutlook, MicroSipNoticesAtItsNextRefreshAndNeedsLuck) {
    const auto plain = outage(policy_named("microsip"), {.others = 2, .expires = 60s});
    EXPECT_EQ(plain.noticed_after, 60s - 5s + 32s);
    ASSERT_TRUE(plain.at_most);
    EXPECT_EQ(*plain.at_most, 97s);
    EXPECT_TRUE(plain.by_luck);
    EXPECT_EQ(plain.tries_every, 310s);
}

TEST(DoctorOutlook, Rfc3263GoesOnAtTheNextServer) {
    const auto plain = outage(policy_named("rfc3263"), {.others = 1, .expires = 100s});
    ASSERT_TRUE(plain.at_most);
    EXPECT_EQ(*plain.at_most, plain.noticed_after);
    EXPECT_FALSE(plain.by_luck);
}

Seen two_servers() {
    Seen seen{.aor = "sip:alice@example.test"};
    for (const auto* text : {"udp:203.0.113.11:5060", "udp:203.0.113.12:5060"}) {
        ServerSeen server;
        server.candidate.target = *Target::parse(text);
        server.reach = Reach::answered;
        server.rtt = 10ms;
        seen.servers.push_back(server);
    }
    seen.account.access = Access::accepted;
    seen.account.decided_by = 0;
    seen.account.fetches = {{.server = 0, .status = 200}, {.server = 1, .status = 200}};
    return seen;
}

TEST(DoctorOutlook, SaysThroughWhatAndForHowLong) {
    const auto words =
        outlook(two_servers(), {found(Step::reachability, Verdict::good, "it arrives")},
                policy_named("holdfast"));
    EXPECT_NE(words.find("sip:alice@example.test can be reached."), std::string::npos) << words;
    EXPECT_NE(words.find("through udp:203.0.113.11:5060, one of 2 servers that take the account"),
              std::string::npos)
        << words;
    EXPECT_NE(words.find("Holdfast would be unreachable for 31 s at most"), std::string::npos)
        << words;
    EXPECT_NE(words.find("MicroSIP would notice at its next refresh only, up to 327 s later"),
              std::string::npos)
        << words;
}

// S9 of the reference: "nothing sent (no SRV by default)".
TEST(DoctorOutlook, MicroSipFindsNoServerByItsSrvRecords) {
    auto seen = two_servers();
    seen.hops.resize(1);
    seen.hops.front().own_addresses = 0;
    const auto blind = outlook(seen, {}, policy_named("holdfast"));
    EXPECT_NE(blind.find("MicroSIP would not find a server at all"), std::string::npos) << blind;
    seen.hops.front().own_addresses = 1;
    const auto alone = outlook(seen, {}, policy_named("holdfast"));
    EXPECT_NE(alone.find("and then ask again every 310 s"), std::string::npos) << alone;
}

TEST(DoctorOutlook, WithoutARegistrationNothingIsPromised) {
    auto seen = two_servers();
    seen.account.access = Access::wrong_password;
    const auto words = outlook(seen, {}, policy_named("holdfast"));
    EXPECT_NE(words.find("cannot be registered"), std::string::npos) << words;
    EXPECT_EQ(words.find("unreachable for"), std::string::npos) << words;
}

TEST(DoctorFinding, TheWorstThatIsCertainCounts) {
    EXPECT_EQ(overall({}), Verdict::good);
    Findings findings{found(Step::dns, Verdict::unknown, "?")};
    EXPECT_EQ(overall(findings), Verdict::good);
    findings.push_back(found(Step::dns, Verdict::doubtful, "?"));
    EXPECT_EQ(overall(findings), Verdict::doubtful);
    findings.push_back(found(Step::nat, Verdict::bad, "?"));
    findings.push_back(found(Step::clock, Verdict::good, "?"));
    EXPECT_EQ(overall(findings), Verdict::bad);
}

}  // namespace
}  // namespace holdfast::doctor
