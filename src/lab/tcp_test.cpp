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
        const auto end = internet_.now() + duration;
        while (internet_.step(end)) {
        }
        internet_.advance_to(end);
    }
    void open() {
        server_.tcp.listen(5060);
        client_.tcp.connect(id_);
        run(1s);
        ASSERT_TRUE(client_.tcp.is_open(id_));
    }
    std::vector<TcpEventKind> kinds(const Host& host) const {
        std::vector<TcpEventKind> all;
        for (const auto& event : host.events) all.push_back(event.kind);
        return all;
    }
    Internet internet_{Seed{3}, {.one_way_delay = 10ms}};
    Host client_{internet_, "192.0.2.10"};
    Host server_{internet_, "203.0.113.11"};
    TcpId id_{{client_.address, 40000}, {server_.address, 5060}};
    TcpId back_{id_.remote, id_.local};
};

TEST_F(TcpTest, ConnectsInOneRoundTrip) {
    server_.tcp.listen(5060);
    client_.tcp.connect(id_);
    run(20ms);
    EXPECT_EQ(kinds(client_), std::vector{TcpEventKind::connected});
    EXPECT_EQ(kinds(server_), std::vector{TcpEventKind::accepted});
    EXPECT_TRUE(client_.tcp.is_same_connection(id_, server_.tcp, back_));
}

TEST_F(TcpTest, ClosedPortRefuses) {
    client_.tcp.connect(id_);
    run(20ms);
    EXPECT_EQ(kinds(client_), std::vector{TcpEventKind::refused});
}

// SYN again after 1, 3, 7 s: a server that comes back after 2 s is connected to at 3 s.
TEST_F(TcpTest, SynIsRepeated) {
    server_.tcp.listen(5060);
    server_.silent = true;
    client_.tcp.connect(id_);
    run(2s);
    EXPECT_TRUE(client_.events.empty());
    server_.silent = false;
    run(1s + 19ms);
    EXPECT_TRUE(client_.events.empty());
    run(1ms);
    EXPECT_EQ(kinds(client_), std::vector{TcpEventKind::connected});
}

TEST_F(TcpTest, DataArrivesInOrderInSpiteOfLossAndReordering) {
    open();
    internet_.link().set({.one_way_delay = 10ms, .loss = 0.2, .reorder = 0.3});
    for (char c = 'a'; c <= 'z'; ++c) client_.tcp.send(id_, std::string(1, c));
    run(60s);
    std::string all;
    for (const auto& event : server_.events) all += event.bytes;
    EXPECT_EQ(all, "abcdefghijklmnopqrstuvwxyz");
}

TEST_F(TcpTest, SilencePeerEndsAfterTheUserTimeout) {
    open();
    server_.silent = true;
    client_.tcp.send(id_, "hello");
    run(TcpHost::user_timeout - 1us);
    EXPECT_EQ(client_.events.size(), 1u);
    run(1us);
    EXPECT_EQ(client_.events.back().kind, TcpEventKind::timed_out);
    EXPECT_FALSE(client_.tcp.is_open(id_));
}

TEST_F(TcpTest, ARestartedPeerAnswersReset) {
    open();
    server_.tcp.forget_all();
    client_.tcp.send(id_, "hello");
    run(20ms);
    EXPECT_EQ(client_.events.back().kind, TcpEventKind::reset);
}

TEST_F(TcpTest, ClosingComesAfterTheData) {
    open();
    client_.tcp.send(id_, "bye");
    client_.tcp.close(id_);
    run(1s);
    EXPECT_EQ(kinds(server_),
              (std::vector{TcpEventKind::accepted, TcpEventKind::received, TcpEventKind::closed}));
    EXPECT_TRUE(client_.tcp.connections().empty());
    EXPECT_TRUE(server_.tcp.connections().empty());
}

TEST_F(TcpTest, AProcessThatDiesResetsItsConnections) {
    open();
    server_.tcp.reset_all();
    run(20ms);
    EXPECT_EQ(client_.events.back().kind, TcpEventKind::reset);
}

}  // namespace
}  // namespace holdfast::lab
