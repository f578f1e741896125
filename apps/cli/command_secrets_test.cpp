// Where the password is not, while the real command runs with everything on that writes anything:
// not in what it prints, not in the recording, not in the state database, not in /proc (design
// §11). The same for what it is made into: HA1, and the responses that prove it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "apps/cli/command_testing.h"
#include "base/text.h"
#include "sip/digest.h"

namespace holdfast::cli {
namespace {

using testing::CommandRun;
using testing::Registrar;

constexpr std::string_view password = "Rumpelstilzchen-4711";

std::string all_of(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

class CommandSecretsTest : public testing::Bench {
protected:
    CommandSecretsTest() {
        registrar.answer = [](const std::string& request, const sockaddr_in& from) {
            const bool asks = request.starts_with("REGISTER") &&
                              request.find("Authorization:") == std::string::npos;
            return asks ? Registrar::challenge(request, from, "nonce-of-the-server")
                        : Registrar::accept(request, from);
        };
    }
    // Everything of a password that could be found: itself, in other alphabets, HA1, every
    // response.
    [[nodiscard]] std::vector<std::string> secrets() const {
        const auto ha1 = sip::digest_ha1(sip::DigestAlgorithm::md5, "alice", "test",
                                         Redacted<std::string>(std::string(password)));
        std::vector<std::string> found{std::string(password), hex(password), ha1.reveal(),
                                       "UnVtcGVsc3RpbHpjaGVuLTQ3MTE="};
        for (const auto& request : registrar.requests)
            for (const auto& line : testing::header_lines(request, "Authorization")) {
                const auto at = line.find("response=\"");
                if (at != std::string::npos) found.push_back(line.substr(at + 10, 32));
            }
        return found;
    }
    void expect_nothing_in(std::string_view where, std::string_view text) const {
        for (const auto& secret : secrets())
            EXPECT_EQ(text.find(secret), std::string_view::npos) << where << " holds " << secret;
    }
};

TEST_F(CommandSecretsTest, NothingItWritesHoldsThePassword) {
    const auto recording = directory / "run.recording";
    const auto state = directory / "state";
    auto& run = start({"register", registrar.aor(), "--transport", "udp", "--state", state.string(),
                       "--trace", "--json", "--record", recording.string()},
                      {{"HOLDFAST_PASSWORD", std::string(password)}});
    ASSERT_TRUE(run_until([&] { return run.said("\"registered\""); })) << run.errors();
    run.signal(SIGHUP);
    ASSERT_TRUE(run_until([&] { return run.said("\"refreshed\""); })) << run.errors();
    ASSERT_GE(registrar.count("response=\""), 2u) << "it proved that it knows the password";
    ASSERT_EQ(secrets().size(), 4u + registrar.count("response=\""));

    // While it runs, so that the write-ahead log is seen too.
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{directory}) {
        if (!entry.is_regular_file()) continue;
        const auto text = all_of(entry.path());
        files += text.empty() ? 0U : 1U;
        expect_nothing_in(entry.path().string(), text);
    }
    EXPECT_GE(files, 2u) << "the database and the recording";
    EXPECT_NE(all_of(recording).find("stand-in"), std::string::npos);
    EXPECT_NE(all_of(recording).find("<redacted>"), std::string::npos);
    for (const auto* file : {"cmdline", "environ"}) {
        const auto text = all_of("/proc/" + std::to_string(run.pid()) + "/" + file);
        EXPECT_FALSE(text.empty()) << file;
        expect_nothing_in(file, text);
    }

    run.signal(SIGTERM);
    ASSERT_TRUE(run_until_end(run)) << run.errors();
    EXPECT_EQ(run.exit_code(), 0) << run.errors();
    expect_nothing_in("output", run.output());
    expect_nothing_in("errors", run.errors());
    expect_nothing_in("recording", all_of(recording));
    for (const auto& entry : std::filesystem::recursive_directory_iterator{state})
        if (entry.is_regular_file()) expect_nothing_in(entry.path().string(), all_of(entry.path()));
}

// A password that is refused is told of in words, and not in these words.
TEST_F(CommandSecretsTest, ARefusedPasswordIsNotRepeated) {
    registrar.answer = [this](const std::string& request, const sockaddr_in& from) {
        return Registrar::challenge(request, from, "n" + std::to_string(registrar.requests.size()));
    };
    auto& run = start({"register", registrar.aor(), "--transport", "udp", "--state",
                       (directory / "state").string(), "--trace"},
                      {{"HOLDFAST_PASSWORD", std::string(password)}});
    ASSERT_TRUE(run_until_end(run)) << run.errors();
    expect_nothing_in("output", run.output());
    expect_nothing_in("errors", run.errors());
}

// No core dump, no ptrace, no /proc/PID/mem: of the real command, with a password in it. Another
// program, started the same way, shows that this could be seen.
TEST_F(CommandSecretsTest, TheMemoryOfAPhoneIsNotDumped) {
    const auto& other =
        runs.emplace_back(std::vector<std::string>{"60"}, std::map<std::string, std::string>{},
                          testing::as_another_than_root("/bin/sleep"));
    if (!run_until([&] { return testing::is_dumpable(other.pid()); }, std::chrono::seconds{5}))
        GTEST_SKIP() << "/proc does not show here whose memory a process is";
    auto& run = runs.emplace_back(
        std::vector<std::string>{"register", registrar.aor(), "--transport", "udp", "--state",
                                 (directory / "state").string(), "--json"},
        std::map<std::string, std::string>{{"HOLDFAST_PASSWORD", std::string(password)}},
        testing::as_another_than_root(HOLDFAST_COMMAND));
    ASSERT_TRUE(run_until([&] { return run.said("\"registered\""); })) << run.errors();
    EXPECT_FALSE(testing::is_dumpable(run.pid()));
}

}  // namespace
}  // namespace holdfast::cli
