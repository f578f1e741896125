// Two sides that negotiate, for tests.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sdp/negotiation.h"

namespace holdfast::sdp::testing_sdp {

inline LocalStream audio(std::string_view address, std::uint16_t port, std::vector<Codec> codecs) {
    LocalStream stream;
    stream.rtp = {*IpAddress::parse(address), port};
    stream.codecs = std::move(codecs);
    return stream;
}

struct Pair {
    std::vector<LocalStream> alice{};
    std::vector<LocalStream> bob{};
    NegotiationOptions bob_options{};
    Negotiation ours{{.session_id = "11"}};
    Negotiation theirs{{.session_id = "22"}};

    // alice offers, bob answers. "" if both agree, else the problem.
    std::string call() {
        if (!theirs.agreement()) theirs = Negotiation{bob_options};
        return exchange(ours, alice, theirs, bob);
    }
    std::string call_back() { return exchange(theirs, bob, ours, alice); }
    [[nodiscard]] const AgreedStream& of_alice() const { return ours.agreement()->streams.front(); }
    [[nodiscard]] const AgreedStream& of_bob() const { return theirs.agreement()->streams.front(); }

private:
    static std::string exchange(Negotiation& offerer, const std::vector<LocalStream>& offered,
                                Negotiation& answerer, const std::vector<LocalStream>& wanted) {
        const auto answer = answerer.on_offer(offerer.make_offer(offered), wanted);
        if (!answer) {
            offerer.withdraw();
            return std::to_string(answer.error().status) + " " + answer.error().words;
        }
        const auto read = offerer.on_answer(*answer);
        return read ? "" : std::to_string(read.error().status) + " " + read.error().words;
    }
};

}  // namespace holdfast::sdp::testing_sdp
