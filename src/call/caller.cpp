#include "call/caller.h"

#include <algorithm>

#include "base/text.h"
#include "call/diversion.h"
#include "call/limits.h"
#include "call/words.h"
#include "sip/address.h"

namespace holdfast::call {

namespace {

using sip::HeaderName;

// RFC 3323 §4.2: tokens with semicolons between them.
bool wants_privacy(const sip::Message& invite) {
    auto rest = invite.header(HeaderName::privacy).value_or("");
    while (!rest.empty()) {
        const auto end = rest.find_first_of(";,");
        const auto token = trimmed(rest.substr(0, end));
        for (const auto* const asked : {"id", "user", "header"})
            if (equals_ignoring_case(token, asked)) return true;
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    return false;
}

std::optional<Duration> answer_after_in(const sip::Message& invite) {
    for (const auto& header : invite.headers()) {
        if (header.name != HeaderName::call_info && header.name != HeaderName::alert_info) continue;
        const auto value = lower_case(header.value);
        constexpr std::string_view name = "answer-after=";
        if (const auto at = value.find(name); at != std::string::npos) {
            const auto begin = at + name.size();
            const auto digits = std::string_view(value).substr(
                begin, value.find_first_not_of("0123456789", begin) - begin);
            if (const auto seconds = parse_number<std::uint32_t>(digits);
                seconds && std::chrono::seconds{*seconds} < limits::ring_time)
                return std::chrono::seconds{*seconds};
        }
        if (value.contains("info=alert-autoanswer")) return Duration{};
    }
    return std::nullopt;
}

}  // namespace

Caller caller_of(const sip::Message& invite, Source source) {
    Caller caller{.words = party_in_words(invite.from())};
    if (source != Source::own_server) return caller;
    caller.answer_after = answer_after_in(invite);
    auto asserted = invite.header(HeaderName::p_asserted_identity);
    if (!asserted || wants_privacy(invite)) return caller;
    if (const auto identity = sip::OwnedNameAddr::parse(take_value(*asserted)))
        caller.words = party_in_words(identity->get());
    return caller;
}

}  // namespace holdfast::call
