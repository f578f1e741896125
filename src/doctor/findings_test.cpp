// What is made of what was seen, without a network: clocks, families, certificates, words.
#include <gtest/gtest.h>

#include "doctor/account_findings.h"
#include "doctor/nat_findings.h"
#include "doctor/path_findings.h"
#include "doctor/server_findings.h"
#include "doctor/sip_date.h"
#include "doctor/words.h"

namespace holdfast::doctor {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t today = 1'780'000'000;

ServerSeen server_at(std::string_view target, Reach reach) {
    ServerSeen server;
    server.candidate.target = *Target::parse(target);
    server.reach = reach;
    server.status = 200;
    return server;
}

bool has(const Findings& findings, Verdict verdict, std::string_view words) {
    for (const auto& finding : findings)
        if (finding.verdict == verdict && finding.seen.find(words) != std::string::npos)
            return true;
    return false;
}

// RFC 3261 §20.17.
TEST(DoctorDate, IsRead) {
    EXPECT_EQ(parse_sip_date("Sat, 13 Nov 2010 23:29:00 GMT"), 1289690940);
    EXPECT_EQ(parse_sip_date(" Thu, 01 Jan 1970 00:00:00 GMT "), 0);
    for (const auto* wrong : {"", "yesterday", "Sat, 13 Nov 2010 23:29:00 CET",
                              "Sat, 31 Feb 2010 23:29:00 GMT", "Sat, 13 Foo 2010 23:29:00 GMT",
                              "Sat, 13 Nov 2010 24:29:00 GMT", "Sat, 13 Nov 2010 23:29 GMT"})
        EXPECT_FALSE(parse_sip_date(wrong)) << wrong;
}

TEST(DoctorClock, AServerWhoseClockIsWrongIsFound) {
    Seen seen;
    seen.servers = {server_at("udp:203.0.113.11:5060", Reach::answered)};
    EXPECT_TRUE(has(clock_findings(seen), Verdict::unknown, "no server says what time"));
    auto& ahead = seen.servers.front().clock_ahead;
    ahead = 59;
    EXPECT_TRUE(has(clock_findings(seen), Verdict::good, "within 59 s"));
    ahead = 60;
    EXPECT_TRUE(has(clock_findings(seen), Verdict::doubtful, "60 s ahead of udp:203.0.113.11"));
    ahead = -3600;
    EXPECT_TRUE(has(clock_findings(seen), Verdict::bad, "3600 s behind udp:203.0.113.11"));
}

// RFC 8305: the family that is dead, while the other lives.
TEST(DoctorServers, ADeadFamilyIsFound) {
    Seen seen;
    seen.servers = {server_at("udp:203.0.113.11:5060", Reach::answered),
                    server_at("udp:[2001:db8::11]:5060", Reach::silent)};
    EXPECT_TRUE(has(server_findings(seen, today), Verdict::bad, "no server answers over IPv6"));
    seen.servers.front().reach = Reach::silent;
    EXPECT_FALSE(has(server_findings(seen, today), Verdict::bad, "no server answers over IPv6"));
    seen.servers.back().reach = Reach::answered;
    EXPECT_TRUE(has(server_findings(seen, today), Verdict::bad, "no server answers over IPv4"));
}

TEST(DoctorServers, ACertificateIsDoubtfulFromTwoWeeksBeforeItsEnd) {
    Seen seen;
    seen.servers = {server_at("tls:203.0.113.11:5061", Reach::answered)};
    seen.servers.front().tls = TlsFacts{.version = "TLSv1.2",
                                        .names = {"example.test", "sip.example.test"},
                                        .issuer = "Some CA",
                                        .expires = today + 14 * 86400};
    EXPECT_TRUE(has(server_findings(seen, today), Verdict::good,
                    "TLSv1.2, certificate for example.test and sip.example.test from Some CA"));
    seen.servers.front().tls->expires -= 1;
    EXPECT_TRUE(has(server_findings(seen, today), Verdict::doubtful, "13 days from now"));
}

TEST(DoctorServers, ThoseThatWereLeftOutAreCounted) {
    Seen seen;
    seen.servers_left_out = 3;
    EXPECT_TRUE(has(server_findings(seen, today), Verdict::unknown, "3 more targets"));
}

// RFC 6598.
TEST(DoctorNat, ACarriersNatIsFound) {
    Seen seen;
    seen.servers = {server_at("udp:203.0.113.11:5060", Reach::answered)};
    auto& server = seen.servers.front();
    server.local = Endpoint::parse("100.64.1.2:5070");
    server.mapping = Endpoint::parse("198.51.100.1:40000");
    EXPECT_TRUE(has(nat_findings(seen), Verdict::doubtful, "is of a carrier's NAT"));
    EXPECT_TRUE(has(nat_findings(seen), Verdict::good, "198.51.100.1:40000"));
}

TEST(DoctorNat, APrivateAddressThatAPublicServerSeesIsFound) {
    Seen seen;
    seen.servers = {server_at("udp:203.0.113.11:5060", Reach::answered)};
    auto& server = seen.servers.front();
    server.local = Endpoint::parse("192.168.1.2:5070");
    server.mapping = Endpoint::parse("10.1.1.1:5070");
    EXPECT_TRUE(has(nat_findings(seen), Verdict::doubtful, "10.1.1.1:5070, a private address"));
}

// Lists that differ say it without a binding of our own.
TEST(DoctorLocationService, IsJudgedByWhatEachServerLists) {
    Seen seen;
    auto& fetches = seen.account.fetches;
    EXPECT_EQ(location_service(seen), LocationService::unknown);
    fetches = {{.server = 0, .status = 200}};
    EXPECT_EQ(location_service(seen), LocationService::one_server);
    fetches.push_back({.server = 1, .status = 200});
    EXPECT_EQ(location_service(seen), LocationService::unknown) << "two empty lists";
    fetches[0].bindings = {{.uri = "sip:alice@192.0.2.1"}};
    EXPECT_EQ(location_service(seen), LocationService::separate);
    fetches[1].bindings = fetches[0].bindings;
    EXPECT_EQ(location_service(seen), LocationService::shared);
    seen.account.trial.not_listed_at = {1};
    EXPECT_EQ(location_service(seen), LocationService::separate) << "our own binding counts more";
}

TEST(DoctorWords, HoldNoSecret) {
    EXPECT_EQ(without_secrets("sip:alice@192.0.2.1:5060;hf=abcdef;transport=tcp"),
              "sip:alice@192.0.2.1:5060;hf=…;transport=tcp");
    EXPECT_EQ(without_secrets("sip:alice:secret@192.0.2.1"), "sip:alice:…@192.0.2.1");
    EXPECT_EQ(without_secrets("sip:192.0.2.1:5060"), "sip:192.0.2.1:5060");
    EXPECT_EQ(without_secrets("sip:alice@192.0.2.1;HF=x"), "sip:alice@192.0.2.1;HF=…");
}

TEST(DoctorWords, AreForPeople) {
    EXPECT_EQ(milliseconds(400us), "0.4 ms");
    EXPECT_EQ(milliseconds(12ms), "12 ms");
    EXPECT_EQ(seconds(60s), "60 s");
    EXPECT_EQ(seconds(1500ms), "1.5 s");
    EXPECT_EQ(date_of(1289690940), "2010-11-13");
    EXPECT_EQ(list_of(std::vector<std::string>{"a", "b", "c"}), "a, b and c");
}

}  // namespace
}  // namespace holdfast::doctor
