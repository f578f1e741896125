#include "flow/nat_kind.h"

#include <algorithm>

#include "flow/mapping.h"

namespace holdfast::flow {

std::string_view name_of(NatKind kind) {
    switch (kind) {
    case NatKind::unknown: return "unknown";
    case NatKind::none: return "none";
    case NatKind::endpoint_independent: return "endpoint-independent";
    case NatKind::endpoint_dependent: return "endpoint-dependent";
    }
    return "?";
}

std::string NatView::to_string() const {
    std::string text{name_of(kind)};
    for (std::size_t i = 0; i < as_seen_by.size(); ++i) {
        text += i == 0 ? ", as seen by " : i + 1 == as_seen_by.size() ? " and " : ", ";
        text += as_seen_by[i].seen_by.to_string();
    }
    return text;
}

NatView nat_kind(const Endpoint& local, std::span<const MappingSeen> seen) {
    std::vector<MappingSeen> as_we_are;
    std::vector<MappingSeen> translated;
    for (const auto& row : seen) {
        if (row.local != local || !is_usable_mapping(row.mapping, row.seen_by.endpoint.address))
            continue;
        (row.mapping == local ? as_we_are : translated).push_back(row);
    }
    const auto by_target = [](const MappingSeen& a, const MappingSeen& b) {
        return a.seen_by < b.seen_by;
    };
    for (auto* rows : {&as_we_are, &translated})
        if (!std::ranges::is_sorted(*rows, by_target)) std::ranges::stable_sort(*rows, by_target);

    if (translated.empty()) {
        const auto kind = as_we_are.empty() ? NatKind::unknown : NatKind::none;
        return {.kind = kind, .as_seen_by = std::move(as_we_are)};
    }
    const auto& first = translated.front();
    const auto differs = [&](const MappingSeen& row) { return row.mapping != first.mapping; };
    // RFC 4787 §4.1: an address-dependent mapping is the same for all ports of one server; two
    // addresses are needed before "independent" can be said.
    const auto elsewhere = [&](const MappingSeen& row) {
        return row.seen_by.endpoint.address != first.seen_by.endpoint.address;
    };
    auto kind = NatKind::unknown;
    if (std::ranges::any_of(translated, differs)) {
        kind = NatKind::endpoint_dependent;
    } else if (std::ranges::any_of(translated, elsewhere)) {
        kind = NatKind::endpoint_independent;
    }
    return {.kind = kind, .as_seen_by = std::move(translated)};
}

}  // namespace holdfast::flow
