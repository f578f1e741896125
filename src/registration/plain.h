// The plain client that most phones are, and the presets are made of: it registers, refreshes, and
// when something fails it waits and begins again. What it does badly it does on purpose, as Policy
// says (docs/policy.md): nothing is remembered of servers, a lookup belongs to one request,
// silence costs 32 s, and the Contact follows whatever mapping the last answer showed.
//
//   start ──► REGISTER ──200──► registered ──5 s before the end──► REGISTER ──► …
//                │ failed            │ connection lost
//                ▼                   ▼
//             waiting: first_retry, then retry each time ──► REGISTER, a new Call-ID
//
//   rewrite = unregister-first, a 200 with another mapping than the Contact:
//      un-REGISTER (a lookup of its own, the old Call-ID), REGISTER (a lookup of its own, a new
//      Call-ID); the next 200 is not looked at, or two servers behind an endpoint-dependent NAT
//      would make this endless.
//
// pjsip's lookups block: the second begins when the first has its answer. Left out: pjsip's RFC
// 5626 outbound on TCP and TLS, and the rewriting of Via's sent-by; neither shows in what is
// compared.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/timers.h"
#include "registration/account.h"
#include "registration/machine.h"
#include "registration/plain_attempt.h"
#include "registration/plain_session.h"
#include "registration/registration.h"

namespace holdfast::registration {

class Plain {
public:
    Plain(AccountConfig config, std::string instance_id, const AccountState& state,
          std::string user_agent);

    void handle(const Told& told, const Context& context);
    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] View view() const;
    [[nodiscard]] std::vector<IpAddress> accepted(Instant now) const;  // §11 (b)
    [[nodiscard]] const std::string& configured_aor() const { return config_.aor; }
    [[nodiscard]] bool is_secure_only() const { return registration::is_secure_only(config_); }
    [[nodiscard]] const Policy& policy() const { return config_.policy; }
    [[nodiscard]] const Credentials* credentials() const {
        return session_ ? &session_->credentials() : nullptr;
    }
    [[nodiscard]] const std::string& domain() const { return identity_.domain; }

private:
    using Progress = PlainAttempt::Progress;
    enum class Timer : std::uint8_t { refresh, retry, leave, count };
    enum class Phase : std::uint8_t { idle, running, refused, leaving, gone };
    struct Leaving {  // an un-REGISTER on its way, with the session that had the binding
        PlainSession session;
        std::string contact;
        PlainAttempt attempt;
    };

    void on_time(const Context& context);
    void on_response(const told::Response& response, const Context& context);
    void on_flow_lost(const told::FlowLost& lost, const Context& context);
    void on_network(const told::Network& network, const Context& context);
    void on_password(const told::PasswordChanged& changed, const Context& context);
    void shut_down(const Context& context);

    [[nodiscard]] PlainAttempt new_attempt() const;
    void begin_register(const Context& context);
    void advance(Progress progress, const Context& context);
    void transmit_register(const Context& context);
    void on_answer(const sip::Message& answer, const Context& context);
    void on_registered(const sip::Message& answer, const Context& context);
    void on_failed(int status, const std::string& reason, const Context& context);
    void retry_later(const std::string& reason, const Context& context);
    void give_up(EventKind kind, int status, const std::string& reason, const Context& context);

    [[nodiscard]] bool rewrites() const;
    [[nodiscard]] bool differs(const Endpoint& mapping, const Target& target);
    void learn_before_200(const sip::Message& answer, const Context& context);
    void follow_mapping(const Endpoint& mapping, const Context& context);
    void tell_mapping(const Endpoint& mapping, const Context& context) const;

    void begin_unregister(PlainSession session, std::string contact, const Context& context);
    void advance_leaving(Progress progress, const Context& context);
    void transmit_unregister(const Context& context);
    void on_leaving_answer(const sip::Message& answer, const Context& context);
    void on_left(const std::string& failure, const Context& context);
    void finish(const Context& context);

    void use_flow(FlowId flow, const Context& context);
    void stop_keep_alive(const Context& context);
    void release_unused_flows(const Context& context);
    AttemptId transmit(PlainSession& session, const PlainAttempt& attempt,
                       std::vector<ContactField> contacts, std::uint32_t expires,
                       const Context& context);

    AccountConfig config_;
    std::string instance_id_;
    std::string user_agent_;
    PlainIdentity identity_;
    std::optional<location::NextHop> next_hop_;

    Phase phase_ = Phase::idle;
    Timers<Timer> timers_;
    std::optional<PlainSession> session_;
    std::optional<PlainAttempt> registering_;
    std::optional<Leaving> leaving_;
    bool register_waits_ = false;  // for the un-REGISTER's lookup, or for its end
    std::uint32_t last_attempt_ = 0;
    std::uint32_t failures_ = 0;  // in a row
    Duration asked_{};            // what to ask for: Policy::expires, or a server's Min-Expires

    std::string contact_;                 // URI, as last sent
    std::optional<Endpoint> contact_at_;  // the address in it
    std::optional<Endpoint> learned_;     // a mapping that the Contact follows
    std::string replaced_contact_;        // rewrite = replace: removed with the next REGISTER
    std::map<Target, Endpoint>
        seen_;                 // mappings by target, unless they are compared across servers
    bool skip_check_ = false;  // after a rewrite

    bool registered_ = false;
    Instant request_began_{};
    Instant expires_at_{};
    FlowId flow_;  // of the last 200
    FlowId kept_alive_;
    std::optional<Target> target_;
    std::optional<Endpoint> mapping_;
    std::vector<location::Candidate> candidates_;  // of the last lookup
    std::vector<std::string> service_route_;
    std::set<FlowId> held_;  // opened for this account and not released
    std::string state_ = "not started";
};

}  // namespace holdfast::registration
