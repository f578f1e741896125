// The calls of all accounts: what the user commands, what comes for them, and the way their
// requests go (L8).
//
//   command, message, time ──► call::Call::handle ──► Actions ──► transactions, flows, Events …
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "call/call.h"
#include "engine/account.h"
#include "engine/agenda.h"
#include "engine/call_clients.h"
#include "engine/call_servers.h"
#include "engine/flow_desk.h"
#include "engine/incoming_desk.h"
#include "engine/input.h"
#include "engine/step.h"

namespace holdfast::engine {

std::string dialog_key(std::string_view call_id, std::string_view our_tag);

class CallDesk {
public:
    explicit CallDesk(const std::string& user_agent)
        : servers_(user_agent), user_agent_(user_agent) {}

    // The user's commands. What does not apply is told with an Event, or ignored.
    void dial(const Step& step, const Accounts& accounts, const in::Dial& dial);
    void command(const Step& step, const Accounts& accounts, CallRef call, call::Told told);
    void end_all(const Step& step, const Accounts& accounts, AccountId account,
                 const std::string& words);
    // call_direct.cpp: those that have no way of their own.
    void end_stranded(const Step& step, const Accounts& accounts, AccountId account,
                      const registration::act::EndCalls& end);
    // A connection of its is open, or it leaves: BYEs whose connection broke go now
    // (call_moves.cpp).
    void say_bye_lost(const Step& step, const Accounts& accounts, AccountId account);
    // The account is gone.
    void forget(const Step& step, AccountId account);
    // call_transfers.cpp
    void transfer(const Step& step, const Accounts& accounts, const in::Transfer& transfer);
    void reject(const Step& step, const Accounts& accounts, const in::Reject& reject);
    void transfer_to(const Step& step, const Accounts& accounts, const in::TransferTo& transfer);
    void password_changed(AccountId account) { credentials_.erase(account); }

    // call_traffic.cpp: whether a request belongs to a call or transaction of ours (§11 d), and
    // came in such a way that it may.
    [[nodiscard]] bool is_ours(const Step& step, const Accounts& accounts,
                               const Incoming& incoming) const;
    // An ACK, or a copy of a request that has a transaction: what it leads to goes where the first
    // copy's answer went, and no flow is opened for it.
    [[nodiscard]] bool needs_no_flow(const sip::Message& request) const;
    void on_request(const Step& step, const Accounts& accounts, const Incoming& incoming);
    // An INVITE outside dialogs, checked (RFC 3261 §8.2), for an account that takes calls.
    void on_invite(const Step& step, const Accounts& accounts, const Incoming& incoming,
                   AccountId account);
    // false: the response is to nothing of ours.
    bool on_response(const Step& step, const Accounts& accounts, FlowId flow,
                     const sip::Message& response);
    // Requests that came on this flow and became no call.
    [[nodiscard]] std::size_t refused_on(FlowId flow) const { return servers_.refused_on(flow); }
    void on_flow_opened(const Step& step, const Accounts& accounts, FlowId flow);
    // gone: false for ICMP, after which the flow stays usable.
    void on_flow_trouble(const Step& step, const Accounts& accounts, const FlowTrouble& trouble,
                         bool gone);

    // Of this answer only so much could be read: it is past a limit (I8).
    void on_oversized(const Step& step, const Accounts& accounts, const FlowTrouble& trouble,
                      const sip::Message& salvaged);

    // call_moves.cpp: the account's registration may be another now, or this flow's mapping.
    void follow(const Step& step, const Accounts& accounts, AccountId account);
    void on_mapping(const Step& step, const Accounts& accounts, FlowId flow);
    // A call of the account needs the flow (L8), whoever has left it.
    [[nodiscard]] bool uses(AccountId account, FlowId flow) const;
    // The account has a call.
    [[nodiscard]] bool has_calls(AccountId account) const;
    // Whatever came over the flow: its server is not silent.
    void hear_from(const Step& step, FlowId flow);
    // Flows that calls have come back to since the last time, to servers that their accounts have
    // left; and what calls have let go of.
    std::vector<std::pair<AccountId, FlowId>> take_returned() {
        return std::exchange(returned_, {});
    }
    std::vector<std::pair<AccountId, FlowId>> take_let_go() { return std::exchange(let_go_, {}); }
    // Something of a call of the account is on its way, or owed to the other side.
    [[nodiscard]] bool owes(AccountId account) const;

    void on_time(const Step& step, const Accounts& accounts);
    [[nodiscard]] Deadline next_deadline() const;

    static constexpr std::size_t refusals_most = 3;  // F5
    // Calls that come get numbers from here on; the driver's own are below.
    static constexpr std::uint32_t first_incoming = 0x8000'0000;

private:
    struct OwnContact {
        std::string uri{};
        FlowId of{};         // the flow that it leads to
        Endpoint ends_at{};  // where that flow ended when it was told, as others see it
    };
    struct Entry {
        AccountId account;
        call::Call machine;
        std::optional<Target> target{};  // of its flow, for the Events
        FlowId flow{};                   // held (L8); 0: none yet
        std::string dialog_key;
        // Of its first INVITE, by whatever ways it went and as long as there is no final answer:
        // held, for the CANCEL can go nowhere else (RFC 3261 §9.1).
        std::vector<std::pair<call::RequestId, FlowId>> asked_over{};
        bool secure = false;          // a sips URI was called
        bool unheard = false;         // a direct account's client waits for an answer to its INVITE
        CallRef referred_by{};        // the call whose REFER asked for it
        CallRef replaces{};           // the call whose place it takes, once it is answered
        OwnContact contact{};         // what the peer was told last
        FlowId home{};                // the account's flow, when it was looked at last
        bool may_have_moved = false;  // its Contact is looked at as soon as it is established
        // Of its route set. Another server stands in for it, or could do nothing for it: then it is
        // asked itself, penalty or not, until it is silent again.
        std::optional<Target> silent{};
        std::optional<Target> asked_itself{};
        std::optional<Target> server{};  // the account's, that its requests went to last
        // What the peer knows when it has accepted this request.
        std::optional<std::pair<call::RequestId, OwnContact>> saying{};
    };
    struct Waiting {  // for a flow that is being opened
        CallRef call;
        std::variant<call::act::Send, call::act::Acknowledge> action;
    };

    // call_desk.cpp
    Entry& add(CallRef ref, Entry entry);
    void tell(const Step& step, const Accounts& accounts, CallRef call, call::Told told);
    void work(const Step& step, const Accounts& accounts);
    void perform(const Step& step, const Accounts& accounts, CallRef ref, call::act::Send& send);
    void perform(const Step& step, const Accounts& accounts, CallRef ref,
                 call::act::Acknowledge& acknowledge);
    void perform(const Step& step, const Accounts& accounts, CallRef ref,
                 call::act::Cancel& cancel);
    void perform(const Step& step, const Accounts& accounts, CallRef ref,
                 call::act::Respond& respond);
    void perform(const Step& step, const Accounts& accounts, CallRef ref, out::Media& media);
    void perform(const Step& step, const Accounts& accounts, CallRef ref, Event& event);
    [[nodiscard]] bool waits_for_flow(CallRef ref, sip::Method method) const;
    void use_flow(const Step& step, Entry& entry, FlowId flow);
    void remove(const Step& step, CallRef ref);

    // call_traffic.cpp
    void answer(const Step& step, const Incoming& incoming, int status, std::string headers,
                std::string to_tag);
    void on_cancel(const Step& step, const Accounts& accounts, const Incoming& incoming);
    void on_ack(const Step& step, const Accounts& accounts, const sip::Message& ack);
    [[nodiscard]] CallRef call_of(const sip::Message& request) const;
    void report(const Step& step, const Accounts& accounts, const CallAnswer& answer,
                const FlowTrouble& trouble, const sip::Message* response);
    call::told::Response judged(const Step& step, const Accounts& accounts,
                                const CallAnswer& answer, const sip::Message& response);

    // call_transfers.cpp
    void refuse_transfer(const Step& step, CallRef call, std::string words) const;
    [[nodiscard]] const call::Referral* referral_of(const in::Dial& dial) const;
    void tell_related(const Entry& entry, Event& event);
    // RFC 3891 §3: the call in whose place the INVITE comes; 0: in none. unexpected: why not, a
    // status.
    [[nodiscard]] std::expected<CallRef, int> replaced_by(const Step& step,
                                                          const sip::Message& invite,
                                                          AccountId account) const;
    void remember_end(const Step& step, const Entry& entry);

    // call_way.cpp
    struct Way {
        FlowId flow{};         // 0: there is none yet, or words say why there is none
        bool is_open = false;  // else it is being opened
        std::string words{};
        std::optional<Target> to_open{};        // no flow leads there yet
        std::optional<Target> stands_in_for{};  // the route set names a server that is silent
    };
    [[nodiscard]] static Way known_way(const Step& step, const Account& account, const Entry& entry,
                                       const std::string& next_hop);
    [[nodiscard]] static bool is_silent(const Step& step, const registration::View& view,
                                        const Entry& entry, const Target& hop);
    Way way_of(const Step& step, const Account& account, Entry& entry,
               const dialog::Request& request);
    void come_back(const Step& step, const Account& account, Entry& entry, const Way& way);
    void transmit(const Step& step, const Account& account, CallRef ref, const Way& way,
                  const call::act::Send& send);
    void note_success(CallRef call);
    registration::Credentials* credentials_of(AccountId id, const Account& account);
    // What is told over this flow; the entry's own stays true as long as its flow ends there.
    [[nodiscard]] static OwnContact contact_for(const Step& step, const Account& account,
                                                const Entry& entry, FlowId flow);

    // call_direct.cpp: of direct accounts, whose calls find their own way.
    [[nodiscard]] static std::string own_address_of(const Step& step, const Account& account);
    static void stop_waiting(const Step& step, CallRef ref, Entry& entry);
    bool goes_elsewhere(const Step& step, const Accounts& accounts, const CallAnswer& answer,
                        const sip::Message* response);

    // call_moves.cpp
    void follow(const Step& step, const Accounts& accounts, CallRef ref, const Account& account);
    void tell_contact(const Step& step, CallRef ref, const Account& account);
    void give_up_unheard(const Step& step, CallRef ref);
    [[nodiscard]] bool has_left(const Step& step, const Accounts& accounts,
                                const CallAnswer& answer) const;
    bool says_nothing(const Step& step, const Accounts& accounts, const CallAnswer& answer,
                      const sip::Message* response);
    void let_go(const Step& step, Entry& entry);
    void let_go(const Step& step, const Entry& entry, FlowId flow);
    void note_answered(const Step& step, const CallAnswer& answer);
    void cancel_lost(const Step& step, const flow::Flow& opened);
    void note_contact(const CallAnswer& answer, int status);
    void note_to_cancel(const Step& step, const FlowTrouble& trouble);

    CallClients clients_;
    CallServers servers_;
    std::string user_agent_;
    std::map<CallRef, Entry> calls_;
    std::map<std::string, CallRef, std::less<>> by_dialog_;  // Call-ID and our tag
    struct Ended {  // RFC 3891 §3: what comes to replace a call that has just ended is not wanted
        std::string dialog_key;
        std::string remote_tag;
        Instant until;
    };
    std::deque<Ended> ended_;
    std::map<AccountId, registration::Credentials> credentials_;
    std::map<FlowId, std::vector<Waiting>> waiting_;
    std::vector<std::pair<CallRef, call::Told>> untold_;  // what performing has brought
    struct ToCancel {  // an INVITE that rang when its connection was lost
        Target target;
        Instant until;
        CallRequest cancel;
    };
    std::vector<ToCancel> to_cancel_;
    std::vector<std::pair<AccountId, FlowId>> let_go_;
    std::vector<std::pair<AccountId, FlowId>> returned_;
    Agenda<CallRef> agenda_;
    std::uint32_t last_incoming_ = first_incoming;
    bool telling_ = false;
};

}  // namespace holdfast::engine
