// How long a phone with the real runtime needs when servers are dead, through real sockets: the
// rows S1 to S4, S8 and S10 of what Holdfast must ("Staying registered"). A silent server's socket
// is open and never answers; over TCP its queue of connections is full, so that SYNs are dropped; a
// muted one accepts connections and says nothing.
//   Rules F2, F3, F4, F5, S1. Not tested here: why these figures and no others (the lab's tests, in
//   virtual time).
#include "tests/loopback/live_fixture.h"

namespace holdfast::live {
namespace {

enum class Trouble : std::uint8_t { silent, muted, refused, busy, busy_for_20_s };

void cause(World& world, std::size_t server, Trouble trouble) {
    switch (trouble) {
    case Trouble::silent: return world.silence(server);
    case Trouble::muted: return world.mute(server);
    case Trouble::refused: return world.refuse(server);
    case Trouble::busy: return world.answer_with(server, 503);
    case Trouble::busy_for_20_s: return world.answer_with(server, 503, 20);
    }
}

struct Row {
    std::string_view name;
    Transport transport = Transport::udp;
    Trouble trouble = Trouble::silent;
    std::size_t servers = 1;  // so many in trouble: the first choices
    bool rotate = false;
    Duration limit{};
};

class TimedColdStart : public LiveTest, public testing::WithParamInterface<Row> {
protected:
    Authority authority;
};

TEST_P(TimedColdStart, IsRegisteredWithinItsLimit) {
    const auto& row = GetParam();
    auto& world = add_world({.records = {.rotate = row.rotate},
                             .authority = is_secure(row.transport) ? &authority : nullptr});
    PhoneOptions options{.transport = row.transport};
    if (is_secure(row.transport)) {
        options.ca_file = scratch.path() / "ca.pem";
        ASSERT_TRUE(authority.write_to(options.ca_file));
    }
    auto& phone = add_phone(world, std::move(options));
    on_first_choices(world, phone, row.servers,
                     [&](std::size_t server) { cause(world, server, row.trouble); });
    ASSERT_TRUE(run_until_registered(phone, 10s)) << phone.log() << world.ladder();
    EXPECT_LE(registered_after(phone), row.limit) << phone.log() << world.ladder();
    EXPECT_EQ(world.cluster().bindings("sip:alice@example.test").size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, TimedColdStart,
    testing::Values(Row{"S1", Transport::udp, Trouble::silent, 1, false, 1500ms},
                    Row{"S1r", Transport::udp, Trouble::silent, 1, true, 1500ms},
                    Row{"S1_tcp_muted", Transport::tcp, Trouble::muted, 1, false, 1500ms},
                    Row{"S1_tls_muted", Transport::tls, Trouble::muted, 1, false, 1500ms},
                    Row{"S2", Transport::udp, Trouble::silent, 2, false, 1500ms},
                    Row{"S3", Transport::udp, Trouble::refused, 1, false, 200ms},
                    Row{"S4", Transport::tcp, Trouble::silent, 1, false, 600ms},
                    Row{"S4_tls", Transport::tls, Trouble::silent, 1, false, 600ms},
                    Row{"S4b", Transport::tcp, Trouble::refused, 1, false, 50ms},
                    Row{"S4b_tls", Transport::tls, Trouble::refused, 1, false, 50ms},
                    Row{"S8a", Transport::udp, Trouble::busy, 1, false, 50ms},
                    Row{"S8a_tcp", Transport::tcp, Trouble::busy, 1, false, 50ms},
                    Row{"S8b", Transport::udp, Trouble::busy_for_20_s, 1, false, 50ms}),
    [](const auto& test) { return std::string(test.param.name); });

class TimedOutage : public LiveTest, public testing::WithParamInterface<Transport> {};

// S10: a minute of silence.
TEST_P(TimedOutage, AllServersSilentThenBack) {
    auto& world = add_world();
    auto& phone = add_phone(world, {.transport = GetParam()});
    for (std::size_t i = 0; i < world.servers(); ++i) world.silence(i);
    ASSERT_FALSE(run_until_registered(phone, 60s)) << phone.log();
    for (std::size_t i = 0; i < world.servers(); ++i) ASSERT_TRUE(world.heal(i));
    const auto back = phone.elapsed();
    ASSERT_TRUE(run_until_registered(phone, 15s)) << phone.log() << world.ladder();
    EXPECT_LE(phone.elapsed() - back, 10s) << phone.log();
}

INSTANTIATE_TEST_SUITE_P(Transports, TimedOutage, testing::Values(Transport::udp, Transport::tcp),
                         [](const auto& test) { return std::string(name_of(test.param)); });

// S5c: the server's process dies and with it the connection; its port is closed from then on.
class TimedRestart : public LiveTest {};

TEST_F(TimedRestart, ConnectionResetThenRefused) {
    auto& world = add_world();
    auto& phone = add_phone(world, {.transport = Transport::tcp});
    ASSERT_TRUE(run_until_registered(phone, 5s)) << phone.log();
    const auto first = world.server_at(phone.current_target().value());
    world.refuse(first.value());
    const auto died = phone.elapsed();
    ASSERT_TRUE(loop.run_until([&] { return phone.count(EventKind::moved) > 0; }, 10s))
        << phone.log() << world.ladder();
    EXPECT_LE(phone.first(EventKind::moved).value() - died, 100ms) << phone.log();
    EXPECT_EQ(world.cluster().bindings("sip:alice@example.test").size(), 1U);
}

}  // namespace
}  // namespace holdfast::live
