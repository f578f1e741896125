// The engine's inside: the desks, the accounts' registrations, and how what happens at one reaches
// the others.
//
//   Input ──► on(…) ──► desks ──► Tidings ──► Registration::handle ──► Actions ──► desks ──► …
//
// Tidings are worked off one by one until none is left; nothing calls back, nothing recurses.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/account.h"
#include "engine/agenda.h"
#include "engine/call_desk.h"
#include "engine/dns_desk.h"
#include "engine/engine.h"
#include "engine/flow_desk.h"
#include "engine/incoming_desk.h"
#include "engine/keep_alive_desk.h"
#include "engine/keep_alive_learn_desk.h"
#include "engine/nat_desk.h"
#include "engine/own_options.h"
#include "engine/persistence.h"
#include "engine/probe_desk.h"
#include "engine/register_pace.h"
#include "engine/step.h"
#include "engine/stun_desk.h"
#include "engine/transaction_desk.h"
#include "engine/unreadable_answers.h"
#include "location/candidate_pool.h"
#include "location/health.h"
#include "registration/registration.h"

namespace holdfast {

class Engine::Impl {
public:
    explicit Impl(EngineOptions options);
    void handle(Instant now, const Input& input, Outbox& outbox);
    [[nodiscard]] Deadline next_deadline() const;
    [[nodiscard]] std::optional<AccountStatus> status(AccountId id) const;

private:
    using Step = engine::Step;
    using Account = engine::Account;

    // engine.cpp: inputs, time, and the end.
    void on(const Step& step, const in::Time&);
    void on(const Step& step, const in::FlowOpened& opened);
    void on(const Step& step, const in::FlowFailed& failed);
    void on(const Step& step, const in::FlowClosed& closed);
    void on(const Step& step, const in::Received& received);
    void on(const Step& step, const in::Stray& stray);
    void on(const Step& step, const in::DnsAnswer& answer);
    void on(const Step& step, const in::NetworkChanged& network);
    void on(const Step& step, const in::AddAccount& add);
    void on(const Step& step, const in::RemoveAccount& remove);
    void on(const Step& step, const in::RegisterNow& command);
    void on(const Step& step, const in::ChangePassword& change);
    void on(const Step& step, const in::HangUp& hang_up);
    void on(const Step& step, const in::Dial& dial);
    void on(const Step& step, const in::Answer& answer);
    void on(const Step& step, const in::Reject& reject);
    void on(const Step& step, const in::Press& press);
    void on(const Step& step, const in::Transfer& transfer);
    void on(const Step& step, const in::TransferTo& transfer);
    void on(const Step& step, const in::Hold& hold);
    void on(const Step& step, const in::Resume& resume);
    void on(const Step& step, const in::MediaChanged& changed);
    void on(const Step& step, const in::ShutDown&);
    void on_time(const Step& step);
    void stop(const Step& step);

    // accounts.cpp: registrations and what they ask for.
    void work(const Step& step);
    void handle(const Step& step, AccountId id, const registration::Told& told);
    void perform(const Step& step, AccountId id, Account& account, registration::Action& action);
    void perform(const Step& step, AccountId id, Account& account, registration::act::Ask& ask);
    void perform(const Step& step, AccountId id, Account& account, registration::act::Open& open);
    void perform(const Step& step, AccountId id, Account& account,
                 registration::act::Release& release);
    void perform(const Step& step, AccountId id, Account& account, registration::act::Send& send);
    void perform(const Step& step, AccountId id, Account& account,
                 registration::act::Abandon& abandon);
    void perform(const Step& step, AccountId id, Account& account, registration::act::Probe& probe);
    void perform(const Step& step, AccountId id, Account& account,
                 registration::act::KeepAlive& keep_alive);
    void perform(const Step& step, AccountId id, Account& account, registration::act::AskStun& ask);
    void perform(const Step& step, AccountId id, Account& account, registration::act::Store& store);
    void perform(const Step& step, AccountId id, Account& account,
                 registration::act::Unregistered&);
    void perform(const Step& step, AccountId id, Account& account,
                 registration::act::EndCalls& end);
    void perform(const Step& step, AccountId id, Account& account, Event& event);
    void keep_alive(const Step& step, AccountId id, const Account& account, FlowId flow);
    void apply_learned(const Step& step);
    void take_turns(const Step& step);
    void leave(const Step& step, AccountId id, Account& account);
    void remove_those_gone(const Step& step);
    void keep_flows_of_calls(const Step& step, AccountId id, const Account& account, FlowId flow);
    void leave_flows_of_calls(const Step& step);
    void tell_all(const Step& step, const registration::Told& told);
    void watch(AccountId id, const Account& account);
    void expect_proofs();
    registration::SharedPolicy shared(const registration::Policy& policy);

    // traffic.cpp: bytes on flows, and flows that fail.
    void on_stream(const Step& step, FlowId flow, std::string_view bytes);
    void on_datagram(const Step& step, FlowId flow, std::string_view bytes);
    void on_message(const Step& step, FlowId arrived, const Endpoint& source,
                    std::string_view bytes);
    void on_response(const Step& step, flow::Flow& flow, const sip::Message& response);
    void on_request(const Step& step, engine::Incoming incoming);
    void on_request_of_call(const Step& step, engine::Incoming incoming);
    // The flow to answer on, or nothing: it is being opened, and the request comes again when it
    // is.
    std::optional<FlowId> flow_to_answer(const Step& step, const engine::Incoming& incoming);
    void make_room_for_a_stray(const Step& step);
    void on_unreadable_answer(const Step& step, FlowId id, std::string_view bytes,
                              const sip::ParseError& error);
    void on_learned(const Step& step, flow::Flow& flow, flow::Learned learned);
    void on_heard(const Step& step, flow::Flow& flow);
    void report(const Step& step, const engine::TransactionResult& result,
                const engine::FlowTrouble& trouble, const sip::Message* message);
    void on_icmp(const Step& step, const engine::FlowTrouble& trouble);
    void end_flow(const Step& step, const engine::FlowTrouble& trouble);
    [[nodiscard]] std::vector<engine::Addressee> addressees(const Step& step, FlowId flow,
                                                            const sip::Message& request) const;
    [[nodiscard]] engine::Addressee addressee(const Step& step, FlowId flow, AccountId id,
                                              const sip::Message& request) const;

    Random random_;
    location::Health health_;
    location::CandidatePool candidates_;
    std::string user_agent_;
    bool instance_per_account_;
    engine::Persistence persistence_;
    engine::FlowDesk flows_;
    engine::DnsDesk dns_;
    engine::TransactionDesk transactions_;
    engine::RegisterPace pace_;
    Duration leave_within_;
    engine::ProbeDesk probes_;
    engine::KeepAliveDesk keep_alives_;
    engine::KeepAliveLearnDesk learning_{persistence_};
    engine::StunDesk stun_;
    engine::NatDesk nat_;
    engine::IncomingDesk incoming_;
    engine::CallDesk calls_;
    engine::OwnOptions own_options_;

    engine::Accounts accounts_;
    std::set<std::pair<std::string, AccountId>> by_user_;
    engine::Agenda<AccountId> agenda_;   // the registrations' deadlines
    engine::Agenda<AccountId> leaving_;  // until when an account may take to unregister
    std::set<AccountId> followed_;       // of this step: their calls follow them (L8)
    std::set<AccountId> unregistered_;   // and leaving, as soon as their calls owe nothing
    std::set<AccountId> gone_;
    // Those that are leaving and come back once they have left.
    std::map<AccountId, registration::AccountConfig> returning_;
    std::vector<std::weak_ptr<const registration::Policy>> policies_;  // in use
    engine::Tidings tidings_;
    registration::Actions actions_;
    std::vector<IpAddress> addresses_;
    std::map<Target, Instant> heard_;
    engine::UnreadableAnswers unreadable_;
    sip::Message message_;  // the one at work: its memory serves the next
    struct Strayed {
        FlowId arrived;
        Endpoint source;
        std::string bytes;
    };
    std::map<FlowId, std::vector<Strayed>> strays_;  // until there is a flow to answer on
    Instant now_{};
    bool network_known_ = false;
    bool shutting_down_ = false;
    bool stopped_ = false;
};

}  // namespace holdfast
