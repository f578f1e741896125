// What one stateful transaction costs: a REGISTER of 700 octets is sent, answered, and forgotten by
// Timer K (RFC 3261 §17.1.2), through the engine's transaction desk; the answer is parsed. One line
// `name value` a figure. The kernel's part is not in it.
//
//     transaction_bench           100,000 that are all outstanding at once: memory, CPU
//     transaction_bench N         the same with N; callgrind counts holdfast_transact
//     transaction_bench N PEER    N of another library, PEER_transact; see bench/peers for what is
//     in it
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/cost.h"
#include "bench/peers/peers.h"
#include "bench/scripted_registrar.h"
#include "bench/traffic.h"
#include "engine/test_bench.h"
#include "engine/transaction_desk.h"

namespace {

namespace engine = holdfast::engine;
namespace sip = holdfast::sip;
using holdfast::AccountId;
using holdfast::bench::bytes_in_use;
using holdfast::bench::cpu_seconds;
using holdfast::bench::ScriptedRegistrar;
using holdfast::bench::show;
using holdfast::registration::AttemptId;
using holdfast::registration::act::Send;

struct Desk {
    engine::Bench bench;
    engine::TransactionDesk transactions;
    holdfast::FlowId flow = bench.open_flow(AccountId{1}, engine::udp_target(11));
};

// The REGISTER with a branch and a Call-ID of its own: some look for transactions by the one, some
// by the other.
class Requests {
public:
    struct Request {
        std::string wire;
        std::string branch;
        std::string call_id;
        std::uint32_t cseq;
    };
    Request next() {
        Request request{pattern_, "z9hG4bK" + drawn(), drawn() + drawn(), parsed_.cseq().number};
        replace(request.wire, parsed_.top_via().branch, request.branch);
        replace(request.wire, parsed_.call_id(), request.call_id);
        return request;
    }

private:
    std::string drawn() {
        std::array<char, 17> hex{};
        std::snprintf(hex.data(), hex.size(), "%016llx",
                      static_cast<unsigned long long>(random_()));
        return hex.data();
    }
    static void replace(std::string& text, std::string_view old, std::string_view with) {
        text.replace(text.find(old), old.size(), with);
    }

    std::mt19937_64 random_{2026};
    std::string pattern_ = holdfast::bench::read_message("a_register.sip");
    sip::Message parsed_ = sip::Message::parse(pattern_).value();
};

Send to_send(std::uint32_t number, Requests::Request request, holdfast::FlowId flow) {
    return {.attempt = AttemptId{number},
            .flow = flow,
            .branch = std::move(request.branch),
            .wire = std::move(request.wire),
            .call_id = std::move(request.call_id),
            .cseq = request.cseq};
}

// The texts between us and the peer are not in the memory that it holds.
int run_peer(const holdfast::bench::Peer& peer, std::uint32_t number) {
    const auto transactions = peer.transactions();
    if (!transactions) {
        std::fprintf(stderr, "transaction_bench: %s could not be started\n", peer.name.data());
        return 1;
    }
    Requests requests;
    ScriptedRegistrar registrar;
    std::vector<std::string> answers(number);
    std::size_t held = 0;
    for (auto& answer : answers) {
        const auto request = requests.next();
        const auto before = bytes_in_use();
        const auto wire = transactions->send(request.wire);
        held += bytes_in_use() - before - wire.capacity();
        answer = registrar.answer(wire);
    }
    std::size_t answered = 0;
    for (const auto& answer : answers)
        if (transactions->answer(answer)) ++answered;
    const auto over = transactions->forget();
    if (answered == number && over == number) {
        show("transaction_bytes", static_cast<double>(held) / number);
        return 0;
    }
    std::fprintf(stderr, "transaction_bench: of %u of %s %zu were answered and %zu are over\n",
                 number, peer.name.data(), answered, over);
    return 1;
}

}  // namespace

extern "C" __attribute__((noinline)) void holdfast_transact(Desk& desk, const Send& request) {
    desk.transactions.send(desk.bench.step(), desk.bench.flow(desk.flow), AccountId{1}, request);
    desk.bench.outbox.clear();
}

extern "C" __attribute__((noinline)) bool holdfast_transact_answered(Desk& desk,
                                                                     std::string_view answer) {
    const auto message = sip::Message::parse(answer);
    return message && desk.transactions.on_response(desk.bench.step(), desk.flow, *message);
}

extern "C" __attribute__((noinline)) void holdfast_transact_forgotten(Desk& desk) {
    desk.bench.now = desk.transactions.next_deadline().at;
    (void)desk.transactions.on_time(desk.bench.step());
}

namespace {

int run_ours(std::uint32_t number) {
    Desk desk;
    Requests requests;
    ScriptedRegistrar registrar;
    std::vector<Send> sends;
    std::vector<std::string> answers;
    for (std::uint32_t i = 1; i <= number; ++i) {
        sends.push_back(to_send(i, requests.next(), desk.flow));
        answers.push_back(registrar.answer(sends.back().wire));
    }
    const auto before = bytes_in_use();
    const auto begin = cpu_seconds();
    for (const auto& one : sends) holdfast_transact(desk, one);
    const auto held = bytes_in_use() - before;
    bool answered = true;
    for (const auto& answer : answers)
        answered = holdfast_transact_answered(desk, answer) && answered;
    holdfast_transact_forgotten(desk);
    const auto end = cpu_seconds();
    if (!answered || desk.transactions.size() != 0) {
        std::fprintf(stderr, "transaction_bench: %zu of %u are left, %s answered\n",
                     desk.transactions.size(), number, answered ? "all" : "not all");
        return 1;
    }
    show("transaction_bytes", static_cast<double>(held) / number);
    show("transaction_cpu_us", (end - begin) * 1e6 / number);
    return 0;
}

}  // namespace

int main(int count, char** arguments) {
    const auto number =
        count > 1 ? static_cast<std::uint32_t>(std::strtoul(arguments[1], nullptr, 10)) : 100'000U;
    if (count < 3) return run_ours(number);
    if (const auto* peer = holdfast::bench::find_peer(arguments[2])) return run_peer(*peer, number);
    std::fprintf(stderr, "transaction_bench: \"%s\" is not built in\n", arguments[2]);
    return 2;
}
