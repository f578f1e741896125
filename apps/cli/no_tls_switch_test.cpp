// §11: nothing that a user can say turns the check of a server's certificate off, and who tries is
// told that there is no such thing. That the check itself cannot be got past: runtime/tls_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "apps/cli/command_line.h"
#include "apps/cli/commands.h"
#include "apps/cli/config_file.h"
#include "apps/cli/help.h"
#include "apps/cli/options.h"
#include "base/text.h"
#include "registration/policy.h"

namespace holdfast::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What speaks of the check, whatever it is called.
bool is_about_certificates(const std::string& words) {
    const auto text = lower_case(words);
    return std::ranges::any_of(
        std::vector<std::string>{"tls", "certificate", "verif", "trust", "secur", "safe",
                                 "checked"},
        [&](const std::string& word) { return text.find(word) != std::string::npos; });
}

// Every one that is added is looked at here: what these say is more to check, or what to check
// against; srtp-keys is about the sound.
TEST(NoTlsSwitch, IsAmongTheOptions) {
    std::vector<std::string> found;
    for (const auto& option : option_table())
        if (is_about_certificates(std::string(option.name) + " " + std::string(option.meaning)))
            found.emplace_back(option.name);
    EXPECT_THAT(found, ElementsAre("ca", "tls-pin", "certificate", "key", "srtp-keys"));
}

// allow_downgrade is about servers that offer no TLS any more, and off (L1); the others only name
// the transport.
TEST(NoTlsSwitch, IsAmongThePolicies) {
    std::vector<std::string> found;
    for (const auto& field : registration::describe({}))
        if (is_about_certificates(std::string(field.key) + " " + std::string(field.meaning)))
            found.emplace_back(field.key);
    EXPECT_THAT(found, ElementsAre("allow_downgrade", "failover", "stream_keepalive_min"));
    EXPECT_FALSE(registration::Policy{}.allow_downgrade);
}

TEST(NoTlsSwitch, WhoTriesIsTold) {
    for (const std::string key :
         {"tls_verify", "tls-verify", "tls-check", "insecure", "tls-insecure", "no-verify",
          "no-check-certificate", "skip-verify", "accept-any-certificate"}) {
        const auto in_file = parse_config("transport = \"tls\"\n" + key + " = false\n", "p.toml");
        ASSERT_FALSE(in_file) << key;
        EXPECT_THAT(in_file.error(), HasSubstr("p.toml:2: " + key + ": there is no such key"));
        const auto policy = parse_config("[policy]\n" + key + " = false\n", "p.toml");
        ASSERT_TRUE(policy) << key;  // read, and not taken
        Options options;
        const auto applied = apply_settings(options, policy->settings);
        ASSERT_FALSE(applied) << key;
        EXPECT_THAT(applied.error(), HasSubstr("p.toml:2: "));
        EXPECT_THAT(applied.error(), HasSubstr(key));
        for (const auto& command : commands()) {
            const auto line = parse_command_line(command, {"--" + key});
            ASSERT_FALSE(line) << command.name << " " << key;
            EXPECT_THAT(line.error(), HasSubstr("Unknown option --" + key));
            EXPECT_EQ(help_of(command).find(key), std::string::npos) << command.name;
        }
    }
}

}  // namespace
}  // namespace holdfast::cli
