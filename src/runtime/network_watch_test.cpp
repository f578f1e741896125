// Which addresses count as ours (K5). A change itself needs a network that may be changed:
// network_change_test.cpp.
#include "runtime/network_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::IsEmpty;

IpAddress address(std::string_view text) { return *IpAddress::parse(text); }

TEST(ChosenAddresses, LinkLocalIsNone) {
    EXPECT_THAT(
        chosen_addresses({address("fe80::1"), address("169.254.3.4"), address("192.0.2.7")}, {}),
        ElementsAre(address("192.0.2.7")));
}

TEST(ChosenAddresses, LoopbackOnlyIfThereIsNothingElse) {
    EXPECT_THAT(chosen_addresses({address("127.0.0.1"), address("192.0.2.7"), address("::1")}, {}),
                ElementsAre(address("192.0.2.7")));
    EXPECT_THAT(chosen_addresses({address("::1"), address("127.0.0.1")}, {}),
                ElementsAre(address("127.0.0.1"), address("::1")));
}

TEST(ChosenAddresses, LoopbackWhenAskedFor) {
    EXPECT_THAT(chosen_addresses({address("192.0.2.7"), address("127.0.0.1")},
                                 {.include_loopback = true, .only = {}}),
                ElementsAre(address("127.0.0.1"), address("192.0.2.7")));
}

TEST(ChosenAddresses, TheOneAskedForAsLongAsTheHostHasIt) {
    const NetworkOptions only{.include_loopback = false, .only = address("192.0.2.7")};
    EXPECT_THAT(chosen_addresses({address("192.0.2.7"), address("192.0.2.8")}, only),
                ElementsAre(address("192.0.2.7")));
    EXPECT_THAT(chosen_addresses({address("192.0.2.8")}, only), IsEmpty());
    // All of 127/8 is ours, although one address of it is listed.
    EXPECT_THAT(chosen_addresses({}, {.include_loopback = false, .only = address("127.0.3.1")}),
                ElementsAre(address("127.0.3.1")));
}

TEST(ChosenAddresses, AreSortedAndNotDoubled) {
    EXPECT_THAT(
        chosen_addresses({address("192.0.2.8"), address("192.0.2.7"), address("192.0.2.8")}, {}),
        ElementsAre(address("192.0.2.7"), address("192.0.2.8")));
}

TEST(UnusableIpv6, TentativeFailedAndDeprecatedAreNotUsed) {
    constexpr std::string_view table =
        "00000000000000000000000000000001 01 80 10 80       lo\n"
        "20010db8000000000000000000000001 02 40 00 40     eth0\n"  // tentative
        "20010db8000000000000000000000002 02 40 00 20     eth0\n"  // deprecated
        "20010db8000000000000000000000003 02 40 00 08     eth0\n"  // duplicate found
        "20010db8000000000000000000000004 02 40 00 00     eth0\n"
        "nonsense\n";
    EXPECT_THAT(unusable_ipv6(table), ElementsAre(address("2001:db8::1"), address("2001:db8::2"),
                                                  address("2001:db8::3")));
}

TEST(SourceAddresses, EveryHostHasOne) {
    EXPECT_THAT(source_addresses({}), testing::Not(IsEmpty()));
}

TEST(NetworkWatch, QuietNetworkSaysNothing) {
    Loop loop;
    int calls = 0;
    const NetworkWatch watch{loop, {}, [&](const std::vector<IpAddress>&, bool) { ++calls; }};
    EXPECT_FALSE(loop.run_until([&] { return calls > 0; }, 30ms));
}

}  // namespace
}  // namespace holdfast::runtime
