// Sends the examination's requests, each in a client transaction of its own (RFC 3261 §17.1.2), at
// a pace that bothers nobody (limits.h), and says what became of each.
//
//   post.send({.flow = …, .wire = …, .patience = 4s});     // queued
//   post.on_time(now, outbox);                             // goes out when its turn has come
//   for (auto& reply : post.take_replies()) …
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/flow_error.h"
#include "base/outbox.h"
#include "base/time.h"
#include "sip/message.h"
#include "transaction/matching.h"
#include "transaction/non_invite_client.h"

namespace holdfast::doctor {

using Ticket = Id<struct TicketTag>;

struct Letter {
    FlowId flow;
    Target target;
    std::string method;
    std::string branch;
    std::string call_id;
    std::uint32_t cseq = 1;
    std::string wire;
    Duration patience{};
};

struct Reply {
    enum class What : std::uint8_t { answered, silent, failed, not_sent };
    Ticket ticket;
    What what = What::silent;
    sip::Message response{};        // answered: the final one
    std::optional<Duration> rtt{};  // if the request went out once (Karn)
    bool repeated = false;
    FlowError error = FlowError::refused;  // failed
    std::string detail{};
};

class Post {
public:
    Ticket send(Letter letter);
    void on_response(Instant now, FlowId flow, const sip::Message& response);
    void on_flow_trouble(FlowId flow, FlowError error, const std::string& detail);
    void on_time(Instant now, Outbox& outbox);
    void forget_all();  // nobody waits any more
    [[nodiscard]] std::vector<Reply> take_replies() { return std::exchange(replies_, {}); }
    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] std::size_t sent() const { return sent_; }

private:
    struct Waiting {
        Ticket ticket;
        Letter letter;
    };
    struct Out {
        Ticket ticket;
        FlowId flow;
        transaction::Asked asked;
        Instant until;
        transaction::NonInviteClient client;
    };
    void give_up(Instant now);
    void send_queued(Instant now, Outbox& outbox);
    [[nodiscard]] Instant turn_of(const Letter& letter) const;

    std::deque<Waiting> queue_;
    std::unordered_map<transaction::ClientKey, Out> out_;
    std::map<IpAddress, Instant> last_to_;
    std::optional<Instant> last_;
    std::vector<Reply> replies_;
    std::size_t sent_ = 0;
    Ticket last_ticket_;
};

}  // namespace holdfast::doctor
