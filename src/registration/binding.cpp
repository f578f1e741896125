#include "registration/binding.h"

#include <algorithm>

#include "base/broken_rule.h"
#include "base/text.h"

namespace holdfast::registration {

namespace {

// RFC 3261 §8.1.1.5: below 2^31; a lifetime of REGISTERs is left before that.
constexpr std::uint32_t cseq_most = 0x7000'0000;

// "word rest of the line"
std::pair<std::string_view, std::string_view> first_word(std::string_view line) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos) return {line, {}};
    return {line.substr(0, space), line.substr(space + 1)};
}

bool equal_uri(const sip::Uri& a, std::string_view b) {
    if (a.text == b) return true;  // what we sent, as most registrars repeat it
    const auto parsed = sip::OwnedUri::parse(b);
    return parsed && sip::equal(a, parsed->get());
}

// As they are drawn: letters, digits and hyphens.
bool is_plain(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z') || c == '-';
    });
}

}  // namespace

BindingIdentity BindingIdentity::fresh(int reg_id, Random& random) {
    BindingIdentity identity;
    identity.reg_id = reg_id;
    identity.call_id = random.token(128);
    identity.token = random.token(96);
    identity.cseq = static_cast<std::uint32_t>(random.below(1000));
    identity.reserved = identity.cseq;
    return identity;
}

std::uint32_t BindingIdentity::next_cseq(bool& store) {
    if (is_broken(BrokenRule::cseq_rises) && cseq > 0) return cseq;
    store = ++cseq > reserved;
    if (store) reserved = cseq + cseq_block - 1;
    return cseq;
}

void BindingIdentity::add_old(const OldContact& old) {
    const auto known = std::ranges::find(olds, old.uri, &OldContact::uri);
    if (known != olds.end()) {
        known->ends = std::max(known->ends, old.ends);
        return;
    }
    if (olds.size() == old_contacts_most) olds.erase(olds.begin());
    olds.push_back(old);
}

void BindingIdentity::begin_run(std::int64_t wall_clock) {
    if (!contact.empty() && contact_target) add_old({contact, *contact_target, contact_ends, 0});
    std::erase_if(olds, [&](const OldContact& old) { return old.ends <= wall_clock; });
    for (auto& old : olds) {
        old.ends = std::min(old.ends, wall_clock + longest_life);
        old.from_earlier_run = true;
    }
}

std::string BindingIdentity::encode() const {
    constexpr std::size_t usual = 288;  // octets, with an old Contact: allocated once
    std::string text;
    text.reserve(usual);
    append(text,
           {"call-id ", call_id, "\ntoken ", token, "\ncseq ", std::to_string(reserved), "\n"});
    if (last_target) append(text, {"target ", last_target->to_string(), "\n"});
    if (!contact.empty() && contact_target)
        append(text, {"contact ", std::to_string(contact_ends), " ", contact_target->to_string(),
                      " ", contact, "\n"});
    for (const auto& old : olds)
        append(text, {"old ", std::to_string(old.ends), " ", std::to_string(old.tries), " ",
                      old.target.to_string(), " ", old.uri, "\n"});
    return text;
}

std::optional<BindingIdentity> BindingIdentity::decode(std::string_view text, int reg_id) {
    BindingIdentity identity;
    identity.reg_id = reg_id;
    identity.from_earlier_run = true;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const auto [key, rest] = first_word(line);
        if (key == "call-id") identity.call_id = rest;
        if (key == "token") identity.token = rest;
        if (key == "cseq")
            identity.cseq = identity.reserved = parse_number<std::uint32_t>(rest).value_or(0);
        if (key == "target") identity.last_target = Target::parse(rest);
        if (key == "contact") {
            const auto [ends, behind] = first_word(rest);
            const auto [target, uri] = first_word(behind);
            identity.contact_ends =
                static_cast<std::int64_t>(parse_number<std::uint64_t>(ends).value_or(0));
            identity.contact_target = Target::parse(target);
            identity.contact = uri;
        }
        if (key == "old") {
            const auto [ends, behind] = first_word(rest);
            const auto [tries, behind_tries] = first_word(behind);
            const auto [target, uri] = first_word(behind_tries);
            const auto parsed = Target::parse(target);
            if (parsed && !uri.empty())
                identity.olds.push_back(
                    {std::string(uri), *parsed,
                     static_cast<std::int64_t>(parse_number<std::uint64_t>(ends).value_or(0)),
                     parse_number<std::uint32_t>(tries).value_or(0)});
        }
    }
    // What a damaged disk holds goes into no request: a line end in it would be a header of its
    // own.
    if (!is_plain(identity.call_id) || !is_plain(identity.token) || identity.cseq > cseq_most ||
        identity.olds.size() > old_contacts_most)
        return std::nullopt;
    if (!sip::OwnedUri::parse(identity.contact)) identity.contact.clear();
    std::erase_if(identity.olds,
                  [](const OldContact& old) { return !sip::OwnedUri::parse(old.uri); });
    return identity;
}

Gruus gruus_of(const sip::Contact& contact) {
    const auto checked = [](std::string_view text) -> std::string {
        if (text.empty() || text.size() > gruu_longest) return {};
        const auto uri = sip::OwnedUri::parse(text);
        const bool is_gruu = uri && uri->get().is_sip() && !uri->get().host.empty() &&
                             uri->get().parameters.has("gr");
        return is_gruu ? std::string(text) : std::string{};
    };
    return {.public_one = checked(contact.pub_gruu()),
            .temporary_one = checked(contact.temp_gruu())};
}

bool has_token(const sip::Uri& uri, std::string_view token) {
    const auto value = uri.parameters.find("hf");
    return value && !token.empty() && equals_ignoring_case(*value, token);
}

Listing read_listing(const sip::Message& response, const OurMarks& marks) {
    Listing listing;
    const auto contacts = response.contacts();
    const auto ours_by_token = [&](const sip::Contact& c) { return has_token(c.uri, marks.token); };
    const auto remembered = [&](const sip::Contact& c) {
        return std::ranges::any_of(marks.remembered,
                                   [&](std::string_view uri) { return equal_uri(c.uri, uri); });
    };
    const auto first = [&](auto&& is) -> const sip::Contact* {
        const auto found = std::ranges::find_if(contacts, is);
        return found == contacts.end() ? nullptr : &*found;
    };
    // B8, first match: token (with the URI we sent, if several carry it); instance with reg-id;
    // equal URI; the only Contact with our user.
    const auto sent = [&](const sip::Contact& c) { return equal_uri(c.uri, marks.uri); };
    listing.current = first([&](const auto& c) { return ours_by_token(c) && sent(c); });
    if (listing.current == nullptr)
        listing.current = first([&](const auto& c) { return ours_by_token(c) && !remembered(c); });
    if (listing.current == nullptr)
        listing.current = first([&](const auto& c) {
            return !remembered(c) && equals_ignoring_case(c.instance(), marks.instance) &&
                   c.reg_id() == static_cast<std::uint32_t>(marks.reg_id) &&
                   !has_token(c.uri, marks.other_token);
        });
    if (listing.current == nullptr) listing.current = first(sent);
    if (listing.current == nullptr) {
        const auto with_user = [&](const auto& c) {
            return c.uri.user == marks.user && !remembered(c);
        };
        if (std::ranges::count_if(contacts, with_user) == 1) listing.current = first(with_user);
    }
    for (const auto& contact : contacts) {
        if (&contact == listing.current) continue;
        if (has_token(contact.uri, marks.other_token)) {
            listing.other_binding = true;
            continue;
        }
        // B2: ours is what carries our token, or our instance-id with a URI that we remember. No
        // others are touched.
        const bool ours =
            is_broken(BrokenRule::other_devices) || ours_by_token(contact) ||
            (equals_ignoring_case(contact.instance(), marks.instance) && remembered(contact));
        if (ours)
            listing.old.push_back(&contact);
        else
            ++listing.others;
        if (!ours && equals_ignoring_case(contact.instance(), marks.instance))
            listing.same_instance = true;
    }
    return listing;
}

}  // namespace holdfast::registration
