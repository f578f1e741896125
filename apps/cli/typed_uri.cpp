// URIs as a person writes them: with or without scheme, in angle brackets, in capitals.
#include "apps/cli/options.h"
#include "apps/phone/dialling.h"
#include "base/text.h"
#include "sip/uri.h"

namespace holdfast::cli {

std::string with_scheme(std::string_view text) {
    text = trimmed(text);
    if (text.size() >= 2 && text.front() == '<' && text.back() == '>')
        text = text.substr(1, text.size() - 2);
    const auto start = lower_case(text.substr(0, 5));
    const bool has_scheme = start.starts_with("sip:") || start == "sips:";
    return (has_scheme ? "" : "sip:") + std::string(text);
}

std::expected<std::string, std::string> uri_of(std::string_view text) {
    return phone::sip_uri_of(with_scheme(text));
}

std::expected<std::string, std::string> aor_of(std::string_view text) {
    auto aor = uri_of(text);
    if (aor && sip::OwnedUri::parse(*aor)->get().user.empty())
        return std::unexpected("\"" + std::string(text) +
                               "\" names no user: an account is sip:USER@DOMAIN");
    return aor;
}

}  // namespace holdfast::cli
