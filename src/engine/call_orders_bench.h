// For tests of calls on the wire: a registered phone, and a far side that says what it likes, word
// by word, in any order, twice, with wrong tags and numbers. What the phone sent and told is a line
// of words.
//
//   Orders orders;     orders.play("inv answer ack bye");
//   orders.log()       "100 180 ring 200 answered media 200 silence call_ended"
//
// The far side's words: inv, rei (re-INVITE), ack (of a 2xx: a branch of its own), ackf (of a
// refusal: the INVITE's branch), cancel, bye, upd, prack, info, opt, refer; responses to our newest
// INVITE: 100, 180, 183+, 200, 486 …; BYE:200 to our newest BYE. Behind each: ~same (the octets of
// this kind's last word again), ~branch (another), ~from, ~to, ~call (wrong), ~noto, ~cN (CSeq N),
// ~stranger (from elsewhere), ~b (To tag of another branch), ~long (a response past a limit), ~tail
// (its Contact is before the limit), ~rel (a reliable one, RFC 3262). Ours: dial, answer, reject,
// hangup, hold, resume. wait>SECONDS.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "engine/test_driver.h"
#include "sdp/agreement.h"

namespace holdfast::engine {

class Orders {
public:
    enum class Begin : std::uint8_t { registered, unanswered };
    struct World {
        Transport transport = Transport::udp;          // of the account
        std::string contact = "sip:bob@203.0.113.11";  // of the far side
        std::string record_route{};                    // of its INVITE; "": none
        bool follows_transfers = true;
        std::string granted_parameters{};  // of the Contact that the registrar lists
        std::string registered_headers{};  // of its 200, complete lines
        std::string user = "alice";        // of the account's AOR
    };
    explicit Orders(Begin begin = Begin::registered) : Orders(begin, World{}) {}
    Orders(Begin begin, World world)
        : world_(std::move(world)),
          server_{world_.transport,
                  {udp_target(11).endpoint.address, default_port(world_.transport)}} {
        driver_.resolve("example.test", {server_.endpoint.address});
        driver_.granted_parameters = world_.granted_parameters;
        driver_.registered_headers = world_.registered_headers;
        registration::AccountConfig config;
        config.aor = "sip:" + world_.user + "@example.test";
        config.transport = world_.transport;
        config.realms = {"example.test"};
        config.password = Redacted{std::string("secret")};
        config.takes_calls = true;
        config.follows_transfers = world_.follows_transfers;
        if (begin == Begin::unanswered) driver_.silent.insert(server_);
        driver_.feed(in::AddAccount{AccountId{1}, config});
        driver_.run_for(2s);
        EXPECT_EQ(driver_.count(EventKind::registered), begin == Begin::registered ? 1U : 0U)
            << driver_.words();
        driver_.silent.insert(server_);  // from now on only what the story says
        sent_ = driver_.sent.size();
        told_ = driver_.events.size();
    }

    void play(std::string_view words) {
        while (!words.empty()) {
            const auto word = words.substr(0, words.find(' '));
            words.remove_prefix(std::min(words.size(), word.size() + 1));
            if (!word.empty()) play_word(word);
            driver_.run_for(0s);
            note();
        }
    }
    static std::vector<sdp::LocalStream> audio() {
        sdp::LocalStream stream;
        stream.codecs.push_back({.name = "PCMA", .clock_rate = 8000});
        stream.rtp = {our_end.address, 40'000};
        return {stream};
    }
    void icmp() {
        driver_.feed(in::FlowFailed{driver_.flow_to(server_), FlowError::refused, "ICMP"});
        driver_.run_for(0s);
        note();
    }
    // The connection to the server is lost; it can be opened again, and REGISTER is answered.
    void lose_connection() {
        driver_.silent.clear();
        break_connection();
        driver_.silent.insert(server_);
    }
    // No connection to the server is made from now on.
    void cut_off() { driver_.cut_off.insert(server_); }
    // As lose_connection(), and the server is as it was: it answers only what the story says.
    void break_connection() {
        feed(in::FlowClosed{driver_.flow_to(server_), FlowError::reset, "reset"});
    }
    // The account's name leads elsewhere from now on, and the account goes there (L4).
    void drain_to(std::uint8_t host) {
        driver_.resolve("example.test", {udp_target(host).endpoint.address});
        play("wait>660");  // so long the old one is listed still
        feed(in::RegisterNow{});
        play("wait>20");
    }
    // The NAT gives another port; the next answer shows it.
    void rebind(int port) {
        driver_.mapping = ";received=198.51.100.7;rport=" + std::to_string(port);
    }
    void feed(const Input& input) {
        driver_.feed(input);
        driver_.run_for(0s);
        note();
    }
    void dial(const std::string& uri) {
        driver_.feed(in::Dial{AccountId{1},
                              CallRef{1},
                              uri,
                              audio(),
                              {.reliable = call::Reliable::off, .session_interval = 0}});
        driver_.run_for(0s);
        note();
    }
    // A request of somebody else, outside of dialogs: with a Call-ID and tag of its own.
    enum class Sender : std::uint8_t { server, stranger };
    void other(const std::string& method, const std::string& headers,
               Sender sender = Sender::server) {
        const auto number = std::to_string(++branches_);
        RequestText text{.method = method,
                         .from = "\"Carol\" <sip:carol@example.test>;tag=o" + number,
                         .call_id = "other-" + number,
                         .branch = "z9hG4bKother" + number,
                         .extra = "Contact: <" + world_.contact + ">\r\n" + headers};
        if (method == "INVITE") {
            text.extra += "Content-Type: application/sdp\r\n";
            text.body = sdp(++versions_);
        }
        if (sender == Sender::stranger)
            driver_.feed(in::Stray{our_end, stranger, text.text()});
        else
            driver_.feed(in::Received{driver_.flow_to(server_), text.text()});
        driver_.run_for(0s);
        note();
    }
    // The call that began last.
    [[nodiscard]] CallRef current() const {
        CallRef found;
        for (const auto& [at, event] : driver_.events)
            if (begins(event.kind)) found = event.call;
        return found;
    }
    // Of the message of ours that came last and names it.
    [[nodiscard]] std::string our_tag() const {
        for (const auto& [target, text] : driver_.sent | std::views::reverse) {
            const auto message = sip::Message::parse(text);
            if (!message || message->method() == sip::Method::register_ ||
                message->method() == sip::Method::options ||
                message->call_id().starts_with("other-"))
                continue;
            const auto tag = message->is_request() ? message->from().tag() : message->to().tag();
            if (!tag.empty()) return std::string(tag);
        }
        return "none";
    }
    [[nodiscard]] std::string our_call_id() const {
        const auto invite = sip::Message::parse(newest("INVITE"));
        return invite ? std::string(invite->call_id()) : "call-1";
    }
    [[nodiscard]] const std::string& log() const { return log_; }
    [[nodiscard]] std::string trace() const { return driver_.trace; }
    [[nodiscard]] const Driver& driver() const { return driver_; }
    // Of the last message of ours that has one; "": none has.
    [[nodiscard]] std::string contact() const {
        for (const auto& [target, text] : driver_.sent | std::views::reverse)
            if (const auto at = text.find("\r\nContact: <"); at != std::string::npos)
                return text.substr(at + 12, text.find('>', at) - at - 12);
        return {};
    }
    // Every call that the user heard of has one end: asked when nothing can come any more.
    void demand_an_end() {
        driver_.feed(in::HangUp{.account = AccountId{1}, .call = {}});  // all of them
        play("wait>40");
        driver_.feed(in::HangUp{.account = AccountId{1}, .call = {}});
        play("wait>40");
        std::map<std::uint32_t, std::pair<int, int>> calls;  // begun, ended
        for (const auto& [at, event] : driver_.events) {
            if (!event.call) continue;
            auto& [begun, ended] = calls[event.call.value];
            if (begins(event.kind)) ++begun;
            if (event.kind == EventKind::call_ended) ++ended;
        }
        for (const auto& [call, count] : calls) {
            EXPECT_GE(count.first, 1) << "an event of a call that nobody knows";
            EXPECT_EQ(count.second, 1) << "one end of each call";
        }
    }

private:
    static inline const Endpoint stranger{IpAddress::v4(198, 51, 100, 66), 5060};
    static std::string sdp(int version) {
        return "v=0\r\no=- 1 " + std::to_string(version) +
               " IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\nm=audio 5000 "
               "RTP/AVP 8\r\n";
    }

    void play_word(std::string_view whole) {
        std::string_view modifiers;
        auto word = whole;
        if (const auto at = whole.find('~'); at != std::string_view::npos) {
            word = whole.substr(0, at);
            modifiers = whole.substr(at);
        }
        if (word.starts_with("wait>")) {  // the server lives on, and answers what we ask it
            driver_.silent.clear();
            driver_.run_for(std::chrono::seconds{*parse_number<std::uint32_t>(word.substr(5))});
            driver_.silent.insert(server_);
            return;
        }
        if (word == "dial") return dial("sip:bob@example.test");
        const CallRef call = current();
        if (word == "answer") return driver_.feed(in::Answer{call, audio()});
        if (word == "reject") return driver_.feed(in::Reject{call, 486});
        if (word == "hangup") return driver_.feed(in::HangUp{AccountId{1}, call});
        if (word == "hold") return driver_.feed(in::Hold{call});
        if (word == "resume") return driver_.feed(in::Resume{call});
        std::string bytes;
        from_ = server_;  // a response comes from where its request went
        const auto key = std::string(word);
        if (has(modifiers, "~same")) {
            bytes = said_[key];
        } else if (is_digit(word.front()) || word.find(':') != std::string_view::npos) {
            bytes = response(word, modifiers);
        } else {
            bytes = request(word, modifiers);
        }
        if (bytes.empty()) return;  // an answer to nothing
        said_[key] = bytes;
        if (has(modifiers, "~stranger"))
            return driver_.feed(in::Stray{our_end, stranger, std::move(bytes)});
        driver_.feed(in::Received{driver_.flow_to(from_), std::move(bytes)});
    }

    static bool has(std::string_view modifiers, std::string_view one) {
        return modifiers.find(one) != std::string_view::npos;
    }
    static bool begins(EventKind kind) {
        return kind == EventKind::ring || kind == EventKind::dialling ||
               kind == EventKind::replaced;
    }

    std::string request(std::string_view word, std::string_view modifiers) {
        RequestText text{.from = "<sip:bob@example.test>;tag=b1"};
        text.uri = "sip:" + world_.user + "@" + our_end.to_string();
        const bool first = word == "inv";
        static const std::map<std::string_view, std::string> methods{
            {"inv", "INVITE"},    {"rei", "INVITE"},  {"ack", "ACK"},    {"ackf", "ACK"},
            {"cancel", "CANCEL"}, {"bye", "BYE"},     {"upd", "UPDATE"}, {"prack", "PRACK"},
            {"info", "INFO"},     {"opt", "OPTIONS"}, {"refer", "REFER"}};
        text.method = methods.at(word);
        const bool in_invite = word == "cancel" || word == "ackf";  // its branch and number
        if (first) {
            invite_branch_ = "z9hG4bKinv" + std::to_string(++branches_);
            their_cseq_ = invite_cseq_ = 1;
        } else if (word == "rei") {
            invite_branch_ = "z9hG4bKrei" + std::to_string(++branches_);
            invite_cseq_ = ++their_cseq_;
        }
        text.branch = first || word == "rei" || in_invite
                          ? invite_branch_
                          : "z9hG4bKone" + std::to_string(++branches_);
        if (has(modifiers, "~branch")) text.branch = "z9hG4bKelse" + std::to_string(++branches_);
        auto cseq =
            first || word == "rei" || in_invite || word == "ack" ? invite_cseq_ : ++their_cseq_;
        if (const auto at = modifiers.find("~c"); at != std::string_view::npos &&
                                                  at + 2 < modifiers.size() &&
                                                  is_digit(modifiers[at + 2]))
            cseq = *parse_number<std::uint32_t>(modifiers.substr(at + 2));
        text.cseq = std::to_string(cseq);
        if (!first && driver_.count(EventKind::dialling) > 0) text.call_id = our_call_id();
        if (has(modifiers, "~call")) text.call_id = "another-call";
        if (has(modifiers, "~from")) text.from = "<sip:bob@example.test>;tag=wrong";
        const bool tagged =
            !first && (word != "cancel" || has(modifiers, "~tagged")) && !has(modifiers, "~noto");
        if (tagged) text.to += ";tag=" + (has(modifiers, "~to") ? "wrong" : our_tag());
        if (word != "cancel" && !text.method.starts_with("ACK"))
            text.extra = "Contact: <" + world_.contact + ">\r\n";
        if (first && !world_.record_route.empty())
            text.extra += "Record-Route: " + world_.record_route + "\r\n";
        if (word == "refer") text.extra += "Refer-To: <sip:carol@example.test>\r\n";
        if (word == "prack") text.extra += "RAck: 1 1 INVITE\r\n";
        if (first || word == "rei") {
            text.extra += "Content-Type: application/sdp\r\n";
            text.body = sdp(++versions_);
        }
        return text.text();
    }

    [[nodiscard]] std::string newest(std::string_view method) const {
        return newest_sent(method).second;
    }
    [[nodiscard]] std::pair<Target, std::string> newest_sent(std::string_view method) const {
        for (const auto& sent : driver_.sent | std::views::reverse)
            if (sent.second.starts_with(method)) return sent;
        return {};
    }

    std::string response(std::string_view word, std::string_view modifiers) {
        std::string_view method = "INVITE";
        if (const auto colon = word.find(':'); colon != std::string_view::npos) {
            method = word.substr(0, colon);
            word.remove_prefix(colon + 1);
        }
        const auto [target, request] = newest_sent(method);
        if (request.empty()) return {};
        from_ = target;
        const auto parsed = sip::Message::parse(request);
        if (!parsed) {
            ADD_FAILURE() << "what we have sent cannot be read: " << request;
            return {};
        }
        const int status = static_cast<int>(*parse_number<std::uint32_t>(word.substr(0, 3)));
        std::string to(parsed->to().text);
        if (parsed->to().tag().empty() && status > 100)
            to += has(modifiers, "~b") && !has(modifiers, "~branch") ? ";tag=b2" : ";tag=b1";
        if (has(modifiers, "~to")) to = "<sip:bob@example.test>;tag=wrong";
        std::string padding;  // ~long: past the limit of header fields
        for (int n = 0; has(modifiers, "~long") && n < 300; ++n) padding += "X-Pad: 1\r\n";
        std::string via(parsed->top_via().text);
        if (has(modifiers, "~branch")) via.replace(via.find("z9hG4bK"), 8, "z9hG4bKx");
        auto cseq = parsed->cseq().number;
        if (const auto at = modifiers.find("~c9"); at != std::string_view::npos) cseq = 9;
        const std::string contact = status < 300 ? "Contact: <" + world_.contact + ">\r\n" : "";
        const bool offers = method == "INVITE" && (status == 200 || word.ends_with('+'));
        const std::string body = offers ? sdp(++versions_) : "";
        return "SIP/2.0 " + std::to_string(status) + " Whatever\r\nVia: " + via +
               "\r\nFrom: " + std::string(parsed->from().text) + "\r\nTo: " + to + "\r\nCall-ID: " +
               (has(modifiers, "~call") ? std::string("another") : std::string(parsed->call_id())) +
               "\r\nCSeq: " + std::to_string(cseq) + " " + std::string(method) + "\r\n" +
               (has(modifiers, "~tail") ? contact + padding : padding + contact) +
               (status == 407 ? "Proxy-Authenticate: Digest realm=\"example.test\", "
                                "nonce=\"n1\"\r\n"
                              : "") +
               (has(modifiers, "~rel") ? "Require: 100rel\r\nRSeq: 1\r\n" : "") +
               (body.empty() ? "" : "Content-Type: application/sdp\r\n") +
               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    void say(std::string_view word) { log_.append(log_.empty() ? "" : " ").append(word); }
    // What went out since the last word, then what the user was told.
    void note() {
        for (; sent_ < driver_.sent.size(); ++sent_) {
            const auto message = sip::Message::parse(driver_.sent[sent_].second);
            if (!message) continue;  // keep-alives
            if (!message->is_request())
                say(std::to_string(message->status()));
            else if (message->method() != sip::Method::register_ &&
                     message->method() != sip::Method::options)
                say(sip::name_of(message->method()));
        }
        for (; told_ < driver_.events.size(); ++told_)
            if (const auto& event = driver_.events[told_].second; event.call)
                say(name_of(event.kind));
    }

    World world_;
    Target server_;
    Target from_{};
    Driver driver_;
    std::string log_;
    std::map<std::string, std::string> said_;
    std::string invite_branch_ = "z9hG4bKnone";
    std::uint32_t their_cseq_ = 1;
    std::uint32_t invite_cseq_ = 1;
    std::size_t sent_ = 0;
    std::size_t told_ = 0;
    int branches_ = 0;
    int versions_ = 0;
};

}  // namespace holdfast::engine
