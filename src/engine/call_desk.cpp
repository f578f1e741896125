#include "engine/call_desk.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/check.h"
#include "call/limits.h"
#include "call/words.h"
#include "engine/flow_desk.h"
#include "engine/limits.h"
#include "flow/contact_address.h"
#include "sip/uri.h"
#include "sip/via.h"

namespace holdfast::engine {

namespace act = call::act;
namespace told = call::told;

std::string dialog_key(std::string_view call_id, std::string_view tag) {
    return std::string(call_id).append("\n").append(tag);
}

namespace {

Event refused_event(const in::Dial& dial, std::string words) {
    Event event;
    event.kind = EventKind::call_ended;
    event.account = dial.account;
    event.call = dial.call;
    event.contact = dial.uri;
    event.reason = std::move(words);
    return event;
}

}  // namespace

void CallDesk::dial(const Step& step, const Accounts& accounts, const in::Dial& dial) {
    const auto refuse = [&](std::string words) {
        step.outbox.push(refused_event(dial, std::move(words)));
        if (dial.referred_by)
            tell(step, accounts, dial.referred_by, told::ReferredCall{.status = 0});
    };
    const auto account = accounts.find(dial.account);
    if (calls_.contains(dial.call)) {  // its own Events go on
        Event notice{.kind = EventKind::notice, .account = dial.account};
        notice.reason = "a call with the number of one that is there was not begun";
        return step.outbox.push(std::move(notice));
    }
    if (!dial.call || dial.call.value >= first_incoming)
        return refuse("the call's number is none that may be chosen");
    if (account == accounts.end() || account->second.leaving) return refuse("no such account");
    if (calls_.size() >= limits::calls) return refuse("too many calls at once");
    const auto* const referral = referral_of(dial);
    if (dial.referred_by && referral == nullptr)
        return refuse("nobody asks for this call any more");
    const auto uri = sip::OwnedUri::parse(referral != nullptr ? referral->uri : dial.uri);
    if (!uri || !((*uri)->is_sip() || (*uri)->scheme == sip::Scheme::tel))
        return refuse("\"" + dial.uri + "\" is no address that can be called");
    const auto& settings = account->second.calls;
    if (!settings) return refuse("the account is not set up for calls (takes_calls)");
    if (auto* const credentials = credentials_of(dial.account, account->second);
        credentials != nullptr && credentials->refusals(step.now) >= refusals_most)
        return refuse("the password was refused; it is not sent again for a while (F5)");
    call::Identity self{.aor = account->second.registration.aor(),
                        .display_name = settings->display_name,
                        .call_id = step.random.token(128),
                        .tag = step.random.token(96),
                        .follows_transfers = settings->follows_transfers};
    const bool is_direct = account->second.registration.is_direct();
    if (is_direct) {
        // Nobody on the way takes out who we are (RFC 3325 §9.2).
        self.aor = dial.options.number == call::Number::withheld
                       ? "sip:anonymous@anonymous.invalid"
                       : own_address_of(step, account->second);
        self.ways = call::limits::targets;
        self.follows_transfers = false;  // its calls go to one place, and carol is elsewhere
    }
    // RFC 3261 §19.1.5: headers and a method in a URI are nobody's to choose but ours.
    told::Dial told{dialog::as_request_uri(uri->get()), dial.streams, dial.options};
    if (referral != nullptr) told.options.headers += referral->headers;
    if (is_direct) told.options.redirects = call::Redirects::refuse;  // for the same reason
    add(dial.call, {.account = dial.account,
                    .machine = call::Call(std::move(self)),
                    .dialog_key = {},
                    .secure = (*uri)->scheme == sip::Scheme::sips,
                    .referred_by = dial.referred_by});
    if (referral != nullptr) tell(step, accounts, dial.referred_by, told::ReferredCall{});
    tell(step, accounts, dial.call, std::move(told));
}

CallDesk::Entry& CallDesk::add(CallRef ref, Entry entry) {
    const auto& self = entry.machine.identity();
    entry.dialog_key = dialog_key(self.call_id, self.tag);
    by_dialog_.insert_or_assign(entry.dialog_key, ref);
    return calls_.insert_or_assign(ref, std::move(entry)).first->second;
}

CallRef CallDesk::call_of(const sip::Message& request) const {
    if (request.to().tag().empty()) return {};
    const auto found = by_dialog_.find(dialog_key(request.call_id(), request.to().tag()));
    return found == by_dialog_.end() ? CallRef{} : found->second;
}

void CallDesk::command(const Step& step, const Accounts& accounts, CallRef call, call::Told told) {
    tell(step, accounts, call, std::move(told));
}

// What performing brings (a flow that is gone) is told afterwards, one after the other: nothing
// re-enters a machine.
void CallDesk::tell(const Step& step, const Accounts& accounts, CallRef call, call::Told told) {
    untold_.emplace_back(call, std::move(told));
    work(step, accounts);
}

void CallDesk::work(const Step& step, const Accounts& accounts) {
    if (std::exchange(telling_, true)) return;
    for (std::size_t next = 0; next < untold_.size(); ++next) {
        CHECK(next < limits::steps_per_account);
        const auto [ref, what] = std::move(untold_[next]);
        const auto found = calls_.find(ref);
        if (found == calls_.end()) continue;
        call::Actions actions;
        found->second.machine.handle(what,
                                     {.now = step.now, .random = step.random, .actions = actions});
        for (auto& action : actions)
            std::visit([&](auto& it) { perform(step, accounts, ref, it); }, action);
        if (found->second.machine.state() != call::State::calling)
            stop_waiting(step, ref, found->second);
        if (found->second.machine.is_over()) {
            remove(step, ref);
            continue;
        }
        agenda_.put(ref, found->second.machine.next_deadline());
        if (const auto account = accounts.find(found->second.account);
            found->second.may_have_moved && account != accounts.end())
            tell_contact(step, ref, account->second);
    }
    untold_.clear();
    telling_ = false;
}

void CallDesk::perform(const Step& step, const Accounts& accounts, CallRef ref, act::Send& send) {
    Entry& entry = calls_.at(ref);
    const auto account = accounts.find(entry.account);
    if (account == accounts.end())
        return untold_.emplace_back(ref,
                                    told::Failed{send.id, told::Lost::way, "the account is gone"}),
               void();
    const Way way = way_of(step, account->second, entry, send.request);
    if (!way.flow)
        return untold_.emplace_back(ref, told::Failed{send.id, told::Lost::way, way.words}), void();
    use_flow(step, entry, way.flow);
    if (way.is_open) return transmit(step, account->second, ref, way, send);
    waiting_[way.flow].push_back({ref, std::move(send)});
}

void CallDesk::perform(const Step& step, const Accounts& accounts, CallRef ref,
                       act::Acknowledge& acknowledge) {
    Entry& entry = calls_.at(ref);
    const auto account = accounts.find(entry.account);
    if (account == accounts.end()) return;
    const Way way = way_of(step, account->second, entry, acknowledge.ack);
    const auto* const flow = step.flows.find(way.flow);
    if (flow == nullptr) return;  // the 2xx comes again, and then perhaps there is a way
    use_flow(step, entry, way.flow);
    if (!way.is_open) return waiting_[way.flow].push_back({ref, std::move(acknowledge)});
    const auto went = clients_.went(ref, acknowledge.invite);
    const auto branch = std::string(sip::branch_cookie) + step.random.token(96);
    const auto sent_by = flow::via_sent_by(flow->local);
    const auto authorization = went ? went->authorization : std::string{};
    step.flows.send(step, flow->id,
                    dialog::written(acknowledge.ack, {.transport = flow->target.transport,
                                                      .sent_by = sent_by,
                                                      .branch = branch,
                                                      .contact = {},
                                                      .authorization = authorization,
                                                      .user_agent = user_agent_}));
}

void CallDesk::perform(const Step& step, const Accounts&, CallRef ref, act::Cancel& cancel) {
    clients_.cancel(step, ref, cancel.invite);
}

void CallDesk::perform(const Step& step, const Accounts& accounts, CallRef ref,
                       act::Respond& respond) {
    Entry& entry = calls_.at(ref);
    const auto account = accounts.find(entry.account);
    std::string contact;
    if (respond.has_contact && account != accounts.end()) {
        auto own = contact_for(step, account->second, entry, servers_.flow_of(respond.to));
        contact = own.uri;
        const auto* const asked = servers_.request_of(respond.to);
        if (asked != nullptr && dialog::refreshes_target(asked->method()))
            entry.contact = std::move(own);
    }
    servers_.respond(step, respond.to,
                     {.status = respond.status,
                      .reason = std::move(respond.reason),
                      .headers = std::move(respond.headers),
                      .contact = std::move(contact),
                      .to_tag = entry.machine.identity().tag,
                      .body = std::move(respond.body)});
}

void CallDesk::perform(const Step& step, const Accounts&, CallRef ref, out::Media& media) {
    media.call = ref;
    step.outbox.push(std::move(media));
}

void CallDesk::perform(const Step& step, const Accounts&, CallRef ref, Event& event) {
    const Entry& entry = calls_.at(ref);
    event.account = entry.account;
    event.call = ref;
    if (!event.target) event.target = entry.target;
    tell_related(entry, event);
    step.outbox.push(std::move(event));
}

// L8: the flow of a call stays alive as long as the call.
void CallDesk::use_flow(const Step& step, Entry& entry, FlowId flow) {
    if (entry.flow == flow) return;
    step.flows.hold(flow);
    let_go(step, entry);
    entry.flow = flow;
    if (const auto* const known = step.flows.find(flow)) entry.target = known->target;
    if (step.flows.uses_or_used(flow, entry.account)) entry.server = entry.target;
}

void CallDesk::remove(const Step& step, CallRef ref) {
    const auto found = calls_.find(ref);
    if (found == calls_.end()) return;
    let_go(step, found->second);
    for (const auto& [invite, flow] : std::exchange(found->second.asked_over, {}))
        let_go(step, found->second, flow);
    remember_end(step, found->second);
    by_dialog_.erase(found->second.dialog_key);
    clients_.forget(ref);
    agenda_.remove(ref);
    calls_.erase(found);
}

void CallDesk::end_all(const Step& step, const Accounts& accounts, AccountId account,
                       const std::string& words) {
    std::vector<CallRef> its;
    for (const auto& [ref, entry] : calls_)
        if (entry.account == account) its.push_back(ref);
    for (const CallRef ref : its) tell(step, accounts, ref, told::HangUp{.words = words});
}

bool CallDesk::waits_for_flow(CallRef ref, sip::Method method) const {
    const auto is_it = [&](const Waiting& waiting) {
        const auto* const send = std::get_if<act::Send>(&waiting.action);
        return waiting.call == ref && send != nullptr && send->request.method == method;
    };
    return std::ranges::any_of(
        waiting_, [&](const auto& flow) { return std::ranges::any_of(flow.second, is_it); });
}

void CallDesk::forget(const Step& step, AccountId account) {
    std::vector<CallRef> its;
    for (const auto& [ref, entry] : calls_) {
        if (entry.account != account) continue;
        its.push_back(ref);
        if (!entry.machine.has_bye_waiting() && !waits_for_flow(ref, sip::Method::bye)) continue;
        Event notice{.kind = EventKind::notice, .account = account, .call = ref};
        notice.reason = call::bye_lost;
        step.outbox.push(std::move(notice));
    }
    for (const CallRef ref : its) remove(step, ref);
    credentials_.erase(account);
}

void CallDesk::on_time(const Step& step, const Accounts& accounts) {
    for (const auto& answer : clients_.on_time(step)) report(step, accounts, answer, {}, nullptr);
    servers_.on_time(step);
    for (const CallRef ref : agenda_.take_due(step.now)) tell(step, accounts, ref, told::Time{});
}

Deadline CallDesk::next_deadline() const {
    return sooner(sooner(clients_.next_deadline(), servers_.next_deadline()), agenda_.next());
}

}  // namespace holdfast::engine
