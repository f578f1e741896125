// What a stateful client transaction costs with the kernel's part: user and system time of the
// client's thread, for ours, for the libraries of others that are built in, and for the sockets
// alone (poll, send and receive of the same texts). Each sends REGISTERs over UDP on loopback to a
// server that is not counted, reads the answers one by one, and lets Timer K pass (RFC 3261
// §17.1.2). Turn by turn, so that whatever else the machine does hits all. One line `name value` a
// figure, in microseconds a transaction.
//
//     transaction_cpu_bench [TURNS]      5 turns of 100 and of 1,000 that are outstanding at once
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bench/cost.h"
#include "bench/loopback.h"
#include "bench/peers/peers.h"
#include "bench/scripted_registrar.h"
#include "bench/transaction_requests.h"
#include "engine/test_bench.h"
#include "engine/transaction_desk.h"
#include "runtime/flows.h"
#include "runtime/loop.h"

namespace {

using namespace std::chrono_literals;
namespace bench = holdfast::bench;
namespace engine = holdfast::engine;
namespace in = holdfast::in;
namespace out = holdfast::out;
namespace runtime = holdfast::runtime;
using bench::LoopbackSocket;
using bench::PeerTransactions;
using holdfast::AccountId;

constexpr std::array at_once = {100U, 1'000U};
const holdfast::IpAddress loopback = holdfast::IpAddress::v4(127, 0, 0, 1);

// The engine's desk of transactions and the runtime's sockets and loop; the driver's queue between
// them is not in it, nor is the state file.
class HoldfastTransactions final : public PeerTransactions {
public:
    bool start() {
        server_ = LoopbackSocket::open();
        if (!server_) return false;
        const holdfast::Target target{holdfast::Transport::udp, {loopback, server_->port()}};
        desk_.flows.open(desk_.step(), AccountId{1}, target, {});
        flow_ = desk_.flows.find(target, {})->id;
        for (const auto& open : desk_.take_outputs<out::OpenFlow>()) sockets_.open(open);
        return loop_.run_until([this] { return opened_; }, 1s);
    }

    std::string send(std::string_view) override {
        const auto request = bench::to_send(++number_, requests_.next(), flow_);
        meter().count([&] {
            transactions_.send(desk_.step(), desk_.flow(flow_), AccountId{1}, request);
            for (const auto& output : desk_.outbox.take())
                if (const auto* send = std::get_if<out::Send>(&output))
                    sockets_.send(send->flow, send->bytes);
        });
        return std::string(server_->receive());
    }

    bool answer(std::string_view response) override {
        const auto wanted = answered_ + 1;
        if (!server_->answer(response)) return false;
        return meter().count(
            [&] { return loop_.run_until([&] { return answered_ == wanted; }, 1s); });
    }

    std::size_t forget() override {
        meter().count([this] {
            desk_.now = transactions_.next_deadline().at;  // Timer K
            (void)transactions_.on_time(desk_.step());
        });
        return answered_ - transactions_.size();
    }

private:
    void happened(const holdfast::Input& input) {
        if (const auto* opened = std::get_if<in::FlowOpened>(&input))
            opened_ =
                desk_.flows.on_opened(desk_.step(), opened->flow, opened->local, {}) != nullptr;
        const auto* received = std::get_if<in::Received>(&input);
        if (received == nullptr) return;
        const auto message = holdfast::sip::Message::parse(received->bytes);
        if (message && transactions_.on_response(desk_.step(), received->flow, *message))
            ++answered_;
    }

    std::unique_ptr<LoopbackSocket> server_;
    runtime::Loop loop_;
    engine::Bench desk_;
    engine::TransactionDesk transactions_;
    runtime::Flows sockets_{loop_,
                            {.local = loopback, .wanted_ports = {}, .tls = {}},
                            {.happened = [this](const holdfast::Input& input) { happened(input); },
                             .traffic = [](const holdfast::runtime::Traffic&) {},
                             .notice = [](const std::string&) {},
                             .port_chosen = [](holdfast::Family, std::uint16_t) {}}};
    bench::TransactionRequests requests_;
    holdfast::FlowId flow_;
    std::uint32_t number_ = 0;
    std::size_t answered_ = 0;
    bool opened_ = false;
};

// What no client over these sockets can be cheaper than.
class NoTransactions final : public PeerTransactions {
public:
    bool start() { return client_ && server_; }
    std::string send(std::string_view request) override {
        meter().count([&] { return client_->send_to(server_->port(), request); });
        return std::string(server_->receive());
    }
    bool answer(std::string_view response) override {
        if (!server_->answer(response)) return false;
        const bool came = meter().count([&] { return !client_->receive().empty(); });
        answered_ += came ? 1 : 0;
        return came;
    }
    std::size_t forget() override { return answered_; }

private:
    std::unique_ptr<LoopbackSocket> client_ = LoopbackSocket::open();
    std::unique_ptr<LoopbackSocket> server_ = LoopbackSocket::open();
    std::size_t answered_ = 0;
};

template <class Transactions>
std::unique_ptr<PeerTransactions> started() {
    auto transactions = std::make_unique<Transactions>();
    if (!transactions->start()) return nullptr;
    return transactions;
}

struct Contender {
    std::string name;
    std::function<std::unique_ptr<PeerTransactions>()> start;
};

std::vector<Contender> contenders() {
    std::vector<Contender> all{{"holdfast", started<HoldfastTransactions>},
                               {"sockets_alone", started<NoTransactions>}};
    for (const auto& peer : bench::peers())
        if (peer.transactions != nullptr)
            all.push_back({std::string(peer.name),
                           [&peer] { return peer.transactions(bench::Datagrams::sent); }});
    return all;
}

// Microseconds a transaction; negative: not all of them worked.
double cpu_us(const Contender& contender, unsigned number) {
    const auto transactions = contender.start();
    if (!transactions) return -1;
    bench::TransactionRequests requests;
    bench::ScriptedRegistrar registrar;
    std::vector<std::string> answers(number);
    // Sent and received at once: the server's buffer does not run over.
    for (auto& answer : answers)
        answer = registrar.answer(transactions->send(requests.next().wire));
    std::size_t answered = 0;
    for (const auto& answer : answers)
        if (!answer.empty() && transactions->answer(answer)) ++answered;
    const auto over = transactions->forget();
    if (answered != number || over != number) return -1;
    return transactions->cpu_seconds() * 1e6 / number;
}

}  // namespace

int main(int count, char** arguments) {
    const auto turns = count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 5UL;
    const auto all = contenders();
    std::map<std::string, std::vector<double>> taken;
    for (unsigned long turn = 0; turn < turns; ++turn) {
        for (const auto number : at_once) {
            for (const auto& contender : all) {
                const auto cost = cpu_us(contender, number);
                const auto name = contender.name + "_transaction_cpu_us_" + std::to_string(number);
                taken[name].push_back(cost);
                if (cost >= 0) continue;
                std::fprintf(stderr, "transaction_cpu_bench: %s failed\n", name.c_str());
                return 1;
            }
        }
    }
    for (auto& [name, costs] : taken) {
        std::ranges::sort(costs);
        bench::show((name + "_at_once_least").c_str(), costs.front());
        bench::show((name + "_at_once_median").c_str(), costs[costs.size() / 2]);
        bench::show((name + "_at_once_most").c_str(), costs.back());
    }
    return 0;
}
