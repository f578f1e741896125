// What became of the examination's requests.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "doctor/examination.h"
#include "doctor/limits.h"
#include "doctor/words.h"
#include "registration/answer.h"
#include "registration/targets.h"
#include "sip/digest.h"

namespace holdfast::doctor {

namespace {

bool is_register(const sip::Message& response) {
    return response.method() == sip::Method::register_;
}

std::string algorithm_of(const sip::Challenge& challenge) {
    if (!equals_ignoring_case(challenge.scheme, "Digest")) return std::string(challenge.scheme);
    return challenge.algorithm.empty() ? "MD5" : std::string(challenge.algorithm);
}

}  // namespace

void Examination::on_reply(const Reply& reply) {
    auto node = errands_.extract(reply.ticket);
    if (node.empty()) return;
    auto& errand = node.mapped();
    auto& server = seen_.servers[errand.server];
    const bool answered = reply.what == Reply::What::answered;
    if (answered && is_register(reply.response)) server.takes_register = true;
    if (answered && reply.response.status() / 100 == 2 && is_register(reply.response)) {
        auto& routes = lines_[errand.server].routes;
        routes.clear();
        for (const auto& route : reply.response.service_routes()) routes.emplace_back(route.text);
    }
    switch (errand.kind) {
    case Kind::ping: return on_ping(errand, reply);
    case Kind::small_size: server.takes_1400 = answered; return;
    case Kind::large_size: server.takes_3000 = answered; return;
    case Kind::fetch:
    case Kind::ask_others:
    case Kind::brief:
    case Kind::bind:
    case Kind::look:
    case Kind::prove:
    case Kind::stretch:
    case Kind::remove: break;
    }
    if (on_challenge(errand, reply)) return;
    switch (errand.kind) {
    case Kind::ping:
    case Kind::small_size:
    case Kind::large_size: return;
    case Kind::fetch:
        return stage_ == Stage::knocking ? on_knock(errand, reply) : on_fetch(errand, reply);
    case Kind::ask_others: return on_others(errand, reply);
    case Kind::brief: return on_brief(errand, reply);
    case Kind::bind: return on_bind(errand, reply);
    case Kind::look: return on_look(errand, reply);
    case Kind::prove: return on_proof(errand, reply);
    case Kind::stretch: return on_stretch(reply);
    case Kind::remove: return on_removal(errand, reply);
    }
}

std::string Examination::in_words(const Errand& errand, const Reply& reply) const {
    const auto from = name_of(seen_.servers[errand.server]);
    switch (reply.what) {
    case Reply::What::answered: return registration::in_words(reply.response, from);
    case Reply::What::silent: return "no answer from " + from;
    case Reply::What::failed:
        return from + ": " + registration::in_words(reply.error, reply.detail);
    case Reply::What::not_sent: return "no more requests are sent";
    }
    return {};
}

// Answered and sent again: true. A password that was refused is not sent a second time.
bool Examination::on_challenge(Errand& errand, const Reply& reply) {
    if (reply.what != Reply::What::answered) return false;
    const auto& response = reply.response;
    if (response.status() != 401 && response.status() != 407) return false;
    auto& account = seen_.account;
    if (account.algorithms.empty())
        for (const auto& challenge : response.challenges()) {
            if (account.realm.empty()) account.realm = challenge.realm;
            account.algorithms.push_back(algorithm_of(challenge));
        }
    using Outcome = registration::Credentials::Outcome;
    auto sent = errand.sent;
    sent.repeated = reply.repeated;
    const auto judgement = credentials_.on_challenge(seen_.servers[errand.server].candidate.target,
                                                     response, sent, is_register(response));
    if (judgement.is_a_question() && errand.rounds < limits::challenge_rounds) {
        ++errand.rounds;
        auto again = std::move(errand);
        send(std::move(again));
        return true;
    }
    if (errand.kind != Kind::fetch || stage_ != Stage::knocking) return false;
    account.decided_by = errand.server;
    account.words = judgement.words;
    switch (judgement.outcome) {
    case Outcome::refused_fresh: account.access = Access::wrong_password; break;
    case Outcome::no_password: account.access = Access::no_password; break;
    case Outcome::answer:
    case Outcome::refused_cached:
    case Outcome::refused_repetition:
        account.words = "it goes on asking, whatever it is answered";
        account.access = Access::cannot_answer;
        break;
    case Outcome::unusable: account.access = Access::cannot_answer; break;
    }
    return true;
}

void Examination::on_ping(const Errand& errand, const Reply& reply) {
    auto& server = seen_.servers[errand.server];
    switch (reply.what) {
    case Reply::What::answered:
        server.reach = Reach::answered;
        server.status = reply.response.status();
        server.phrase = reply.response.reason_phrase();
        server.rtt = reply.rtt;
        return;
    case Reply::What::silent: server.reach = Reach::silent; return;
    case Reply::What::failed:
        server.reach = Reach::failed;
        server.error = reply.error;
        server.detail = reply.detail;
        return;
    case Reply::What::not_sent: return;
    }
}

BindingSeen Examination::binding_of(const sip::Contact& contact) const {
    BindingSeen binding{.uri = std::string(contact.uri.text),
                        .expires = contact.expires,
                        .instance = std::string(contact.instance()),
                        .reg_id = contact.reg_id().value_or(0)};
    if (registration::has_token(contact.uri, token_)) binding.owner = Owner::doctor;
    for (const auto& identity : known_) {
        const bool current = identity.contact == contact.uri.text;
        const bool old = std::ranges::any_of(
            identity.olds, [&](const auto& o) { return o.uri == contact.uri.text; });
        if (current)
            binding.owner = Owner::this_device;
        else if (old || registration::has_token(contact.uri, identity.token))
            binding.owner = Owner::left_behind;
    }
    return binding;
}

void Examination::on_fetch(const Errand& errand, const Reply& reply) {
    FetchSeen fetch{.server = errand.server, .words = in_words(errand, reply)};
    if (reply.what == Reply::What::answered) {
        fetch.status = reply.response.status();
        if (fetch.status / 100 == 2)
            for (const auto& contact : reply.response.contacts())
                fetch.bindings.push_back(binding_of(contact));
    }
    seen_.account.fetches.push_back(std::move(fetch));
}

// The first server that says something definite decides for all (F5).
void Examination::on_knock(const Errand& errand, const Reply& reply) {
    auto& account = seen_.account;
    on_fetch(errand, reply);
    const int status = account.fetches.back().status;
    if (status / 100 == 2) {
        account.access = Access::accepted;
        account.decided_by = errand.server;
        account.asks_no_password = account.algorithms.empty();
        return;
    }
    const bool next =
        status == 0 || registration::verdict_of(status) == registration::Verdict::next_target;
    if (next && status != 501) {
        account.words = account.fetches.back().words;
        if (next_worker_ == workers_.size()) account.access = Access::unanswered;
        return;
    }
    account.decided_by = errand.server;
    account.words = account.fetches.back().words;
    if (errand.authorized && (status == 400 || status == 405 || status == 501)) {
        account.access = Access::accepted;
        account.lists_nothing = true;
        return;
    }
    // FreeSWITCH says 403 to a wrong password.
    const bool password = status == 403 && errand.authorized;
    account.access = password ? Access::wrong_password : Access::refused;
}

void Examination::on_others(const Errand& errand, const Reply& reply) {
    PingSeen ping{.server = errand.server, .words = in_words(errand, reply)};
    if (reply.what == Reply::What::answered) ping.status = reply.response.status();
    seen_.account.pings.push_back(std::move(ping));
}

// B8: by our token; else the Contact that came of ours.
const sip::Contact* Examination::trial_in(const sip::Message& response) const {
    for (const auto& contact : response.contacts())
        if (registration::has_token(contact.uri, token_) || contact.instance() == instance_)
            return &contact;
    return nullptr;
}

// What was refused is at no server, unless an earlier one of ours was accepted.
void Examination::note_trial(const Reply& reply) {
    if (reply.what != Reply::What::answered) return;
    was_bound_ = was_bound_ || reply.response.status() / 100 == 2;
    may_be_bound_ = was_bound_;
}

// Some registrars refuse what they do not know, instead of passing over it.
void Examination::without_outbound_or(std::string words) {
    auto& trial = seen_.account.trial;
    if (std::exchange(with_outbound_, false))
        return send({.kind = Kind::bind,
                     .server = trial.server,
                     .expires = static_cast<std::uint32_t>(options_.account.policy.expires /
                                                           std::chrono::seconds{1})});
    trial.what = TrialSeen::What::refused;
    trial.words = std::move(words);
}

void Examination::on_brief(const Errand& errand, const Reply& reply) {
    auto& trial = seen_.account.trial;
    note_trial(reply);
    auto asked =
        static_cast<std::uint32_t>(options_.account.policy.expires / std::chrono::seconds{1});
    if (reply.what == Reply::What::answered) {
        const auto& response = reply.response;
        if (response.status() == 423) {
            trial.least = response.min_expires();
            asked = std::max(asked, trial.least.value_or(0));
        } else if (response.status() / 100 == 2) {
            const auto* ours = trial_in(response);
            const auto granted = ours != nullptr ? ours->expires : response.expires();
            trial.takes_one_second = granted.value_or(0) <= 1;
            if (granted.value_or(0) > 1) trial.least = granted;
        }
    }
    send({.kind = Kind::bind, .server = errand.server, .expires = asked});
}

void Examination::on_bind(const Errand& errand, const Reply& reply) {
    auto& trial = seen_.account.trial;
    note_trial(reply);
    if (reply.what != Reply::What::answered) {
        trial.what = TrialSeen::What::refused;
        trial.words = in_words(errand, reply);
        return;
    }
    const auto& response = reply.response;
    if (response.status() == 423 && response.min_expires().value_or(0) > *errand.expires)
        return send(
            {.kind = Kind::bind, .server = errand.server, .expires = response.min_expires()});
    if (response.status() / 100 != 2) return without_outbound_or(in_words(errand, reply));
    trial.what = TrialSeen::What::made;
    trial.asked = *errand.expires;
    trial.outbound = response.demands("outbound");
    trial.path = !response.paths().empty();
    if (const auto* ours = trial_in(response)) {
        trial.contact_listed = ours->uri.text;
        trial.gruu = !ours->pub_gruu().empty();
        trial.granted = ours->expires;
    }
    if (!trial.granted) trial.granted = response.expires();
}

void Examination::on_look(const Errand& errand, const Reply& reply) {
    auto& trial = seen_.account.trial;
    if (reply.what != Reply::What::answered || reply.response.status() / 100 != 2) return;
    if (trial_in(reply.response) == nullptr) {
        trial.not_listed_at.push_back(errand.server);
        return;
    }
    trial.listed_at.push_back(errand.server);
    if (stage_ == Stage::looking_again) trial.listed_later = true;
}

void Examination::on_proof(const Errand& errand, const Reply& reply) {
    const auto proof = std::ranges::find(seen_.account.proofs, errand.server, &PingSeen::server);
    if (proof == seen_.account.proofs.end()) return;
    proof->words = in_words(errand, reply);
    if (reply.what == Reply::What::answered) proof->status = reply.response.status();
}

void Examination::on_stretch(const Reply& reply) {
    if (reply.what != Reply::What::answered || reply.response.status() / 100 != 2) return;
    if (const auto* ours = trial_in(reply.response))
        seen_.account.trial.granted_of_an_hour = ours->expires;
}

void Examination::on_removal(const Errand& errand, const Reply& reply) {
    auto& trial = seen_.account.trial;
    const bool removed = reply.what == Reply::What::answered &&
                         reply.response.status() / 100 == 2 && trial_in(reply.response) == nullptr;
    if (removed) {
        may_be_bound_ = false;
        trial.not_removed.clear();
        return;
    }
    trial.not_removed = in_words(errand, reply);
    if (reply.what == Reply::What::answered && reply.response.status() / 100 == 2)
        trial.not_removed = "it is still listed";
}

}  // namespace holdfast::doctor
