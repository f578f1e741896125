#include "flow/flow.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace holdfast::flow {

std::string_view name_of(FlowState state) {
    switch (state) {
    case FlowState::opening: return "opening";
    case FlowState::open: return "open";
    case FlowState::failed: return "failed";
    case FlowState::closed: return "closed";
    }
    return "?";
}

void Flow::opened(Instant now, const Endpoint& own_end, std::string_view verified) {
    state = FlowState::open;
    opened_at = now;
    last_heard = now;
    local = own_end;
    verified_name = verified;
}

void Flow::ended(FlowState how, FlowError why) {
    CHECK(how == FlowState::failed || how == FlowState::closed);
    state = how;
    error = why;
    keep_alive.stop();
}

Flow& Table::open(const Target& target, std::string_view tls_name,
                  const KeepAliveSettings& settings, bool spare_port) {
    return add(Flow{.id = fresh_id(),
                    .target = target,
                    .tls_name = std::string{tls_name},
                    .spare_port = spare_port,
                    .keep_alive = KeepAlive{target.transport, settings}});
}

Flow& Table::add(Flow&& flow) {
    const FlowId id = flow.id;
    CHECK(id);
    last_id_ = std::max(last_id_, id.value);
    const auto [place, is_new] = flows_.try_emplace(id, std::move(flow));
    CHECK(is_new);
    return place->second;
}

bool Table::erase(FlowId id) { return flows_.erase(id) == 1; }

const Flow* Table::find(FlowId id) const {
    const auto place = flows_.find(id);
    return place == flows_.end() ? nullptr : &place->second;
}

Flow* Table::find(FlowId id) {
    const auto place = flows_.find(id);
    return place == flows_.end() ? nullptr : &place->second;
}

const Flow* Table::find(const Target& target, std::string_view tls_name) const {
    for (const auto& flow : all())
        if (flow.target == target && flow.tls_name == tls_name && flow.is_alive() &&
            !flow.spare_port)
            return &flow;
    return nullptr;
}

Flow* Table::find(const Target& target, std::string_view tls_name) {
    const auto* found = std::as_const(*this).find(target, tls_name);
    return found ? find(found->id) : nullptr;
}

const Flow* Table::find_remote(Transport transport, const Endpoint& remote) const {
    const Target target{.transport = transport, .endpoint = remote};
    for (const auto& flow : all())
        if (flow.target == target && flow.is_alive() && !flow.spare_port) return &flow;
    return nullptr;
}

Table::Due Table::next_keep_alive() const {
    Due due;
    for (const auto& flow : all()) {
        const auto deadline = flow.keep_alive.next_deadline();
        if (deadline.at < due.deadline.at) due = {.deadline = deadline, .flow = flow.id};
    }
    return due;
}

}  // namespace holdfast::flow
