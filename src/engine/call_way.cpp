// The way a request of a call goes (L8): outside dialogs over the account's primary flow, in a
// dialog where the route set says, over an open flow if there is one.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "engine/call_desk.h"
#include "engine/contact.h"
#include "engine/flow_desk.h"
#include "flow/contact_address.h"
#include "sip/via.h"

namespace holdfast::engine {

using sip::Method;

namespace {

const registration::BindingView* primary(const registration::View& view) {
    for (const auto& binding : view.bindings)
        if (binding.registered && binding.primary) return &binding;
    return nullptr;
}

// RFC 3608 §6.1, L8: what requests outside dialogs are routed by.
std::vector<std::string> routes_of(const Account& account, const registration::View& view) {
    if (!view.service_route.empty()) return view.service_route;
    const auto& proxy = account.calls->outbound_proxy;
    if (proxy.empty()) return {};
    const auto uri = sip::OwnedUri::parse(proxy);
    const bool loose = uri && (*uri)->lr();
    return {"<" + proxy + (loose ? ">" : ";lr>")};
}

// Where a numeric URI leads; nothing for a name, nor where one request could reach many, or nobody
// (a peer chooses what it names).
std::optional<Target> numeric_target(std::string_view text) {
    const auto uri = sip::OwnedUri::parse(text);
    if (!uri || !(*uri)->is_sip()) return std::nullopt;
    const auto address = (*uri)->host_address();
    if (!address || address->is_unspecified() || address->is_multicast()) return std::nullopt;
    auto transport = parse_transport((*uri)->transport().value_or("udp")).value_or(Transport::udp);
    if ((*uri)->scheme == sip::Scheme::sips) transport = Transport::tls;
    const auto port = (*uri)->port != 0 ? (*uri)->port : default_port(transport);
    return Target{transport, {*address, port}};
}

// The INVITE that begins a call, and not one in its dialog.
bool begins_call(const dialog::Request& request) {
    return request.method == Method::invite && request.next_hop.empty();
}

bool is_open(const FlowDesk& flows, FlowId flow) {
    const auto* const known = flows.find(flow);
    return known != nullptr && known->is_open();
}

bool is_server_of(const registration::View& view, const IpAddress& address) {
    return std::ranges::any_of(
        view.targets, [&](const Target& target) { return target.endpoint.address == address; });
}

}  // namespace

// A server of the account's that takes nothing from us any more, as far as we know: the account
// (F7), or the call itself, was left without an answer there.
bool CallDesk::is_silent(const Step& step, const registration::View& view, const Entry& entry,
                         const Target& hop) {
    if (entry.silent == hop) return true;
    return entry.asked_itself != hop && is_server_of(view, hop.endpoint.address) &&
           step.health.penalised(hop, step.now);
}

CallDesk::Way CallDesk::known_way(const Step& step, const Account& account, const Entry& entry,
                                  const std::string& next_hop) {
    const auto view = account.registration.view();
    const auto* const binding = primary(view);
    const FlowId home = binding != nullptr ? binding->flow : FlowId{};
    // L1: what asked for TLS goes in clear text nowhere, whatever a Record-Route or Contact says.
    const bool secure = account.registration.is_secure_only() || entry.secure;
    const auto may_go = [&](FlowId id) {
        return is_open(step.flows, id) &&
               (!secure || is_secure(step.flows.find(id)->target.transport));
    };
    const auto at_home = [&]() -> Way {
        if (may_go(home)) return {.flow = home, .is_open = true};
        if (is_open(step.flows, home)) return {.words = "a sips address is called over TLS only"};
        // B4: who leaves is not registered over its new connection any more, and may owe a BYE.
        if (account.leaving)
            for (const auto& flow : step.flows.table().all())
                if (step.flows.users(flow.id).contains(entry.account) && may_go(flow.id))
                    return {.flow = flow.id, .is_open = true};
        if (account.registration.is_direct()) return {.words = view.state};
        return {.words = "the account is not registered: " + view.state};
    };
    if (next_hop.empty()) return at_home();
    auto target = numeric_target(next_hop);
    if (!target) target = entry.asked_itself;
    // A name: the proxy that put itself into the route is the one we talk to (L8), as long as it
    // lives; then the one that the account talks to: the name is the domain's, or that server knows
    // where it leads.
    if (!target) {
        if (!may_go(entry.flow)) return at_home();
        const auto& own = step.flows.find(entry.flow)->target;
        if (may_go(home) && home != entry.flow && is_silent(step, view, entry, own))
            return {.flow = home, .is_open = true, .stands_in_for = own};
        return {.flow = entry.flow, .is_open = true};
    }
    const auto is_there = [&](FlowId id) {
        return may_go(id) && step.flows.find(id)->target == *target;
    };
    // A TLS proxy often names itself with transport=tcp or another port than that of the connection
    // (RFC 5626 §5.1); who is named as sips is not reached in clear text.
    const auto leads_there = [&](FlowId id) {
        if (!may_go(id)) return false;
        const auto& known = step.flows.find(id)->target;
        return is_reliable(known.transport) && is_reliable(target->transport) &&
               known.endpoint.address == target->endpoint.address &&
               (is_secure(known.transport) || !is_secure(target->transport));
    };
    // L8, F3: the account has left that server because it is silent. Nothing but it can follow the
    // route set, unless another server of the domain stands in for it (a cluster whose nodes take
    // each other's addresses for their own); who does not only passes it on, and loses nothing that
    // was not lost.
    if (may_go(home) && !is_there(home) && !leads_there(home) &&
        is_silent(step, view, entry, *target))
        return {.flow = home, .is_open = true, .words = {}, .to_open = {}, .stands_in_for = target};
    // Several flows may lead to one target; the call's own comes first.
    for (const FlowId id : {entry.flow, home})
        if (is_there(id) || leads_there(id)) return {.flow = id, .is_open = true};
    for (const auto& flow : step.flows.table().all())
        if (!flow.spare_port && is_there(flow.id)) return {.flow = flow.id, .is_open = true};
    for (const auto& flow : step.flows.table().all())
        if (!flow.spare_port && leads_there(flow.id)) return {.flow = flow.id, .is_open = true};
    // A TLS connection to a number would be verified for no name.
    if (secure || is_secure(target->transport)) return at_home();
    return {.flow = {}, .is_open = false, .words = {}, .to_open = target};
}

CallDesk::Way CallDesk::way_of(const Step& step, const Account& account, Entry& entry,
                               const dialog::Request& request) {
    auto way = known_way(step, account, entry, request.next_hop);
    if (way.to_open) {
        way.flow = step.flows.open_to_hold(step, *way.to_open);
        way.is_open = is_open(step.flows, way.flow);
        come_back(step, account, entry, way);
    }
    // It stays so until one of the two says otherwise (report, on_response): no coming and going.
    if (way.stands_in_for) entry.silent = way.stands_in_for;
    return way;
}

// Over a flow that the account has left, to a server of its own: that one is trusted (§11), and the
// flow kept alive, as those that the call never left. The far side of a dialog without a proxy is
// none.
void CallDesk::come_back(const Step& step, const Account& account, Entry& entry, const Way& way) {
    const auto view = account.registration.view();
    const bool is_own = way.to_open == entry.asked_itself || way.to_open == entry.server ||
                        std::ranges::find(view.targets, *way.to_open) != view.targets.end();
    if (!is_own) return;
    step.flows.join_as_former(way.flow, entry.account);
    if (way.is_open) returned_.emplace_back(entry.account, way.flow);
}

void CallDesk::transmit(const Step& step, const Account& account, CallRef ref, const Way& way,
                        const call::act::Send& send) {
    Entry& entry = calls_.at(ref);
    const auto& flow = *step.flows.find(way.flow);
    auto request = send.request;
    if (request.next_hop.empty()) request.routes = routes_of(account, account.registration.view());
    CallRequest out{.call = ref,
                    .id = send.id,
                    .method = request.method,
                    .branch = std::string(sip::branch_cookie) + step.random.token(96),
                    .call_id = request.call_id,
                    .cseq = request.cseq,
                    .wire = {},
                    .by_stand_in = way.stands_in_for.has_value()};
    if (auto* const credentials = credentials_of(entry.account, account)) {
        auto authorized = credentials->authorize(flow.target, sip::name_of(request.method),
                                                 request.request_uri, step.random);
        out.authorization = std::move(authorized.lines);
        out.sent = std::move(authorized.sent);
    }
    const auto sent_by = flow::via_sent_by(flow.local);
    std::string contact;
    if (request.has_contact) {
        auto own = contact_for(step, account, entry, way.flow);
        contact = own.uri;
        if (dialog::refreshes_target(request.method)) entry.saying = {send.id, std::move(own)};
    }
    out.wire = dialog::written(request, {.transport = flow.target.transport,
                                         .sent_by = sent_by,
                                         .branch = out.branch,
                                         .contact = contact,
                                         .authorization = out.authorization,
                                         .user_agent = user_agent_});
    if (begins_call(send.request)) {
        step.flows.hold(way.flow);
        entry.asked_over.emplace_back(send.id, way.flow);
    }
    if (account.registration.is_direct() && begins_call(send.request)) {
        entry.unheard = true;
        step.tell(entry.account, registration::told::CallWaits{.flow = way.flow, .call = ref});
    }
    clients_.send(step, flow, std::move(out));
}

// Over a flow with a binding that one's Contact; over one that was left what was told there, for a
// server that follows the route set still reaches us by it, and as long as that flow ends where it
// did; else the account's Contact. Without any (a call that came before we registered, or while we
// cannot): where the flow ends.
CallDesk::OwnContact CallDesk::contact_for(const Step& step, const Account& account,
                                           const Entry& entry, FlowId flow) {
    const auto view = account.registration.view();
    const auto bound = [&](FlowId id) {
        return id && std::ranges::any_of(view.bindings, [&](const registration::BindingView& one) {
                   return one.registered && one.flow == id;
               });
    };
    const auto end_of = [&](FlowId id) -> Endpoint {
        const auto* const known = step.flows.find(id);
        if (known == nullptr) return {};
        return known->mapping.usable().value_or(known->local);
    };
    const bool was_left = !bound(flow) && flow && flow == entry.contact.of &&
                          is_open(step.flows, flow) && step.flows.uses_or_used(flow, entry.account);
    if (was_left && entry.contact.ends_at == end_of(flow)) return entry.contact;
    const auto* const home = primary(view);
    const FlowId of = bound(flow) || home == nullptr ? flow : home->flow;
    auto contact = was_left
                       ? std::string{}
                       : contact_of(view, of, entry.secure ? sip::Scheme::sips : sip::Scheme::sip);
    const auto* const found = step.flows.find(flow);
    if (!contact.empty() || found == nullptr) return {std::move(contact), of, end_of(of)};
    const auto transport = found->target.transport;
    // RFC 3323 §4.1.1.3: nobody on the way takes out who a direct call is from.
    const bool is_hidden = account.registration.is_direct() && entry.machine.is_withheld();
    // B1: the AOR's user as it is written there, escapes and all (RFC 3261 §25.1).
    const auto aor = sip::OwnedUri::parse(account.registration.aor());
    const std::string user = is_hidden ? "anonymous" : aor ? std::string((*aor)->user) : "";
    return {
        std::string(entry.secure ? "sips:" : "sip:") + user + "@" +
            flow::via_sent_by(end_of(flow)) +
            (transport == Transport::udp ? "" : ";transport=" + std::string(name_of(transport))),
        flow, end_of(flow)};
}

registration::Credentials* CallDesk::credentials_of(AccountId id, const Account& account) {
    const auto* const own = account.registration.credentials();
    if (own == nullptr) return nullptr;
    return &credentials_.try_emplace(id, own->for_other_requests()).first->second;
}

void CallDesk::note_success(CallRef call) {
    const auto entry = calls_.find(call);
    if (entry == calls_.end()) return;
    const auto credentials = credentials_.find(entry->second.account);
    if (credentials != credentials_.end()) credentials->second.note_success();
}

// F5, L9: what can be done about a challenge, and whether the password was refused.
call::told::Response CallDesk::judged(const Step& step, const Accounts& accounts,
                                      const CallAnswer& answer, const sip::Message& response) {
    using Outcome = registration::Credentials::Outcome;
    using Refusal = registration::Credentials::Refusal;
    call::told::Response told{.id = answer.id, .message = &response};
    if (response.status() != 401 && response.status() != 407) {
        if (!answer.sent.nonces.empty()) note_success(answer.call);
        return told;
    }
    told.challenge = call::Challenge::refused;
    const auto entry = calls_.find(answer.call);
    const auto* const flow = step.flows.find(answer.flow);
    if (entry == calls_.end() || flow == nullptr) return told;
    // §11: who is no server of the account gets nothing to guess the password by.
    if (!step.flows.uses_or_used(answer.flow, entry->second.account)) {
        told.words = "the challenge is not from a server of the account";
        return told;
    }
    const auto account = accounts.find(entry->second.account);
    auto* const credentials =
        account == accounts.end() ? nullptr : credentials_of(account->first, account->second);
    if (credentials == nullptr) {
        if (account != accounts.end() && account->second.registration.is_direct())
            told.words = "the other side asks for a password, and a direct call has none";
        return told;
    }
    credentials->learn_realms_of(*account->second.registration.credentials());
    auto judgement = credentials->on_challenge(flow->target, response, answer.sent, false);
    told.words = std::move(judgement.words);
    switch (judgement.outcome) {
    case Outcome::answer:
    case Outcome::refused_cached: told.challenge = call::Challenge::can_answer; break;
    case Outcome::refused_fresh:
        credentials->note_refusal(step.now, Refusal::of_the_password);
        told.words = "the password was refused";
        break;
    case Outcome::refused_repetition:
        credentials->note_refusal(step.now, Refusal::in_doubt);
        told.challenge = call::Challenge::can_answer;
        break;
    case Outcome::no_password:
    case Outcome::unusable: break;
    }
    if (credentials->refusals(step.now) >= refusals_most) told.challenge = call::Challenge::refused;
    return told;
}

}  // namespace holdfast::engine
