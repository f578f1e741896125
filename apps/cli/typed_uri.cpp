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

}  // namespace holdfast::cli
