// What SIP text costs: parsing each of the five messages, mixed traffic, printing; and that steady
// state allocates nothing. Repeating one message trains the branch predictor and flatters everyone:
// believe "mixed".
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "sip/message.h"
#include "sip/writer.h"

namespace {

std::size_t allocations = 0;

}  // namespace

// Counts every allocation of the program.
__attribute__((noinline)) void* operator new(std::size_t size) {
    ++allocations;
    // This is the allocator: NOLINTNEXTLINE(cppcoreguidelines-no-malloc)
    if (void* memory = std::malloc(size)) return memory;
    std::abort();
}
__attribute__((noinline)) void operator delete(void* memory) noexcept {
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): this is the allocator
}
__attribute__((noinline)) void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): this is the allocator
}

namespace {

using namespace holdfast::sip;

std::string read(std::string_view name) {
    std::ifstream file(std::string(HOLDFAST_TEST_DATA "/messages/").append(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

constexpr std::array<std::string_view, 5> names = {
    "a_register.sip", "b_401.sip", "c_200_register.sip", "d_invite.sip", "e_notify.sip"};

void parse(benchmark::State& state, std::string_view name) {
    const std::string text = read(name);
    Message message;
    if (!message.reparse(text)) return state.SkipWithError("does not parse");
    const auto before = allocations;
    for (auto _ : state) benchmark::DoNotOptimize(message.reparse(text));
    if (allocations != before) state.SkipWithError("allocates in steady state");
    state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations - before),
                                                       benchmark::Counter::kAvgIterations);
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                            static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(parse, a_register, names[0]);
BENCHMARK_CAPTURE(parse, b_401, names[1]);
BENCHMARK_CAPTURE(parse, c_200, names[2]);
BENCHMARK_CAPTURE(parse, d_invite, names[3]);
BENCHMARK_CAPTURE(parse, e_notify, names[4]);

// 2,000 messages that are all different: the five as patterns, every token, number and address
// redrawn, header order shuffled (Via among themselves keep theirs). Same seed, same traffic.
class Traffic {
public:
    Traffic() {
        std::vector<std::string> patterns;
        patterns.reserve(names.size());
        for (const auto name : names) patterns.push_back(read(name));
        for (int i = 0; i < 2'000; ++i) messages_.push_back(vary(patterns[below(patterns.size())]));
        for (const auto& message : messages_) bytes_ += message.size();
    }
    [[nodiscard]] const std::vector<std::string>& messages() const { return messages_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

private:
    std::size_t below(std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }

    static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

    // Digits become other digits; the letters of identifiers that mix both become other letters.
    std::string redraw(std::string line) {
        const auto colon = line.find(':');
        const bool identifier =
            line.starts_with("Call-ID") || line.starts_with("Via") || line.starts_with("WWW");
        for (std::size_t i = colon == std::string::npos ? line.size() : colon + 1; i < line.size();
             ++i) {
            const bool keep = line.compare(i, 3, "2.0") == 0;
            if (keep) i += 3;
            if (i >= line.size()) break;
            if (line[i] >= '1' && line[i] <= '4') line[i] = static_cast<char>('1' + below(4));
        }
        if (const auto branch = line.find("z9hG4bK"); branch != std::string::npos)
            for (std::size_t i = branch + 7; i < line.size() && line[i] != ';'; ++i)
                if (is_letter(line[i])) line[i] = static_cast<char>('a' + below(26));
        if (identifier && line.starts_with("Call-ID"))
            line.append(std::string(below(24), static_cast<char>('a' + below(26))));
        return line;
    }

    std::string vary(const std::string& pattern) {
        const auto head_end = pattern.find("\r\n\r\n");
        const auto first_end = pattern.find("\r\n");
        std::vector<std::string> vias;
        std::vector<std::string> others;
        std::string length;
        for (auto at = first_end + 2; at < head_end + 2;) {
            const auto end = pattern.find("\r\n", at);
            auto line = pattern.substr(at, end - at);
            at = end + 2;
            if (line.starts_with("Content-Length"))
                length = line;
            else
                (line.starts_with("Via") ? vias : others).push_back(redraw(std::move(line)));
        }
        if (below(2) == 0)
            others.push_back("P-Charging-Vector: icid-value=" + std::to_string(random_()));
        if (below(2) == 0) others.push_back("X-Serial: " + std::to_string(below(1'000'000)));
        others.push_back(length);
        std::shuffle(others.begin(), others.end(), random_);
        std::string text = pattern.substr(0, first_end + 2);
        auto next_via = vias.begin();
        for (const auto& line : others) {
            while (next_via != vias.end() && below(3) == 0) text.append(*next_via++).append("\r\n");
            text.append(line).append("\r\n");
        }
        while (next_via != vias.end()) text.append(*next_via++).append("\r\n");
        return text.append(pattern.substr(head_end + 2));
    }

    std::mt19937_64 random_{2026};
    std::vector<std::string> messages_;
    std::size_t bytes_ = 0;
};

void mixed_traffic(benchmark::State& state) {
    const Traffic traffic;
    Message message;
    for (const auto& text : traffic.messages())
        if (!message.reparse(text)) return state.SkipWithError("does not parse");
    const auto before = allocations;
    std::size_t parsed = 0;
    for (auto _ : state) {
        for (const auto& text : traffic.messages()) benchmark::DoNotOptimize(message.reparse(text));
        parsed += traffic.messages().size();
    }
    const auto count = static_cast<double>(parsed);
    state.counters["time/message"] =
        benchmark::Counter(count, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["allocations/message"] = static_cast<double>(allocations - before) / count;
    state.counters["mean_bytes"] =
        static_cast<double>(traffic.bytes()) / static_cast<double>(traffic.messages().size());
}
BENCHMARK(mixed_traffic)->Unit(benchmark::kMillisecond);

void print_register(benchmark::State& state) {
    std::string out;
    out.reserve(2'048);
    const auto before = allocations;
    for (auto _ : state) {
        out.clear();
        Writer writer(out);
        writer.request_line(Method::register_, "sip:pbx.example.com");
        writer.via({.transport = "UDP",
                    .sent_by = "192.168.1.23:5060",
                    .branch = "z9hG4bKPjkq3Rz0bV7mT2hYwXcLd8nFaGpQ1sE6uJ"});
        writer.max_forwards(70);
        writer.from("Alice Example", "sip:1001@pbx.example.com", "Zt4kX9wLq2HnVb7e");
        writer.to("Alice Example", "sip:1001@pbx.example.com", {});
        writer.call_id("7fK2mQxP0dR9sTbYwZ4hLcVn3aEgJu6i");
        writer.cseq(41234, Method::register_);
        writer.header(HeaderName::user_agent, "ExampleUA/1.0 (Linux x86_64)");
        writer.contact(
            "sip:1001@192.168.1.23:5060;ob",
            ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";reg-id=1");
        writer.header(HeaderName::expires, 300U);
        writer.header(HeaderName::supported, "path, outbound, gruu");
        writer.header(HeaderName::allow,
                      "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, REFER, NOTIFY, INFO");
        writer.finish();
        benchmark::DoNotOptimize(out.data());
    }
    state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations - before),
                                                       benchmark::Counter::kAvgIterations);
}
BENCHMARK(print_register);

}  // namespace
