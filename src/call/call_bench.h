// For tests of a call: a peer that is played word by word, and what the call did, as words in
// order.
//
//   Bench bench;                  dialled unless Bench::incoming()
//   bench.play("180a 200a+");     EXPECT_EQ(bench.log(), "dialling INVITE ringing ACK answered
//   media")
//
// The peer's words: responses to our newest request of the kind they belong to,
//   180a        status, branch (To tag)         200a+ with SDP, 200a! with SDP that cannot be used
//   180a#3      reliable, RSeq 3                302>URI  a Contact          422>300  Min-SE
//   500>5       Retry-After (and 503>5)         407      a challenge; 407x: one we cannot answer
// with a method in front for another request than the INVITE: BYE:200, PRACK:481, UPDATE:491,
// RE:200a+ (RE: of a re-INVITE); LATE:200b of the first INVITE again, OLD:200b of the one before,
// OLDER:200a of the first re-INVITE.
// Requests of branch a: bye, inv+, inv-, inv!, upd, upd+, info, info=5 and info_5 (digits), info?
// (a body that nobody knows, info~ that may be skipped), info% (an Info Package), prack#N, old (a
// CSeq that was there before), bye-b (of branch b), msg. ack, ack+ of our 2xx; cancel. Ours:
// hangup, answer, reject, hold, resume, media, press>DIGITS and plain>DIGITS (by INFO). Time:
// wait>SECONDS, lost (no final answer to our newest request), noway (it did not get there), unheard
// (nor had anybody answered when its connection was lost), underway (somebody had), left (nobody
// had, and its server is asked no more: it may answer late), long>RESPONSE (past a limit, to our
// newest request unless it says which; its head was read), cut>STATUS (nor was its head), silence
// (no final answer to any, but an INVITE that has a 1xx and no CANCEL waits for ever, RFC 3261
// §17.1.1.2), moved (our Contact is another), way (there is one again). 200_b1: the tag has two
// characters. Transfers: transfer, transfer! (no reports wanted), heard>STATUS of the call that a
// REFER asks for, replaced; of the peer refer, refer>URI, refer~ (no reports), refer0, refer2 (so
// many Refer-To), notifySTATUS, notifySTATUS. (the last), notify-event, notify-id, notify-state;
// REFER:202a= with Refer-Sub: false.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "call/call.h"

namespace holdfast::call {

using namespace std::chrono_literals;

inline std::vector<sdp::LocalStream> some_audio(std::uint16_t port = 40'000) {
    sdp::LocalStream stream;
    stream.codecs.push_back({.name = "PCMA",
                             .clock_rate = 8000,
                             .channels = 1,
                             .fmtp = {},
                             .payload_type = std::uint8_t{8}});
    stream.rtp = {IpAddress::v4(192, 0, 2, 1), port};
    return {stream};
}

inline std::string sdp_of_peer(std::string_view codec = "8 PCMA", std::string_view way = "sendrecv",
                               int version = 1) {
    const auto type = std::string(codec.substr(0, codec.find(' ')));
    return "v=0\r\no=- 1 " + std::to_string(version) +
           " IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 50000 RTP/AVP " +
           type + "\r\na=rtpmap:" + type + " " + std::string(codec.substr(codec.find(' ') + 1)) +
           "/8000\r\na=" + std::string(way) + "\r\n";
}

class Bench {
public:
    explicit Bench(const Options& options = {}) {
        tell(told::Dial{"sip:bob@example.test", some_audio(), options});
    }
    // Its targets are tried one after the other.
    static Bench direct() {
        Bench bench{Nothing{}};
        bench.call_ = Call({.aor = "sip:alice@example.test",
                            .call_id = "call-1",
                            .tag = "us",
                            .ways = limits::targets});
        bench.tell(told::Dial{"sip:bob@example.test", some_audio(), {}});
        return bench;
    }
    static Bench incoming(const std::string& extra = {}, const std::string& body = sdp_of_peer()) {
        Bench bench{Nothing{}};
        bench.invited_ = bench.message("INVITE sip:alice@192.0.2.1 SIP/2.0", 1, "INVITE", "a", {},
                                       "Contact: <sip:bob@192.0.2.2>\r\n" + extra, body);
        bench.tell(told::Invited{ServerId{++bench.servers_}, &bench.invited_});
        return bench;
    }

    void play(std::string_view words) {
        while (!words.empty()) {
            const auto word = words.substr(0, words.find(' '));
            words.remove_prefix(std::min(words.size(), word.size() + 1));
            if (!word.empty()) play_word(word);
        }
    }
    void tell(const Told& told) {
        Actions actions;
        call_.handle(told, {.now = now_, .random = random_, .actions = actions});
        for (auto& action : actions) std::visit([&](auto& it) { note(it); }, action);
    }
    [[nodiscard]] std::string log() const { return log_; }
    [[nodiscard]] State state() const { return call_.state(); }
    void pass(Duration duration) {
        const Instant end = now_ + duration;
        for (int steps = 0; steps < 1000 && call_.next_deadline().at <= end; ++steps) {
            now_ = std::max(now_, call_.next_deadline().at);
            tell(told::Time{});
        }
        ASSERT_GT(call_.next_deadline().at, end) << "never idle";
        now_ = end;
    }
    [[nodiscard]] const act::Send& last(sip::Method method) const { return sent_.at(method); }
    [[nodiscard]] const std::vector<act::Respond>& responses() const { return responses_; }
    [[nodiscard]] const std::vector<Event>& events() const { return events_; }
    [[nodiscard]] std::size_t ends() const {
        return static_cast<std::size_t>(
            std::ranges::count(events_, EventKind::call_ended, &Event::kind));
    }
    [[nodiscard]] Instant now() const { return now_; }
    [[nodiscard]] const out::Media& media() const { return media_; }

private:
    struct Nothing {};
    explicit Bench(Nothing) {}

    void say(std::string_view word) { log_.append(log_.empty() ? "" : " ").append(word); }
    void note(const act::Send& send) {
        const auto method = send.request.method;
        const bool again = method == sip::Method::invite && !send.request.next_hop.empty();
        say(again ? "re-INVITE" : sip::name_of(method));
        sent_.insert_or_assign(method, send);
        newest_ = send;
        if (again && !first_change_.id) first_change_ = send;
        if (method != sip::Method::invite || again) return;
        if (!first_.id) oldest_ = send;
        first_ = send;
    }
    void note(const act::Acknowledge&) { say("ACK"); }
    void note(const act::Cancel& cancel) {
        cancelled_.insert(cancel.invite);  // §9.1: from now on it has a limit
        say("CANCEL");
    }
    void note(const act::Respond& respond) {
        say(std::to_string(respond.status));
        responses_.push_back(respond);
    }
    void note(const out::Media& media) {
        say(media.agreed ? "media" : "silence");
        media_ = media;
    }
    void note(const Event& event) {
        say(name_of(event.kind));
        events_.push_back(event);
    }

    sip::Message message(const std::string& start_line, std::uint32_t cseq, std::string_view method,
                         const std::string& their_tag, const std::string& our_tag,
                         const std::string& extra, const std::string& body) {
        const bool response = start_line.starts_with("SIP/2.0");
        const auto ours = "<sip:alice@example.test>" + (our_tag.empty() ? "" : ";tag=" + our_tag);
        const auto theirs =
            "<sip:bob@example.test>" + (their_tag.empty() ? "" : ";tag=" + their_tag);
        const std::string text = start_line + "\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK" +
                                 std::to_string(++branches_) +
                                 "\r\nMax-Forwards: 70\r\nFrom: " + (response ? ours : theirs) +
                                 "\r\nTo: " + (response ? theirs : ours) +
                                 "\r\nCall-ID: call-1\r\nCSeq: " + std::to_string(cseq) + " " +
                                 std::string(method) + "\r\n" + extra +
                                 (body.empty() || extra.contains("Content-Type:")
                                      ? ""
                                      : "Content-Type: application/sdp\r\n") +
                                 "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                                 body;
        auto parsed = sip::Message::parse(text);
        EXPECT_TRUE(parsed.has_value()) << text;
        return std::move(*parsed);
    }

    void play_word(std::string_view word) {
        if (word == "hangup") return tell(told::HangUp{});
        if (word == "answer") return tell(told::Answer{some_audio()});
        if (word == "reject") return tell(told::Reject{.status = 486});
        if (word == "hold") return tell(told::Hold{});
        if (word == "resume") return tell(told::Resume{});
        if (word == "transfer") return tell(told::Transfer{"sip:carol@example.test"});
        if (word == "transfer!")
            return tell(told::Transfer{"sip:carol@example.test", Reports::unwanted});
        if (word.starts_with("heard>"))
            return tell(
                told::ReferredCall{static_cast<int>(*parse_number<std::uint32_t>(word.substr(6)))});
        if (word.starts_with("press>")) return tell(told::Press{std::string(word.substr(6))});
        if (word.starts_with("plain>"))
            return tell(told::Press{std::string(word.substr(6)), sip::DigitForm::plain});
        if (word == "replaced") return tell(told::Replaced{"replaced"});
        if (word == "media") return tell(told::MediaChanged{some_audio(41'000)});
        if (word == "moved") return tell(told::WayChanged{});
        if (word == "way") return tell(told::WayFound{});
        if (word == "unheard") return tell(told::Failed{newest_.id, told::Lost::unheard, "gone"});
        if (word == "unavailable")
            return tell(told::Failed{newest_.id, told::Lost::unavailable, "503"});
        if (word == "left") return tell(told::Failed{newest_.id, told::Lost::left, "left"});
        if (word == "underway") return tell(told::Failed{newest_.id, told::Lost::underway, "gone"});
        if (word.starts_with("cut>"))
            return tell(
                told::Failed{newest_.id, told::Lost::unreadable, "too long",
                             static_cast<int>(*parse_number<std::uint32_t>(word.substr(4)))});
        if (word.starts_with("long>")) return play_response(word.substr(5), Length::past_limit);
        if (word == "lost") return tell(told::Failed{newest_.id, told::Lost::answer, "no answer"});
        if (word == "noway") return tell(told::Failed{newest_.id, told::Lost::way, "no way"});
        if (word == "silence") {
            for (std::uint32_t id = 1; id <= newest_.id.value; ++id)
                if (!proceeding_.contains(RequestId{id}) || cancelled_.contains(RequestId{id}))
                    tell(told::Failed{RequestId{id}, told::Lost::answer, "no answer"});
            return;
        }
        if (word.starts_with("wait>"))
            return pass(std::chrono::seconds{*parse_number<std::uint32_t>(word.substr(5))});
        if (word == "cancel") {
            const auto cancel =
                message("CANCEL sip:alice@192.0.2.1 SIP/2.0", 1, "CANCEL", "a", {}, {}, {});
            return tell(told::Cancelled{&cancel});
        }
        if (word.starts_with("ack")) {
            const auto ack = message("ACK sip:alice@192.0.2.1 SIP/2.0", their_invite_cseq_, "ACK",
                                     "a", "us", {}, word.ends_with('+') ? sdp_of_peer() : "");
            return tell(told::Acknowledged{&ack});
        }
        if (word.starts_with("refer>")) return play_request(word);
        const auto colon = word.find(':');
        if (is_digit(word.front()) || (colon != std::string_view::npos && colon < word.size() - 1))
            return play_response(word);
        play_request(word);
    }

    void play_request(std::string_view word) {
        const std::string tag = word.ends_with("-b") ? "b" : "a";
        if (word.ends_with("-b")) word.remove_suffix(2);
        std::string method = "INVITE";
        if (word.starts_with("bye")) method = "BYE";
        if (word.starts_with("upd")) method = "UPDATE";
        if (word.starts_with("info")) method = "INFO";
        if (word == "old") method = "OPTIONS";
        if (word.starts_with("prack")) method = "PRACK";
        if (word.starts_with("msg")) method = "MESSAGE";
        if (word.starts_with("refer")) method = "REFER";
        if (word.starts_with("notify")) method = "NOTIFY";
        const std::uint32_t cseq = word == "old" ? 1 : ++their_cseq_;
        if (method == "INVITE") their_invite_cseq_ = cseq;
        std::string extra = "Contact: <sip:bob@192.0.2.2>\r\n";
        if (const auto hash = word.find('#'); hash != std::string_view::npos) {
            // RSeq N, counted from the one that we sent.
            const auto ours = last_rseq();
            const auto offset = *parse_number<std::uint32_t>(word.substr(hash + 1));
            extra += "RAck: " + std::to_string(ours + offset) + " 1 INVITE\r\n";
        }
        std::string body;
        if (word.ends_with('+')) body = sdp_of_peer("8 PCMA", "sendrecv", ++versions_);
        if (word.ends_with('h')) body = sdp_of_peer("8 PCMA", "sendonly", ++versions_);
        if (word.ends_with('!')) body = sdp_of_peer("97 nonsense", "sendrecv", ++versions_);
        if (method == "INFO") extra += info_headers(word.substr(4), body);
        if (method == "REFER") extra += refer_headers(word.substr(5));
        if (method == "NOTIFY") {
            extra += notify_headers(word.substr(6));
            if (is_digit(word[word.size() > 6 ? 6 : 0]))
                body = "SIP/2.0 " + std::string(word.substr(6, 3)) + " Words\r\n";
        }
        const auto request =
            message(method + " sip:alice@192.0.2.1 SIP/2.0", cseq, method, tag, "us", extra, body);
        tell(told::Request{ServerId{++servers_}, &request});
    }

    static std::string info_headers(std::string_view what, std::string& body) {
        if (what.empty()) return {};
        const std::string value(what.substr(1));
        switch (what.front()) {
        case '=':
            body = "Signal=" + value + "\r\nDuration=100\r\n";
            return "Content-Type: application/dtmf-relay\r\n";
        case '_': body = value; return "Content-Type: application/dtmf\r\n";
        case '?': body = "x"; return "Content-Type: application/x\r\n";
        case '~':
            body = "x";
            return "Content-Type: application/x\r\nContent-Disposition: x;handling=optional\r\n";
        default: body = "x"; return "Content-Type: application/x\r\nInfo-Package: x\r\n";
        }
    }
    static std::string refer_headers(std::string_view what) {
        std::string headers = what == "0" ? "" : "Refer-To: <sip:carol@example.test>\r\n";
        if (what == "2") headers += headers;
        if (what == "~") headers += "Refer-Sub: false\r\n";
        if (what.starts_with('>')) headers = "Refer-To: <" + std::string(what.substr(1)) + ">\r\n";
        return headers + "Referred-By: \"Bob\" <sip:bob@example.test>\r\n";
    }
    [[nodiscard]] std::string notify_headers(std::string_view what) const {
        const auto refer = sent_.find(sip::Method::refer);
        const auto id = refer == sent_.end() ? 0 : refer->second.request.cseq;
        std::string headers =
            "Event: " +
            (what == "-event" ? std::string("presence")
                              : "refer;id=" + std::to_string(what == "-id" ? id + 1 : id)) +
            "\r\n";
        if (what != "-state")
            headers += what.ends_with('.') ? "Subscription-State: terminated;reason=noresource\r\n"
                                           : "Subscription-State: active;expires=60\r\n";
        return headers + "Content-Type: message/sipfrag;version=2.0\r\n";
    }

    [[nodiscard]] std::uint32_t last_rseq() const {
        std::uint32_t rseq = 0;
        for (const auto& response : responses_)
            if (const auto at = response.headers.find("RSeq: "); at != std::string::npos) {
                const auto value = std::string_view(response.headers).substr(at + 6);
                rseq = *parse_number<std::uint32_t>(value.substr(0, value.find('\r')));
            }
        return rseq;
    }

    enum class Length : std::uint8_t { fine, past_limit };
    void play_response(std::string_view word, Length length = Length::fine) {
        auto to = length == Length::fine ? first_ : newest_;
        if (const auto colon = word.find(':'); !is_digit(word.front())) {
            const auto name = word.substr(0, colon);
            word.remove_prefix(colon + 1);
            if (name == "RE")
                to = sent_.at(sip::Method::invite);
            else if (name == "OLD")
                to = oldest_;
            else if (name == "OLDER")
                to = first_change_;
            else if (name == "LATE")
                to = first_;
            else
                to = sent_.at(sip::method_of(name));
        }
        const int status = static_cast<int>(*parse_number<std::uint32_t>(word.substr(0, 3)));
        word.remove_prefix(3);
        std::string tag;
        if (word.starts_with('_')) {
            tag = word.substr(1, 2);
            word.remove_prefix(3);
        } else if (!word.empty() && word.front() >= 'a' && word.front() <= 'w') {
            tag = word.front();
            word.remove_prefix(1);
        }
        std::string extra = "Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\r\n";
        if (status < 300) extra += "Contact: <sip:bob@192.0.2.2>\r\n";
        std::string body;
        Challenge challenge = Challenge::none;
        if (status == 401 || status == 407)
            challenge = word == "x" ? Challenge::refused : Challenge::can_answer;
        if (word == "+") body = sdp_of_peer("8 PCMA", "sendrecv", ++versions_);
        if (word == "!") body = sdp_of_peer("97 nonsense", "sendrecv", ++versions_);
        if (word == "=") extra += "Refer-Sub: false\r\n";
        if (word.starts_with('#'))
            extra += "Require: 100rel\r\nRSeq: " + std::string(word.substr(1)) + "\r\n";
        if (word.starts_with('>')) {
            const std::string value(word.substr(1));
            if (status == 422)
                extra += "Min-SE: " + value + "\r\n";
            else if (status >= 500)
                extra += "Retry-After: " + value + "\r\n";
            else
                extra += "Contact: <" + value + ">\r\n";
        }
        if (status < 200 && to.request.method == sip::Method::invite) proceeding_.insert(to.id);
        const auto response =
            message("SIP/2.0 " + std::to_string(status) + " Words", to.request.cseq,
                    sip::name_of(to.request.method), tag.empty() ? "a" : tag, "us", extra, body);
        if (length == Length::past_limit)
            return tell(told::Failed{.id = to.id,
                                     .lost = told::Lost::unreadable,
                                     .words = "too long",
                                     .status = status,
                                     .head = &response});
        tell(told::Response{.id = to.id,
                            .message = &response,
                            .challenge = challenge,
                            .words = challenge == Challenge::refused ? "refused" : ""});
    }

    Instant now_{1h};
    Random random_{seed_from_number(7)};
    Call call_{{.aor = "sip:alice@example.test", .call_id = "call-1", .tag = "us"}};
    std::string log_;
    sip::Message invited_;
    act::Send first_{};
    act::Send oldest_{};
    act::Send first_change_{};
    act::Send newest_{};
    std::map<sip::Method, act::Send> sent_;
    std::set<RequestId> proceeding_;  // INVITEs with a 1xx
    std::set<RequestId> cancelled_;
    std::vector<act::Respond> responses_;
    std::vector<Event> events_;
    out::Media media_;
    std::uint32_t their_cseq_ = 1;
    std::uint32_t their_invite_cseq_ = 1;
    std::uint32_t servers_ = 0;
    int branches_ = 0;
    int versions_ = 1;
};

}  // namespace holdfast::call
