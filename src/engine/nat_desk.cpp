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
    std::erase_if(port.rows,
                  [&](const auto& row) { return now - row.second.at > limits::mapping_fresh; });
    port.rows.insert_or_assign(flow.target, Row{{flow.target, flow.local, *mapping}, now});
    std::vector<flow::MappingSeen> rows;
    rows.reserve(port.rows.size());
    for (const auto& [target, row] : port.rows) rows.push_back(row.seen);
    auto view = flow::nat_kind(flow.local, rows);
    if (view.kind == flow::NatKind::unknown || view.kind == port.told || now < port.not_before)
        return std::nullopt;
    // That there is none is no news, unless there was one before.
    if (view.kind == flow::NatKind::none && port.told == flow::NatKind::unknown)
        return std::nullopt;
    port.told = view.kind;
    port.not_before = now + limits::nat_kind_spacing;
    return view;
}

}  // namespace holdfast::engine
