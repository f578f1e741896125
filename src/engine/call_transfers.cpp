// Calls that stand for one another: transfers of ours, calls that a REFER asks for (RFC 3515), and
// those that come in the place of others (RFC 3891).
#include <algorithm>
#include <utility>

#include "call/diversion.h"
#include "dialog/replaces.h"
#include "engine/call_desk.h"
#include "engine/limits.h"
#include "sip/address.h"
#include "sip/uri.h"

namespace holdfast::engine {

namespace told = call::told;

namespace {

// What the other call's peer is called by. Deviates: RFC 3891 §4: by its Contact only where that is
// a GRUU; else by its address, for a Contact behind a NAT can be reached by nobody but us.
std::string reachable_uri(const dialog::Dialog& dialog) {
    const auto contact = sip::OwnedUri::parse(dialog.remote_target());
    const auto address = sip::OwnedNameAddr::parse(dialog.remote());
    if ((contact && (*contact)->parameters.has("gr")) || !address || (*address)->uri.user.empty())
        return dialog.remote_target();
    return dialog::as_request_uri((*address)->uri);
}

}  // namespace

void CallDesk::refuse_transfer(const Step& step, CallRef call, std::string words) const {
    const auto found = calls_.find(call);
    if (found == calls_.end()) return;
    Event event{.kind = EventKind::transfer_failed, .account = found->second.account, .call = call};
    event.reason = std::move(words);
    step.outbox.push(std::move(event));
}

void CallDesk::transfer(const Step& step, const Accounts& accounts, const in::Transfer& transfer) {
    const auto uri = sip::OwnedUri::parse(transfer.target);
    if (!uri || !((*uri)->is_sip() || (*uri)->scheme == sip::Scheme::tel))
        return refuse_transfer(step, transfer.call,
                               "\"" + transfer.target + "\" is no address that can be called");
    tell(step, accounts, transfer.call,
         told::Transfer{dialog::as_request_uri(uri->get()), transfer.reports});
}

void CallDesk::transfer_to(const Step& step, const Accounts& accounts,
                           const in::TransferTo& transfer) {
    const auto call = calls_.find(transfer.call);
    const auto other = calls_.find(transfer.other);
    if (call == calls_.end()) return;
    if (other == calls_.end() || other == call || other->second.account != call->second.account)
        return refuse_transfer(step, transfer.call, "there is no such other call");
    const auto& machine = other->second.machine;
    if (call->second.machine.is_transferring())
        return tell(step, accounts, transfer.call, told::Transfer{});  // which it refuses in words
    switch (machine.state()) {
    case call::State::established: {
        const auto& dialog = *machine.dialog();
        // RFC 3891 §3: the tags as the other side has them.
        const dialog::Replaces replaces{.call_id = dialog.call_id(),
                                        .to_tag = dialog.remote_tag(),
                                        .from_tag = dialog.local_tag()};
        return tell(step, accounts, transfer.call,
                    told::Transfer{.target = reachable_uri(dialog) + as_uri_header(replaces)});
    }
    case call::State::calling: {
        // RFC 3891 §4: an early dialog is not for its caller to have replaced; the target rings
        // anew.
        auto target = machine.dialled_uri();
        if (call->second.machine.state() == call::State::established)
            tell(step, accounts, transfer.other, told::HangUp{"transferred while it rang"});
        return tell(step, accounts, transfer.call, told::Transfer{.target = std::move(target)});
    }
    case call::State::idle:
    case call::State::ringing:
    case call::State::answered:
    case call::State::ending:
    case call::State::over: break;
    }
    refuse_transfer(step, transfer.call, "the other call is not answered");
}

// RFC 3261 §21.3.3, RFC 5806 §4: the caller is sent elsewhere, and learns from whom and why. Who
// sent him here is said again behind that: only so can each see that he goes in a circle.
void CallDesk::reject(const Step& step, const Accounts& accounts, const in::Reject& reject) {
    const auto found = calls_.find(reject.call);
    if (found == calls_.end()) return;
    if (reject.forward_to.empty())
        return tell(step, accounts, reject.call, told::Reject{.status = reject.status});
    const auto uri = sip::OwnedUri::parse(reject.forward_to);
    if (!uri || !((*uri)->is_sip() || (*uri)->scheme == sip::Scheme::tel)) {
        Event notice{
            .kind = EventKind::notice, .account = found->second.account, .call = reject.call};
        notice.reason =
            "not forwarded: \"" + reject.forward_to + "\" is no address that can be called";
        return step.outbox.push(std::move(notice));
    }
    const auto target = dialog::as_request_uri(uri->get());
    const auto& machine = found->second.machine;
    tell(step, accounts, reject.call,
         told::Reject{.status = 302,
                      .headers = "Contact: <" + target + ">\r\nDiversion: <" +
                                 machine.identity().aor +
                                 ">;reason=" + std::string(name_of(reject.why)) + "\r\n" +
                                 call::diversion_lines(machine.their_invite()),
                      .words = "forwarded to " + target});
}

const call::Referral* CallDesk::referral_of(const in::Dial& dial) const {
    const auto found = calls_.find(dial.referred_by);
    if (found == calls_.end() || found->second.account != dial.account) return nullptr;
    return found->second.machine.awaited_referral();
}

// What becomes of a call is news to the one that it came of.
void CallDesk::tell_related(const Entry& entry, Event& event) {
    const bool answered = event.kind == EventKind::answered;
    if (entry.referred_by &&
        (answered || event.kind == EventKind::ringing || event.kind == EventKind::call_ended))
        untold_.emplace_back(entry.referred_by, told::ReferredCall{event.status});
    if (!entry.replaces) return;
    if (event.kind == EventKind::ring) {  // nothing rings: a call goes on with somebody else
        event.kind = EventKind::replaced;
        event.other = entry.replaces;
    }
    // RFC 3891 §3: what is replaced ends when the new one is accepted, not before.
    if (answered)
        untold_.emplace_back(entry.replaces, told::Replaced{"another has taken over the call"});
}

std::expected<CallRef, int> CallDesk::replaced_by(const Step& step, const sip::Message& invite,
                                                  AccountId account) const {
    using Standing = call::Call::Standing;
    const auto replaces = dialog::replaces_of(invite);
    if (!replaces) return std::unexpected(400);
    if (!*replaces) return CallRef{};
    const auto& [call_id, to_tag, from_tag, early_only] = **replaces;
    const auto key = dialog_key(call_id, to_tag);
    const auto found = by_dialog_.find(key);
    if (found == by_dialog_.end()) {
        const bool has_ended = std::ranges::any_of(ended_, [&, &tag = from_tag](const Ended& end) {
            return end.dialog_key == key && end.remote_tag == tag && step.now < end.until;
        });
        return std::unexpected(has_ended ? 603 : 481);
    }
    const auto& entry = calls_.at(found->second);
    if (entry.account != account) return std::unexpected(481);
    switch (entry.machine.standing_of(from_tag)) {
    case Standing::unknown:
    case Standing::early_of_theirs: return std::unexpected(481);
    case Standing::ended: return std::unexpected(603);
    case Standing::confirmed: break;
    case Standing::early_of_ours: return found->second;
    }
    if (early_only) return std::unexpected(486);
    return found->second;
}

void CallDesk::remember_end(const Step& step, const Entry& entry) {
    const auto* const dialog = entry.machine.dialog();
    if (dialog == nullptr) return;
    if (ended_.size() >= limits::ended_dialogs) ended_.pop_front();
    ended_.push_back(
        {entry.dialog_key, dialog->remote_tag(), step.now + limits::ended_dialog_life});
}

}  // namespace holdfast::engine
