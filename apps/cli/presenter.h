// Three ways to tell the user: JSON lines, plain lines, a live view on a terminal.
#pragma once

#include <memory>
#include <string>

#include "apps/cli/terminal.h"
#include "apps/cli/words.h"
#include "base/event.h"

namespace holdfast::cli {

class Presenter {
public:
    Presenter() = default;
    Presenter(const Presenter&) = delete;
    Presenter& operator=(const Presenter&) = delete;
    virtual ~Presenter() = default;
    virtual void show(Instant now, const Event& event) = 0;
    virtual void resized() {}  // the terminal has another size
};

struct Presentation {
    std::string aor;
    WallClock clock;  // its instant is the start, for `t`
};

std::unique_ptr<Presenter> json_presenter(Printer& output, Presentation presentation);
std::unique_ptr<Presenter> line_presenter(Printer& output, Presentation presentation);
// descriptor: the terminal, for its size.
std::unique_ptr<Presenter> live_presenter(Printer& output, const Presentation& presentation,
                                          int descriptor);

}  // namespace holdfast::cli
