// For the tests of the whole engine: a driver that opens what it is asked to, answers DNS from a
// table, and lets a scripted server answer after 10 ms. Everything in virtual time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/engine.h"
#include "engine/test_bench.h"

namespace holdfast::engine {

class Driver {
public:
    explicit Driver(std::uint64_t seed = 7, EngineOptions options = {})
        : engine_([&] {
              options.seed = seed_from_number(seed);
              options.started = now;
              options.wall_clock = 1'800'000'000;
              return std::move(options);
          }()) {
        feed(in::NetworkChanged{{our_end.address}});
    }

    Instant now{1h};
    std::vector<std::pair<Instant, Event>> events;
    std::vector<std::pair<Target, std::string>> sent;
    std::vector<dns::Question> asked;
    std::vector<std::pair<FlowId, Target>> opened;
    std::vector<FlowId> closed;
    State stored;
    std::string trace;
    std::map<dns::Question, dns::Answer> zone;
    Duration zone_delay = 5ms;
    std::string mapping = ";received=198.51.100.7;rport=13450";
    std::set<Target> silent;
    std::set<Target> refusing;  // UDP: ICMP port unreachable

    Engine& engine() { return engine_; }
    void feed(const Input& input) {
        Outbox outbox;
        engine_.handle(now, input, outbox);
        for (auto& output : outbox.take()) std::visit([&](auto& it) { perform(it); }, output);
    }
    void run_until(Instant end) {
        for (int steps = 0; steps < 100'000; ++steps) {
            const Instant coming = later_.empty() ? never : later_.begin()->first;
            const Instant due = engine_.next_deadline().at;
            const Instant next = std::max(now, std::min(coming, due));
            if (std::min(coming, due) > end) break;
            now = next;
            if (coming <= due) {
                const Input input = std::move(later_.begin()->second);
                later_.erase(later_.begin());
                feed(input);
            } else {
                feed(in::Time{});
                ASSERT_GT(engine_.next_deadline().at, now) << engine_.next_deadline().reason;
            }
        }
        now = end;
    }
    void run_for(Duration duration) { run_until(now + duration); }

    void add(AccountId id, const std::string& aor,
             std::optional<Transport> transport = Transport::udp,
             const std::function<void(registration::Policy&)>& tune = {}) {
        registration::AccountConfig config;
        config.aor = aor;
        config.transport = transport;
        if (tune) tune(config.policy);
        feed(in::AddAccount{id, config});
    }
    void resolve(const std::string& name, const std::vector<IpAddress>& addresses) {
        auto& answer = zone[{.name = name, .type = dns::RecordType::a}];
        answer = {dns::Status::ok, {addresses.begin(), addresses.end()}, 60s};
    }
    [[nodiscard]] std::size_t count(EventKind kind) const {
        std::size_t found = 0;
        for (const auto& [at, event] : events) found += event.kind == kind ? 1U : 0U;
        return found;
    }
    [[nodiscard]] const Event* last(EventKind kind) const {
        const Event* found = nullptr;
        for (const auto& [at, event] : events)
            if (event.kind == kind) found = &event;
        return found;
    }
    [[nodiscard]] std::size_t requests(std::string_view method) const {
        std::size_t found = 0;
        for (const auto& [target, text] : sent) found += text.starts_with(method) ? 1U : 0U;
        return found;
    }
    [[nodiscard]] std::string words() const {
        std::string out;
        for (const auto& [at, event] : events)
            out += std::to_string(seconds_of(at - Instant{1h})) + " " +
                   std::string(name_of(event.kind)) + " " + event.reason + "\n";
        return out;
    }
    [[nodiscard]] FlowId flow_to(const Target& target) const {
        FlowId found;
        for (const auto& [flow, to] : opened)
            if (to == target) found = flow;
        return found;
    }

private:
    void perform(const out::OpenFlow& open) {
        opened.emplace_back(open.flow, open.target);
        note("open " + open.target.to_string());
        feed_later(0us, in::FlowOpened{open.flow, our_end, open.tls_name});
    }
    void perform(const out::CloseFlow& close) {
        closed.push_back(close.flow);
        note("close");
    }
    void perform(const out::Resolve& resolve) {
        asked.push_back(resolve.question);
        note("resolve " + resolve.question.name);
        const auto found = zone.find(resolve.question);
        dns::Answer answer{dns::Status::nxdomain, {}, 60s};
        if (found != zone.end()) answer = found->second;
        feed_later(zone_delay, in::DnsAnswer{resolve.query, answer});
    }
    void perform(const out::Store& store) {
        note("store " + store.key + "=" + store.value);
        if (store.value.empty()) {
            stored.erase(store.key);
        } else {
            stored[store.key] = store.value;
        }
    }
    void perform(const Event& event) {
        note(std::string(name_of(event.kind)) + " " + event.reason);
        events.emplace_back(now, event);
    }
    void perform(const out::Send& send) {
        Target target;
        for (const auto& [flow, to] : opened)
            if (flow == send.flow) target = to;
        note("send " + target.to_string() + " " + send.bytes);
        sent.emplace_back(target, send.bytes);
        if (silent.contains(target)) return;
        if (refusing.contains(target))
            return feed_later(1ms, in::FlowFailed{send.flow, FlowError::port_unreachable, ""});
        const auto message = sip::Message::parse(send.bytes);
        if (!message || !message->is_request() || message->method() == sip::Method::ack) return;
        std::string contacts;
        for (const auto& contact : message->contacts()) {
            const auto expires = contact.expires.value_or(message->expires().value_or(300));
            if (expires == 0 || message->method() != sip::Method::register_) continue;
            std::string text(contact.text);
            if (!contact.expires) text += ";expires=" + std::to_string(expires);
            contacts += "Contact: " + text + "\r\n";
        }
        feed_later(10ms, in::Received{send.flow, answer_to(send.bytes, 200, contacts, mapping)});
    }
    void feed_later(Duration delay, Input input) { later_.emplace(now + delay, std::move(input)); }
    void note(const std::string& line) {
        trace += std::to_string((now - Instant{}).count()) + " " + line + "\n";
    }

    Engine engine_;
    std::multimap<Instant, Input> later_;
};

}  // namespace holdfast::engine
