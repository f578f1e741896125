#include "doctor/account_findings.h"

#include <algorithm>
#include <set>

#include "doctor/words.h"

namespace holdfast::doctor {

namespace {

constexpr std::size_t many_bindings = 8;

class AccountJudge {
public:
    explicit AccountJudge(const Seen& seen) : seen_(seen), account_(seen.account) {}
    Findings registration() {
        access();
        if (account_.access == Access::accepted) {
            nodes();
            trial();
            services();
        }
        return std::move(findings_);
    }
    Findings bindings() {
        if (account_.access != Access::accepted) return {};
        step_ = Step::bindings;
        list();
        twice();
        stale();
        return std::move(findings_);
    }

private:
    void say(Verdict verdict, std::string seen, std::string why = {}, std::string remedy = {}) {
        findings_.push_back(
            found(step_, verdict, std::move(seen), std::move(why), std::move(remedy)));
    }
    [[nodiscard]] std::string server(std::size_t index) const {
        return doctor::name_of(seen_.servers[index]);
    }
    [[nodiscard]] std::string by() const {
        return account_.decided_by ? server(*account_.decided_by) : "the server";
    }

    void access() {
        switch (account_.access) {
        case Access::not_tried:
            return say(Verdict::bad, "there is no server to register with",
                       "the account cannot be reached", "see the findings above");
        case Access::accepted: return accepted();
        case Access::wrong_password:
            return say(Verdict::bad, by() + " refuses the password: " + account_.words,
                       "nothing can be registered with it, and more attempts may get this address "
                       "banned: it was not tried again",
                       "check password and --auth-user; some providers have a password for SIP of "
                       "its own");
        case Access::no_password:
            return say(Verdict::bad, by() + " asks for a password, and none was given",
                       "the account cannot be registered",
                       "give it in HOLDFAST_PASSWORD or in the configuration file");
        case Access::cannot_answer:
            return say(Verdict::bad, by() + ": " + account_.words,
                       "its challenge may not or cannot be answered",
                       "look at --realm and policy.min_digest");
        case Access::refused:
            return say(Verdict::bad, "the registration is refused: " + account_.words,
                       "the account cannot be reached",
                       "404: is the user's name right? 403: the provider knows why; it may have "
                       "locked the account or banned this address");
        case Access::unanswered:
            return say(Verdict::bad,
                       "no server answers REGISTER" +
                           (account_.words.empty() ? "" : ": " + account_.words),
                       "the account cannot be reached", "see the servers above");
        }
    }

    void accepted() {
        auto words = by() + " accepts the account";
        if (account_.asks_no_password)
            return say(Verdict::doubtful, words + " without asking for a password",
                       "whoever knows the address can take this account's calls, unless the server "
                       "knows this host by other means",
                       "ask the provider");
        words += " (realm " + account_.realm + ", " + list_of(account_.algorithms) + " offered)";
        say(Verdict::good, std::move(words));
    }

    // What other nodes than the first have said.
    void nodes() {
        for (const auto& fetch : account_.fetches) {
            if (fetch.status >= 200 && fetch.status < 300) continue;
            const bool no_fetch = fetch.status == 400 || fetch.status == 405 || fetch.status == 501;
            if (fetch.status == 0 && seen_.servers[fetch.server].reach != Reach::answered)
                continue;  // said of the server already
            if (fetch.status == 0)
                say(Verdict::doubtful, server(fetch.server) + " does not answer REGISTER",
                    "who is moved there cannot register",
                    "ask the provider what this server is for");
            else
                say(no_fetch ? Verdict::unknown : Verdict::doubtful,
                    server(fetch.server) +
                        (no_fetch ? " does not list bindings: " : " refuses the account: ") +
                        fetch.words,
                    no_fetch ? "" : "who is moved there cannot register",
                    no_fetch ? "" : "the provider's servers should know the same accounts");
        }
    }

    void trial() {
        const auto& trial = account_.trial;
        switch (trial.what) {
        case TrialSeen::What::not_tried:
            if (!trial.words.empty())
                say(Verdict::unknown, "no binding was made for trial: " + trial.words);
            return;
        case TrialSeen::What::refused:
            return say(Verdict::bad, "a binding cannot be made: " + trial.words,
                       "the account cannot be reached",
                       "ask the provider why; the words above are the server's");
        case TrialSeen::What::made: break;
        }
        std::string words = "a binding for " + std::to_string(trial.asked) + " s was granted for " +
                            (trial.granted ? std::to_string(*trial.granted) + " s"
                                           : std::string("a time that was not said")) +
                            " by " + server(trial.server);
        if (trial.least)
            words += "; the least is " + std::to_string(*trial.least) + " s";
        else if (trial.takes_one_second)
            words += "; even 1 s is granted";
        if (trial.granted_of_an_hour)
            words += *trial.granted_of_an_hour < 3600
                         ? "; the most is " + std::to_string(*trial.granted_of_an_hour) + " s"
                         : "; an hour is granted, too";
        if (!trial.contact_listed.empty())
            say(Verdict::good, std::move(words));
        else
            say(Verdict::doubtful, words + ", but its 200 does not list it",
                "a phone cannot see whether it is registered", "ask the provider");
        std::vector<std::string> has;
        std::vector<std::string> lacks;
        (trial.outbound ? has : lacks).emplace_back("outbound (RFC 5626)");
        (trial.path ? has : lacks).emplace_back("Path (RFC 3327)");
        (trial.gruu ? has : lacks).emplace_back("GRUU (RFC 5627)");
        say(Verdict::good,
            "the registrar uses " +
                (has.empty() ? "none of " + list_of(lacks)
                             : list_of(has) + (lacks.empty() ? "" : "; not " + list_of(lacks))));
        if (!trial.not_removed.empty())
            say(Verdict::bad,
                "the binding made for trial could not be removed: " + trial.not_removed,
                "until it lapses, calls also go to an address where nobody answers",
                "wait for it to lapse");
    }

    void services() {
        switch (location_service(seen_)) {
        case LocationService::unknown:
        case LocationService::one_server: return;
        case LocationService::shared:
            return say(Verdict::good, account_.trial.listed_later
                                          ? "the servers share one location service, with a delay"
                                          : "the servers share one location service");
        case LocationService::separate: break;
        }
        std::string words = "the servers do not share their location service";
        if (!account_.trial.not_listed_at.empty()) {
            std::vector<std::string> names;
            names.reserve(account_.trial.not_listed_at.size());
            for (const auto index : account_.trial.not_listed_at) names.push_back(server(index));
            words += ": what is registered at " + server(account_.trial.server) +
                     " is not known at " + list_of(names);
        }
        say(Verdict::bad, std::move(words),
            "a call that comes in through another server than the one where the phone is "
            "registered is lost; and a phone that changes servers leaves bindings behind",
            "the provider should let its servers share one location service, or deliver calls "
            "through all of them");
    }

    void list() {
        std::set<std::string> told;
        std::size_t number = 0;
        for (const auto& fetch : account_.fetches)
            for (const auto& binding : fetch.bindings) {
                if (!told.insert(binding.uri).second) continue;
                ++number;
                one(binding, server(fetch.server));
            }
        if (number == 0)
            say(seen_.phone && seen_.phone->registered ? Verdict::bad : Verdict::good,
                "no device is registered" +
                    std::string(seen_.phone && seen_.phone->registered
                                    ? ", although the phone that runs here says it is"
                                    : ""),
                seen_.phone && seen_.phone->registered ? "calls do not reach it" : "",
                seen_.phone && seen_.phone->registered ? "register it again (SIGHUP)" : "");
        if (most_bindings(account_) > many_bindings)
            say(Verdict::doubtful,
                std::to_string(most_bindings(account_)) + " devices are registered at one server",
                "most of them may be leftovers: each call forks to all of them",
                "look which of them still exist; stale ones lapse by themselves");
    }

    void one(const BindingSeen& binding, const std::string& where) {
        auto words = without_secrets(binding.uri);
        if (binding.expires) words += ", for another " + std::to_string(*binding.expires) + " s";
        words += " (" + where + ")";
        switch (binding.owner) {
        case Owner::other: return say(Verdict::good, "another device: " + words);
        case Owner::doctor: return;
        case Owner::this_device:
            if (seen_.phone && seen_.phone->registered)
                return say(Verdict::good, "this host's phone: " + words);
            return say(Verdict::good, "this host: " + words);
        case Owner::left_behind: break;
        }
        say(Verdict::doubtful, "left behind by this host: " + words,
            "calls also go to an address where nobody answers any more",
            "holdfast register, once, with the same --state removes it");
    }

    // RFC 5626 §4.1: an instance-id is one device, and a reg-id one flow of it.
    void twice() {
        std::set<std::string> told;
        for (const auto& fetch : account_.fetches)
            for (const auto& binding : fetch.bindings) {
                const auto same = std::ranges::count_if(fetch.bindings, [&](const auto& other) {
                    return !other.instance.empty() && other.instance == binding.instance &&
                           other.reg_id == binding.reg_id;
                });
                if (same < 2 || !told.insert(binding.instance).second) continue;
                say(Verdict::doubtful,
                    "one device is registered " + std::to_string(same) + " times at " +
                        server(fetch.server) + " (" + binding.instance + ")",
                    "all but one of these addresses are old: calls are also sent to where nobody "
                    "is any more",
                    "they lapse by themselves; a phone that takes its old addresses back leaves "
                    "none");
            }
    }

    // Somebody is bound, and nobody answers.
    void stale() {
        if (most_bindings(account_) == 0 || account_.pings.empty()) return;
        const auto is_alive = [](const PingSeen& ping) {
            return ping.status >= 200 && ping.status < 300;
        };
        if (std::ranges::any_of(account_.pings, is_alive)) return;
        const bool nobody = std::ranges::all_of(account_.pings, [](const PingSeen& ping) {
            return ping.status == 0 || ping.status == 408 || ping.status == 480 ||
                   ping.status == 404 || ping.status == 430;
        });
        const auto& first = account_.pings.front();
        const auto number = most_bindings(account_);
        if (!nobody)
            return say(Verdict::unknown,
                       "whether somebody is at these addresses could not be "
                       "seen: OPTIONS to the account gets " +
                           first.words);
        say(Verdict::bad,
            "nobody answers at " +
                (number == 1 ? std::string("the address")
                             : "any of the " + std::to_string(number) + " addresses") +
                " that the location service has: OPTIONS to the account gets " +
                (first.status == 0 ? "no answer" : first.words),
            "they are stale: calls ring nowhere until they lapse",
            "start the phone that should be there; stale bindings lapse by themselves");
    }

    const Seen& seen_;
    const AccountSeen& account_;
    Step step_ = Step::registration;
    Findings findings_;
};

std::set<std::string> uris_of(const FetchSeen& fetch) {
    std::set<std::string> uris;
    for (const auto& binding : fetch.bindings) uris.insert(binding.uri);
    return uris;
}

}  // namespace

std::size_t most_bindings(const AccountSeen& account) {
    std::size_t most = 0;
    for (const auto& fetch : account.fetches) most = std::max(most, fetch.bindings.size());
    return most;
}

// By our own binding, if there was one; else by the lists of others'.
LocationService location_service(const Seen& seen) {
    const auto& account = seen.account;
    std::vector<std::set<std::string>> lists;
    for (const auto& fetch : account.fetches)
        if (fetch.status >= 200 && fetch.status < 300) lists.push_back(uris_of(fetch));
    if (lists.empty()) return LocationService::unknown;
    if (lists.size() == 1) return LocationService::one_server;
    if (!account.trial.not_listed_at.empty()) return LocationService::separate;
    if (!account.trial.listed_at.empty()) return LocationService::shared;
    const bool same =
        std::ranges::all_of(lists, [&](const auto& list) { return list == lists.front(); });
    if (!same) return LocationService::separate;
    return lists.front().empty() ? LocationService::unknown : LocationService::shared;
}

Findings registration_findings(const Seen& seen) { return AccountJudge(seen).registration(); }
Findings binding_findings(const Seen& seen) { return AccountJudge(seen).bindings(); }

}  // namespace holdfast::doctor
