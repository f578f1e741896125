// Where a request goes first (L1, first sentence), from what people and Route headers write.
#include "location/next_hop.h"

#include <gtest/gtest.h>

namespace holdfast::location {
namespace {

TEST(NextHop, ReadsWhatPeopleWrite) {
    EXPECT_EQ(next_hop_of("sip:Example.TEST"), (NextHop{"example.test", 0, false, {}}));
    EXPECT_EQ(next_hop_of("sip:example.test."), (NextHop{"example.test", 0, false, {}}));
    EXPECT_EQ(next_hop_of("sip:alice@example.test:5080"),
              (NextHop{"example.test", 5080, false, {}}));
    EXPECT_EQ(next_hop_of("<sip:proxy.example.test;transport=TCP;lr>"),
              (NextHop{"proxy.example.test", 0, false, Transport::tcp}));
    EXPECT_EQ(next_hop_of("sip:[2001:DB8::1]:5062"), (NextHop{"2001:db8::1", 5062, false, {}}));
    EXPECT_EQ(next_hop_of("sip:192.0.2.1"), (NextHop{"192.0.2.1", 0, false, {}}));
    EXPECT_EQ(next_hop_of("sips:example.test"), (NextHop{"example.test", 0, true, {}}));
    EXPECT_EQ(next_hop_of("sips:example.test;transport=tcp"),
              (NextHop{"example.test", 0, true, Transport::tls}));
    EXPECT_EQ(next_hop_of("sip:example.test;maddr=192.0.2.7"),
              (NextHop{"192.0.2.7", 0, false, {}}));  // RFC 3263 §4
}

TEST(NextHop, SaysWhatIsWrong) {
    for (const auto* text :
         {"", "example.test", "tel:+15551234", "sip:", "sips:a.test;transport=udp",
          "sip:a.test;transport=carrier-pigeon", "sip:a.test:99999", "sip:a..test"}) {
        const auto next_hop = next_hop_of(text);
        ASSERT_FALSE(next_hop.has_value()) << text;
        EXPECT_NE(next_hop.error(), "") << text;
    }
}

TEST(NextHop, IsWrittenAsItWasRead) {
    for (const auto* text : {"sip:example.test", "sips:example.test:5061",
                             "sip:[2001:db8::1]:5062;transport=tcp", "sip:192.0.2.1:5060"})
        EXPECT_EQ(to_string(next_hop_of(text).value()), text);
}

}  // namespace
}  // namespace holdfast::location
