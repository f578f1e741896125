#include "lab/binding_rules.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

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

// What the request's Path headers say, that of the edge in front of the registrar on top.
std::string path_lines(const sip::Message& request, const RegistrarRules& rules) {
    std::string lines;
    if (!rules.edge_path.empty()) lines += line("Path", rules.edge_path);
    for (const auto& path : request.paths()) lines += line("Path", path.text);
    return lines;
}

std::uint32_t shifted(std::uint32_t seconds, const RegistrarRules& rules) {
    const std::int64_t sum = std::int64_t{seconds} + rules.granted_shift;
    return static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(sum, rules.min_expires, rules.max_expires));
}

// Of more than nothing, as far as it is not for max_expires to say.
std::uint32_t granted(std::uint32_t seconds, const RegistrarRules& rules) {
    if (rules.forced_expires > 0) return rules.forced_expires;
    if (rules.granted_percent < 100)
        seconds = std::max(seconds * rules.granted_percent / 100, rules.min_expires);
    return rules.raises_brief_expires ? std::max(seconds, rules.min_expires) : seconds;
}

std::uint32_t asked_expires(const sip::Message& request, const sip::Contact& contact,
                            const RegistrarRules& rules) {
    auto seconds = contact.expires.value_or(request.expires().value_or(rules.default_expires));
    if (rules.expires_header_first) seconds = request.expires().value_or(seconds);
    if (seconds == 0) return 0;
    seconds = granted(seconds, rules);
    return rules.granted_shift == 0 ? seconds : shifted(seconds, rules);
}

// The URI with another host and port.
std::string moved_to(const sip::Uri& uri, const Endpoint& there) {
    const auto host = static_cast<std::size_t>(uri.host.data() - uri.text.data());
    auto end = host + uri.host.size();
    if (end < uri.text.size() && uri.text[end] == ':') end = uri.text.find_first_of(";?", end);
    const auto rest = end < uri.text.size() ? uri.text.substr(end) : std::string_view{};
    return std::string(uri.text.substr(0, host)) + there.to_string() + std::string(rest);
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == ':')
            out += "%3A";
        else if (c == '@')
            out += "%40";
        else
            out += c;
    }
    return out;
}

Binding binding_of(const sip::Message& request, const sip::Contact& contact, const Hop& flow,
                   const RegistrarRules& rules) {
    Binding binding{.contact = std::string(contact.uri.text),
                    .listed_as = {},
                    .parameters = parameters_of(contact),
                    .instance = std::string(contact.instance()),
                    .reg_id = contact.reg_id().value_or(0),
                    .call_id = std::string(request.call_id()),
                    .cseq = request.cseq().number,
                    .flow = flow};
    if (rules.rewrites_contact && &contact == request.contacts().data()) {
        binding.contact = moved_to(contact.uri, flow.remote);
        // Asterisk writes the old address back only where the host differed.
        if (contact.uri.host_address() != flow.remote.address) binding.listed_as = contact.uri.text;
    }
    if (rules.marks_contact)
        binding.contact += ";fs_nat=yes;fs_path=" + escaped("sip:" + std::string(contact.uri.user) +
                                                            "@" + flow.remote.to_string());
    binding.outbound = rules.outbound && request.supports("outbound") && binding.reg_id > 0 &&
                       !binding.instance.empty();
    return binding;
}

bool is_same(const Binding& old, const Binding& wanted, const RegistrarRules& rules) {
    const bool instance = !wanted.instance.empty() && old.instance == wanted.instance;
    switch (rules.key) {
    case BindingKey::uri: return same_binding(old, wanted);
    case BindingKey::instance: return instance || same_binding(old, wanted);
    case BindingKey::instance_and_reg_id:
        return wanted.instance.empty() ? same_binding(old, wanted)
                                       : instance && old.reg_id == wanted.reg_id;
    case BindingKey::call_id: return old.call_id == wanted.call_id;
    case BindingKey::aor: return true;
    }
    return false;
}

// A REGISTER at work on the bindings of its AOR.
class Change {
public:
    Change(const sip::Message& request, std::vector<Binding> current, const Hop& flow, Instant now,
           const RegistrarRules& rules)
        : request_(request), bindings_(std::move(current)), flow_(flow), now_(now), rules_(rules) {}

    // Every Contact in order. Nothing, or why the whole request fails.
    std::optional<RegisterResult> apply() {
        if (rules_.too_many == TooMany::refuse_several && rules_.max_contacts > 0 &&
            request_.contacts().size() > rules_.max_contacts)
            return too_many();
        for (const auto& contact : request_.contacts()) {
            if (auto failure = take(contact)) return failure;
            if (stop_) break;
        }
        return make_room();
    }
    [[nodiscard]] std::vector<Binding> take_bindings() { return std::move(bindings_); }
    [[nodiscard]] bool stored() const { return stored_; }
    [[nodiscard]] bool outbound() const { return outbound_; }

private:
    enum class Cseq : std::uint8_t { good, pass_over, bad };

    [[nodiscard]] Cseq check_cseq(const Binding& old, const Binding& wanted) const {
        const bool by_instance = rules_.cseq_unchecked_with_instance && !wanted.instance.empty();
        if (by_instance || old.call_id != wanted.call_id || wanted.cseq > old.cseq)
            return Cseq::good;
        switch (rules_.equal_cseq) {
        case EqualCseq::refuse: return Cseq::bad;
        case EqualCseq::accept_without_storing:
            return wanted.cseq < old.cseq ? Cseq::bad : Cseq::pass_over;
        case EqualCseq::unchecked: return Cseq::good;
        }
        return Cseq::good;
    }

    std::optional<RegisterResult> take(const sip::Contact& contact) {
        const auto seconds = asked_expires(request_, contact, rules_);
        if (seconds > 0 && seconds < rules_.min_expires && rules_.forced_expires == 0)
            return RegisterResult{
                .status = 423,
                .extra_headers = line("Min-Expires", std::to_string(rules_.min_expires))};
        auto wanted = binding_of(request_, contact, flow_, rules_);
        if (rules_.first_hop_lacks_outbound && seconds > 0 && wanted.reg_id > 0 &&
            request_.supports("outbound"))
            return RegisterResult{.status = 439, .reason = "First Hop Lacks Outbound Support"};
        if (seconds > 0 && others_have_all(wanted)) return too_many();
        outbound_ = outbound_ || (wanted.outbound && seconds > 0);
        stop_ = rules_.first_contact_only;
        const auto same = std::ranges::find_if(
            bindings_, [&](const Binding& old) { return is_same(old, wanted, rules_); });
        if (same != bindings_.end()) {
            switch (check_cseq(*same, wanted)) {
            case Cseq::bad:
                return RegisterResult{.status = rules_.bad_cseq_status,
                                      .reason = "CSeq Out Of Order"};
            case Cseq::pass_over: return std::nullopt;
            case Cseq::good: break;
            }
            drop_instance_of(*same, wanted);
        } else if (seconds > 0 && is_full()) {
            return too_many();
        }
        stored_ = true;
        // Refreshed in place: the later message wins, whatever it says.
        std::erase_if(bindings_, [&](const Binding& old) { return is_same(old, wanted, rules_); });
        if (seconds == 0) return std::nullopt;
        wanted.expires = now_ + std::chrono::seconds(std::min(seconds, rules_.max_expires));
        ++named_;
        bindings_.push_back(std::move(wanted));
        return std::nullopt;
    }

    void drop_instance_of(const Binding& same, const Binding& wanted) {
        if (!rules_.new_call_id_drops_instance || wanted.instance.empty() ||
            same.call_id == wanted.call_id)
            return;
        stop_ = true;
        std::vector<Binding> kept;  // `same` is one of bindings_
        kept.reserve(bindings_.size());
        for (const auto& old : bindings_)
            if (&old == &same || old.instance != wanted.instance) kept.push_back(old);
        bindings_ = std::move(kept);
    }

    [[nodiscard]] bool is_full() const {
        return rules_.max_contacts > 0 && rules_.too_many == TooMany::refuse_on_the_way &&
               bindings_.size() >= rules_.max_contacts;
    }
    [[nodiscard]] bool others_have_all(const Binding& wanted) const {
        if (rules_.max_contacts == 0 || rules_.too_many != TooMany::refuse_other_calls)
            return false;
        const auto others = std::ranges::count_if(
            bindings_, [&](const Binding& old) { return old.call_id != wanted.call_id; });
        return static_cast<std::size_t>(others) >= rules_.max_contacts;
    }
    [[nodiscard]] RegisterResult too_many() const {
        RegisterResult refusal{.status = rules_.too_many_status,
                               .reason = rules_.too_many_status == 503 ? "Too Many Contacts" : ""};
        if (rules_.too_many_retry_after > 0)
            refusal.extra_headers =
                line("Retry-After", std::to_string(rules_.too_many_retry_after));
        return refusal;
    }
    // What the REGISTER named stands at the end.
    std::optional<RegisterResult> make_room() {
        const auto most = rules_.max_contacts;
        if (most == 0 || bindings_.size() <= most) return std::nullopt;
        if (rules_.too_many == TooMany::refuse_other_calls) return std::nullopt;
        if (rules_.too_many != TooMany::drop_the_soonest || named_ > most) return too_many();
        const auto named = bindings_.end() - static_cast<std::ptrdiff_t>(named_);
        std::sort(bindings_.begin(), named,
                  [](const Binding& a, const Binding& b) { return a.expires < b.expires; });
        bindings_.erase(bindings_.begin(), bindings_.end() - static_cast<std::ptrdiff_t>(most));
        return std::nullopt;
    }

    const sip::Message& request_;
    std::vector<Binding> bindings_;
    const Hop& flow_;
    Instant now_;
    const RegistrarRules& rules_;
    std::size_t named_ = 0;  // of the bindings, the last so many
    bool stored_ = false;
    bool outbound_ = false;
    bool stop_ = false;
};

// RFC 5627 §5: the AOR with the instance-id as its `gr`.
std::string gruu_of(const sip::Message& request, const Binding& binding) {
    const auto& to = request.to().uri;
    const auto aor = to.text.substr(0, to.text.find(';'));
    return ";pub-gruu=\"" + std::string(aor) + ";gr=" + binding.instance + "\"";
}

// "Contact: <…>;expires=…" lines of a 200.
std::string contact_lines(const sip::Message& request, const std::vector<Binding>& bindings,
                          Instant now, const RegistrarRules& rules) {
    std::string lines;
    for (const auto& binding : bindings) {
        const auto left = std::chrono::ceil<std::chrono::seconds>(binding.expires - now).count();
        std::string value =
            "<" + (binding.listed_as.empty() ? binding.contact : binding.listed_as) + ">";
        if (!rules.lists_uris_only) value += binding.parameters;
        value += ";expires=" + std::to_string(left);
        if (rules.lists_received)
            value += ";received=\"sip:" + binding.flow.remote.to_string() + "\"";
        if (rules.gruu && request.supports("gruu") && !binding.instance.empty())
            value += gruu_of(request, binding);
        lines += line("Contact", value);
    }
    return lines;
}

// The Contacts as they were asked for, the first with what was granted.
std::string echoed_lines(const sip::Message& request, const RegistrarRules& rules) {
    std::string lines;
    for (const auto& contact : request.contacts()) {
        const bool first = &contact == request.contacts().data();
        const auto seconds = first ? asked_expires(request, contact, rules)
                                   : contact.expires.value_or(rules.default_expires);
        lines +=
            line("Contact", "<" + std::string(contact.uri.text) + ">" + parameters_of(contact) +
                                ";expires=" + std::to_string(seconds));
    }
    return lines;
}

}  // namespace

RegisterResult apply_register(const sip::Message& request, std::vector<Binding> current,
                              const Hop& flow, Instant now, const RegistrarRules& rules) {
    RegisterResult result;
    if (request.contact_is_star()) {  // RFC 3261 §10.3, step 6
        if (request.expires() != 0U) return {.status = 400, .bindings = std::move(current)};
        return {.stored = true};
    }
    if (request.contacts().empty() && rules.refuses_fetch)
        return {.status = 400, .reason = "Missing Contact Header"};
    const auto paths = path_lines(request, rules);
    if (rules.path_mode == PathMode::strict && !paths.empty() && !request.supports("path"))
        return {.status = 420,
                .extra_headers = line("Unsupported", "path") + paths,
                .bindings = std::move(current)};
    Change change(request, current, flow, now, rules);
    if (auto failure = change.apply()) {
        failure->bindings = std::move(current);
        return std::move(*failure);
    }
    result.stored = change.stored();
    result.bindings = change.take_bindings();
    result.extra_headers = rules.echoes_contacts
                               ? echoed_lines(request, rules)
                               : contact_lines(request, result.bindings, now, rules);
    if (rules.echoes_expires && request.expires()) {
        const auto seconds = *request.expires() == 0
                                 ? 0
                                 : std::min(granted(*request.expires(), rules), rules.max_expires);
        result.extra_headers += line("Expires", std::to_string(seconds));
    }
    if (change.outbound()) {
        result.extra_headers += line("Require", "outbound");
        if (rules.flow_timer > 0)
            result.extra_headers += line("Flow-Timer", std::to_string(rules.flow_timer));
    }
    if (rules.path_mode != PathMode::off && request.supports("path")) result.extra_headers += paths;
    return result;
}

}  // namespace holdfast::lab
