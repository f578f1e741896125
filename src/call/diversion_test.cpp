// Who has sent a caller elsewhere before (RFC 5806).
#include "call/diversion.h"

#include <gtest/gtest.h>

#include "call/call_bench.h"
#include "call/limits.h"

namespace holdfast::call {
namespace {

using Uris = std::vector<std::string>;

sip::Message diverted(const std::string& headers) {
    auto parsed = sip::Message::parse(
        "INVITE sip:alice@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP c.test;branch=z9hG4bK1\r\nFrom: "
        "<sip:bob@example.test>;tag=1\r\nTo: <sip:alice@example.test>\r\nCall-ID: 1\r\nCSeq: 1 "
        "INVITE\r\n" +
        headers + "Content-Length: 0\r\n\r\n");
    EXPECT_TRUE(parsed.has_value()) << headers;
    return std::move(*parsed);
}

TEST(Diversion, OfAllValuesOfAllFields) {
    EXPECT_EQ(diverters_of(diverted("")), Uris{});
    EXPECT_EQ(diverters_of(diverted("Diversion: \"C, <c>\" <sip:c@x.test;a=b>;reason=user-busy, "
                                    "<sip:d@x.test>\r\ndiversion: sip:e@x.test;counter=1\r\n")),
              (Uris{"sip:c@x.test;a=b", "sip:d@x.test", "sip:e@x.test"}));
    EXPECT_EQ(diverters_of(diverted("Diversion: nonsense, <sip:d@x.test>,,\r\n")),
              (Uris{"", "sip:d@x.test"}));
    EXPECT_EQ(diverters_of(diverted("Diversion: <sip:a,b@x.test>\r\n")), Uris{"sip:a,b@x.test"});
}

TEST(Diversion, NoMoreThanCount) {
    std::string many;
    for (int i = 0; i < 100; ++i) many += "Diversion: <sip:a@x.test>, <sip:b@x.test>\r\n";
    EXPECT_EQ(diverters_of(diverted(many)).size(), limits::diversions);
}

TEST(Diversion, IsSaidAgain) {
    EXPECT_EQ(diversion_lines(diverted("Diversion: <sip:c@x.test>;reason=away, "
                                       "<<<\r\nDiversion: <sip:d@x.test>\r\n")),
              "Diversion: <sip:c@x.test>;reason=away\r\nDiversion: <sip:d@x.test>\r\n");
}

TEST(Diversion, IsToldWithTheRing) {
    const auto bench = Bench::incoming("Diversion: <sip:c@x.test>, <sip:d@x.test>\r\n");
    ASSERT_EQ(bench.events().back().kind, EventKind::ring);
    EXPECT_EQ(bench.events().back().diverted_by, (Uris{"sip:c@x.test", "sip:d@x.test"}));
}

}  // namespace
}  // namespace holdfast::call
