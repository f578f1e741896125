#include "apps/phone/dialling.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "apps/phone/telephone.h"
#include "base/address.h"
#include "base/text.h"
#include "sip/uri.h"

namespace holdfast::phone {

namespace {

using Uri = std::expected<std::string, std::string>;

constexpr std::string_view separators = "-.() /";  // RFC 3966 §5.1.1, and as people write them

struct Parts {
    std::string_view whom;
    std::optional<std::string_view> after;  // behind the first comma that is no part of whom
};

bool has_scheme(std::string_view text, std::string_view scheme) {
    return text.size() > scheme.size() &&
           equals_ignoring_case(text.substr(0, scheme.size()), scheme) &&
           text[scheme.size()] == ':';
}
bool has_sip_scheme(std::string_view text) {
    return has_scheme(text, "sip") || has_scheme(text, "sips");
}

// Not past a comma: what stands there may be a PIN.
std::string in_quotes(std::string_view text) {
    const auto comma = text.find(',');
    return "\"" + std::string(text.substr(0, comma)) +
           (comma == std::string_view::npos ? "\"" : "…\"");
}

// A user part may hold commas (RFC 3261 §25.1), what comes after it may not.
std::expected<Parts, std::string> parts_of(std::string_view typed) {
    if (typed.starts_with('<')) {
        const auto end = typed.find('>');
        if (end == std::string_view::npos)
            return std::unexpected("The < in front has no > behind the URI");
        const auto rest = trimmed(typed.substr(end + 1));
        if (!rest.empty() && rest.front() != ',')
            return std::unexpected("Behind the > stand only a comma and digits to press");
        return Parts{trimmed(typed.substr(1, end - 1)),
                     rest.empty() ? std::nullopt : std::optional(rest.substr(1))};
    }
    const auto at = has_scheme(typed, "tel") ? std::string_view::npos : typed.find('@');
    const auto comma = typed.find(',', at == std::string_view::npos ? 0 : at);
    if (comma == std::string_view::npos) return Parts{typed, {}};
    return Parts{trimmed(typed.substr(0, comma)), typed.substr(comma + 1)};
}

// The first comma has been read already. What is wrong is not shown: it may be a PIN.
Uri digits_of(std::string_view after) {
    constexpr std::string_view pause = ",,";  // of 1 s each (media/dtmf.h)
    constexpr std::string_view keys = "0123456789*#ABCDabcd";
    if (after.size() > digits_after_most)
        return std::unexpected("Behind the first comma stand " + std::to_string(after.size()) +
                               " characters: " + std::to_string(digits_after_most) +
                               " are the most");
    std::string digits(pause);
    bool presses = false;
    for (const char c : after) {
        if (c == ',') {
            digits += pause;
        } else if (keys.find(c) != std::string_view::npos) {
            digits += c;
            presses = true;
        } else if (c != ' ') {
            return std::unexpected(
                "Behind a comma stand the digits to press once the call is answered, 0-9 * # A-D, "
                "and more commas, each a pause of 2 s");
        }
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

Uri telephone_uri(std::string_view text, const Caller& caller) {
    const auto user = user_of_telephone(trimmed(text.substr(4)));
    if (!user)
        return std::unexpected(in_quotes(text) +
                               " is no telephone number (tel:+49-30-1234): " + user.error());
    return at_domain(*user, caller, ";user=phone");
}

std::string bare_number(std::string_view text) {
    std::string number(text);
    std::erase_if(number, [](char c) { return separators.find(c) != std::string_view::npos; });
    return number;
}

bool looks_like_a_number(std::string_view text) {
    return text.find_first_not_of("+0123456789*#-.() /") == std::string_view::npos;
}

// Feature codes begin with * or #, whole numbers with +: a prefix would make something else of
// them. So it would of the voicemail and what is picked up.
bool takes_prefix(std::string_view number) {
    return std::string_view("+*#").find(number.front()) == std::string_view::npos;
}
bool is_own_code(std::string_view number, const Dialling& dialling) {
    const auto comma = dialling.voicemail.find(',');
    const auto voicemail = bare_number(dialling.voicemail.substr(0, comma));
    return number == voicemail || (!dialling.pickup.empty() && number.starts_with(dialling.pickup));
}

Uri number_uri(std::string_view text, const Caller& caller) {
    auto number = bare_number(text);
    if (!is_dialable(number))
        return std::unexpected(in_quotes(text) + " is no number: it has 1 to " +
                               std::to_string(planned_number_most) +
                               " of 0-9 * #, and a + only in front");
    if (is_own_code(number, caller.dialling)) return at_domain(escaped_user(number), caller);
    auto by_plan = planned(caller.dialling.plan, number);
    if (!by_plan) return std::unexpected(by_plan.error());
    if (*by_plan)
        number = **by_plan;
    else if (takes_prefix(number))
        number.insert(0, caller.dialling.prefix);
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
    typed = trimmed(typed);
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
        return std::unexpected(std::string(caller.aor) +
                               " has no voicemail number: say it with --voicemail, or as voicemail "
                               "= \"NUMBER\" in the configuration");
    const Dialling as_it_is;
    return dialled(caller.dialling.voicemail, {.aor = caller.aor, .dialling = as_it_is});
}

std::expected<std::string, std::string> pickup_of(std::string_view extension,
                                                  const Caller& caller) {
    const auto number = bare_number(extension);
    if (caller.dialling.pickup.empty())
        return std::unexpected(std::string(caller.aor) +
                               " has no pickup code: say it with --pickup, or as pickup = "
                               "\"CODE\" in the configuration");
    if (number.empty() || !is_dialable(caller.dialling.pickup + number))
        return std::unexpected(in_quotes(extension) +
                               " is no extension whose call could be picked up: it has digits");
    return at_domain(escaped_user(caller.dialling.pickup + number), caller);
}

bool is_dialling_prefix(std::string_view text) {
    return text.size() <= dialling_prefix_most && (text == "+" || is_dialable(text));
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

}  // namespace holdfast::phone
