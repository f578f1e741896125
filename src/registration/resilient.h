// The resilient registration of one account: rules F, B, N3, K3, R and S put together. Its parts
// decide alone and are tested alone (Targets, Search, Credentials, Backoff, Failback, Proof); this
// class carries words between them.
//
//   resilient.cpp           what it is told, time, the view
//   resilient_search.cpp    when a REGISTER is wanted, and to whom (F, L3, L4, S1)
//   resilient_request.cpp   what it says (F1, B1, B6, N3, N4)
//   resilient_answer.cpp    what the answer means (F5)
//   resilient_redirect.cpp  where a 3xx sends us (F5)
//   resilient_streams.cpp   when TCP and TLS go before UDP (N5, N8)
//   resilient_bindings.cpp  what a 200 changes (B1, B2, B4, B6, B8)
//   resilient_debts.cpp     what a move leaves behind (B7)
//   resilient_told.cpp      what becomes of flows and requests (F2, F3)
//   resilient_watch.cpp     suspicion, mappings, networks, proof, failback (F6, K3, K5, L7, R)
#pragma once

#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/rare.h"
#include "registration/account.h"
#include "registration/answer.h"
#include "registration/backoff.h"
#include "registration/binding.h"
#include "registration/credentials.h"
#include "registration/extensions.h"
#include "registration/failback.h"
#include "registration/machine.h"
#include "registration/probe_budget.h"
#include "registration/proof.h"
#include "registration/register_budget.h"
#include "registration/register_request.h"
#include "registration/registration.h"
#include "registration/search.h"
#include "registration/stun_elsewhere.h"
#include "registration/targets.h"

namespace holdfast::registration {

class Resilient {
public:
    // shared: equal to config.policy, others hold it too; nothing: a copy is made.
    Resilient(const AccountConfig& config, const std::string& instance_id,
              const AccountState& state, std::string user_agent, SharedPolicy shared = nullptr);

    void handle(const Told& told, const Context& context);
    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] View view() const;
    [[nodiscard]] std::vector<IpAddress> accepted(Instant now) const;  // §11 (b)
    [[nodiscard]] const std::string& configured_aor() const { return configured_aor_; }
    [[nodiscard]] bool is_secure_only() const { return secure_only_; }
    [[nodiscard]] const Policy& policy() const { return *policy_; }
    [[nodiscard]] const Credentials* credentials() const { return &credentials_; }
    [[nodiscard]] const std::string& domain() const { return domain_; }

private:
    enum class Purpose : std::uint8_t { register_, fetch, remove, leave, prove };
    enum class Timer : std::uint8_t { refresh, start, lapse, proof_register, count };
    // N3: how far a registrar made us step down from one REGISTER with both Contacts.
    enum class Together : std::uint8_t { both, alone, unregister_first };

    struct Attempt {
        AttemptId id{};
        Purpose purpose = Purpose::register_;
        int reg_id = 1;
        Target target{};
        FlowId flow{};
        Instant first_sent{};  // E counts from here (B4)
        Instant last_sent{};
        std::string contact{};               // the URI of the current Contact
        std::vector<std::string> removes{};  // old URIs that it names
        Credentials::Sent sent{};
        int rounds = 0;
        int refusals = 0;              // F5: answers to nonces just received, refused in a row
        bool before_register = false;  // N3: this removal goes before its REGISTER
        bool named_twice = false;      // what it removes
        bool abandoned = false;
        bool due = false;       // a refresh whose time has come (I5)
        bool answered = false;  // any response, also 1xx
        std::string call_id{};
        std::uint32_t cseq = 0;
        std::size_t bytes = 0;          // of the request as it went out (N8)
        int status = 0;                 // of its final answer
        std::uint32_t adaptations = 0;  // that had been made when it was sent
    };
    struct Current {
        Target target{};
        FlowId flow{};
        std::string contact{};
        Instant expires{};
        Duration granted{};
        Instant refresh_at{};
        bool confirmed = true;  // B8
        bool listed_before = false;
        Rare<Gruus> gruus{};  // RFC 5627: they live as long as the registration that gave them
    };
    struct Want {  // why and how a search begins
        std::string reason{};
        std::optional<Duration> patience{};  // of its first attempt
        std::optional<Target> first{};       // failback, drain: this one before the current
        bool fresh_contact = false;          // R3
        bool name_olds = false;              // N3: also where two Contacts were refused
        bool routine = false;                // a refresh that is due (B4)
    };
    struct Binding {
        BindingIdentity identity;
        std::optional<Current> current;
        std::unique_ptr<Search> search;
        std::string search_reason;
        std::unique_ptr<Want> again;  // something changed meanwhile: once more afterwards
        bool unregistered = false;    // on exit: the registrar has said so
        Rare<std::string> leave_failure;
        std::string start_reason;
        std::optional<Duration> start_patience;  // a doubt waits for its moment (S2)
        Timers<Timer> timers;
        Backoff backoff;
        Together together = Together::both;  // remembered for this registrar
        bool refuses_two = false;            // N3: remembered for this registrar,
        bool takes_one = false;              // and this is why: without the old one it was taken
        std::optional<Target> refused_two;   // who said so, in this search
        bool held_with_olds = false;         // I5: a REGISTER that was to name the old ones
        std::uint32_t slow_failures = 0;
        bool auth_stopped = false;
        bool auth_elsewhere_tried = false;
        bool identity_renewed = false;
        bool refresh_is_due = false;  // this search began as one (B4)
        bool waits_for_stun = false;  // N4
        std::size_t redirects = 0;    // F5: followed in this search
        bool missing_once = false;    // B8: ours was not listed: one REGISTER was made for it
        std::uint32_t refusals = 0;   // of a second flow that never registered
        Instant at_target_since{};
        std::uint32_t evictions = 0;            // B3
        std::optional<FlowId> hold_only;        // K1: a REGISTER is the proof of life on this flow
        Rare<std::map<Target, FlowId>> opened;  // by this search
        Rare<std::set<Target>> register_when_open;
        Rare<std::set<Target>> silent_before;  // told silent already in this search
        Instant search_began{};
        bool search_has_begun = false;    // I5: a REGISTER was sent, or it is a due refresh's
        bool unregistered_first = false;  // N3: done in this search
        bool refused_at_home = false;     // B1: in this search, by the server that has the binding
        int refused_alone = 0;  // N3: the status of a lone Contact in this search, which says that
                                // two were not the reason
        // REGISTERs with identity.contact that were not refused: 0, it is in no location service.
        std::uint32_t contact_sent = 0;
        Rare<std::string> last_failure;
        explicit Binding(BindingIdentity who, const Backoff::Settings& settings)
            : identity(std::move(who)), backoff(settings) {}
    };
    // B7: when a question to an old server that came to nothing is asked again.
    static constexpr Duration debt_again = std::chrono::seconds{20};
    struct Debt {  // B7: an old server that still has (or may have) an old Contact
        Target target{};
        std::string contact{};
        int reg_id = 1;
        std::int64_t ends = 0;  // seconds since 1970
        bool asking = false;
        bool remove = false;      // the fetch said "separate": remove it there alone
        std::uint32_t tries = 0;  // removals that left it there
        std::uint32_t busy = 0;   // answers that it cannot serve, in a row
        Instant next_try{};
    };
    struct Redirect {  // F5: kept until its expires, else until the next failure
        location::Candidate candidate;
        Instant until = never;
    };
    struct Following {  // F5: a 3xx whose names are being looked up
        struct Way {
            location::Lookup lookup;
            bool in_domain = false;
            Instant until = never;
        };
        int reg_id = 1;
        Target by{};
        int status = 0;
        std::string words{};
        std::string hosts{};
        std::vector<Way> ways{};
        [[nodiscard]] bool is_done() const {
            return std::ranges::all_of(ways, [](const Way& way) { return way.lookup.done(); });
        }
    };
    struct Linger {  // B7: the same Contact on both: this flow stays until the binding ends
        FlowId flow;
        Instant until{};
    };

    // resilient.cpp
    void on_time(const Context& context);
    void on_told(const told::Time&, const Context& context) { on_time(context); }
    void on_told(const told::Start&, const Context& context);
    void on_told(const told::Dns& told, const Context& context);
    void on_told(const told::FlowOpen& told, const Context& context);
    void on_told(const told::FlowFailed& told, const Context& context);
    void on_told(const told::FlowLost& told, const Context& context);
    void on_told(const told::Response& told, const Context& context);
    void on_told(const told::Timeout& told, const Context& context);
    void on_told(const told::SendFailed& told, const Context& context);
    void on_told(const told::Probed& told, const Context& context);
    void on_told(const told::Suspect& told, const Context& context);
    void on_told(const told::HoldOnly& told, const Context& context);
    void on_told(const told::MappingChanged& told, const Context& context);
    void on_told(const told::Alive& told, const Context& context);
    void on_told(const told::Network& told, const Context& context);
    void on_told(const told::RegisterNow&, const Context& context);
    void on_told(const told::PasswordChanged& told, const Context& context);
    void on_told(const told::Returned& told, const Context& context);
    void on_told(const told::StunAnswered& told, const Context& context);
    void on_told(const told::CheckSync&, const Context& context);
    static void on_told(const told::CallWaits&, const Context&) {}  // a direct account's
    static void on_told(const told::CallUnavailable&, const Context&) {}
    void on_told(const told::ShutDown&, const Context& context);
    void stun_settled(const Context& context);
    void on_binding_time(Binding& binding, const Context& context);
    void finish_leaving(const Context& context);
    Binding* binding_of(int reg_id);
    Binding* binding_on(FlowId flow);
    [[nodiscard]] const Binding* primary() const;
    Event event(EventKind kind, const Binding* binding = nullptr) const;

    // resilient_search.cpp
    void targets_changed(const Context& context);
    void want(Binding& binding, Want want, const Context& context);
    void want_later(Binding& binding, std::string reason, Instant at);
    void keep_alive_off(FlowId flow, const Context& context) const;
    [[nodiscard]] bool is_taken(const Binding& binding, const Target& target) const;
    [[nodiscard]] bool waits_for_first(const Binding& binding) const;
    [[nodiscard]] bool other_is_at(const Binding& binding, const Target& target) const;
    std::vector<Search::Entry> search_order(Binding& binding, const Want& want,
                                            const Context& context);
    void perform(Binding& binding, const Search::Steps& steps, const Context& context);
    void register_at(Binding& binding, const Target& target, const Context& context);
    void probe(const Target& target, const Context& context);
    static bool is_due_refresh(const Binding& binding, const Target& target);
    void hold_back(Binding& binding, Instant until, const Context& context);
    void abandon(Binding& binding, const Target& target, const Context& context);
    [[nodiscard]] std::optional<Target> back_at_refresh(const Binding& binding,
                                                        const Context& context) const;
    void abandon_all(const Binding& binding, const Context& context);
    void note_silence(Binding& binding, const Context& context);
    [[nodiscard]] bool other_flow_works(const Binding& binding) const;
    void exhausted(Binding& binding, const Context& context);
    void end_search(Binding& binding, const Context& context);
    void release_unused(const Context& context);
    [[nodiscard]] std::optional<Instant> all_barred_until(const Context& context) const;

    // resilient_request.cpp
    void send_register(Binding& binding, const Target& target, FlowId flow, const Context& context);
    void make_way(Binding& binding, const Target& target, FlowId flow, const Context& context);
    static void give_up(Attempt& attempt, const Context& context);
    void debt_waits(const Target& target, Instant until);
    void send_again(Attempt attempt, const Context& context);
    void send_fetch(Debt& debt, const Context& context);
    void send_leave(Binding& binding, const Target& target, FlowId flow, const std::string& contact,
                    const Context& context);
    void send_proof(const Context& context);
    void transmit(Attempt& attempt, const Context& context);
    std::string register_text(Attempt& attempt, Binding& binding, const flow::Flow& flow,
                              std::string_view branch, const Context& context);
    [[nodiscard]] std::string contact_uri(const Binding& binding, const flow::Flow& flow,
                                          Instant now) const;
    [[nodiscard]] std::string call_id_of(const Binding& binding, const Target& target) const;
    // B2: that have been named less often than that.
    [[nodiscard]] std::vector<std::string> old_uris(const Binding& binding,
                                                    std::string_view current,
                                                    std::uint32_t tries_most = removal_tries) const;
    Attempt& new_attempt(Purpose purpose, int reg_id, const Target& target, FlowId flow,
                         const Context& context);
    bool note_contact(Binding& binding, const Attempt& attempt, const Context& context);
    void store(Binding& binding, const Context& context);

    // resilient_answer.cpp
    void register_answered(Attempt attempt, const sip::Message& response, const Context& context);
    void challenged(Binding& binding, Attempt& attempt, const sip::Message& response,
                    const Context& context);
    void refused_for_now(Binding& binding, Attempt& attempt, const sip::Message& response,
                         const std::string& words, const Context& context);
    void wrong_password(Binding& binding, const Attempt& attempt, const std::string& words,
                        const Context& context);
    [[nodiscard]] bool over_budget(const Attempt& attempt, const Context& context) const;
    bool forbidden_too_often(const Attempt& attempt, const sip::Message& response,
                             const Context& context);
    bool stepped_down(Binding& binding, Attempt& attempt, const sip::Message& response,
                      const Context& context);
    bool unregister_first(Binding& binding, const Attempt& attempt, const Context& context);
    bool renewed_identity(Binding& binding, const Attempt& attempt, const sip::Message& response,
                          const Context& context);
    bool adapted(Attempt& attempt, const sip::Message& response, const Context& context);
    void silent_one_answered(Binding& binding, const Attempt& attempt, const sip::Message& response,
                             const Context& context);
    static void two_were_not_the_reason(Binding& binding, int status);
    void took_late(Binding& binding, const Attempt& attempt, const Context& context);
    static void contact_refused(Binding& binding, const Attempt& attempt);
    void note_refusal(Binding& binding, const Attempt& attempt, const sip::Message& response,
                      const Context& context);
    void try_next(Binding& binding, const Attempt& attempt, const sip::Message& response,
                  const Context& context);
    void retry_slowly(Binding& binding, const Attempt& attempt, const std::string& words,
                      std::optional<std::uint32_t> retry_after, const Context& context,
                      Duration at_least = {});
    void attempt_failed(const Binding& binding, const Target& target, int status,
                        const std::string& words, const Context& context);

    // resilient_redirect.cpp
    void redirected(Binding& binding, const Attempt& attempt, const sip::Message& response,
                    const Context& context);
    void redirect_answered(const told::Dns& told, const Context& context);
    std::vector<location::Candidate> ways_of(const Following& following, Binding& binding,
                                             const Context& context);
    [[nodiscard]] bool is_in_use(const Target& target, const Redirect& redirect, Instant now) const;
    void remember_redirect(const location::Candidate& candidate, Instant until, const Target& by);
    void follow(const Following& following, const Context& context);

    // resilient_streams.cpp
    [[nodiscard]] bool streams_first(Instant now) const;
    [[nodiscard]] bool offers_stream(const Context& context) const;
    [[nodiscard]] std::vector<location::Candidate> failback_targets(const Target& current,
                                                                    const Context& context) const;
    bool left_udp(Binding& binding, const Context& context);
    bool left_restless_udp(Binding& binding, const flow::Flow& flow, const Context& context);

    // resilient_bindings.cpp
    void registered(Binding& binding, const Attempt& attempt, const sip::Message& response,
                    const Context& context);
    void remember_service_route(const Target& target, const sip::Message& response);
    void take_listing(Binding& binding, const Attempt& attempt, const Listing& listing,
                      bool was_listed, const Context& context);
    void missing(Binding& binding, const Listing& listing, bool was_listed, const Context& context);
    void add_debt(Binding& binding, const OldContact& old, const Context& context);
    [[nodiscard]] static OldContact left_behind(const Current& before, const Context& context);
    void settle_move(Binding& binding, const Current& before, const Context& context);
    void schedule_refresh(Binding& binding, Instant sent, const Context& context);
    void schedule_proof_of_life(Binding& binding, const Context& context);
    void second_flow(const sip::Message& response, const Listing& listing, const Context& context);
    void one_flow(const std::string& why, const Context& context);
    void fetch_answered(const Attempt& attempt, const sip::Message& response,
                        const Context& context);
    void leave_answered(Attempt attempt, const sip::Message& response, const Context& context);
    void settle_debts(const Context& context, std::optional<Target> alive);
    void removed_before_register(Binding& binding, const Attempt& attempt,
                                 const sip::Message& response, const Context& context);
    void settle_by_listing(const Target& target, const sip::Message& response,
                           std::string_view current, const Context& context);
    void paid(const Debt& debt, std::string reason, const Context& context);
    void store_debts(const Context& context) const;
    void load_debts(std::string_view text);
    void lapse(Binding& binding, const Context& context);

    // resilient_watch.cpp
    void suspect(Binding& binding, const std::string& reason, const Context& context, bool shared);
    void rewrite_if_needed(Binding& binding, const Context& context);
    void proof_says(Proof::Do what, const Context& context);
    void proof_answered(Attempt attempt, const sip::Message& response, const Context& context);
    void failback_due(const Context& context);
    void note_options_answered(const Target& target);
    void update_failback(const Context& context);

    std::string configured_aor_;
    Rare<std::string> display_name_;
    Rare<std::string> contact_address_;  // N4, by hand
    SharedPolicy policy_;
    std::string domain_;
    std::string user_;
    std::string aor_;
    std::string instance_;  // "urn:uuid:…"
    std::string user_agent_;
    std::string from_tag_;
    Targets targets_;
    std::unique_ptr<StunElsewhere> stun_;  // nothing: off
    Credentials credentials_;
    std::list<Binding> bindings_;  // two at most; references stay valid
    std::map<AttemptId, Attempt> attempts_;
    std::vector<Debt> debts_;
    std::vector<Linger> lingering_;
    Rare<std::map<Target, Redirect>> redirects_;
    std::vector<Following> following_;
    Rare<std::map<int, std::string>> restored_;  // identities by reg-id, until start
    Proof proof_;
    FailbackWatch failback_;
    RegisterBudget budget_;
    ProbeBudget probe_budget_;
    Rare<std::map<Target, std::vector<std::string>>> service_routes_;
    std::vector<IpAddress> path_addresses_;
    std::set<FlowId> used_;              // flows this account holds
    std::set<Target> options_answered_;  // S1
    std::vector<Target> last_ranked_;    // of the last `resolved` event
    std::uint32_t last_attempt_ = 0;
    Duration asked_expires_{};
    std::uint32_t adaptations_ = 0;  // to what servers want changed
    bool outbound_dropped_ = false;  // 439
    bool registrar_has_outbound_ = false;
    bool one_flow_only_ = false;  // B1: the registrar keeps one
    Instant one_flow_until_{};    // B1: a second was refused
    Extensions supported_ = Extensions::all();
    Extensions required_ = Extensions::none();
    bool secure_only_ = false;
    bool worked_before_ = false;  // this password registered once
    bool problem_told_ = false;
    bool large_unanswered_ = false;  // N8: over UDP, and no small REGISTER has worked since
    Instant unstable_until_{};       // N5
    bool leaving_ = false;
    bool left_ = false;
    Instant leave_until_ = never;
    Instant suspect_by_proof_{};
};

}  // namespace holdfast::registration
