// Answers that are not read, because they are past a limit (I8) or no SIP: told, but no more often
// than a person can read, whatever a server sends.
#pragma once

#include <map>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/event.h"
#include "base/time.h"
#include "sip/error.h"

namespace holdfast::engine {

class UnreadableAnswers {
public:
    // A status line, whatever follows.
    static bool is_answer(std::string_view bytes);
    // What to tell; nothing if the same target was told of within limits::unreadable_again.
    std::optional<Event> on_answer(Instant now, const Target& target, const sip::ParseError& error);

private:
    std::map<Target, Instant> told_;
};

}  // namespace holdfast::engine
