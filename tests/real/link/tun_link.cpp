// A bad cable between two network namespaces: two TUN devices, and between them the lab's link.
//
//   tun_link FD NAME FD NAME [--delay-ms N] [--jitter-ms N] [--loss SHARE] [--duplication SHARE]
//            [--reorder SHARE] [--seed N] [--most N]
//
// FD is an inherited descriptor of a network namespace (/proc/…/ns/net), NAME the device that is
// made there. Delay and jitter are of one way; shares are 0 to 1, of each direction; --most is how
// many packets may be on the way. Prints "ready" when both devices are there: they are to be given
// addresses and set up then. SIGTERM or SIGINT ends it, and the devices with it; the last line is
// what became of the packets, as JSON. Exit codes: 0 ended as asked, 1 the system refused
// something, 2 the words were wrong.
#include <charconv>
#include <csignal>
#include <cstring>
#include <expected>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"
#include "runtime/loop.h"
#include "tests/real/link/carrier.h"
#include "tests/real/link/tun.h"

namespace {

using namespace holdfast;

constexpr int system_refused = 1;
constexpr int wrong_words = 2;

struct Words {
    struct Side {
        int name_space = -1;
        std::string device;
    };
    std::array<Side, 2> sides;
    real::Carrier::Options options{.link = {.one_way_delay = {}}};
    std::uint64_t seed = 1;
};

template <class Number>
std::optional<Number> number_of(std::string_view text) {
    Number value{};
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc{} || result.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

// Whether the value is one of its option; nothing is changed otherwise.
bool apply(Words& words, std::string_view option, std::string_view value) {
    constexpr double longest_ms = 60'000;
    auto& link = words.options.link;
    const auto duration = [&](Duration& field) {
        const auto ms = number_of<double>(value);
        if (!ms || !(*ms >= 0 && *ms <= longest_ms)) return false;
        field = scaled(std::chrono::milliseconds(1), *ms);
        return true;
    };
    const auto share = [&](double& field) {
        const auto given = number_of<double>(value);
        if (!given || !(*given >= 0 && *given <= 1)) return false;
        field = *given;
        return true;
    };
    const auto count = [&](auto& field, std::uint64_t least, std::uint64_t most) {
        const auto given = number_of<std::uint64_t>(value);
        if (!given || *given < least || *given > most) return false;
        field = *given;
        return true;
    };
    if (option == "--delay-ms") return duration(link.one_way_delay);
    if (option == "--jitter-ms") return duration(link.jitter);
    if (option == "--loss") return share(link.loss);
    if (option == "--duplication") return share(link.duplication);
    if (option == "--reorder") return share(link.reorder);
    if (option == "--seed") return count(words.seed, 0, UINT64_MAX);
    if (option == "--most") return count(words.options.most_on_the_way, 1, 50'000);
    return false;
}

std::expected<Words, std::string> read(std::span<char*> arguments) {
    Words words;
    if (arguments.size() < 4 || arguments.size() % 2 != 0)
        return std::unexpected("FD NAME FD NAME and then pairs of option and value are needed");
    for (std::size_t i = 0; i < 2; ++i) {
        const auto name_space = number_of<int>(arguments[2 * i]);
        if (!name_space) return std::unexpected(std::string(arguments[2 * i]) + " is no number");
        words.sides[i] = {*name_space, arguments[2 * i + 1]};
    }
    for (std::size_t i = 4; i < arguments.size(); i += 2)
        if (!apply(words, arguments[i], arguments[i + 1]))
            return std::unexpected(std::string(arguments[i]) + " " + arguments[i + 1] +
                                   ": no such option, or not a value of it");
    return words;
}

std::string text_of(const real::Counts& counts) {
    return nlohmann::json{{"taken", counts.taken},         {"lost", counts.lost},
                          {"doubled", counts.doubled},     {"overflowed", counts.overflowed},
                          {"delivered", counts.delivered}, {"undelivered", counts.undelivered}}
        .dump();
}

int run(const Words& words) {
    std::array<runtime::Descriptor, 2> devices;
    for (std::size_t i = 0; i < 2; ++i) {
        auto device = real::open_tun(words.sides[i].name_space, words.sides[i].device);
        if (!device) {
            std::cerr << "tun_link: " << device.error() << '\n';
            return system_refused;
        }
        devices[i] = *std::move(device);
    }
    runtime::Loop loop;
    int code = 0;
    real::Carrier carrier(
        loop, std::move(devices), seed_from_number(words.seed), words.options, [&](int error) {
            std::cerr << "tun_link: a device is gone: " << std::strerror(error) << '\n';
            code = system_refused;
            loop.stop();
        });
    loop.on_signals(std::array{SIGTERM, SIGINT}, [&](int) { loop.stop(); });
    std::cout << "ready" << std::endl;
    loop.run();
    std::cout << text_of(carrier.counts()) << std::endl;
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    const auto words = read(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
    if (!words) {
        std::cerr << "tun_link: " << words.error()
                  << " (the head of tests/real/link/tun_link.cpp)\n";
        return wrong_words;
    }
    return run(*words);
}
