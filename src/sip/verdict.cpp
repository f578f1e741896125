#include "sip/verdict.h"

#include <algorithm>

#include "base/text.h"

namespace holdfast::sip {
namespace {

bool contains(std::span<const std::string_view> list, std::string_view text) {
    return std::ranges::any_of(
        list, [text](std::string_view entry) { return equals_ignoring_case(entry, text); });
}

std::string header_line(std::string_view name, std::span<const std::string_view> values) {
    std::string line(name);
    std::string_view separator = ": ";
    for (const auto value : values) {
        line.append(separator).append(value);
        separator = ", ";
    }
    if (values.empty()) line.append(": ");
    return line.append("\r\n");
}

// RFC 3261 §8.2.1.
std::optional<Rejection> check_method(const Message& request, const Capabilities& capabilities) {
    if (std::ranges::find(capabilities.methods, request.method()) != capabilities.methods.end())
        return std::nullopt;
    std::vector<std::string_view> names;
    for (const auto method : capabilities.methods) names.push_back(name_of(method));
    const bool known = request.method() != Method::other;
    return Rejection{.status = known ? 405 : 501,
                     .reason = known ? "Method Not Allowed" : "Not Implemented",
                     .extra_headers = header_line("Allow", names)};
}

// RFC 3261 §8.2.2.1, §19.1.1 (Request-URI holds no headers).
std::optional<Rejection> check_uri(const Message& request, const Capabilities& capabilities) {
    const Uri& uri = request.request_uri();
    if (!uri.is_sip() && !(capabilities.allow_tel && uri.scheme == Scheme::tel))
        return Rejection{.status = 416, .reason = "Unsupported URI Scheme", .extra_headers = {}};
    if (!uri.headers.empty())
        return Rejection{.status = 400, .reason = "Headers in Request-URI", .extra_headers = {}};
    return std::nullopt;
}

// RFC 3261 §8.2.2.3.
std::optional<Rejection> check_require(const Message& request, const Capabilities& capabilities) {
    std::vector<std::string_view> unknown;
    for (const auto& [token, header] : request.tokens())
        if (header == HeaderName::require && !contains(capabilities.options, token))
            unknown.push_back(token);
    if (unknown.empty()) return std::nullopt;
    return Rejection{.status = 420,
                     .reason = "Bad Extension",
                     .extra_headers = header_line("Unsupported", unknown)};
}

// RFC 3261 §8.2.3.
std::optional<Rejection> check_content(const Message& request, const Capabilities& capabilities) {
    if (request.body().empty() || may_skip_body(request)) return std::nullopt;
    if (request.content_type().empty())
        return Rejection{.status = 400, .reason = "Body Without Content-Type", .extra_headers = {}};
    if (const auto encoding = request.header(HeaderName::content_encoding);
        encoding && !equals_ignoring_case(*encoding, "identity"))
        return Rejection{.status = 415,
                         .reason = "Unsupported Media Type",
                         .extra_headers = "Accept-Encoding: identity\r\n"};
    if (contains(capabilities.media_types, request.media_type())) return std::nullopt;
    return Rejection{.status = 415,
                     .reason = "Unsupported Media Type",
                     .extra_headers = header_line("Accept", capabilities.media_types)};
}

// Whether a media range (type/subtype, type/*, */*) covers a type; parameters of the range do not
// narrow it for us.
bool covers(std::string_view range, std::string_view type) {
    range = trimmed(range.substr(0, range.find(';')));
    if (range == "*/*" || equals_ignoring_case(range, type)) return true;
    return range.ends_with("/*") &&
           equals_ignoring_case(range.substr(0, range.size() - 1),
                                type.substr(0, std::min(range.size() - 1, type.size())));
}

bool accepts(std::string_view accept, std::span<const std::string_view> types) {
    while (!accept.empty()) {
        const auto comma = accept.find(',');
        const auto range = accept.substr(0, comma);
        if (std::ranges::any_of(types,
                                [range](std::string_view type) { return covers(range, type); }))
            return true;
        accept.remove_prefix(comma == std::string_view::npos ? accept.size() : comma + 1);
    }
    return false;
}

// RFC 3261 §20.1, §21.4.7: our answer to an INVITE has a body, and it must be of a type that the
// caller takes.
std::optional<Rejection> check_accept(const Message& request, const Capabilities& capabilities) {
    if (request.method() != Method::invite || capabilities.sent_types.empty()) return std::nullopt;
    bool given = false;
    for (const auto& header : request.headers()) {
        if (header.name != HeaderName::accept) continue;
        given = true;
        if (accepts(header.value, capabilities.sent_types)) return std::nullopt;
    }
    if (!given) return std::nullopt;
    return Rejection{.status = 406, .reason = "Not Acceptable", .extra_headers = {}};
}

}  // namespace

bool may_skip_body(const Message& request) {
    const auto disposition = request.header(HeaderName::content_disposition);
    return disposition && lower_case(*disposition).find("handling=optional") != std::string::npos;
}

// In the order of RFC 3261 §8.2.
std::optional<Rejection> check_request(const Message& request, const Capabilities& capabilities) {
    if (request.method() == Method::ack) return std::nullopt;
    if (auto rejection = check_method(request, capabilities)) return rejection;
    if (request.method() == Method::cancel) return std::nullopt;
    if (auto rejection = check_uri(request, capabilities)) return rejection;
    if (auto rejection = check_require(request, capabilities)) return rejection;
    if (auto rejection = check_content(request, capabilities)) return rejection;
    return check_accept(request, capabilities);
}

std::optional<std::string_view> check_response(const Message& response,
                                               std::optional<SentBy> sent_by) {
    if (response.status() > 699) return "status code above 699";  // RFC 4475 §3.1.2.19
    // RFC 3261 §8.1.3.3: a response with a second Via was meant for somebody else.
    if (response.vias().size() > 1) return "more than one Via in a response";
    // RFC 3261 §18.1.2.
    const Via& via = response.top_via();
    if (sent_by && (!equals_ignoring_case(via.host, sent_by->host) || via.port != sent_by->port))
        return "sent-by of the top Via is not ours";
    return std::nullopt;
}

}  // namespace holdfast::sip
