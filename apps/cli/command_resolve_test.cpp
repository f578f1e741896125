// `holdfast resolve` shows exactly the order that `holdfast register` takes with the same state
// (L2, L3, F7).
#include <gtest/gtest.h>

#include "apps/cli/command_testing.h"

namespace holdfast::cli {
namespace {

using testing::CommandRun;

// A domain with three addresses and nothing else: no NAPTR, no SRV. The order of the answer changes
// each time (L2).
class RotatingZone {
public:
    std::string answer(const std::string& question) {
        const auto name_end = question.find('\0', 12);
        if (name_end == std::string::npos || question.size() < name_end + 5) return {};
        auto reply = question.substr(0, name_end + 5);
        reply[2] = static_cast<char>(0x85);
        reply[3] = static_cast<char>(0x80);
        reply[7] = reply[8] = reply[9] = reply[10] = reply[11] = 0;
        if (question[name_end + 2] != 1) return reply;  // not A: the name exists, the type does not
        reply[7] = 3;
        ++turn_;
        for (int i = 0; i < 3; ++i) {
            constexpr std::string_view head("\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04",
                                            12);  // this name, A, 60 s
            reply.append(head).append("\x7f\0\0", 3);
            reply += static_cast<char>(21 + (turn_ + i) % 3);
        }
        return reply;
    }

private:
    int turn_ = 0;
};

class CommandResolveTest : public testing::Bench {
protected:
    CommandResolveTest() {
        dns_answer = [this](const std::string& question) { return zone.answer(question); };
    }
    std::vector<std::string> arguments(const std::string& command, const std::string& uri) {
        return {command,
                uri,
                "--json",
                "--transport",
                "udp",
                "--dns",
                "127.0.0.1:" + dns.port(),
                "--state",
                (directory / "state").string()};
    }
    static std::vector<std::string> values(const std::string& text, const std::string& key) {
        std::vector<std::string> found;
        const auto mark = "\"" + key + "\":\"";
        for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
            at += mark.size();
            found.push_back(text.substr(at, text.find('"', at) - at));
        }
        return found;
    }
    std::vector<std::string> resolved(const std::string& uri) {
        auto& run = start(arguments("resolve", uri));
        EXPECT_TRUE(run_until_end(run)) << run.errors();
        EXPECT_EQ(run.exit_code(), 0) << run.errors();
        return values(run.output(), "address");
    }
    // The targets of the attempts, in their order; nobody listens there.
    std::vector<std::string> attempted(const std::string& aor) {
        auto words = arguments("register", aor);
        words.emplace_back("--once");
        auto& run = start(words, {{"HOLDFAST_PASSWORD", "secret"}});
        EXPECT_TRUE(run_until_end(run)) << run.errors();
        std::vector<std::string> targets;
        std::istringstream lines(run.output());
        for (std::string line; std::getline(lines, line);)
            if (line.find("\"event\":\"attempt\"") != std::string::npos)
                targets.push_back(values(line, "target").at(0));
        return targets;
    }
    RotatingZone zone;
};

TEST_F(CommandResolveTest, ShowsTheOrderThatRegisterTakes) {
    const std::string aor = "sip:alice@cluster.test";
    const auto order = resolved(aor);
    ASSERT_EQ(order.size(), 3U);
    EXPECT_EQ(resolved(aor), order) << "the order of the answer means nothing";
    std::vector<std::string> expected;
    for (const auto& address : order) expected.push_back("udp:" + address + ":5060");
    EXPECT_EQ(attempted(aor), expected);
}

TEST_F(CommandResolveTest, ADomainStandsForItsOnlyAccount) {
    attempted("sip:alice@cluster.test");
    auto& run = start(arguments("resolve", "cluster.test"));
    ASSERT_TRUE(run_until_end(run)) << run.errors();
    EXPECT_TRUE(run.said("\"account\":\"sip:alice@cluster.test\"")) << run.output();
}

}  // namespace
}  // namespace holdfast::cli
