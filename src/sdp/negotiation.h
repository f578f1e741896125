// The offer/answer model (RFC 3264) for one call: which description is whose, in which state, and
// what was agreed. Text in, text out; no I/O.
//
//     Negotiation ours{{.session_id = "…"}};          Negotiation theirs{…};
//     invite.body = ours.make_offer(streams);
//                                                     ok.body = *theirs.on_offer(invite.body,
//                                                     mine);
//     ours.on_answer(ok.body);                        theirs.agreement()
//     ours.agreement()
//
// m-lines keep their places for the whole call: one that is not wanted any more has port 0, and its
// place may be used again (§8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sdp/agreement.h"
#include "sdp/description.h"
#include "sdp/stream.h"

namespace holdfast::sdp {

struct NegotiationOptions {
    std::string session_id = "1";  // a number, unlike that of other calls (RFC 8866 §5.2)
    std::string user = "-";
    std::string name = "-";
    bool offerers_order =
        false;               // codecs in an answer: as offered (§6.1's SHOULD), else as we like
    bool one_codec = false;  // an answer names one codec (and its events) only
};

struct Problem {
    // Which SIP answer says it: 400 unreadable, 488 nothing in common (RFC 3261 §21.4.26).
    int status = 488;
    std::string words;  // for a person
};

class Negotiation {
public:
    explicit Negotiation(NegotiationOptions options) : options_(std::move(options)) {}

    // Our offer; an answer is awaited from then on. With the same streams as before the same text,
    // o= included (§8).
    std::string make_offer(std::span<const LocalStream> streams);
    // The answer to our offer. A problem leaves the offer open: withdraw() it.
    std::expected<void, Problem> on_answer(std::string_view answer);
    // The other side's offer: our answer to it, agreed at once. A problem changes nothing.
    std::expected<std::string, Problem> on_offer(std::string_view offer,
                                                 std::span<const LocalStream> streams);
    // Our offer was refused (§8, RFC 3261 §14.1): as before it.
    void withdraw();

    [[nodiscard]] bool is_offering() const { return offered_.has_value(); }
    // What holds now; nothing before the first answer. A new offer does not change it.
    [[nodiscard]] const std::optional<Agreement>& agreement() const { return agreement_; }

private:
    struct Slot {                           // one m-line, for the whole call
        std::optional<std::size_t> stream;  // which local stream it carries
        std::string kind;
        std::string protocol;
        std::vector<std::string> formats;  // as last written: a rejected m-line repeats them
    };
    struct Offered {
        std::vector<LocalStream> streams;
        std::vector<Slot> slots;
        std::string text;
        std::uint64_t version = 0;
        std::map<std::string, std::uint8_t> payload_types;
    };

    // Numbers the formats: static, as wished, or the same as ever in this call (§8.3.2).
    void number(LocalStream& stream);
    std::uint8_t payload_type_for(const Codec& codec);
    [[nodiscard]] static std::string key_of(const Codec& codec);
    void place(std::vector<Slot>& slots, std::span<const LocalStream> streams) const;
    [[nodiscard]] Description begin(std::span<const LocalStream> streams) const;
    // With o= as before if nothing else differs, else one version later.
    std::string finish(Description description);
    void note_restarts(Agreement& agreement) const;

    NegotiationOptions options_;
    std::vector<Slot> slots_;
    std::map<std::string, std::uint8_t> payload_types_;  // format → number, ours
    std::string last_;                                   // our last text
    std::uint64_t version_ = 0;
    std::optional<Offered> offered_;  // what is to be restored by withdraw(), and what was offered
    std::optional<Agreement> agreement_;
};

}  // namespace holdfast::sdp
