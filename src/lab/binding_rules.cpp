#include "lab/binding_rules.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace holdfast::lab {

namespace {

std::string line(std::string_view name, std::string_view value) {
    return std::string(name) + ": " + std::string(value) + "\r\n";
}

std::string parameters_of(const sip::Contact& contact) {
    std::string text;
    for (const auto& parameter : contact.parameters) {
        if (equals_ignoring_case(parameter.name, "expires")) continue;
        text += ";" + std::string(parameter.name);
        if (!parameter.has_value) continue;
        text += parameter.was_quoted ? "=\"" + std::string(parameter.value) + "\""
                                     : "=" + std::string(parameter.value);
    }
    return text;
}

std::uint32_t asked_expires(const sip::Message& request, const sip::Contact& contact,
                            const RegistrarRules& rules) {
    if (contact.expires) return *contact.expires;
    return request.expires().value_or(rules.default_expires);
}

Binding binding_of(const sip::Message& request, const sip::Contact& contact, const Hop& flow,
                   const RegistrarRules& rules) {
    Binding binding{.contact = std::string(contact.uri.text),
                    .parameters = parameters_of(contact),
                    .instance = std::string(contact.instance()),
                    .reg_id = contact.reg_id().value_or(0),
                    .call_id = std::string(request.call_id()),
                    .cseq = request.cseq().number,
                    .flow = flow};
    binding.outbound = rules.outbound && request.supports("outbound") && binding.reg_id > 0 &&
                       !binding.instance.empty();
    return binding;
}

bool is_same(const Binding& a, const Binding& b, const RegistrarRules& rules) {
    if (rules.instance_is_key && !a.instance.empty() && a.instance == b.instance) return true;
    return same_binding(a, b);
}

// One Contact into the set; nothing, or why the whole request fails.
std::optional<int> update(std::vector<Binding>& bindings, Binding wanted, std::uint32_t seconds,
                          Instant now, const RegistrarRules& rules, bool& ignored) {
    const auto same = std::ranges::find_if(
        bindings, [&](const Binding& old) { return is_same(old, wanted, rules); });
    if (same != bindings.end() && same->call_id == wanted.call_id && wanted.cseq <= same->cseq) {
        switch (rules.equal_cseq) {
        case EqualCseq::refuse: return 500;
        case EqualCseq::accept_without_storing:
            if (wanted.cseq < same->cseq) return 500;
            ignored = true;
            return std::nullopt;
        }
    }
    // Keyed by instance, and refreshed in place: the later message wins, whatever it says.
    if (same != bindings.end()) bindings.erase(same);
    if (seconds == 0) return std::nullopt;
    wanted.expires = now + std::chrono::seconds(std::min(seconds, rules.max_expires));
    bindings.push_back(std::move(wanted));
    return std::nullopt;
}

}  // namespace

std::string contact_lines(const std::vector<Binding>& bindings, Instant now) {
    std::string lines;
    for (const auto& binding : bindings) {
        const auto left = std::chrono::ceil<std::chrono::seconds>(binding.expires - now).count();
        lines += line("Contact", "<" + binding.contact + ">" + binding.parameters +
                                     ";expires=" + std::to_string(left));
    }
    return lines;
}

RegisterResult apply_register(const sip::Message& request, std::vector<Binding> current,
                              const Hop& flow, Instant now, const RegistrarRules& rules) {
    RegisterResult result;
    if (request.contact_is_star()) {  // RFC 3261 §10.3, step 6
        if (request.expires() != 0U) return {.status = 400, .bindings = std::move(current)};
        return {.stored = true};
    }
    if (rules.max_contacts > 0 && request.contacts().size() > rules.max_contacts)
        return {.status = 503, .reason = "Too Many Contacts", .bindings = std::move(current)};
    auto bindings = current;
    bool outbound = false;
    bool ignored = false;
    for (const auto& contact : request.contacts()) {
        const auto seconds = asked_expires(request, contact, rules);
        if (seconds > 0 && seconds < rules.min_expires)
            return {.status = 423,
                    .extra_headers = line("Min-Expires", std::to_string(rules.min_expires)),
                    .bindings = std::move(current)};
        auto wanted = binding_of(request, contact, flow, rules);
        outbound = outbound || (wanted.outbound && seconds > 0);
        if (const auto failure = update(bindings, std::move(wanted), seconds, now, rules, ignored))
            return {
                .status = *failure, .reason = "CSeq Out Of Order", .bindings = std::move(current)};
    }
    if (rules.max_contacts > 0 && bindings.size() > rules.max_contacts)
        return {.status = 503, .reason = "Too Many Contacts", .bindings = std::move(current)};
    result.bindings = ignored ? std::move(current) : std::move(bindings);
    result.stored = !ignored && !request.contacts().empty();
    result.extra_headers = contact_lines(result.bindings, now);
    if (outbound) {
        result.extra_headers += line("Require", "outbound");
        if (rules.flow_timer > 0)
            result.extra_headers += line("Flow-Timer", std::to_string(rules.flow_timer));
    }
    for (const auto& path : request.paths()) result.extra_headers += line("Path", path.text);
    return result;
}

}  // namespace holdfast::lab
