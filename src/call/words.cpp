#include "call/words.h"

#include <utility>

#include "base/text.h"
#include "call/options.h"
#include "sip/header_name.h"
#include "sip/parameters.h"

namespace holdfast::call {

namespace {

using sip::HeaderName;

// The text of text="…" in a Reason, or of the last quoted string in a Warning.
std::string quoted_text(std::string_view value) {
    const auto open = value.find('"');
    if (open == std::string_view::npos) return {};
    std::size_t close = open + 1;
    while (close < value.size() && value[close] != '"') close += value[close] == '\\' ? 2U : 1U;
    if (close >= value.size()) return {};
    return sip::unescape(value.substr(open + 1, close - open - 1));
}

std::string reason_in(const sip::Message& message) {
    return quoted_text(message.header(HeaderName::reason).value_or(""));
}

}  // namespace

std::string_view name_of(Diverted why) {
    switch (why) {
    case Diverted::deflection: return "deflection";
    case Diverted::unconditional: return "unconditional";
    case Diverted::user_busy: return "user-busy";
    case Diverted::no_answer: return "no-answer";
    case Diverted::do_not_disturb: return "do-not-disturb";
    }
    return "unknown";
}

std::string words_of(const sip::Message& response) {
    std::string words(response.reason_phrase());
    auto more = quoted_text(response.header(HeaderName::warning).value_or(""));
    if (more.empty()) more = reason_in(response);
    if (!more.empty() && more != words) words.append(": ").append(more);
    return words;
}

std::string party_in_words(const sip::NameAddr& address) {
    const std::string name = sip::unescape(address.display_name);
    const std::string uri(address.uri.text);
    return name.empty() ? uri : name + " <" + uri + ">";
}

std::string reason_line(int cause, std::string_view text) {
    return "Reason: SIP;cause=" + std::to_string(cause) + ";text=" + sip::quoted(text) + "\r\n";
}

std::string not_known(std::string_view words) {
    return std::string("the other side does not know the call any more: ").append(words);
}

std::string warning_line(const sdp::Problem& problem) {
    // "Incompatible media format", or "miscellaneous".
    const std::string_view code = problem.status == 488 ? "305" : "399";
    return std::string("Warning: ").append(code) + " holdfast " + sip::quoted(problem.words) +
           "\r\n";
}

bool has_sdp(const sip::Message& message) {
    return !message.body().empty() && equals_ignoring_case(message.media_type(), "application/sdp");
}

std::string why_cancelled(const sip::Message& cancel) {
    const auto reason = cancel.header(HeaderName::reason).value_or("");
    if (reason.find("cause=200") != std::string_view::npos) return "answered elsewhere";
    return "the caller hung up";
}

std::string why_hung_up(const sip::Message& bye) {
    const auto reason = reason_in(bye);
    return reason.empty() ? "the other side hung up" : "the other side hung up: " + reason;
}

}  // namespace holdfast::call
