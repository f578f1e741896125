// One binding of ours (reg-id 1 or 2): what lasts of it on disk (B1, B3), and how a 200 is read
// (B2, B8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "registration/machine.h"
#include "sip/message.h"

namespace holdfast::registration {

// A Contact that we put into a location service and that is not the current one: to be removed
// (B6).
struct OldContact {
    std::string uri;
    Target target;            // the server that took it
    std::int64_t ends = 0;    // seconds since 1970: then it has lapsed by itself
    std::uint32_t tries = 0;  // REGISTERs that named it with expires=0
    bool from_earlier_run = false;
};

// What is on disk before it is on the wire.
struct BindingIdentity {
    int reg_id = 1;
    std::string call_id;         // lasting (B1)
    std::string token;           // `;hf=`, 96 random bits
    std::uint32_t cseq = 0;      // last used
    std::uint32_t reserved = 0;  // numbers up to here are ours: one store a block of 64 (B3)
    bool from_earlier_run = false;
    std::optional<Target> last_target;  // affinity across restarts (L3)
    std::string contact;                // the current one's URI, "" : none
    std::int64_t contact_ends = 0;
    std::optional<Target> contact_target;
    std::vector<OldContact> olds;

    static BindingIdentity fresh(int reg_id, Random& random);
    [[nodiscard]] std::string encode() const;
    static std::optional<BindingIdentity> decode(std::string_view text, int reg_id);
    // The next CSeq; true in `store`: the block is used up, encode() must be stored before it is
    // sent.
    std::uint32_t next_cseq(bool& store);
    void add_old(const OldContact& old);
    // B3: what the last run had in the location service is old now, and what has lapsed is
    // forgotten. Stored ends are believed for a day: the clock may have been wrong.
    void begin_run(std::int64_t wall_clock);
    static constexpr std::int64_t longest_life = 86400;  // seconds
};

constexpr std::uint32_t cseq_block = 64;      // B3
constexpr std::uint32_t removal_tries = 3;    // B2
constexpr std::size_t gruu_longest = 512;     // octets; it stands twice in each proof (R1)
constexpr std::size_t old_contacts_most = 8;  // remembered per binding; more are left to expire

// How we recognise ourselves among the Contacts of a 200.
struct OurMarks {
    std::string_view token;        // of this binding
    std::string_view other_token;  // of our other binding, "" : none
    std::string_view instance;     // "urn:uuid:…"
    int reg_id = 1;
    std::string_view uri;                      // what we sent
    std::string_view user;                     // the AOR's
    std::vector<std::string_view> remembered;  // URIs of ours from before
};

struct Listing {
    const sip::Contact* current = nullptr;  // ours and what we sent (B8), nothing: unconfirmed
    std::vector<const sip::Contact*> old;   // ours and not current (B2)
    bool other_binding = false;             // our other flow's Contact is there
    std::size_t others = 0;                 // of other devices
    bool same_instance = false;  // one of them says it is us, with a URI we never had (B3)
};
Listing read_listing(const sip::Message& response, const OurMarks& marks);

// RFC 5627 §4.2: the GRUUs that a 200 gives to a Contact, "" where it gives none. What is no SIP
// URI with a `gr` parameter is none.
struct Gruus {
    std::string public_one;
    std::string temporary_one;
    friend bool operator==(const Gruus&, const Gruus&) = default;
};
Gruus gruus_of(const sip::Contact& contact);

// Whether the URI carries the token as `;hf=` (B1).
bool has_token(const sip::Uri& uri, std::string_view token);

}  // namespace holdfast::registration
