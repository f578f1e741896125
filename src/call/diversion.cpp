#include "call/diversion.h"

#include "base/text.h"
#include "call/limits.h"
#include "sip/address.h"

namespace holdfast::call {

std::string_view take_value(std::string_view& list) {
    bool in_quotes = false;
    bool in_brackets = false;
    std::size_t i = 0;
    for (; i < list.size(); ++i) {
        const char c = list[i];
        if (in_quotes && c == '\\') {
            ++i;
        } else if (c == '"' && !in_brackets) {
            in_quotes = !in_quotes;
        } else if (!in_quotes && (c == '<' || c == '>')) {
            in_brackets = c == '<';
        } else if (!in_quotes && !in_brackets && c == ',') {
            break;
        }
    }
    const auto value = trimmed(list.substr(0, i));
    list = i < list.size() ? list.substr(i + 1) : std::string_view{};
    return value;
}

std::vector<std::string_view> diversions_of(const sip::Message& invite) {
    std::vector<std::string_view> values;
    for (const auto& header : invite.headers()) {
        if (header.name != sip::HeaderName::diversion) continue;
        for (auto rest = header.value; !rest.empty() && values.size() < limits::diversions;)
            if (const auto value = take_value(rest); !value.empty()) values.push_back(value);
    }
    return values;
}

std::vector<std::string> diverters_of(const sip::Message& invite) {
    std::vector<std::string> uris;
    for (const auto value : diversions_of(invite)) {
        const auto address = sip::OwnedNameAddr::parse(value);
        uris.emplace_back(address ? address->get().uri.text : std::string_view{});
    }
    return uris;
}

std::string diversion_lines(const sip::Message& invite) {
    std::string lines;
    for (const auto value : diversions_of(invite))
        if (sip::OwnedNameAddr::parse(value)) append(lines, {"Diversion: ", value, "\r\n"});
    return lines;
}

}  // namespace holdfast::call
