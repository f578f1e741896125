// For tests of the resilient client: scripted servers 20 ms away, DNS that answers at once, a NAT
// with a port for each of them, and time that runs as far as it is told. What a server answers is
// decided by a script, else it is a plain registrar with digest.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "flow/flow.h"
#include "flow/mapping.h"
#include "location/health.h"
#include "registration/resilient.h"
#include "sip/message.h"

namespace holdfast::registration {

class ResilientWorld {
public:
    static constexpr Duration rtt = 20ms;
    static constexpr Duration t1 = 500ms;  // then a request is repeated
    struct Reply {
        int status = 200;
        std::string lines{};  // complete header lines
    };
    struct Sent {
        Duration at{};
        int server = 0;
        sip::Message request;
        std::vector<std::pair<std::string, std::optional<std::uint32_t>>> contacts{};
        int answered = 0;  // the status it got, 0: none
        [[nodiscard]] bool authorized() const { return !request.authorizations().empty(); }
        // A lone removal (B6).
        [[nodiscard]] bool only_removes() const {
            return !contacts.empty() && std::ranges::all_of(contacts, [](const auto& contact) {
                return contact.second == 0U;
            });
        }
    };
    struct Server {
        bool silent = false;
        bool challenges = true;
        bool answers_options = true;
        Duration answers_after = rtt;
        std::string password = "secret";
        // Before anything else; nothing: as usual.
        std::function<std::optional<Reply>(const Sent&)> script{};
        std::map<std::string, std::string> bindings{};  // URI: the Contact's other parameters
        int nonce = 0;
    };

    explicit ResilientWorld(const std::function<void(AccountConfig&)>& change = {},
                            AccountState state = {})
        : stored(std::move(state)) {
        config.aor = "sip:alice@example.test";
        config.password = Redacted<std::string>("secret");
        config.transport = Transport::udp;
        config.policy.use_naptr = false;
        config.policy.use_srv = false;
        config.policy.prove_reachable = false;
        if (change) change(config);
        resilient.emplace(config, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", stored, "test");
        for (const int server : listed) servers[server];
    }

    static IpAddress address_of(int server) {
        return IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(10 + server));
    }
    static int server_at(const Target& target) { return target.endpoint.address.bytes()[3] - 10; }

    void start() { tell(told::Start{}); }
    void tell(const Told& told) {
        deliver(told);
        run_for(0s);
    }
    void run_for(Duration duration) {
        const auto end = now + duration;
        for (int step = 0;; ++step) {
            ASSERT_LT(step, 100'000) << "never idle: " << resilient->next_deadline().reason;
            const auto next = std::ranges::min_element(coming_, {}, &Coming::at);
            const auto deadline = resilient->next_deadline();
            const auto first = next == coming_.end() ? never : next->at;
            if (std::min(first, deadline.at) > end) break;
            if (first <= deadline.at) {
                now = std::max(now, first);
                auto what = std::move(*next);
                coming_.erase(next);
                what.happens();
            } else {
                now = std::max(now, deadline.at);
                deliver(told::Time{});
            }
        }
        now = std::max(now, end);
    }
    // Until it holds, looked at whenever something happens; false: not within the limit.
    bool run_until(const std::function<bool()>& goal, Duration limit) {
        const auto end = now + limit;
        while (!goal()) {
            const auto next = std::ranges::min_element(coming_, {}, &Coming::at);
            const auto first =
                std::min(next == coming_.end() ? never : next->at, resilient->next_deadline().at);
            if (first > end) {
                now = std::max(now, end);
                return goal();
            }
            run_for(std::max(Duration{}, first - now));
        }
        return true;
    }
    bool registers(Duration limit = 5s) {
        start();
        return run_until([this] { return registered(); }, limit);
    }
    [[nodiscard]] bool registered() const { return resilient->view().registered; }
    // The server of the first binding; 0: none.
    [[nodiscard]] int at() const {
        const auto view = resilient->view();
        return view.registered ? server_at(*view.bindings.front().target) : 0;
    }
    [[nodiscard]] BindingView binding() const { return resilient->view().bindings.front(); }
    // Servers in rank order.
    [[nodiscard]] std::vector<int> order() const {
        std::vector<int> servers_by_rank;
        for (const auto& target : resilient->view().targets)
            servers_by_rank.push_back(server_at(target));
        return servers_by_rank;
    }
    [[nodiscard]] std::vector<Event> events_of(EventKind kind) const {
        std::vector<Event> found;
        for (const auto& [at, event] : events)
            if (event.kind == kind) found.push_back(event);
        return found;
    }
    [[nodiscard]] std::size_t count(EventKind kind) const { return events_of(kind).size(); }
    // REGISTERs since that many were sent.
    [[nodiscard]] std::vector<const Sent*> since(std::size_t first) const {
        std::vector<const Sent*> found;
        for (auto i = first; i < sent.size(); ++i)
            if (sent[i].request.method() == sip::Method::register_) found.push_back(&sent[i]);
        return found;
    }
    [[nodiscard]] Endpoint mapping_for(int server) const {
        return {IpAddress::v4(198, 51, 100, 1),
                static_cast<std::uint16_t>(13000 + nat_generation * 100 + server)};
    }
    // The NAT has forgotten everything, and a keep-alive shows it (K3).
    void rebind() {
        ++nat_generation;
        for (auto& flow : flows.all()) {
            note_mapping(flow);
            tell(told::MappingChanged{flow.id});
        }
    }
    // kill -9, and a new process from what is on disk.
    void restart() {
        for (auto& coming : coming_) coming.happens = [] {};
        std::vector<FlowId> ids;
        for (auto& flow : flows.all()) ids.push_back(flow.id);
        for (const auto id : ids) flows.erase(id);
        resilient.emplace(config, "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", stored, "test");
        health = location::Health{};
        start();
    }
    [[nodiscard]] std::string story() const {
        std::string text = "\n";
        for (const auto& [at, event] : events)
            text += std::to_string((at - Instant{}) / 1ms) + " " +
                    std::string(name_of(event.kind)) + " " +
                    (event.target ? event.target->to_string() : "") + " " + event.reason + "\n";
        for (const auto& one : sent) {
            text += std::to_string((one.at) / 1ms) + " → " + std::to_string(one.server) + " " +
                    std::string(one.request.method_text()) + " " + std::to_string(one.answered);
            for (const auto& [uri, expires] : one.contacts)
                text += " " + uri + (expires == 0U ? " (out)" : "");
            text += "\n";
        }
        return text;
    }

    AccountConfig config;
    AccountState stored;
    std::map<int, Server> servers;
    std::vector<int> listed{1, 2, 3};
    dns::Status dns_status = dns::Status::ok;
    std::map<std::string, std::vector<int>> names{{"evil.test", {}}};  // all others: listed
    Duration names_delay{};
    Duration dns_ttl = 24h;  // nothing but the test moves anybody
    int nat_generation = 0;
    std::vector<std::pair<Instant, Event>> events;
    std::vector<Sent> sent;
    std::map<FlowId, bool> keep_alive;
    std::vector<Target> probed;
    std::vector<Target> stun_asked;
    bool ended = false;
    flow::Table flows;
    location::Health health;
    location::CandidatePool pool;
    std::optional<Resilient> resilient;
    Instant now{1000s};
    std::int64_t wall_clock_offset = 1'800'000'000;

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
        resilient->handle(
            told, Context{AccountId{1}, now, wall_clock_offset + (now - Instant{}) / 1s, random_,
                          health, pool, flows, addresses_, actions});
        for (auto& action : actions) std::visit([this](auto& a) { perform(a); }, action);
    }

    void perform(act::Ask& ask) {
        dns::Answer answer{.status = dns_status, .records = {}, .ttl = dns_ttl};
        const auto named = names.find(ask.question.name);
        const auto& there = named == names.end() ? listed : named->second;
        if (dns_status == dns::Status::ok && ask.question.type == dns::RecordType::a)
            for (const auto server : there) answer.records.emplace_back(address_of(server));
        later(named == names.end() ? Duration{} : names_delay, told::Dns{ask.question, answer});
    }
    void perform(act::Open& open) {
        auto* flow = flows.find(open.target, open.tls_name);
        if (flow == nullptr) {
            flow = &flows.open(open.target, open.tls_name, {});
            flow->opened(now, {addresses_.front(), 40000}, open.tls_name);
        }
        later({}, told::FlowOpen{flow->id, open.target});
    }
    void perform(act::Probe& probe) {
        probed.push_back(probe.target);
        const auto& server = servers[server_at(probe.target)];
        if (server.silent || !server.answers_options || server.answers_after > 2s)
            return later(2s, told::Probed{probe.target, ProbeResult::silent, {}, 0});
        later(server.answers_after,
              told::Probed{probe.target, ProbeResult::alive, server.answers_after, 200});
    }
    void perform(act::Send& send) {
        auto* flow = flows.find(send.flow);
        ASSERT_NE(flow, nullptr);
        auto request = sip::Message::parse(send.wire);
        ASSERT_TRUE(request.has_value()) << send.wire;
        auto& one = sent.emplace_back(
            Sent{.at = now - Instant{}, .server = server_at(flow->target), .request = {}});
        one.request = std::move(*request);
        for (const auto& contact : one.request.contacts())
            one.contacts.emplace_back(contact.uri.text, contact.expires);
        auto& server = servers[one.server];
        if (server.silent) return later(32s, told::Timeout{send.attempt});
        const auto reply = answer_to(one, server);
        if (reply.status == 0) return later(32s, told::Timeout{send.attempt});
        one.answered = reply.status;
        const bool repeated = !is_reliable(flow->target.transport) && server.answers_after >= t1;
        coming_.push_back(
            {now + server.answers_after,
             [this, text = text_of(one, reply), attempt = send.attempt, id = send.flow, repeated] {
                 const auto message = sip::Message::parse(text);
                 ASSERT_TRUE(message.has_value()) << text;
                 if (auto* back = flows.find(id)) {
                     back->heard(now);
                     note_mapping(*back);
                     deliver(told::Response{attempt, id, &*message, repeated});
                 }
             }});
    }
    void note_mapping(flow::Flow& flow) {
        const auto mapping = mapping_for(server_at(flow.target));
        flow.mapping.learn_stun(now, mapping, flow.target.endpoint, flow.target.endpoint);
    }
    Reply answer_to(const Sent& one, Server& server) const {
        if (server.script)
            if (auto scripted = server.script(one)) return std::move(*scripted);
        if (one.request.method() != sip::Method::register_) return {};
        const auto nonce = "n" + std::to_string(one.server) + "-";
        const auto challenge = [&] {
            ++server.nonce;
            return Reply{401, "WWW-Authenticate: Digest realm=\"example.test\", nonce=\"" + nonce +
                                  std::to_string(server.nonce) + "\", qop=\"auth\"\r\n"};
        };
        if (server.challenges) {
            if (!one.authorized()) return challenge();
            const auto known = sip::digest_credentials_of(one.request.authorizations().front());
            const sip::DigestIdentity alice{
                .username = "alice", .password = Redacted<std::string>(server.password), .ha1 = {}};
            if (!known || !known->nonce.starts_with(nonce) ||
                !sip::verify(*known, alice, "REGISTER", ""))
                return challenge();
        }
        std::string lines;
        for (const auto& contact : one.request.contacts()) {
            const std::string uri(contact.uri.text);
            server.bindings.erase(uri);
            if (contact.expires == 0U) continue;
            std::string parameters = ";expires=" + std::to_string(contact.expires.value_or(300));
            if (!contact.instance().empty())
                parameters += ";+sip.instance=\"<" + std::string(contact.instance()) + ">\"";
            server.bindings[uri] = parameters;
        }
        for (const auto& [uri, parameters] : server.bindings)
            lines += "Contact: <" + uri + ">" + parameters + "\r\n";
        return {200, lines};
    }
    static std::string text_of(const Sent& one, const Reply& reply) {
        const auto& request = one.request;
        return "SIP/2.0 " + std::to_string(reply.status) +
               " Words\r\nVia: " + std::string(request.top_via().text) +
               "\r\nFrom: " + std::string(request.from().text) +
               "\r\nTo: " + std::string(request.to().text) +
               ";tag=t\r\nCall-ID: " + std::string(request.call_id()) +
               "\r\nCSeq: " + std::to_string(request.cseq().number) + " " +
               std::string(request.method_text()) + "\r\n" + reply.lines +
               "Content-Length: 0\r\n\r\n";
    }
    void perform(act::Release&) {}
    void perform(act::AskStun& ask) { stun_asked.push_back(ask.server); }
    void perform(act::Abandon&) {}
    void perform(act::KeepAlive& keep) { keep_alive[keep.flow] = keep.on; }
    void perform(act::Store& store) {
        if (store.value.empty())
            stored.erase(store.key);
        else
            stored[store.key] = store.value;
    }
    void perform(act::EndCalls&) {}
    void perform(act::Unregistered&) { ended = true; }
    void perform(Event& event) { events.emplace_back(now, event); }

    Random random_{seed_from_number(7)};
    std::vector<IpAddress> addresses_{IpAddress::v4(10, 0, 0, 2)};
    std::vector<Coming> coming_;
};

}  // namespace holdfast::registration
