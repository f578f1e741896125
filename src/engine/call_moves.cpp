// A call moves with its account (L8, K5): what the registration does is looked at here, and the
// call is told what follows for it.
//
// What the peer must learn is decided by what our Contact says, over the way that the next request
// of the dialog goes. A registration that moved to another server changes neither where there is no
// NAT, or one that gives all servers the same port; nor where the route set keeps the dialog at the
// server that was left, whose flow stays open for it. Then nothing is said: a re-INVITE can be
// refused, cross another one, or interrupt the sound, and would tell nothing new.
#include <algorithm>
#include <array>
#include <utility>

#include "engine/call_desk.h"
#include "engine/flow_desk.h"
#include "engine/limits.h"

namespace holdfast::engine {

namespace told = call::told;

namespace {

// The account's flow, once it is registered over it.
FlowId home_of(const Step& step, const Account& account) {
    for (const auto& binding : account.registration.view().bindings)
        if (const auto* const flow = step.flows.find(binding.flow);
            binding.registered && binding.primary && flow != nullptr && flow->is_open())
            return binding.flow;
    return {};
}

// N3: a new flow's first REGISTER names what is known before its answer shows the mapping; the
// second one, a round trip later, names that. The far side is told once.
bool is_settling(const Account& account, FlowId home) {
    return std::ranges::any_of(account.registration.view().outstanding, [&](const auto& request) {
        return request.flow == home && !request.settles;
    });
}

// What only the peer says, or a server that has the dialog: of its state, and of what is offered.
// And challenges, which are answered.
bool is_of_who_has_the_dialog(int status) {
    static constexpr std::array said{401, 407, 415, 422, 488, 491, 606};
    return std::ranges::find(said, status) != said.end();
}

}  // namespace

void CallDesk::follow(const Step& step, const Accounts& accounts, AccountId id) {
    const auto account = accounts.find(id);
    if (account == accounts.end() || !account->second.calls) return;
    std::vector<CallRef> its;
    for (const auto& [ref, entry] : calls_)
        if (entry.account == id) its.push_back(ref);
    if (its.empty()) return;
    const FlowId home = home_of(step, account->second);
    if (!home) return;  // nothing can be said yet
    for (const CallRef ref : its) follow(step, accounts, ref, account->second);
}

void CallDesk::follow(const Step& step, const Accounts& accounts, CallRef ref,
                      const Account& account) {
    const auto found = calls_.find(ref);
    if (found == calls_.end()) return;
    Entry& entry = found->second;
    const FlowId home = home_of(step, account);
    const bool is_new = std::exchange(entry.home, home) != home;
    entry.may_have_moved = true;
    tell_contact(step, ref, account);
    if (is_new) {
        if (entry.asked_itself && step.health.penalised(*entry.asked_itself, step.now))
            entry.asked_itself.reset();
        give_up_unheard(step, ref);
        untold_.emplace_back(ref, told::WayFound{});
    }
    work(step, accounts);
}

// RFC 3261 §12.2.1.1: the peer learns another Contact by a target refresh. A call that is not
// established yet is looked at when it is.
void CallDesk::tell_contact(const Step& step, CallRef ref, const Account& account) {
    Entry& entry = calls_.at(ref);
    if (entry.machine.state() != call::State::established) return;
    if (const FlowId home = home_of(step, account); !home || is_settling(account, home)) return;
    entry.may_have_moved = false;
    const auto next_hop = entry.machine.next_hop();
    if (!next_hop) return;
    const Way way = known_way(step, account, entry, *next_hop);
    if (!way.flow && !way.to_open) return;
    auto contact = contact_for(step, account, entry, way.flow);
    if (contact.uri.empty() || contact.uri == entry.contact.uri) return;
    // It is on its way; what becomes of it is looked at when it is known (note_contact).
    if (entry.saying && entry.saying->second.uri == contact.uri) return;
    untold_.emplace_back(ref, told::WayChanged{});
}

// F1, F3: what the account's silent server has not answered goes the new way at once, not when its
// transaction has timed out. The INVITE that began the call lives on: a late answer is dealt with.
void CallDesk::give_up_unheard(const Step& step, CallRef ref) {
    Entry& entry = calls_.at(ref);
    const auto* const flow = step.flows.find(entry.flow);
    if (flow == nullptr || entry.flow == entry.home) return;
    if (!step.health.penalised(flow->target, step.now)) return;
    entry.silent = flow->target;  // also when the penalty has ended
    if (entry.asked_itself == entry.silent) entry.asked_itself.reset();
    for (const auto& waiting : clients_.give_up_unheard(ref, entry.flow)) {
        note_contact(waiting, 0);
        untold_.emplace_back(
            ref, told::Failed{waiting.id, told::Lost::left, "the server does not answer any more"});
    }
}

// RFC 3261 §12.2.1.2: the peer has our Contact when it has accepted the request that says it.
// status: 0 for no answer.
void CallDesk::note_contact(const CallAnswer& answer, int status) {
    const auto found = calls_.find(answer.call);
    if (found == calls_.end() || !found->second.saying) return;
    Entry& entry = found->second;
    if (entry.saying->first != answer.id || (status >= 100 && status < 200)) return;
    if (status >= 200 && status < 300) entry.contact = std::move(entry.saying->second);
    entry.may_have_moved = true;  // meanwhile, or it was not taken
    entry.saying.reset();
}

bool CallDesk::has_calls(AccountId account) const {
    return std::ranges::any_of(calls_,
                               [&](const auto& call) { return call.second.account == account; });
}

void CallDesk::on_mapping(const Step& step, const Accounts& accounts, FlowId flow) {
    std::vector<CallRef> its;
    for (auto& [ref, entry] : calls_)
        if (entry.flow == flow) its.push_back(ref);
    for (const CallRef ref : its)
        if (const auto account = accounts.find(calls_.at(ref).account); account != accounts.end()) {
            calls_.at(ref).may_have_moved = true;
            tell_contact(step, ref, account->second);
        }
    work(step, accounts);
}

bool CallDesk::uses(AccountId account, FlowId flow) const {
    return std::ranges::any_of(calls_, [&](const auto& call) {
        const Entry& entry = call.second;
        if (entry.account != account) return false;
        return entry.flow == flow || std::ranges::any_of(entry.asked_over, [&](const auto& asked) {
                   return asked.second == flow;
               });
    });
}

bool CallDesk::owes(AccountId account) const {
    return std::ranges::any_of(calls_, [&](const auto& call) {
        return call.second.account == account && call.second.machine.owes();
    });
}

// The request was sent to a server that the account has found silent, and left, since: that nobody
// answered it says nothing of the peer (RFC 3261 §12.2.1.2 speaks of the peer).
bool CallDesk::has_left(const Step& step, const Accounts& accounts,
                        const CallAnswer& answer) const {
    const auto entry = calls_.find(answer.call);
    if (entry == calls_.end()) return false;
    const auto account = accounts.find(entry->second.account);
    if (account == accounts.end() || !step.flows.uses_or_used(answer.flow, account->first))
        return false;
    const FlowId home = home_of(step, account->second);
    const auto view = account->second.registration.view();
    return home && std::ranges::none_of(view.bindings, [&](const auto& binding) {
               return binding.registered && binding.flow == answer.flow;
           });
}

void CallDesk::let_go(const Step& step, Entry& entry) {
    if (!entry.flow) return;
    let_go(step, entry, std::exchange(entry.flow, FlowId{}));
}

void CallDesk::let_go(const Step& step, const Entry& entry, FlowId flow) {
    step.flows.let_go(step.now, flow);
    let_go_.emplace_back(entry.account, flow);
}

void CallDesk::note_answered(const Step& step, const CallAnswer& answer) {
    using enum transaction::ClientResult;
    const auto found = calls_.find(answer.call);
    if (found == calls_.end() || answer.what == provisional || answer.what == pending) return;
    auto& asked = found->second.asked_over;
    const auto its = std::ranges::find(asked, answer.id, [](const auto& one) { return one.first; });
    if (its == asked.end()) return;
    const FlowId flow = its->second;
    asked.erase(its);
    let_go(step, found->second, flow);
}

// Its server is silent, or what another server that stood in for it says is not the peer's word: to
// the dialogs of its neighbour a B2BUA says 481, a proxy 404 or 5xx.
bool CallDesk::says_nothing(const Step& step, const Accounts& accounts, const CallAnswer& answer,
                            const sip::Message* response) {
    const auto found = calls_.find(answer.call);
    if (found == calls_.end() || answer.given_up) return false;
    const int status = response != nullptr ? response->status() : 0;
    const bool timed_out =
        answer.what == transaction::ClientResult::timed_out || status == 408;  // of a proxy
    Entry& entry = found->second;
    if (answer.by_stand_in) {
        if (!timed_out && (status < 300 || is_of_who_has_the_dialog(status))) return false;
        if (entry.silent) entry.asked_itself = std::exchange(entry.silent, std::nullopt);
        return true;
    }
    if (!timed_out || response != nullptr || !has_left(step, accounts, answer)) return false;
    const auto* const flow = step.flows.find(answer.flow);
    if (flow == nullptr) return true;
    entry.silent = flow->target;
    entry.asked_itself.reset();
    return true;
}

void CallDesk::hear_from(const Step& step, FlowId flow) {
    if (calls_.empty()) return;
    const auto* const known = step.flows.find(flow);
    if (known == nullptr) return;
    for (auto& [ref, entry] : calls_)
        if (entry.silent == known->target)
            entry.asked_itself = std::exchange(entry.silent, std::nullopt);
}

void CallDesk::on_oversized(const Step& step, const Accounts& accounts, const FlowTrouble& trouble,
                            const sip::Message& salvaged) {
    const auto answer = clients_.on_oversized(step, trouble.flow, salvaged);
    if (!answer) return;
    note_contact(*answer, salvaged.status());
    note_answered(step, *answer);
    tell(step, accounts, answer->call,
         told::Failed{.id = answer->id,
                      .lost = told::Lost::unreadable,
                      .words = "an answer past a limit: " + trouble.detail,
                      .status = salvaged.status(),
                      .head = &salvaged});
}

// A call that is not established yet; a re-INVITE goes again by itself.
void CallDesk::note_to_cancel(const Step& step, const FlowTrouble& trouble) {
    for (auto& cancel : clients_.cancels_on(trouble.flow)) {
        const auto found = calls_.find(cancel.call);
        if (found == calls_.end() || to_cancel_.size() >= limits::calls) continue;
        const auto state = found->second.machine.state();
        if (state != call::State::calling && state != call::State::ending) continue;
        to_cancel_.push_back({.target = trouble.target,
                              .until = step.now + limits::unused_flow,
                              .cancel = std::move(cancel)});
    }
}

// RFC 3261 §15: a BYE whose connection broke goes over the account's next one as soon as that is
// open. It does not wait for the registration: an account that leaves (B4) has none any more, and
// ends soon.
void CallDesk::say_bye_lost(const Step& step, const Accounts& accounts, AccountId id) {
    const auto account = accounts.find(id);
    if (account == accounts.end()) return;
    for (const auto& [ref, entry] : calls_) {
        if (entry.account != id || !entry.machine.has_bye_waiting()) continue;
        const auto next_hop = entry.machine.next_hop().value_or("");
        if (known_way(step, account->second, entry, next_hop).is_open)
            untold_.emplace_back(ref, told::WayFound{});
    }
    work(step, accounts);
}

// RFC 3261 §9.1: the CANCEL goes where the INVITE went, over the next connection to that server,
// for it would ring on with nobody to talk to. Its branch names the INVITE; the answers come on the
// connection it was sent on (§18.2.2).
void CallDesk::cancel_lost(const Step& step, const flow::Flow& opened) {
    std::erase_if(to_cancel_, [&](const ToCancel& lost) { return lost.until <= step.now; });
    for (auto& lost : to_cancel_)
        if (lost.target == opened.target) clients_.send(step, opened, std::move(lost.cancel));
    std::erase_if(to_cancel_, [&](const ToCancel& lost) { return lost.target == opened.target; });
}

}  // namespace holdfast::engine
