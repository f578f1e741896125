#include "doctor/post.h"

#include <algorithm>
#include <utility>

#include "doctor/limits.h"

namespace holdfast::doctor {

using transaction::ClientResult;

Ticket Post::send(Letter letter) {
    last_ticket_ = Ticket{last_ticket_.value + 1};
    queue_.push_back({last_ticket_, std::move(letter)});
    return last_ticket_;
}

Instant Post::turn_of(const Letter& letter) const {
    Instant at = last_ ? *last_ + limits::between_requests : Instant::min();
    const auto to = last_to_.find(letter.target.endpoint.address);
    if (to != last_to_.end()) at = std::max(at, to->second + limits::between_requests_to_one);
    return at;
}

// Who waits for a busy address holds up nobody who is for another.
void Post::send_queued(Instant now, Outbox& outbox) {
    for (auto at = queue_.begin(); at != queue_.end();) {
        if (turn_of(at->letter) > now) {
            ++at;
            continue;
        }
        auto [ticket, letter] = std::move(*at);
        at = queue_.erase(at);
        if (sent_ >= limits::requests) {
            replies_.push_back({.ticket = ticket, .what = Reply::What::not_sent});
            continue;
        }
        ++sent_;
        last_ = now;
        last_to_[letter.target.endpoint.address] = now;
        transaction::Outgoing wire{letter.flow, is_reliable(letter.target.transport),
                                   std::move(letter.wire)};
        out_.emplace(
            transaction::client_key(letter.branch, letter.method),
            Out{ticket, letter.flow, transaction::Asked{std::move(letter.call_id), letter.cseq},
                now + letter.patience,
                transaction::NonInviteClient{now, std::move(wire), {}, outbox}});
    }
}

void Post::on_response(Instant now, FlowId flow, const sip::Message& response) {
    const auto found = out_.find(transaction::client_key_of(response));
    if (found == out_.end()) return;
    auto& out = found->second;
    if (out.flow != flow || !transaction::is_answer_to(out.asked, response)) return;
    if (out.client.on_response(now, response.status()) != ClientResult::final_response) return;
    Reply reply{.ticket = out.ticket,
                .what = Reply::What::answered,
                .response = response.clone(),
                .repeated = out.client.was_retransmitted()};
    if (!reply.repeated) reply.rtt = now - out.client.sent_at();
    replies_.push_back(std::move(reply));
    out_.erase(found);  // a copy of the answer is nobody's
}

void Post::on_flow_trouble(FlowId flow, FlowError error, const std::string& detail) {
    const auto fail = [&](Ticket ticket) {
        replies_.push_back(
            {.ticket = ticket, .what = Reply::What::failed, .error = error, .detail = detail});
    };
    std::erase_if(out_, [&](const auto& entry) {
        if (entry.second.flow != flow) return false;
        fail(entry.second.ticket);
        return true;
    });
    std::erase_if(queue_, [&](const Waiting& waiting) {
        if (waiting.letter.flow != flow) return false;
        fail(waiting.ticket);
        return true;
    });
}

void Post::give_up(Instant now) {
    std::erase_if(out_, [&](const auto& entry) {
        if (entry.second.until > now && !entry.second.client.is_done()) return false;
        replies_.push_back({.ticket = entry.second.ticket, .what = Reply::What::silent});
        return true;
    });
}

void Post::on_time(Instant now, Outbox& outbox) {
    for (auto& [key, out] : out_)
        if (out.client.next_deadline().at <= now) out.client.on_time(now, outbox);
    give_up(now);
    send_queued(now, outbox);
}

void Post::forget_all() {
    queue_.clear();
    out_.clear();
    replies_.clear();
}

Deadline Post::next_deadline() const {
    Deadline deadline;
    for (const auto& waiting : queue_)
        deadline =
            sooner(deadline, {std::max(Instant{}, turn_of(waiting.letter)), "the next request"});
    for (const auto& [key, out] : out_) {
        deadline = sooner(deadline, {out.until, "no answer"});
        deadline = sooner(deadline, out.client.next_deadline());
    }
    return deadline;
}

}  // namespace holdfast::doctor
