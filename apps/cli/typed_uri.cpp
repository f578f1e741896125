// URIs as a person writes them: with or without scheme, in angle brackets, in capitals.
#include "apps/cli/options.h"
#include "base/text.h"
#include "sip/uri.h"

namespace holdfast::cli {

namespace {

std::expected<sip::OwnedUri, std::string> sip_uri(const std::string& text) {
    auto uri = sip::OwnedUri::parse(text);
    if (!uri)
        return std::unexpected("\"" + text +
                               "\" is no SIP URI: " + std::string(uri.error().reason) +
                               " at character " + std::to_string(uri.error().offset + 1));
    if (!uri->get().is_sip() || uri->get().host.empty())
        return std::unexpected("\"" + text + "\" is no SIP URI (sip:alice@example.test)");
    return *std::move(uri);
}

std::string in_lower_case(const sip::Uri& uri) {
    const auto host_at = static_cast<std::size_t>(uri.host.data() - uri.text.data());
    std::string text(uri.text);
    text.replace(host_at, uri.host.size(), lower_case(uri.host));
    return text.replace(0, uri.scheme_text.size(), lower_case(uri.scheme_text));
}

}  // namespace

std::string with_scheme(std::string_view text) {
    text = trimmed(text);
    if (text.size() >= 2 && text.front() == '<' && text.back() == '>')
        text = text.substr(1, text.size() - 2);
    const auto start = lower_case(text.substr(0, 5));
    const bool has_scheme = start.starts_with("sip:") || start == "sips:";
    return (has_scheme ? "" : "sip:") + std::string(text);
}

std::expected<std::string, std::string> uri_of(std::string_view text) {
    const auto uri = sip_uri(with_scheme(text));
    if (!uri) return std::unexpected(uri.error());
    return in_lower_case(uri->get());
}

std::expected<std::string, std::string> aor_of(std::string_view text) {
    const auto uri = sip_uri(with_scheme(text));
    if (!uri) return std::unexpected(uri.error());
    if (uri->get().user.empty())
        return std::unexpected("\"" + std::string(text) +
                               "\" names no user: an account is sip:USER@DOMAIN");
    return in_lower_case(uri->get());
}

// A number may be written with separators (RFC 3966 §5.1.1); what a user part may not hold is
// escaped (RFC 3261 §25.1), as the # of a feature code.
std::expected<std::string, std::string> called_uri_of(std::string_view text, std::string_view aor) {
    text = trimmed(text);
    if (text.empty()) return std::unexpected("Nobody to call: the URI is empty");
    const auto start = lower_case(text.substr(0, 5));
    if (start.starts_with("tel:")) {
        const auto uri = sip::OwnedUri::parse(std::string(text));
        if (!uri || uri->get().user.empty())
            return std::unexpected("\"" + std::string(text) +
                                   "\" is no telephone number (tel:+49-30-1234)");
        return std::string(text);
    }
    const bool has_scheme = start.starts_with("sip:") || start == "sips:" || text.front() == '<';
    if (has_scheme || text.find('@') != std::string_view::npos) return uri_of(text);
    const bool is_number = text.find_first_not_of("+0123456789*#-.() /") == std::string_view::npos;
    std::string user;
    for (const char c : text) {
        constexpr std::string_view separators = "-.() /";
        constexpr std::string_view legal = "-_.!~*'()&=+$,;?/";  // mark and user-unreserved
        if (is_number && separators.find(c) != std::string_view::npos) continue;
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool stays = is_letter || is_digit(c) || legal.find(c) != std::string_view::npos;
        if (stays) {
            user += c;
        } else {
            constexpr std::string_view hex = "0123456789ABCDEF";
            const auto octet = static_cast<unsigned char>(c);
            user.append({'%', hex[octet >> 4U], hex[octet & 15U]});
        }
    }
    const auto at = aor.rfind('@');
    return uri_of(std::string(aor.substr(0, aor.find(':') + 1)) + user +
                  std::string(aor.substr(at)));
}

}  // namespace holdfast::cli
