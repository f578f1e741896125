// §11: what keeps a flow alive is no news. CRLF, four zero bytes and STUN of the own server, and
// its answers to ours, are told nobody: no Event, nothing sent but the pong that RFC 5626 §4.4.1
// demands, nothing opened; and STUN that we have not asked for moves no mapping (N1).
//   Not tested here: strangers' (attacks_test.cpp), servers that ping in earnest
//   (tests/interop_habits_test.cpp), what silence means (K2, keep_alive_desk_test.cpp).
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/test_driver.h"
#include "engine/test_names.h"
#include "flow/stun.h"

namespace holdfast::engine {
namespace {

using registration::KeepAliveKind;

const Endpoint seen_there{IpAddress::v4(198, 51, 100, 7), 13450};  // Driver::mapping
const std::string crlf_pong = "\r\n";
const std::string crlf_ping = "\r\n\r\n";

// Alice, registered for a minute, and what her server says to her.
class PingedPhone {
public:
    PingedPhone(Transport transport, KeepAliveKind kind)
        : server_{transport, {IpAddress::v4(203, 0, 113, 11), 5060}} {
        driver.resolve("example.test", {server_.endpoint.address});
        driver.add(alice, "sip:alice@example.test", transport,
                   [&](auto& policy) { policy.keepalive = kind; });
        driver.run_for(10s);
        answer_keep_alives(50s);
    }
    // What it leads to on the wire, at once.
    std::vector<std::string> sent_after(const std::string& bytes) {
        const auto before = driver.sent.size();
        driver.feed(in::Received{driver.flow_to(server_), bytes});
        driver.run_for(0s);
        std::vector<std::string> said;
        for (auto i = before; i < driver.sent.size(); ++i) said.push_back(driver.sent[i].second);
        return said;
    }
    // The driver answers OPTIONS; the others are answered here. How many there were.
    std::size_t answer_keep_alives(Duration duration) {
        std::size_t pings = 0;
        for (const Instant end = driver.now + duration; driver.now < end;) {
            const auto before = driver.sent.size();
            driver.run_for(100ms);
            for (auto i = before; i < driver.sent.size(); ++i) {
                const auto asked = driver.sent[i].second;
                ++pings;
                if (flow::is_stun(asked))
                    sent_after(flow::encode_binding_success(flow::decode_stun(asked)->transaction,
                                                            seen_there));
                if (asked == crlf_ping && is_reliable(server_.transport)) sent_after(crlf_pong);
            }
        }
        return pings;
    }
    [[nodiscard]] BindingStatus binding() const { return driver.status(alice).bindings.at(0); }

    Driver driver;

private:
    Target server_;
};

// The pings that servers send, and answers to none of ours.
TEST(Pings, OfTheOwnServerAreToldNobody) {
    for (const auto transport : {Transport::udp, Transport::tcp}) {
        PingedPhone phone(transport, KeepAliveKind::automatic);
        Random random{seed_from_number(3)};
        std::vector<std::string> pings{crlf_pong, crlf_ping};
        if (transport == Transport::udp) {
            const auto id = flow::new_stun_transaction(random);
            const Endpoint elsewhere{IpAddress::v4(192, 0, 2, 99), 9};
            pings.emplace_back(4, '\0');
            pings.push_back(flow::encode_binding_request(id));
            pings.push_back(flow::encode_binding_success(id, elsewhere));
            pings.push_back(flow::encode_binding_error(id, {.code = 400, .reason = "No"}));
        }
        const auto events = phone.driver.events.size();
        const auto contact = phone.binding().contact;
        for (int i = 0; i < 100; ++i)
            for (const auto& bytes : pings) {
                const bool wants_pong = transport == Transport::tcp && bytes == crlf_ping;
                ASSERT_EQ(phone.sent_after(bytes),
                          wants_pong ? std::vector{crlf_pong} : std::vector<std::string>{});
            }
        EXPECT_EQ(phone.driver.events.size(), events) << phone.driver.words();
        EXPECT_EQ(phone.driver.opened.size(), 1u);
        EXPECT_TRUE(phone.driver.closed.empty());
        EXPECT_EQ(phone.binding().contact, contact);
        EXPECT_EQ(phone.binding().mapping, seen_there);
    }
}

// K1: our own keep-alives of each kind, answered as they should be. No refresh is due meanwhile.
TEST(Pings, AnswersToOursAreToldNobody) {
    for (const auto transport : {Transport::udp, Transport::tcp})
        for (const auto kind : {KeepAliveKind::automatic, KeepAliveKind::options,
                                KeepAliveKind::stun, KeepAliveKind::crlf}) {
            // Who expects no answer, or not of this driver, does not notice that its server dies,
            // which is what is demanded there (test_driver.h).
            if (wanted_host_fault() && kind != KeepAliveKind::automatic) continue;
            PingedPhone phone(transport, kind);
            const auto events = phone.driver.events.size();
            const auto contact = phone.binding().contact;
            const auto registers = phone.driver.requests("REGISTER");
            EXPECT_GE(phone.answer_keep_alives(150s), 1u) << phone.driver.trace;
            EXPECT_EQ(phone.driver.events.size(), events) << phone.driver.words();
            EXPECT_EQ(phone.driver.requests("REGISTER"), registers) << phone.driver.trace;
            EXPECT_EQ(phone.binding().contact, contact);
            EXPECT_EQ(phone.binding().mapping, seen_there);
        }
}

}  // namespace
}  // namespace holdfast::engine
