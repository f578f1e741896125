// `holdfast run --config`: what accounts have in common and of their own, and errors that name
// file, line and key.
#include "apps/fleet/fleet_config.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "apps/fleet/fleet.h"
#include "live/scratch.h"

namespace holdfast::fleet {
namespace {

using namespace std::chrono_literals;

class FleetConfigTest : public ::testing::Test {
protected:
    std::expected<FleetConfig, cli::Refusal> read(std::string_view text,
                                                  const std::vector<cli::Setting>& more = {},
                                                  mode_t mode = 0600) const {
        std::ofstream(file) << text;
        EXPECT_EQ(::chmod(file.c_str(), mode), 0);
        std::vector<cli::Setting> settings{{"config", file.string(), "--config"}};
        settings.insert(settings.end(), more.begin(), more.end());
        return read_fleet(settings);
    }
    std::string error_of(std::string_view text) const {
        const auto config = read(text);
        if (config) return "accepted";
        EXPECT_EQ(config.error().code, cli::ExitCode::config);
        const auto& sentence = config.error().sentence;
        return sentence.substr(sentence.find("fleet.toml"));
    }
    live::ScratchDirectory scratch;
    std::filesystem::path file = scratch.path() / "fleet.toml";
};

constexpr std::string_view two =
    "transport = \"tcp\"\n"
    "realm = [\"a.test\", \"b.test\"]\n"
    "state = \"/var/lib/somewhere\"\n"
    "metrics = \"127.0.0.1:9464\"\n"
    "shards = 3\n"
    "stop-within = \"2min\"\n"
    "[policy]\npreset = \"fleet\"\npatience = \"2s\"\n"
    "[[account]]\naor = \"sip:1001@example.test\"\npassword = \"one\"\n"
    "[[account]]\naor = \"1002@Example.test\"\npassword = \"two\"\ntransport = \"udp\"\n"
    "realm = \"c.test\"\n[account.policy]\nexpires = 60\n"
    "[[hook]]\nevents = [\"moved\", \"unreachable\"]\ncommand = [\"/bin/true\", \"x\"]\n"
    "[[hook]]\nurl = \"http://127.0.0.1:1/\"\ntimeout = \"2s\"\n";

TEST_F(FleetConfigTest, WhatIsCommonAndWhatIsTheAccountsOwn) {
    const auto config = read(two);
    ASSERT_TRUE(config) << config.error().sentence;
    EXPECT_EQ(config->host.fleet.shards, 3U);
    EXPECT_EQ(config->host.fleet.stop_within, 2min);
    EXPECT_EQ(config->host.fleet.metrics, Endpoint::parse("127.0.0.1:9464"));
    EXPECT_EQ(config->host.driver.state_directory, "/var/lib/somewhere");
    ASSERT_EQ(config->accounts.size(), 2U);
    const auto& first = config->accounts.at("sip:1001@example.test");
    EXPECT_EQ(first.transport, Transport::tcp);
    EXPECT_EQ(first.realms, (std::vector<std::string>{"a.test", "b.test"}));
    EXPECT_EQ(first.password.reveal(), "one");
    EXPECT_EQ(first.policy.preset, "fleet");
    EXPECT_EQ(first.policy.patience, 2s);
    const auto& second = config->accounts.at("sip:1002@example.test");
    EXPECT_EQ(second.transport, Transport::udp);
    EXPECT_EQ(second.realms, std::vector<std::string>{"c.test"});
    EXPECT_EQ(second.policy.patience, 2s);
    EXPECT_EQ(second.policy.expires, 60s);
    EXPECT_EQ(first.policy.expires, 300s);
    ASSERT_EQ(config->hooks.size(), 2U);
    EXPECT_EQ(config->hooks[0].events,
              (std::vector<EventKind>{EventKind::moved, EventKind::unreachable}));
    EXPECT_EQ(config->hooks[0].command, (std::vector<std::string>{"/bin/true", "x"}));
    EXPECT_EQ(config->hooks[1].url, "http://127.0.0.1:1/");
    EXPECT_EQ(config->hooks[1].timeout, 2s);
}

TEST_F(FleetConfigTest, TheCommandLineCountsMore) {
    const auto config = read(two, {{"shards", "1", "--shards"}});
    ASSERT_TRUE(config) << config.error().sentence;
    EXPECT_EQ(config->host.fleet.shards, 1U);
    // And a mistake there is not the file's.
    const auto wrong = read(two, {{"shards", "many", "--shards"}});
    ASSERT_FALSE(wrong);
    EXPECT_EQ(wrong.error().code, cli::ExitCode::usage);
    EXPECT_TRUE(wrong.error().sentence.starts_with("--shards: ")) << wrong.error().sentence;
    EXPECT_EQ(read(two, {{"local", "127.0.0.1:5070", "--local"}}).error().code,
              cli::ExitCode::usage);
}

TEST_F(FleetConfigTest, ErrorsNameFileLineAndKey) {
    const std::string account = "[[account]]\naor = \"sip:a@b.test\"\npassword = \"p\"\n";
    const auto begins = [&](const std::string& text, const std::string& error) {
        const auto said = error_of(text);
        EXPECT_TRUE(said.starts_with(error)) << said;
    };
    begins(account + "colour = 1\n", "fleet.toml:4: colour: there is no such key of an account");
    begins(account + "state = \"/x\"\n", "fleet.toml:4: state: there is no such key of an account");
    begins(account + "transport = \"udq\"\n", "fleet.toml:4: transport: \"udq\" is no transport");
    begins(account + "[account.policy]\npatience = \"never\"\n", "fleet.toml:5: policy.patience: ");
    begins("aor = \"sip:a@b.test\"\n" + account, "fleet.toml:1: aor: this belongs to one account");
    begins("password = \"x\"\n" + account, "fleet.toml:1: password: this belongs to one account");
    begins("shards = 65\n" + account, "fleet.toml:1: shards: \"65\" is no number");
    for (const auto* time : {"1s", "1999ms", "3601s", "soon", ""})
        begins("stop-within = \"" + std::string(time) + "\"\n" + account,
               "fleet.toml:1: stop-within: \"" + std::string(time) + "\" is no time from 2s to 1h");
    for (const std::string address : {"9464", "127.0.0.1", "[::1]"})
        begins("metrics = \"" + address + "\"\n" + account,
               "fleet.toml:1: metrics: \"" + address + "\" is no address with a port");
    begins("log = \"some\"\n" + account, "fleet.toml:1: log: \"some\" is neither");
    begins(account + account, "fleet.toml:4: account: sip:a@b.test is there already: ");
    begins("account = 3\n", "fleet.toml:1: account: this is a list of tables: [[account]]");
    begins("[[account]]\npassword = \"p\"\n", "fleet.toml:1: account: an account needs an aor");
    begins("[[account]]\naor = \"sip:a@b.test\"\n",
           "fleet.toml:1: account: sip:a@b.test needs a password");
    begins("record = \"/x\"\n" + account, "fleet.toml:1: record: one account is recorded");
    begins("transport = \"udp\"\n", "fleet.toml: no account is named in it");
    begins("[[account\n", "fleet.toml:1: ");
    begins(account + "[[hook]]\ncommand = \"true\"\n", "fleet.toml:4: hook: the program");
    begins(account + "[[hook]]\nevents = \"moved\"\n", "fleet.toml:4: hook: A hook has either");
    begins(account + "[[hook]]\ncommand = \"/no/such/program\"\n",
           "fleet.toml:4: hook: The hook's program /no/such/program is not there");
    begins(account + "[[hook]]\nevents = [\"moves\"]\nurl = \"http://x/\"\n",
           "fleet.toml:5: events: there is no event \"moves\"; did you mean moved?");
    begins(account + "[[hook]]\nurl = \"ftp://x/\"\n", "fleet.toml:5: url: ");
    begins(account + "[[hook]]\nurl = \"http://x/\"\ntimeout = 0\n", "fleet.toml:6: timeout: ");
    begins(account + "[[hook]]\nuri = \"http://x/\"\n",
           "fleet.toml:5: uri: there is no such key of a hook; did you mean url?");
}

// A password that others may read is none.
TEST_F(FleetConfigTest, PasswordsAreTheOwnersAlone) {
    const auto config = read(two, {}, 0640);
    ASSERT_FALSE(config);
    EXPECT_NE(config.error().sentence.find("fleet.toml:12: password: others may read this file"),
              std::string::npos)
        << config.error().sentence;
}

TEST_F(FleetConfigTest, WhatHasChanged) {
    const std::string end = "[[account]]\naor = \"sip:1003@example.test\"\npassword = \"x\"\n";
    auto before = read(two);
    ASSERT_TRUE(before);
    std::string other(two);
    other.replace(other.find("\"one\""), 5, "\"1\"");
    other.replace(other.find("expires = 60"), 12, "expires = 90");
    const auto after = read(other + end);
    ASSERT_TRUE(after) << after.error().sentence;
    const auto changes = changes_between(*before, *after);
    using Names = std::vector<std::string>;
    EXPECT_EQ(changes.new_password, Names{"sip:1001@example.test"});
    EXPECT_EQ(changes.changed, Names{"sip:1002@example.test"});
    EXPECT_EQ(changes.added, Names{"sip:1003@example.test"});
    EXPECT_EQ(changes.removed, Names{});
    EXPECT_EQ(changes.unchanged, 0U);
    const auto back = changes_between(*after, *before);
    EXPECT_EQ(back.removed, Names{"sip:1003@example.test"});
    EXPECT_EQ(changes_between(*before, *before).unchanged, 2U);
}

}  // namespace
}  // namespace holdfast::fleet
