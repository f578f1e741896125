#include "registration/binding.h"

#include <gtest/gtest.h>

#include <set>

namespace holdfast::registration {
namespace {

const Target server{Transport::udp, {IpAddress::v4(203, 0, 113, 11), 5060}};
constexpr std::string_view instance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
constexpr std::string_view our_uri = "sip:alice@198.51.100.1:13450;hf=tokentokentoken1";

sip::Message ok(std::string_view lines) {
    auto message = sip::Message::parse(
        "SIP/2.0 200 OK\r\n"
        "Via: SIP/2.0/UDP 10.0.0.2:40000;branch=z9hG4bKx;rport\r\n"
        "From: <sip:alice@example.test>;tag=a\r\n"
        "To: <sip:alice@example.test>;tag=b\r\n"
        "Call-ID: c\r\nCSeq: 1 REGISTER\r\n" +
        std::string(lines) + "\r\n");
    EXPECT_TRUE(message.has_value()) << lines;
    return message ? std::move(*message) : sip::Message{};
}
std::string contact(const std::string& uri, const std::string& parameters = ";expires=60") {
    return "Contact: <" + uri + ">" + parameters + "\r\n";
}
const std::string ours_by_instance =
    ";+sip.instance=\"<" + std::string(instance) + ">\";reg-id=1;expires=60";

OurMarks marks() {
    return {.token = "tokentokentoken1",
            .other_token = "tokentokentoken2",
            .instance = instance,
            .reg_id = 1,
            .uri = our_uri,
            .user = "alice",
            .remembered = {}};
}
// The URI of what is taken for our current Contact, "" if none is.
std::string current(const std::string& lines, const OurMarks& of = marks()) {
    const auto message = ok(lines);
    const auto listing = read_listing(message, of);
    return listing.current == nullptr ? "" : std::string(listing.current->uri.text);
}

// A Call-ID and a token of its own for each (instance, reg-id), the token of 96 random bits (B1).
TEST(BindingIdentity, EachHasItsOwnCallIdAndToken) {
    Random random{seed_from_number(3)};
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto identity = BindingIdentity::fresh(1 + i % 2, random);
        EXPECT_TRUE(seen.insert(identity.call_id).second);
        EXPECT_TRUE(seen.insert(identity.token).second);
        EXPECT_GE(identity.token.size() * 5, 95u);  // 36 characters are a little over 5 bits each
        EXPECT_EQ(identity.reg_id, 1 + i % 2);
    }
}

// CSeq rises by one, and one store reserves a block of 64 (B3).
TEST(BindingIdentity, OneStorePerBlockOf64) {
    Random random{seed_from_number(3)};
    auto identity = BindingIdentity::fresh(1, random);
    const auto first = identity.cseq;
    int stores = 0;
    for (std::uint32_t i = 1; i <= 64 * 3; ++i) {
        bool store = false;
        EXPECT_EQ(identity.next_cseq(store), first + i);
        stores += store ? 1 : 0;
        // What is on disk is never behind what was used.
        EXPECT_GE(identity.reserved, identity.cseq);
        EXPECT_EQ(store, i % 64 == 1) << i;
    }
    EXPECT_EQ(stores, 3);
}

// A crash at any moment: the next run's numbers are higher than any that was sent (B3, I4).
TEST(BindingIdentity, AfterACrashTheCseqGoesOnBehindTheBlock) {
    Random random{seed_from_number(3)};
    for (int sent = 0; sent < 200; ++sent) {
        auto identity = BindingIdentity::fresh(1, random);
        std::string disk = identity.encode();
        std::uint32_t last = 0;
        for (int i = 0; i < sent; ++i) {
            bool store = false;
            last = identity.next_cseq(store);
            if (store) disk = identity.encode();
        }
        auto next_run = BindingIdentity::decode(disk, 1);
        ASSERT_TRUE(next_run);
        bool store = false;
        EXPECT_GT(next_run->next_cseq(store), last);
        EXPECT_TRUE(store);  // a new block is reserved before the first is sent
        EXPECT_EQ(next_run->call_id, identity.call_id);
        EXPECT_TRUE(next_run->from_earlier_run);
    }
}

// Everything that cleans up after the last run survives the disk (B3).
TEST(BindingIdentity, EncodedAndDecodedIsTheSame) {
    Random random{seed_from_number(3)};
    auto identity = BindingIdentity::fresh(2, random);
    identity.last_target = server;
    identity.contact = our_uri;
    identity.contact_ends = 1'800'000'300;
    identity.contact_target = server;
    identity.add_old({"sip:alice@198.51.100.1:13000;hf=x", server, 1'800'000'100, 2});
    identity.add_old({"sip:alice@[2001:db8::1]:13000;transport=tcp;hf=y",
                      {Transport::tls, {*IpAddress::parse("2001:db8::11"), 5061}},
                      1'800'000'200,
                      0});
    const auto again = BindingIdentity::decode(identity.encode(), 2);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->encode(), identity.encode());
    EXPECT_EQ(again->reg_id, 2);
    EXPECT_EQ(again->contact, our_uri);
    EXPECT_EQ(again->contact_target, server);
    ASSERT_EQ(again->olds.size(), 2u);
    EXPECT_EQ(again->olds[0].tries, 2u);
    EXPECT_EQ(again->olds[1].target.transport, Transport::tls);
}

// A damaged state file is not believed and harms nobody (B3, I8).
TEST(BindingIdentity, RubbishIsNoIdentity) {
    for (const std::string_view text : {"", "\n", "call-id", "token x\ncseq 1\n", "call-id x\n",
                                        "\0\0\0", "call-id \ntoken \n", "CALL-ID a\nTOKEN b\n"})
        EXPECT_FALSE(BindingIdentity::decode(text, 1)) << text;
    const auto odd = BindingIdentity::decode(
        "call-id c\ntoken t\ncseq 99999999999999\ntarget nowhere\nold x y z\nold 5 0 udp:1.2.3.4\n"
        "contact\nwhat is this\n",
        1);
    ASSERT_TRUE(odd);
    EXPECT_FALSE(odd->last_target);
    EXPECT_TRUE(odd->olds.empty());
    EXPECT_TRUE(odd->contact.empty());
}

// What stands in a record goes into requests: nothing in it may end a header and begin another, and
// the CSeq must have room to rise (RFC 3261 §8.1.1.5).
TEST(BindingIdentity, NothingDamagedGoesIntoARequest) {
    using namespace std::string_literals;
    for (const auto& text :
         {"call-id c\rX: y\ntoken t\n"s, "call-id c d\ntoken t\n"s, "call-id c\ntoken t;x\n"s,
          "call-id c\ntoken t\0\n"s, "call-id c\ntoken t\ncseq 4294967295\n"s})
        EXPECT_FALSE(BindingIdentity::decode(text, 1)) << text;
    const auto read = BindingIdentity::decode(
        "call-id c\ntoken t\ncontact 9 udp:203.0.113.1:5060 sip:a@b>\rX: y\n"
        "old 9 0 udp:203.0.113.1:5060 no uri\n",
        1);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->contact.empty());
    EXPECT_TRUE(read->olds.empty());
}

// Every prefix of a good record, as a torn write leaves it, is read without harm (B3, I8).
TEST(BindingIdentity, ATornWriteIsReadWithoutHarm) {
    Random random{seed_from_number(3)};
    auto identity = BindingIdentity::fresh(1, random);
    identity.last_target = server;
    identity.add_old({std::string(our_uri), server, 1'800'000'100, 2});
    const auto text = identity.encode();
    for (std::size_t size = 0; size < text.size(); ++size) {
        const auto read = BindingIdentity::decode(std::string_view(text).substr(0, size), 1);
        if (read) {
            EXPECT_LE(read->olds.size(), 1u);
        }
    }
}

// At the limit of remembered Contacts, and one past it: the oldest goes (a named limit, B2).
TEST(BindingIdentity, RemembersSoManyOldContacts) {
    Random random{seed_from_number(3)};
    auto identity = BindingIdentity::fresh(1, random);
    const auto uri = [](std::size_t i) { return "sip:alice@h" + std::to_string(i); };
    for (std::size_t i = 0; i < old_contacts_most; ++i) identity.add_old({uri(i), server, 1, 0});
    EXPECT_EQ(identity.olds.size(), old_contacts_most);
    EXPECT_EQ(identity.olds.front().uri, uri(0));
    identity.add_old({uri(old_contacts_most), server, 1, 0});
    EXPECT_EQ(identity.olds.size(), old_contacts_most);
    EXPECT_EQ(identity.olds.front().uri, uri(1));
    identity.add_old({uri(3), server, 99, 0});  // known: only its end moves
    EXPECT_EQ(identity.olds.size(), old_contacts_most);
    EXPECT_TRUE(BindingIdentity::decode(identity.encode(), 1));
}

// B8, first match: token; instance-id with reg-id; equal URI; the only Contact with our user.
TEST(Listing, TheTokenComesFirst) {
    // The registrar rewrote host and port; another Contact has our instance-id.
    EXPECT_EQ(current(contact("sip:alice@192.0.2.9:999", ours_by_instance) +
                      contact("sip:alice@192.0.2.1:1;hf=tokentokentoken1")),
              "sip:alice@192.0.2.1:1;hf=tokentokentoken1");
}
TEST(Listing, ThenInstanceWithRegId) {
    EXPECT_EQ(current(contact("sip:alice@192.0.2.5") +
                      contact("sip:alice@192.0.2.9:999", ours_by_instance)),
              "sip:alice@192.0.2.9:999");
    // Another reg-id is another flow of ours, not this one.
    EXPECT_EQ(
        current(contact("sip:alice@192.0.2.5") +
                contact("sip:alice@192.0.2.9:999",
                        ";+sip.instance=\"<" + std::string(instance) + ">\";reg-id=2;expires=60")),
        "");
}
TEST(Listing, ThenTheEqualUri) {
    auto of = marks();
    of.token = "another";
    // RFC 3261 §19.1.4: the host compares without case, parameters in any order.
    of.uri = "sip:alice@Phone.Example.TEST:13450;transport=udp;x=1";
    EXPECT_EQ(current(contact("sip:alice@192.0.2.5") +
                          contact("sip:alice@phone.example.test:13450;x=1;transport=UDP"),
                      of),
              "sip:alice@phone.example.test:13450;x=1;transport=UDP");
}
TEST(Listing, ThenTheOnlyOneWithOurUser) {
    EXPECT_EQ(current(contact("sip:alice@192.0.2.9:999")), "sip:alice@192.0.2.9:999");
    // A device with another user part changes nothing.
    EXPECT_EQ(current(contact("sip:1234@192.0.2.7") + contact("sip:alice@192.0.2.9:999")),
              "sip:alice@192.0.2.9:999");
    // Two of them: which is ours cannot be known.
    EXPECT_EQ(current(contact("sip:alice@192.0.2.7") + contact("sip:alice@192.0.2.9:999")), "");
    EXPECT_EQ(current(contact("sip:bob@192.0.2.9:999")), "");
    EXPECT_EQ(current(""), "");
}

// Ours is what carries our token, or our instance-id with a URI that we remember; no others (B2,
// I6).
TEST(Listing, OldOnesAreOursOnlyByTokenOrRememberedUri) {
    auto of = marks();
    of.remembered = {"sip:alice@198.51.100.1:12000", "sip:alice@198.51.100.1:12001"};
    const auto message =
        ok(contact(std::string(our_uri)) +
           contact("sip:alice@198.51.100.1:13000;hf=tokentokentoken1") +  // our token
           contact("sip:alice@198.51.100.1:12000", ours_by_instance) +    // remembered
           contact("sip:alice@198.51.100.1:12001") +                      // no instance-id
           contact("sip:alice@198.51.100.1:12002", ours_by_instance) +    // never ours
           contact("sip:alice@192.0.2.7") +                               // another device
           contact("sip:alice@198.51.100.1:14000;hf=tokentokentoken2"));  // our other flow
    const auto listing = read_listing(message, of);
    ASSERT_NE(listing.current, nullptr);
    EXPECT_EQ(listing.current->uri.text, our_uri);
    std::vector<std::string> old;
    for (const auto* one : listing.old) old.emplace_back(one->uri.text);
    EXPECT_EQ(old, (std::vector<std::string>{"sip:alice@198.51.100.1:13000;hf=tokentokentoken1",
                                             "sip:alice@198.51.100.1:12000"}));
    EXPECT_TRUE(listing.other_binding);
    EXPECT_TRUE(listing.same_instance);  // B3: somebody has our instance-id
    EXPECT_EQ(listing.others, 3u);
}

// Of several with our token the one we sent is current, the others are old (B8, B2).
TEST(Listing, OfSeveralWithOurTokenTheOneWeSentIsCurrent) {
    const auto old_uri = "sip:alice@198.51.100.1:13000;hf=tokentokentoken1";
    auto of = marks();
    of.remembered = {old_uri};
    EXPECT_EQ(current(contact(old_uri) + contact(std::string(our_uri)), of), our_uri);
    // Only the remembered one is there: it is not what we sent.
    EXPECT_EQ(current(contact(old_uri), of), "");
}

// The token is compared without case (RFC 3261 §7.3.1), and an empty one is nobody's (B1).
TEST(Listing, TokensOfUris) {
    const auto uri = sip::OwnedUri::parse("sip:alice@192.0.2.1;hf=ABCdef");
    ASSERT_TRUE(uri);
    EXPECT_TRUE(has_token(uri->get(), "abcDEF"));
    EXPECT_FALSE(has_token(uri->get(), "abcdefg"));
    EXPECT_FALSE(has_token(uri->get(), ""));
    const auto bare = sip::OwnedUri::parse("sip:alice@192.0.2.1;hf=");
    if (bare) {
        EXPECT_FALSE(has_token(bare->get(), ""));
    }
}

// B3: a clock that was wrong when something was stored keeps nothing alive for years.
TEST(BindingIdentity, StoredEndsAreBelievedForADay) {
    Random random{seed_from_number(7)};
    auto identity = BindingIdentity::fresh(2, random);
    const Target target{Transport::udp, {IpAddress::v4(203, 0, 113, 11), 5060}};
    identity.contact = "sip:alice@192.0.2.1";
    identity.contact_target = target;
    identity.contact_ends = 4'000'000'000;
    identity.add_old({"sip:alice@192.0.2.2", target, 1'000, 0});
    identity.begin_run(1'700'000'000);
    ASSERT_EQ(identity.olds.size(), 1u) << "what has lapsed is forgotten";
    EXPECT_EQ(identity.olds.front().uri, "sip:alice@192.0.2.1");
    EXPECT_EQ(identity.olds.front().ends, 1'700'000'000 + BindingIdentity::longest_life);
}

}  // namespace
}  // namespace holdfast::registration
