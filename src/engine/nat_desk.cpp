#include "engine/nat_desk.h"

#include <utility>
#include <vector>

#include "engine/limits.h"

namespace holdfast::engine {

using flow::Learned;

std::optional<flow::NatView> NatDesk::on_sighting(Instant now, const flow::Flow& flow,
                                                  Learned learned) {
    const bool seen =
        learned == Learned::first || learned == Learned::same || learned == Learned::changed;
    const auto mapping = flow.mapping.usable();
    if (!seen || !mapping || flow.spare_port || is_reliable(flow.target.transport))
        return std::nullopt;
    if (ports_.size() >= limits::nat_ports && !ports_.contains(flow.local)) ports_.clear();
    Port& port = ports_[flow.local];
    if (learned == Learned::changed) port.rows.clear();
    const auto gone = std::erase_if(
        port.rows, [&](const auto& row) { return now - row.second.at > limits::mapping_fresh; });
    const auto [row, is_new] = port.rows.try_emplace(flow.target);
    const bool same = !is_new && gone == 0 && row->second.seen.mapping == *mapping;
    row->second = {{flow.target, flow.local, *mapping}, now};
    if (same && !port.has_news) return std::nullopt;
    std::vector<flow::MappingSeen> rows;
    rows.reserve(port.rows.size());
    for (const auto& [target, known] : port.rows) rows.push_back(known.seen);
    auto view = flow::nat_kind(flow.local, rows);
    // That there is none is no news, unless there was one before.
    port.has_news = view.kind != flow::NatKind::unknown && view.kind != port.told &&
                    !(view.kind == flow::NatKind::none && port.told == flow::NatKind::unknown);
    if (!port.has_news || now < port.not_before) return std::nullopt;
    port.has_news = false;
    port.told = view.kind;
    port.not_before = now + limits::nat_kind_spacing;
    return view;
}

}  // namespace holdfast::engine
