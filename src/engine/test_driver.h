// For the tests of the whole engine: a driver that opens what it is asked to, answers DNS from a
// table, and lets a scripted server answer after 10 ms. Everything in virtual time.
//
// Every test's life is lived again with the n-th send, connect or DNS answer failing
// (base/test_host_fault.h): when the test is done with it, the world heals, and the engine must
// have overcome the fault.
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
#include "engine/test_promises.h"

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
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;
    ~Driver() {
        if (!fault_ || !fault_->has_come()) return;
        note_host_fault_has_come();
        live_on();
    }

    Instant now{1h};
    std::vector<std::pair<Instant, Event>> events;
    std::vector<std::pair<Target, std::string>> sent;
    std::vector<dns::Question> asked;
    std::vector<std::pair<FlowId, Target>> opened;
    std::vector<std::string> tls_names;  // of these, in the same order
    std::vector<FlowId> closed;
    State stored;
    std::vector<out::Media> media;
    std::string trace;
    std::map<dns::Question, dns::Answer> zone;
    Duration zone_delay = 5ms;
    std::string mapping = ";received=198.51.100.7;rport=13450";
    std::string granted_parameters;  // of each Contact that a 200 to REGISTER lists: ";pub-gruu=…"
    std::string registered_headers;  // of a 200 to REGISTER, complete lines
    std::set<Target> silent;
    std::set<Target> refusing;  // UDP: ICMP port unreachable
    std::set<Target> cut_off;   // a connection there is neither made nor refused

    Engine& engine() { return engine_; }
    void feed(const Input& input) {
        promises_.on_input(input);
        Outbox outbox;
        try {
            engine_.handle(now, input, outbox);
        } catch (const std::exception& error) {
            complain(std::string("an exception came out of the engine: ") + error.what());
            throw;
        }
        for (auto& output : outbox.take()) std::visit([&](auto& it) { perform(it); }, output);
        promises_.after_step(now, input, engine_);
    }
    void run_until(Instant end) {
        for (int steps = 0;; ++steps) {
            const Instant coming = later_.empty() ? never : later_.begin()->first;
            const auto deadline = engine_.next_deadline();
            if (std::min(coming, deadline.at) > end) break;
            if (steps == 100'000) {
                complain("never idle: " + std::string(deadline.reason));
                break;
            }
            now = std::max(now, std::min(coming, deadline.at));
            if (coming <= deadline.at) {
                const Input input = std::move(later_.begin()->second);
                later_.erase(later_.begin());
                feed(input);
            } else {
                feed(in::Time{});
                if (engine_.next_deadline().at <= now) break;  // complained of
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
    // These throw, which fails a test, if there is none.
    [[nodiscard]] AccountStatus status(AccountId id) const { return engine_.status(id).value(); }
    [[nodiscard]] const std::string& last_sent() const { return sent.at(sent.size() - 1).second; }
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
    bool fails(HostFault kind) {
        if (!fault_ || !fault_->fails_now(kind)) return false;
        note("the host fails");
        return true;
    }
    void perform(const out::OpenFlow& open) {
        opened.emplace_back(open.flow, open.target);
        tls_names.push_back(open.tls_name);
        note("open " + open.target.to_string());
        const bool is_stream = is_reliable(open.target.transport);
        if (cut_off.contains(open.target)) return;
        if (fails(HostFault::open_refused))
            return feed_later(
                0us, in::FlowFailed{open.flow,
                                    is_stream ? FlowError::refused : FlowError::network_unreachable,
                                    "the host fails"});
        if (is_stream && fails(HostFault::open_times_out))
            return feed_later(10s,
                              in::FlowFailed{open.flow, FlowError::timed_out, "the host fails"});
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
        if (fails(HostFault::dns_servfail)) answer = {dns::Status::servfail, {}, {}};
        if (fails(HostFault::dns_times_out))
            return feed_later(
                10s, in::DnsAnswer{resolve.query, dns::Answer{dns::Status::timed_out, {}, {}}});
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
    void perform(const out::Media& given) {
        note(std::string("media ") + (given.agreed ? "agreed" : "ended"));
        media.push_back(given);
    }
    void perform(const Event& event) {
        note(std::string(name_of(event.kind)) + " " + event.reason);
        promises_.on_event(now, event);
        events.emplace_back(now, event);
    }
    void perform(const out::Send& send) {
        Target target;
        for (const auto& [flow, to] : opened)
            if (flow == send.flow) target = to;
        note("send " + target.to_string() + " " + send.bytes);
        sent.emplace_back(target, send.bytes);
        promises_.on_send(now, target, send.bytes);
        if (broken_.contains(send.flow) || fails_to_send(send.flow, target)) return;
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
            contacts += "Contact: " + text + granted_parameters + "\r\n";
        }
        if (message->method() == sip::Method::register_) contacts += registered_headers;
        feed_later(10ms, in::Received{send.flow, answer_to(send.bytes, 200, contacts, mapping)});
    }
    // As a host does it: a lost datagram is silence, a stream that loses anything is broken.
    bool fails_to_send(FlowId flow, const Target& target) {
        const bool lost = fails(HostFault::send_lost);
        if (!lost && !fails(HostFault::send_refused)) return false;
        if (is_reliable(target.transport)) {
            broken_.insert(flow);
            feed_later(0us, in::FlowClosed{flow, FlowError::reset, "the host fails"});
        } else if (!lost) {
            feed_later(0us, in::FlowFailed{flow, FlowError::network_unreachable, "the host fails"});
        }
        return true;
    }

    // The world heals. Who was shut down has ended; everybody else is registered, or has said why
    // not and is soon; and a server that dies then is noticed.
    void live_on() {
        const auto story = [this] { return "\n" + words() + trace; };
        silent.clear();
        refusing.clear();
        zone_delay = 5ms;
        note("the world heals");
        promises_.on_heal(now);
        if (promises_.is_shut_down()) {
            run_for(3s);  // B4: 2 s at most
            if (count(EventKind::stopped) != 1) complain("it does not stop" + story());
            if (engine_.next_deadline().at != never)
                complain("it has stopped, and waits: " +
                         std::string(engine_.next_deadline().reason));
            return;
        }
        const Instant longest_wait = now + 1h;  // S1, F5: half an hour at most
        run_for(35s);                           // I1
        for (const AccountId id : promises_.accounts()) {
            // Whoever waits longer has said until when; after that the 35 s count anew.
            while (!is_registered(id) && now < promises_.excused_until(id) + 35s &&
                   now < longest_wait)
                run_until(std::min(promises_.excused_until(id) + 35s, longest_wait));
            if (!is_registered(id)) {
                complain("it is not registered, and does not say why" + story());
                continue;
            }
            for (const auto& binding : status(id).bindings)
                if (binding.target && broken_.contains(flow_to(*binding.target)))
                    complain("it is registered over a connection that is gone" + story());
        }
        die_unnoticed();
        promises_.check_rates();
    }
    [[nodiscard]] bool is_registered(AccountId id) const {
        const auto status = engine_.status(id);
        return status && status->registered;
    }
    // K1, K2: over UDP a server that dies is doubted within 29 s + 2 s, for the next keep-alive is
    // always on its way.
    void die_unnoticed() {
        std::set<AccountId> watchful;
        for (const AccountId id : promises_.accounts())
            if (const auto status = engine_.status(id))
                for (const auto& binding : status->bindings)
                    if (binding.target && !is_reliable(binding.target->transport)) {
                        silent.insert(*binding.target);
                        watchful.insert(id);
                    }
        const auto before = events.size();
        run_for(32s);
        for (auto i = before; i < events.size(); ++i) watchful.erase(events[i].second.account);
        if (!watchful.empty())
            complain("its server has died, and it does not notice\n" + words() + trace);
    }

    void feed_later(Duration delay, Input input) { later_.emplace(now + delay, std::move(input)); }
    void note(const std::string& line) {
        trace += std::to_string((now - Instant{}).count()) + " " + line + "\n";
    }

    Engine engine_;
    std::optional<HostFaultPlan> fault_ = wanted_host_fault();
    Promises promises_;
    std::set<FlowId> broken_;
    std::multimap<Instant, Input> later_;
};

}  // namespace holdfast::engine
