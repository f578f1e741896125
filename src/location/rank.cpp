#include "location/rank.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "location/limits.h"

namespace holdfast::location {

namespace {

// The finaliser of SplitMix64: a bijection in which every input bit moves every output bit.
constexpr std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
}

// FNV-1a over the octets and then mixed: FNV alone leaves the last octets in the low bits.
constexpr std::uint64_t hash_of(std::string_view text, std::uint64_t start = 0xcbf29ce484222325U) {
    std::uint64_t hash = start;
    for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3U;
    return mixed(hash);
}

std::uint64_t hash_of(const RankKey& key, std::string_view record) {
    return mixed(key.hash() ^ mixed(hash_of(record) + 0x9e3779b97f4a7c15U));
}

struct Record {  // one SRV record, or the next hop itself, with its addresses in the order of the
                 // answer
    std::string identity;
    std::uint32_t weight = 0;
    std::vector<Candidate> addresses;
};
using Tier = std::vector<Record>;

std::vector<Tier> tiers_of(std::vector<Candidate> candidates) {
    std::map<std::uint32_t, Tier> tiers;
    for (auto& candidate : candidates) {
        auto& tier = tiers[candidate.tier];
        const auto& target = candidate.target;
        auto identity = record_identity(candidate.host, target.endpoint.port, target.transport);
        auto record = std::find_if(tier.begin(), tier.end(),
                                   [&](const Record& r) { return r.identity == identity; });
        if (record == tier.end()) {
            tier.push_back({std::move(identity), 0, {}});
            record = tier.end() - 1;
        }
        record->weight = std::max(record->weight, candidate.weight);
        record->addresses.push_back(std::move(candidate));
    }
    std::vector<Tier> sorted;
    sorted.reserve(tiers.size());
    for (auto& [number, tier] : tiers) sorted.push_back(std::move(tier));
    return sorted;
}

// Addresses of one record: each family by rendezvous hashing, then alternating, IPv6 first (RFC
// 8305 §4).
void rank_addresses(std::vector<Candidate>& addresses, const RankKey& key) {
    std::vector<std::pair<double, Candidate>> families[2];
    for (auto& address : addresses) {
        const auto& ip = address.target.endpoint.address;
        const auto score = rendezvous_score(key, ip.to_string(), 1.0);
        const bool ipv6 = ip.family() == Family::ipv6;
        families[ipv6 ? 0 : 1].emplace_back(score, std::move(address));
    }
    for (auto& family : families)
        std::sort(family.begin(), family.end(), [](const auto& a, const auto& b) {
            return std::tie(a.first, a.second.target) < std::tie(b.first, b.second.target);
        });
    addresses.clear();
    for (std::size_t i = 0; i < std::max(families[0].size(), families[1].size()); ++i)
        for (auto& family : families)
            if (i < family.size()) addresses.push_back(std::move(family[i].second));
}

void rank_by_rendezvous(Tier& tier, const RankKey& key) {
    std::uint32_t smallest = 0;
    for (const auto& record : tier)
        if (record.weight != 0 && (smallest == 0 || record.weight < smallest))
            smallest = record.weight;
    std::vector<std::pair<double, std::size_t>> order;
    order.reserve(tier.size());
    for (std::size_t i = 0; i < tier.size(); ++i)
        order.emplace_back(
            rendezvous_score(key, tier[i].identity, effective_weight(tier[i].weight, smallest)), i);
    std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
        return std::tie(a.first, tier[a.second].identity) <
               std::tie(b.first, tier[b.second].identity);
    });
    Tier ranked_tier;
    for (const auto& [score, place] : order) {
        rank_addresses(tier[place].addresses, key);
        ranked_tier.push_back(std::move(tier[place]));
    }
    tier = std::move(ranked_tier);
}

// RFC 2782, "Weight": those of weight 0 first, then by running sums; what is drawn leaves the list.
void rank_by_weight(Tier& tier, Random& random) {
    std::stable_partition(tier.begin(), tier.end(), [](const Record& r) { return r.weight == 0; });
    for (auto first = tier.begin(); first != tier.end(); ++first) {
        std::uint64_t sum = 0;
        for (auto record = first; record != tier.end(); ++record) sum += record->weight;
        const auto drawn = random.below(sum + 1);
        std::uint64_t running = 0;
        auto chosen = first;
        for (auto record = first; record != tier.end(); ++record) {
            running += record->weight;
            chosen = record;
            if (running >= drawn) break;
        }
        std::rotate(first, chosen, chosen + 1);
    }
}

}  // namespace

RankKey::RankKey(std::string_view instance_id, std::string_view aor)
    : hash_(hash_of(aor, hash_of(instance_id))) {}

double rendezvous_score(const RankKey& key, std::string_view record, double weight) {
    // In (0, 1]: -log of a uniform number is exponential; divided by the weight, the smallest of
    // several falls to each with a probability in proportion to its weight.
    const double uniform = (static_cast<double>(hash_of(key, record) >> 11U) + 1.0) * 0x1.0p-53;
    return -std::log(uniform) / weight;
}

std::string record_identity(std::string_view host, std::uint16_t port, Transport transport) {
    return std::string(host) + ":" + std::to_string(port) + ":" + std::string(name_of(transport));
}

double effective_weight(std::uint32_t weight, std::uint32_t smallest) {
    if (smallest == 0) return 1.0;  // all 0: equal
    return weight != 0 ? weight : static_cast<double>(smallest) / 100.0;
}

std::vector<Candidate> ranked(std::vector<Candidate> candidates, const RankKey& key,
                              LookupOrder order, Random* random) {
    auto tiers = tiers_of(std::move(candidates));
    std::vector<Candidate> result;
    for (auto& tier : tiers) {
        switch (order) {
        case LookupOrder::rendezvous: rank_by_rendezvous(tier, key); break;
        case LookupOrder::first_listed: break;
        case LookupOrder::weighted_random:
            CHECK(random != nullptr);
            rank_by_weight(tier, *random);
            break;
        }
        for (auto& record : tier)
            for (auto& address : record.addresses) result.push_back(std::move(address));
    }
    if (result.size() > limits::targets) result.resize(limits::targets);
    return result;
}

}  // namespace holdfast::location
