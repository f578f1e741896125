#include "registration/register_request.h"

#include "base/text.h"
#include "sip/writer.h"

namespace holdfast::registration {

namespace {

constexpr std::size_t usual_request = 1024;  // octets: most fit, and it costs one allocation

std::string written(const RegisterFields& fields, sip::NameForm form) {
    std::string out;
    out.reserve(usual_request);
    sip::Writer writer(out, form);
    writer.request_line(sip::Method::register_, fields.request_uri);
    writer.via({.transport = via_name_of(fields.transport),
                .sent_by = fields.sent_by,
                .branch = fields.branch,
                .rport = true,
                .extra = fields.ask_keep ? ";keep" : ""});
    for (const auto& route : fields.routes) writer.header(sip::HeaderName::route, route);
    writer.max_forwards(70);
    writer.from(fields.display_name, fields.aor, fields.from_tag);
    writer.to(fields.display_name, fields.aor, {});
    writer.call_id(fields.call_id);
    writer.cseq(fields.cseq, sip::Method::register_);
    for (const auto& contact : fields.contacts) {
        if (contact.expires)
            writer.contact(contact.uri, joined({contact.parameters,
                                                ";expires=", std::to_string(*contact.expires)}));
        else
            writer.contact(contact.uri, contact.parameters);
    }
    if (fields.expires) writer.header(sip::HeaderName::expires, *fields.expires);
    if (!fields.supported.empty()) writer.header(sip::HeaderName::supported, fields.supported);
    if (!fields.require.empty()) writer.header(sip::HeaderName::require, fields.require);
    writer.header(sip::HeaderName::allow, "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY");
    writer.lines(fields.authorization);
    writer.header(sip::HeaderName::user_agent, fields.user_agent);
    writer.finish();
    return out;
}

}  // namespace

std::string register_request(const RegisterFields& fields) {
    auto text = written(fields, sip::NameForm::full);
    return text.size() > compact_above ? written(fields, sip::NameForm::compact) : text;
}

std::string options_request(const OptionsFields& fields) {
    std::string out;
    out.reserve(usual_request);
    sip::Writer writer(out);
    writer.request_line(sip::Method::options, fields.request_uri);
    writer.via({.transport = via_name_of(fields.transport),
                .sent_by = fields.sent_by,
                .branch = fields.branch});
    for (const auto& route : fields.routes) writer.header(sip::HeaderName::route, route);
    writer.max_forwards(fields.max_forwards);
    writer.from({}, fields.aor, fields.from_tag);
    writer.to({}, fields.to, {});
    writer.call_id(fields.call_id);
    writer.cseq(fields.cseq, sip::Method::options);
    if (!fields.contact.empty()) writer.contact(fields.contact);
    writer.header(sip::HeaderName::accept, "application/sdp");
    writer.lines(fields.authorization);
    writer.header(sip::HeaderName::user_agent, fields.user_agent);
    writer.finish();
    return out;
}

}  // namespace holdfast::registration
