// The part of engine_fuzz's world that calls: what the user commands, what the far side says, and
// what is demanded in the end.
#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "fuzz/engine/world.h"
#include "sip/message.h"

namespace holdfast::fuzz {

using namespace std::chrono_literals;

namespace {

const Endpoint our_end{IpAddress::v4(192, 168, 1, 20), 40000};

// What the application has: 0 nothing, else streams that could be real.
std::vector<sdp::LocalStream> streams_of(std::uint8_t kind) {
    if (kind % 8U == 7) return {};
    sdp::LocalStream audio;
    audio.codecs.push_back({.name = "PCMA", .clock_rate = 8000});
    audio.codecs.push_back({.name = "telephone-event", .clock_rate = 8000, .fmtp = "0-16"});
    audio.rtp = {our_end.address, static_cast<std::uint16_t>(41000U + kind)};
    if (kind % 8U == 1 || kind % 8U == 2) {
        audio.srtp = kind % 8U == 1 ? sdp::Srtp::optional : sdp::Srtp::required;
        audio.crypto.push_back(
            {.suite = "AES_CM_128_HMAC_SHA1_80",
             .key = Redacted<std::string>("WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz")});
    }
    if (kind % 8U == 3) {
        std::string hex = "00";
        for (unsigned i = 1; i < 32; ++i) hex += i % 2U ? ":1A" : ":00";
        audio.srtp = sdp::Srtp::required;
        audio.fingerprint = sdp::Fingerprint{"sha-256", hex};
        audio.ice = sdp::IceCredentials{"abcd", Redacted<std::string>("abcdefghijklmnopqrstuv")};
        audio.candidates = {"1 1 UDP 2130706431 192.168.1.20 41000 typ host"};
        audio.rtcp_mux = true;
    }
    if (kind & 0x80U) audio.direction = sdp::Direction::recvonly;
    std::vector<sdp::LocalStream> streams{audio};
    if (kind % 8U == 4) {
        sdp::LocalStream video;
        video.kind = sdp::MediaKind::video;
        video.codecs.push_back({.name = "VP8", .clock_rate = 90000});
        video.rtp = {our_end.address, 42000};
        streams.push_back(video);
    }
    return streams;
}

std::string callee(Reader& script) {
    constexpr std::array<std::string_view, 10> uris{
        "sip:bob@example.test",
        "sips:bob@example.test",
        "tel:+4930123456",
        "sip:bob@203.0.113.11",
        "sip:bob@198.51.100.66",
        "sip:bob@evil.test;transport=tcp",
        "sip:bob@example.test?Route=%3Csip:198.51.100.66;lr%3E&Replaces=x;method=BYE",
        "mailto:bob@example.test",
        "sip:",
        ""};
    const auto which = script.u8();
    if (which >= 240) return std::string(script.text());
    return std::string(uris[which % uris.size()]);
}

}  // namespace

// account, number, options, callee, streams
void World::dial(Reader& script) {
    in::Dial dial{.account = AccountId{script.u8() % 3U}, .call = {}, .uri = {}, .streams = {}};
    const auto number = script.u8();
    const auto options = script.u8();
    dial.call = number < 192 ? book_.next() : book_.some(script.u8());
    dial.uri = callee(script);
    dial.streams = streams_of(script.u8());
    if (number & 1U) dial.referred_by = book_.some(script.u8());
    dial.options.redirects = static_cast<call::Redirects>(options % 3U);
    dial.options.reliable = static_cast<call::Reliable>(options / 4U % 3U);
    if (options & 16U) dial.options.session_interval = script.u8();
    if (options & 32U) dial.options.no_answer = 1s * script.u8();
    if (options & 64U) dial.options.number = call::Number::withheld;
    if (options & 128U) dial.options.headers = "Subject: words\r\n";
    ++stimuli_;
    feed(dial);
}

// what, call
void World::command_call(Reader& script) {
    const auto what = script.u8();
    const CallRef call = book_.some(script.u8());
    ++stimuli_;
    switch (what % 10U) {
    case 0: return feed(in::Answer{call, streams_of(script.u8())});
    case 1: return feed(in::HangUp{AccountId{what / 16U % 3U}, call});
    case 2: return feed(in::Hold{call});
    case 3: return feed(in::Resume{call});
    case 4: {
        constexpr std::array<std::string_view, 6> keys{"5", "1,2#*A", ",,", "x", "", "0123456789"};
        std::string digits;
        const auto times = what & 0x80U ? 40U : 1U;
        const auto key = script.pick(keys);
        for (unsigned i = 0; i < times; ++i) digits += key;
        return feed(in::Press{call, std::move(digits),
                              what & 0x40U ? sip::DigitForm::plain : sip::DigitForm::relay,
                              5ms * script.u8()});
    }
    case 5:
        return feed(in::Transfer{call, callee(script),
                                 what & 0x80U ? call::Reports::unwanted : call::Reports::wanted});
    case 6: return feed(in::TransferTo{call, book_.some(script.u8())});
    case 7: return feed(in::MediaChanged{call, streams_of(script.u8())});
    case 8: {
        const auto status = 400 + script.u8() % 210;
        return feed(in::Reject{call, status, what & 0x80U ? callee(script) : std::string{},
                               static_cast<call::Diverted>(what / 16U % 5U)});
    }
    default: return feed(in::Reject{call});
    }
}

// whence, uri, and what FarSide::invite wants.
void World::call_us(Reader& script) {
    const auto whence = script.u8();
    constexpr std::array<std::string_view, 4> uris{
        "sip:alice@192.168.1.20:40000", "sip:alice@example.test", "sip:b%20ob@192.168.1.20:40000",
        "sips:alice@192.168.1.20:40000"};
    const auto uri = script.u8();
    auto text = far_side_.invite(
        uri < 64 && !contact_.empty() ? contact_ : std::string(uris[uri % uris.size()]), script);
    say({some_flow(whence / 4U), std::move(text)}, whence, script);
}

// whence: & 3 is 1: from the stranger; 2: from one of the servers, that has perhaps no flow.
void World::say(Said said, std::uint8_t whence, Reader& script) {
    if (said.text.empty()) return;
    ++stimuli_;
    far_side_.remember(said);
    if ((whence & 3U) == 0) return deliver(said.flow, std::move(said.text), script);
    const auto address =
        (whence & 3U) == 1 ? IpAddress::v4(198, 51, 100, 66) : IpAddress::v4(203, 0, 113, 11);
    feed(in::Stray{our_end, {address, 5060}, std::move(said.text)});
}

// May this request go to that address? Those of a dialog may go where its peer says; those that
// begin a call, and an ACK or CANCEL of those, only where other requests of ours may.
bool World::peer_named(const Flow& flow, const sip::Message& request) const {
    return damaged_ || (named_.is_in_dialog(request) &&
                        named_.leads_to(request.call_id(), flow.target.endpoint.address));
}

// One message makes us say few things: an ACK, a BYE, a PRACK, what waited; but when the
// registration has moved, every call may say something.
void World::check_calls_of_step(std::size_t requests) const {
    CHECK(requests <= 16 + 6 * (book_.there() + 1) + fed_ / 64);
}

// Whatever was said: when all are hung up, every call ends, once, and is forgotten.
void World::demand_an_end_of_calls() {
    if (book_.all().empty() || book_.is_stopped() || steps_left_ == 0) return;
    steps_left_ = 8000;
    // What a driver owes: each flow is open in the end, or has failed (base/outbox.h).
    automatic_ |= auto_flows;
    std::vector<FlowId> opening;
    for (auto& [id, flow] : flows_) {
        if (flow.phase != Phase::opening) continue;
        flow.phase = Phase::gone;
        opening.push_back(id);
    }
    for (const FlowId id : opening) feed(in::FlowFailed{id, FlowError::timed_out, "words"});
    const auto hang_up = [&] {
        for (std::uint32_t id = 1; id <= configs_.size(); ++id)
            feed(in::HangUp{AccountId{id}, CallRef{}});
    };
    hang_up();
    CHECK(book_.there() == 0);
    // The longest that anything is owed is the reports of a transfer (call/limits.h).
    for (int minutes = 0; minutes < 12 && is_any_call_left(); ++minutes) run_until(now_ + 1min);
    if (steps_left_ > 0) CHECK(book_.there() == 0 && !is_any_call_left());
}

// A Dial with a call's number says whether it is there still; the account of this one is nobody.
bool World::is_any_call_left() {
    for (const CallRef call : std::vector<CallRef>(book_.all())) {
        if (steps_left_ == 0 || book_.is_stopped()) return false;
        feed(in::Dial{.account = AccountId{}, .call = call, .uri = "sip:", .streams = {}});
        if (book_.is_taken()) return true;
    }
    return false;
}

}  // namespace holdfast::fuzz
