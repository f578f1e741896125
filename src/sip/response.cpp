#include "sip/response.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "sip/writer.h"

namespace holdfast::sip {
namespace {

// RFC 3261 §18.2.1: received is added when sent-by is not the source address. RFC 3581 §4: a
// request for rport gets both. What the sender wrote there itself is not believed.
bool needs_received(const Via& via, const Endpoint& source) {
    if (via.has_rport) return true;
    auto host = via.host;
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    return IpAddress::parse(host) != source.address;
}

std::string top_via_text(const Via& via, const std::optional<Endpoint>& source) {
    if (!source) return std::string(via.text);
    std::string text = "SIP/2.0/";
    text.append(via.transport).append(" ").append(via.host);
    if (via.port != 0) text.append(":").append(std::to_string(via.port));
    for (const auto& parameter : via.parameters) {
        const auto name = lower_case(parameter.name);
        if (name == "received" || name == "rport") continue;
        text.append(";").append(parameter.name);
        if (!parameter.has_value) continue;
        const std::string_view quote = parameter.was_quoted ? "\"" : "";
        text.append("=").append(quote).append(parameter.value).append(quote);
    }
    if (via.has_rport) text.append(";rport=").append(std::to_string(source->port));
    if (needs_received(via, *source)) text.append(";received=").append(source->address.to_string());
    return text;
}

bool has_tag(const NameAddr& address) {
    if (!address.tag().empty()) return true;
    // A value that did not parse: whatever looks like a tag is one (RFC 4475 §3.1.2.6).
    return address.uri.text.empty() && lower_case(address.text).find("tag=") != std::string::npos;
}

void copy_header(Writer& writer, const Message& request, HeaderName name) {
    if (const auto value = request.header(name)) writer.header(name, *value);
}

}  // namespace

void write_response(std::string& out, const Message& request, const ResponseFields& fields) {
    Writer writer(out);
    writer.status_line(fields.status,
                       fields.reason.empty() ? reason_phrase_of(fields.status) : fields.reason);
    // RFC 3261 §8.2.6.2: Via values in order, From, To, Call-ID and CSeq equal those of the
    // request.
    const auto vias = request.vias();
    for (std::size_t i = 0; i < vias.size(); ++i) {
        if (i == 0)
            writer.header(HeaderName::via, top_via_text(vias[i], fields.source));
        else
            writer.header(HeaderName::via, vias[i].text);
    }
    if (fields.copy_record_route)
        for (const auto& route : request.record_routes())
            writer.header(HeaderName::record_route, route.text);
    if (!request.from().text.empty()) writer.header(HeaderName::from, request.from().text);
    if (const auto& to = request.to(); !to.text.empty()) {
        // A 100 needs no tag (RFC 3261 §8.2.6.2).
        if (fields.to_tag.empty() || fields.status == 100 || has_tag(to))
            writer.header(HeaderName::to, to.text);
        else
            writer.header(HeaderName::to,
                          std::string(to.text).append(";tag=").append(fields.to_tag));
    }
    copy_header(writer, request, HeaderName::call_id);
    copy_header(writer, request, HeaderName::cseq);
    if (fields.status == 100)
        copy_header(writer, request, HeaderName::timestamp);  // RFC 3261 §8.2.6.1
    writer.lines(fields.extra_headers);
    writer.finish(fields.body, fields.content_type);
}

Endpoint response_destination(const Message& request, const Endpoint& source) {
    const Via& via = request.top_via();
    if (via.has_rport) return source;
    return {.address = source.address,
            .port = via.port != 0 ? via.port : default_port(Transport::udp)};
}

std::string_view reason_phrase_of(int status) {
    static constexpr auto phrases = std::to_array<std::pair<int, std::string_view>>({
        {100, "Trying"},
        {180, "Ringing"},
        {181, "Call Is Being Forwarded"},
        {182, "Queued"},
        {183, "Session Progress"},
        {199, "Early Dialog Terminated"},
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Notification"},
        {300, "Multiple Choices"},
        {301, "Moved Permanently"},
        {302, "Moved Temporarily"},
        {305, "Use Proxy"},
        {380, "Alternative Service"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {407, "Proxy Authentication Required"},
        {408, "Request Timeout"},
        {410, "Gone"},
        {412, "Conditional Request Failed"},
        {413, "Request Entity Too Large"},
        {414, "Request-URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Unsupported URI Scheme"},
        {420, "Bad Extension"},
        {421, "Extension Required"},
        {422, "Session Interval Too Small"},
        {423, "Interval Too Brief"},
        {430, "Flow Failed"},
        {433, "Anonymity Disallowed"},
        {439, "First Hop Lacks Outbound Support"},
        {480, "Temporarily Unavailable"},
        {481, "Call/Transaction Does Not Exist"},
        {482, "Loop Detected"},
        {483, "Too Many Hops"},
        {484, "Address Incomplete"},
        {485, "Ambiguous"},
        {486, "Busy Here"},
        {487, "Request Terminated"},
        {488, "Not Acceptable Here"},
        {489, "Bad Event"},
        {491, "Request Pending"},
        {493, "Undecipherable"},
        {494, "Security Agreement Required"},
        {500, "Server Internal Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Server Time-out"},
        {505, "Version Not Supported"},
        {513, "Message Too Large"},
        {600, "Busy Everywhere"},
        {603, "Decline"},
        {604, "Does Not Exist Anywhere"},
        {606, "Not Acceptable"},
    });
    for (const auto& [code, phrase] : phrases)
        if (code == status) return phrase;
    return "Unknown";
}

}  // namespace holdfast::sip
