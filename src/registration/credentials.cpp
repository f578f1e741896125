#include "registration/credentials.h"

#include <algorithm>
#include <ranges>

#include "base/text.h"

namespace holdfast::registration {

namespace {

constexpr std::size_t realms_most = 16;
constexpr std::size_t realms_of_a_target_most = 8;
constexpr std::size_t nonces_most = 256;  // of all targets: DNS may name others every minute
constexpr Duration refusals_count_for = std::chrono::minutes{10};  // F5

}  // namespace

Credentials::Credentials(Settings settings) : settings_(std::move(settings)) {}

bool Credentials::may_answer(const std::string& realm, bool learn) const {
    if (!settings_.realms.empty())
        return std::ranges::find(settings_.realms, realm) != settings_.realms.end();
    return learn || learned_realms_.contains(realm);
}

Credentials::Judgement Credentials::on_challenge(const Target& target, const sip::Message& response,
                                                 const Sent& sent, bool learn_realm) {
    const sip::DigestIdentity identity{
        .username = settings_.user, .password = settings_.password, .ha1 = {}};
    std::vector<sip::DigestChallenge> offered;
    std::vector<bool> proxy;
    std::string foreign;
    std::string unknown;
    for (const auto& challenge : response.challenges()) {
        auto known = sip::digest_challenge_of(challenge);
        if (!known) {
            unknown = std::string(challenge.scheme) + " " + std::string(challenge.algorithm);
            continue;
        }
        auto& digest = *known;
        if (!may_answer(digest.realm, learn_realm)) {
            foreign = digest.realm;
            continue;
        }
        offered.push_back(std::move(digest));
        proxy.push_back(challenge.proxy);
    }
    if (!offered.empty() && settings_.password.reveal().empty())
        return {Outcome::no_password, "the server asks for a password and none is configured"};
    const auto chosen = sip::choose_challenges(offered, identity, settings_.minimum);
    if (chosen.empty()) {
        if (!foreign.empty())
            return {Outcome::unusable,
                    "the challenge is of realm \"" + foreign + "\", which is not ours"};
        if (offered.empty())
            return {Outcome::unusable,
                    unknown.empty() ? "the challenge names no realm or nonce"
                                    : "the challenge (" + unknown + ") is of no kind we know"};
        return {Outcome::unusable, "the server offers only " +
                                       std::string(sip::name_of(offered.front().algorithm)) +
                                       ", weaker than min_digest allows"};
    }
    // I8: of many realms in one answer the first ones are answered; a server whose realm changes
    // with every challenge does not pile them up here.
    const auto answered = chosen | std::views::take(realms_of_a_target_most);
    const auto of_target = std::ranges::count_if(
        nonces_, [&](const auto& known) { return known.first.first == target; });
    const auto added = std::ranges::count_if(
        answered, [&](auto index) { return !nonces_.contains({target, offered[index].realm}); });
    if (static_cast<std::size_t>(of_target + added) > realms_of_a_target_most)
        std::erase_if(nonces_, [&](const auto& known) { return known.first.first == target; });
    if (nonces_.size() >= nonces_most)
        std::erase_if(nonces_, [&](const auto& known) { return known.first.first != target; });
    if (learned_realms_.size() > realms_most) learned_realms_.clear();
    bool refused_fresh = false;
    bool refused_repetition = false;
    bool refused = false;
    for (const auto index : answered) {
        auto& challenge = offered[index];
        for (const auto& [realm, nonce] : sent.nonces) {
            if (realm != challenge.realm) continue;
            refused = true;
            // The same realm again: stale says that the password was right (RFC 7616 §3.3). A
            // server that takes a nonce once need not say so to the second copy of a request.
            if (challenge.stale || !sent.fresh_realms.contains(realm)) continue;
            const bool in_doubt = sent.repeated && nonce != challenge.nonce;
            (in_doubt ? refused_repetition : refused_fresh) = true;
        }
        if (learn_realm) learned_realms_.insert(challenge.realm);
        nonces_[{target, challenge.realm}] = {.challenge = challenge,
                                              .proxy = proxy[index],
                                              .used = false,
                                              .count = 0,
                                              .session_cnonce = {}};
    }
    if (refused_fresh)
        return {Outcome::refused_fresh, "the server refused our answer to its challenge"};
    if (refused_repetition)
        return {Outcome::refused_repetition,
                "the server refused our answer to its challenge, perhaps because it was repeated"};
    return {refused ? Outcome::refused_cached : Outcome::answer, ""};
}

Credentials::Authorized Credentials::authorize(const Target& target, std::string_view method,
                                               std::string_view uri, Random& random) {
    Authorized result;
    const sip::DigestIdentity identity{
        .username = settings_.user, .password = settings_.password, .ha1 = {}};
    for (auto known = nonces_.lower_bound({target, ""});
         known != nonces_.end() && known->first.first == target; ++known) {
        auto& entry = known->second;
        const auto cnonce = random.token(96);
        if (entry.session_cnonce.empty()) entry.session_cnonce = cnonce;
        const sip::DigestRequest request{.method = method,
                                         .uri = uri,
                                         .body = {},
                                         .nonce_count = ++entry.count,
                                         .cnonce = cnonce,
                                         .session_cnonce = entry.session_cnonce};
        append(result.lines,
               {entry.proxy ? "Proxy-Authorization: " : "Authorization: ",
                sip::digest_authorization(entry.challenge, identity, request), "\r\n"});
        result.sent.nonces.emplace(entry.challenge.realm, entry.challenge.nonce);
        // One that was used before may be refused because it is old: that proves nothing about the
        // password.
        if (!entry.used) result.sent.fresh_realms.insert(entry.challenge.realm);
        result.sent.fresh = !result.sent.fresh_realms.empty();
        entry.used = true;
    }
    return result;
}

Credentials Credentials::for_other_requests() const {
    Credentials other(settings_);
    other.learned_realms_ = learned_realms_;
    return other;
}

void Credentials::change_password(Redacted<std::string> password) {
    settings_.password = std::move(password);
    nonces_.clear();
    refusals_.clear();
}

void Credentials::note_refusal(Instant now, Refusal what) {
    std::erase_if(refusals_, [&](const auto& old) { return old.at + refusals_count_for <= now; });
    refusals_.push_back({now, what});
}

std::size_t Credentials::refusals(Instant now) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        refusals_, [&](const auto& old) { return old.at + refusals_count_for > now; }));
}

std::size_t Credentials::wrong_passwords(Instant now) const {
    return static_cast<std::size_t>(std::ranges::count_if(refusals_, [&](const auto& old) {
        return old.what == Refusal::of_the_password && old.at + refusals_count_for > now;
    }));
}

Instant Credentials::refusals_rest_until() const {
    return refusals_.empty() ? Instant{} : refusals_.front().at + refusals_count_for;
}

}  // namespace holdfast::registration
