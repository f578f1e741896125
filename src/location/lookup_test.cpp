// RFC 3263 §4.1–4.2: which questions are asked, and what the answers amount to (L1, L6).
#include "location/lookup.h"

#include <gtest/gtest.h>

#include "location/testing.h"

namespace holdfast::location {
namespace {

using dns::RecordType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Constraints only(Transport transport) { return {.transports = {transport}}; }

// RFC 3263 §4.1's own example, with the SRV records of the same section and one address each.
Zone example() {
    Zone zone;
    zone.naptr("example.com", {{50, 50, "s", "SIPS+D2T", "", "_sips._tcp.example.com"},
                               {90, 50, "s", "SIP+D2T", "", "_sip._tcp.example.com"},
                               {100, 50, "s", "SIP+D2U", "", "_sip._udp.example.com."}});
    zone.srv("_sip._tcp.example.com",
             {{0, 1, 5060, "server1.example.com"}, {0, 2, 5060, "server2.example.com"}});
    zone.srv("_sips._tcp.example.com", {{0, 1, 5061, "server1.example.com"}});
    zone.srv("_sip._udp.example.com",
             {{0, 1, 5060, "server1.example.com"}, {7, 1, 5062, "Server2.example.com."}});
    zone.a("server1.example.com", {"192.0.2.1"}, 120s).a("server2.example.com", {"192.0.2.2"}, 30s);
    zone.aaaa("server2.example.com", {"2001:db8::2"});
    return zone;
}

// A number is a target: no DNS (L1). RFC 3263 §4.1: UDP for sip, TLS for sips.
TEST(Lookup, NumericHostAsksNothing) {
    for (const auto* uri : {"sip:192.0.2.1", "sip:192.0.2.1:5080"}) {
        const auto asked = resolve({}, uri, only(Transport::udp));
        EXPECT_THAT(asked.questions, IsEmpty());
        EXPECT_EQ(asked.outcome.status, LookupStatus::ok);
    }
    EXPECT_THAT(
        lines_of(resolve({}, "sip:192.0.2.1").outcome.candidates),
        ElementsAre("0 udp:192.0.2.1:5060", "1 tls:192.0.2.1:5061", "2 tcp:192.0.2.1:5060"));
    EXPECT_THAT(lines_of(resolve({}, "sips:[2001:db8::1]").outcome.candidates),
                ElementsAre("0 tls:[2001:db8::1]:5061"));
    EXPECT_THAT(lines_of(resolve({}, "sip:192.0.2.1:5070;transport=tcp").outcome.candidates),
                ElementsAre("0 tcp:192.0.2.1:5070"));
}

// An explicit port means no SRV and no NAPTR (L1); UDP first, 5061 is TLS's and 5060 is not.
TEST(Lookup, ExplicitPortAsksForAddressesOnly) {
    Zone zone;
    zone.a("pbx.example.test", {"192.0.2.1"});
    const auto asked = resolve(zone, "sip:pbx.example.test:5080");
    EXPECT_THAT(lines_of(asked.questions),
                ElementsAre("A pbx.example.test", "AAAA pbx.example.test"));
    EXPECT_EQ(asked.rounds, 1);
    EXPECT_THAT(
        lines_of(asked.outcome.candidates),
        ElementsAre("0 udp:192.0.2.1:5080", "1 tls:192.0.2.1:5080", "2 tcp:192.0.2.1:5080"));
    EXPECT_THAT(
        lines_of(resolve(zone, "sip:pbx.example.test:5061").outcome.candidates),
        ElementsAre("0 tls:192.0.2.1:5061", "1 udp:192.0.2.1:5061", "2 tcp:192.0.2.1:5061"));
    EXPECT_THAT(lines_of(resolve(zone, "sip:pbx.example.test:5060").outcome.candidates),
                ElementsAre("0 udp:192.0.2.1:5060", "1 tcp:192.0.2.1:5060"));
}

// An explicit transport, in the URI or the account's, means no NAPTR (L1): one SRV name.
TEST(Lookup, ExplicitTransportAsksNoNaptr) {
    const auto asked = resolve(example(), "sip:example.com;transport=udp");
    EXPECT_THAT(lines_of(asked.questions),
                ElementsAre("SRV _sip._udp.example.com", "A server1.example.com",
                            "AAAA server1.example.com", "A server2.example.com",
                            "AAAA server2.example.com"));
    EXPECT_EQ(lines_of(resolve(example(), "sip:example.com", only(Transport::udp)).questions),
              lines_of(asked.questions));
    EXPECT_THAT(
        lines_of(asked.outcome.candidates),
        ElementsAre("0 udp:192.0.2.1:5060", "1 udp:192.0.2.2:5062", "1 udp:[2001:db8::2]:5062"));
    EXPECT_EQ(resolve(example(), "sip:example.com;transport=tls").questions.front().name,
              "_sips._tcp.example.com");
}

// NAPTR gives the order of services, SRV the order inside; all is folded into dense tiers. The TTL
// is the smallest.
TEST(Lookup, NaptrThenSrvThenAddresses) {
    const auto asked = resolve(example(), "sip:example.com");
    EXPECT_EQ(asked.rounds, 2);  // NAPTR and all SRV at once, then the addresses
    EXPECT_THAT(lines_of(asked.outcome.candidates),
                ElementsAre("0 tls:192.0.2.1:5061", "1 tcp:192.0.2.1:5060", "1 tcp:192.0.2.2:5060",
                            "1 tcp:[2001:db8::2]:5060", "2 udp:192.0.2.1:5060",
                            "3 udp:192.0.2.2:5062", "3 udp:[2001:db8::2]:5062"));
    EXPECT_EQ(asked.outcome.ttl, 30s);
    EXPECT_FALSE(asked.outcome.partial);
    EXPECT_EQ(asked.outcome.problem, "");
    const auto& last = asked.outcome.candidates.back();
    EXPECT_EQ(last.host, "server2.example.com");
    EXPECT_EQ(last.priority, 7U);
    EXPECT_EQ(last.weight, 1U);
    EXPECT_EQ(last.reason, "NAPTR order 100 preference 50, SRV priority 7 weight 1");
}

// sips: TLS only (L1), and only services that say so (RFC 3263 §4.1).
TEST(Lookup, SipsIsTlsOnly) {
    EXPECT_THAT(lines_of(resolve(example(), "sips:example.com").outcome.candidates),
                ElementsAre("0 tls:192.0.2.1:5061"));
    Zone plain;
    plain.a("example.com", {"192.0.2.1"});
    EXPECT_THAT(lines_of(resolve(plain, "sips:example.com").outcome.candidates),
                ElementsAre("0 tls:192.0.2.1:5061"));
    const auto refused = resolve(example(), "sips:example.com", only(Transport::udp));
    EXPECT_EQ(refused.outcome.status, LookupStatus::empty);
    EXPECT_THAT(refused.outcome.problem, HasSubstr("sips:example.com"));
    EXPECT_THAT(refused.questions, IsEmpty());
}

// Without NAPTR: tls, tcp, udp, as far as the account allows (L1).
TEST(Lookup, WithoutNaptrSrvInOrderOfPreference) {
    Zone zone = example();
    zone.naptr("example.com", {});
    EXPECT_THAT(lines_of(resolve(zone, "sip:example.com", {.ipv6 = false}).outcome.candidates),
                ElementsAre("0 tls:192.0.2.1:5061", "1 tcp:192.0.2.1:5060", "1 tcp:192.0.2.2:5060",
                            "2 udp:192.0.2.1:5060", "3 udp:192.0.2.2:5062"));
    const Constraints two{
        .transports = {Transport::tcp, Transport::udp}, .ipv6 = false, .use_naptr = false};
    const auto asked = resolve(zone, "sip:example.com", two);
    EXPECT_THAT(lines_of(asked.questions),
                ElementsAre("SRV _sip._tcp.example.com", "SRV _sip._udp.example.com",
                            "A server1.example.com", "A server2.example.com"));
    EXPECT_EQ(asked.outcome.candidates.front().target.transport, Transport::tcp);
}

// Without NAPTR and SRV: the addresses of the name, UDP first (RFC 3263 §4.1), the others behind
// it.
TEST(Lookup, WithoutSrvAddressesAtDefaultPorts) {
    Zone zone;
    zone.a("example.test", {"192.0.2.1", "192.0.2.2"}, 90s);
    const auto asked = resolve(zone, "sip:example.test");
    EXPECT_THAT(lines_of(asked.questions),
                ElementsAre("NAPTR example.test", "SRV _sips._tcp.example.test",
                            "SRV _sip._tcp.example.test", "SRV _sip._udp.example.test",
                            "A example.test", "AAAA example.test"));
    EXPECT_EQ(asked.rounds, 2);
    EXPECT_THAT(
        lines_of(asked.outcome.candidates),
        ElementsAre("0 udp:192.0.2.1:5060", "0 udp:192.0.2.2:5060", "1 tls:192.0.2.1:5061",
                    "1 tls:192.0.2.2:5061", "2 tcp:192.0.2.1:5060", "2 tcp:192.0.2.2:5060"));
    EXPECT_EQ(asked.outcome.ttl, 90s);
    EXPECT_EQ(asked.outcome.candidates[2].reason, "no SRV record, address record, TLS after UDP");
    const auto fewer = resolve(zone, "sip:example.test", {.use_naptr = false, .use_srv = false});
    EXPECT_THAT(lines_of(fewer.questions), ElementsAre("A example.test", "AAAA example.test"));
}

// SRV "." switches a service off, also for the fall-back to addresses (RFC 2782, L1).
TEST(Lookup, DotSwitchesAServiceOff) {
    Zone zone;
    zone.srv("_sip._udp.example.test", {{0, 0, 0, "."}})
        .srv("_sips._tcp.example.test", {{0, 0, 0, ""}});
    zone.a("example.test", {"192.0.2.1"});
    EXPECT_THAT(lines_of(resolve(zone, "sip:example.test").outcome.candidates),
                ElementsAre("0 tcp:192.0.2.1:5060"));
    zone.srv("_sip._tcp.example.test", {{0, 0, 0, ""}});
    const auto asked = resolve(zone, "sip:example.test");
    EXPECT_EQ(asked.outcome.status, LookupStatus::empty);
    EXPECT_EQ(asked.outcome.problem, "example.test says that it offers no SIP (SRV target \".\")");
}

// NAPTR records with a regular expression, unknown flags or services, or no replacement are skipped
// (L1).
TEST(Lookup, UnusableNaptrIsSkipped) {
    Zone zone;
    zone.naptr("example.test", {{1, 1, "s", "SIP+D2U", "!^.*$!sip:x@y!", "_sip._udp.wrong.test"},
                                {2, 1, "u", "SIP+D2U", "", "_sip._udp.wrong.test"},
                                {3, 1, "u", "E2U+sip", "!^.*$!sip:x@y!", ""},
                                {4, 1, "s", "SIP+D2S", "", "_sip._sctp.wrong.test"},
                                {5, 1, "s", "SIP+D2U", "", "."},
                                {6, 1, "s", "SIP+D2U", "", "evil name\r\n.test"},
                                {9, 1, "S", "sip+d2u", "", "_sip._udp.hosted.test"}});
    zone.srv("_sip._udp.hosted.test", {{0, 0, 5060, "pbx.hosted.test"}})
        .a("pbx.hosted.test", {"192.0.2.9"});
    const auto asked = resolve(zone, "sip:example.test");
    EXPECT_THAT(lines_of(asked.outcome.candidates), ElementsAre("0 udp:192.0.2.9:5060"));
    EXPECT_EQ(asked.outcome.problem,
              "the NAPTR record for udp has a regular expression; the NAPTR record for udp has "
              "flags other than \"s\"; "
              "the NAPTR record for udp has no usable replacement");
}

// Records of services we may not use leave SRV as if there were no NAPTR.
TEST(Lookup, NaptrOfOtherServicesIsAsIfThereWereNone) {
    Zone zone = example();
    zone.naptr("example.com", {{1, 1, "u", "E2U+sip", "!^.*$!sip:x@y!", ""}});
    EXPECT_EQ(resolve(zone, "sip:example.com").outcome.candidates.size(), 7U);
}

// CNAME chains, whole in one answer or link by link, up to the limit (L1).
TEST(Lookup, FollowsCnameChains) {
    Zone zone;
    zone.add("one.test", RecordType::a,
             {dns::Cname{"One.test.", "two.test"}, dns::Cname{"two.test", "three.test"}}, 50s);
    zone.add("three.test", RecordType::a, {dns::Cname{"three.test", "four.test"}, ip("192.0.2.4")},
             40s);
    const auto asked =
        resolve(zone, "sip:one.test:5060", {.transports = {Transport::udp}, .ipv6 = false});
    EXPECT_THAT(lines_of(asked.questions), ElementsAre("A one.test", "A three.test"));
    EXPECT_THAT(lines_of(asked.outcome.candidates), ElementsAre("0 udp:192.0.2.4:5060"));
    EXPECT_EQ(asked.outcome.candidates.front().host, "one.test");
    EXPECT_EQ(asked.outcome.ttl, 40s);
}

// An SRV target without an address is skipped, with words (L1).
TEST(Lookup, SrvTargetWithoutAddressIsSkipped) {
    Zone zone = example();
    zone.a("server1.example.com", {});
    const auto asked = resolve(zone, "sip:example.com;transport=tcp", {.ipv6 = false});
    EXPECT_THAT(lines_of(asked.outcome.candidates), ElementsAre("0 tcp:192.0.2.2:5060"));
    EXPECT_EQ(asked.outcome.problem, "SRV target server1.example.com has no address");
    EXPECT_FALSE(asked.outcome.partial);
}

// A failed sub-question costs its own candidates only, and is told with the server's status.
TEST(Lookup, FailedSubQuestionLeavesTheOthers) {
    Zone zone = example();
    zone.fails("server1.example.com", RecordType::a)
        .fails("example.com", RecordType::naptr, dns::Status::timed_out);
    const auto asked = resolve(zone, "sip:example.com",
                               {.transports = {Transport::tcp, Transport::udp}, .ipv6 = false});
    EXPECT_EQ(asked.outcome.status, LookupStatus::ok);
    EXPECT_TRUE(asked.outcome.partial);
    EXPECT_THAT(lines_of(asked.outcome.candidates),
                ElementsAre("0 tcp:192.0.2.2:5060", "1 udp:192.0.2.2:5062"));
    EXPECT_THAT(asked.outcome.problem, HasSubstr("NAPTR example.com: timeout"));
    EXPECT_THAT(asked.outcome.problem, HasSubstr("A server1.example.com: SERVFAIL"));
}

// Routers that choke on SRV still let a phone register by its address record; the outcome says it
// is partial (L5).
TEST(Lookup, FailedSrvFallsBackToAddressesAsPartial) {
    Zone zone;
    zone.a("example.test", {"192.0.2.1"})
        .fails("_sip._udp.example.test", RecordType::srv, dns::Status::refused);
    const auto asked = resolve(zone, "sip:example.test", only(Transport::udp));
    EXPECT_THAT(lines_of(asked.outcome.candidates), ElementsAre("0 udp:192.0.2.1:5060"));
    EXPECT_TRUE(asked.outcome.partial);
}

// NXDOMAIN, an empty answer and a failure are told apart, in plain words (L6).
TEST(Lookup, SaysWhyThereIsNothing) {
    const auto missing = resolve({}, "sip:nowhere.test");
    EXPECT_EQ(missing.outcome.status, LookupStatus::nxdomain);
    EXPECT_EQ(missing.outcome.problem, "nowhere.test does not exist (NXDOMAIN)");
    EXPECT_EQ(missing.outcome.ttl, 300s);

    Zone zone;
    zone.a("example.test", {});
    const auto empty = resolve(zone, "sip:example.test");
    EXPECT_EQ(empty.outcome.status, LookupStatus::empty);
    EXPECT_EQ(empty.outcome.problem, "example.test has no address");

    zone.fails("example.test", RecordType::a, dns::Status::no_server);
    const auto failed = resolve(zone, "sip:example.test", {.ipv6 = false});
    EXPECT_EQ(failed.outcome.status, LookupStatus::failed);
    EXPECT_EQ(failed.outcome.problem, "A example.test: no DNS server reachable");

    const auto offline = resolve(zone, "sip:192.0.2.1", {.ipv4 = false, .ipv6 = false});
    EXPECT_EQ(offline.outcome.status, LookupStatus::failed);
    EXPECT_EQ(offline.outcome.problem, "this host has no network address");
}

// Single labels, .local, localhost and names of the hosts file are the system's; only addresses are
// asked (L1).
TEST(Lookup, LocalNamesGoToTheSystem) {
    Zone zone;
    zone.a("pbx", {"192.0.2.1"}).a("pbx.local", {"192.0.2.1"}).a("sip.example.test", {"192.0.2.1"});
    for (const auto* host : {"pbx", "pbx.local", "sip.example.test"}) {
        const auto asked =
            resolve(zone, "sip:" + std::string(host), only(Transport::udp), {"sip.example.test"});
        const auto name = std::string(host);
        EXPECT_THAT(lines_of(asked.questions),
                    ElementsAre("A " + name + " (system)", "AAAA " + name + " (system)"));
        EXPECT_THAT(lines_of(asked.outcome.candidates), ElementsAre("0 udp:192.0.2.1:5060"));
    }
}

// A family without a source address is not asked for (L2), and a number of it is said to be of no
// use.
TEST(Lookup, FamilyWithoutSourceAddressIsSkipped) {
    const auto asked = resolve(example(), "sip:example.com;transport=udp", {.ipv4 = false});
    EXPECT_THAT(lines_of(asked.outcome.candidates), ElementsAre("0 udp:[2001:db8::2]:5062"));
    EXPECT_EQ(resolve({}, "sip:192.0.2.1", {.ipv4 = false}).outcome.problem,
              "192.0.2.1: this host has no address of that family");
}

// What is no target: 0.0.0.0 of a blocking resolver, multicast, a link-local address without its
// zone.
TEST(Lookup, UnusableAddressesAreSkipped) {
    Zone zone;
    zone.a("example.test", {"0.0.0.0", "224.0.1.75", "192.0.2.1"})
        .aaaa("example.test", {"fe80::1", "::"});
    EXPECT_THAT(
        lines_of(resolve(zone, "sip:example.test:5060", only(Transport::udp)).outcome.candidates),
        ElementsAre("0 udp:192.0.2.1:5060"));
}

// Two records that lead to one target are one candidate, the better one, whichever came first (L2).
TEST(Lookup, EachTargetOnce) {
    Zone zone;
    zone.srv("_sip._udp.example.test",
             {{20, 1, 5060, "b.test"}, {10, 1, 5060, "a.test"}, {10, 9, 5060, "c.test"}});
    for (const auto* name : {"a.test", "b.test", "c.test"})
        zone.a(name, {"192.0.2.1", "192.0.2.1"});
    const auto asked = resolve(zone, "sip:example.test;transport=udp");
    ASSERT_EQ(asked.outcome.candidates.size(), 1U);
    EXPECT_EQ(asked.outcome.candidates.front().host, "c.test");
    EXPECT_EQ(asked.outcome.candidates.front().tier, 0U);
}

// One slow question does not hold up the others: what is known is usable, and marked partial.
TEST(Lookup, PartialOutcomeWhileAQuestionIsOut) {
    const auto zone = example();
    Lookup lookup{next_hop_of("sip:example.com").value(), only(Transport::tcp)};
    std::vector<dns::Question> ask;
    lookup.start(ask);
    std::vector<dns::Question> hosts;
    lookup.on_answer(ask.at(0), zone.answer(ask.at(0)), hosts);
    const dns::Question a{"server1.example.com", RecordType::a, false};
    std::vector<dns::Question> none;
    lookup.on_answer(a, zone.answer(a), none);
    EXPECT_FALSE(lookup.done());
    EXPECT_FALSE(lookup.waits_for(a));
    EXPECT_TRUE(lookup.waits_for({"server1.example.com", RecordType::aaaa, false}));
    EXPECT_TRUE(lookup.outcome().partial);
    EXPECT_THAT(lines_of(lookup.outcome().candidates), ElementsAre("0 tcp:192.0.2.1:5060"));
    // Others' answers, and an answer again, are ignored.
    lookup.on_answer({"other.test", RecordType::a, false}, {}, none);
    lookup.on_answer(a, {}, none);
    EXPECT_THAT(none, IsEmpty());
    EXPECT_EQ(lookup.outcome().candidates.size(), 1U);
}

// The order of answers and of records in them means nothing: same set, same tiers (L2, I3).
TEST(Lookup, PermutedAnswersGiveTheSameSet) {
    const auto expected = lines_of(resolve(example(), "sip:example.com").outcome.candidates);
    for (std::uint64_t run = 0; run < 50; ++run) {
        Random random{seed_from_number(run)};
        const auto asked = resolve(example(), "sip:example.com", {}, {}, &random);
        EXPECT_THAT(lines_of(asked.outcome.candidates),
                    ::testing::UnorderedElementsAreArray(expected));
    }
}

// After TLS has worked, automatic choice stays with it unless the user allows otherwise (L1).
TEST(AllowedTransports, NoSilentDowngrade) {
    EXPECT_THAT(allowed_transports({}),
                ElementsAre(Transport::tls, Transport::tcp, Transport::udp));
    EXPECT_THAT(allowed_transports({.tls_has_worked = true}), ElementsAre(Transport::tls));
    EXPECT_EQ(allowed_transports({.tls_has_worked = true, .allow_downgrade = true}).size(), 3U);
    EXPECT_THAT(allowed_transports({.fixed = Transport::udp, .tls_has_worked = true}),
                ElementsAre(Transport::udp));
    EXPECT_THAT(allowed_transports({.secure = true}), ElementsAre(Transport::tls));
}

}  // namespace
}  // namespace holdfast::location
