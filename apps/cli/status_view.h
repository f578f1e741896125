// What a person sees on a terminal: how the account stands, its servers in rank order, and what
// happened lately. Times are the wall's, so that nothing must be redrawn while nothing happens.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/cli/terminal.h"
#include "apps/cli/words.h"
#include "base/event.h"
#include "base/time.h"

namespace holdfast::cli {

enum class Tone : std::uint8_t { plain, strong, good, bad, faint };

struct StyledLine {
    std::string text;
    Tone tone = Tone::plain;
};

class StatusView {
public:
    StatusView(std::string aor, WallClock clock) : aor_(std::move(aor)), clock_(clock) {}

    void on_event(Instant now, const Event& event);
    // At most size.rows - 1 lines, so that the terminal does not scroll; each no wider than the
    // terminal.
    [[nodiscard]] std::vector<StyledLine> lines(TerminalSize size) const;

private:
    struct Binding {
        Target target{};
        std::optional<Endpoint> mapping{};
        std::optional<Duration> rtt{};
        std::string contact{};
        Instant since{};
        std::optional<Instant> ends{};
    };
    struct Row {
        EventTarget target{};
        std::string news{};  // the last that was heard of it
        bool bad = false;
    };
    enum class Reach : std::uint8_t { unknown, proven, not_proven, unprovable };

    void note_binding(Instant now, const Event& event);
    void note_target(Instant now, const Event& event);
    void note_state(Instant now, const Event& event);
    void log(Instant now, const Event& event);
    [[nodiscard]] StyledLine heading() const;
    [[nodiscard]] std::vector<StyledLine> binding_lines(const Binding& binding) const;
    [[nodiscard]] StyledLine target_line(std::size_t index) const;

    std::string aor_;
    WallClock clock_;
    std::map<int, Binding> bindings_;  // by reg-id
    std::vector<Row> targets_;
    std::deque<StyledLine> lately_;
    Reach reach_ = Reach::unknown;
    Instant reach_since_{};
    std::string state_ = "starting";
    std::string ringing_;  // who calls
};

// The escape sequences that draw `now` over what `before` lines were drawn last.
std::string redrawn(const std::vector<StyledLine>& now, std::size_t before, bool color);

}  // namespace holdfast::cli
