// What engine_fuzz's engine says of its calls, and whether it keeps its word: every call begins
// once and ends once, nothing is told of it after that, its media end with it, and there are no
// more of them than the limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/outbox.h"
#include "engine/input.h"
#include "sip/message.h"

namespace holdfast::fuzz {

class CallBook {
public:
    void forget() { *this = CallBook(); }
    // Before the engine hears of it.
    void commanded(const in::Dial& dial);
    void on(const Event& event);
    void on(const out::Media& media);

    // Of the calls that the script can name: the newest first, or a number of nobody's.
    [[nodiscard]] CallRef some(std::uint8_t which) const;
    [[nodiscard]] CallRef next() const;  // not in use
    [[nodiscard]] std::size_t there() const { return live_.size(); }
    [[nodiscard]] const std::vector<CallRef>& all() const { return all_; }
    [[nodiscard]] bool is_stopped() const { return stopped_; }
    // Of the last Dial: it was not begun, for a call with its number is there.
    [[nodiscard]] bool is_taken() const { return taken_; }

private:
    void begin(CallRef call);
    void end(CallRef call);

    std::set<CallRef> live_;  // begun, and not ended
    std::set<CallRef> sounding_;
    std::vector<CallRef> all_;  // that there ever were, oldest first
    CallRef dialled_{};         // by the command that was the last to dial
    bool taken_ = false;
    bool stopped_ = false;
};

// RFC 3261 §12.2.1.1: requests in a dialog go where Contact and Record-Route of its peer lead, and
// to no other address that we were not told of. Of what cannot be read, or comes in pieces, any
// address counts for every dialog.
class Named {
public:
    void heard(std::string_view bytes);
    // Whom the user calls, or obeys in calling: a 2xx without Contact leads there (RFC 3261
    // §12.1.2).
    void called(const sip::Message& invite);
    // Whether a request of ours is one of a dialog: those have a tag of the peer's in To, but for a
    // peer of RFC 2543, which gives none (RFC 3261 §12.1.1, §12.1.2). Then its INVITE had none in
    // From, or its 2xx none in To, and what begins a call, or is a CANCEL, is still none.
    [[nodiscard]] bool is_in_dialog(const sip::Message& request) const;
    [[nodiscard]] bool leads_to(std::string_view call_id, const IpAddress& address) const;
    [[nodiscard]] bool leads_to(const IpAddress& address) const;  // of any dialog
    void forget() { *this = Named(); }

private:
    void note_tags(const sip::Message& message);
    void scan(std::string_view bytes);
    std::map<std::string, std::set<IpAddress>, std::less<>> by_call_;
    std::map<std::string, std::uint32_t, std::less<>> untagged_;  // CSeq of our INVITE; 0: theirs
    std::set<IpAddress> anywhere_;
    std::string tail_;  // of what could not be read
};

}  // namespace holdfast::fuzz
