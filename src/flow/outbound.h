// What responses say about outbound and keep-alives (RFC 5626, RFC 6223).
#pragma once

#include <optional>

#include "base/time.h"
#include "flow/agreement.h"
#include "flow/mapping.h"
#include "sip/message.h"
#include "sip/uri.h"
#include "sip/via.h"

namespace holdfast::flow {

// What a response on this flow agrees to. Require: outbound and Flow-Timer count only in a 2xx to
// REGISTER.
Agreement agreement_of(const sip::Message& response);

// RFC 5626 §6: the registrar did what we asked with Supported: outbound and reg-id.
bool registrar_has_outbound(const sip::Message& response);
// RFC 5626 §11.6: 439 First Hop Lacks Outbound Support.
bool first_hop_lacks_outbound(const sip::Message& response);
// RFC 5626 §5.1: a Path of the response whose URI has `ob` was added by an edge proxy that keeps
// flows.
bool edge_has_outbound(const sip::Message& response);
bool has_ob(const sip::Uri& uri);

// RFC 6223 §4: `keep` with a value in our own Via is the next hop's consent. 0 is consent without a
// frequency. A flag without value is only our own word, copied back.
struct Keep {
    std::optional<Duration> recommended;
};
std::optional<Keep> keep_of(const sip::Via& via);

// The top Via's words for MappingMemory::learn.
ViaSighting sighting_of(const sip::Message& response, const Endpoint& local, const Endpoint& source,
                        const Endpoint& sent_to);

}  // namespace holdfast::flow
