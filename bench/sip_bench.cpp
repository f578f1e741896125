// What SIP text costs: parsing each of the five messages, mixed traffic, printing; and that steady
// state allocates nothing. Repeating one message trains the branch predictor and flatters everyone:
// believe "mixed". The parsers of others that were found run beside ours, on the same traffic, turn
// by turn, so that whatever else the machine does hits both.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "bench/allocations.h"
#include "bench/peers/peers.h"
#include "bench/register_text.h"
#include "bench/traffic.h"
#include "sip/message.h"

namespace {

using holdfast::bench::allocations;
using holdfast::bench::message_names;
using holdfast::bench::Traffic;
using holdfast::sip::Message;

void parse(benchmark::State& state, std::string_view name) {
    const std::string text = holdfast::bench::read_message(name);
    Message message;
    if (!message.reparse(text)) return state.SkipWithError("does not parse");
    const auto before = allocations();
    for (auto _ : state) benchmark::DoNotOptimize(message.reparse(text));
    if (allocations() != before) state.SkipWithError("allocates in steady state");
    state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations() - before),
                                                       benchmark::Counter::kAvgIterations);
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                            static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(parse, a_register, message_names[0]);
BENCHMARK_CAPTURE(parse, b_401, message_names[1]);
BENCHMARK_CAPTURE(parse, c_200, message_names[2]);
BENCHMARK_CAPTURE(parse, d_invite, message_names[3]);
BENCHMARK_CAPTURE(parse, e_notify, message_names[4]);

void mixed_traffic(benchmark::State& state) {
    const Traffic traffic;
    Message message;
    for (const auto& text : traffic.messages())
        if (!message.reparse(text)) return state.SkipWithError("does not parse");
    const auto before = allocations();
    std::size_t parsed = 0;
    for (auto _ : state) {
        for (const auto& text : traffic.messages()) benchmark::DoNotOptimize(message.reparse(text));
        parsed += traffic.messages().size();
    }
    const auto count = static_cast<double>(parsed);
    state.counters["time/message"] =
        benchmark::Counter(count, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["allocations/message"] = static_cast<double>(allocations() - before) / count;
    state.counters["mean_bytes"] = traffic.mean_bytes();
}
BENCHMARK(mixed_traffic)->Unit(benchmark::kMillisecond);

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double median(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, middle);
    return *middle;
}

// Turn by turn: the traffic once through ours, once through theirs. The medians of what one turn
// took, and of the turns' ratios.
void mixed_traffic_beside(benchmark::State& state, const holdfast::bench::Peer& peer) {
    const Traffic traffic;
    Message message;
    for (const auto& text : traffic.messages())
        if (!message.reparse(text) || !peer.parse(text))
            return state.SkipWithError("a message is refused");
    std::vector<double> ours;
    std::vector<double> theirs;
    std::vector<double> ratios;
    for (auto _ : state) {
        const auto begin = cpu_seconds();
        for (const auto& text : traffic.messages()) benchmark::DoNotOptimize(message.reparse(text));
        const auto middle = cpu_seconds();
        for (const auto& text : traffic.messages()) benchmark::DoNotOptimize(peer.parse(text));
        const auto end = cpu_seconds();
        ours.push_back(middle - begin);
        theirs.push_back(end - middle);
        ratios.push_back((middle - begin) / (end - middle));
    }
    const auto ns = 1e9 / static_cast<double>(traffic.messages().size());
    state.counters["holdfast_ns"] = ns * median(ours);
    state.counters["peer_ns"] = ns * median(theirs);
    state.counters["ratio"] = median(ratios);
}

// What a benchmark says for itself, --benchmark_min_time does not change: hence a variable.
double seconds_beside() {
    const char* const asked = std::getenv("HOLDFAST_BENCH_SECONDS");
    return asked != nullptr ? std::strtod(asked, nullptr) : 2.0;
}

const bool with_peers = [] {
    for (const auto& peer : holdfast::bench::peers())
        benchmark::RegisterBenchmark(
            std::string("mixed_traffic_beside/").append(peer.name).c_str(),
            [&peer](benchmark::State& state) { mixed_traffic_beside(state, peer); })
            ->Unit(benchmark::kMillisecond)
            ->MinTime(seconds_beside());
    return !holdfast::bench::peers().empty();
}();

void print_register(benchmark::State& state) {
    std::string out;
    out.reserve(2'048);
    const auto before = allocations();
    for (auto _ : state) {
        holdfast::bench::write_register(out);
        benchmark::DoNotOptimize(out.data());
    }
    state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations() - before),
                                                       benchmark::Counter::kAvgIterations);
}
BENCHMARK(print_register);

}  // namespace
