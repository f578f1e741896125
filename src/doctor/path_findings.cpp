#include "doctor/path_findings.h"

#include <cstdlib>

#include "doctor/words.h"

namespace holdfast::doctor {

namespace {

constexpr std::int64_t skew_shown = 5;      // seconds
constexpr std::int64_t skew_doubtful = 60;  // nonces and certificates begin to matter
constexpr std::int64_t skew_bad = 3600;

}  // namespace

Findings path_findings(const Seen& seen) {
    Findings findings;
    const auto say = [&](Verdict verdict, std::string words, std::string why = {},
                         std::string remedy = {}) {
        findings.push_back(
            found(Step::path, verdict, std::move(words), std::move(why), std::move(remedy)));
    };
    for (const auto& server : seen.servers) {
        if (!server.takes_1400) continue;
        if (!*server.takes_1400)
            say(Verdict::bad, name_of(server) + " does not answer a UDP request of 1,400 bytes",
                "a call's INVITE with its session description is often as large: it is lost, and "
                "nobody says so",
                "look for a tunnel or firewall with a small MTU on the way; or use TCP or TLS");
        else if (server.takes_3000 && !*server.takes_3000)
            say(Verdict::doubtful,
                name_of(server) + " answers a UDP request of 1,400 bytes, but none of 3,000",
                "fragments are lost on the way: INVITEs with many codecs, encryption or "
                "authentication are as large",
                "let fragments through the firewall; or use TCP or TLS");
        else
            say(Verdict::good, name_of(server) + " answers UDP requests of 1,400 and 3,000 bytes");
    }
    return findings;
}

Findings clock_findings(const Seen& seen) {
    Findings findings;
    const auto say = [&](Verdict verdict, std::string words, std::string why = {},
                         std::string remedy = {}) {
        findings.push_back(
            found(Step::clock, verdict, std::move(words), std::move(why), std::move(remedy)));
    };
    bool any = false;
    for (const auto& server : seen.servers) {
        if (!server.clock_ahead) continue;
        any = true;
        const auto ahead = *server.clock_ahead;
        const auto apart = std::abs(ahead);
        if (apart < skew_doubtful) {
            say(Verdict::good, name_of(server) + "'s clock agrees with this host's" +
                                   (apart >= skew_shown ? " within " + std::to_string(apart) + " s"
                                                        : std::string{}));
            continue;
        }
        say(apart >= skew_bad ? Verdict::bad : Verdict::doubtful,
            "this host's clock is " + std::to_string(apart) + " s " +
                (ahead > 0 ? "ahead of " : "behind ") + name_of(server) + "'s",
            "certificates are judged by it, and logs of both sides do not fit together",
            "let both take their time from NTP; ask which of them is wrong");
    }
    if (!any && !seen.servers.empty())
        say(Verdict::unknown, "no server says what time it has (Date)");
    return findings;
}

}  // namespace holdfast::doctor
