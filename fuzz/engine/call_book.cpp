#include "fuzz/engine/call_book.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "engine/limits.h"
#include "sip/message.h"
#include "sip/uri.h"

namespace holdfast::fuzz {

namespace {

constexpr std::size_t remembered = 512;

// Answers to commands, which may name a call that has ended and is not forgotten yet.
bool answers_a_command(EventKind kind) {
    return kind == EventKind::transfer_failed || kind == EventKind::notice ||
           kind == EventKind::digits_failed;
}

}  // namespace

void CallBook::commanded(const in::Dial& dial) {
    dialled_ = dial.call;
    taken_ = false;
}

void CallBook::begin(CallRef call) {
    CHECK(live_.insert(call).second);
    CHECK(live_.size() <= engine::limits::calls);
    all_.push_back(call);
    if (all_.size() > remembered) all_.erase(all_.begin());
}

// Once; but a Dial that is refused ends a call that never began.
void CallBook::end(CallRef call) {
    CHECK(!sounding_.contains(call));
    if (live_.erase(call) != 0) return;
    CHECK(std::exchange(dialled_, CallRef{}) == call);
}

void CallBook::on(const Event& event) {
    if (event.kind == EventKind::stopped) {
        CHECK(live_.empty() && sounding_.empty());
        stopped_ = true;
    }
    if (event.kind == EventKind::notice && event.reason.starts_with("a call with the number of"))
        taken_ = true;
    if (!event.call) return;
    switch (event.kind) {
    case EventKind::ring:
    case EventKind::replaced: return begin(event.call);
    case EventKind::dialling:  // again after a redirection
        if (live_.contains(event.call)) return;
        CHECK(std::exchange(dialled_, CallRef{}) == event.call);
        return begin(event.call);
    case EventKind::call_ended: return end(event.call);
    default: CHECK(live_.contains(event.call) || answers_a_command(event.kind));
    }
}

void CallBook::on(const out::Media& media) {
    if (!media.agreed) {
        CHECK(sounding_.erase(media.call) == 1);
        return;
    }
    CHECK(live_.contains(media.call));
    sounding_.insert(media.call);
}

CallRef CallBook::some(std::uint8_t which) const {
    if (which >= 240 || all_.empty()) return CallRef{which % 2U ? which : 0x8000'0000U + which};
    return all_[all_.size() - 1 - which % all_.size()];
}

CallRef CallBook::next() const {
    CallRef highest{100};
    for (const CallRef call : all_)
        if (call.value < 0x8000'0000U) highest = std::max(highest, call);
    return CallRef{highest.value + 1};
}

void Named::heard(std::string_view bytes) {
    auto message = sip::Message::parse(bytes);
    if (!message || message->text().size() != bytes.size()) return scan(bytes);
    auto& named = by_call_[std::string(message->call_id())];
    const auto note = [&](const sip::Uri& uri) {
        if (const auto address = uri.host_address()) named.insert(*address);
    };
    for (const auto& contact : message->contacts()) note(contact.uri);
    for (const auto& route : message->record_routes()) note(route.uri);
    note_tags(*message);
}

void Named::note_tags(const sip::Message& message) {
    if (message.cseq().method != sip::Method::invite) return;
    const std::string call_id(message.call_id());
    if (message.is_request()) {
        if (message.from().tag().empty()) untagged_[call_id] = 0;
    } else if (message.status() >= 200 && message.status() < 300 && message.to().tag().empty()) {
        untagged_[call_id] = message.cseq().number;
    }
}

bool Named::is_in_dialog(const sip::Message& request) const {
    if (!request.to().tag().empty()) return true;
    const auto found = untagged_.find(request.call_id());
    if (found == untagged_.end() || request.method() == sip::Method::cancel) return false;
    const auto number = request.cseq().number;
    return number > found->second ||
           (number == found->second && request.method() == sip::Method::ack);
}

void Named::called(const sip::Message& invite) {
    if (const auto address = invite.request_uri().host_address())
        by_call_[std::string(invite.call_id())].insert(*address);
}

bool Named::leads_to(std::string_view call_id, const IpAddress& address) const {
    const auto found = by_call_.find(call_id);
    return anywhere_.contains(address) ||
           (found != by_call_.end() && found->second.contains(address));
}

bool Named::leads_to(const IpAddress& address) const {
    return anywhere_.contains(address) || std::ranges::any_of(by_call_, [&](const auto& named) {
               return named.second.contains(address);
           });
}

void Named::scan(std::string_view bytes) {
    tail_.append(bytes);
    const auto of_address = [](char c) {
        return is_digit(c) || c == '.' || c == ':' || (c >= 'a' && c <= 'f') ||
               (c >= 'A' && c <= 'F');
    };
    constexpr std::size_t longest = 48;
    const std::string_view text = tail_;
    const auto note = [&](std::string_view token) {
        if (const auto address = IpAddress::parse(token)) anywhere_.insert(*address);
    };
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && of_address(text[end])) ++end;
        const auto run = text.substr(at, end - at);
        const auto port = run.rfind(':');  // "203.0.113.9:5060"
        for (std::size_t from = 0; from < run.size(); ++from) {
            if (run.size() - from <= longest) note(run.substr(from));
            if (port != std::string_view::npos && from < port && port - from <= longest)
                note(run.substr(from, port - from));
        }
        at = end + 1;
    }
    if (tail_.size() > 256) tail_.erase(0, tail_.size() - 256);
}

}  // namespace holdfast::fuzz
