// The known servers' habits themselves, as docs/interop.md has them: what a REGISTER does to the
// bindings of its AOR, and what a 200 says.
#include "lab/known_servers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lab/ban_filter.h"
#include "lab/binding_rules.h"

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

const Instant now{1000s};
const Hop flow{Transport::udp, *Endpoint::parse("203.0.113.11:5060"),
               *Endpoint::parse("198.51.100.7:40001")};
const std::string device = R"(;+sip.instance="<urn:uuid:1>";reg-id=1)";

struct Asked {
    std::vector<std::string> contacts{"<sip:alice@198.51.100.7:40001;hf=t>" + device};
    std::uint32_t cseq = 1;
    std::string call_id = "one";
    std::string expires = "300";
    std::string supported = "gruu, outbound, path";
    std::string path{};
};

sip::Message message(const Asked& asked) {
    std::string text =
        "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:40000;branch=z9hG4bK1\r\n"
        "From: <sip:alice@example.test>;tag=1\r\nTo: <sip:alice@example.test>\r\nCall-ID: " +
        asked.call_id + "\r\nCSeq: " + std::to_string(asked.cseq) +
        " REGISTER\r\nMax-Forwards: 70\r\n";
    if (!asked.supported.empty()) text += "Supported: " + asked.supported + "\r\n";
    if (!asked.path.empty()) text += "Path: " + asked.path + "\r\n";
    if (!asked.expires.empty()) text += "Expires: " + asked.expires + "\r\n";
    for (const auto& contact : asked.contacts) text += "Contact: " + contact + "\r\n";
    auto parsed = sip::Message::parse(text + "Content-Length: 0\r\n\r\n");
    EXPECT_TRUE(parsed) << text;
    return std::move(*parsed);
}

// One server, told one REGISTER after the other.
struct OneLocation {
    RegistrarRules rules;
    std::vector<Binding> bindings{};
    RegisterResult last{};

    int tell(const Asked& asked) {
        last = apply_register(message(asked), bindings, flow, now, rules);
        if (last.stored) bindings = last.bindings;
        return last.status;
    }
    [[nodiscard]] std::vector<std::string> uris() const {
        std::vector<std::string> all;
        for (const auto& binding : bindings) all.push_back(binding.contact);
        return all;
    }
    [[nodiscard]] bool says(std::string_view words) const {
        return last.extra_headers.find(words) != std::string::npos;
    }
};

Binding another_device() {
    Binding binding;
    binding.contact = "sip:alice@192.0.2.1:5060";
    binding.expires = now + 60s;
    return binding;
}

const std::string bare_old = "<sip:alice@198.51.100.7:39999;hf=t>";
const std::string bare_new = "<sip:alice@198.51.100.7:40001;hf=t>";
using Uris = std::vector<std::string>;

// The CSeq is looked at only where a binding is found by its URI, and an equal one passes over the
// Contact with a 200; a lower one gets 400.
TEST(Kamailio, LooksAtTheCseqOnlyWithoutAnInstance) {
    OneLocation with{kamailio().rules};
    EXPECT_EQ(with.tell({.cseq = 7}), 200);
    EXPECT_EQ(with.tell({.cseq = 3, .expires = "120"}), 200);
    EXPECT_EQ(with.bindings.at(0).expires, now + 120s);
    OneLocation without{kamailio().rules};
    EXPECT_EQ(without.tell({.contacts = {bare_new}, .cseq = 7}), 200);
    EXPECT_EQ(without.tell({.contacts = {bare_new}, .cseq = 7, .expires = "120"}), 200);
    EXPECT_EQ(without.bindings.at(0).expires, now + 300s) << "accepted, and not stored";
    EXPECT_EQ(without.tell({.contacts = {bare_new}, .cseq = 6}), 400);
}

// Instance-id and reg-id make the binding, outbound or not: the Contact is replaced in place.
TEST(Kamailio, KeysByInstanceAndRegId) {
    OneLocation location{kamailio().rules};
    location.tell({.contacts = {bare_old + device}});
    location.tell({.cseq = 2});
    EXPECT_EQ(location.uris(), Uris{"sip:alice@198.51.100.7:40001;hf=t"});
    location.tell({.contacts = {"<sip:alice@198.51.100.7:40001;hf=u>"
                                ";+sip.instance=\"<urn:uuid:1>\";reg-id=2"},
                   .call_id = "two"});
    EXPECT_EQ(location.bindings.size(), 2u);
    // Another Call-ID takes the other flow's binding away; what follows is not looked at.
    location.tell(
        {.contacts = {"<sip:alice@198.51.100.7:40001;hf=t>" + device, "<sip:carol@192.0.2.1>"},
         .call_id = "three"});
    EXPECT_EQ(location.uris(), Uris{"sip:alice@198.51.100.7:40001;hf=t"});
}

// RFC 5627 §5, and nathelper's note of where the REGISTER came from.
TEST(Kamailio, AnswersWithGruuAndReceived) {
    OneLocation location{kamailio().rules};
    location.tell({});
    EXPECT_TRUE(location.says("pub-gruu=\"sip:alice@example.test;gr=urn:uuid:1\""));
    EXPECT_TRUE(location.says("received=\"sip:198.51.100.7:40001\""));
}

// max_contacts counts what would be left, whoever has it: 503, with retry_after also Retry-After.
TEST(Kamailio, SaysWhenToComeBackIfThereAreTooManyContacts) {
    for (const std::uint32_t retry_after : {0U, 30U}) {
        OneLocation location{kamailio().rules};
        location.rules.max_contacts = 1;
        location.rules.too_many_retry_after = retry_after;
        location.bindings = {another_device()};
        EXPECT_EQ(location.tell({}), 503);
        EXPECT_EQ(location.says("Retry-After: 30\r\n"), retry_after > 0);
        EXPECT_EQ(location.uris(), Uris{"sip:alice@192.0.2.1:5060"});
        EXPECT_EQ(location.tell({.contacts = {bare_new, "<sip:alice@192.0.2.1:5060>;expires=0"}}),
                  200);
        EXPECT_EQ(location.uris(), Uris{"sip:alice@198.51.100.7:40001;hf=t"});
    }
}

// min_expires: raised in silence, or 423 with min_expires_mode=1.
TEST(Kamailio, RaisesABriefExpiresOrRefusesIt) {
    OneLocation location{kamailio().rules};
    EXPECT_EQ(location.tell({.expires = "10"}), 200);
    EXPECT_TRUE(location.says("expires=60"));
    location.rules.raises_brief_expires = false;
    EXPECT_EQ(location.tell({.cseq = 2, .expires = "10"}), 423);
    EXPECT_TRUE(location.says("Min-Expires: 60\r\n"));
}

// path_mode: a Path is told to who supports it, to nobody, or 420 to who does not; without one it
// does not matter. A proxy in front may have put it there.
TEST(Kamailio, PathModesDifferInWhoIsToldOfThePath) {
    const std::string path = "<sip:203.0.113.50;lr>";
    for (auto* const habits : {kamailio, opensips}) {
        for (const bool by_edge : {false, true}) {
            for (const auto mode : {PathMode::off, PathMode::lazy, PathMode::strict}) {
                OneLocation location{habits().rules};
                location.rules.path_mode = mode;
                if (by_edge) location.rules.edge_path = path;
                const Asked with{.path = by_edge ? "" : path};
                EXPECT_EQ(location.tell(with), 200);
                EXPECT_EQ(location.says("Path: " + path + "\r\n"), mode != PathMode::off);
                Asked without = with;
                without.cseq = 2;
                without.expires = "120";
                without.supported = "gruu";
                const bool strict = mode == PathMode::strict;
                EXPECT_EQ(location.tell(without), strict ? 420 : 200);
                EXPECT_EQ(location.says("Unsupported: path\r\n"), strict);
                EXPECT_EQ(location.says("Path: " + path), strict);
                ASSERT_EQ(location.bindings.size(), 1u);
                EXPECT_EQ(location.bindings.at(0).expires, now + (strict ? 300s : 120s));
            }
        }
        OneLocation plain{habits().rules};
        plain.rules.path_mode = PathMode::strict;
        EXPECT_EQ(plain.tell({.supported = "gruu"}), 200);
    }
}

// An edge proxy without Path or `ob`: 439, unless outbound is not asked for.
TEST(Kamailio, RefusesOutboundBehindAnEdgeWithoutIt) {
    OneLocation location{kamailio().rules};
    location.rules.first_hop_lacks_outbound = true;
    EXPECT_EQ(location.tell({}), 439);
    EXPECT_TRUE(location.bindings.empty());
    EXPECT_EQ(
        location.tell(
            {.contacts = {R"(<sip:alice@198.51.100.7:40001;hf=t>;+sip.instance="<urn:uuid:1>")"}}),
        200);
}

// max_contacts: Kamailio counts what would be left; OpenSIPS stops at the first that is too many,
// though the REGISTER removes another.
TEST(Opensips, CountsContactsOnTheWay) {
    const Asked replaces{.contacts = {bare_new, bare_old + ";expires=0"}, .cseq = 2};
    for (const bool opensips_counts : {true, false}) {
        OneLocation location{opensips_counts ? opensips().rules : kamailio().rules};
        location.rules.max_contacts = 1;
        location.tell({.contacts = {bare_old}});
        EXPECT_EQ(location.tell(replaces), opensips_counts ? 503 : 200);
        EXPECT_EQ(location.uris().at(0), opensips_counts ? "sip:alice@198.51.100.7:39999;hf=t"
                                                         : "sip:alice@198.51.100.7:40001;hf=t");
    }
}

// An equal CSeq is passed over with a 200, with an instance-id too; a lower one gets 400.
TEST(Opensips, PassesOverAnEqualCseq) {
    OneLocation location{opensips().rules};
    EXPECT_EQ(location.tell({.cseq = 7}), 200);
    EXPECT_EQ(location.tell({.cseq = 7, .expires = "120"}), 200);
    EXPECT_EQ(location.bindings.at(0).expires, now + 300s) << "accepted, and not stored";
    EXPECT_EQ(location.tell({.cseq = 6}), 400);
}

// fix_nated_register: where the REGISTER came from is a parameter of the Contact in the 200.
TEST(Opensips, SaysWhereTheRegisterCameFrom) {
    OneLocation location{opensips().rules};
    location.tell({});
    EXPECT_TRUE(location.says("received=\"sip:198.51.100.7:40001\""));
    EXPECT_FALSE(location.says("pub-gruu"));
}

// Too short an expiry is raised, not refused.
TEST(Opensips, RaisesABriefExpires) {
    OneLocation location{opensips().rules};
    EXPECT_EQ(location.tell({.expires = "10"}), 200);
    EXPECT_TRUE(location.says("expires=60"));
}

// rewrite_contact: the first Contact becomes the sender's address, so that a removal that travels
// alone takes the current binding away, whatever URI it names; behind the current one it does not.
TEST(Asterisk, ALoneRemovalTakesTheCurrentBinding) {
    OneLocation location{asterisk().rules};
    location.tell({});
    EXPECT_EQ(location.tell(
                  {.contacts = {bare_new + ";expires=300", bare_old + ";expires=0"}, .cseq = 2}),
              200);
    EXPECT_EQ(location.bindings.size(), 1u);
    EXPECT_EQ(location.tell({.contacts = {bare_old + ";expires=0"}, .cseq = 3}), 200);
    EXPECT_TRUE(location.bindings.empty());
}

// A private host comes back in the 200, and nothing but the URI with it; the CSeq is not looked at.
TEST(Asterisk, StoresTheSenderAndListsWhatWasAsked) {
    OneLocation location{asterisk().rules};
    EXPECT_EQ(location.tell({.contacts = {"<sip:alice@10.0.0.2:5062;hf=t>" + device}, .cseq = 9}),
              200);
    EXPECT_EQ(location.uris(), Uris{"sip:alice@198.51.100.7:40001;hf=t"});
    EXPECT_TRUE(location.says("<sip:alice@10.0.0.2:5062;hf=t>;expires=300\r\n"));
    EXPECT_TRUE(location.says("Expires: 300\r\n"));
    EXPECT_EQ(location.tell({.cseq = 1}), 200);
}

// minimum_expiration, maximum_expiration: neither more nor less is granted, in silence, and the
// Expires header says the same.
TEST(Asterisk, HoldsTheExpiryWithinItsRange) {
    struct Row {
        std::string asked;
        std::string granted;
    };
    for (const auto& row : {Row{"10", "60"}, Row{"300", "300"}, Row{"86400", "7200"}}) {
        OneLocation location{asterisk().rules};
        EXPECT_EQ(location.tell({.contacts = {bare_new}, .expires = row.asked}), 200);
        EXPECT_TRUE(location.says(">;expires=" + row.granted + "\r\n"))
            << location.last.extra_headers;
        EXPECT_TRUE(location.says("\r\nExpires: " + row.granted + "\r\n"));
    }
    OneLocation location{asterisk().rules};
    EXPECT_EQ(location.tell({.contacts = {bare_new}}), 200);
    EXPECT_EQ(location.tell({.contacts = {bare_new + ";expires=0"}, .cseq = 2, .expires = "0"}),
              200);
    EXPECT_TRUE(location.bindings.empty());
    EXPECT_TRUE(location.says("Expires: 0\r\n"));
}

// max_contacts: 403, unless the same REGISTER makes room; with remove_existing the oldest goes.
TEST(Asterisk, MaxContacts) {
    OneLocation location{asterisk().rules};
    location.bindings = {another_device()};
    EXPECT_EQ(location.tell({}), 403);
    location.rules.too_many = TooMany::drop_the_soonest;
    EXPECT_EQ(location.tell({}), 200);
    EXPECT_EQ(location.uris(), Uris{"sip:alice@198.51.100.7:40001;hf=t"});
}

// Only the first Contact counts, the Expires header wins over its parameter, and what is stored
// says where it came from; one registration per user.
TEST(Freeswitch, LooksAtTheFirstContactOnly) {
    OneLocation location{freeswitch().rules};
    location.rules.forced_expires = 0;
    location.bindings = {another_device()};
    EXPECT_EQ(location.tell({.contacts = {bare_new + ";expires=20", bare_old + ";expires=20"}}),
              200);
    ASSERT_EQ(location.bindings.size(), 1u);
    EXPECT_EQ(location.uris().at(0),
              "sip:alice@198.51.100.7:40001;hf=t;fs_nat=yes"
              ";fs_path=sip%3Aalice%40198.51.100.7%3A40001");
    EXPECT_EQ(location.bindings[0].expires, now + 300s);
    EXPECT_EQ(location.tell({.contacts = {bare_new + ";expires=0"}, .cseq = 2}), 200);
    EXPECT_EQ(location.bindings.size(), 1u) << "a removal with another Expires header is a refresh";
    EXPECT_EQ(location.tell({.contacts = {bare_old + ";expires=0"}, .cseq = 3, .expires = "0"}),
              200);
    EXPECT_TRUE(location.bindings.empty()) << "whatever it names, the user's binding goes";
}

// multiple-registrations = true: by Call-ID; a forced expiry is granted, whatever was asked.
TEST(Freeswitch, KeysByCallIdIfManyMayRegister) {
    OneLocation location{freeswitch().rules};
    location.rules.key = BindingKey::call_id;
    location.tell({});
    location.tell({.contacts = {bare_old}, .call_id = "two"});
    EXPECT_EQ(location.bindings.size(), 2u);
    EXPECT_EQ(location.bindings[0].expires, now + 30s);
    location.tell({.contacts = {bare_old}, .cseq = 2});
    EXPECT_EQ(location.bindings.size(), 2u);
    location.tell({.contacts = {bare_new + ";expires=0"}, .cseq = 3, .expires = "0"});
    EXPECT_EQ(location.bindings.size(), 1u);
}

// max-registrations-per-extension: 403 as soon as others have them all, by their Call-IDs, even
// where one more REGISTER would replace them; a removal is not counted.
TEST(Freeswitch, MaxRegistrations) {
    for (const auto key : {BindingKey::aor, BindingKey::call_id}) {
        OneLocation location{freeswitch().rules};
        location.rules.key = key;
        location.rules.max_contacts = 1;
        location.rules.too_many = TooMany::refuse_other_calls;
        location.rules.too_many_status = 403;
        EXPECT_EQ(location.tell({}), 200);
        EXPECT_EQ(location.tell({.cseq = 2}), 200) << "its own refresh";
        EXPECT_EQ(location.tell({.contacts = {bare_old}, .call_id = "two"}), 403);
        EXPECT_EQ(location.bindings.size(), 1u);
        EXPECT_EQ(location.bindings.front().call_id, "one");
        EXPECT_EQ(location.tell({.contacts = {bare_old}, .call_id = "two", .expires = "0"}), 200);
    }
}

// reg-deny-binding-fetch-and-no-lookup: the Contacts come back as they were asked for.
TEST(Freeswitch, EchoesAndRefusesTheFetchIfToldTo) {
    OneLocation location{freeswitch().rules};
    location.rules.echoes_contacts = location.rules.refuses_fetch = true;
    location.tell({.contacts = {bare_new, bare_old + ";expires=0"}});
    EXPECT_TRUE(location.says("<sip:alice@198.51.100.7:40001;hf=t>;expires=30"));
    EXPECT_TRUE(location.says("<sip:alice@198.51.100.7:39999;hf=t>;expires=0"));
    EXPECT_EQ(location.tell({.contacts = {}, .cseq = 2}), 400);
    EXPECT_EQ(location.bindings.size(), 1u);
}

// So many in a while, and the address is not heard for another; each time longer, if it grows.
TEST(BanFilter, CountsByAddress) {
    const auto alice = *IpAddress::parse("198.51.100.7");
    const auto bob = *IpAddress::parse("198.51.100.8");
    const BanRules rules{.most = 2, .within = 1min, .lasts = 1min, .grows = true};
    BanFilter filter;
    filter.note(now, alice, Offence::challenged, rules);
    filter.note(now, alice, Offence::refused, rules);
    filter.note(now + 61s, alice, Offence::refused, rules);
    filter.note(now + 61s, bob, Offence::refused, rules);
    EXPECT_FALSE(filter.is_banned(now + 61s, alice));
    filter.note(now + 62s, alice, Offence::refused, rules);
    EXPECT_TRUE(filter.is_banned(now + 121s, alice));
    EXPECT_FALSE(filter.is_banned(now + 121s, bob));
    EXPECT_FALSE(filter.is_banned(now + 122s, alice));
    filter.note(now + 130s, alice, Offence::refused, rules);
    filter.note(now + 130s, alice, Offence::refused, rules);
    EXPECT_TRUE(filter.is_banned(now + 249s, alice));
    EXPECT_EQ(filter.bans(), 2u);
}

}  // namespace
}  // namespace holdfast::lab
