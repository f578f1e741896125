// The way a request of a call goes (L8): outside dialogs over the account's primary flow, in a
// dialog where the route set says, over an open flow if there is one.
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

// Where a numeric URI leads; nothing for a name.
std::optional<Target> numeric_target(std::string_view text) {
    const auto uri = sip::OwnedUri::parse(text);
    if (!uri || !(*uri)->is_sip()) return std::nullopt;
    const auto address = (*uri)->host_address();
    if (!address) return std::nullopt;
    auto transport = parse_transport((*uri)->transport().value_or("udp")).value_or(Transport::udp);
    if ((*uri)->scheme == sip::Scheme::sips) transport = Transport::tls;
    const auto port = (*uri)->port != 0 ? (*uri)->port : default_port(transport);
    return Target{transport, {*address, port}};
}

bool is_open(const FlowDesk& flows, FlowId flow) {
    const auto* const known = flows.find(flow);
    return known != nullptr && known->is_open();
}

}  // namespace

CallDesk::Way CallDesk::way_of(const Step& step, const Account& account, const Entry& entry,
                               const dialog::Request& request) {
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
        if (may_go(home)) return {home, true};
        if (is_open(step.flows, home)) return {{}, false, "a sips address is called over TLS only"};
        return {{}, false, "the account is not registered: " + view.state};
    };
    if (request.next_hop.empty()) return at_home();
    const auto target = numeric_target(request.next_hop);
    // A name: the proxy that put itself into the route is the one we talk to.
    if (!target) return may_go(entry.flow) ? Way{entry.flow, true} : at_home();
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
    // Several flows may lead to one target; the call's own comes first.
    for (const FlowId id : {entry.flow, home})
        if (is_there(id) || leads_there(id)) return {id, true};
    for (const auto& flow : step.flows.table().all())
        if (!flow.spare_port && is_there(flow.id)) return {flow.id, true};
    for (const auto& flow : step.flows.table().all())
        if (!flow.spare_port && leads_there(flow.id)) return {flow.id, true};
    // A TLS connection to a number would be verified for no name.
    if (secure || is_secure(target->transport)) return at_home();
    const FlowId opened = step.flows.open_to_hold(step, *target);
    return {opened, is_open(step.flows, opened)};
}

void CallDesk::transmit(const Step& step, const Account& account, CallRef ref, FlowId flow_id,
                        const call::act::Send& send) {
    const Entry& entry = calls_.at(ref);
    const auto& flow = *step.flows.find(flow_id);
    auto request = send.request;
    if (request.next_hop.empty()) request.routes = routes_of(account, account.registration.view());
    CallRequest out{.call = ref,
                    .id = send.id,
                    .method = request.method,
                    .branch = std::string(sip::branch_cookie) + step.random.token(96),
                    .call_id = request.call_id,
                    .cseq = request.cseq,
                    .wire = {}};
    if (auto* const credentials = credentials_of(entry.account, account)) {
        auto authorized = credentials->authorize(flow.target, sip::name_of(request.method),
                                                 request.request_uri, step.random);
        out.authorization = std::move(authorized.lines);
        out.sent = std::move(authorized.sent);
    }
    const auto sent_by = flow::via_sent_by(flow.local);
    const auto contact =
        request.has_contact ? contact_for(step, account, flow_id, entry.secure) : std::string{};
    out.wire = dialog::written(request, {.transport = flow.target.transport,
                                         .sent_by = sent_by,
                                         .branch = out.branch,
                                         .contact = contact,
                                         .authorization = out.authorization,
                                         .user_agent = user_agent_});
    clients_.send(step, flow, std::move(out));
}

// Without a binding (a call that came before we registered, or while we cannot): where this flow
// ends.
std::string CallDesk::contact_for(const Step& step, const Account& account, FlowId flow,
                                  bool secure) {
    auto contact = contact_of(account.registration.view(), flow,
                              secure ? sip::Scheme::sips : sip::Scheme::sip);
    const auto* const found = step.flows.find(flow);
    if (!contact.empty() || found == nullptr) return contact;
    const auto transport = found->target.transport;
    return std::string(secure ? "sips:" : "sip:") + account.user + "@" +
           flow::via_sent_by(found->local) +
           (transport == Transport::udp ? "" : ";transport=" + std::string(name_of(transport)));
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
    if (credentials == nullptr) return told;
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
