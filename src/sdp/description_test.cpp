// RFC 8866: session descriptions as text and as values. What phones and servers of the field write
// (shapes as their documentation and traces show them) must be read; what is broken is refused with
// its place.
#include "sdp/description.h"

#include <gtest/gtest.h>

#include <string>

#include "sdp/limits.h"

namespace holdfast::sdp {
namespace {

constexpr std::string_view plain =
    "v=0\r\n"
    "o=alice 2890844526 2890844527 IN IP4 192.0.2.4\r\n"
    "s=-\r\n"
    "c=IN IP4 192.0.2.4\r\n"
    "t=0 0\r\n"
    "m=audio 49170/2 RTP/AVP 0 96\r\n"
    "b=AS:64\r\n"
    "a=rtpmap:96 opus/48000/2\r\n"
    "a=sendrecv\r\n";

TEST(SdpText, EveryLineBecomesAValueAndTheSameText) {  // RFC 8866 §5
    const auto read = parse(plain);
    ASSERT_TRUE(read) << read.error().reason;
    EXPECT_EQ(read->origin,
              (Origin{"alice", "2890844526", "2890844527", "IN", "IP4", "192.0.2.4"}));
    EXPECT_EQ(read->connection->address, "192.0.2.4");
    ASSERT_EQ(read->media.size(), 1U);
    const auto& media = read->media.front();
    EXPECT_EQ(media.port, 49170);
    EXPECT_EQ(media.ports, 2U);
    EXPECT_EQ(media.formats, (std::vector<std::string>{"0", "96"}));
    EXPECT_EQ(media.bandwidths, (std::vector<Bandwidth>{{"AS", 64}}));
    EXPECT_EQ(find(media.attributes, "RTPMAP"), "96 opus/48000/2");
    EXPECT_EQ(find(media.attributes, "sendrecv"), "");
    EXPECT_EQ(find(media.attributes, "sendonly"), std::nullopt);
    EXPECT_EQ(print(*read), plain);
}

TEST(SdpText, UnknownAttributesAreKept) {
    const std::string text = std::string(plain) + "a=X-private:one two\r\na=X-flag\r\n";
    EXPECT_EQ(print(*parse(text)), text);
}

// The field: bare LF, spaces at the end, o= and s= and t= missing, m= before c=, unknown lines.
TEST(SdpText, TheFieldsHabitsAreTolerated) {
    const auto read = parse("v=0\nx=what\nm=audio 4000 RTP/AVP 8 \nc=IN IP4 192.0.2.9  \n\n");
    ASSERT_TRUE(read) << read.error().reason;
    EXPECT_EQ(read->media.front().formats, (std::vector<std::string>{"8"}));
    EXPECT_EQ(read->media.front().connections.front().address, "192.0.2.9");
}

// Some write tabs between the words. A word that kept one would end its line with it, and what ends
// a line with blanks is read without them.
TEST(SdpText, ATabPartsWordsAsASpaceDoes) {
    const auto read = parse(
        "v=0\r\no=-\t1\t1\tIN\tIP4\t192.0.2.9\r\nc=IN IP4 192.0.2.9\t more\r\nt=0 0\r\n"
        "m=audio\t4000 RTP/AVP\t8 \t0\t\r\n");
    ASSERT_TRUE(read) << read.error().reason;
    EXPECT_EQ(read->origin.address, "192.0.2.9");
    EXPECT_EQ(read->connection->address, "192.0.2.9");
    EXPECT_EQ(read->media.front().formats, (std::vector<std::string>{"8", "0"}));
    const auto again = parse(print(*read));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *read);
}

struct Broken {
    std::string_view text;
    std::size_t offset;
    std::string_view reason;
};
class SdpBroken : public testing::TestWithParam<Broken> {};

TEST_P(SdpBroken, IsRefusedWithItsPlace) {
    const auto read = parse(GetParam().text);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().offset, GetParam().offset);
    EXPECT_EQ(read.error().reason, GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    Text, SdpBroken,
    testing::Values(Broken{"", 0, "empty session description"},
                    Broken{"\r\n\r\n", 0, "empty session description"},
                    Broken{"v=1\r\n", 0, "the first line is not v=0"},
                    Broken{"o=- 1 1 IN IP4 0.0.0.0\r\nv=0\r\n", 0, "the first line is not v=0"},
                    Broken{"v=0\r\nv=0\r\n", 5, "v= again"},
                    Broken{"v=0\r\nrubbish\r\n", 5, "not a TYPE=VALUE line"},
                    Broken{"v=0\r\no=- 1 1 IN IP4\r\n", 5, "o= has six fields"},
                    Broken{"v=0\r\nc=IN IP4\r\n", 5, "c= has three fields"},
                    Broken{"v=0\r\nc=ATM X 1\r\n", 5, "c= of another network"},
                    Broken{"v=0\r\nb=AS\r\n", 5, "b= is TYPE:VALUE"},
                    Broken{"v=0\r\na=:x\r\n", 5, "a= without a name"},
                    Broken{"v=0\r\nm=audio x RTP/AVP 0\r\n", 5, "m= without a port"},
                    Broken{"v=0\r\nm=audio 65536 RTP/AVP 0\r\n", 5, "m= without a port"},
                    Broken{"v=0\r\nm=audio 1/0 RTP/AVP 0\r\n", 5,
                           "m= with a wrong number of ports"},
                    Broken{"v=0\r\nm=audio 1\r\n", 5, "m= has four fields"},
                    Broken{"v=0\r\nm=audio 1 RTP/AVP\r\n", 5, "m= without a format"}));

TEST(SdpText, NeitherNulNorCrIsPartOfAValue) {  // RFC 8866 §9
    EXPECT_EQ(parse(std::string_view("v=0\r\ns=a\0b\r\n", 12)).error().reason,
              "NUL or CR in a line");
    EXPECT_FALSE(parse("v=0\r\nc=IN IP6 2001:db8\r&\nm=audio 1 RTP/AVP 0\r\n"));
}

// No value may begin a line of its own.
TEST(SdpText, ALineEndInsideAValueIsWrittenAsASpace) {
    Description description;
    description.name = "call\r\na=fingerprint:sha-256 00";
    EXPECT_EQ(parse(print(description))->attributes.size(), 0U);
    EXPECT_EQ(parse(print(description))->name, "call  a=fingerprint:sha-256 00");
}

std::string repeated(std::string_view line, std::size_t times) {
    std::string text = "v=0\r\n";
    for (std::size_t i = 0; i < times; ++i) text += line;
    return text;
}

TEST(SdpLimits, AtTheLimitAndOnePastIt) {
    EXPECT_TRUE(parse(repeated("m=audio 0 RTP/AVP 0\r\n", limits::media)));
    EXPECT_EQ(parse(repeated("m=audio 0 RTP/AVP 0\r\n", limits::media + 1)).error().reason,
              "too many m= lines");
    EXPECT_TRUE(parse(repeated("a=x\r\n", limits::attributes)));
    EXPECT_EQ(parse(repeated("a=x\r\n", limits::attributes + 1)).error().reason,
              "too many attributes");
    EXPECT_TRUE(parse(repeated("y=x\r\n", limits::unreadable)));
    EXPECT_FALSE(parse(repeated("y=x\r\n", limits::unreadable + 1)));
    const auto formats = [](std::size_t n) {
        std::string text = "v=0\r\nm=audio 4000 RTP/AVP";
        for (std::size_t i = 0; i < n; ++i) text += " 0";
        return text;
    };
    EXPECT_TRUE(parse(formats(limits::formats)));
    EXPECT_EQ(parse(formats(limits::formats + 1)).error().reason, "too many formats");
    std::string longest = "v=0\r\ns=";
    longest.resize(limits::description_bytes, 'x');
    EXPECT_TRUE(parse(longest));
    longest += 'x';
    EXPECT_EQ(parse(longest).error().reason, "session description too long");
}

}  // namespace
}  // namespace holdfast::sdp
