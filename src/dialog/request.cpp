#include "dialog/request.h"

#include "base/text.h"
#include "sip/writer.h"

namespace holdfast::dialog {

namespace {

constexpr std::size_t compact_above = 1300;  // N8

std::string written_as(const Request& request, const Way& way, sip::NameForm form) {
    std::string out;
    out.reserve(1024 + request.body.size());
    sip::Writer writer(out, form);
    writer.request_line(request.method, request.request_uri);
    writer.via(
        {.transport = via_name_of(way.transport), .sent_by = way.sent_by, .branch = way.branch});
    for (const auto& route : request.routes) writer.header(sip::HeaderName::route, route);
    writer.max_forwards(request.max_forwards);
    writer.header(sip::HeaderName::from, request.from);
    writer.header(sip::HeaderName::to, request.to);
    writer.call_id(request.call_id);
    writer.cseq(request.cseq, request.method);
    if (request.has_contact) writer.contact(way.contact);
    writer.lines(request.headers);
    writer.lines(way.authorization);
    if (!way.user_agent.empty()) writer.header(sip::HeaderName::user_agent, way.user_agent);
    writer.finish(request.body, request.content_type);
    return out;
}

}  // namespace

std::string written(const Request& request, const Way& way) {
    auto text = written_as(request, way, sip::NameForm::full);
    return text.size() > compact_above ? written_as(request, way, sip::NameForm::compact) : text;
}

std::string as_request_uri(const sip::Uri& uri) {
    std::string_view text = uri.text;
    if (!uri.is_sip()) return std::string(text);
    if (const auto headers = text.find('?'); headers != std::string_view::npos)
        text = text.substr(0, headers);
    if (!uri.parameters.has("method")) return std::string(text);
    // The parameters stand behind the host; a semicolon before the @ belongs to the user.
    const auto at = text.find('@');
    auto next = text.find(';', at == std::string_view::npos ? 0 : at);
    std::string kept(text.substr(0, next));
    while (next != std::string_view::npos) {
        const auto end = text.find(';', next + 1);
        const auto parameter = text.substr(next, end == std::string_view::npos ? end : end - next);
        const auto name = parameter.substr(1, parameter.find('=') - 1);
        if (!equals_ignoring_case(name, "method")) kept += parameter;
        next = end;
    }
    return kept;
}

}  // namespace holdfast::dialog
