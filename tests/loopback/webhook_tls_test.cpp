// A webhook over https: events go to nobody who cannot show a certificate that the host trusts, and
// what a user has told curl for himself changes nothing of it.
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "runtime/hooks.h"
#include "tests/loopback/live_fixture.h"

namespace holdfast::live {
namespace {

using WebhookTls = LiveTest;

TEST_F(WebhookTls, ACertificateThatNobodyVouchesForIsRefused) {
    const Authority authority;  // of whom the host knows nothing
    auto& world = add_world({.servers = 1, .authority = &authority});
    const auto url = "https://" + world.target(0, Transport::tls).endpoint.to_string() + "/";
    const auto* const home = std::getenv("HOME");
    const std::string before = home == nullptr ? "" : home;
    std::ofstream(scratch.path() / ".curlrc") << "insecure\n";
    ::setenv("HOME", scratch.path().c_str(), 1);
    std::vector<std::string> notices;
    runtime::Hooks hooks{loop, {{.url = url, .timeout = 5s}}, [&](std::string sentence) {
                             notices.push_back(std::move(sentence));
                         }};
    Event event;
    event.kind = EventKind::moved;
    hooks.on_event({.since_start = 1s, .unixtime = 7}, event, "sip:alice@example.test");
    bool closed = false;
    hooks.close(10s, [&] { closed = true; });
    EXPECT_TRUE(loop.run_until([&] { return closed; }, 20s));
    if (home == nullptr)
        ::unsetenv("HOME");
    else
        ::setenv("HOME", before.c_str(), 1);
    EXPECT_THAT(notices, testing::ElementsAre(testing::HasSubstr("exit code 60: curl: (60)")));
}

}  // namespace
}  // namespace holdfast::live
