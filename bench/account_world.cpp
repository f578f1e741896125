#include "bench/account_world.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "sip/message.h"

extern "C" __attribute__((noinline)) void holdfast_engine_handle(holdfast::Engine& engine,
                                                                 holdfast::Instant now,
                                                                 const holdfast::Input& input,
                                                                 holdfast::Outbox& outbox) {
    engine.handle(now, input, outbox);
}

namespace holdfast::bench {

using namespace std::chrono_literals;

namespace {

const Endpoint our_end{IpAddress::v4(192, 168, 1, 20), 40000};

EngineOptions options() {
    EngineOptions options;
    options.seed = seed_from_number(7);
    options.started = Instant{1h};
    options.wall_clock = 1'800'000'000;
    options.instance_per_account = true;  // as `holdfast run` has it
    return options;
}

}  // namespace

AccountWorld::AccountWorld(Registrars registrars) : registrars_(registrars), engine_(options()) {
    feed(in::NetworkChanged{{our_end.address}});
}

void AccountWorld::add(std::uint32_t number, const registration::Policy& policy) {
    registration::AccountConfig config;
    config.aor = "sip:" + std::to_string(100'000 + number) +
                 (registrars_ == Registrars::one ? "@203.0.113.11" : "@example.test");
    config.password = Redacted<std::string>{"not-a-secret"};
    config.transport = Transport::udp;
    config.policy = policy;
    feed(in::AddAccount{AccountId{number}, config});
}

void AccountWorld::run_for(Duration duration) {
    const Instant end = now_ + duration;
    while (true) {
        const Instant coming = later_.empty() ? never : later_.begin()->first;
        const Instant due = engine_.next_deadline().at;
        if (std::min(coming, due) > end) break;
        now_ = std::max(now_, std::min(coming, due));
        if (coming <= due) {
            const Input input = std::move(later_.extract(later_.begin()).mapped());
            feed(input);
        } else {
            feed(in::Time{});
        }
    }
    now_ = end;
}

void AccountWorld::feed(const Input& input) {
    Outbox outbox;
    holdfast_engine_handle(engine_, now_, input, outbox);
    for (auto& output : outbox.take()) std::visit([&](auto& it) { perform(it); }, output);
}

void AccountWorld::later(Duration delay, Input input) {
    later_.emplace(now_ + delay, std::move(input));
}

void AccountWorld::perform(const out::OpenFlow& open) {
    later(0us, in::FlowOpened{open.flow, our_end, open.tls_name});
}

void AccountWorld::perform(const out::Resolve& resolve) {
    dns::Answer answer{dns::Status::nxdomain, {}, 1h};
    if (resolve.question.type == dns::RecordType::a)
        answer = {dns::Status::ok,
                  {IpAddress::v4(203, 0, 113, 11), IpAddress::v4(203, 0, 113, 12),
                   IpAddress::v4(203, 0, 113, 13)},
                  1h};
    later(5ms, in::DnsAnswer{resolve.query, std::move(answer)});
}

void AccountWorld::perform(const out::Send& send) {
    if (send.bytes.starts_with("REGISTER ")) ++registers_;
    auto answer = registrar_.answer(send.bytes);
    if (!answer.empty()) later(20ms, in::Received{send.flow, std::move(answer)});
}

void AccountWorld::perform(const Event& event) {
    if (event.kind == EventKind::registered) ++registered_;
    if (event.kind == EventKind::reachable) ++proven_;
}

}  // namespace holdfast::bench
