#include "flow/options_ping.h"

#include "flow/contact_address.h"
#include "sip/writer.h"

namespace holdfast::flow {

std::string options_request(const OptionsPing& ping) {
    const std::string sent_by = via_sent_by(ping.local);
    std::string text;
    sip::Writer writer(text);
    writer.request_line(sip::Method::options, ping.domain_uri);
    writer.via({.transport = via_name_of(ping.transport),
                .sent_by = sent_by,
                .branch = ping.branch,
                .rport = true,  // N1, RFC 3581 §3
                .extra = ping.ask_keep ? ";keep" : ""});
    writer.max_forwards(70);
    writer.from({}, ping.aor, ping.from_tag);
    writer.to({}, ping.domain_uri, {});
    writer.call_id(ping.call_id);
    writer.cseq(ping.cseq, sip::Method::options);
    if (!ping.user_agent.empty()) writer.header(sip::HeaderName::user_agent, ping.user_agent);
    writer.finish();
    return text;
}

}  // namespace holdfast::flow
