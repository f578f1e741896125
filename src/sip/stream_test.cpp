// Framing in a stream (RFC 3261 §18.3) and the keep-alives between messages (RFC 5626 §3.5.1).
#include "sip/stream.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/sip_test_data.h"

namespace holdfast::sip {
namespace {

using Kind = StreamItem::Kind;
using Side = StreamFramer::Side;
using test::request_with;

std::string with_body(std::string_view body) {
    return request_with("Content-Length: " + std::to_string(body.size()) + "\r\n").append(body);
}

struct Seen {
    Kind kind;
    std::string bytes;
    friend bool operator==(const Seen&, const Seen&) = default;
};

void take_all(StreamFramer& framer, std::vector<Seen>& seen) {
    while (auto item = framer.next()) {
        seen.push_back({item->kind, std::string(item->bytes)});
        if (item->kind == Kind::error) return;
    }
}

std::vector<Seen> framed(std::string_view stream, std::size_t piece, Side side = Side::opened) {
    StreamFramer framer(side);
    std::vector<Seen> seen;
    for (std::size_t i = 0; i < stream.size(); i += piece) {
        framer.feed(stream.substr(i, piece));
        take_all(framer, seen);
    }
    return seen;
}

// However the bytes are cut, the messages are the same.
TEST(StreamFramer, MessagesWhateverThePieces) {
    const auto first = with_body("one");
    const auto second = with_body("");
    const auto third = with_body("Content-Length: 7\r\n\r\n");
    const std::vector<Seen> expected = {
        {Kind::message, first}, {Kind::message, second}, {Kind::message, third}};
    for (std::size_t piece = 1; piece < first.size() * 4; ++piece)
        EXPECT_EQ(framed(first + second + third, piece), expected) << piece;
}

TEST(StreamFramer, PongsAndPings) {
    const auto message = with_body("x");
    const std::vector<Seen> pong_message = {{Kind::pong, "\r\n"}, {Kind::message, message}};
    EXPECT_EQ(framed("\r\n" + message, 1000), pong_message);
    EXPECT_EQ(framed("\r\n" + message, 1, Side::accepted), pong_message);
    const std::vector<Seen> ping = {{Kind::ping, "\r\n\r\n"}};
    EXPECT_EQ(framed("\r\n\r\n", 4), ping);
    EXPECT_EQ(framed("\r\n\r\n", 1, Side::accepted), ping);  // waits for the other half
    EXPECT_EQ(framed("\r\n\r\n", 1).size(), 2U);             // two pongs, each at once
    EXPECT_TRUE(framed("\r", 1).empty());
    EXPECT_TRUE(framed("\r\n", 2, Side::accepted).empty());
}

TEST(StreamFramer, LengthInAnyForm) {
    for (const std::string_view line :
         {"l:3\r\n", "CONTENT-LENGTH : 3 \r\n", "Content-Length:\r\n 3\r\n", "L: 003\r\n"}) {
        const auto message = request_with(line) + "abc";
        EXPECT_EQ(framed(message, 7), (std::vector<Seen>{{Kind::message, message}})) << line;
    }
    // A header that only looks like one, folded into another.
    const auto message = request_with("X: y\r\n Content-Length: 9\r\nl: 1\r\n") + "z";
    EXPECT_EQ(framed(message, 100), (std::vector<Seen>{{Kind::message, message}}));
}

// RFC 3261 §18.3: without a length nobody knows where the next message begins.
TEST(StreamFramer, LostFraming) {
    for (const std::string_view line :
         {"", "Content-Length: x\r\n", "Content-Length: -1\r\n", "Content-Length: \r\n",
          "Content-Length: 1\r\nl: 1\r\n", "Content-Length: 99999999999\r\n"}) {
        const auto message = request_with(line);
        StreamFramer framer;
        framer.feed(message);
        const auto item = framer.next();
        ASSERT_TRUE(item) << line;
        EXPECT_EQ(item->kind, Kind::error) << line;
        EXPECT_EQ(item->bytes, message);
        framer.feed(with_body(""));
        EXPECT_EQ(framer.next()->kind, Kind::error) << "an error stays";
    }
    EXPECT_EQ(framed("\rX", 2).front().kind, Kind::error);
}

TEST(StreamFramer, ForgetsWhatWasTaken) {
    const auto message = with_body(std::string(1000, 'x'));
    StreamFramer framer;
    for (int i = 0; i < 100; ++i) {
        framer.feed(message);
        framer.feed(message.substr(0, 10));
        EXPECT_EQ(framer.next()->bytes, message);
        EXPECT_FALSE(framer.next());
        framer.feed(message.substr(10));
        EXPECT_EQ(framer.next()->bytes, message);
    }
    EXPECT_EQ(framer.buffered(), 0U);
}

}  // namespace
}  // namespace holdfast::sip
