// For tests of an account's targets: a resolver that answers when it is told to, and time that goes
// to the next deadline.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "flow/flow.h"
#include "registration/targets.h"

namespace holdfast::registration::targets_world {

using namespace std::chrono_literals;

inline IpAddress ip(int host) {
    return IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(host));
}
inline Target udp_at(int host) { return {Transport::udp, {ip(host), 5060}}; }

inline AccountConfig account() {
    AccountConfig config;
    config.aor = "sip:alice@example.test";
    config.transport = Transport::udp;
    config.policy.use_naptr = false;
    config.policy.use_srv = false;
    return config;
}

// Targets and a resolver that answers when it is told to.
class Asked {
public:
    explicit Asked(const AccountConfig& config = account(), AccountState state = {})
        : stored(std::move(state)), targets(config, {"urn:uuid:x", config.aor}, stored) {}

    Context context() {
        actions.clear();
        return {AccountId{1}, now, 0, random, health, pool, flows, addresses, actions};
    }
    void take() {
        for (auto& action : actions) {
            if (auto* ask = std::get_if<act::Ask>(&action)) questions.push_back(ask->question);
            if (auto* store = std::get_if<act::Store>(&action)) stored[store->key] = store->value;
        }
        actions.clear();
    }
    void start() {
        targets.start(context());
        take();
    }
    // Answers everything that is asked: A records from `zone`, SRV records, else no data.
    void answer() {
        while (!questions.empty()) {
            const auto question = questions.front();
            questions.erase(questions.begin());
            ++answered;
            dns::Answer text{.status = status, .records = {}, .ttl = ttl};
            if (status == dns::Status::ok && question.type == dns::RecordType::a)
                for (const auto& address : zone[question.name]) text.records.emplace_back(address);
            if (question.type == dns::RecordType::srv)
                for (const auto& server : servers) text.records.emplace_back(server);
            if (question.name == failing) text = {dns::Status::servfail, {}, {}};
            targets.on_dns({question, text}, context());
            take();
        }
    }
    // To the next deadline, which is so far away.
    Duration wait() {
        const auto before = now;
        now = std::max(now, targets.next_deadline().at);
        targets.on_time(context());
        take();
        return now - before;
    }
    void registered_at(const Target& target) {
        targets.keep_as_good(target, context());
        take();
        targets.set_healthy(true, context());
        take();
    }
    std::vector<Target> listed() {
        std::vector<Target> all;
        for (const auto& candidate : targets.by_rank_alone(context()))
            all.push_back(candidate.target);
        std::ranges::sort(all);
        return all;
    }

    Instant now{1000s};
    AccountState stored;
    Random random{seed_from_number(2)};
    location::Health health;
    location::CandidatePool pool;
    flow::Table flows;
    std::vector<IpAddress> addresses{IpAddress::v4(10, 0, 0, 2)};
    Actions actions;
    std::vector<dns::Question> questions;
    std::map<std::string, std::vector<IpAddress>> zone{{"example.test", {ip(11), ip(12)}}};
    std::vector<dns::Srv> servers;  // of every service, without use_srv nobody asks
    std::string failing;            // its questions get SERVFAIL
    dns::Status status = dns::Status::ok;
    Duration ttl = 60s;
    std::size_t answered = 0;
    Targets targets;
};

}  // namespace holdfast::registration::targets_world
