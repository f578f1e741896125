// Flows of all accounts (RFC 5626 §3): who asks for a target that has an open flow shares it (K1);
// a flow nobody uses is closed 32 s after it was last used (L8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/flow_error.h"
#include "base/ids.h"
#include "engine/agenda.h"
#include "engine/step.h"
#include "flow/flow.h"
#include "sip/stream.h"

namespace holdfast::engine {

// One flow ended or had an ICMP error: whom it concerns, and why.
struct FlowTrouble {
    FlowId flow;
    Target target;
    FlowError error = FlowError::closed_by_peer;
    std::string detail;
};

class FlowDesk {
public:
    // The open flow at once, or nothing: then on_opened() or on_failed() will name the account. The
    // id is known either way to the engine's own desks through find().
    std::optional<FlowId> open(const Step& step, AccountId account, const Target& target,
                               std::string_view tls_name,
                               const flow::KeepAliveSettings& settings = {});
    // For a dialog (L8): whoever asks holds it at once. Open already, or being opened.
    FlowId open_to_hold(const Step& step, const Target& target);
    // To answer somebody who is no target of ours: a flow without trust (§11), or nothing: there
    // are as many of them as there may be, and they have to be made room among first.
    std::optional<FlowId> open_to_answer(const Step& step, const Endpoint& remote);
    // The one of these that has served its purpose the longest time ago: it was opened, and no
    // call holds it. Nothing: there is room, or all are being opened just now.
    [[nodiscard]] std::optional<FlowId> stray_to_give_up() const;
    // UDP from a port of its own, for the engine's use alone, until close() (K4).
    FlowId open_spare(const Step& step, const Target& target);
    void release(Instant now, FlowId flow, AccountId account);
    // L8: a flow stays alive while a dialog uses it, whoever left it. Each hold is let go once.
    void hold(FlowId flow);
    void let_go(Instant now, FlowId flow);
    // A call has come back over it to a server that its account has left.
    void join_as_former(FlowId flow, AccountId account);
    void send(const Step& step, FlowId flow, std::string bytes);
    // Something was sent: a flow without users lives 32 s from here.
    void touch(Instant now, FlowId flow);
    // We end it: the world is told, the users are not (that is the caller's choice).
    void close(const Step& step, FlowId flow, FlowError why);

    // Tells those who waited. Nothing: not a flow that was being opened.
    flow::Flow* on_opened(const Step& step, FlowId flow, const Endpoint& local,
                          std::string_view verified_name);
    // Could not be opened: tells those who waited. False: it was open, so this is ICMP for a
    // datagram.
    bool on_failed(const Step& step, const FlowTrouble& trouble);
    // Marks the end, tells nobody. False: unknown.
    bool on_closed(const FlowTrouble& trouble);
    void on_time(const Step& step);
    // What ended stays visible while its users are told, until the end of the step.
    void sweep();

    void forget(Instant now, AccountId account);
    void close_all(const Step& step);

    [[nodiscard]] flow::Flow* find(FlowId flow) { return table_.find(flow); }
    [[nodiscard]] const flow::Flow* find(FlowId flow) const { return table_.find(flow); }
    [[nodiscard]] const flow::Flow* find(const Target& target, std::string_view tls_name) const {
        return table_.find(target, tls_name);
    }
    [[nodiscard]] const flow::Table& table() const { return table_; }
    [[nodiscard]] flow::Table& table() { return table_; }
    [[nodiscard]] const std::set<AccountId>& users(FlowId flow) const;  // without the engine itself
    [[nodiscard]] bool uses_or_used(FlowId flow, AccountId account) const;
    // §11 (a): it uses the flow, or has left it 32 s ago at most, or longer and the other end is
    // still one of its known addresses (b). The flow itself may live on, for others, for a dialog,
    // or because the other end does not stop asking.
    [[nodiscard]] bool trusts(Instant now, FlowId flow, AccountId account,
                              std::span<const IpAddress> known) const;
    [[nodiscard]] bool is_ours(
        FlowId flow) const;  // §11 (a): opened to reach a target, not to answer
    // It was opened to answer a stranger, and is no target's since.
    [[nodiscard]] bool is_stray(FlowId flow) const;
    [[nodiscard]] sip::StreamFramer* framer(FlowId flow);
    [[nodiscard]] Deadline next_deadline() const { return unused_.next(); }

private:
    struct Entry {
        std::set<AccountId> users;
        std::set<AccountId> waiting;
        std::map<AccountId, Instant>
            former;  // and until when the other end is trusted, whoever it is
        std::size_t holds = 0;
        bool engine_uses = false;
        bool to_answer = false;
        std::uint64_t stray_place = 0;  // among the strays; 0: it is none, or a call holds it
        std::optional<sip::StreamFramer> framer{};
        [[nodiscard]] bool is_unused() const {
            return users.empty() && waiting.empty() && !engine_uses && holds == 0;
        }
    };
    FlowId begin(const Step& step, const Target& target, std::string_view tls_name,
                 const flow::KeepAliveSettings& settings, bool spare_port = false);
    void join(Entry& entry, FlowId flow, AccountId account);
    void watch(Instant now, FlowId flow, const Entry& entry);
    void note_stray(FlowId flow, Entry& entry);
    void forget_stray(Entry& entry);
    void trust(Entry& entry);

    flow::Table table_;
    std::map<FlowId, Entry> entries_;
    std::set<FlowId> ended_;
    Agenda<FlowId> unused_;
    std::map<std::uint64_t, FlowId> strays_;  // that no call holds, the one used last at the end
    std::uint64_t last_stray_ = 0;
};

}  // namespace holdfast::engine
