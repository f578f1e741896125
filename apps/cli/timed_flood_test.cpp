// Ten thousand datagrams of rubbish a second at the real command: it stays registered, answers
// nobody, and pays in bounded time and memory (I8, design §11). How long: HOLDFAST_FLOOD_SECONDS,
// 15 if it is not set, for a binding of 12 s has to lapse within. docs/measured.md has the figures.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>

#include "apps/cli/command_testing.h"

namespace holdfast::cli {
namespace {

using testing::CommandRun;
using Clock = std::chrono::steady_clock;

constexpr double datagrams_per_second = 10'000;

struct Usage {
    double cpu_seconds = 0;  // user and system
    double resident_kib = 0;
};
Usage usage_of(pid_t pid) {
    Usage usage;
    const auto folder = "/proc/" + std::to_string(pid);
    std::string stat;
    std::getline(std::ifstream{folder + "/stat"} >> std::ws, stat);
    std::istringstream fields{stat.substr(stat.rfind(')') + 2)};
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;  // from the state (3) to utime (14)
    double user = 0;
    double system = 0;
    fields >> user >> system;
    usage.cpu_seconds = (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    double pages = 0;
    double resident = 0;
    std::ifstream{folder + "/statm"} >> pages >> resident;
    usage.resident_kib = resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1024;
    return usage;
}

// Datagrams that the kernel threw away because the socket's buffer was full.
std::size_t dropped_at(const sockaddr_in& address) {
    std::array<char, 8> wanted{};
    std::snprintf(wanted.data(), wanted.size(), ":%04X", ntohs(address.sin_port));
    std::ifstream table{"/proc/net/udp"};
    std::size_t dropped = 0;
    for (std::string line; std::getline(table, line);) {
        std::istringstream fields{line};
        std::string slot;
        std::string local;
        std::string last;
        fields >> slot >> local;
        for (std::string field; fields >> field;) last = field;
        if (local.ends_with(wanted.data())) dropped += std::stoul(last);
    }
    return dropped;
}

// Sends from an address of its own: 127.0.0.66 is no target of anybody.
class Flooder {
public:
    explicit Flooder(const char* address) : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in own{};
        own.sin_family = AF_INET;
        ::inet_pton(AF_INET, address, &own.sin_addr);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
    }
    Flooder(const Flooder&) = delete;
    Flooder& operator=(const Flooder&) = delete;
    ~Flooder() { ::close(fd_); }
    void send(const std::string& bytes, const sockaddr_in& to) const {
        ::sendto(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    [[nodiscard]] std::size_t answers() const {
        std::array<char, 65536> buffer{};
        std::size_t count = 0;
        while (::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT) >= 0) ++count;
        return count;
    }

private:
    int fd_;
};

// Octets of chance; valid SIP of strangers; SIP that breaks off; STUN.
std::string rubbish(std::mt19937& chance, std::size_t number) {
    const auto octets = [&](std::size_t size) {
        std::string bytes(size, '\0');
        for (auto& byte : bytes) byte = static_cast<char>(chance());
        return bytes;
    };
    const auto request = [&](const std::string& method) {
        const auto id = std::to_string(number);
        return method + " sip:alice@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.66:5060;branch=" +
               "z9hG4bK" + id + "\r\nMax-Forwards: 70\r\nFrom: <sip:x@y.test>;tag=" + id +
               "\r\nTo: <sip:alice@127.0.0.1>\r\nCall-ID: " + id + "\r\nCSeq: 1 " + method +
               "\r\nContact: <sip:x@127.0.0.66>\r\nUser-Agent: friendly-scanner\r\n" +
               "Content-Length: 0\r\n\r\n";
    };
    switch (number % 6) {
    case 0: return octets(chance() % 1200);
    case 1: return request("INVITE");
    case 2: return request("OPTIONS");
    case 3: return request("REGISTER").substr(0, 40 + chance() % 200);
    case 4: return std::string("\x00\x01\x00\x00\x21\x12\xa4\x42", 8) + octets(12);
    default: return "SIP/2.0 200 OK\r\n" + request("BYE").substr(36);
    }
}

std::size_t times_in(std::string_view text, std::string_view what) {
    std::size_t times = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
        ++times;
    return times;
}

// When the registrar's binding was renewed: a REGISTER with another CSeq than the last, for a copy
// renews nothing (RFC 3261 §10.3, step 7).
class Renewals {
public:
    void on_accepted(const std::string& request) {
        const auto cseq = testing::header_lines(request, "CSeq").at(0);
        if (!request.starts_with("REGISTER") || testing::Registrar::removes_all(request) ||
            std::exchange(last_, cseq) == cseq)
            return;
        at_.push_back(Clock::now());
    }
    // The longest time between two, and from the last one until `end`.
    [[nodiscard]] double longest_gap(Clock::time_point end) const {
        auto all = at_;
        all.push_back(end);
        std::chrono::duration<double> longest{};
        for (std::size_t i = 1; i < all.size(); ++i)
            longest = std::max<std::chrono::duration<double>>(longest, all[i] - all[i - 1]);
        return longest.count();
    }

private:
    std::vector<Clock::time_point> at_;
    std::string last_;
};

constexpr double granted_seconds = 12;

class TimedFlood : public testing::Bench {};

TEST_F(TimedFlood, TheRegistrationStaysAndNobodyIsAnswered) {
    const char* const asked = std::getenv("HOLDFAST_FLOOD_SECONDS");
    const std::chrono::seconds length{asked == nullptr ? 15 : std::atoi(asked)};
    ASSERT_GT(length.count(), granted_seconds)
        << "HOLDFAST_FLOOD_SECONDS is a number of seconds in which a binding lapses";
    sockaddr_in phone_address{};
    Renewals renewals;
    // So little is granted that refreshes fall into the flood.
    const auto expires = ";expires=" + std::to_string(static_cast<int>(granted_seconds));
    registrar.answer = [&](const std::string& request, const sockaddr_in& from) {
        phone_address = from;
        renewals.on_accepted(request);
        auto answer = testing::Registrar::accept(request, from);
        for (auto at = answer.find(";expires=300"); at != std::string::npos;
             at = answer.find(";expires=300"))
            answer.replace(at, 12, expires);
        return answer;
    };
    auto& run = phone({"--json"});
    ASSERT_TRUE(run_until([&] { return run.said("\"registered\""); })) << run.errors();
    // Told of when the 200 is there; a REGISTER alone may have been a repetition.
    const auto refreshes = [&] { return times_in(run.output(), "\"event\":\"refreshed\""); };

    run.forget_output();  // what follows is of the flood

    const Flooder stranger{"127.0.0.66"};
    const Flooder neighbour{"127.0.0.1"};  // the server's address, another port: (b) of §11
    std::mt19937 chance{1};
    std::size_t sent = 0;
    const auto before = usage_of(run.pid());
    const auto dropped_before = dropped_at(phone_address);
    const auto start = Clock::now();
    const auto flood = [&] {
        const std::chrono::duration<double> past = Clock::now() - start;
        const auto wanted = static_cast<std::size_t>(past.count() * datagrams_per_second);
        // When the host had no time for us, what was missed is made up by and by, and not in one
        // burst, which no socket's buffer holds: a turn of the loop takes 20 ms at most.
        constexpr std::size_t burst_most = 300;
        for (auto left = std::min(wanted - sent, burst_most); left > 0; --left, ++sent)
            // One in sixty from where requests are taken from, but nothing that is one.
            if (sent % 60 == 0)
                neighbour.send(rubbish(chance, 0), phone_address);
            else
                stranger.send(rubbish(chance, sent), phone_address);
        return past >= length || run.ended();
    };
    ASSERT_TRUE(run_until(flood, length + std::chrono::seconds{30}));
    const auto after = usage_of(run.pid());
    const auto longest_gap = renewals.longest_gap(Clock::now());
    ASSERT_FALSE(run.ended()) << run.output() << run.errors();

    const double cpu = after.cpu_seconds - before.cpu_seconds;
    const double grown = after.resident_kib - before.resident_kib;
    const auto dropped = dropped_at(phone_address) - dropped_before;
    const double microseconds = cpu * 1e6 / static_cast<double>(sent - dropped);
    std::printf(
        "flood: %zu datagrams in %lld s, %zu of them lost in the kernel, %.2f s of CPU, "
        "%.1f us a datagram, %+.0f KiB, %.1f s between two renewals at most\n",
        sent, static_cast<long long>(length.count()), dropped, cpu, microseconds, grown,
        longest_gap);
    const double promised = datagrams_per_second * static_cast<double>(length.count());
    EXPECT_GE(static_cast<double>(sent), 0.9 * promised) << "too few were sent to tell anything";
    // The kernel drops what finds the buffer full while the command waits for a core: 9 to 17 %
    // were seen with 15 processes a core (docs/measured.md). Half of the flood is still a flood.
    EXPECT_GE(static_cast<double>(sent - dropped), 0.5 * static_cast<double>(sent))
        << "too few arrived to tell anything";
    // 4 were measured, 15 beside compilers on every core.
    EXPECT_LE(microseconds, 30) << "a third of a core at this rate";
    EXPECT_LE(grown, 4 * 1024);
    EXPECT_EQ(stranger.answers() + neighbour.answers(), 0u);
    // The registrar has had the binding all along (B4): of 12 s about 6 pass until the next
    // renewal.
    EXPECT_LE(longest_gap, granted_seconds) << run.output();
    EXPECT_GE(refreshes(), std::max<std::size_t>(1, static_cast<std::size_t>(length.count() / 8)))
        << run.output();
    EXPECT_FALSE(run.said("\"event\":\"ring\"")) << run.output();
    // A kernel that throws datagrams away throws answers away, too: then doubt is right, and when
    // it was many, another server.
    if (dropped == 0) {
        EXPECT_FALSE(run.said("\"event\":\"suspect\"")) << run.output();
    }
    const bool few_are_lost = dropped * 100 <= sent;
    std::printf("flood: %s\n", few_are_lost ? "no doubt, no other server, no wait was allowed"
                                            : "with so many lost a doubt was allowed");
    EXPECT_FALSE(run.said("\"event\":\"unregistered\"")) << run.output();
    if (few_are_lost) {
        for (const auto* event : {"flow_lost", "waiting"})
            EXPECT_FALSE(run.said("\"event\":\"" + std::string(event) + "\"")) << run.output();
    }

    run.signal(SIGTERM);
    ASSERT_TRUE(run_until([&] { return run.ended(); })) << run.errors();
    EXPECT_EQ(run.exit_code(), 0) << run.output() << run.errors();
}

}  // namespace
}  // namespace holdfast::cli
