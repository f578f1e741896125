// Requests that come to us (RFC 3261 §8.2, §17.2): who may send them (§11 of the design:
// docs/registration.md), to which account they go, and what is answered. An INVITE for an account
// that takes no calls rings and ends.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "engine/agenda.h"
#include "engine/step.h"
#include "engine/tally.h"
#include "flow/flow.h"
#include "flow/source_filter.h"
#include "sip/message.h"
#include "sip/verdict.h"
#include "transaction/invite_server.h"
#include "transaction/matching.h"
#include "transaction/non_invite_server.h"

namespace holdfast::engine {

// An account a request may be for.
struct Addressee {
    AccountId account;
    std::string user;  // of the AOR
    std::string aor;
    registration::View view;
    std::vector<IpAddress> accepted{};  // §11 (b)
    flow::SourceRules rules;
    bool on_own_flow = false;  // §11 (a)
    bool sent_it = false;      // the Call-ID is of an OPTIONS of its own (R1)
    bool takes_calls = false;  // its INVITEs are the CallDesk's
    bool is_direct = false;    // it registers nowhere: its calls are those of the host
};

struct Incoming {
    const sip::Message& request;
    Endpoint source;
    FlowId arrived;  // the flow it came on; 0: from somebody who is no target of ours
    FlowId flow;     // where answers go
};

class IncomingDesk {
public:
    explicit IncomingDesk(std::string user_agent) : user_agent_(std::move(user_agent)) {}

    // How many accounts there are: each may have a proof (R1) on its way back at the same time.
    void expect(std::size_t accounts) { accounts_ = accounts; }

    // Whether the request gets further than the door: its sender is known to one of the addressees,
    // or it belongs to a transaction of ours. Everything else is dropped unanswered.
    [[nodiscard]] bool is_welcome(const Incoming& incoming,
                                  std::span<const Addressee> addressees) const;
    // An ACK, or a copy of a request that is served: what it leads to goes where the first copy's
    // answer went, and no flow is opened for it.
    [[nodiscard]] bool needs_no_flow(const sip::Message& request) const;
    // An account: the request is an INVITE for it, checked, and not answered here, for it takes
    // calls.
    std::optional<AccountId> on_request(const Step& step, const Incoming& incoming,
                                        std::span<const Addressee> addressees);
    // A request that could not be read, but can be answered (RFC 3261 §8.2).
    void refuse_unreadable(const Step& step, const Incoming& incoming, int status);
    void hang_up(const Step& step, AccountId account);
    void on_flow_ended(FlowId flow);
    void forget(const Step& step, AccountId account);
    void on_time(const Step& step);
    [[nodiscard]] Deadline next_deadline() const { return agenda_.next(); }
    [[nodiscard]] std::size_t size() const { return served_.size(); }
    [[nodiscard]] std::size_t on_flow(FlowId flow) const { return by_flow_.of(flow); }

private:
    using ServedId = std::uint32_t;
    enum class Ringing : std::uint8_t { no, yes };
    struct Call {
        AccountId account;
        std::optional<Target> target;
        Endpoint source;
        sip::Message invite;
        std::string to_tag;
        std::string contact;
        Instant ring_until;
        int status_when_over = 480;  // 487 if the caller's Expires ends it (RFC 3261 §13.3.1)
        Ringing ringing = Ringing::yes;
        transaction::InviteServer server;
    };
    struct Served {
        transaction::ServerKey key;
        std::string merge;  // see merge_key
        std::variant<transaction::NonInviteServer, Call> what;
    };
    struct Accepted {
        const Addressee* addressee = nullptr;  // never null
        flow::SourceVerdict verdict = flow::SourceVerdict::drop;
        bool addressed = false;  // the Request-URI names this account
    };
    struct Reply {
        int status = 200;
        std::string headers{};
        std::string_view reason{};
    };

    [[nodiscard]] bool is_full() const;
    [[nodiscard]] bool is_from_the_caller(const Incoming& cancel) const;
    [[nodiscard]] static std::optional<Accepted> accept(const Incoming& incoming,
                                                        std::span<const Addressee> addressees);
    // RFC 3261 §8.2.2.2: what two copies of one request, forked on its way, have in common; "" if
    // it has a To tag.
    [[nodiscard]] static std::string merge_key(const sip::Message& request);
    [[nodiscard]] bool is_merged(const sip::Message& request) const;
    void on_own_options_without_state(const Step& step, const Incoming& incoming,
                                      std::span<const Addressee> addressees) const;
    void on_known(const Step& step, ServedId id, const sip::Message& request);
    std::optional<AccountId> on_new(const Step& step, const Incoming& incoming,
                                    const Accepted& accepted);
    void on_cancel(const Step& step, const Incoming& incoming);
    void on_invite(const Step& step, const Incoming& incoming, const Accepted& accepted);
    [[nodiscard]] Reply answer_options(const Step& step, const Incoming& incoming,
                                       const Accepted& accepted) const;
    [[nodiscard]] Reply answer_notify(const Step& step, const Incoming& incoming,
                                      const Accepted& accepted) const;
    void refuse_invite(const Step& step, const Incoming& incoming, const Reply& reply);
    void respond(const Step& step, Call& call, int status);
    [[nodiscard]] static Event event_of(const Call& call, EventKind kind, int status);
    void end_call(const Step& step, Call& call, int status, std::string_view words);
    void end_calls(const Step& step, AccountId account, int status, std::string_view words);
    // to_tag "": a new one.
    void reply(const Step& step, const Incoming& incoming, const Reply& reply,
               std::string to_tag = {});
    [[nodiscard]] std::string response(const sip::Message& request, const Endpoint& source,
                                       const Reply& reply, std::string_view to_tag) const;
    [[nodiscard]] static FlowId flow_of(const Served& served);
    ServedId serve(Served served);
    void watch(ServedId id);
    void end(ServedId id);

    std::string user_agent_;
    std::map<ServedId, Served> served_;
    std::unordered_map<transaction::ServerKey, ServedId> by_key_;
    std::unordered_map<std::string, ServedId> by_merge_;
    Tally<FlowId> by_flow_;
    Agenda<ServedId> agenda_;
    ServedId last_ = 0;
    std::size_t ringing_ = 0;
    std::size_t accounts_ = 0;
};

}  // namespace holdfast::engine
