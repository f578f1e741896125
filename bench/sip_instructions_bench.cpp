// Instructions per message, repeatable: the measured calls stand in functions of their own, which
// callgrind counts and nothing else. tools/bench-instructions runs this and prints the figures.
//
//     sip_instructions_bench PARSER MESSAGE     1,000 parses; PARSER is holdfast, sofia_sip or
//     osip2,
//                                               MESSAGE the first letter of its file's name
//     sip_instructions_bench print              1,000 REGISTERs printed
//     sip_instructions_bench allocations        how often 1,000 of each of ours allocate
//     sip_instructions_bench peers              the other parsers that are built in
//
// Without an argument it checks that all of it works, and prints nothing.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/allocations.h"
#include "bench/peers/peers.h"
#include "bench/register_text.h"
#include "bench/traffic.h"
#include "sip/message.h"

extern "C" __attribute__((noinline)) bool holdfast_parse(holdfast::sip::Message& message,
                                                         std::string_view text) {
    return message.reparse(text).has_value();
}

extern "C" __attribute__((noinline)) void holdfast_print(std::string& out) {
    holdfast::bench::write_register(out);
}

namespace {

constexpr int rounds = 1'000;

using Parse = std::function<bool(std::string_view)>;

// False: a message is refused, or there is none of this name.
bool parse_all(const Parse& parse, std::string_view which) {
    bool any = false;
    for (const auto name : holdfast::bench::message_names) {
        if (!name.starts_with(which)) continue;
        any = true;
        const std::string text = holdfast::bench::read_message(name);
        for (int i = 0; i < rounds; ++i)
            if (!parse(text)) return false;
    }
    return any;
}

bool print_all() {
    std::string out;
    for (int i = 0; i < rounds; ++i) holdfast_print(out);
    const bool right = out == holdfast::bench::read_message("a_register.sip");
    if (!right)
        std::fprintf(stderr, "the printed REGISTER is not the one in the file:\n%s", out.c_str());
    return right;
}

bool print_allocations() {
    holdfast::sip::Message message;
    std::vector<std::string> texts;
    texts.reserve(holdfast::bench::message_names.size());
    for (const auto name : holdfast::bench::message_names)
        texts.push_back(holdfast::bench::read_message(name));
    std::string out;
    bool sound = true;
    const auto once = [&] {  // the first time through it finds its sizes
        for (const auto& text : texts) sound = holdfast_parse(message, text) && sound;
        holdfast_print(out);
    };
    once();
    const auto before = holdfast::bench::allocations();
    for (int i = 0; i < rounds; ++i) once();
    std::printf("%zu\n", holdfast::bench::allocations() - before);
    return sound;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view which = count > 1 ? arguments[1] : "";
    const std::string_view letter = count > 2 ? arguments[2] : "";
    if (which == "print") return print_all() ? 0 : 1;
    if (which == "allocations") return print_allocations() ? 0 : 1;
    if (which == "peers") {
        for (const auto& peer : holdfast::bench::peers()) std::puts(peer.name.data());
        return 0;
    }
    holdfast::sip::Message message;
    bool sound = true;
    bool known = which.empty() || which == "holdfast";
    if (known)
        sound =
            parse_all([&](std::string_view text) { return holdfast_parse(message, text); }, letter);
    for (const auto& peer : holdfast::bench::peers())
        if (which.empty() || which == peer.name) {
            known = true;
            sound = parse_all(peer.parse, letter) && sound;
        }
    if (which.empty()) sound = print_all() && sound;
    if (!known || !sound) std::fprintf(stderr, "no such parser or message, or it was refused\n");
    return known && sound ? 0 : 1;
}
