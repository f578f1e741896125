// The last good answer, as it is kept on disk to serve stale (L5, RFC 8767): one line per
// candidate.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "location/lookup.h"

namespace holdfast::location {

std::string encode(const std::vector<Candidate>& candidates);
// Whatever a disk may hold: the error says which line is wrong and why.
std::expected<std::vector<Candidate>, std::string> decode_candidates(std::string_view text);

}  // namespace holdfast::location
