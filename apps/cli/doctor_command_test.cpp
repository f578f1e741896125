// holdfast doctor as a process, against the lab's servers on loopback: what it prints, what it ends
// with, and that nothing of it stays. Which fault it finds by what: tests/doctor, in virtual time.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "apps/cli/command_runs.h"
#include "apps/cli/exit_code.h"
#include "live/authority.h"
#include "live/scratch.h"
#include "live/world.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using testing::CommandRun;
using Words = std::vector<std::string>;

class DoctorCommand : public ::testing::Test, protected testing::CommandRuns {
protected:
    void open(live::WorldOptions options = {}) {
        auto opened = live::World::open(loop, options);
        if (!opened) throw std::runtime_error(opened.error());
        world = *std::move(opened);
        world->cluster().add_user("alice", "secret");
    }
    // SRV records for the real ports of each server.
    void announce(const std::string& service, Transport transport) {
        std::vector<dns::Srv> records;
        for (std::size_t i = 0; i < world->servers(); ++i) {
            const auto name = "sip" + std::to_string(i + 1) + ".example.test";
            const auto target = world->target(i, transport);
            world->dns().a(name, {target.endpoint.address});
            records.push_back({10, 10, target.endpoint.port, name});
        }
        world->dns().srv(service + ".example.test", records);
    }
    CommandRun& start(const std::string& command, const Words& more = {},
                      const std::string& secret = "secret") {
        Words words{command,   "sip:alice@example.test",
                    "--dns",   world->name_server().to_string(),
                    "--state", (scratch.path() / "state").string()};
        words.insert(words.end(), more.begin(), more.end());
        return runs.emplace_back(words, std::map<std::string, std::string>{
                                            {"HOLDFAST_PASSWORD", secret},
                                            {"XDG_RUNTIME_DIR", scratch.path().string()}});
    }
    CommandRun& examine(const Words& more = {}, const std::string& secret = "secret") {
        auto& run = start("doctor", more, secret);
        EXPECT_TRUE(run_until([&] { return run.ended(); }, 90s)) << story(run);
        return run;
    }
    [[nodiscard]] std::size_t bound() const {
        return world->cluster().bindings("sip:alice@example.test").size();
    }

    live::ScratchDirectory scratch;
    std::unique_ptr<live::World> world;
};

TEST_F(DoctorCommand, AHealthyAccountIsGoodAndTheReportHoldsNoSecret) {
    open();
    announce("_sip._udp", Transport::udp);
    const auto& run = examine({"--transport", "udp"}, "a-secret-of-alice");
    EXPECT_EQ(run.exit_code(), number_of(ExitCode::bad)) << story(run);  // it is not her password
    EXPECT_EQ(story(run).find("a-secret-of-alice"), std::string::npos);
    const auto& good = examine({"--transport", "udp", "--trace"});
    EXPECT_EQ(good.exit_code(), number_of(ExitCode::ok)) << story(good);
    EXPECT_TRUE(good.said("Verdict: good\n")) << story(good);
    EXPECT_TRUE(good.said("sip:alice@example.test can be reached.")) << story(good);
    EXPECT_FALSE(good.said("doubtful")) << story(good);
    EXPECT_TRUE(good.complained("REGISTER sip:example.test")) << story(good);
    EXPECT_EQ(good.errors().find("response="), std::string::npos);
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorCommand, SaysWhatIsBadInJsonToo) {
    live::WorldOptions options;
    options.cluster.location = lab::Location::separate;
    open(options);
    announce("_sip._udp", Transport::udp);
    world->silence(1);
    world->refuse(2);
    const auto& run = examine({"--json"});
    EXPECT_EQ(run.exit_code(), number_of(ExitCode::bad)) << story(run);
    EXPECT_TRUE(run.said(R"({"step":"servers","verdict":"bad","seen":")" +
                         world->target(1, Transport::udp).to_string() + " is silent"))
        << story(run);
    EXPECT_TRUE(run.said(world->target(2, Transport::udp).to_string() + ": ")) << story(run);
    EXPECT_TRUE(run.said(R"("verdict":"bad","complete":true)")) << story(run);
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorCommand, SeesCertificates) {
    const live::Authority authority;
    live::WorldOptions options{.servers = 1};
    options.authority = &authority;
    options.certificate_name = "other.example";
    open(options);
    announce("_sips._tcp", Transport::tls);
    const auto ca = (scratch.path() / "ca.pem").string();
    ASSERT_TRUE(authority.write_to(ca));
    const auto& run = examine({"--transport", "tls", "--ca", ca});
    EXPECT_EQ(run.exit_code(), number_of(ExitCode::bad)) << story(run);
    EXPECT_TRUE(run.said("the certificate is for other.example, not for example.test"))
        << story(run);
    // The same server by its own name: the certificate is told, and that it lasts a day only.
    const auto& own = examine({"--transport", "tls", "--ca", ca, "--registrar",
                               "sip:other.example:" + std::to_string(world->ports().tls)});
    EXPECT_TRUE(own.said("other.example does not exist")) << story(own);
    world->dns().a("other.example", {world->target(0, Transport::tls).endpoint.address});
    const auto& named = examine({"--transport", "tls", "--ca", ca, "--registrar",
                                 "sip:other.example:" + std::to_string(world->ports().tls)});
    EXPECT_EQ(named.exit_code(), number_of(ExitCode::doubtful)) << story(named);
    EXPECT_TRUE(named.said("TLSv1.3, certificate for other.example from ")) << story(named);
    EXPECT_TRUE(named.said("arrives at this host")) << story(named);
    EXPECT_EQ(bound(), 0U);
}

TEST_F(DoctorCommand, InterruptedItRemovesItsBinding) {
    open();
    announce("_sip._udp", Transport::udp);
    auto& run = start("doctor", {"--transport", "udp"});
    ASSERT_TRUE(run_until([&] { return bound() > 0 || run.ended(); }, 60s)) << story(run);
    ASSERT_FALSE(run.ended()) << story(run);
    run.signal(SIGINT);
    ASSERT_TRUE(run_until([&] { return run.ended(); })) << story(run);
    EXPECT_EQ(run.exit_code(), number_of(ExitCode::undecided)) << story(run);
    EXPECT_TRUE(run.said("it was cut short")) << story(run);
    EXPECT_EQ(bound(), 0U);
}

// What a phone that runs has registered is known by its state; it is asked, and not disturbed.
TEST_F(DoctorCommand, AsksThePhoneThatRuns) {
    open();
    announce("_sip._udp", Transport::udp);
    auto& phone = start("phone", {"--transport", "udp", "--audio", "null"});
    ASSERT_TRUE(run_until([&] { return bound() == 1 || phone.ended(); }, 30s)) << story(phone);
    const auto before = world->cluster().bindings("sip:alice@example.test").front().contact;
    const auto& run = examine({"--transport", "udp"});
    EXPECT_TRUE(run.said("this host's phone: sip:alice@")) << story(run);
    EXPECT_FALSE(run.said(before)) << "the token of its Contact is nobody else's business";
    EXPECT_TRUE(run.said("the phone that runs on this host says: registered")) << story(run);
    EXPECT_EQ(run.exit_code(), number_of(ExitCode::ok)) << story(run);
    ASSERT_EQ(bound(), 1U);
    EXPECT_EQ(world->cluster().bindings("sip:alice@example.test").front().contact, before);
}

// A phone that was killed: its binding is known as ours, and nobody answers there.
TEST_F(DoctorCommand, FindsWhatAKilledPhoneHasLeft) {
    live::WorldOptions options;
    options.cluster.server.branch_timeout = 2s;
    open(options);
    announce("_sip._udp", Transport::udp);
    auto& phone = start("register", {"--transport", "udp"});
    ASSERT_TRUE(run_until([&] { return bound() == 1 || phone.ended(); }, 30s)) << story(phone);
    phone.signal(SIGKILL);
    ASSERT_TRUE(run_until([&] { return phone.ended(); }));
    const auto& run = examine({"--transport", "udp"});
    EXPECT_EQ(run.exit_code(), number_of(ExitCode::bad)) << story(run);
    EXPECT_TRUE(run.said("nobody answers at the address that")) << story(run);
}

TEST_F(DoctorCommand, NeedsAnAccountAndAPassword) {
    auto& none = runs.emplace_back(Words{"doctor"}, std::map<std::string, std::string>{});
    ASSERT_TRUE(run_until([&] { return none.ended(); }));
    EXPECT_EQ(none.exit_code(), number_of(ExitCode::usage)) << story(none);
    auto& asked = runs.emplace_back(Words{"doctor", "sip:alice@example.test"},
                                    std::map<std::string, std::string>{});
    ASSERT_TRUE(run_until([&] { return asked.ended(); }));
    EXPECT_EQ(asked.exit_code(), number_of(ExitCode::no_password)) << story(asked);
}

}  // namespace
}  // namespace holdfast::cli
