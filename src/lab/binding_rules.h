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
    refuse,                  // as the RFC wants it
    accept_without_storing,  // an equal one: 200, and this Contact is passed over
    unchecked,               // the later message to arrive wins
};

// Which binding a Contact of a REGISTER is about, where outbound does not say it.
enum class BindingKey : std::uint8_t {
    uri,                  // RFC 3261 §10.3: the equal URI
    instance,             // its instance-id, if it has one: the last to arrive wins
    instance_and_reg_id,  // the two of them, with outbound or without; else the URI
    call_id,              // that of the REGISTER
    aor,                  // there is only one
};

// What a registrar does to too many Contacts (max_contacts).
enum class TooMany : std::uint8_t {
    refuse_several,      // more in one REGISTER, removals counted, or more bindings at its end
    refuse_on_the_way,   // as soon as one more than allowed is there, what else the REGISTER says
                         // or not
    refuse_the_sum,      // if there would be too many when all of it is done
    drop_the_soonest,    // those that expire first make room, but not for more than allowed at once
    refuse_other_calls,  // if other Call-IDs have them all, whatever this one would replace
};

// Which REGISTERs with a Path are accepted, and whether the 200 shows it (RFC 3327 §5.3).
enum class PathMode : std::uint8_t {
    off,     // all; no
    lazy,    // all; to who supports it
    strict,  // 420 to who does not support it
};

struct RegistrarRules {
    std::uint32_t min_expires = 10;
    bool raises_brief_expires = false;  // to min_expires, instead of 423
    std::uint32_t max_expires = 3600;
    std::uint32_t default_expires = 3600;
    std::uint32_t forced_expires = 0;     // not 0: granted, whatever was asked
    std::uint32_t granted_percent = 100;  // of what was asked, but min_expires at least
    std::int32_t granted_shift = 0;       // seconds more than all that, from min_ to max_expires
    std::size_t max_contacts = 0;         // 0: any number
    TooMany too_many = TooMany::refuse_several;
    int too_many_status = 503;
    std::uint32_t too_many_retry_after = 0;  // 0: no Retry-After
    EqualCseq equal_cseq = EqualCseq::refuse;
    int bad_cseq_status = 500;
    bool outbound = false;         // RFC 5626
    std::uint32_t flow_timer = 0;  // with outbound; 0: none
    // RFC 5626 §6: 439 to who asks for outbound, for the first hop has none.
    bool first_hop_lacks_outbound = false;
    bool gruu = false;  // RFC 5627 §5
    BindingKey key = BindingKey::uri;
    bool cseq_unchecked_with_instance = false;
    // A REGISTER with another Call-ID takes the other bindings of its instance away, and what
    // follows its first Contact is not looked at.
    bool new_call_id_drops_instance = false;
    bool rewrites_contact = false;      // the first Contact's address becomes the sender's
    bool marks_contact = false;         // the sender is put behind the URI, as a parameter
    bool first_contact_only = false;    // what follows is not looked at
    bool expires_header_first = false;  // the Expires header wins over the Contact's parameter
    bool refuses_fetch = false;         // 400 without a Contact
    bool echoes_contacts = false;       // a 200 repeats the Contacts asked for, not the bindings
    bool echoes_expires = false;        // an Expires header in a 200 to a REGISTER that has one
    bool lists_uris_only = false;       // a 200 has no parameters but expires
    bool lists_received = false;        // and where the REGISTER came from
    PathMode path_mode = PathMode::lazy;
    // A proxy on the way puts this Path, "<sip:…;lr>", into each REGISTER; "" : there is none.
    std::string edge_path{};
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

}  // namespace holdfast::lab
