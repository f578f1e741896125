#include "lab/forwarding.h"

#include "base/text.h"
#include "sip/writer.h"

namespace holdfast::lab {

namespace {

// RFC 3581 §4, RFC 3261 §18.2.1.
std::string seen_from(const sip::Via& via, const Endpoint& source) {
    std::string text(via.text);
    if (via.has_rport && !via.rport) {
        const auto lower = lower_case(text);
        if (const auto at = lower.find(";rport"); at != std::string::npos)
            text.insert(at + 6, "=" + std::to_string(source.port));
    }
    if (!via.received) text += ";received=" + source.address.to_string();
    return text;
}

bool is_rewritten(sip::HeaderName name) {
    return name == sip::HeaderName::via || name == sip::HeaderName::content_length ||
           name == sip::HeaderName::content_type;
}

}  // namespace

std::string forwarded_request(const sip::Message& request, const ForwardFields& fields) {
    std::string text;
    sip::Writer writer(text);
    writer.request_line(request.method_text(), fields.target);
    writer.via({.transport = via_name_of(fields.transport),
                .sent_by = fields.sent_by,
                .branch = fields.branch,
                .rport = true});
    bool first = true;
    for (const auto& via : request.vias()) {
        writer.header(sip::HeaderName::via,
                      first ? std::string_view(seen_from(via, fields.source)) : via.text);
        first = false;
    }
    if (!fields.route.empty()) writer.header(sip::HeaderName::route, fields.route);
    for (const auto& route : fields.record_routes)
        writer.header(sip::HeaderName::record_route, route);
    writer.max_forwards(request.max_forwards().value_or(70) - 1);
    for (const auto& header : request.headers()) {
        if (is_rewritten(header.name) || header.name == sip::HeaderName::route ||
            header.name == sip::HeaderName::max_forwards)
            continue;
        writer.header(header.name_text, header.value);
    }
    writer.finish(request.body(), request.content_type());
    return text;
}

std::string forwarded_response(const sip::Message& response) {
    std::string text;
    sip::Writer writer(text);
    writer.status_line(response.status(), response.reason_phrase());
    for (const auto& via : response.vias().subspan(1))
        writer.header(sip::HeaderName::via, via.text);
    for (const auto& header : response.headers())
        if (!is_rewritten(header.name)) writer.header(header.name_text, header.value);
    writer.finish(response.body(), response.content_type());
    return text;
}

std::string way_token(const Hop& hop) { return hex(Target{hop.transport, hop.remote}.to_string()); }

std::optional<Hop> way_of_token(std::string_view token, const Endpoint& local) {
    const auto text = from_hex(token);
    if (!text) return std::nullopt;
    const auto target = Target::parse(*text);
    if (!target) return std::nullopt;
    return Hop{
        target->transport, {local.address, default_port(target->transport)}, target->endpoint};
}

}  // namespace holdfast::lab
