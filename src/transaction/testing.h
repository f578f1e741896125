// For tests of the transaction machines: what went out and when, and a driver that stops at the
// first result.
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/outbox.h"
#include "base/time.h"
#include "sip/message.h"
#include "transaction/result.h"

namespace holdfast::transaction {

struct Wire {
    Outbox outbox;
    std::vector<Duration> times;
    std::vector<std::string> texts;
    out::Send last;
    void collect(Instant now) {
        for (const auto& output : outbox.take()) {
            last = std::get<out::Send>(output);
            times.push_back(now.time_since_epoch());
            texts.push_back(last.bytes);
        }
    }
};

template <class Result>
struct End {
    Result result = Result::pending;
    Instant at{};
};

// Wakes the machine at its deadlines, until it has something to say or the limit is reached.
template <class Machine>
auto run(Machine& machine, Wire& wire, Instant from, Duration limit) {
    using Result = decltype(machine.on_time(from, wire.outbox));
    for (int step = 0; step < 10000; ++step) {
        const auto deadline = machine.next_deadline();
        if (deadline.at > from + limit) return End<Result>{Result::pending, from + limit};
        EXPECT_FALSE(deadline.reason.empty());
        const auto result = machine.on_time(deadline.at, wire.outbox);
        wire.collect(deadline.at);
        if (result != Result::pending) return End<Result>{result, deadline.at};
    }
    ADD_FAILURE() << "never idle: " << machine.next_deadline().reason;
    return End<Result>{};
}

// The RFC's own example of an INVITE (RFC 3261 §17.1.1.3), with a route.
inline std::string invite_text() {
    return "INVITE sip:bob@biloxi.com SIP/2.0\r\n"
           "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff\r\n"
           "Route: <sip:p1.example.test;lr>\r\n"
           "Route: <sip:p2.example.test;lr>, <sip:p3.example.test;lr>\r\n"
           "To: Bob <sip:bob@biloxi.com>\r\n"
           "From: Alice <sip:alice@atlanta.com>;tag=88sja8x\r\n"
           "Max-Forwards: 70\r\n"
           "Call-ID: 987asjd97y7atg\r\n"
           "CSeq: 986759 INVITE\r\n"
           "Content-Length: 0\r\n\r\n";
}

inline sip::Message response_to_invite(int status, std::string_view to_tag = "99sa0xk") {
    auto message = sip::Message::parse(
        "SIP/2.0 " + std::to_string(status) +
        " Words\r\n"
        "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKkjshdyff;received=192.0.2.1\r\n"
        "To: Bob <sip:bob@biloxi.com>;tag=" +
        std::string(to_tag) +
        "\r\n"
        "From: Alice <sip:alice@atlanta.com>;tag=88sja8x\r\n"
        "Call-ID: 987asjd97y7atg\r\n"
        "CSeq: 986759 INVITE\r\n"
        "Content-Length: 0\r\n\r\n");
    EXPECT_TRUE(message.has_value()) << message.error().reason;
    return std::move(*message);
}

}  // namespace holdfast::transaction
