// Mixed SIP traffic for benches. Repeating one message trains the branch predictor and flatters
// everyone: believe this.
#pragma once

#include <array>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::bench {

// The five messages of tests/data/messages, by which figures are compared.
constexpr std::array<std::string_view, 5> message_names = {
    "a_register.sip", "b_401.sip", "c_200_register.sip", "d_invite.sip", "e_notify.sip"};

// One of them, as it is on the wire; "" if it cannot be read.
std::string read_message(std::string_view name);
// One of RFC 4475's (tests/data/rfc4475), by its name there; "" if it cannot be read.
std::string read_torture(std::string_view name);

// 2,000 messages that are all different: the five as patterns, every token, number and address
// redrawn, header order shuffled (Via among themselves keep theirs). Same seed, same traffic.
class Traffic {
public:
    Traffic();
    [[nodiscard]] const std::vector<std::string>& messages() const { return messages_; }
    [[nodiscard]] double mean_bytes() const;

private:
    std::size_t below(std::size_t limit);
    std::string redraw(std::string line);
    std::string vary(const std::string& pattern);

    std::mt19937_64 random_{2026};
    std::vector<std::string> messages_;
};

}  // namespace holdfast::bench
