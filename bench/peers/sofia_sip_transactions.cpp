// sofia-sip's transactions (nta). They come with sockets: the agent's is on loopback, and so is
// ours, which plays the server. So their user-space part is counted (poll, send, receive), the
// kernel's is not. A request is handed over parsed and printed by nta: that is counted with the
// sending, parsing with the answer.
namespace holdfast::bench {
struct SofiaAgent;
}
#define NTA_OUTGOING_MAGIC_T holdfast::bench::SofiaAgent  // the type of a callback's argument
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/url.h>

#include <chrono>
#include <string>

#include "bench/loopback.h"
#include "bench/peers/peers.h"

struct holdfast::bench::SofiaAgent {
    std::unique_ptr<su_root_t, decltype(&su_root_destroy)> root{nullptr, su_root_destroy};
    std::unique_ptr<nta_agent_t, decltype(&nta_agent_destroy)> nta{nullptr, nta_agent_destroy};
    std::string server;  // its URI
    std::size_t answered = 0;
};

namespace {

using holdfast::bench::SofiaAgent;

constexpr unsigned t1_ms = 60'000;  // nothing is repeated, however slow valgrind is
constexpr unsigned t4_ms = 1'000;   // Timer K

int on_response(SofiaAgent* agent, nta_outgoing_t* transaction, const sip_t* response) {
    if (response != nullptr && response->sip_status->st_status >= 200) {
        ++agent->answered;
        nta_outgoing_destroy(transaction);  // it lives on until Timer K
    }
    return 0;
}

int ignore(nta_agent_magic_t*, nta_agent_t* agent, msg_t* message, sip_t*) {
    nta_msg_discard(agent, message);
    return 0;
}

// nta puts its own Via on top.
std::string without_via(std::string_view request) {
    std::string out(request);
    const auto begin = out.find("\r\nVia: ");
    return begin == std::string::npos ? out : out.erase(begin, out.find("\r\n", begin + 2) - begin);
}

}  // namespace

extern "C" __attribute__((noinline)) bool sofia_sip_transact(SofiaAgent& agent, msg_t* request) {
    return nta_outgoing_mcreate(agent.nta.get(), on_response, &agent,
                                URL_STRING_MAKE(agent.server.c_str()), request,
                                TAG_END()) != nullptr;
}

// A datagram is waiting.
extern "C" __attribute__((noinline)) void sofia_sip_transact_answered(SofiaAgent& agent) {
    su_root_step(agent.root.get(), 1'000);
}

extern "C" __attribute__((noinline)) void sofia_sip_transact_forgotten(SofiaAgent& agent) {
    su_root_step(agent.root.get(), t4_ms);
}

namespace holdfast::bench {
namespace {

class SofiaTransactions final : public PeerTransactions {
public:
    bool start() {
        if (!server_ || su_init() != 0) return false;
        agent_.server = "sip:127.0.0.1:" + std::to_string(server_->port());
        agent_.root.reset(su_root_create(nullptr));
        agent_.nta.reset(nta_agent_create(
            agent_.root.get(), URL_STRING_MAKE("sip:127.0.0.1:*;transport=udp"), ignore, nullptr,
            NTATAG_SIP_T1(t1_ms), NTATAG_SIP_T4(t4_ms), TAG_END()));
        return agent_.nta != nullptr;
    }

    // To an address nta sends at once: what it sent is there when it returns.
    std::string send(std::string_view request) override {
        const auto text = without_via(request);
        msg_t* message =
            msg_make(sip_default_mclass(), 0, text.data(), static_cast<ssize_t>(text.size()));
        if (message == nullptr) return {};
        if (!meter().count([&] { return sofia_sip_transact(agent_, message); })) return {};
        return std::string(server_->receive());
    }

    bool answer(std::string_view response) override {
        const auto before = agent_.answered;
        if (!server_->answer(response)) return false;
        for (int turns = 0; agent_.answered == before && turns < 10; ++turns)
            meter().count([this] { sofia_sip_transact_answered(agent_); });
        return agent_.answered > before;
    }

    std::size_t forget() override {
        using std::chrono::steady_clock;
        const auto end = steady_clock::now() + std::chrono::milliseconds{2 * t4_ms};
        while (steady_clock::now() < end)
            meter().count([this] { sofia_sip_transact_forgotten(agent_); });
        return agent_.answered;
    }

private:
    std::unique_ptr<LoopbackSocket> server_ = LoopbackSocket::open();
    SofiaAgent agent_;
};

}  // namespace

std::unique_ptr<PeerTransactions> sofia_sip_transactions(Datagrams) {
    auto transactions = std::make_unique<SofiaTransactions>();
    if (!transactions->start()) return nullptr;
    return transactions;
}

}  // namespace holdfast::bench
