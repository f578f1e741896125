// What a user may say, and what is answered to what cannot be meant. The command line and the file
// meet here.
#include "apps/cli/options.h"

#include <gtest/gtest.h>

#include "apps/cli/command_line.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

const Command& command(std::string_view name) {
    for (const auto& candidate : commands())
        if (candidate.name == name) return candidate;
    throw std::invalid_argument("no such command");
}

std::expected<CommandLine, std::string> parse(const std::vector<std::string>& arguments) {
    return parse_command_line(command("register"), arguments);
}

std::expected<Options, std::string> options_of(const std::vector<std::string>& arguments) {
    const auto line = parse(arguments);
    if (!line) return std::unexpected(line.error());
    Options options;
    if (const auto applied = apply_settings(options, line->settings); !applied)
        return std::unexpected(applied.error());
    return options;
}

TEST(CommandLine, TakesEveryOptionOfAnAccount) {
    const auto options = options_of({"--transport",
                                     "tls",
                                     "--auth-user",
                                     "a",
                                     "--realm",
                                     "r1",
                                     "--realm",
                                     "R 2",
                                     "--registrar",
                                     "sip:r.example.test",
                                     "--outbound-proxy",
                                     "sip:p.example.test:5070",
                                     "--backup",
                                     "sip:b.example.test",
                                     "--backup",
                                     "sip:c.example.test domain=c.test",
                                     "--expires",
                                     "120",
                                     "--flows",
                                     "2",
                                     "--preset",
                                     "fleet",
                                     "--set",
                                     "policy.patience=1.5s",
                                     "--set",
                                     "failback=never",
                                     "--dns",
                                     "192.0.2.53",
                                     "--dns",
                                     "[2001:db8::53]:5353",
                                     "--local",
                                     "192.0.2.1:5070",
                                     "--ca",
                                     "ca.pem",
                                     "--tls-pin",
                                     "sha256/x",
                                     "--state",
                                     "dir",
                                     "--json",
                                     "--trace",
                                     "--record",
                                     "r.jsonl",
                                     "--once"});
    ASSERT_TRUE(options) << options.error();
    const auto& account = options->account;
    EXPECT_EQ(account.transport, Transport::tls);
    EXPECT_EQ(account.realms, (std::vector<std::string>{"r1", "R 2"}));  // §11; case counts
    EXPECT_EQ(account.auth_user, "a");
    EXPECT_EQ(account.registrar, "sip:r.example.test");
    EXPECT_EQ(account.outbound_proxy, "sip:p.example.test:5070");
    ASSERT_EQ(account.backups.size(), 2U);
    EXPECT_EQ(account.backups[1].uri, "sip:c.example.test");
    EXPECT_EQ(account.backups[1].domain, "c.test");
    EXPECT_EQ(account.policy.expires, 120s);
    EXPECT_EQ(account.policy.flows, 2U);
    EXPECT_EQ(account.policy.preset, "fleet");
    EXPECT_EQ(account.policy.patience, 1500ms);
    EXPECT_EQ(account.policy.failback, registration::Failback::never);
    ASSERT_EQ(options->driver.dns_servers.size(), 2U);
    EXPECT_EQ(options->driver.dns_servers[0].to_string(), "192.0.2.53:0");
    EXPECT_EQ(options->driver.dns_servers[1].to_string(), "[2001:db8::53]:5353");
    EXPECT_EQ(options->driver.local->to_string(), "192.0.2.1:5070");
    EXPECT_EQ(options->driver.tls.ca_file, "ca.pem");
    EXPECT_EQ(options->driver.state_directory, "dir");
    EXPECT_EQ(options->driver.record_file, "r.jsonl");
    EXPECT_TRUE(options->json && options->trace && options->once);
}

// N4: the Contact by hand, and a STUN server for the first one; what cannot be is refused with
// words.
TEST(CommandLine, ContactAddressAndStun) {
    const auto options =
        options_of({"--contact-address", "phone.example.test:5070", "--stun", "stun.example.test"});
    ASSERT_TRUE(options) << options.error();
    EXPECT_EQ(options->account.contact_address, "phone.example.test:5070");
    EXPECT_EQ(options->account.stun, "stun.example.test");
    for (const std::vector<std::string>& wrong :
         {std::vector<std::string>{"--contact-address", "300.1.2.3"},
          {"--contact-address", "sip:phone.example.test"},
          {"--stun", "two words"},
          {"--stun", "stun.example.test:0"},
          {"--stun", "stun.example.test", "--transport", "tls"},
          {"--stun", "stun.example.test", "--preset", "microsip"},
          {"--contact-address", "192.0.2.1", "--preset", "microsip"}}) {
        const auto refused = options_of(wrong);
        ASSERT_FALSE(refused) << wrong.back();
        EXPECT_TRUE(refused.error().starts_with(wrong.front())) << refused.error();
    }
}

TEST(CommandLine, PresetComesFirstWhereverItStands) {
    const auto options =
        options_of({"--set", "patience=3s", "--expires", "60", "--preset", "fleet"});
    ASSERT_TRUE(options) << options.error();
    EXPECT_EQ(options->account.policy.spread, 10s);
    EXPECT_EQ(options->account.policy.patience, 3s);
    EXPECT_EQ(options->account.policy.expires, 60s);
}

TEST(CommandLine, ListsOfTheFileAreReplacedSetsAreAddedTo) {
    Options options;
    const std::vector<Setting> settings{{"dns", "192.0.2.1", "f:1: dns"},
                                        {"dns", "192.0.2.2", "f:1: dns"},
                                        {"set", "patience=2s", "f:2: policy.patience"},
                                        {"dns", "192.0.2.3", "--dns"},
                                        {"set", "flows=2", "--set"}};
    ASSERT_TRUE(apply_settings(options, settings));
    ASSERT_EQ(options.driver.dns_servers.size(), 1U);
    EXPECT_EQ(options.driver.dns_servers[0].address.to_string(), "192.0.2.3");
    EXPECT_EQ(options.account.policy.patience, 2s);
    EXPECT_EQ(options.account.policy.flows, 2U);
}

TEST(CommandLine, UnknownOptionNamesTheNearest) {
    const auto line = parse({"sip:a@b.test", "--transprot", "udp"});
    ASSERT_FALSE(line);
    EXPECT_EQ(line.error(), "Unknown option --transprot; did you mean --transport?");
    EXPECT_EQ(parse({"--xyzzy-plugh=1"}).error(), "Unknown option --xyzzy-plugh");
}

TEST(CommandLine, MissingValueAndSecondValueAreSaid) {
    EXPECT_EQ(parse({"--transport"}).error(), "Option --transport needs a value: auto|udp|tcp|tls");
    EXPECT_EQ(parse({"--expires", "1", "--expires", "2"}).error(),
              "Option --expires was given twice");
    EXPECT_EQ(parse({"--json=maybe"}).error(), "Option --json takes no value");
}

TEST(CommandLine, OperandsMayStandAnywhere) {
    const auto line = parse({"--json", "sip:a@b.test", "--dns", "192.0.2.1", "second"});
    ASSERT_TRUE(line) << line.error();
    EXPECT_EQ(line->operands, (std::vector<std::string>{"sip:a@b.test", "second"}));
    EXPECT_TRUE(parse({"--help"})->help);
}

TEST(CommandLine, PasswordIsNoOption) { EXPECT_FALSE(parse({"--password", "secret"})); }

TEST(Options, ErrorsSayWhereAndWhatIsAllowed) {
    const auto error = [](const std::vector<std::string>& arguments) {
        const auto options = options_of(arguments);
        return options ? "accepted" : options.error();
    };
    EXPECT_EQ(error({"--transport", "sctp"}),
              "--transport: \"sctp\" is no transport: auto, udp, tcp or tls");
    EXPECT_NE(error({"--preset", "holdfest"}).find("holdfast"), std::string::npos)
        << error({"--preset", "holdfest"});
    EXPECT_NE(error({"--set", "patiense=1"}).find("patience"), std::string::npos)
        << error({"--set", "patiense=1"});
    EXPECT_NE(error({"--set", "patience"}).find("policy.key=value"), std::string::npos);
    EXPECT_NE(error({"--dns", "dns.example"}).find("no IP address"), std::string::npos);
    EXPECT_NE(error({"--local", "1.2.3.4.5"}).find("no IP address"), std::string::npos);
    EXPECT_NE(error({"--registrar", "sip:"}).find("--registrar: "), std::string::npos);
    EXPECT_NE(error({"--backup", "sip:b.test realm=x"}).find("domain=NAME"), std::string::npos);
}

TEST(Options, AorsAreReadAsPeopleWriteThem) {
    EXPECT_EQ(aor_of("alice@Example.TEST").value(), "sip:alice@example.test");
    EXPECT_EQ(aor_of("SIPS:Alice@example.test:5071").value(), "sips:Alice@example.test:5071");
    EXPECT_EQ(aor_of("<sip:alice@example.test;transport=tcp>").value(),
              "sip:alice@example.test;transport=tcp");
    EXPECT_FALSE(aor_of("sip:example.test"));
    EXPECT_FALSE(aor_of("sip:al ice@example.test"));
    EXPECT_FALSE(aor_of(""));
    EXPECT_EQ(uri_of("Example.test").value(), "sip:example.test");
}

}  // namespace
}  // namespace holdfast::cli
