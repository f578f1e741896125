#include "apps/cli/demo_stage.h"

#include <algorithm>
#include <utility>

#include "runtime/clock.h"

namespace holdfast::cli {

using namespace std::chrono_literals;

namespace {

constexpr Duration one_way_delay = 10ms;
constexpr Duration sample_interval = 20ms;
constexpr Duration same_answer = 5ms;

}  // namespace

DemoStage::DemoStage(runtime::Loop& loop, const DemoCase& demo_case, std::string_view preset,
                     Say say)
    : case_(demo_case),
      preset_(preset),
      say_(std::move(say)),
      fault_(loop, [this] { break_something(); }),
      sample_(loop, [this] { sample(); }) {
    seen_.of = &demo_case;
    seen_.preset = preset;
}

std::expected<std::unique_ptr<DemoStage>, std::string> DemoStage::open(
    runtime::Loop& loop, const DemoCase& demo_case, std::string_view preset,
    const std::filesystem::path& record_file, Say say) {
    std::unique_ptr<DemoStage> stage(new DemoStage(loop, demo_case, preset, std::move(say)));
    live::WorldOptions world_options;
    world_options.seed = runtime::entropy()[0] + 256U * runtime::entropy()[1];
    world_options.servers = demo_servers;
    world_options.one_way_delay = one_way_delay;
    world_options.cluster = cluster_options(demo_case);
    world_options.nat = nat_options();
    world_options.records = record_options(demo_case);
    auto world = live::World::open(loop, world_options);
    if (!world) return std::unexpected(world.error());
    stage->world_ = *std::move(world);
    live::PhoneOptions phone_options;
    phone_options.aor = demo_aor;
    phone_options.preset = preset;
    phone_options.record_file = record_file;
    auto phone = live::Phone::open(loop, *stage->world_, std::move(phone_options));
    if (!phone) return std::unexpected(phone.error());
    stage->phone_ = *std::move(phone);
    stage->phone_->on([raw = stage.get()](const Event& event) { raw->on_event(event); });
    stage->caller_ = &stage->world_->add_caller(caller_options(call_interval));
    stage->fault_.arm(runtime::boot_time() + fault_time);
    stage->sample();
    return stage;
}

std::string DemoStage::server_name(std::size_t server) const {
    return "ip" + std::to_string(server + 1);
}

void DemoStage::on_event(const Event& event) {
    if (event.kind == EventKind::resolved && !event.targets.empty() && !broken_ &&
        case_.fault == DemoFault::first_choice_dead) {
        broken_ = true;
        const auto first = world_->server_at(event.targets.front().target);
        if (first) world_->silence(*first);
    }
    const bool here = event.kind == EventKind::registered || event.kind == EventKind::refreshed ||
                      event.kind == EventKind::moved;
    if (!here || !event.target) return;
    const auto server = world_->server_at(*event.target);
    if (!server) return;
    DemoRegistration registration{.at = world_->elapsed(), .server = *server, .seen_as = {}};
    for (const auto& binding : world_->cluster().bindings(demo_aor))
        if (world_->cluster().node(*server).has(binding.flow.local.address))
            registration.seen_as = binding.flow.remote;  // the latest is the last
    if (!seen_.registered_after) seen_.registered_after = registration.at;
    const auto* last = seen_.registrations.empty() ? nullptr : &seen_.registrations.back();
    // A plain client says of one answer that it has moved and that it is refreshed.
    if (last != nullptr && last->server == *server && registration.at - last->at < same_answer)
        return;
    const bool moved = last != nullptr && last->server != *server;
    if (moved) ++seen_.moves;
    const bool news = last == nullptr || last->seen_as != registration.seen_as;
    seen_.registrations.push_back(registration);
    if (news || case_.fault != DemoFault::none)
        say_(*this, (last == nullptr ? "registered at "
                     : moved         ? "moved to "
                                     : "refreshed at ") +
                        server_name(*server) + ", seen as " + registration.seen_as.to_string());
}

void DemoStage::break_something() {
    switch (case_.fault) {
    case DemoFault::none:
    case DemoFault::first_choice_dead: return;
    case DemoFault::server_dies:
        for (const auto& binding : world_->cluster().bindings(demo_aor)) {
            const auto server = world_->server_at({Transport::udp, binding.flow.local});
            if (!server) continue;
            world_->silence(*server);
            say_(*this, server_name(*server) + " falls silent");
        }
        return;
    case DemoFault::nat_rebinds:
        world_->rebind_nat();
        say_(*this, "the NAT gives new public ports");
        return;
    }
}

void DemoStage::sample() {
    seen_.most_bindings =
        std::max(seen_.most_bindings, world_->cluster().bindings(demo_aor).size());
    sample_.arm(runtime::boot_time() + sample_interval);
}

DemoOutcome DemoStage::outcome() {
    const auto elapsed = world_->elapsed();
    seen_.live = unreachable_of(*caller_, lab::Internet::start, lab::Internet::start + elapsed);
    seen_.removals = world_->cluster().removals();
    return seen_;
}

}  // namespace holdfast::cli
