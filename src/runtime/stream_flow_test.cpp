// One TCP connection: connect in bounded time, order kept, every end with its reason (F2, F4, N7's
// counterpart).
#include "runtime/stream_flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "runtime/clock.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;

class StreamFlowTest : public testing::Test {
protected:
    StreamHandler handler() {
        return {
            .opened = [this](const Endpoint& local, const std::string&) { opened_from = local; },
            .failed = [this](FlowError error, const std::string&) { failed = error; },
            .closed = [this](FlowError error, const std::string&) { closed = error; },
            .received = [this](const std::string& bytes) { received += bytes; }};
    }
    StreamFlow& connect(StreamOptions options) {
        owned_flow = std::make_unique<StreamFlow>(loop, options, nullptr, handler());
        owned_flow->start();
        return *owned_flow;
    }
    StreamFlow& connect(const Endpoint& remote) { return connect({.remote = remote, .local = {}}); }
    bool run_until(const std::function<bool()>& condition) {
        return loop.run_until(condition, limit);
    }
    TcpPeer::Accepted accept() {
        return [this](Descriptor connection) { peer = std::move(connection); };
    }

    Loop loop;
    Descriptor peer;
    std::optional<Endpoint> opened_from;
    std::optional<FlowError> failed;
    std::optional<FlowError> closed;
    std::string received;
    std::unique_ptr<StreamFlow> owned_flow;
};

TEST_F(StreamFlowTest, OpensAndCarriesBytesBothWays) {
    const TcpPeer server{loop, accept()};
    auto& flow = connect(server.endpoint());
    flow.send("before it is open, ");  // waits its turn
    ASSERT_TRUE(run_until([&] { return opened_from && peer; }));
    EXPECT_EQ(opened_from->address, loopback());
    flow.send("and after");
    std::string seen;
    const Watch watch{loop, peer.get(), [&](Ready) {
                          std::array<char, 256> space{};
                          const auto size = ::read(peer.get(), space.data(), space.size());
                          if (size > 0) seen.append(space.data(), static_cast<std::size_t>(size));
                      }};
    EXPECT_TRUE(run_until([&] { return seen == "before it is open, and after"; })) << seen;
    ASSERT_EQ(::write(peer.get(), "answer", 6), 6);
    EXPECT_TRUE(run_until([&] { return received == "answer"; })) << received;
}

TEST_F(StreamFlowTest, RefusedIsSaidAtOnce) {  // F2
    const auto begin = boot_time();
    connect(closed_port(loopback(), SOCK_STREAM));
    ASSERT_TRUE(run_until([&] { return failed.has_value(); }));
    EXPECT_EQ(failed, FlowError::refused);
    EXPECT_LT(boot_time() - begin, 1s);
}

// A listener whose backlog is full drops SYNs, as a silent host does; here with a shorter limit
// than 10 s.
TEST_F(StreamFlowTest, SilentServerEndsAtTheLimit) {  // F4
    const auto listener = bound_socket(SOCK_STREAM, {loopback(), 0});
    ASSERT_EQ(::listen(listener.get(), 0), 0);
    const auto full = *local_endpoint(listener.get());
    std::vector<Descriptor> fillers;
    const auto address = socket_address_of(full);
    for (int i = 0; i < 4; ++i) {
        fillers.push_back(bound_socket(SOCK_STREAM, {loopback(), 0}));
        ::connect(fillers.back().get(), address.get(), address.length);
    }
    EXPECT_EQ(StreamOptions{}.connect_limit, 10s);
    const auto begin = boot_time();
    connect({.remote = full, .local = {}, .connect_limit = 50ms});
    ASSERT_TRUE(run_until([&] { return failed.has_value(); }));
    EXPECT_EQ(failed, FlowError::timed_out);
    EXPECT_GE(boot_time() - begin, 50ms);
}

TEST_F(StreamFlowTest, OrderlyEndIsThePeers) {
    const TcpPeer server{loop, accept()};
    connect(server.endpoint());
    ASSERT_TRUE(run_until([&] { return opened_from && peer; }));
    ASSERT_EQ(::write(peer.get(), "bye", 3), 3);
    peer.close();
    ASSERT_TRUE(run_until([&] { return closed.has_value(); }));
    EXPECT_EQ(closed, FlowError::closed_by_peer);
    EXPECT_EQ(received, "bye") << "what came before the end is not lost";
    EXPECT_FALSE(failed);
}

TEST_F(StreamFlowTest, ResetIsAReset) {
    const TcpPeer server{loop, accept()};
    connect(server.endpoint());
    ASSERT_TRUE(run_until([&] { return opened_from && peer; }));
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    peer.close();
    ASSERT_TRUE(run_until([&] { return closed.has_value(); }));
    EXPECT_EQ(closed, FlowError::reset);
}

TEST_F(StreamFlowTest, LargeWritesArriveWholeAndInOrder) {
    const TcpPeer server{loop, accept()};
    auto& flow = connect(server.endpoint());
    ASSERT_TRUE(run_until([&] { return opened_from && peer; }));
    std::string sent;
    for (int i = 0; i < 50; ++i) {
        sent += std::string(10'000, static_cast<char>('a' + i % 26));
        flow.send(std::string_view{sent}.substr(sent.size() - 10'000));
    }
    std::string seen;
    const Watch watch{loop, peer.get(), [&](Ready) {
                          std::vector<char> space(1 << 16U);
                          const auto size = ::read(peer.get(), space.data(), space.size());
                          if (size > 0) seen.append(space.data(), static_cast<std::size_t>(size));
                      }};
    EXPECT_TRUE(run_until([&] { return seen.size() == sent.size(); }));
    EXPECT_TRUE(seen == sent);
}

TEST_F(StreamFlowTest, PeerThatTakesNothingIsGivenUp) {
    const TcpPeer server{loop, accept()};
    auto& flow = connect(server.endpoint());
    ASSERT_TRUE(run_until([&] { return opened_from && peer; }));
    const std::string block(100'000, 'x');
    for (int i = 0; i < 1000 && !closed; ++i) flow.send(block);
    EXPECT_EQ(closed, FlowError::timed_out);
}

TEST_F(StreamFlowTest, IsBoundToTheAddressAskedFor) {
    const TcpPeer server{loop, accept()};
    connect({.remote = server.endpoint(), .local = loopback(9)});
    ASSERT_TRUE(run_until([&] { return opened_from.has_value(); }));
    EXPECT_EQ(opened_from->address, loopback(9));
}

TEST_F(StreamFlowTest, AddressThatIsGoneIsSaid) {
    connect({.remote = {loopback(), 5060}, .local = IpAddress::v4(192, 0, 2, 1)});
    ASSERT_TRUE(run_until([&] { return failed.has_value(); }));
    EXPECT_EQ(failed, FlowError::local_address_gone);
}

TEST_F(StreamFlowTest, SilencedFlowCallsNobody) {
    const TcpPeer server{loop, accept()};
    connect(server.endpoint()).silence();
    EXPECT_FALSE(loop.run_until([&] { return opened_from || failed || closed; }, 20ms));
}

}  // namespace
}  // namespace holdfast::runtime
