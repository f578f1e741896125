// What one stateful transaction costs: a REGISTER of 700 octets is sent, answered, and forgotten by
// Timer K (RFC 3261 §17.1.2), through the engine's transaction desk; the answer is parsed. One line
// `name value` a figure. The kernel's part is not in it.
//
//     transaction_bench      100,000 that are all outstanding at once: memory, CPU
//     transaction_bench N    the same with N; callgrind counts holdfast_transact
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bench/cost.h"
#include "bench/scripted_registrar.h"
#include "bench/traffic.h"
#include "engine/test_bench.h"
#include "engine/transaction_desk.h"

namespace {

namespace engine = holdfast::engine;
namespace sip = holdfast::sip;
using holdfast::AccountId;
using holdfast::registration::AttemptId;
using holdfast::registration::act::Send;

struct Desk {
    engine::Bench bench;
    engine::TransactionDesk transactions;
    holdfast::FlowId flow = bench.open_flow(AccountId{1}, engine::udp_target(11));
};

// Like the pattern, with a branch of its own.
Send request(std::uint32_t number, const std::string& pattern, Desk& desk) {
    const auto parsed = sip::Message::parse(pattern);
    const std::string_view old_branch = parsed->top_via().branch;
    Send send{.attempt = AttemptId{number},
              .flow = desk.flow,
              .branch = "z9hG4bK" + desk.bench.random.token(96),
              .wire = pattern,
              .call_id = std::string(parsed->call_id()),
              .cseq = parsed->cseq().number};
    send.wire.replace(pattern.find(old_branch), old_branch.size(), send.branch);
    return send;
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

int main(int count, char** arguments) {
    const auto number =
        count > 1 ? static_cast<std::uint32_t>(std::strtoul(arguments[1], nullptr, 10)) : 100'000U;
    Desk desk;
    const auto pattern = holdfast::bench::read_message("a_register.sip");
    holdfast::bench::ScriptedRegistrar registrar;
    std::vector<Send> requests;
    std::vector<std::string> answers;
    for (std::uint32_t i = 1; i <= number; ++i) {
        requests.push_back(request(i, pattern, desk));
        answers.push_back(registrar.answer(requests.back().wire));
    }
    const auto before = holdfast::bench::bytes_in_use();
    const auto begin = holdfast::bench::cpu_seconds();
    for (const auto& one : requests) holdfast_transact(desk, one);
    const auto held = holdfast::bench::bytes_in_use() - before;
    bool answered = true;
    for (const auto& answer : answers)
        answered = holdfast_transact_answered(desk, answer) && answered;
    holdfast_transact_forgotten(desk);
    const auto end = holdfast::bench::cpu_seconds();
    if (!answered || desk.transactions.size() != 0) {
        std::fprintf(stderr, "transaction_bench: %zu of %u are left, %s answered\n",
                     desk.transactions.size(), number, answered ? "all" : "not all");
        return 1;
    }
    holdfast::bench::show("transaction_bytes", static_cast<double>(held) / number);
    holdfast::bench::show("transaction_cpu_us", (end - begin) * 1e6 / number);
    return 0;
}
