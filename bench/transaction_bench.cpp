// What one stateful transaction costs: a REGISTER of 700 octets is sent, answered, and forgotten by
// Timer K (RFC 3261 §17.1.2), through the engine's transaction desk; the answer is parsed. One line
// `name value` a figure. The kernel's part is not in it (transaction_cpu_bench has it).
//
//     transaction_bench           100,000 that are all outstanding at once: memory, CPU
//     transaction_bench N         the same with N; callgrind counts holdfast_transact
//     transaction_bench N printed the same, and each REGISTER is printed first, from typed values,
//                                 as others have it in theirs
//     transaction_bench N PEER    N of another library, PEER_transact; see bench/peers for what is
//                                 in it
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/cost.h"
#include "bench/peers/peers.h"
#include "bench/register_text.h"
#include "bench/scripted_registrar.h"
#include "bench/transaction_requests.h"
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
using holdfast::bench::TransactionRequests;
using holdfast::registration::act::Send;

struct Desk {
    engine::Bench bench;
    engine::TransactionDesk transactions;
    holdfast::FlowId flow = bench.open_flow(AccountId{1}, engine::udp_target(11));
};

// The texts between us and the peer are not in the memory that it holds.
int run_peer(const holdfast::bench::Peer& peer, std::uint32_t number) {
    const auto transactions = peer.transactions != nullptr
                                  ? peer.transactions(holdfast::bench::Datagrams::carried)
                                  : nullptr;
    if (!transactions) {
        std::fprintf(stderr, "transaction_bench: %s could not be started\n", peer.name.data());
        return 1;
    }
    TransactionRequests requests;
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

extern "C" __attribute__((noinline)) void holdfast_transact_printed(Desk& desk,
                                                                    const Send& request) {
    constexpr std::size_t usual_request = 1024;  // octets, as the registration reserves
    Send printed{.attempt = request.attempt,
                 .flow = request.flow,
                 .branch = request.branch,
                 .wire = {},
                 .call_id = request.call_id,
                 .cseq = request.cseq};
    printed.wire.reserve(usual_request);
    holdfast::bench::write_register(printed.wire, printed.branch, printed.call_id);
    desk.transactions.send(desk.bench.step(), desk.bench.flow(desk.flow), AccountId{1},
                           std::move(printed));
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

enum class Request : std::uint8_t { as_text, printed };

// What is printed is what else would be copied.
bool prints(const Send& request) {
    std::string printed;
    holdfast::bench::write_register(printed, request.branch, request.call_id);
    return printed == request.wire;
}

int run_ours(std::uint32_t number, Request how) {
    Desk desk;
    TransactionRequests requests;
    ScriptedRegistrar registrar;
    std::vector<Send> sends;
    std::vector<std::string> answers;
    for (std::uint32_t i = 1; i <= number; ++i) {
        sends.push_back(holdfast::bench::to_send(i, requests.next(), desk.flow));
        answers.push_back(registrar.answer(sends.back().wire));
    }
    if (how == Request::printed && !prints(sends.front())) {
        std::fputs("transaction_bench: what is printed is not the REGISTER in the file\n", stderr);
        return 1;
    }
    const auto before = bytes_in_use();
    const auto begin = cpu_seconds();
    for (const auto& one : sends)
        how == Request::printed ? holdfast_transact_printed(desk, one)
                                : holdfast_transact(desk, one);
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
    if (count < 3) return run_ours(number, Request::as_text);
    if (std::string_view(arguments[2]) == "printed") return run_ours(number, Request::printed);
    if (const auto* peer = holdfast::bench::find_peer(arguments[2])) return run_peer(*peer, number);
    std::fprintf(stderr, "transaction_bench: \"%s\" is not built in\n", arguments[2]);
    return 2;
}
