// TCP of the lab, as the programs at both ends see it.
#include "lab/tcp.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace holdfast::lab {
namespace {

using namespace std::chrono_literals;

struct Host : Node {
    Host(Internet& internet, std::string_view address_text)
        : address(*IpAddress::parse(address_text)),
          tcp(internet, internet, [this](const TcpEvent& event) { events.push_back(event); }) {
        internet.attach(address, *this, std::string(address_text));
    }
    void receive(const Packet& packet) override {
        if (!silent) tcp.receive(packet);
    }
    IpAddress address;
    TcpHost tcp;
    std::vector<TcpEvent> events;
    bool silent = false;
};

class TcpTest : public testing::Test {
protected:
    void run(Duration duration) {
        const auto end = internet.now() + duration;
        while (internet.step(end)) {
        }
        internet.advance_to(end);
    }
    void open() {
        server.tcp.listen(5060);
        client.tcp.connect(id);
        run(1s);
        ASSERT_TRUE(client.tcp.is_open(id));
    }
    std::vector<TcpEventKind> kinds(const Host& host) const {
        std::vector<TcpEventKind> all;
        for (const auto& event : host.events) all.push_back(event.kind);
        return all;
    }
    Internet internet{Seed{3}, {.one_way_delay = 10ms}};
    Host client{internet, "192.0.2.10"};
    Host server{internet, "203.0.113.11"};
    TcpId id{{client.address, 40000}, {server.address, 5060}};
    TcpId back{id.remote, id.local};
};

TEST_F(TcpTest, ConnectsInOneRoundTrip) {
    server.tcp.listen(5060);
    client.tcp.connect(id);
    run(20ms);
    EXPECT_EQ(kinds(client), std::vector{TcpEventKind::connected});
    EXPECT_EQ(kinds(server), std::vector{TcpEventKind::accepted});
    EXPECT_TRUE(client.tcp.is_same_connection(id, server.tcp, back));
}

TEST_F(TcpTest, ClosedPortRefuses) {
    client.tcp.connect(id);
    run(20ms);
    EXPECT_EQ(kinds(client), std::vector{TcpEventKind::refused});
}

// SYN again after 1, 3, 7 s: a server that comes back after 2 s is connected to at 3 s.
TEST_F(TcpTest, SynIsRepeated) {
    server.tcp.listen(5060);
    server.silent = true;
    client.tcp.connect(id);
    run(2s);
    EXPECT_TRUE(client.events.empty());
    server.silent = false;
    run(1s + 19ms);
    EXPECT_TRUE(client.events.empty());
    run(1ms);
    EXPECT_EQ(kinds(client), std::vector{TcpEventKind::connected});
}

TEST_F(TcpTest, DataArrivesInOrderInSpiteOfLossAndReordering) {
    open();
    internet.link().set({.one_way_delay = 10ms, .loss = 0.2, .reorder = 0.3});
    for (char c = 'a'; c <= 'z'; ++c) client.tcp.send(id, std::string(1, c));
    run(60s);
    std::string all;
    for (const auto& event : server.events) all += event.bytes;
    EXPECT_EQ(all, "abcdefghijklmnopqrstuvwxyz");
}

TEST_F(TcpTest, SilencePeerEndsAfterTheUserTimeout) {
    open();
    server.silent = true;
    client.tcp.send(id, "hello");
    run(TcpHost::user_timeout - 1us);
    EXPECT_EQ(client.events.size(), 1u);
    run(1us);
    EXPECT_EQ(client.events.back().kind, TcpEventKind::timed_out);
    EXPECT_FALSE(client.tcp.is_open(id));
}

TEST_F(TcpTest, ARestartedPeerAnswersReset) {
    open();
    server.tcp.forget_all();
    client.tcp.send(id, "hello");
    run(20ms);
    EXPECT_EQ(client.events.back().kind, TcpEventKind::reset);
}

TEST_F(TcpTest, ClosingComesAfterTheData) {
    open();
    client.tcp.send(id, "bye");
    client.tcp.close(id);
    run(1s);
    EXPECT_EQ(kinds(server),
              (std::vector{TcpEventKind::accepted, TcpEventKind::received, TcpEventKind::closed}));
    EXPECT_TRUE(client.tcp.connections().empty());
    EXPECT_TRUE(server.tcp.connections().empty());
}

TEST_F(TcpTest, AProcessThatDiesResetsItsConnections) {
    open();
    server.tcp.reset_all();
    run(20ms);
    EXPECT_EQ(client.events.back().kind, TcpEventKind::reset);
}

}  // namespace
}  // namespace holdfast::lab
