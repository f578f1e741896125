// What a person types to call somebody, read: the URI that is called, and the digits that are
// pressed once the call is answered. No I/O; what cannot be dialled is said in a sentence, in
// which no digits after a comma stand (they may be a PIN).
//
//   dialled("030 1234", {.aor = "sip:alice@example.test", .dialling = …})
//                                  → sip:0301234@example.test, by the account's plan and prefix
//   dialled("tel:+49-30-1234", …)  → sip:+49301234@example.test;user=phone
//   dialled("*97,,1234#", …)       → sip:*97@example.test, then 4 s, then four digits and a #
//   dialled("*97p1234#", …)        → the same after 2 s, as address books of phones have it
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "apps/phone/dial_plan.h"

namespace holdfast::phone {

constexpr std::size_t typed_most = 1000;  // octets of what is typed
constexpr std::size_t digits_after_most =
    63;  // after the first comma, commas too: in all 128 of the media
constexpr std::size_t dialling_code_most = 16;      // digits of a prefix, code, emergency number
constexpr std::size_t emergency_numbers_most = 50;  // of one account

// How numbers are dialled with an account.
struct Dialling {
    std::string prefix{};  // before plain numbers that no rule of the plan fits; "": none
    DialPlan plan{};
    // Dialled as they are, whatever prefix and plan say. What most of the world dials for help
    // (docs/control.md says why these).
    std::vector<std::string> emergency{"112", "911", "999", "110", "000"};
    std::string voicemail{};  // as it would be typed; "": none
    std::string pickup{};     // before the extension whose call is taken; "": none
    friend bool operator==(const Dialling&, const Dialling&) = default;
};

struct Caller {
    std::string_view aor;  // whose domain a number or a name is of; "": only whole URIs are called
    const Dialling& dialling;
};

struct Dialled {
    std::string uri;       // sip or sips
    std::string digits{};  // as the media have them, a comma is 1 s; "": none
    friend bool operator==(const Dialled&, const Dialled&) = default;
};

// sip:, sips: and tel: URIs, user@host, numbers and names. Each comma after that is a pause of 2 s,
// so is a p after a number; a ; or w, which would wait for a key, is refused (typed_number.h).
std::expected<Dialled, std::string> dialled(std::string_view typed, const Caller& caller);
// For what is called by somebody else, who presses nothing: a transfer's target.
std::expected<std::string, std::string> target_of(std::string_view typed, const Caller& caller);
// These two are dialled as they are; what the plan refuses is not picked up. The error says which
// key is missing, if it is.
std::expected<Dialled, std::string> voicemail_of(const Caller& caller);
std::expected<std::string, std::string> pickup_of(std::string_view extension, const Caller& caller);

// 1 to dialling_code_most of 0-9 * # and, in front, +.
bool is_dialling_prefix(std::string_view text);
// A pickup code or an emergency number: the same without a +.
bool is_dialling_code(std::string_view text);

// "sip:alice@example.test" of "SIP:alice@Example.TEST": as it is, but scheme and host in lower
// case. Needs a host.
std::expected<std::string, std::string> sip_uri_of(std::string_view text);

// Whether both URIs are sip or sips and lead to the same user of the same host, by whichever port
// and transport (RFC 3261 §19.1.4: %61lice is alice).
bool are_same_callee(std::string_view a, std::string_view b);

}  // namespace holdfast::phone
