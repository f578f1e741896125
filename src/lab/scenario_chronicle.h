// What a page draws of a run besides its figures: when each phone could be reached, the bindings
// that the location services had of it and whether they led anywhere, its calls, and the transcript
// of the messages. Kept only when it is asked for (RunOptions::chronicle_lines), and bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "lab/scenario_record.h"
#include "lab/transcript.h"

namespace holdfast::lab::scenario {

enum class Reach : std::uint8_t { no, off, yes };  // off: switched off, asleep or unplugged
struct ReachFrom {
    Instant at{};
    Reach reach = Reach::off;
};

enum class BindingState : std::uint8_t {
    current,  // a call through it arrives
    stale,    // a server that answers sends calls along it, and they get nowhere
    mute,     // no server that answers has it
};
struct BindingStateFrom {
    Instant at{};
    BindingState state = BindingState::current;
};

// A binding from its first REGISTER until it is gone: refreshes along the same way change nothing.
struct BindingSpan {
    std::string contact{};
    Hop way{};           // remote: the public address and port that the server sees
    std::string node{};  // where its REGISTER came in
    Instant from{};
    Instant to{};
    bool lasts = false;    // to the end
    bool ran_out = false;  // nobody removed or replaced it
    std::vector<BindingStateFrom> states{};
};

// One call; or, where there are too many of them, all that began between two moments.
struct CallsOf {
    Instant at{};
    Duration during{};  // 0: one call
    std::size_t calls = 1;
    std::size_t lost = 0;
    std::size_t twice = 0;                 // rang at two bindings
    std::optional<Duration> rang_after{};  // the latest of them
    std::string node{};                    // through which it came, if it is one
};

struct PhoneChronicle {
    std::string name{};
    std::string preset{};
    std::vector<ReachFrom> reach{};
    Duration reach_resolution{};  // 0: exact; else what is shorter than that is drawn as the worse
    std::vector<BindingSpan> bindings{};
    std::size_t bindings_left_out = 0;  // the later ones
    std::vector<CallsOf> calls{};
};

struct Chronicle {
    std::vector<PhoneChronicle> phones{};
    std::size_t phones_left_out = 0;
    Transcript transcript;
};

// The most of one run; of a run that may keep few lines (RunOptions::chronicle_lines) less of each.
constexpr std::size_t chronicle_phones_most = 12;
constexpr std::size_t chronicle_spans_most = 2000;  // of reachability
constexpr std::size_t chronicle_bindings_most = 400;
constexpr std::size_t chronicle_calls_most = 1500;

class Chronicler {
public:
    Chronicler(Stage& stage, const Scenario& scenario, std::size_t lines_most);
    Chronicler(const Chronicler&) = delete;
    Chronicler& operator=(const Chronicler&) = delete;
    ~Chronicler();

    void look();             // at all bindings: something may have run out or broken
    void look_if_changed();  // after a packet
    Chronicle take(const Recorder& recorder);  // at the end

private:
    struct Open {
        BindingSpan span{};
        std::string instance{};
        std::uint32_t reg_id = 0;
        Instant expires{};
        bool seen = false;
    };
    struct Phone {
        std::list<Open> open;
        std::vector<BindingSpan> closed;
        std::size_t left_out = 0;
    };
    void look_at(std::size_t actor);
    static Open* find(Phone& phone, const Binding& binding);
    void close(Phone& phone, const Open& open, Instant now, bool lasts);
    [[nodiscard]] std::uint64_t changes();
    [[nodiscard]] std::vector<ReachFrom> reach_of(const std::vector<TimedMoment>& moments,
                                                  Duration& resolution) const;
    [[nodiscard]] std::vector<CallsOf> calls_of(const Stage::Actor& actor) const;

    Stage& stage_;
    Instant end_;
    std::size_t spans_most_;
    std::size_t bindings_most_;
    std::size_t calls_most_;
    Transcript transcript_;
    std::vector<Phone> phones_;
    std::uint64_t changes_ = 0;
};

}  // namespace holdfast::lab::scenario
