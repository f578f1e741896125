// For tests: a DNS zone in memory, and a driver that answers a lookup's questions from it.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "location/lookup.h"

namespace holdfast::location {

using namespace std::chrono_literals;

inline IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
inline Target target(std::string_view text) { return Target::parse(text).value(); }

class Zone {
public:
    // Names without records of the type get NODATA if the name has others, else NXDOMAIN.
    Zone& add(const std::string& name, dns::RecordType type, std::vector<dns::Record> records,
              Duration ttl = 60s) {
        answers_[{name, type, false}] = {dns::Status::ok, std::move(records), ttl};
        return *this;
    }
    Zone& a(const std::string& name, const std::vector<std::string>& addresses,
            Duration ttl = 60s) {
        return add(name, dns::RecordType::a, records_of(addresses), ttl);
    }
    Zone& aaaa(const std::string& name, const std::vector<std::string>& addresses,
               Duration ttl = 60s) {
        return add(name, dns::RecordType::aaaa, records_of(addresses), ttl);
    }
    Zone& srv(const std::string& name, const std::vector<dns::Srv>& records, Duration ttl = 60s) {
        return add(name, dns::RecordType::srv, {records.begin(), records.end()}, ttl);
    }
    Zone& naptr(const std::string& name, const std::vector<dns::Naptr>& records,
                Duration ttl = 60s) {
        return add(name, dns::RecordType::naptr, {records.begin(), records.end()}, ttl);
    }
    Zone& fails(const std::string& name, dns::RecordType type,
                dns::Status status = dns::Status::servfail) {
        answers_[{name, type, false}] = {status, {}, 0s};
        return *this;
    }

    [[nodiscard]] dns::Answer answer(const dns::Question& question) const {
        const auto found = answers_.find({question.name, question.type, false});
        if (found != answers_.end()) return found->second;
        const bool name_exists =
            std::any_of(answers_.begin(), answers_.end(),
                        [&](const auto& entry) { return entry.first.name == question.name; });
        return {name_exists ? dns::Status::ok : dns::Status::nxdomain, {}, 300s};
    }

private:
    static std::vector<dns::Record> records_of(const std::vector<std::string>& addresses) {
        std::vector<dns::Record> records;
        for (const auto& address : addresses) records.emplace_back(ip(address));
        return records;
    }
    std::map<dns::Question, dns::Answer> answers_;
};

struct Asked {
    Outcome outcome;
    std::vector<dns::Question> questions;
    int rounds = 0;  // of questions that were asked at the same time
};

// Answers round by round; with a random source, in any order and with every answer's records
// permuted.
inline Asked resolve(const Zone& zone, std::string_view uri, Constraints constraints = {},
                     const HostsFileNames& hosts_file = {}, Random* random = nullptr) {
    Lookup lookup{next_hop_of(uri).value(), std::move(constraints), hosts_file};
    const auto permute = [&](auto& list) {
        for (std::size_t i = list.size(); random && i > 1; --i)
            std::swap(list[i - 1], list[random->below(i)]);
    };
    Asked asked;
    std::vector<dns::Question> pending;
    lookup.start(pending);
    while (!pending.empty() && asked.rounds < 1000) {
        ++asked.rounds;
        std::vector<dns::Question> next;
        permute(pending);
        for (const auto& question : pending) {
            asked.questions.push_back(question);
            auto answer = zone.answer(question);
            permute(answer.records);
            lookup.on_answer(question, answer, next);
        }
        pending = std::move(next);
    }
    EXPECT_TRUE(lookup.done());
    asked.outcome = lookup.outcome();
    return asked;
}

// "0 udp:203.0.113.11:5060"
inline std::vector<std::string> lines_of(const std::vector<Candidate>& candidates) {
    std::vector<std::string> lines;
    for (const auto& c : candidates)
        lines.push_back(std::to_string(c.tier) + " " + c.target.to_string());
    return lines;
}

inline std::vector<std::string> lines_of(const std::vector<dns::Question>& questions) {
    std::vector<std::string> lines;
    for (const auto& q : questions)
        lines.push_back(std::string(dns::name_of(q.type)) + " " + q.name +
                        (q.system_resolver ? " (system)" : ""));
    return lines;
}

}  // namespace holdfast::location
