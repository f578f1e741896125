#include "engine/unreadable_answers.h"

#include <utility>

#include "base/text.h"
#include "engine/limits.h"

namespace holdfast::engine {

bool UnreadableAnswers::is_answer(std::string_view bytes) {
    while (bytes.starts_with("\r\n")) bytes.remove_prefix(2);  // RFC 3261 §7.5
    return equals_ignoring_case(bytes.substr(0, 4), "SIP/");
}

std::optional<Event> UnreadableAnswers::on_answer(Instant now, const Target& target,
                                                  const sip::ParseError& error) {
    const auto known = told_.find(target);
    if (known != told_.end() && now - known->second < limits::unreadable_again) return std::nullopt;
    if (told_.size() >= limits::unreadable_targets) told_.clear();
    told_[target] = now;
    Event event{.kind = EventKind::notice};  // of the server: no account's own
    event.target = target;
    const bool is_past_limit = error.kind == sip::ParseError::Kind::too_large;
    event.reason = is_past_limit ? "an answer past a limit was dropped: "
                                 : "an answer that cannot be read was dropped: ";
    event.reason += in_words(error);
    event.reason += is_past_limit ? "; have the server send less (fewer bindings of the account, "
                                    "fewer or shorter headers)"
                                  : "; the server, or what lies before it, breaks SIP";
    event.reason += "; --trace shows what came";
    return event;
}

}  // namespace holdfast::engine
