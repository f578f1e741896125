// osip2's transaction machine. It has no sockets: a callback hands the request over, parsed, and
// whoever sends it prints it; that is counted with the sending, parsing with the answer. Where
// datagrams are sent, its socket is ours, read as a program's loop would that finds one. Its
// machine runs once over all answers that have come, as a program's loop does that finds many
// datagrams.
#include <sys/time.h>
// osip.h needs its timeval.
#include <osip2/osip.h>
// osip_message.h needs its types.
#include <osipparser2/osip_message.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "bench/loopback.h"
#include "bench/peers/peers.h"

namespace {

struct Seen {
    std::unique_ptr<holdfast::bench::LoopbackSocket> client;  // null: datagrams are carried
    std::unique_ptr<holdfast::bench::LoopbackSocket> server;
    std::string wire;
    std::size_t answered = 0;
    std::vector<osip_transaction_t*> over;
};

Seen& seen(osip_transaction_t* transaction) {
    return *static_cast<Seen*>(
        osip_get_application_context(static_cast<osip_t*>(transaction->config)));
}

int on_send(osip_transaction_t* transaction, osip_message_t* request, char*, int, int) {
    char* printed = nullptr;
    size_t length = 0;
    if (osip_message_to_str(request, &printed, &length) != 0) return -1;
    auto& here = seen(transaction);
    here.wire.assign(printed, length);
    osip_free(printed);
    if (here.client && !here.client->send_to(here.server->port(), here.wire)) return -1;
    return 0;
}

void on_final_response(int, osip_transaction_t* transaction, osip_message_t*) {
    ++seen(transaction).answered;
}

// It must not be freed in here.
void on_kill(int, osip_transaction_t* transaction) {
    seen(transaction).over.push_back(transaction);
}

}  // namespace

extern "C" __attribute__((noinline)) bool osip2_transact(osip_t* stack, osip_message_t* request) {
    osip_transaction_t* transaction = nullptr;
    if (osip_transaction_init(&transaction, NICT, stack, request) != 0) return false;
    osip_nict_set_destination(transaction->nict_context, osip_strdup("203.0.113.11"), 5060);
    return osip_transaction_execute(transaction, osip_new_outgoing_sipmessage(request)) == 1;
}

extern "C" __attribute__((noinline)) bool osip2_transact_answered(osip_t* stack,
                                                                  std::string_view response) {
    osip_event_t* event = osip_parse(response.data(), response.size());
    if (event == nullptr) return false;
    if (osip_find_transaction_and_add_event(stack, event) == 0) return true;
    osip_event_free(event);
    return false;
}

extern "C" __attribute__((noinline)) void osip2_transact_all_answered(osip_t* stack) {
    osip_nict_execute(stack);
}

extern "C" __attribute__((noinline)) void osip2_transact_forgotten(
    osip_t* stack, const std::vector<osip_transaction_t*>& over) {
    osip_timers_nict_execute(stack);  // Timer K
    osip_nict_execute(stack);
    for (auto* transaction : over) osip_transaction_free(transaction);  // out of its list, too
}

namespace holdfast::bench {
namespace {

class OsipTransactions final : public PeerTransactions {
public:
    OsipTransactions(osip_t* stack, Datagrams datagrams)
        : stack_(stack, osip_release), datagrams_(datagrams) {
        if (datagrams == Datagrams::sent) {
            seen_.client = LoopbackSocket::open();
            seen_.server = LoopbackSocket::open();
        }
        osip_set_application_context(stack, &seen_);
        osip_set_cb_send_message(stack, on_send);
        for (const int type : {OSIP_NICT_STATUS_2XX_RECEIVED, OSIP_NICT_STATUS_4XX_RECEIVED})
            osip_set_message_callback(stack, type, on_final_response);
        osip_set_kill_transaction_callback(stack, OSIP_NICT_KILL_TRANSACTION, on_kill);
    }

    // Where datagrams are sent, they have sockets.
    [[nodiscard]] bool has_sockets() const {
        return datagrams_ == Datagrams::carried || (seen_.client && seen_.server);
    }
    std::string send(std::string_view request) override {
        osip_message_t* message = nullptr;
        seen_.wire.clear();
        if (osip_message_init(&message) != 0 ||
            osip_message_parse(message, request.data(), request.size()) != 0 ||
            !meter().count([&] { return osip2_transact(stack_.get(), message); }))
            return {};
        return seen_.server ? std::string(seen_.server->receive()) : seen_.wire;
    }
    bool answer(std::string_view response) override {
        if (seen_.server && !seen_.server->answer(response)) return false;
        return meter().count([&] {
            return osip2_transact_answered(stack_.get(),
                                           seen_.client ? seen_.client->receive() : response);
        });
    }
    std::size_t forget() override {
        meter().count([this] { osip2_transact_all_answered(stack_.get()); });
        seen_.over.reserve(seen_.answered);
        std::this_thread::sleep_for(std::chrono::milliseconds{5'100});  // its T4 is 5 s
        meter().count([this] { osip2_transact_forgotten(stack_.get(), seen_.over); });
        return seen_.over.size();
    }

private:
    std::unique_ptr<osip_t, decltype(&osip_release)> stack_;
    Datagrams datagrams_;
    Seen seen_;
};

}  // namespace

std::unique_ptr<PeerTransactions> osip2_transactions(Datagrams datagrams) {
    osip_t* stack = nullptr;
    if (osip_init(&stack) != 0) return nullptr;
    auto transactions = std::make_unique<OsipTransactions>(stack, datagrams);
    return transactions->has_sockets() ? std::move(transactions) : nullptr;
}

}  // namespace holdfast::bench
