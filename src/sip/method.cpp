#include "sip/method.h"

#include <array>

namespace holdfast::sip {
namespace {

constexpr std::array<std::string_view, 15> names = {
    "REGISTER", "INVITE", "ACK",   "BYE",    "CANCEL", "OPTIONS", "NOTIFY", "SUBSCRIBE",
    "MESSAGE",  "INFO",   "PRACK", "UPDATE", "REFER",  "PUBLISH", ""};

Method when(std::string_view text, Method method) {
    return text == names[static_cast<std::size_t>(method)] ? method : Method::other;
}

}  // namespace

std::string_view name_of(Method method) { return names[static_cast<std::size_t>(method)]; }

// Length and one letter leave one candidate.
Method method_of(std::string_view text) {
    switch (text.size()) {
    case 3: return text[0] == 'A' ? when(text, Method::ack) : when(text, Method::bye);
    case 4: return when(text, Method::info);
    case 5: return text[0] == 'P' ? when(text, Method::prack) : when(text, Method::refer);
    case 6:
        switch (text[0]) {
        case 'I': return when(text, Method::invite);
        case 'C': return when(text, Method::cancel);
        case 'N': return when(text, Method::notify);
        case 'U': return when(text, Method::update);
        default: return Method::other;
        }
    case 7:
        switch (text[0]) {
        case 'O': return when(text, Method::options);
        case 'M': return when(text, Method::message);
        case 'P': return when(text, Method::publish);
        default: return Method::other;
        }
    case 8: return when(text, Method::register_);
    case 9: return when(text, Method::subscribe);
    default: return Method::other;
    }
}

}  // namespace holdfast::sip
