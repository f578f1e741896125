#include "location/rank.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/text.h"
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

// In (0, 1]: -log of a uniform number is exponential; divided by the weight, the smallest of
// several falls to each with a probability in proportion to its weight.
double score_of(std::uint64_t phone, std::string_view record, double weight) {
    const auto hash = mixed(phone ^ mixed(hash_of(record) + 0x9e3779b97f4a7c15U));
    const double uniform = (static_cast<double>(hash >> 11U) + 1.0) * 0x1.0p-53;
    return -std::log(uniform) / weight;
}

struct Record {  // one SRV record, or the next hop itself, with its addresses in the order of the
                 // answer
    std::uint32_t weight = 0;
    std::vector<Candidate> addresses;

    // What record_identity() says, without its text.
    [[nodiscard]] bool is_of(const Candidate& candidate) const {
        const auto& ours = addresses.front();
        return ours.host == candidate.host &&
               ours.target.endpoint.port == candidate.target.endpoint.port &&
               ours.target.transport == candidate.target.transport;
    }
    [[nodiscard]] std::string identity() const {
        const auto& target = addresses.front().target;
        return record_identity(addresses.front().host, target.endpoint.port, target.transport);
    }
};
using Tier = std::vector<Record>;

std::vector<Tier> tiers_of(std::vector<Candidate> candidates) {
    if (!std::ranges::is_sorted(candidates, {}, &Candidate::tier))
        std::ranges::stable_sort(candidates, {}, &Candidate::tier);
    std::vector<Tier> tiers;
    std::optional<std::uint32_t> last;
    for (auto& candidate : candidates) {
        if (last != candidate.tier) tiers.emplace_back();
        last = candidate.tier;
        auto& tier = tiers.back();
        auto record =
            std::ranges::find_if(tier, [&](const Record& known) { return known.is_of(candidate); });
        if (record == tier.end()) record = tier.emplace(tier.end());
        record->weight = std::max(record->weight, candidate.weight);
        record->addresses.push_back(std::move(candidate));
    }
    return tiers;
}

// Addresses of one record: each family by rendezvous hashing, then alternating, IPv6 first (RFC
// 8305 §4).
void rank_addresses(std::vector<Candidate>& addresses, std::uint64_t phone) {
    if (addresses.size() < 2) return;
    struct Scored {
        bool is_ipv4;
        double score;
        Candidate* candidate;
    };
    std::vector<Scored> order;
    order.reserve(addresses.size());
    for (auto& address : addresses) {
        const auto& ip = address.target.endpoint.address;
        order.push_back({.is_ipv4 = ip.family() == Family::ipv4,
                         .score = score_of(phone, ip.to_string(), 1.0),
                         .candidate = &address});
    }
    std::ranges::sort(order, [](const Scored& a, const Scored& b) {
        return std::tie(a.is_ipv4, a.score, a.candidate->target) <
               std::tie(b.is_ipv4, b.score, b.candidate->target);
    });
    const auto first_v4 = std::ranges::find(order, true, &Scored::is_ipv4);
    std::vector<Candidate> ranked;
    ranked.reserve(addresses.size());
    for (auto v6 = order.begin(), v4 = first_v4; v6 != first_v4 || v4 != order.end();) {
        if (v6 != first_v4) ranked.push_back(std::move(*v6++->candidate));
        if (v4 != order.end()) ranked.push_back(std::move(*v4++->candidate));
    }
    addresses = std::move(ranked);
}

void rank_records(Tier& tier, std::uint64_t phone) {
    if (tier.size() < 2) return;
    std::uint32_t smallest = 0;
    for (const auto& record : tier)
        if (record.weight != 0 && (smallest == 0 || record.weight < smallest))
            smallest = record.weight;
    struct Scored {
        double score;
        std::string identity;
        Record record;
    };
    std::vector<Scored> order;
    order.reserve(tier.size());
    for (auto& record : tier) {
        auto identity = record.identity();
        const auto weight = effective_weight(record.weight, smallest);
        const auto score = score_of(phone, identity, weight);
        order.push_back({score, std::move(identity), std::move(record)});
    }
    std::ranges::sort(order, [](const Scored& a, const Scored& b) {
        return std::tie(a.score, a.identity) < std::tie(b.score, b.identity);
    });
    std::ranges::transform(order, tier.begin(), [](Scored& s) { return std::move(s.record); });
}

void rank_by_rendezvous(Tier& tier, std::uint64_t phone) {
    rank_records(tier, phone);
    for (auto& record : tier) rank_addresses(record.addresses, phone);
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
    return score_of(key.hash(), record, weight);
}

std::string record_identity(std::string_view host, std::uint16_t port, Transport transport) {
    return joined({host, ":", std::to_string(port), ":", name_of(transport)});
}

double effective_weight(std::uint32_t weight, std::uint32_t smallest) {
    if (smallest == 0) return 1.0;  // all 0: equal
    return weight != 0 ? weight : static_cast<double>(smallest) / 100.0;
}

std::vector<Candidate> ranked(std::vector<Candidate> candidates, const RankKey& key,
                              LookupOrder order, Random* random) {
    if (candidates.size() < 2 && order != LookupOrder::weighted_random) return candidates;
    const auto phone = key.hash();
    std::vector<Candidate> result;
    result.reserve(candidates.size());
    auto tiers = tiers_of(std::move(candidates));
    for (auto& tier : tiers) {
        switch (order) {
        case LookupOrder::rendezvous: rank_by_rendezvous(tier, phone); break;
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
