#include "flow/source_filter.h"

#include <algorithm>

#include "base/text.h"

namespace holdfast::flow {

std::string_view name_of(SourceVerdict verdict) {
    switch (verdict) {
    case SourceVerdict::drop: return "drop";
    case SourceVerdict::own_flow: return "own flow";
    case SourceVerdict::own_dialog: return "own dialog";
    case SourceVerdict::known_address: return "known address";
    case SourceVerdict::contact_token: return "contact token";
    case SourceVerdict::direct: return "direct";
    }
    return "?";
}

void SourceFilter::set_addresses(std::span<const IpAddress> addresses) {
    const auto kept = addresses.first(std::min(addresses.size(), filter_addresses));
    addresses_.assign(kept.begin(), kept.end());
}

void SourceFilter::set_tokens(std::span<const std::string> tokens) {
    tokens_.assign(tokens.begin(), tokens.end());
}

SourceVerdict SourceFilter::judge(const IncomingRequest& request) const {
    if (request.on_own_flow) return SourceVerdict::own_flow;
    if (request.of_our_dialog) return SourceVerdict::own_dialog;
    if (rules_.secure) return SourceVerdict::drop;
    const auto is_source = [&](const IpAddress& address) {
        return address == request.source.address;
    };
    if (std::ranges::any_of(addresses_, is_source)) return SourceVerdict::known_address;
    // URI parameters are compared without case (RFC 3261 §19.1.4); some servers rewrite it.
    const auto is_token = [&](const std::string& token) {
        return equals_ignoring_case(token, request.token);
    };
    if (!request.token.empty() && std::ranges::any_of(tokens_, is_token))
        return SourceVerdict::contact_token;
    return rules_.accept_direct_calls ? SourceVerdict::direct : SourceVerdict::drop;
}

}  // namespace holdfast::flow
