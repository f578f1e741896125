// Attacks on a registered phone, one a test, as docs/security.md lists them: what an off-path liar,
// a stranger or a server that means harm may send, and that nothing comes of it. Rules N1, L9, F5,
// and design §11. Beside these: TLS in runtime/tls_test.cpp, what a registrar says in
// registration/resilient_attacks_test.cpp, digests in registration/credentials_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "engine/limits.h"
#include "engine/test_driver.h"
#include "engine/test_names.h"

namespace holdfast::engine {
namespace {

using testing::HasSubstr;
using testing::Not;

const Target server = udp_target(11);
const Endpoint stranger{IpAddress::v4(198, 51, 100, 66), 5060};
const std::string contact_host = "192.168.1.20:40000";

class Attacks : public testing::Test {
protected:
    Attacks() { driver.resolve("example.test", {server.endpoint.address}); }

    void add(const std::function<void(registration::AccountConfig&)>& change = {}) {
        registration::AccountConfig config;
        config.aor = "sip:alice@example.test";
        config.password = Redacted<std::string>("secret");
        config.transport = Transport::udp;
        if (change) change(config);
        driver.feed(in::AddAccount{alice, config});
    }
    void register_alice(const std::function<void(registration::AccountConfig&)>& change = {}) {
        add(change);
        driver.run_for(2s);
        ASSERT_EQ(driver.count(EventKind::registered), 1u) << driver.words() << driver.trace;
    }
    // Asked once, and the answer is ours to give.
    std::string unanswered_register(
        const std::function<void(registration::AccountConfig&)>& change = {}) {
        driver.silent.insert(server);
        add(change);
        driver.run_for(100ms);
        EXPECT_EQ(driver.requests("REGISTER"), 1u);
        return driver.last_sent();
    }
    static std::string ok(const std::string& request,
                          const std::string& mapping = ";received=198.51.100.7;rport=13450") {
        const auto parsed = sip::Message::parse(request);
        return answer_to(request, 200,
                         "Contact: " + std::string(parsed->contacts().front().text) + "\r\n",
                         mapping);
    }
    static std::string challenge(const std::string& request, const std::string& digest) {
        return answer_to(request, 401, "WWW-Authenticate: Digest " + digest + "\r\n");
    }
    [[nodiscard]] bool registered() { return driver.status(alice).registered; }
    [[nodiscard]] std::string contact() { return driver.status(alice).bindings.at(0).contact; }
    [[nodiscard]] std::size_t authorizations() const {
        return static_cast<std::size_t>(std::ranges::count_if(driver.sent, [](const auto& sent) {
            return sent.second.find("uthorization:") != std::string::npos;
        }));
    }
    // What a step led to: octets sent and flows opened. Time that passes meanwhile is none.
    std::size_t octets_after(const Input& input) {
        const auto sent = driver.sent.size();
        const auto opened = driver.opened.size();
        driver.feed(input);
        driver.run_for(0s);
        std::size_t octets = driver.opened.size() - opened;
        for (auto i = sent; i < driver.sent.size(); ++i) octets += driver.sent[i].second.size();
        return octets;
    }

    Driver driver;
};

// N1, RFC 3261 §17.1.3: an answer is one to us by its branch, which has 96 random bits.
TEST_F(Attacks, AnAnswerWithAGuessedBranchIsNone) {
    const auto request = unanswered_register();
    auto forged = ok(request);
    const auto at = forged.find("branch=z9hG4bK") + 14;
    forged[at] = forged[at] == 'a' ? 'b' : 'a';
    driver.feed(in::Received{driver.flow_to(server), forged});
    EXPECT_FALSE(registered()) << driver.words();
    driver.feed(in::Received{driver.flow_to(server), ok(request)});
    EXPECT_TRUE(registered()) << driver.words();  // the contrast
}

// N1: what is guessed has at least 96 random bits: 20 characters of 5 each, in the branch of every
// request of ours and in the Contact's token, and none comes twice.
TEST_F(Attacks, WhatIsGuessedIsLong) {
    driver.resolve("example.test", {server.endpoint.address, udp_target(12).endpoint.address});
    driver.silent.insert(server);
    driver.silent.insert(udp_target(12));
    add();
    driver.run_for(10s);  // REGISTER, probes
    driver.silent.clear();
    driver.run_for(2min);  // keep-alives, R1
    EXPECT_GT(driver.requests("REGISTER"), 1u);
    EXPECT_GT(driver.requests("OPTIONS sip:example.test"), 4u);
    EXPECT_GT(driver.requests("OPTIONS sip:alice"), 0u) << driver.trace;
    std::map<std::string, std::string> by_branch;
    for (const auto& [target, text] : driver.sent) {
        const auto message = sip::Message::parse(text);
        ASSERT_TRUE(message) << text;
        const std::string branch(message->top_via().branch);
        EXPECT_GE(branch.size(), std::string_view("z9hG4bK").size() + 20) << branch;
        EXPECT_EQ(by_branch.try_emplace(branch, text).first->second, text) << "octet by octet";
    }
    EXPECT_GT(by_branch.size(), 8u);
    const auto uri = contact();
    const auto token = uri.substr(uri.find(";hf=") + 4);
    EXPECT_GE(token.substr(0, token.find(';')).size(), 20u) << uri;
}

// N1: even one that knows the branch must come from the address that was asked.
TEST_F(Attacks, AnAnswerFromAnotherAddressIsNone) {
    const auto request = unanswered_register();
    for (const auto& from : {stranger, Endpoint{server.endpoint.address, 5061}})
        EXPECT_EQ(octets_after(in::Stray{our_end, from, ok(request)}), 0u);
    EXPECT_FALSE(registered()) << driver.words();
}

// N1, N2: a forged answer moves neither the mapping nor the Contact, whatever it knows of the
// REGISTER or keep-alive that waits for one: the right branch from another address or port, the
// right address and a guess. The same octets from the server that was asked do.
TEST_F(Attacks, AForgedAnswerDoesNotMoveTheContact) {
    register_alice();
    driver.run_for(5s);
    int port = 6666;
    const auto expect_moved_by_the_server_alone = [&](const std::string& waiting) {
        const auto before = contact();
        const auto changes = driver.count(EventKind::mapping_changed);
        const auto mapping = ";received=198.51.100.66;rport=" + std::to_string(++port);
        const auto answer = waiting.starts_with("REGISTER") ? ok(waiting, mapping)
                                                            : answer_to(waiting, 200, "", mapping);
        auto guessed = answer;
        guessed.replace(guessed.find("branch=z9hG4bK") + 14, 4, "0000");
        driver.feed(in::Received{driver.flow_to(server), guessed});
        for (const auto& from : {stranger, Endpoint{server.endpoint.address, 5061}})
            driver.feed(in::Stray{our_end, from, answer});
        EXPECT_EQ(driver.count(EventKind::mapping_changed), changes) << driver.words();
        EXPECT_EQ(contact(), before);

        driver.silent.clear();
        driver.mapping = mapping;
        driver.feed(in::Received{driver.flow_to(server), answer});  // the contrast
        driver.run_for(1s);
        EXPECT_EQ(driver.count(EventKind::mapping_changed), changes + 1) << driver.words();
        EXPECT_THAT(contact(), HasSubstr("@198.51.100.66:" + std::to_string(port)));
    };
    driver.silent.insert(server);
    driver.feed(in::RegisterNow{alice});
    ASSERT_TRUE(driver.last_sent().starts_with("REGISTER")) << driver.trace;
    expect_moved_by_the_server_alone(driver.last_sent());

    driver.silent.insert(server);
    const auto pings = driver.requests("OPTIONS sip:example.test");
    for (int i = 0; i < 300 && driver.requests("OPTIONS sip:example.test") == pings; ++i)
        driver.run_for(100ms);
    ASSERT_TRUE(driver.last_sent().starts_with("OPTIONS sip:example.test")) << driver.trace;
    expect_moved_by_the_server_alone(driver.last_sent());
}

// N1: what a global server cannot have seen is not where we tell others to call us.
TEST_F(Attacks, AMappingThatAGlobalServerCannotSeeIsNotUsed) {
    for (const std::string address : {"127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.1.1",
                                      "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "[fe80::1]"}) {
        Driver other;
        other.resolve("example.test", {server.endpoint.address});
        other.mapping = ";received=" + address + ";rport=25";
        other.add(alice, "sip:alice@example.test");
        other.run_for(1min);
        const auto status = other.engine().status(alice);
        ASSERT_TRUE(status->registered) << address;
        EXPECT_THAT(status->bindings.at(0).contact, HasSubstr("@" + contact_host)) << address;
    }
}

// §11: a challenge of a realm that is not configured is not answered.
TEST_F(Attacks, AChallengeOfAForeignRealmIsNotAnswered) {
    const auto request = unanswered_register([](auto& c) { c.realms = {"example.test"}; });
    driver.feed(in::Received{driver.flow_to(server),
                             challenge(request, R"(realm="evil.test", nonce="n", qop="auth")")});
    driver.run_for(1min);
    EXPECT_EQ(authorizations(), 0u) << driver.trace;
    EXPECT_THAT(driver.words(), HasSubstr("realm \"evil.test\", which is not ours"));
}

// §11: a realm that was never in a challenge to our REGISTER does not get the password for another
// request of ours (R1's OPTIONS).
TEST_F(Attacks, AChallengeToAnotherRequestTeachesNoRealm) {
    const auto request = unanswered_register();
    driver.feed(in::Received{driver.flow_to(server), ok(request, ";rport")});
    ASSERT_TRUE(registered()) << driver.words();
    driver.run_for(10s);
    const auto options = std::ranges::find_if(driver.sent, [](const auto& sent) {
        return sent.second.starts_with("OPTIONS sip:alice@");
    });
    ASSERT_NE(options, driver.sent.end()) << driver.trace;
    driver.feed(in::Received{driver.flow_to(server),
                             challenge(options->second, R"(realm="evil.test", nonce="n")")});
    driver.run_for(10s);
    EXPECT_EQ(authorizations(), 0u) << driver.trace;
}

// min_digest: a server, or who speaks for it, that offers MD5 alone gets nothing to crack.
class AttacksByDowngrade : public Attacks, public testing::WithParamInterface<std::string> {};

TEST_P(AttacksByDowngrade, ADigestWeakerThanMinDigestIsRefused) {
    const auto request = unanswered_register([](auto& c) { c.policy.min_digest = "SHA-256"; });
    driver.feed(in::Received{
        driver.flow_to(server),
        challenge(request, R"(realm="example.test", nonce="n", qop="auth")" + GetParam())});
    driver.run_for(1min);
    EXPECT_EQ(authorizations(), 0u) << driver.trace;
    EXPECT_THAT(driver.words(), HasSubstr("weaker than min_digest allows"));
}

INSTANTIATE_TEST_SUITE_P(Md5, AttacksByDowngrade,
                         testing::Values("", ", algorithm=MD5", ", algorithm=MD5-sess"));

// RFC 8760 §2.4 cannot know what somebody on the path has taken out: without min_digest the MD5
// challenge that is left is answered. docs/security.md says so.
TEST_F(Attacks, WithoutMinDigestTheChallengeThatIsLeftIsAnswered) {
    const auto request = unanswered_register();
    driver.feed(in::Received{
        driver.flow_to(server),
        challenge(request, R"(realm="example.test", nonce="n", qop="auth", algorithm=MD5)")});
    EXPECT_EQ(authorizations(), 1u) << driver.trace;
}

// F5: a redirect to somewhere else opens nothing, sends nothing there. A foreign name may be looked
// up, since it could lead to one of our servers; that it does not ends it.
TEST_F(Attacks, ARedirectToElsewhereIsNotFollowed) {
    const auto request = unanswered_register();
    driver.feed(in::Received{
        driver.flow_to(server),
        answer_to(request, 302,
                  "Contact: <sip:198.51.100.66>, <sip:alice@evil.test>, <sip:127.0.0.1:25>, "
                  "<sip:192.168.1.1>, <sip:203.0.113.12>\r\n")});
    driver.resolve("evil.test", {IpAddress::v4(198, 51, 100, 66)});
    driver.run_for(10min);
    for (const auto& [flow, target] : driver.opened) EXPECT_EQ(target, server);
    EXPECT_THAT(driver.words(), HasSubstr("it redirects to nowhere that is ours"));
}

// §11: a stranger learns not even that somebody is here, whatever the method; nothing goes out, so
// nothing is reflected.
TEST_F(Attacks, AStrangersRequestIsDroppedUnanswered) {
    register_alice();
    for (const std::string method : {"INVITE", "OPTIONS", "NOTIFY", "BYE", "CANCEL", "ACK",
                                     "REGISTER", "MESSAGE", "SUBSCRIBE", "REFER", "ODD"})
        for (const std::string uri :
             {"sip:alice@192.168.1.20:40000", "sip:alice@example.test",
              "sip:alice@192.168.1.20:40000;hf=aaaaaaaaaaaaaaaaaaaa", "sip:x@y.test"})
            EXPECT_EQ(octets_after(in::Stray{our_end, stranger,
                                             RequestText{.method = method, .uri = uri}.text()}),
                      0u)
                << method << " " << uri;
    EXPECT_EQ(driver.count(EventKind::ring), 0u);
}

// The same for what is no request at all, or one that cannot be read; and nobody is told of it, so
// that no log fills with it.
TEST_F(Attacks, AStrangersRubbishIsDroppedUnanswered) {
    register_alice();
    const auto told = driver.events.size();
    const std::string stun(
        "\x00\x01\x00\x00\x21\x12\xa4\x42"
        "abcdefghijkl",
        20);
    for (const std::string& bytes :
         {std::string("\r\n\r\n"), std::string(4, '\0'), stun,
          std::string("OPTIONS sip:a SIP/9.9\r\n"), RequestText{.cseq = "x"}.text(),
          std::string(65'000, 'A'), std::string("SIP/2.0 200 OK\r\n\r\n")})
        EXPECT_EQ(octets_after(in::Stray{our_end, stranger, bytes}), 0u) << bytes.substr(0, 40);
    EXPECT_EQ(driver.events.size(), told) << driver.words();
}

// §11, N7: who asks for TLS takes nothing in clear text, not from a server's address and not with
// our token.
TEST_F(Attacks, ATlsAccountTakesNothingOnUdp) {
    driver.resolve("example.test", {server.endpoint.address});
    register_alice([](auto& c) { c.transport = Transport::tls; });
    const auto bare = "sip:alice@" + contact_host;
    const auto with_token = bare + contact().substr(contact().find(";hf="));
    for (const auto& from : {stranger, server.endpoint})
        for (const auto& uri : {bare, with_token})
            EXPECT_EQ(octets_after(in::Stray{our_end, from,
                                             RequestText{.method = "INVITE", .uri = uri}.text()}),
                      0u)
                << uri;
    EXPECT_EQ(driver.count(EventKind::ring), 0u);
    for (const auto& [flow, target] : driver.opened) EXPECT_EQ(target.transport, Transport::tls);
}

// R1: not even a copy of our own OPTIONS, which those it was forked to have seen: it would pass for
// proof that calls arrive.
TEST_F(Attacks, ATlsAccountTakesNoProofInClearText) {
    register_alice([](auto& c) { c.transport = Transport::tls; });
    const auto own = std::ranges::find_if(driver.sent, [](const auto& sent) {
        return sent.second.starts_with("OPTIONS sips:alice@") ||
               sent.second.starts_with("OPTIONS sip:alice@");
    });
    ASSERT_NE(own, driver.sent.end()) << driver.trace;
    const auto call_id = std::string(sip::Message::parse(own->second)->call_id());
    for (const std::string method : {"OPTIONS", "ACK", "NOTIFY"})
        EXPECT_EQ(octets_after(in::Stray{our_end, stranger,
                                         RequestText{.method = method, .call_id = call_id}.text()}),
                  0u)
            << method;
    EXPECT_EQ(driver.count(EventKind::reachable), 0u) << driver.words();
}

// RFC 3261 §9.1, §17.2.3: who has seen the branch of a call elsewhere can neither end it nor have
// its answers, also not from an address that requests are taken from.
TEST_F(Attacks, ACancelOrACopyFromElsewhereDoesNothing) {
    driver.resolve("example.test", {server.endpoint.address, udp_target(12).endpoint.address});
    register_alice();
    const auto flow = driver.flow_to(driver.status(alice).bindings.at(0).target.value());
    driver.feed(in::Received{flow, RequestText{.method = "INVITE"}.text()});
    ASSERT_EQ(driver.count(EventKind::ring), 1u) << driver.words();
    for (const auto& from : {stranger, udp_target(11).endpoint, udp_target(12).endpoint}) {
        const auto opened = driver.opened.size();
        driver.feed(in::Stray{our_end, from, RequestText{.method = "ACK"}.text()});
        driver.feed(in::Stray{our_end, from, RequestText{.method = "INVITE"}.text()});
        EXPECT_EQ(driver.opened.size(), opened) << from.to_string();
    }
    driver.feed(in::Stray{our_end, stranger, RequestText{.method = "CANCEL"}.text()});
    driver.run_for(0s);  // a flow to answer on would be open now
    EXPECT_EQ(driver.count(EventKind::call_ended), 0u) << driver.words();
    driver.feed(in::Received{flow, RequestText{.method = "CANCEL"}.text()});  // the contrast
    EXPECT_EQ(driver.count(EventKind::call_ended), 1u) << driver.words();
}

// RFC 3261 §18.2.2: an answer goes to where the request came from, whatever `maddr` or sent-by say:
// nobody else is shot at with it.
TEST_F(Attacks, AViaThatNamesSomebodyElseAimsNothingThere) {
    register_alice();
    int request = 0;
    for (const std::string via : {"203.0.113.11:5060;maddr=198.51.100.66", "198.51.100.66:5060"})
        for (const bool rport : {true, false}) {
            auto text =
                RequestText{.branch = "z9hG4bK" + std::to_string(++request), .via_host = via}
                    .text();
            if (!rport) text.erase(text.find(";rport"), 6);
            const auto sent = driver.sent.size();
            driver.feed(in::Received{driver.flow_to(server), text});
            driver.run_for(0s);
            ASSERT_GT(driver.sent.size(), sent) << text;
            EXPECT_EQ(driver.sent.at(driver.sent.size() - 1).first, server) << text;
        }
}

// §11 (c): our token is 96 random bits; whoever has it was told it. Even so: at most so many flows
// are opened to answer, and each request gets one answer.
TEST_F(Attacks, SpoofedSourcesWithOurTokenOpenFewFlows) {
    register_alice();
    const auto uri = contact();
    const auto opened = driver.opened.size();
    for (int i = 0; i < 1000; ++i) {
        const Endpoint from{IpAddress::v4(198, 51, static_cast<std::uint8_t>(i / 250),
                                          static_cast<std::uint8_t>(1 + i % 250)),
                            5060};
        driver.feed(in::Stray{our_end, from,
                              RequestText{.uri = uri,
                                          .call_id = "c" + std::to_string(i),
                                          .branch = "z9hG4bK" + std::to_string(i),
                                          .via_host = from.to_string()}
                                  .text()});
    }
    driver.run_for(0s);
    EXPECT_EQ(driver.opened.size() - opened, limits::stray_flows);
}

// A known server that floods with requests: transactions have a limit, and what is past it is not
// answered (I8).
TEST_F(Attacks, AFloodFromAServerHasALimit) {
    register_alice();
    const auto before = driver.sent.size();
    for (int i = 0; i < 3000; ++i)
        driver.feed(in::Received{
            driver.flow_to(server),
            RequestText{.call_id = "c" + std::to_string(i), .branch = "z9hG4bK" + std::to_string(i)}
                .text()});
    EXPECT_EQ(driver.sent.size() - before, limits::server_transactions);
    driver.run_for(10min);
    EXPECT_TRUE(registered()) << driver.words();
}

// §11, RFC 5922: SRV may lead anywhere; the name that the certificate must have is the configured
// one. (DNS that lies can then do no more than refuse.)
TEST(AttackByDns, TheCertificatesNameIsNotTheSrvTarget) {
    Driver driver;
    const Endpoint evil{IpAddress::v4(198, 51, 100, 66), 5061};
    driver.zone[{.name = "_sips._tcp.example.test", .type = dns::RecordType::srv}] = {
        dns::Status::ok, {dns::Srv{1, 1, evil.port, "evil.test"}}, 60s};
    driver.resolve("evil.test", {evil.address});
    driver.add(alice, "sip:alice@example.test", Transport::tls);
    driver.run_for(2s);
    ASSERT_EQ(driver.opened.size(), 1u) << driver.trace;
    EXPECT_EQ(driver.opened.front().second, (Target{Transport::tls, evil}));
    EXPECT_THAT(driver.tls_names, testing::ElementsAre("example.test"));
}

}  // namespace
}  // namespace holdfast::engine
