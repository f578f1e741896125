// In which order candidates are tried (L2). The order of records in an answer means nothing:
// weighted rendezvous hashing gives each phone its own order, always the same for the same set, and
// the load follows the SRV weights.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "location/lookup.h"
#include "location/rank_key.h"

namespace holdfast::location {

enum class LookupOrder : std::uint8_t {
    rendezvous,       // L2
    first_listed,     // by tier, then as the answer has it: what most phones do
    weighted_random,  // RFC 2782, drawn anew each time; random must be given
};

// Best first, at most limits::targets of them.
std::vector<Candidate> ranked(std::vector<Candidate> candidates, const RankKey& key,
                              LookupOrder order, Random* random = nullptr);

// How this phone likes a record: smaller is better; exponentially distributed with rate `weight`
// over all keys, which is what makes the load follow the weights. Stable for ever: what it decides
// lives on disks and in registrars.
double rendezvous_score(const RankKey& key, std::string_view record, double weight);

// "host:port:transport": a record is the same one wherever it stands in an answer.
std::string record_identity(std::string_view host, std::uint16_t port, Transport transport);
// Weight 0 counts as 1/100 of the smallest other of its tier; smallest 0: all are 0, and equal.
double effective_weight(std::uint32_t weight, std::uint32_t smallest);

}  // namespace holdfast::location
