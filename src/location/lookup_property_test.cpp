// Whatever DNS answers, a lookup ends, asks a bounded number of questions, and tells its outcome in
// words (I8).
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "location/limits.h"
#include "location/lookup.h"
#include "location/rank.h"
#include "location/testing.h"

namespace holdfast::location {
namespace {

// Few names, so that chains, loops and services meet; some are no names at all.
std::string any_name(Random& random) {
    static const std::vector<std::string> names{"example.test",
                                                "_sip._udp.example.test",
                                                "_sip._tcp.example.test",
                                                "_sips._tcp.example.test",
                                                "a.test",
                                                "b.test",
                                                "c.test",
                                                "pbx",
                                                "x.local",
                                                "",
                                                ".",
                                                "bad name",
                                                "two..dots",
                                                "192.0.2.77",
                                                "2001:db8::77",
                                                "UPPER.test.",
                                                std::string(300, 'x'),
                                                "ctl\r\nVia: x"};
    const auto drawn = random.below(names.size() + 4);
    return drawn < names.size() ? names[drawn] : "n" + std::to_string(random.below(400)) + ".test";
}

dns::Record any_record(Random& random) {
    const auto small = [&] { return static_cast<std::uint16_t>(random.below(5)); };
    switch (random.below(4)) {
    case 0: return dns::Cname{any_name(random), any_name(random)};
    case 1:
        return dns::Srv{small(), small(), static_cast<std::uint16_t>(random.next()),
                        any_name(random)};
    case 2: {
        static const std::vector<std::string> services{"SIP+D2U", "SIP+D2T", "SIPS+D2T", "E2U+sip",
                                                       ""};
        return dns::Naptr{small(),
                          small(),
                          random.below(4) != 0 ? "s" : "u",
                          services[random.below(services.size())],
                          random.below(4) != 0 ? "" : "!x!y!",
                          any_name(random)};
    }
    default: {
        std::array<std::uint8_t, 16> bytes{};
        random.fill(bytes);
        if (random.below(2) == 0) return IpAddress::v6(bytes);
        return IpAddress::v4(bytes[0], bytes[1], bytes[2], bytes[3]);
    }
    }
}

dns::Answer any_answer(Random& random) {
    dns::Answer answer;
    answer.status =
        random.below(4) != 0 ? dns::Status::ok : static_cast<dns::Status>(random.below(7));
    for (auto left = random.below(8) == 0 ? random.below(300) : random.below(6); left > 0; --left)
        answer.records.push_back(any_record(random));
    answer.ttl = Duration{static_cast<std::int64_t>(random.below(1'000'000'000))};
    return answer;
}

RC_GTEST_PROP(LookupProperty, EndsForArbitraryAnswers, (std::uint64_t number)) {
    Random random{seed_from_number(number)};
    static const std::vector<std::string> uris{"sip:example.test", "sips:example.test",
                                               "sip:a.test:5060", "sip:pbx",
                                               "sip:example.test;transport=tcp"};
    const Constraints constraints{.ipv4 = random.below(8) != 0,
                                  .ipv6 = random.below(2) != 0,
                                  .use_naptr = random.below(4) != 0,
                                  .use_srv = random.below(8) != 0};
    Lookup lookup{next_hop_of(uris[random.below(uris.size())]).value(), constraints};
    std::vector<dns::Question> ask;
    std::vector<dns::Question> all;
    lookup.start(ask);
    while (!ask.empty()) {
        const auto drawn = static_cast<std::ptrdiff_t>(random.below(ask.size()));
        const auto question = ask[static_cast<std::size_t>(drawn)];
        ask.erase(ask.begin() + drawn);
        RC_ASSERT(std::find(all.begin(), all.end(), question) == all.end());  // each is asked once
        all.push_back(question);
        RC_ASSERT(all.size() <= limits::lookup_questions);
        lookup.on_answer(question, any_answer(random), ask);
    }
    RC_ASSERT(lookup.done());
    const auto& outcome = lookup.outcome();
    RC_ASSERT((outcome.status == LookupStatus::ok) == !outcome.candidates.empty());
    RC_ASSERT(outcome.status == LookupStatus::ok || !outcome.problem.empty());
    RC_ASSERT(outcome.problem.size() <= limits::problem_bytes + 8);
    RC_ASSERT(outcome.problem.find('\n') == std::string::npos);
    std::set<Target> targets;
    for (const auto& candidate : outcome.candidates) {
        RC_ASSERT(targets.insert(candidate.target).second);
        RC_ASSERT(candidate.target.endpoint.port != 0);
    }
    RC_ASSERT(ranked(outcome.candidates, {}, LookupOrder::rendezvous).size() <= limits::targets);
}

}  // namespace
}  // namespace holdfast::location
