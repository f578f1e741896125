// Instructions per message, repeatable: the measured calls stand in functions of their own, which
// callgrind counts and nothing else. tools/bench-instructions runs this and prints the figures.
//
//     sip_instructions_bench PARSER MESSAGE     1,000 parses; MESSAGE is the first letter of its
//                                               file's name, PARSER holdfast, sofia_sip, osip2
//                                               or libre
//     sip_instructions_bench PARSER print       1,000 REGISTERs printed
//     sip_instructions_bench allocations        how often 1,000 of each of ours allocate
//     sip_instructions_bench bytes              how long each message is
//     sip_instructions_bench PARSER torture     how many of RFC 4475's it takes of the 27 that it
//                                               must, and refuses of the 12; the names of the
//                                               others
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
#include "bench/torture.h"
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

std::string print_rounds() {
    std::string out;
    for (int i = 0; i < rounds; ++i) holdfast_print(out);
    return out;
}

// Others may write a header another way: their REGISTER must be one of the same length or nearly.
bool is_the_register(const std::string& printed, bool ours) {
    const auto wanted = holdfast::bench::read_message("a_register.sip");
    const bool right =
        ours ? printed == wanted
             : printed.starts_with("REGISTER ") && printed.size() + 30 > wanted.size();
    if (!right)
        std::fprintf(stderr, "the printed REGISTER is not the one in the file:\n%s",
                     printed.c_str());
    return right;
}

bool print_torture(const Parse& takes) {
    const auto count = holdfast::bench::count_torture(takes);
    std::printf("%zu %zu", count.taken, count.refused);
    for (const auto& name : count.wrong) std::printf(" %s", name.c_str());
    std::puts("");
    return true;
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

bool run_ours(std::string_view what) {
    holdfast::sip::Message message;
    if (what == "print") return is_the_register(print_rounds(), true);
    const Parse parse = [&](std::string_view text) { return holdfast_parse(message, text); };
    return what == "torture" ? print_torture(parse) : parse_all(parse, what);
}

bool run_theirs(const holdfast::bench::Peer& peer, std::string_view what) {
    if (what == "print")
        return is_the_register(peer.print(holdfast::bench::read_message("a_register.sip"), rounds),
                               false);
    return what == "torture" ? print_torture(peer.takes) : parse_all(peer.parse, what);
}

bool run_all() {
    bool sound = run_ours("") && run_ours("print");
    for (const auto& peer : holdfast::bench::peers())
        sound = run_theirs(peer, "") && run_theirs(peer, "print") && sound;
    return sound;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view which = count > 1 ? arguments[1] : "";
    const std::string_view what = count > 2 ? arguments[2] : "";
    if (which == "allocations") return print_allocations() ? 0 : 1;
    if (which == "peers" || which == "bytes") {
        if (which == "peers")
            for (const auto& peer : holdfast::bench::peers()) std::puts(peer.name.data());
        else
            for (const auto name : holdfast::bench::message_names)
                std::printf("%zu\n", holdfast::bench::read_message(name).size());
        return 0;
    }
    const auto* peer = holdfast::bench::find_peer(which);
    const bool known = which.empty() || which == "holdfast" || peer != nullptr;
    const bool sound = known && (which.empty()     ? run_all()
                                 : peer != nullptr ? run_theirs(*peer, what)
                                                   : run_ours(what));
    if (!sound) std::fprintf(stderr, "no such parser or message, or it was refused\n");
    return sound ? 0 : 1;
}
