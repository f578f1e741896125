// --trace shows messages as they are, but for secrets and what would take over a terminal.
#include "apps/cli/trace.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace holdfast::cli {
namespace {

constexpr std::string_view message =
    "REGISTER sip:example.test SIP/2.0\r\n"
    "Authorization: Digest username=\"alice\",\r\n response=\"0123456789abcdef\"\r\n"
    "Content-Length: 0\r\n\r\n";

class TraceTest : public ::testing::Test {
protected:
    TraceTest() { EXPECT_EQ(::pipe(ends.data()), 0); }
    ~TraceTest() override {
        ::close(ends[0]);
        ::close(ends[1]);
    }
    std::string printed() {
        EXPECT_EQ(::write(ends[1], "\0", 1), 1);  // so that an empty pipe does not block
        std::array<char, 65536> text{};
        const auto size = ::read(ends[0], text.data(), text.size());
        return {text.data(), static_cast<std::size_t>(size) - 1};
    }
    runtime::Traffic traffic(Transport transport, std::string_view bytes) const {
        return {.direction = runtime::Direction::sent,
                .flow = FlowId{7},
                .target = {transport, *Endpoint::parse("203.0.113.11:5060")},
                .local = *Endpoint::parse("192.0.2.1:40000"),
                .bytes = bytes};
    }
    std::array<int, 2> ends{};
};

TEST(Traced, LeavesOutWhatAPasswordAnswered) {
    const auto text = traced(message);
    EXPECT_EQ(
        text,
        "REGISTER sip:example.test SIP/2.0\nAuthorization: <redacted>\nContent-Length: 0\n\n");
    EXPECT_EQ(traced("x\x1b[2J"), "x\\x1b[2J\n\n");
}

TEST_F(TraceTest, SaysTimeDirectionAndFlow) {
    Printer printer(ends[1]);
    Trace trace(printer, {});
    trace.on_traffic(Instant{std::chrono::microseconds{5}}, traffic(Transport::udp, message));
    const auto text = printed();
    EXPECT_NE(
        text.find(".000005 → to udp:203.0.113.11:5060, from 192.0.2.1:40000, flow 7\nREGISTER "),
        std::string::npos)
        << text;
}

TEST_F(TraceTest, PutsAStreamsPiecesTogether) {
    Printer printer(ends[1]);
    Trace trace(printer, {});
    trace.on_traffic({}, traffic(Transport::tcp, message.substr(0, 80)));
    trace.on_traffic({}, traffic(Transport::tcp, message.substr(80)));
    const auto text = printed();
    EXPECT_EQ(text.find("0123456789abcdef"), std::string::npos) << text;
    EXPECT_NE(text.find("Authorization: <redacted>\n"), std::string::npos) << text;
}

TEST_F(TraceTest, DoesNotShowKeepAlives) {
    Printer printer(ends[1]);
    Trace trace(printer, {});
    for (const auto bytes : {std::string_view("\r\n\r\n"), std::string_view("\0\0\0\0", 4),
                             std::string_view("\x01\x01\0\x0c", 4)})
        trace.on_traffic({}, traffic(Transport::udp, bytes));
    trace.on_traffic({}, traffic(Transport::tcp, "\r\n\r\n"));
    EXPECT_EQ(printed(), "");
}

}  // namespace
}  // namespace holdfast::cli
