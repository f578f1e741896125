#include "lab/scenario_record.h"

namespace holdfast::lab::scenario {

namespace {

bool is_gap(const Moment& moment) { return moment.is_there && !moment.reachable; }

}  // namespace

Recorder::Recorder(Stage& stage)
    : stage_(stage), moments_(stage.actors().size()), known_(stage.actors().size()) {
    for (auto& moments : moments_) moments.push_back({Internet::start, {}});
}

void Recorder::look_at_all() {
    for (std::size_t i = 0; i < moments_.size(); ++i) look_at(i);
}

void Recorder::look_at_unreachable() {
    for (std::size_t i = 0; i < moments_.size(); ++i)
        if (is_gap(moments_[i].back().moment)) look_at(i);
}

void Recorder::look_at(std::size_t actor) {
    auto& moments = moments_[actor];
    auto moment = moment_of(actor);
    if (moment == moments.back().moment) return;
    if (is_gap(moments.back().moment)) --unreachable_;
    if (is_gap(moment)) ++unreachable_;
    const auto now = stage_.world().now();
    if (moments.back().at == now) {  // what did not last is nothing that anybody could notice
        moments.back().moment = std::move(moment);
        return;
    }
    moments.push_back({now, std::move(moment)});
}

Moment Recorder::moment_of(std::size_t actor) {
    const auto& it = stage_.actors()[actor];
    auto& world = stage_.world();
    Moment moment{.is_there = it.is_there()};
    moment.reachable = moment.is_there && world.is_reachable(*it.phone);
    const auto stale = world.stale_bindings(*it.phone).size();
    moment.stale = static_cast<std::uint16_t>(stale);
    moment.all_answer = moment.reachable && stale == 0;
    for (const auto& cluster : world.clusters())
        for (const auto& binding : cluster->bindings(it.phone->aor())) {
            ++moment.bindings;
            if (binding.contact.contains("@" + binding.flow.remote.to_string()))
                moment.is_mapping = true;
        }
    moment.node = node_of(actor);
    return moment;
}

// Its status is worth a look only after it has said something.
const std::string& Recorder::node_of(std::size_t actor) {
    auto& known = known_[actor];
    const auto& phone = *stage_.actors()[actor].phone;
    if (!phone.is_registered()) {
        known = {};
        return known.node;
    }
    if (known.events == phone.events().size()) return known.node;
    known.events = phone.events().size();
    const auto target = phone.current_target();
    known.node = target ? stage_.node_name(*target) : "";
    return known.node;
}

}  // namespace holdfast::lab::scenario
