// What a page shows of a run's messages: the ladder's lines as data, whole, with the names that
// their hosts had then, and what DNS answered. Nobody keeps one unless a page was asked for.
//
// Bounded, however long the run: it is cut into chapters, which begin with the start and with each
// event of the scenario, and of each chapter the first so many lines are kept, because what follows
// an event is what somebody wants to see of it. What one chapter leaves unspent the later ones may
// have. Where lines are left out there is a line that counts them.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/dns.h"
#include "base/time.h"
#include "lab/packet.h"

namespace holdfast::lab {

// What a line is about; a page folds away all but the first.
enum class About : std::uint8_t {
    signalling,  // of phones and servers, and connections that begin and end
    call,        // a caller's request and its answers
    keep_alive,  // line ends, zeros, STUN
    segment,     // SYN-ACK and ACK: nobody misses them unless they are lost
};
std::string_view name_of(About about);

struct TranscriptLine {
    std::size_t number = 0;  // of the ladder; rising
    Instant at{};
    About about = About::signalling;
    std::string from{};  // names; an endpoint's text if it has none
    std::string to{};
    Packet packet{};
    std::optional<Endpoint> inside{};  // to whom a NAT handed it on
    std::string_view fate{};           // "": it arrived
    std::string note{};                // no packet: an event
    bool is_gap = false;               // no packet: so much is left out from here on
    std::size_t left_out = 0;          // signalling
    std::size_t left_out_routine = 0;  // the rest
};

struct TranscriptAnswer {
    Instant at{};  // when the phone had it
    std::string phone{};
    dns::Question question{};
    dns::Answer answer{};
};

struct TranscriptOptions {
    std::size_t signalling_most = 2000;  // lines, notes among them
    std::size_t routine_most = 1000;     // lines
    std::size_t answers_most = 500;      // of DNS, the first ones
    std::vector<Instant> chapters{};     // when each but the first begins; rising
};

class Transcript {
public:
    explicit Transcript(TranscriptOptions options);

    void record(std::size_t number, Instant at, const Packet& packet, std::string from,
                std::string to);
    void fate(std::size_t number, std::string_view what);
    void handed_on(std::size_t number, const Endpoint& inside, std::string to);
    void note(std::size_t number, Instant at, std::string text);
    void answer(TranscriptAnswer answer);

    [[nodiscard]] const std::deque<TranscriptLine>& lines() const { return lines_; }
    [[nodiscard]] const std::vector<TranscriptAnswer>& answers() const { return answers_; }
    [[nodiscard]] std::size_t answers_left_out() const { return answers_left_out_; }

private:
    struct Budget {
        std::size_t left = 0;     // of the run
        std::size_t chapter = 0;  // of this chapter
        bool take();
    };
    void begin_chapters(Instant now);
    void leave_out(std::size_t number, Instant at, bool is_routine);
    TranscriptLine* find(std::size_t number);

    TranscriptOptions options_;
    std::size_t chapter_ = 0;
    Budget signalling_;
    Budget routine_;
    std::deque<TranscriptLine> lines_;
    std::optional<std::size_t> gap_;  // in lines_, of this chapter
    std::vector<TranscriptAnswer> answers_;
    std::size_t answers_left_out_ = 0;
};

}  // namespace holdfast::lab
