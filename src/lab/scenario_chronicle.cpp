#include "lab/scenario_chronicle.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast::lab::scenario {

namespace {

TranscriptOptions transcript_of(const Scenario& scenario, std::size_t lines_most) {
    TranscriptOptions options{.signalling_most = lines_most, .routine_most = lines_most / 2};
    for (const auto& event : scenario.events)
        if (event.at > Duration{}) options.chapters.push_back(Internet::start + event.at);
    std::ranges::sort(options.chapters);
    const auto same = std::ranges::unique(options.chapters);
    options.chapters.erase(same.begin(), same.end());
    return options;
}

Reach reach_of(const Moment& moment) {
    if (!moment.is_there) return Reach::off;
    return moment.reachable ? Reach::yes : Reach::no;
}

void add(std::vector<ReachFrom>& spans, Instant at, Reach reach) {
    if (spans.empty() || spans.back().reach != reach) spans.push_back({at, reach});
}

// One call as a row of its own.
CallsOf row_of(const Call& call) {
    return {.at = call.at,
            .during = {},
            .calls = 1,
            .lost = call.reached ? 0U : 1U,
            .twice = call.rang_at > 1 ? 1U : 0U,
            .rang_after = call.reached,
            .node = call.via_node};
}

}  // namespace

Chronicler::Chronicler(Stage& stage, const Scenario& scenario, std::size_t lines_most)
    : stage_(stage),
      end_(Internet::start + scenario.length),
      spans_most_(std::clamp<std::size_t>(lines_most, 200, chronicle_spans_most)),
      bindings_most_(std::clamp<std::size_t>(lines_most / 4, 40, chronicle_bindings_most)),
      calls_most_(std::clamp<std::size_t>(lines_most, 200, chronicle_calls_most)),
      transcript_(transcript_of(scenario, lines_most)),
      phones_(std::min(stage.actors().size(), chronicle_phones_most)) {
    stage_.world().internet().ladder().write_to(&transcript_);
}

Chronicler::~Chronicler() { stage_.world().internet().ladder().write_to(nullptr); }

std::uint64_t Chronicler::changes() {
    std::uint64_t sum = 0;
    for (const auto& cluster : stage_.world().clusters())
        for (const auto& node : cluster->nodes()) sum += node->location_service().changes();
    return sum;
}

void Chronicler::look_if_changed() {
    if (changes() != changes_) look();
}

void Chronicler::look() {
    changes_ = changes();
    for (std::size_t i = 0; i < phones_.size(); ++i) look_at(i);
}

Chronicler::Open* Chronicler::find(Phone& phone, const Binding& binding) {
    const auto found = std::ranges::find_if(phone.open, [&](const Open& open) {
        return open.span.way == binding.flow && open.span.contact == binding.contact &&
               open.instance == binding.instance && open.reg_id == binding.reg_id;
    });
    return found == phone.open.end() ? nullptr : &*found;
}

void Chronicler::close(Phone& phone, const Open& open, Instant now, bool lasts) {
    if (phone.closed.size() == bindings_most_) {
        ++phone.left_out;
        return;
    }
    auto& span = phone.closed.emplace_back(open.span);
    span.lasts = lasts;
    span.ran_out = !lasts && open.expires <= now;
    span.to = span.ran_out ? std::max(span.from, open.expires) : now;
    std::erase_if(span.states, [&](const auto& state) { return state.at > span.to; });
}

void Chronicler::look_at(std::size_t actor) {
    auto& phone = phones_[actor];
    auto& world = stage_.world();
    const auto now = world.now();
    const auto& who = *stage_.actors()[actor].phone;
    const auto stale = world.stale_bindings(who);
    for (auto& open : phone.open) open.seen = false;
    // The best of what the services say of a binding that several of them have.
    std::vector<std::pair<Open*, BindingState>> states;
    for (const auto& cluster : world.clusters())
        for (const auto& node : cluster->nodes())
            for (const auto& binding : node->location_service().bindings(who.aor())) {
                auto* open = find(phone, binding);
                if (open == nullptr) {
                    const auto* owner = cluster->node_at(binding.flow.local.address);
                    open = &phone.open.emplace_back(
                        Open{.span = {.contact = binding.contact,
                                      .way = binding.flow,
                                      .node = owner != nullptr ? owner->name() : node->name(),
                                      .from = now},
                             .instance = binding.instance,
                             .reg_id = binding.reg_id});
                }
                open->seen = true;
                open->expires = std::max(open->expires, binding.expires);
                const auto state = !node->is_answering() ? BindingState::mute
                                   : std::ranges::find(stale, binding) != stale.end()
                                       ? BindingState::stale
                                       : BindingState::current;
                const auto known =
                    std::ranges::find(states, open, &decltype(states)::value_type::first);
                if (known == states.end())
                    states.emplace_back(open, state);
                else
                    known->second = std::min(known->second, state);
            }
    for (const auto& [open, state] : states) {
        auto& all = open->span.states;
        if (!all.empty() && all.back().at == now) all.pop_back();
        if (all.empty() || all.back().state != state) all.push_back({now, state});
    }
    for (const auto& open : phone.open)
        if (!open.seen) close(phone, open, now, false);
    phone.open.remove_if([](const Open& open) { return !open.seen; });
}

// Only when it was there and could be reached; what else a moment has is of no interest here.
std::vector<ReachFrom> Chronicler::reach_of(const std::vector<TimedMoment>& moments,
                                            Duration& resolution) const {
    std::vector<ReachFrom> spans;
    for (const auto& [at, moment] : moments) add(spans, at, scenario::reach_of(moment));
    if (spans.size() <= spans_most_) return spans;
    resolution = (end_ - Internet::start) / static_cast<Duration::rep>(spans_most_ / 2);
    std::vector<ReachFrom> coarse;
    std::size_t next = 0;
    auto lasting = Reach::off;
    for (auto from = Internet::start; from < end_; from += resolution) {
        while (next < spans.size() && spans[next].at <= from) lasting = spans[next++].reach;
        auto worst = lasting;
        for (; next < spans.size() && spans[next].at < from + resolution; ++next) {
            lasting = spans[next].reach;
            worst = std::min(worst, lasting);
        }
        add(coarse, from, worst);
    }
    return coarse;
}

std::vector<CallsOf> Chronicler::calls_of(const Stage::Actor& actor) const {
    std::vector<CallsOf> rows;
    for (const auto* caller : actor.callers)
        for (const auto& call : caller->calls())
            if (call.reached || call.at + caller->options().patience <= end_)
                rows.push_back(row_of(call));
    std::ranges::stable_sort(rows, {}, &CallsOf::at);
    if (rows.size() <= calls_most_) return rows;
    const auto during = (end_ - Internet::start) / static_cast<Duration::rep>(calls_most_ / 2);
    std::vector<CallsOf> together;
    for (const auto& row : rows) {
        const auto begin = Internet::start + during * ((row.at - Internet::start) / during);
        if (together.empty() || together.back().at != begin)
            together.push_back({.at = begin, .during = during, .calls = 0});
        auto& sum = together.back();
        ++sum.calls;
        sum.lost += row.lost;
        sum.twice += row.twice;
        sum.rang_after = std::max(sum.rang_after, row.rang_after);
    }
    return together;
}

Chronicle Chronicler::take(const Recorder& recorder) {
    look();
    Chronicle chronicle{.phones_left_out = stage_.actors().size() - phones_.size(),
                        .transcript = std::move(transcript_)};
    for (std::size_t i = 0; i < phones_.size(); ++i) {
        const auto& actor = stage_.actors()[i];
        auto& phone = phones_[i];
        for (const auto& open : phone.open) close(phone, open, end_, true);
        phone.open.clear();
        std::ranges::stable_sort(phone.closed, {}, &BindingSpan::from);
        PhoneChronicle of{.name = actor.phone->name(), .preset = actor.preset};
        of.reach = reach_of(recorder.moments(i), of.reach_resolution);
        of.bindings = std::move(phone.closed);
        of.bindings_left_out = phone.left_out;
        of.calls = calls_of(actor);
        chronicle.phones.push_back(std::move(of));
    }
    return chronicle;
}

}  // namespace holdfast::lab::scenario
