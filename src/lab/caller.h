// Somebody who calls the AOR again and again, through any node that is alive, and notes whether it
// rings: the measure of "reachable" (design §1), and of the time without it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lab/cluster.h"
#include "lab/internet.h"
#include "sip/message.h"

namespace holdfast::lab {

enum class CallKind : std::uint8_t {
    invite,   // rings, then hangs up
    options,  // asks for an answer of the phone itself: light enough for four a second
};

struct CallerOptions {
    std::string aor = "sip:alice@example.test";
    CallKind kind = CallKind::options;
    Duration every = std::chrono::milliseconds(250);
    Duration patience = std::chrono::seconds(4);  // then the call is lost
    Duration rings_for = std::chrono::seconds(1);
    bool every_node = false;  // each call through all live nodes in turn, else the first
    std::string address{};    // the world chooses
};

struct Call {
    Instant at;
    std::optional<Duration> reached{};  // so long after the call began; nothing: never
    int status = 0;                     // of the final answer, if any came
    std::string via_node{};
    std::size_t rang_at = 0;  // so many phones, or bindings of one (To tags)
};

class Caller : public Node {
public:
    Caller(Internet& internet, Cluster& cluster, CallerOptions options);

    static constexpr std::string_view uri = "sip:caller@caller.test";  // in From

    void start();
    void stop() { ++generation_; }
    void receive(const Packet& packet) override;

    [[nodiscard]] const std::vector<Call>& calls() const { return calls_; }
    [[nodiscard]] const CallerOptions& options() const { return options_; }
    [[nodiscard]] std::size_t reached() const;
    [[nodiscard]] std::size_t lost() const;  // those whose patience is over
    // Time without reachability: from the last call that got through (or the start) to the next
    // that did (or now), if one between them was lost. The longest, and all of them together.
    [[nodiscard]] Duration longest_gap() const;
    [[nodiscard]] Duration all_gaps() const;
    // Since an instant: when the first call after the last lost one got through. Nothing: none was
    // lost.
    [[nodiscard]] std::string text() const;

private:
    struct Open {
        std::size_t call = 0;
        Endpoint node{};
        std::string text{};
        std::string branch{};
        std::string to{};                           // of the last answer, with its tag
        std::set<std::string, std::less<>> tags{};  // of those that ring
        bool provisional = false;
        bool final = false;
        bool cancelled = false;
    };
    void call_now();
    void again(const std::string& id, Duration interval);
    void hang_up(const std::string& id);
    Registrar* next_node();
    std::string request(const std::string& id, const Open& open, std::string_view method) const;
    void send(const Open& open, std::string text);
    [[nodiscard]] std::vector<Duration> gaps() const;

    Internet& internet_;
    Cluster& cluster_;
    CallerOptions options_;
    Endpoint local_;
    Instant started_{};
    std::uint64_t generation_ = 0;
    std::uint64_t count_ = 0;
    std::size_t turn_ = 0;
    std::vector<Call> calls_;
    std::map<std::string, Open> open_;  // by Call-ID
};

}  // namespace holdfast::lab
