// What comes for calls: requests of dialogs and transactions of theirs, new INVITEs, responses, and
// flows that fail under them.
#include <array>
#include <utility>

#include "base/text.h"
#include "engine/call_desk.h"
#include "engine/flow_desk.h"
#include "engine/limits.h"
#include "sip/verdict.h"

namespace holdfast::engine {

namespace told = call::told;
using sip::Method;
using transaction::ClientResult;

namespace {

constexpr std::array methods{Method::invite,  Method::ack,   Method::cancel, Method::bye,
                             Method::options, Method::prack, Method::update, Method::info,
                             Method::refer,   Method::notify};
constexpr std::array<std::string_view, 4> options{"100rel", "timer", "replaces", "norefersub"};
constexpr std::array<std::string_view, 4> media_types{"application/sdp", "application/dtmf-relay",
                                                      "application/dtmf", "message/sipfrag"};

sip::Capabilities capabilities() {
    return {.methods = methods, .options = options, .media_types = media_types, .sent_types = {}};
}

}  // namespace

// §11: an answer holds what we say of our sound, and its keys. Who asked for TLS gives them to
// nobody in clear text, tags and branch or not; who is in such a call with us has our Contact, and
// comes over TLS.
bool CallDesk::is_ours(const Step& step, const Accounts& accounts, const Incoming& incoming) const {
    const auto& request = incoming.request;
    call::ServerId cancelled;
    if (request.method() == Method::cancel)
        cancelled = servers_.cancelled_by(request, incoming.source, incoming.arrived);
    const auto found = calls_.find(cancelled ? servers_.call_of(cancelled) : call_of(request));
    if (found == calls_.end()) return cancelled || servers_.knows(request);
    const auto account = accounts.find(found->second.account);
    if (account == accounts.end() || !account->second.registration.is_secure_only()) return true;
    const auto* const arrived = step.flows.find(incoming.arrived);
    return arrived != nullptr && is_secure(arrived->target.transport);
}

bool CallDesk::needs_no_flow(const sip::Message& request) const {
    return request.method() == Method::ack || servers_.knows(request);
}

void CallDesk::on_request(const Step& step, const Accounts& accounts, const Incoming& incoming) {
    const auto& request = incoming.request;
    if (request.method() == Method::ack) return on_ack(step, accounts, request);
    if (servers_.knows(request)) return servers_.again(step, request);
    if (servers_.size() >= limits::server_transactions) return;
    if (request.method() == Method::cancel) return on_cancel(step, accounts, incoming);
    const CallRef ref = call_of(request);
    if (!ref || servers_.of_call(ref) >= limits::transactions_of_a_call) return;
    hear_from(step, incoming.arrived);
    if (auto refusal = sip::check_request(request, capabilities()))
        return answer(step, incoming, refusal->status, std::move(refusal->extra_headers), {});
    const auto server = servers_.begin(step, ref, request, incoming.source, incoming.flow);
    tell(step, accounts, ref, told::Request{server, &request});
}

void CallDesk::on_ack(const Step& step, const Accounts& accounts, const sip::Message& ack) {
    if (!servers_.on_ack(step, ack)) return;  // of a refusal: the transaction's own
    if (const CallRef ref = call_of(ack)) tell(step, accounts, ref, told::Acknowledged{&ack});
}

void CallDesk::on_cancel(const Step& step, const Accounts& accounts, const Incoming& incoming) {
    const auto server = servers_.cancelled_by(incoming.request, incoming.source, incoming.arrived);
    const CallRef ref = servers_.call_of(server);
    const auto found = calls_.find(ref);
    // RFC 3261 §9.2: the CANCEL has its own 200, with the To tag of the INVITE's responses.
    answer(step, incoming, server ? 200 : 481, {},
           found == calls_.end() ? std::string{} : found->second.machine.identity().tag);
    // Only the INVITE that made the call is cancelled; a re-INVITE has its answer already.
    const auto* const cancelled = servers_.request_of(server);
    if (ref && cancelled != nullptr && cancelled->to().tag().empty())
        tell(step, accounts, ref, told::Cancelled{&incoming.request});
}

void CallDesk::answer(const Step& step, const Incoming& incoming, int status, std::string headers,
                      std::string to_tag) {
    const auto server = servers_.begin(step, {}, incoming.request, incoming.source, incoming.flow);
    if (to_tag.empty()) to_tag = step.random.token(64);
    servers_.respond(
        step, server,
        {.status = status, .headers = std::move(headers), .to_tag = std::move(to_tag)});
}

void CallDesk::on_invite(const Step& step, const Accounts& accounts, const Incoming& incoming,
                         AccountId account) {
    const auto& invite = incoming.request;
    if (servers_.size() >= limits::server_transactions) return;
    if (servers_.is_merged(invite)) return answer(step, incoming, 482, {}, {});
    if (calls_.size() >= limits::calls) return answer(step, incoming, 486, {}, {});
    const auto& called = accounts.at(account);
    if (called.leaving) return answer(step, incoming, 480, {}, {});
    const auto replaces = replaced_by(step, invite, account);
    if (!replaces) return answer(step, incoming, replaces.error(), {}, {});
    const CallRef ref{++last_incoming_};
    if (last_incoming_ == 0xffff'ffff) last_incoming_ = first_incoming;
    call::Identity self{.aor = called.registration.aor(),
                        .display_name = called.calls->display_name,
                        .call_id = std::string(invite.call_id()),
                        .tag = step.random.token(96),
                        .follows_transfers = called.calls->follows_transfers};
    auto& entry = add(ref, {.account = account,
                            .machine = call::Call(std::move(self)),
                            .dialog_key = {},
                            .secure = invite.request_uri().scheme == sip::Scheme::sips,
                            .replaces = *replaces});
    use_flow(step, entry, incoming.flow);
    const auto server = servers_.begin(step, ref, invite, incoming.source, incoming.flow);
    // RFC 3325 §9.1: who may assert who calls.
    const bool own = step.flows.trusts(step.now, incoming.arrived, account,
                                       called.registration.accepted(step.now));
    tell(step, accounts, ref,
         told::Invited{.server = server,
                       .invite = &invite,
                       .source = own ? call::Source::own_server : call::Source::anybody});
}

bool CallDesk::on_response(const Step& step, const Accounts& accounts, FlowId flow,
                           const sip::Message& response) {
    const auto heard = clients_.on_response(step, flow, response);
    if (heard.answer) report(step, accounts, *heard.answer, {}, &response);
    return heard.is_ours;
}

void CallDesk::report(const Step& step, const Accounts& accounts, const CallAnswer& answer,
                      const FlowTrouble& trouble, const sip::Message* response) {
    note_contact(answer, response != nullptr ? response->status() : 0);
    note_answered(step, answer);
    if (goes_elsewhere(step, accounts, answer, response)) return;
    if (says_nothing(step, accounts, answer, response)) {
        const told::Failed failed{
            answer.id, answer.heard ? told::Lost::underway : told::Lost::unheard,
            response == nullptr
                ? std::string("the server does not answer any more")
                : "a server that stands in for the dialog's own one can do nothing for it (" +
                      std::to_string(response->status()) + ")"};
        // A stand-in may answer at once, again and again: the next attempt waits for its time.
        if (answer.by_stand_in) return tell(step, accounts, answer.call, failed);
        untold_.emplace_back(answer.call, failed);
        return tell(step, accounts, answer.call, told::WayFound{});
    }
    switch (answer.what) {
    case ClientResult::provisional:
    case ClientResult::success:
    case ClientResult::final_response:
        return tell(step, accounts, answer.call, judged(step, accounts, answer, *response));
    case ClientResult::timed_out:
        // F6: not even a 1xx. What the far side does not answer after one says nothing of the
        // server.
        if (!answer.heard && !answer.given_up)
            for (const AccountId id : step.flows.users(answer.flow))
                step.tell(id, registration::told::Suspect{
                                  .flow = answer.flow,
                                  .reason = "a request of a call was not answered",
                                  .shared = step.flows.users(answer.flow).size() > 1});
        return tell(step, accounts, answer.call,
                    told::Failed{answer.id, told::Lost::answer, "no answer"});
    case ClientResult::transport_error: {
        std::string words(name_of(trouble.error));
        if (!trouble.detail.empty()) words.append(": ").append(trouble.detail);
        return tell(
            step, accounts, answer.call,
            told::Failed{answer.id, answer.heard ? told::Lost::underway : told::Lost::unheard,
                         std::move(words)});
    }
    case ClientResult::pending:
    case ClientResult::absorbed:
    case ClientResult::done: return;
    }
}

void CallDesk::on_flow_opened(const Step& step, const Accounts& accounts, FlowId flow) {
    if (const auto* const opened = step.flows.find(flow)) cancel_lost(step, *opened);
    for (const AccountId id : step.flows.users(flow)) say_bye_lost(step, accounts, id);
    for (const auto& [ref, entry] : calls_)
        if (entry.flow == flow && step.flows.uses_or_used(flow, entry.account))
            returned_.emplace_back(entry.account, flow);
    auto waiting = waiting_.extract(flow);
    if (waiting.empty()) return;
    for (auto& [ref, action] : waiting.mapped())
        if (calls_.contains(ref))
            std::visit([&, ref = ref](auto& it) { perform(step, accounts, ref, it); }, action);
    work(step, accounts);
}

void CallDesk::on_flow_trouble(const Step& step, const Accounts& accounts,
                               const FlowTrouble& trouble, bool gone) {
    if (gone) note_to_cancel(step, trouble);
    for (const auto& answer : clients_.on_flow_trouble(trouble.flow, gone))
        report(step, accounts, answer, trouble, nullptr);
    if (auto waiting = waiting_.extract(trouble.flow); !waiting.empty())
        for (const auto& [ref, action] : waiting.mapped())
            if (const auto* const send = std::get_if<call::act::Send>(&action))
                tell(step, accounts, ref,
                     told::Failed{send->id, told::Lost::way, std::string(name_of(trouble.error))});
    if (!gone) return;
    servers_.on_flow_ended(trouble.flow);
    std::vector<CallRef> ringing;
    for (auto& [ref, entry] : calls_) {
        if (entry.flow != trouble.flow) continue;
        entry.flow = {};
        if (entry.machine.state() == call::State::ringing) ringing.push_back(ref);
    }
    // An answer could not be sent any more; who calls tries again, and finds us where we are then.
    for (const CallRef ref : ringing)
        tell(step, accounts, ref, told::HangUp{"the connection to the server is lost"});
}

}  // namespace holdfast::engine
