// Calls of direct accounts (registration/direct.h): who says that he calls, and what the account's
// client must know of an INVITE to find another target for it (RFC 3263 §4.3).
#include <algorithm>
#include <utility>

#include "engine/call_desk.h"
#include "engine/flow_desk.h"
#include "flow/contact_address.h"
#include "sip/uri.h"

namespace holdfast::engine {

using sip::Method;

namespace {

constexpr int service_unavailable = 503;

std::string host_text(const IpAddress& address) {
    return address.family() == Family::ipv6 ? "[" + address.to_string() + "]" : address.to_string();
}

}  // namespace

// RFC 3261 §8.1.1.3: From is who calls; who has no domain has an address.
std::string CallDesk::own_address_of(const Step& step, const Account& account) {
    const std::string& aor = account.registration.aor();
    const auto uri = sip::OwnedUri::parse(aor);
    if (!uri) return aor;
    const auto host = (*uri)->host_address();
    if (!host || !host->is_unspecified()) return aor;
    const auto view = account.registration.view();
    const auto* const flow =
        view.bindings.empty() ? nullptr : step.flows.find(view.bindings.front().flow);
    // RFC 3323 §4.1.1.3: an address that is none, as long as there is none.
    const auto own = flow == nullptr || flow->local.address.is_unspecified()
                         ? std::string("anonymous.invalid")
                         : host_text(flow->local.address);
    return std::string((*uri)->scheme_text) + ":" + std::string((*uri)->user) + "@" + own;
}

// Somebody has answered its INVITE, or its user waits for nobody any more.
void CallDesk::stop_waiting(const Step& step, CallRef ref, Entry& entry) {
    if (!std::exchange(entry.unheard, false)) return;
    step.tell(entry.account, registration::told::CallWaits{.call = ref, .unheard = false});
}

// true: what the answer says is not told the call, which goes another way.
bool CallDesk::goes_elsewhere(const Step& step, const Accounts& accounts, const CallAnswer& answer,
                              const sip::Message* response) {
    const auto found = calls_.find(answer.call);
    if (found == calls_.end() || answer.method != Method::invite) return false;
    Entry& entry = found->second;
    const auto account = accounts.find(entry.account);
    if (account == accounts.end() || !account->second.registration.is_direct()) return false;
    if (entry.machine.state() != call::State::calling || answer.given_up) return false;
    if (response == nullptr) return false;  // the client hears of the flow's trouble by itself
    stop_waiting(step, answer.call, entry);
    if (response->status() != service_unavailable ||
        !account->second.registration.view().has_another_way)
        return false;
    step.tell(entry.account, registration::told::CallUnavailable{answer.flow, answer.call});
    tell(step, accounts, answer.call,
         call::told::Failed{answer.id, call::told::Lost::unavailable, "503 Service Unavailable"});
    return true;
}

// A dialog without the account's server in its route set does not need that server.
void CallDesk::end_stranded(const Step& step, const Accounts& accounts, AccountId account,
                            const registration::act::EndCalls& end) {
    std::vector<CallRef> its;
    for (const auto& [ref, entry] : calls_) {
        if (entry.account != account) continue;
        const auto* const flow = step.flows.find(entry.flow);
        const bool has_lost_its_flow =
            (flow == nullptr || !flow->is_open()) && entry.target == end.lost;
        const bool is_calling = entry.machine.state() == call::State::calling;
        const bool ends = end.only.empty()
                              ? is_calling || has_lost_its_flow
                              : std::ranges::find(end.only, ref) != end.only.end() && is_calling;
        if (ends) its.push_back(ref);
    }
    for (const CallRef ref : its)
        tell(step, accounts, ref, call::told::HangUp{end.words, end.status});
}

}  // namespace holdfast::engine
