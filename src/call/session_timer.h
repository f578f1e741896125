// Session timer (RFC 4028): who refreshes a session, how often, and when it is over because nobody
// did. Values in seconds, as on the wire.
//
//     our INVITE or UPDATE        offer() are its headers; on_success() reads the 2xx
//     the peer's                  refusal_of() before anything else; on_answer() with our 2xx
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "sip/message.h"

namespace holdfast::call {

class SessionTimer {
public:
    // interval: what we ask for and agree to at most, 0: we ask for none, and keep the peer's;
    // never below `least`, which is 90 s at least (RFC 4028 §4).
    explicit SessionTimer(std::uint32_t interval, std::uint32_t least);

    enum class Do : std::uint8_t {
        nothing,
        refresh,  // half of the interval is over, and it is our turn (§7.2, §9)
        expire,   // nobody refreshed it: BYE (§10)
    };

    // Session-Expires and Min-SE of a request of ours that makes or refreshes the session (§7.1,
    // §7.4); "" : none.
    [[nodiscard]] std::string offer() const;
    // §7.2: the 2xx to it.
    void on_success(Instant now, const sip::Message& response);
    // §7.4: a 422; false: it names no interval that makes sense, or one that we had offered.
    bool on_too_small(const sip::Message& response);

    // §9: whether the peer's request asks for less than we allow. Then 422 with these headers.
    [[nodiscard]] std::optional<std::string> refusal_of(const sip::Message& request) const;
    // §9, Table 2: the session is agreed with our 2xx from now on; the 2xx's headers.
    std::string on_answer(Instant now, const sip::Message& request);

    Do on_time(Instant now);
    void stop() { refresh_at_ = ends_at_ = never; }
    [[nodiscard]] Instant next() const { return refresh_at_ < ends_at_ ? refresh_at_ : ends_at_; }
    [[nodiscard]] std::uint32_t interval() const { return agreed_; }  // 0: no timer
    [[nodiscard]] bool we_refresh() const { return we_refresh_; }

private:
    void run(Instant now, std::uint32_t interval, bool we_refresh);

    std::uint32_t wanted_;
    std::uint32_t least_;       // ours
    std::uint32_t min_se_ = 0;  // the largest that a 422 named
    std::uint32_t agreed_ = 0;
    bool we_refresh_ = false;
    Instant refresh_at_ = never;
    Instant ends_at_ = never;
};

}  // namespace holdfast::call
