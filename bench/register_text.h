// The REGISTER of tests/data/messages (a), printed from typed values.
#pragma once

#include <string>
#include <string_view>

#include "sip/writer.h"

namespace holdfast::bench {

inline void write_register(std::string& out,
                           std::string_view branch = "z9hG4bKPjkq3Rz0bV7mT2hYwXcLd8nFaGpQ1sE6uJ",
                           std::string_view call_id = "7fK2mQxP0dR9sTbYwZ4hLcVn3aEgJu6i") {
    using namespace sip;
    out.clear();
    Writer writer(out);
    writer.request_line(Method::register_, "sip:pbx.example.com");
    writer.via({.transport = "UDP", .sent_by = "192.168.1.23:5060", .branch = branch});
    writer.max_forwards(70);
    writer.from("Alice Example", "sip:1001@pbx.example.com", "Zt4kX9wLq2HnVb7e");
    writer.to("Alice Example", "sip:1001@pbx.example.com", {});
    writer.call_id(call_id);
    writer.cseq(41234, Method::register_);
    writer.header(HeaderName::user_agent, "ExampleUA/1.0 (Linux x86_64)");
    writer.contact("sip:1001@192.168.1.23:5060;ob",
                   ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";reg-id=1");
    writer.header(HeaderName::expires, 300U);
    writer.header(HeaderName::supported, "path, outbound, gruu");
    writer.header(HeaderName::allow,
                  "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, REFER, NOTIFY, INFO");
    writer.finish();
}

}  // namespace holdfast::bench
