#include "lab/dns_zone.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/text.h"

namespace holdfast::lab {

namespace {

std::vector<dns::Record> of_family(const std::vector<IpAddress>& addresses, Family family) {
    std::vector<dns::Record> records;
    for (const auto& address : addresses)
        if (address.family() == family) records.emplace_back(address);
    return records;
}

}  // namespace

void DnsZone::put(const std::string& name, dns::RecordType type, std::vector<dns::Record> records,
                  RecordOptions options) {
    if (options.rotate && options.order == Rotation::fixed) options.order = Rotation::round_robin;
    sets_[{.name = lower_case(name), .type = type}] = {std::move(records), options, 0};
}

void DnsZone::a(const std::string& name, const std::vector<IpAddress>& addresses,
                RecordOptions options) {
    put(name, dns::RecordType::a, of_family(addresses, Family::ipv4), options);
}

void DnsZone::aaaa(const std::string& name, const std::vector<IpAddress>& addresses,
                   RecordOptions options) {
    put(name, dns::RecordType::aaaa, of_family(addresses, Family::ipv6), options);
}

void DnsZone::srv(const std::string& name, const std::vector<dns::Srv>& records,
                  RecordOptions options) {
    put(name, dns::RecordType::srv, {records.begin(), records.end()}, options);
}

void DnsZone::naptr(const std::string& name, const std::vector<dns::Naptr>& records,
                    RecordOptions options) {
    put(name, dns::RecordType::naptr, {records.begin(), records.end()}, options);
}

void DnsZone::cname(const std::string& name, const std::string& target, RecordOptions options) {
    aliases_[lower_case(name)] = {lower_case(target), options.ttl};
}

void DnsZone::remove(const std::string& name) {
    const auto key = lower_case(name);
    aliases_.erase(key);
    std::erase_if(sets_, [&](const auto& entry) { return entry.first.name == key; });
}

// Names that have healed fail again, with all others.
void DnsZone::fail(DnsFault fault) {
    fault_ = fault;
    std::erase_if(faults_, [](const auto& entry) {
        return entry.second.status == dns::Status::ok && entry.second.delay == Duration{};
    });
}

void DnsZone::fail(const std::string& name, DnsFault fault) { faults_[lower_case(name)] = fault; }

void DnsZone::heal() {
    fault_ = {};
    faults_.clear();
}

void DnsZone::heal(const std::string& name) { faults_[lower_case(name)] = {}; }

DnsZone::Reply DnsZone::ask(const dns::Question& question) {
    ++queries_;
    const auto special = faults_.find(lower_case(question.name));
    const auto& fault = special != faults_.end() ? special->second : fault_;
    if (fault.status != dns::Status::ok) {
        const auto ttl = dns::is_failure(fault.status) ? Duration{} : negative_ttl;
        return {{.status = fault.status, .records = {}, .ttl = ttl}, fault.delay};
    }
    auto reply = Reply{answer(question), fault.delay};
    turn(question);
    return reply;
}

dns::Answer DnsZone::peek(const dns::Question& question) const { return answer(question); }

std::string DnsZone::follow_aliases(const dns::Question& question, dns::Answer& answer) const {
    auto name = lower_case(question.name);
    for (std::size_t links = 0; links < limits::cname_chain; ++links) {
        const auto alias = aliases_.find(name);
        if (alias == aliases_.end()) break;
        answer.records.emplace_back(dns::Cname{name, alias->second.first});
        answer.ttl = std::min(answer.ttl, alias->second.second);
        name = alias->second.first;
    }
    return name;
}

dns::Answer DnsZone::answer(const dns::Question& question) const {
    dns::Answer answer{.status = dns::Status::ok, .records = {}, .ttl = Duration::max()};
    const auto name = follow_aliases(question, answer);
    const auto set = sets_.find({.name = name, .type = question.type});
    if (set != sets_.end() && !set->second.records.empty()) {
        auto records = set->second.records;
        arrange(records, set->second);
        answer.records.insert(answer.records.end(), records.begin(), records.end());
        answer.ttl = std::min(answer.ttl, set->second.options.ttl);
        return answer;
    }
    const bool exists =
        std::ranges::any_of(sets_, [&](const auto& entry) { return entry.first.name == name; });
    if (!exists) answer.status = dns::Status::nxdomain;
    answer.ttl = std::min(answer.ttl, negative_ttl);
    return answer;
}

void DnsZone::arrange(std::vector<dns::Record>& records, const Set& set) {
    const auto shift = set.turn % records.size();
    std::ranges::rotate(records, records.begin() + static_cast<std::ptrdiff_t>(shift));
    if (set.options.at_most > 0 && records.size() > set.options.at_most)
        records.resize(set.options.at_most);
}

// What the next query will see. A shuffle is kept, so that peek() shows what ask() will.
void DnsZone::turn(const dns::Question& question) {
    dns::Answer ignored;
    const auto found =
        sets_.find({.name = follow_aliases(question, ignored), .type = question.type});
    if (found == sets_.end()) return;
    auto& set = found->second;
    switch (set.options.order) {
    case Rotation::fixed: break;
    case Rotation::round_robin: ++set.turn; break;
    case Rotation::random:
        for (auto i = set.records.size(); i > 1; --i)
            std::swap(set.records[i - 1], set.records[random_.below(i)]);
        break;
    }
}

}  // namespace holdfast::lab
