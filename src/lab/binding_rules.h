// What a REGISTER does to the bindings of its AOR (RFC 3261 §10.3, RFC 5626 §6): a pure function
// with the habits of real registrars as options.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "lab/location_service.h"
#include "sip/message.h"

namespace holdfast::lab {

// RFC 3261 §10.3, step 7: the same Call-ID with a CSeq that is not higher.
enum class EqualCseq : std::uint8_t {
    refuse,                  // 500, as the RFC wants it
    accept_without_storing,  // 200 and nothing done: Kamailio, for an equal one
};

struct RegistrarRules {
    std::uint32_t min_expires = 10;
    std::uint32_t max_expires = 3600;
    std::uint32_t default_expires = 3600;
    std::size_t max_contacts = 0;  // not 0: 503 for more Contacts or bindings, as OpenSIPS
    EqualCseq equal_cseq = EqualCseq::refuse;
    bool outbound = false;         // RFC 5626
    std::uint32_t flow_timer = 0;  // with outbound; 0: none
    bool instance_is_key =
        false;  // one binding per instance without outbound too; the last to arrive wins
};

struct RegisterResult {
    int status = 200;
    std::string reason{};         // "" : the usual one
    std::string extra_headers{};  // of the response, complete lines
    std::vector<Binding> bindings{};
    bool stored = false;  // the bindings are to be written
};

RegisterResult apply_register(const sip::Message& request, std::vector<Binding> current,
                              const Hop& flow, Instant now, const RegistrarRules& rules);

// "Contact: <…>;expires=…" lines of a 200.
std::string contact_lines(const std::vector<Binding>& bindings, Instant now);

}  // namespace holdfast::lab
