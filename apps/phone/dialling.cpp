#include "apps/phone/dialling.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "apps/phone/telephone.h"
#include "apps/phone/typed_number.h"
#include "base/address.h"
#include "base/text.h"
#include "sip/parameters.h"
#include "sip/uri.h"

namespace holdfast::phone {

namespace {

using Uri = std::expected<std::string, std::string>;

struct Parts {
    std::string_view whom;
    std::optional<std::string_view> after;  // from the sign on that is no part of whom
};

bool has_scheme(std::string_view text, std::string_view scheme) {
    return text.size() > scheme.size() &&
           equals_ignoring_case(text.substr(0, scheme.size()), scheme) &&
           text[scheme.size()] == ':';
}
bool has_sip_scheme(std::string_view text) {
    return has_scheme(text, "sip") || has_scheme(text, "sips");
}

std::expected<Parts, std::string> parts_of(std::string_view typed) {
    if (typed.starts_with('<')) {
        const auto end = typed.find('>');
        if (end == std::string_view::npos)
            return std::unexpected("The < in front has no > behind the URI");
        const auto rest = without_marks(typed.substr(end + 1));
        if (!rest.empty() && pause_sign(rest).size == 0)
            return std::unexpected("Behind the > stand only a comma and digits to press");
        return Parts{without_marks(typed.substr(1, end - 1)),
                     rest.empty() ? std::nullopt : std::optional(rest)};
    }
    const bool is_uri = has_sip_scheme(typed) || typed.contains('@');
    const auto at = has_scheme(typed, "tel") ? pause_in_telephone(typed)
                    : is_uri                 ? pause_in_uri(typed)
                                             : pause_in_bare(typed);
    if (at == std::string_view::npos) return Parts{typed, {}};
    return Parts{without_marks(typed.substr(0, at)), typed.substr(at)};
}

std::string who_lacks(const Caller& caller) {
    return caller.aor.empty() ? std::string("This phone, without an account,")
                              : std::string(caller.aor);
}

// From the first sign on. What is wrong is not shown: it may be a PIN.
Uri digits_of(std::string_view text) {
    constexpr std::string_view pause = ",,";  // of 1 s each (media/dtmf.h)
    constexpr std::string_view keys = "0123456789*#ABCDabcd";
    const auto decoded = sip::percent_decode(text);  // of a link: %2C, %23
    if (decoded.size() > digits_after_most + 1)
        return std::unexpected(
            "Behind the first comma stand " + std::to_string(decoded.size() - 1) +
            " characters: " + std::to_string(digits_after_most) + " are the most");
    std::string digits;
    bool presses = false;
    for (auto rest = std::string_view(decoded); !rest.empty();) {
        const auto sign = pause_sign(rest);
        const auto size = std::max(sign.size, separator_size(rest));
        if (sign.waits)
            return std::unexpected(
                "A ; or w waits for a key before what stands behind it is pressed, which is not "
                "offered: write commas, each a pause of 2 s, or press the digits in the call "
                "(parameters are for URIs: tel:… or sip:…)");
        if (sign.size > 0) {
            digits += pause;
        } else if (size == 0 && keys.contains(rest.front())) {
            digits += rest.front();
            presses = true;
        } else if (size == 0) {
            return std::unexpected(
                "Behind a comma stand the digits to press once the call is answered, 0-9 * # A-D, "
                "and more commas, each a pause of 2 s");
        }
        rest.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return presses ? digits : std::string{};
}

Uri at_domain(std::string_view user, const Caller& caller, std::string_view parameters = {}) {
    const auto at = caller.aor.rfind('@');
    if (at == std::string_view::npos)
        return std::unexpected(
            "Without an account only a whole URI can be called (sip:bob@example.test)");
    const auto scheme = caller.aor.substr(0, caller.aor.find(':') + 1);
    return sip_uri_of(joined({scheme, user, caller.aor.substr(at), parameters}));
}

// RFC 3261 §19.1.1, table 1: neither may stand in a Request-URI; §19.1.5: a link is not to decide
// what else a request says.
Uri called_uri(std::string_view text) {
    auto uri = sip_uri_of(text);
    if (!uri) return uri;
    const auto parsed = sip::OwnedUri::parse(*uri);
    if (parsed && !parsed->get().headers.empty())
        return std::unexpected(in_quotes(text) +
                               " asks for headers of its own (behind the ?), which are not "
                               "sent: leave them out");
    if (parsed && parsed->get().parameters.has("method"))
        return std::unexpected(in_quotes(text) + " names a method: leave it out");
    return uri;
}

// Its parameters are not shown: some have digits of their own.
Uri telephone_uri(std::string_view text, const Caller& caller) {
    const auto user = user_of_telephone(trimmed(text.substr(4)));
    const auto parameters = text.find(';');
    if (!user)
        return std::unexpected(
            in_quotes(text.substr(0, parameters)) +
            (parameters == std::string_view::npos ? "" : " with its parameters") +
            " is no telephone number (tel:+49-30-1234): " + user.error());
    return at_domain(*user, caller, ";user=phone");
}

// Feature codes begin with * or #, whole numbers with +: a prefix would make something else of
// them. So it would of what is picked up.
bool takes_prefix(std::string_view number, const Dialling& dialling) {
    if (std::string_view("+*#").contains(number.front())) return false;
    return dialling.pickup.empty() || !number.starts_with(dialling.pickup);
}
// Neither the plan nor the prefix may keep a person from help. The voicemail is the user's own.
bool is_dialled_as_it_is(const std::string& number, const Dialling& dialling) {
    if (std::ranges::find(dialling.emergency, number) != dialling.emergency.end()) return true;
    const auto voicemail = parts_of(dialling.voicemail);
    return voicemail && !voicemail->whom.empty() && number == bare_number(voicemail->whom);
}

// What the plan says of it: what is dialled, nothing if no rule fits, or that it is refused.
Uri number_uri(std::string_view text, const Caller& caller) {
    auto number = bare_number(text);
    if (!is_dialable(number))
        return std::unexpected(in_quotes(text) + " is no number: it has 1 to " +
                               std::to_string(planned_number_most) +
                               " of 0-9 * #, and a + only in front");
    if (is_dialled_as_it_is(number, caller.dialling))
        return at_domain(escaped_user(number), caller);
    auto by_plan = planned(caller.dialling.plan, number);
    if (!by_plan) return std::unexpected(by_plan.error());
    if (*by_plan)
        number = **by_plan;
    else if (takes_prefix(number, caller.dialling))
        number.insert(0, caller.dialling.prefix);
    if (number.size() > planned_number_most)
        return std::unexpected("With the prefix in front the number has " +
                               std::to_string(number.size()) +
                               " digits: " + std::to_string(planned_number_most) + " are the most");
    return at_domain(escaped_user(number), caller);
}

Uri uri_of(std::string_view whom, const Caller& caller) {
    if (whom.empty()) return std::unexpected("Nobody to call: no number, name or URI was typed");
    if (has_scheme(whom, "tel")) return telephone_uri(whom, caller);
    if (has_sip_scheme(whom)) return called_uri(whom);
    if (const auto address = IpAddress::parse(whom))
        return std::unexpected(in_quotes(whom) + " is an address and no number: sip:" +
                               (address->family() == Family::ipv6 && !whom.starts_with('[')
                                    ? "[" + std::string(whom) + "]"
                                    : std::string(whom)) +
                               " calls who is there");
    const auto colon = whom.find(':');
    if (colon < whom.find('@'))
        return std::unexpected(in_quotes(whom) +
                               " cannot be called: what has a colon begins with sip:, sips: or "
                               "tel:");
    if (whom.contains('@')) return called_uri("sip:" + std::string(whom));
    if (looks_like_a_number(whom)) return number_uri(whom, caller);
    return at_domain(escaped_user(whom), caller);
}

}  // namespace

std::expected<Dialled, std::string> dialled(std::string_view typed, const Caller& caller) {
    typed = without_marks(typed);
    if (typed.size() > typed_most)
        return std::unexpected("Whom to call has " + std::to_string(typed.size()) +
                               " octets: " + std::to_string(typed_most) + " are the most");
    const auto parts = parts_of(typed);
    if (!parts) return std::unexpected(parts.error());
    auto uri = uri_of(parts->whom, caller);
    if (!uri) return std::unexpected(uri.error());
    if (!parts->after) return Dialled{*std::move(uri)};
    auto digits = digits_of(*parts->after);
    if (!digits) return std::unexpected(digits.error());
    return Dialled{*std::move(uri), *std::move(digits)};
}

std::expected<std::string, std::string> target_of(std::string_view typed, const Caller& caller) {
    auto read = dialled(typed, caller);
    if (!read) return std::unexpected(read.error());
    if (!read->digits.empty())
        return std::unexpected(
            "Who is transferred presses no digits: leave out what stands behind the comma");
    return std::move(read->uri);
}

std::expected<Dialled, std::string> voicemail_of(const Caller& caller) {
    if (caller.dialling.voicemail.empty())
        return std::unexpected(who_lacks(caller) +
                               " has no voicemail number: say it with --voicemail, or as voicemail "
                               "= \"NUMBER\" in the configuration");
    const Dialling as_it_is;
    return dialled(caller.dialling.voicemail, {.aor = caller.aor, .dialling = as_it_is});
}

// What the plan refuses is refused, whatever dials it.
std::expected<std::string, std::string> pickup_of(std::string_view extension,
                                                  const Caller& caller) {
    const auto& code = caller.dialling.pickup;
    if (code.empty())
        return std::unexpected(who_lacks(caller) +
                               " has no pickup code: say it with --pickup, or as pickup = "
                               "\"CODE\" in the configuration");
    const auto number = code + bare_number(extension);
    if (number.size() == code.size() || !is_dialable(number))
        return std::unexpected(in_quotes(extension) +
                               " is no extension whose call could be picked up: it has digits, "
                               "with the code " +
                               std::to_string(planned_number_most) + " at most");
    if (auto by_plan = planned(caller.dialling.plan, number); !by_plan)
        return std::unexpected(by_plan.error());
    return at_domain(escaped_user(number), caller);
}

bool is_dialling_prefix(std::string_view text) {
    return text.size() <= dialling_code_most && (text == "+" || is_dialable(text));
}
bool is_dialling_code(std::string_view text) {
    return text.size() <= dialling_code_most && is_dialable(text) && !text.starts_with('+');
}

std::expected<std::string, std::string> sip_uri_of(std::string_view text) {
    const auto owned = sip::OwnedUri::parse(text);
    if (!owned)
        return std::unexpected(in_quotes(text) +
                               " is no SIP URI: " + std::string(owned.error().reason) +
                               " at character " + std::to_string(owned.error().offset + 1));
    const auto& uri = owned->get();
    if (!uri.is_sip() || uri.host.empty())
        return std::unexpected(in_quotes(text) + " is no SIP URI (sip:alice@example.test)");
    const auto host_at = static_cast<std::size_t>(uri.host.data() - uri.text.data());
    std::string lower(uri.text);
    lower.replace(host_at, uri.host.size(), lower_case(uri.host));
    return lower.replace(0, uri.scheme_text.size(), lower_case(uri.scheme_text));
}

bool are_same_callee(std::string_view a, std::string_view b) {
    const auto one = sip::OwnedUri::parse(a);
    const auto other = sip::OwnedUri::parse(b);
    return one && other && one->get().is_sip() && other->get().is_sip() &&
           sip::percent_decode(one->get().user) == sip::percent_decode(other->get().user) &&
           equals_ignoring_case(one->get().host, other->get().host);
}

}  // namespace holdfast::phone
