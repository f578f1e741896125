// For tests of the plain client: servers, DNS and a NAT that answer at once, and time that runs as
// far as it is told. What a request cost is then exactly what the client waited for.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "flow/flow.h"
#include "location/health.h"
#include "registration/plain.h"
#include "sip/message.h"

namespace holdfast::registration {

inline IpAddress address_of(int server) {
    return IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(10 + server));
}

class PlainWorld {
public:
    struct Server {
        bool silent = false;
        bool refuses = false;  // RST, or ICMP
        bool challenges = true;
        bool knows_no_password = false;  // whatever is answered is wrong
        int status = 0;                  // to every REGISTER
        std::uint32_t min_expires = 0;
        std::string nonce;
    };
    struct Sent {
        Duration at{};
        int server = 0;
        std::string method;  // "REGISTER", "un-REGISTER"
        bool authorized = false;
        std::string contact;  // the first one's URI
        std::string removed;  // the second one's, with expires=0
        std::string call_id;
        bool accepted = false;
        bool right = false;  // the Contact is where the NAT would let that server in
    };

    explicit PlainWorld(std::string_view preset_name,
                        std::function<void(AccountConfig&)> change = {}) {
        config.aor = "sip:alice@example.test";
        config.password = Redacted<std::string>("secret");
        config.policy = *preset(preset_name);
        if (change) change(config);
        plain.emplace(config, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", AccountState{}, "test");
        for (int i = 1; i <= 3; ++i) servers[i].nonce = "nonce-of-" + std::to_string(i);
    }

    void start() { tell(told::Start{}); }
    void tell(Told told) {
        deliver(std::move(told));
        run_until(now - Instant{});
    }
    // Everything up to and including that time since the start.
    void run_until(Duration end) {
        for (int step = 0; step < 20000; ++step) {
            const auto next = std::ranges::min_element(coming_, {}, &Coming::at);
            const auto deadline = plain->next_deadline();
            if (next != coming_.end() && next->at <= deadline.at) {
                if (next->at > Instant{} + end) break;
                now = std::max(now, next->at);
                auto what = std::move(*next);
                coming_.erase(next);
                what.happens();
                continue;
            }
            if (deadline.at > Instant{} + end) break;
            EXPECT_FALSE(deadline.reason.empty());
            now = std::max(now, deadline.at);
            deliver(told::Time{});
        }
        if (now < Instant{} + end) now = Instant{} + end;
    }

    // A connection breaks.
    void break_connections(int server) {
        for (auto& flow : flows.all())
            if (flow.target.endpoint.address == address_of(server)) lost_.push_back(flow.id);
        for (const auto id : std::exchange(lost_, {})) {
            const auto target = flows.find(id)->target;
            flows.erase(id);
            tell(told::FlowLost{
                .flow = id, .target = target, .error = FlowError::reset, .detail = {}});
        }
    }

    [[nodiscard]] std::vector<Event> events_of(EventKind kind) const {
        std::vector<Event> found;
        for (const auto& [at, event] : events)
            if (event.kind == kind) found.push_back(event);
        return found;
    }
    [[nodiscard]] std::size_t count(EventKind kind) const { return events_of(kind).size(); }
    [[nodiscard]] std::vector<Duration> times_of(EventKind kind) const {
        std::vector<Duration> found;
        for (const auto& [at, event] : events)
            if (event.kind == kind) found.push_back(at);
        return found;
    }
    [[nodiscard]] Endpoint mapping_for(int server) const {
        return {IpAddress::v4(198, 51, 100, 1),
                static_cast<std::uint16_t>(13000 + nat_generation * 100 + server)};
    }

    AccountConfig config;
    std::optional<Plain> plain;
    std::map<int, Server> servers;
    std::vector<int> listed{1, 2, 3};  // what DNS answers with
    bool rotate = false;
    bool srv = false;  // each server has a record of its own, all alike
    dns::Status dns_status = dns::Status::ok;
    int nat_generation = 0;
    Duration dns_delay{};
    std::vector<std::pair<Duration, Event>> events;
    std::vector<Sent> sent;
    std::vector<dns::Question> questions;
    std::vector<std::pair<FlowId, bool>> keep_alives;
    std::set<FlowId> released;
    std::optional<Duration> unregistered_at;
    flow::Table flows;
    Instant now{};

private:
    struct Coming {
        Instant at;
        std::function<void()> happens;
    };
    void later(Duration wait, Told told) {
        coming_.push_back({now + wait, [this, told = std::move(told)] { deliver(told); }});
    }
    void deliver(const Told& told) {
        Actions actions;
        plain->handle(told, Context{AccountId{1}, now, 0, random_, health_, pool_, flows,
                                    addresses_, actions});
        for (auto& action : actions) std::visit([this](auto& a) { perform(a); }, action);
    }

    void perform(act::Ask& ask) {
        questions.push_back(ask.question);
        dns::Answer answer{.status = dns_status, .records = {}, .ttl = std::chrono::seconds(5)};
        if (srv && ask.question.name.starts_with("node")) {
            if (ask.question.type == dns::RecordType::a)
                answer.records.emplace_back(address_of(ask.question.name[4] - '0'));
        } else if (srv && ask.question.type == dns::RecordType::srv) {
            for (const auto server : listed)
                answer.records.emplace_back(
                    dns::Srv{.priority = 10,
                             .weight = 10,
                             .port = 5060,
                             .target = "node" + std::to_string(server) + ".example.test"});
        } else if (ask.question.type == dns::RecordType::a && dns_status == dns::Status::ok) {
            for (const auto server : listed) answer.records.emplace_back(address_of(server));
            if (rotate) std::rotate(listed.begin(), listed.begin() + 1, listed.end());
        }
        later(dns_delay, told::Dns{ask.question, answer});
    }
    void perform(act::Open& open) {
        const auto server = server_at(open.target);
        if (is_reliable(open.target.transport) && servers[server].refuses)
            return later({}, told::FlowFailed{open.target, FlowError::refused, {}});
        if (is_reliable(open.target.transport) && servers[server].silent)
            return later(std::chrono::seconds(10),
                         told::FlowFailed{open.target, FlowError::timed_out, {}});
        auto* flow = flows.find(open.target, open.tls_name);
        if (flow == nullptr) {
            flow = &flows.open(open.target, open.tls_name, {});
            flow->opened(now, {addresses_.front(), 40000}, open.tls_name);
        }
        released.erase(flow->id);
        later({}, told::FlowOpen{flow->id, open.target});
    }
    void perform(act::Send& send) {
        const auto* flow = flows.find(send.flow);
        ASSERT_NE(flow, nullptr);
        auto request = sip::Message::parse(send.wire);
        ASSERT_TRUE(request.has_value()) << send.wire;
        const auto index = server_at(flow->target);
        auto& server = servers[index];
        auto& note = sent.emplace_back();
        note.at = now - Instant{};
        note.server = index;
        note.method = request->expires() == 0U ? "un-REGISTER" : "REGISTER";
        note.authorized = request->header("Authorization").has_value();
        note.call_id = request->call_id();
        const auto contacts = request->contacts();
        ASSERT_FALSE(contacts.empty());
        note.contact = contacts[0].uri.text;
        if (contacts.size() > 1) note.removed = contacts[1].uri.text;
        note.right = note.contact.find(mapping_for(index).to_string()) != std::string::npos;
        if (server.refuses && !is_reliable(flow->target.transport))
            later({}, told::FlowLost{.flow = send.flow,
                                     .target = flow->target,
                                     .error = FlowError::port_unreachable,
                                     .detail = {},
                                     .usable = true});
        if (server.silent || server.refuses) {
            later(std::chrono::seconds(32), told::Timeout{send.attempt});
            return;
        }
        const auto text = answer_to(*request, server, index, note);
        coming_.push_back({now, [this, text, attempt = send.attempt, flow_id = send.flow] {
                               const auto message = sip::Message::parse(text);
                               ASSERT_TRUE(message.has_value()) << text;
                               deliver(told::Response{attempt, flow_id, &*message});
                           }});
    }
    std::string answer_to(const sip::Message& request, const Server& server, int index,
                          Sent& note) const {
        std::string first = "SIP/2.0 200 OK\r\n";
        std::string extra;
        const bool known = note.authorized && !server.knows_no_password &&
                           request.header("Authorization")->find(server.nonce) != std::string::npos;
        if (server.status != 0) {
            first = "SIP/2.0 " + std::to_string(server.status) + " Words\r\n";
        } else if (server.challenges && !known) {
            first = "SIP/2.0 401 Unauthorized\r\n";
            extra = "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"" + server.nonce +
                    "\", qop=\"auth\"\r\n";
        } else if (request.expires().value_or(0) != 0 && *request.expires() < server.min_expires) {
            first = "SIP/2.0 423 Interval Too Brief\r\n";
            extra = "Min-Expires: " + std::to_string(server.min_expires) + "\r\n";
        } else {
            note.accepted = true;
            if (note.method == "REGISTER")
                extra = "Contact: <" + note.contact +
                        ">;expires=" + std::to_string(*request.expires()) + "\r\n";
        }
        const auto mapping = mapping_for(index);
        std::string via(request.top_via().text);
        via.insert(via.find(";rport") + 6, "=" + std::to_string(mapping.port));
        return first + "Via: " + via + ";received=" + mapping.address.to_string() +
               "\r\nFrom: " + std::string(request.from().text) +
               "\r\nTo: " + std::string(request.to().text) +
               ";tag=t\r\nCall-ID: " + std::string(request.call_id()) +
               "\r\nCSeq: " + std::to_string(request.cseq().number) + " REGISTER\r\n" + extra +
               "Content-Length: 0\r\n\r\n";
    }
    void perform(act::Release& release) { released.insert(release.flow); }
    void perform(act::Abandon&) {}
    void perform(act::AskStun&) { ADD_FAILURE() << "a plain client asks no STUN server"; }
    void perform(act::Probe&) { ADD_FAILURE() << "a plain client does not probe"; }
    void perform(act::KeepAlive& keep) {
        if (keep_alives.empty() || keep_alives.back() != std::pair(keep.flow, keep.on))
            keep_alives.emplace_back(keep.flow, keep.on);
    }
    void perform(act::Store&) { ADD_FAILURE() << "a plain client remembers nothing"; }
    void perform(act::EndCalls&) {}
    void perform(act::Unregistered&) { unregistered_at = now - Instant{}; }
    void perform(Event& event) { events.emplace_back(now - Instant{}, event); }

    static int server_at(const Target& target) { return target.endpoint.address.bytes()[3] - 10; }

    Random random_{seed_from_number(7)};
    location::Health health_;
    location::CandidatePool pool_;
    std::vector<IpAddress> addresses_{IpAddress::v4(10, 0, 0, 2)};
    std::vector<Coming> coming_;
    std::vector<FlowId> lost_;
};

inline std::vector<int> servers_of(const std::vector<PlainWorld::Sent>& sent) {
    std::vector<int> servers;
    for (const auto& request : sent) servers.push_back(request.server);
    return servers;
}
inline std::vector<Duration> times_of(const std::vector<PlainWorld::Sent>& sent) {
    std::vector<Duration> times;
    for (const auto& request : sent) times.push_back(request.at);
    return times;
}

// S6 of the measurements: DNS rotates per query, five minutes.
inline void rotating_five_minutes(PlainWorld& world) {
    world.rotate = true;
    world.start();
    world.run_until(299s);
}
inline void short_lived(AccountConfig& config) { config.policy.expires = 30s; }

}  // namespace holdfast::registration
