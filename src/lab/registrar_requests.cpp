// What a node of the registrar does with a request: who may ask, and what is answered; a copy of a
// request gets a copy of its answer (RFC 3261 §17.2.2).
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "lab/registrar.h"
#include "sip/response.h"

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

constexpr Duration answers_kept = 32s;  // Timer J (RFC 3261 §17.2.2)

std::string transaction_key(const sip::Message& request) {
    const auto& via = request.top_via();
    return std::string(request.method_text()) + " " + std::string(via.branch) + " " +
           std::string(via.host) + ":" + std::to_string(via.port);
}

}  // namespace

void Registrar::on_text(std::string_view text, const Hop& hop) {
    const auto message = sip::Message::parse(text);
    if (!message) return;
    if (!message->is_request()) {
        if (!pings_.on_response(*message)) proxy_.on_response(*message);
        return;
    }
    const bool peer = peers_.contains(hop.remote.address);
    const auto method = message->method();
    if (method == sip::Method::options && faults_.filters_options && !peer) return;
    if (method == sip::Method::register_ && options_.drops_user_in_uri &&
        message->request_uri().has_user)
        return;
    const bool to_user = message->request_uri().has_user && method != sip::Method::register_;
    const bool answers_itself =
        method == sip::Method::options && !peer && options_.options_to_aor == OptionsToAor::answer;
    const bool forwards =
        (to_user && !answers_itself) || method == sip::Method::cancel || method == sip::Method::ack;
    if (forwards && faults_.status == 0) {
        ++counters_.requests;
        if (!authorize_call(*message, hop)) return;
        proxy_.on_request(*message, hop);
        return;
    }
    if (method == sip::Method::ack || method == sip::Method::cancel) return;
    const auto key = transaction_key(*message);
    if (const auto known = answered_.find(key);
        known != answered_.end() && !(options_.stateless && method == sip::Method::register_)) {
        if (!known->second.response.empty()) transmit_answer(known->second, hop);
        return;
    }
    forget_old_answers();
    answered_[key] = {{}, internet_.now()};
    count(*message);
    if (faults_.slow == Duration{}) return on_new_request(*message, hop);
    internet_.after(faults_.slow, [this, kept = std::string(text), hop] {
        if (const auto again = sip::Message::parse(kept)) on_new_request(*again, hop);
    });
}

void Registrar::count(const sip::Message& request) {
    ++counters_.requests;
    if (request.method() == sip::Method::options) ++counters_.options;
    if (request.method() != sip::Method::register_) return;
    ++counters_.registers;
    ++by_second_[std::chrono::floor<std::chrono::seconds>(internet_.elapsed()).count()];
    if (request.contact_is_star()) ++counters_.star_contacts;
    const auto removes = [&](const sip::Contact& contact) {
        return contact.expires.value_or(request.expires().value_or(1)) == 0;
    };
    // A removal comes twice, before and after the challenge; it counts when it carries credentials.
    if (!request.contacts().empty() && !request.authorizations().empty() &&
        std::ranges::all_of(request.contacts(), removes))
        ++counters_.removals;
}

void Registrar::on_new_request(const sip::Message& request, const Hop& hop) {
    if (faults_.status != 0) {
        std::string extra;
        if (faults_.retry_after)
            extra = "Retry-After: " + std::to_string(*faults_.retry_after) + "\r\n";
        const int status = faults_.status;
        if (faults_.status_times > 0) {
            --faults_.status_times;
            if (faults_.status_times == 0) faults_.status = 0;
        }
        return reply(request, hop, status, {}, extra);
    }
    switch (request.method()) {
    case sip::Method::register_: return on_register(request, hop);
    case sip::Method::options:
        return reply(request, hop, 200, {}, "Allow: REGISTER, OPTIONS, INVITE\r\n");
    case sip::Method::invite:
    case sip::Method::ack:
    case sip::Method::bye:
    case sip::Method::cancel:
    case sip::Method::notify:
    case sip::Method::subscribe:
    case sip::Method::message:
    case sip::Method::info:
    case sip::Method::prack:
    case sip::Method::update:
    case sip::Method::refer:
    case sip::Method::publish:
    case sip::Method::other: return reply(request, hop, 405);
    }
}

bool Registrar::is_ours(std::string_view host) const {
    if (equals_ignoring_case(host, options_.domain)) return true;
    const auto endpoint = Endpoint::parse(host);
    return endpoint && has(endpoint->address);
}

bool Registrar::authorize(const sip::Message& request, const Hop& hop) {
    const auto verdict = authenticator_.check(request, passwords_, internet_.now());
    switch (verdict) {
    case Verdict::accepted: return true;
    case Verdict::wrong:
        ban_filter_.note(internet_.now(), hop.remote.address, Offence::refused, options_.ban);
        if (authenticator_.rules().wrong_is_forbidden) {
            reply(request, hop, 403);
            return false;
        }
        break;
    case Verdict::challenge:
    case Verdict::stale: break;
    }
    ++counters_.challenges;
    ban_filter_.note(internet_.now(), hop.remote.address, Offence::challenged, options_.ban);
    reply(request, hop, 401, {},
          authenticator_.challenge_line(verdict == Verdict::stale, internet_.now()));
    return false;
}

// RFC 3261 §22.3: by the proxy. A copy of an INVITE gets a copy of the 407.
bool Registrar::authorize_call(const sip::Message& request, const Hop& hop) {
    if (!options_.challenges_calls || request.method() != sip::Method::invite ||
        !request.to().tag().empty() || peers_.contains(hop.remote.address))
        return true;
    const auto known = answered_.find(transaction_key(request));
    if (known != answered_.end()) {
        transmit_answer(known->second, hop);
        return false;
    }
    const auto by = Authenticator::By::proxy;
    const auto verdict = authenticator_.check(request, passwords_, internet_.now(), by);
    if (verdict == Verdict::accepted) return true;
    ++counters_.challenges;
    reply(request, hop, 407, {},
          authenticator_.challenge_line(verdict == Verdict::stale, internet_.now(), by));
    return false;
}

void Registrar::on_register(const sip::Message& request, const Hop& hop) {
    if (!is_ours(request.request_uri().host)) return reply(request, hop, 404);
    if (!authorize(request, hop)) return;
    const auto key = aor_key(request.to().uri.text);
    auto rules = options_.rules;
    if (options_.expires_range > 0)
        rules.granted_percent -=
            static_cast<std::uint32_t>(random_.below(options_.expires_range + 1));
    if (options_.expires_deviation > 0)
        rules.granted_shift =
            static_cast<std::int32_t>(random_.below(2 * options_.expires_deviation + 1)) -
            static_cast<std::int32_t>(options_.expires_deviation);
    auto result = apply_register(request, location_.bindings(key), hop, internet_.now(), rules);
    if (result.stored) location_.put(key, std::move(result.bindings));
    if (result.status == 200 && !request.contacts().empty()) ++counters_.accepted;
    if (result.status == 200) answered_[transaction_key(request)].can_be_lost = true;
    reply(request, hop, result.status, result.reason, result.extra_headers);
}

void Registrar::reply(const sip::Message& request, const Hop& hop, int status,
                      std::string_view reason, std::string_view extra_headers) {
    auto& answered = answered_[transaction_key(request)];
    sip::write_response(answered.response, request,
                        {.status = status,
                         .reason = reason,
                         .to_tag = random_.token(40),
                         .extra_headers = extra_headers,
                         .source = hop.remote});
    if (options_.brackets_received && hop.remote.address.family() == Family::ipv6) {
        const auto bare = ";received=" + hop.remote.address.to_string();
        if (const auto at = answered.response.find(bare); at != std::string::npos)
            answered.response.replace(at, bare.size(),
                                      ";received=[" + hop.remote.address.to_string() + "]");
    }
    answered.since = internet_.now();
    transmit_answer(answered, hop);
}

void Registrar::transmit_answer(Answered& answered, const Hop& hop) {
    if (answered.can_be_lost && faults_.lost_answers > 0) {
        --faults_.lost_answers;
        internet_.ladder().note(internet_.now(), name_ + ": the answer is lost");
        return;
    }
    send(hop, answered.response);
}

void Registrar::forget_old_answers() {
    if (internet_.now() < next_cleaning_) return;
    next_cleaning_ = internet_.now() + answers_kept;
    std::erase_if(answered_, [&](const auto& entry) {
        return internet_.now() - entry.second.since > answers_kept;
    });
}

}  // namespace holdfast::lab
