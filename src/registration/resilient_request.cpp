// What our requests say: F1, B1, B6, N3, N4.
#include <algorithm>

#include "base/broken_rule.h"
#include "base/text.h"
#include "flow/contact_address.h"
#include "registration/resilient.h"
#include "sip/via.h"

namespace holdfast::registration {

namespace {

constexpr Duration least_patience = 200ms;  // F3, K2: before another may be asked beside it
constexpr Duration debt_behind = 2s;        // behind the REGISTER that is out on the same flow

std::uint32_t whole_seconds(Duration d) { return static_cast<std::uint32_t>(d / 1s); }

}  // namespace

// F8: a backup registrar has a Call-ID of its own.
std::string Resilient::call_id_of(const Binding& binding, const Target& target) const {
    const auto place = targets_.place_of(target);
    return place == 0 ? binding.identity.call_id
                      : binding.identity.call_id + "-b" + std::to_string(place);
}

// N4: this flow's own mapping; B1: the AOR's user, our token, the transport as the RFC has it.
std::string Resilient::contact_uri(const Binding& binding, const flow::Flow& flow,
                                   Instant now) const {
    const bool rewrite = policy_->rewrite != Rewrite::off;
    const bool same_flow = binding.current && binding.current->flow == flow.id;
    if (binding.current && (is_broken(BrokenRule::mapping_per_flow) ||
                            (same_flow && is_broken(BrokenRule::changed_mapping))))
        return binding.current->contact;
    if (policy_->rewrite == Rewrite::outbound && registrar_has_outbound_ && same_flow)
        return binding.current->contact;
    // K3: a mapping that keeps changing is not chased; what is registered stays until it rests.
    if (rewrite && same_flow && !flow.mapping.may_rewrite(now)) return binding.current->contact;
    const auto address = flow::contact_address(
        {.by_hand = *contact_address_,
         .mapping = rewrite ? flow.mapping.usable() : std::nullopt,
         .answered = flow.answered,
         .stun_elsewhere = rewrite && stun_ ? stun_->mapping_for(flow) : std::nullopt,
         .local = flow.local});
    const bool secure = configured_aor_.starts_with("sips:");
    const auto transport = flow.target.transport;
    const bool named = secure ? transport == Transport::tcp : transport != Transport::udp;
    return joined({secure ? "sips:" : "sip:", user_, user_.empty() ? "" : "@", address.host_port,
                   named ? ";transport=" : "", named ? name_of(transport) : "",
                   ";hf=", binding.identity.token});
}

std::vector<std::string> Resilient::old_uris(const Binding& binding, std::string_view current,
                                             std::uint32_t tries_most) const {
    std::vector<std::string> uris;
    if (is_broken(BrokenRule::old_contact)) return uris;
    for (const auto& old : binding.identity.olds) {
        const bool in_use =
            old.uri == current || std::ranges::any_of(bindings_, [&](const Binding& other) {
                return &other != &binding && other.current && other.current->contact == old.uri;
            });
        if (!in_use && old.tries < tries_most) uris.push_back(old.uri);
    }
    return uris;
}

// B4: the time has come, and nothing else is wrong.
bool Resilient::is_due_refresh(const Binding& binding, const Target& target) {
    return binding.refresh_is_due && binding.current && binding.current->target == target;
}

Resilient::Attempt& Resilient::new_attempt(Purpose purpose, int reg_id, const Target& target,
                                           FlowId flow, const Context& context) {
    const AttemptId id{++last_attempt_};
    Attempt attempt{.id = id,
                    .purpose = purpose,
                    .reg_id = reg_id,
                    .target = target,
                    .flow = flow,
                    .first_sent = context.now,
                    .last_sent = context.now};
    return attempts_.emplace(id, std::move(attempt)).first->second;
}

// I4: one outstanding on a flow; an older one there is given up. Two of a reg-id (F3); of what
// earlier searches left, the oldest is given up.
void Resilient::make_way(Binding& binding, const Target& target, FlowId flow,
                         const Context& context) {
    abandon(binding, target, context);
    Attempt* oldest = nullptr;
    int others = 0;
    for (auto& [id, attempt] : attempts_) {
        if (attempt.abandoned) continue;
        const bool settles = attempt.purpose == Purpose::fetch ||
                             (attempt.purpose == Purpose::remove && !attempt.before_register);
        if (attempt.flow == flow && attempt.purpose != Purpose::prove) {
            give_up(attempt, context);
            if (settles) debt_waits(attempt.target, context.now + debt_again);  // it comes behind
            continue;
        }
        const bool same = (attempt.purpose == Purpose::register_ || attempt.before_register) &&
                          attempt.reg_id == binding.identity.reg_id;
        if (!same) continue;
        if (context.now < attempt.first_sent + least_patience) {  // an earlier search's
            give_up(attempt, context);
            continue;
        }
        ++others;
        if (oldest == nullptr || attempt.first_sent < oldest->first_sent) oldest = &attempt;
    }
    if (others > 1) give_up(*oldest, context);
}

void Resilient::give_up(Attempt& attempt, const Context& context) {
    attempt.abandoned = true;
    context.act(act::Abandon{attempt.id});
}

void Resilient::debt_waits(const Target& target, Instant until) {
    for (auto& debt : debts_) {
        if (debt.target != target) continue;
        debt.asking = false;
        debt.next_try = until;
    }
}

void Resilient::send_register(Binding& binding, const Target& target, FlowId flow_id,
                              const Context& context) {
    make_way(binding, target, flow_id, context);
    const auto* flow = context.flows.find(flow_id);
    if (flow == nullptr) return;
    auto& attempt =
        new_attempt(Purpose::register_, binding.identity.reg_id, target, flow_id, context);
    attempt.contact = contact_uri(binding, *flow, context.now);
    attempt.due = is_due_refresh(binding, target);
    // What we have now elsewhere is named as old in the same breath (B7), unless it is the very
    // same Contact.
    if (binding.current && binding.current->contact != attempt.contact)
        binding.identity.add_old(
            {binding.current->contact, binding.current->target,
             context.wall_clock + (binding.current->expires - context.now) / 1s + 1, 0});
    auto trying = event(EventKind::attempt, &binding);
    trying.target = target;
    trying.contact = attempt.contact;
    trying.reason = binding.search_reason;
    context.act(std::move(trying));
    binding.search_has_begun = true;
    transmit(attempt, context);
}

void Resilient::send_again(Attempt attempt, const Context& context) {
    auto* binding = binding_of(attempt.reg_id);
    const bool of_a_search = attempt.purpose == Purpose::register_ || attempt.before_register;
    const auto what =
        attempt.due ? RegisterBudget::For::refresh_answer : RegisterBudget::For::answer;
    if (const auto until =
            budget_.exhausted_until(context.now, attempt.target, last_ranked_.size(), what);
        until && of_a_search && binding != nullptr)
        return hold_back(*binding, *until, context);  // I5: not even an answer
    // F1: a new transaction; the id is new too, so that a late copy of the old one is nobody's
    attempt.id = AttemptId{++last_attempt_};
    attempt.answered = false;
    attempt.last_sent = context.now;
    const auto target = attempt.target;
    transmit(attempts_.emplace(attempt.id, std::move(attempt)).first->second, context);
    if (of_a_search && binding != nullptr && binding->search)
        binding->search->on_resent(context.now, target);
}

void Resilient::transmit(Attempt& attempt, const Context& context) {
    auto* binding = binding_of(attempt.reg_id);
    const auto* flow = context.flows.find(attempt.flow);
    if (binding == nullptr || flow == nullptr) return;
    if (attempt.purpose == Purpose::register_)
        attempt.contact = contact_uri(*binding, *flow, context.now);
    auto branch = joined({sip::branch_cookie, context.random.token(96)});
    budget_.spent(context.now, attempt.target,
                  attempt.due ? RegisterBudget::For::refresh : RegisterBudget::For::attempt);
    probe_budget_.spent(context.now);
    auto wire = register_text(attempt, *binding, *flow, branch, context);
    attempt.bytes = wire.size();
    attempt.adaptations = adaptations_;
    context.act(act::Send{.attempt = attempt.id,
                          .flow = attempt.flow,
                          .method = sip::Method::register_,
                          .branch = std::move(branch),
                          .wire = std::move(wire),
                          .call_id = attempt.call_id,
                          .cseq = attempt.cseq});
}

std::string Resilient::register_text(Attempt& attempt, Binding& binding, const flow::Flow& flow,
                                     std::string_view branch, const Context& context) {
    bool reserve = false;
    attempt.cseq = binding.identity.next_cseq(reserve);  // F1: CSeq + 1, same Call-ID
    const auto& backup = targets_.domain_of(targets_.place_of(attempt.target));
    const auto request_uri = joined({configured_aor_.starts_with("sips:") ? "sips:" : "sip:",
                                     backup.empty() ? domain_ : backup});
    const auto aor = backup.empty() ? aor_ : joined({"sip:", user_, "@", backup});
    const auto sent_by = flow::via_sent_by(flow.local);
    attempt.call_id = call_id_of(binding, attempt.target);
    const auto asked = whole_seconds(asked_expires_);
    std::vector<ContactField> contacts;
    const bool outbound = !outbound_dropped_ && supported_.contains("outbound");
    auto parameters = joined({";+sip.instance=\"<", instance_, ">\"", outbound ? ";reg-id=" : "",
                              outbound ? std::to_string(binding.identity.reg_id) : ""});
    std::optional<std::uint32_t> expires;
    switch (attempt.purpose) {
    case Purpose::register_:
        attempt.removes = binding.together == Together::both ? old_uris(binding, attempt.contact)
                                                             : std::vector<std::string>{};
        contacts.push_back({attempt.contact, asked, std::move(parameters)});
        for (const auto& uri : attempt.removes)
            contacts.push_back({uri, 0, {}});  // B6: bare, behind the current one
        expires = asked;
        break;
    case Purpose::leave:  // B4: alone, expires=0 and Expires: 0
        contacts.push_back({attempt.contact, 0, std::move(parameters)});
        expires = 0;
        break;
    case Purpose::remove:
        contacts.push_back({attempt.contact, 0, {}});
        if (attempt.named_twice) contacts.push_back({attempt.contact, 0, {}});
        expires = 0;
        break;
    case Purpose::fetch:
    case Purpose::prove: break;
    }
    auto offered = supported_;
    if (outbound_dropped_) offered.erase("outbound");
    const auto supported = offered.list();
    const auto require = required_.list();
    auto authorized =
        credentials_.authorize(attempt.target, "REGISTER", request_uri, context.random);
    attempt.sent = std::move(authorized.sent);
    if (attempt.purpose == Purpose::register_ && note_contact(binding, attempt, context))
        reserve = true;
    if (reserve) store(binding, context);
    return register_request({.request_uri = request_uri,
                             .aor = aor,
                             .display_name = *display_name_,
                             .from_tag = from_tag_,
                             .call_id = attempt.call_id,
                             .cseq = attempt.cseq,
                             .branch = branch,
                             .transport = attempt.target.transport,
                             .sent_by = sent_by,
                             .contacts = std::move(contacts),
                             .expires = expires,
                             .supported = supported,
                             .require = require,
                             .user_agent = user_agent_,
                             .authorization = authorized.lines,
                             .ask_keep = true,
                             .routes = {}});
}

// B3: CSeq block and Contact are on disk before they are on the wire. How long the binding lasts is
// not written at every refresh: a day is assumed, and the next 200 tells whether the Contact is
// still there.
bool Resilient::note_contact(Binding& binding, const Attempt& attempt, const Context& context) {
    constexpr std::int64_t assumed = 86400;
    auto& identity = binding.identity;
    if (identity.contact == attempt.contact && identity.contact_target == attempt.target) {
        ++binding.contact_sent;
        return false;
    }
    // A Contact that was only ever in refused or challenged requests is in no location service.
    const bool may_exist = binding.contact_sent > 0;
    if (identity.contact != attempt.contact) binding.contact_sent = 0;
    ++binding.contact_sent;
    if (may_exist && !identity.contact.empty() && identity.contact != attempt.contact &&
        identity.contact_target)
        identity.add_old({identity.contact, *identity.contact_target, identity.contact_ends, 0});
    identity.contact = attempt.contact;
    identity.contact_target = attempt.target;
    identity.contact_ends = context.wall_clock + assumed;
    return true;
}

void Resilient::send_fetch(Debt& debt, const Context& context) {
    const auto* flow = context.flows.find(debt.target, targets_.tls_name_of(debt.target));
    if (flow == nullptr || !flow->is_open()) {
        debt.next_try = never;  // told::FlowOpen goes on
        context.act(act::Open{debt.target, targets_.tls_name_of(debt.target)});
        return;
    }
    used_.insert(flow->id);
    const bool busy = std::ranges::any_of(attempts_, [&](const auto& a) {
        return a.second.flow == flow->id && !a.second.abandoned &&
               a.second.purpose != Purpose::prove;
    });
    if (busy) {  // I4
        debt.next_try = context.now + debt_behind;
        return;
    }
    if (const auto until = budget_.exhausted_until(context.now, debt.target, last_ranked_.size(),
                                                   RegisterBudget::For::settle)) {
        debt.next_try = *until;  // I5: there is no hurry
        return;
    }
    debt.asking = true;
    debt.next_try = context.now + debt_again;
    auto& attempt = new_attempt(debt.remove ? Purpose::remove : Purpose::fetch, debt.reg_id,
                                debt.target, flow->id, context);
    attempt.contact = debt.contact;
    // B6: a server that takes the sender's address for the first Contact's removes the second.
    attempt.named_twice = debt.tries > 0;
    transmit(attempt, context);
}

void Resilient::send_leave(Binding& binding, const Target& target, FlowId flow,
                           const std::string& contact, const Context& context) {
    auto& attempt = new_attempt(Purpose::leave, binding.identity.reg_id, target, flow, context);
    attempt.contact = contact;
    transmit(attempt, context);
}

void Resilient::send_proof(const Context& context) {
    const auto* binding = primary();
    const auto* flow = binding == nullptr ? nullptr : context.flows.find(binding->current->flow);
    if (flow == nullptr || !flow->is_open()) {
        proof_.sent(context.now,
                    context.random.token(128));  // nothing came back: the verdict says so
        return;
    }
    auto& attempt =
        new_attempt(Purpose::prove, binding->identity.reg_id, flow->target, flow->id, context);
    attempt.call_id = context.random.token(128);
    attempt.cseq = 1;
    const auto branch = std::string(sip::branch_cookie) + context.random.token(96);
    const auto sent_by = flow::via_sent_by(flow->local);
    const auto& gruu = binding->current->gruus->public_one;
    const auto& to = gruu.empty() ? aor_ : gruu;  // R1
    auto authorized = credentials_.authorize(flow->target, "OPTIONS", to, context.random);
    attempt.sent = std::move(authorized.sent);
    const auto routes = service_routes_->find(flow->target);  // L8
    auto wire = options_request(
        {.request_uri = to,
         .aor = aor_,
         .to = to,
         .from_tag = from_tag_,
         .call_id = attempt.call_id,
         .cseq = attempt.cseq,
         .branch = branch,
         .transport = flow->target.transport,
         .sent_by = sent_by,
         .contact = binding->current->contact,
         .routes = routes == service_routes_->end() ? std::vector<std::string>{} : routes->second,
         .user_agent = user_agent_,
         .authorization = authorized.lines});
    proof_.sent(context.now, attempt.call_id);
    context.act(act::Send{.attempt = attempt.id,
                          .flow = flow->id,
                          .method = sip::Method::options,
                          .branch = branch,
                          .wire = std::move(wire),
                          .call_id = attempt.call_id,
                          .cseq = attempt.cseq});
}

void Resilient::store(Binding& binding, const Context& context) {
    context.act(act::Store{"binding-" + std::to_string(binding.identity.reg_id),
                           binding.identity.encode()});
}

}  // namespace holdfast::registration
