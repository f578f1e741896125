// Where passwords are not, while `holdfast run` has everything on that writes anything: not in what
// it prints, not in its state, not in its metrics, not in what a hook gets, not in the list of
// processes. The same for what they are made into: HA1, and the responses that prove it (RFC 7616
// §3.4.1, with SHA-256). Of one account CommandSecretsTest; of memory
// RunCommand.ItsMemoryIsNotDumped.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <list>
#include <set>
#include <utility>

#include "apps/fleet/fleet_testing.h"
#include "base/text.h"
#include "sip/digest.h"

namespace holdfast::fleet {
namespace {

using testing::aor_of;
using testing::CommandRun;
using testing::RunCommand;

constexpr int refused = 7;  // its password is another at the registrar

// In front of a registrar: keeps what proves a password.
class Tap : public lab::Node {
public:
    explicit Tap(lab::Registrar& registrar) : registrar_(registrar) {}
    void receive(const lab::Packet& packet) override {
        constexpr std::string_view begin = "response=\"";
        for (const auto& line : cli::testing::header_lines(packet.bytes, "Authorization"))
            if (const auto at = line.find(begin); at != std::string::npos)
                responses.insert(line.substr(at + begin.size(), 64));
        registrar_.receive(packet);
    }
    std::set<std::string> responses;

private:
    lab::Registrar& registrar_;
};

class RunSecrets : public RunCommand, public ::testing::WithParamInterface<bool> {
protected:
    RunSecrets() {
        world_options.cluster.server.digest.algorithm = sip::DigestAlgorithm::sha256;
        json = GetParam();
        more = "log = \"all\"\n";
        hook_events = "";
        hook_reads = "cat /proc/$$/environ /proc/$$/cmdline; cat";
    }
    void SetUp() override {
        RunCommand::SetUp();
        for (const auto& node : world->cluster().nodes())
            world->lab().internet().attach(node->addresses().front(), taps.emplace_back(*node),
                                           node->name());
        for (int number = 0; number < 8; ++number)
            set_password(number, "Rumpelstilzchen-" + std::to_string(number));
        world->cluster().add_user(user_of(refused), "another");
    }
    static std::string user_of(int number) { return std::to_string(1000 + number); }
    void set_password(int number, const std::string& password) {
        world->cluster().add_user(user_of(number), password);
        accounts[number] = "password = \"" + password + "\"\n";
        passwords.emplace_back(number, password);
    }
    [[nodiscard]] std::size_t responses() const {
        std::size_t count = 0;
        for (const auto& tap : taps) count += tap.responses.size();
        return count;
    }
    // In lower case.
    [[nodiscard]] std::set<std::string> secrets() const {
        std::set<std::string> found;
        for (const auto& [number, password] : passwords) {
            found.insert({lower_case(password), hex(password)});
            for (const auto algorithm : {sip::DigestAlgorithm::md5, sip::DigestAlgorithm::sha256})
                found.insert(sip::digest_ha1(algorithm, user_of(number), "example.test",
                                             Redacted<std::string>(password))
                                 .reveal());
        }
        for (const auto& tap : taps) found.insert(tap.responses.begin(), tap.responses.end());
        return found;
    }
    void expect_nothing_in(std::string_view where, std::string_view text) const {
        EXPECT_FALSE(text.empty()) << where;
        const auto lower = lower_case(text);
        for (const auto& secret : secrets())
            EXPECT_EQ(lower.find(secret), std::string::npos) << where << " holds " << secret;
    }
    // Which files there were, but for the configuration's.
    [[nodiscard]] std::multiset<std::string> expect_nothing_in_files() const {
        std::multiset<std::string> names;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{scratch.path()}) {
            if (!entry.is_regular_file() || entry.path() == file) continue;
            names.insert(entry.path().filename().string());
            const auto text = text_of(entry.path());
            if (!text.empty()) expect_nothing_in(entry.path().string(), text);
        }
        return names;
    }
    bool run_until_told(const std::string& event, int times) {
        return run_until(
            [&] { return count(hook_was_told(), "\"event\":\"" + event + "\"") >= times; });
    }

    std::vector<std::pair<int, std::string>> passwords;
    std::list<Tap> taps;
};

TEST_P(RunSecrets, NothingItWritesHoldsAPassword) {
    auto& run = start();
    ASSERT_TRUE(run_until_told("registered", 7)) << story(run);
    ASSERT_TRUE(run_until_told("auth_failed", 1)) << story(run);
    run.signal(SIGUSR1);
    ASSERT_TRUE(run_until_told("refreshed", 7)) << story(run);
    const auto files = expect_nothing_in_files();
    for (const auto* name : {"state.db", "state.db-wal", "state.db-shm"})
        EXPECT_EQ(files.count(name), 2u) << name << " of each shard";
    expect_nothing_in("list of processes",
                      text_of("/proc/" + std::to_string(run.pid()) + "/cmdline"));

    // Two get new passwords; then the file is broken, in the line of one.
    set_password(2, "Schneewittchen-2");
    set_password(refused, "Schneewittchen-7");
    write_config();
    run.signal(SIGHUP);
    ASSERT_TRUE(run_until([&] { return run.said("2 with a new password"); })) << story(run);
    ASSERT_TRUE(run_until([&] { return bound() == 8; })) << story(run);
    passwords.emplace_back(3, "47110815471108154711");
    accounts[3] = "password = 47110815471108154711\n";  // neither text nor a number that exists
    write_config();
    run.signal(SIGHUP);
    ASSERT_TRUE(run_until([&] { return run.said("The configuration is not taken over"); }))
        << story(run);

    ASSERT_GE(responses(), 15u) << "they proved that they know their passwords";
    expect_nothing_in("metrics", scrape(run));
    EXPECT_GE(expect_nothing_in_files().size(), 7u);
    run.signal(SIGTERM);
    ASSERT_TRUE(run_until([&] { return run.ended(); })) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_GE(expect_nothing_in_files().size(), 3u);
    expect_nothing_in("output", run.output() + run.errors());

    // All was on.
    EXPECT_TRUE(run.said(json ? "\"event\":\"attempt\"" : "Trying ")) << story(run);
    for (const auto* part : {"HOLDFAST_ACCOUNT=", "/bin/sh", "\"event\":\"attempt\""})
        EXPECT_NE(hook_was_told().find(part), std::string::npos) << part;
}

INSTANTIATE_TEST_SUITE_P(InEachForm, RunSecrets, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Json" : "Words"; });

}  // namespace
}  // namespace holdfast::fleet
