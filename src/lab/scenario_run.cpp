#include "lab/scenario_run.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "lab/scenario_chronicle.h"

namespace holdfast::lab::scenario {

using namespace std::chrono_literals;

namespace {

constexpr Duration look_every = 100ms;
constexpr double close_enough = 1e-9;  // of percent that come from a division

class Run {
public:
    Run(const Scenario& scenario, const RunOptions& options)
        : scenario_(scenario), options_(options), stage_(scenario, options), recorder_(stage_) {
        if (options.chronicle_lines > 0)
            chronicler_.emplace(stage_, scenario, options.chronicle_lines);
    }

    Findings run();

private:
    void schedule();
    void pass();
    void judge(Findings& outcome);
    void judge(const Expectation& expectation, std::size_t actor, Findings& outcome);
    [[nodiscard]] double seen(const Expectation& expectation, const Figures& figures,
                              const Window& window, const Findings& outcome) const;
    [[nodiscard]] double recovery(const Expectation& expectation, const Figures& figures,
                                  const Window& window, const Findings& outcome) const;
    [[nodiscard]] std::string story();

    const Scenario& scenario_;
    const RunOptions& options_;
    Stage stage_;
    Recorder recorder_;
    RunTimes times_;
    std::vector<bool> hit_;
    std::optional<Chronicler> chronicler_;
};

// What happens at the very beginning has happened before the first phone is switched on.
void Run::schedule() {
    const auto& events = scenario_.events;
    times_.end = Internet::start + scenario_.length;
    hit_.resize(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        times_.events.push_back(Internet::start + events[i].at);
        if (events[i].at == Duration{}) {
            hit_[i] = stage_.perform(events[i]);
            continue;
        }
        const bool is_last = i + 1 == events.size() || events[i + 1].at != events[i].at;
        stage_.world().at(events[i].at, [this, i, is_last] {
            hit_[i] = stage_.perform(scenario_.events[i]);
            if (is_last) recorder_.look_at_all();
            if (is_last && chronicler_) chronicler_->look();
        });
    }
    // A phone that is switched on changes nothing for the others yet.
    for (std::size_t i = 0; i < stage_.actors().size(); ++i)
        stage_.world().at(stage_.actors()[i].on_at, [this, i] {
            stage_.switch_on(stage_.actors()[i]);
            recorder_.look_at(i);
        });
}

// A gap ends with some packet, and is looked for after each; one that begins by itself (a binding
// or a mapping that runs out) is seen at the next look.
void Run::pass() {
    auto& world = stage_.world();
    const auto end = Internet::start + scenario_.length;
    const auto look = [&] {
        if (recorder_.somebody_is_unreachable()) recorder_.look_at_unreachable();
        if (chronicler_) chronicler_->look_if_changed();
        return false;
    };
    while (world.now() < end) {
        const auto next = std::min(world.now() + look_every, end);
        // Nothing left to happen: time passes all the same.
        if (world.run_until(look, next - world.now()) == Stop::idle)
            world.run_for(next - world.now());
        recorder_.look_at_all();
        if (chronicler_) chronicler_->look();
    }
}

// The worst one after an event of the window, whenever it comes. Who waits for the end of what has
// not happened waits for ever: an event that is about nobody shows nothing.
double Run::recovery(const Expectation& expectation, const Figures& figures, const Window& window,
                     const Findings& outcome) const {
    double worst = 0;
    for (std::size_t i = 0; i < figures.recovery.size(); ++i) {
        const auto at = times_.events[i];
        if (at < window.from || at >= window.to) continue;
        if (expectation.event.empty() || outcome.events[i] == expectation.event)
            worst = std::max(worst, hit_[i] ? figures.recovery[i] : Figures::not_yet);
    }
    return worst;
}

double Run::seen(const Expectation& expectation, const Figures& f, const Window& window,
                 const Findings& outcome) const {
    const auto count = [](std::size_t n) { return static_cast<double>(n); };
    switch (expectation.measure) {
    case Measure::registered_within: return f.registered_after;
    case Measure::reachable_at_least: return f.share(f.reachable);
    case Measure::all_answer_at_least: return f.share(f.all_answer);
    case Measure::mapping_at_least: return f.share(f.is_mapping);
    case Measure::gap_at_most: return f.gap_lasts ? Figures::not_yet : f.worst_gap;
    case Measure::gap_at_least: return f.worst_gap;
    case Measure::recovered_within: return recovery(expectation, f, window, outcome);
    case Measure::calls_lost_at_most: return count(f.lost);
    case Measure::calls_late_at_most: return count(f.late);
    case Measure::calls_twice_at_most: return count(f.twice);
    case Measure::moves:
    case Measure::moves_at_most:
    case Measure::moves_at_least: return count(f.moves);
    case Measure::unregisters_at_most: return count(f.unregisters);
    case Measure::stale_at_most: return count(f.stale_most);
    case Measure::stale_for_at_most:
    case Measure::stale_for_at_least: return f.stale_for;
    case Measure::bindings_at_most: return count(f.bindings_most);
    case Measure::registers_at_most: return count(f.registers);
    case Measure::requests_at_most: return count(f.requests);
    case Measure::bans_at_most: return count(outcome.bans);
    case Measure::at_node: return f.node == expectation.node ? 1 : 0;
    }
    return 0;
}

void Run::judge(const Expectation& expectation, std::size_t actor, Findings& outcome) {
    const Window window{Internet::start + expectation.from,
                        Internet::start + expectation.to.value_or(scenario_.length)};
    const auto figures =
        figures_of(stage_.actors()[actor], recorder_.moments(actor), window, times_);
    Verdict verdict{.phone = stage_.actors()[actor].phone->name(),
                    .expectation = &expectation,
                    .window = {},
                    .seen = seen(expectation, figures, window, outcome),
                    .seen_node = figures.node,
                    .holds = false};
    if (expectation.from != Duration{} || expectation.to) verdict.window = window;
    const double limit = expectation.measure == Measure::at_node ? 1 : expectation.limit;
    switch (text_of(expectation.measure).comparison) {
    case Comparison::at_most: verdict.holds = verdict.seen <= limit + close_enough; break;
    case Comparison::at_least: verdict.holds = verdict.seen >= limit - close_enough; break;
    case Comparison::equal: verdict.holds = std::abs(verdict.seen - limit) <= close_enough; break;
    }
    outcome.verdicts.push_back(std::move(verdict));
}

void Run::judge(Findings& outcome) {
    for (const auto& expectation : scenario_.expectations)
        for (std::size_t i = 0; i < stage_.actors().size(); ++i) {
            const auto& actor = stage_.actors()[i];
            if (actor.preset == expectation.preset &&
                (expectation.phone.empty() || expectation.phone == actor.plan))
                judge(expectation, i, outcome);
        }
}

std::string Run::story() {
    std::string text;
    for (const auto& actor : stage_.actors()) text += actor.phone->event_log();
    return text + stage_.world().ladder();
}

Findings Run::run() {
    schedule();
    pass();
    Findings outcome{.preset = options_.preset, .seed = options_.seed};
    for (const auto& event : scenario_.events) outcome.events.push_back(label_of(event));
    outcome.hit = hit_;
    const Window all{Internet::start, Internet::start + scenario_.length};
    std::vector<Figures> figures;
    for (std::size_t i = 0; i < stage_.actors().size(); ++i) {
        const auto& actor = stage_.actors()[i];
        figures.push_back(figures_of(actor, recorder_.moments(i), all, times_));
        outcome.phones.push_back({actor.phone->name(), actor.preset, figures.back()});
    }
    outcome.total = together(figures);
    outcome.bans = stage_.bans();
    outcome.trace_hash = stage_.world().trace_hash();
    judge(outcome);
    if (!outcome.holds()) outcome.story = story();
    if (chronicler_)
        outcome.chronicle = std::make_shared<const Chronicle>(chronicler_->take(recorder_));
    return outcome;
}

}  // namespace

bool Findings::holds() const {
    return std::ranges::all_of(verdicts, [](const Verdict& verdict) { return verdict.holds; });
}

Findings run(const Scenario& scenario, const RunOptions& options) {
    return Run(scenario, options).run();
}

}  // namespace holdfast::lab::scenario
