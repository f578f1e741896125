// For the tests of the desks: one step's surroundings, in virtual time, and words to look at what
// came out.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/flow_desk.h"
#include "engine/ping_identity.h"
#include "engine/step.h"
#include "sip/message.h"

namespace holdfast::engine {

using namespace std::chrono_literals;

inline Target udp_target(std::uint8_t last, std::uint16_t port = 5060) {
    return {Transport::udp, {IpAddress::v4(203, 0, 113, last), port}};
}
inline Target tcp_target(std::uint8_t last) {
    return {Transport::tcp, {IpAddress::v4(203, 0, 113, last), 5060}};
}
inline const Endpoint our_end{IpAddress::v4(192, 168, 1, 20), 40000};

struct Bench {
    Random random{seed_from_number(7)};
    location::Health health;
    FlowDesk flows;
    Tidings tidings;
    Outbox outbox;
    Instant now{1h};

    Step step() { return {now, random, health, flows, tidings, outbox}; }

    // A flow that is open, used by the account.
    FlowId open_flow(AccountId account, const Target& target, std::string_view tls_name = {}) {
        const auto open = flows.open(step(), account, target, tls_name);
        if (open) return *open;
        const FlowId id = flows.find(target, tls_name)->id;
        flows.on_opened(step(), id, our_end, tls_name);
        tidings.clear();
        outbox.clear();
        return id;
    }
    flow::Flow& flow(FlowId id) { return *flows.find(id); }

    std::vector<std::string> take_sent() {
        std::vector<std::string> sent;
        for (auto& output : outbox.take())
            if (auto* const send = std::get_if<out::Send>(&output))
                sent.push_back(std::move(send->bytes));
        return sent;
    }
    template <class T>
    std::vector<T> take_outputs() {
        std::vector<T> taken;
        for (auto& output : outbox.take())
            if (auto* const it = std::get_if<T>(&output)) taken.push_back(std::move(*it));
        return taken;
    }
    // What accounts were told of this kind; the rest is forgotten.
    template <class T>
    std::vector<std::pair<AccountId, T>> take_told() {
        std::vector<std::pair<AccountId, T>> told;
        for (auto& tiding : std::exchange(tidings, {}))
            if (auto* const it = std::get_if<T>(&tiding.told))
                told.emplace_back(tiding.account, std::move(*it));
        return told;
    }
};

inline PingIdentityPtr alice_identity() {
    return std::make_shared<const PingIdentity>(
        PingIdentity{"sip:example.test", "sip:alice@example.test", "Holdfast"});
}

// The response a server would send: the request's headers copied, as seen from `mapping`.
inline std::string answer_to(std::string_view request, int status, const std::string& extra = {},
                             const std::string& mapping = ";received=198.51.100.7;rport=13450") {
    const auto parsed = sip::Message::parse(request);
    const auto& m = *parsed;
    std::string via(m.top_via().text);
    if (const auto at = via.find(";rport"); at != std::string::npos) via.replace(at, 6, mapping);
    return "SIP/2.0 " + std::to_string(status) + " Whatever\r\nVia: " + via +
           "\r\nFrom: " + std::string(m.from().text) + "\r\nTo: " + std::string(m.to().text) +
           ";tag=server\r\nCall-ID: " + std::string(m.call_id()) +
           "\r\nCSeq: " + std::to_string(m.cseq().number) + " " + std::string(m.method_text()) +
           "\r\n" + extra + "Content-Length: 0\r\n\r\n";
}

struct RequestText {
    std::string method = "OPTIONS";
    std::string uri = "sip:alice@192.168.1.20:40000";
    std::string from = "<sip:bob@example.test>;tag=b1";
    std::string to = "<sip:alice@example.test>";
    std::string call_id = "call-1";
    std::string branch = "z9hG4bKaaa";
    std::string via_host = "203.0.113.11:5060";
    std::string extra{};
    std::string body{};
    std::string cseq = "1";
    [[nodiscard]] std::string text(std::string_view transport = "UDP") const {
        return method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/" + std::string(transport) + " " +
               via_host + ";rport;branch=" + branch + "\r\nMax-Forwards: 70\r\nFrom: " + from +
               "\r\nTo: " + to + "\r\nCall-ID: " + call_id + "\r\nCSeq: " + cseq + " " + method +
               "\r\n" + extra + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
               body;
    }
};

inline int status_of(std::string_view text) {
    const auto parsed = sip::Message::parse(text);
    return parsed ? parsed->status() : -1;
}
inline std::vector<int> statuses_of(const std::vector<std::string>& texts) {
    std::vector<int> statuses;
    statuses.reserve(texts.size());
    for (const auto& text : texts) statuses.push_back(status_of(text));
    return statuses;
}

}  // namespace holdfast::engine
