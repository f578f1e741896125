// The configuration file: the command line's names, errors with file, line and key, and no password
// that others can read.
#include "apps/cli/config_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <fstream>

#include "apps/cli/config_tables.h"
#include "apps/cli/session.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

std::string error_of(std::string_view text) {
    const auto settings = parse_config(text, "phone.toml");
    return settings ? "accepted" : settings.error();
}

class ConfigFile : public ::testing::Test {
protected:
    ConfigFile() {
        std::string name =
            (std::filesystem::temp_directory_path() / "holdfast-config-XXXXXX").string();
        const int made = ::mkstemp(name.data());
        EXPECT_GE(made, 0);
        ::close(made);
        file = name;
    }
    ~ConfigFile() override { std::filesystem::remove(file); }
    void write(std::string_view text, mode_t mode) const {
        std::ofstream(file) << text;
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    }
    std::filesystem::path file;
};

TEST_F(ConfigFile, HasTheOptionsUnderTheirNames) {
    write(
        "aor = \"sip:alice@example.test\"\ntransport = \"tcp\"\nexpires = 90\ndns = "
        "[\"192.0.2.1\", \"192.0.2.2\"]\nstun = \"192.0.2.3\"\ncontact-address = "
        "\"192.0.2.4:5070\"\n"
        "json = true\npassword = \"secret\"\n[policy]\npatience = \"2s\"\nprobe = false\nflows = "
        "2\n",
        0600);
    const auto options =
        gather({{"config", file.string(), "--config"}, {"transport", "udp", "--transport"}});
    ASSERT_TRUE(options) << options.error().sentence;
    EXPECT_EQ(options->account.aor, "sip:alice@example.test");
    EXPECT_EQ(options->account.transport, Transport::udp) << "the command line counts more";
    EXPECT_EQ(options->account.policy.expires, 90s);
    EXPECT_EQ(options->account.policy.patience, 2s);
    EXPECT_FALSE(options->account.policy.probe);
    EXPECT_EQ(options->driver.dns_servers.size(), 2U);
    EXPECT_EQ(options->account.stun, "192.0.2.3");
    EXPECT_EQ(options->account.contact_address, "192.0.2.4:5070");
    EXPECT_TRUE(options->json);
    EXPECT_EQ(options->account.password.reveal(), "secret");
}

TEST_F(ConfigFile, WithAPasswordMustBeTheUsersAlone) {
    write("aor = \"sip:alice@example.test\"\n\npassword = \"secret\"\n", 0640);
    const auto settings = read_config_file(file);
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error(),
              file.string() +
                  ":3: password: others may read this file. Make it yours alone: chmod 600 " +
                  file.string());
    ASSERT_EQ(::chmod(file.c_str(), 0400), 0);
    EXPECT_TRUE(read_config_file(file));
    write("aor = \"sip:alice@example.test\"\n", 0644);
    EXPECT_TRUE(read_config_file(file)) << "without a password anybody may read it";
}

// The digits behind the voicemail's number are a PIN.
TEST_F(ConfigFile, WithAPinMustBeTheUsersAlone) {
    for (const auto* voicemail : {"*97,1234#", "97p1234", "sip:mail@b.test,1"}) {
        write("dnd = false\n[[account]]\naor = \"sip:a@b.test\"\nvoicemail = \"" +
                  std::string(voicemail) + "\"\n",
              0640);
        const auto settings = read_config_file(file);
        ASSERT_FALSE(settings) << voicemail;
        EXPECT_EQ(settings.error(),
                  file.string() +
                      ":4: voicemail: others may read this file. Make it yours alone: chmod 600 " +
                      file.string());
        ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
        EXPECT_TRUE(read_config_file(file));
    }
    write("dtmf = \"1234\"\n", 0644);
    const auto pressed = read_config_file(file);
    ASSERT_FALSE(pressed);
    EXPECT_NE(pressed.error().find("others may read this file"), std::string::npos);
    EXPECT_EQ(pressed.error().find("1234"), std::string::npos) << pressed.error();
    write("voicemail = \"*97\"\n", 0644);
    EXPECT_TRUE(read_config_file(file)) << "a number that everybody knows";
}

TEST_F(ConfigFile, ErrorsOfValuesHaveTheirPlaceAndTheirExitCode) {
    write("transport = \"udp\"\n[policy]\npatience = \"soon\"\n", 0600);
    const auto options = gather({{"config", file.string(), "--config"}});
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().code, ExitCode::config);
    EXPECT_TRUE(options.error().sentence.starts_with(file.string() + ":3: policy.patience: "))
        << options.error().sentence;
}

TEST_F(ConfigFile, ThatIsNotThereIsAnError) {
    EXPECT_NE(read_config_file("no/such/file.toml").error().find("cannot be read"),
              std::string::npos);
    EXPECT_NE(read_config_file("/").error().find("directory"), std::string::npos);
}

TEST(ConfigText, UnknownKeyNamesTheNearest) {
    EXPECT_EQ(error_of("aor = \"x\"\ntransprot = \"udp\"\n"),
              "phone.toml:2: transprot: there is no such key; did you mean transport?");
    EXPECT_EQ(error_of("config = \"other.toml\"\n").substr(0, 37),
              "phone.toml:1: config: there is no suc");
}

TEST(ConfigText, BrokenTomlHasItsLine) {
    EXPECT_TRUE(error_of("aor = \"x\"\ntransport = \n").starts_with("phone.toml:2: "))
        << error_of("aor = \"x\"\ntransport = \n");
}

// The error goes to the log of a reload: it says where, and not what.
TEST(ConfigText, ABrokenPasswordIsNotRepeated) {
    EXPECT_EQ(
        error_of("aor = \"x\"\npassword = 47110815471108154711\n"),
        "phone.toml:2: Error while parsing decimal integer: … is not representable in 64 bits");
    EXPECT_EQ(error_of("password = trU-4711"),
              "phone.toml:1: Error while parsing boolean: expected …");
    for (const std::string_view password :
         {"Rumpelstilzchen", "4711Rumpel", "0x4711zz", "\"Rumpel", "'Rumpel", "4711-08-15Rumpel",
          "47:11Rumpel", "\"Rumpel\" stilz", "1_2__3Rumpel", "1985-02-31", "trUE-rumpel"})
        for (const auto* before :
             {"password = ", "[[account]]\npassword = ", "account = [{aor = \"x\", password = ",
              "voicemail = ", "dtmf = "}) {
            const auto error = error_of(std::string(before).append(password) + "\n");
            // What begins as a number to dial may only lack its quotes.
            const auto* const sentence = !std::string_view(before).contains("password") &&
                                                 std::isdigit(password.front()) != 0
                                             ? "stands in quotes"
                                             : ": Error while parsing";
            EXPECT_NE(error.find(sentence), std::string::npos) << error;
            EXPECT_EQ(error.find(password), std::string::npos) << error;
            EXPECT_EQ(error.find("saw"), std::string::npos) << error;
            EXPECT_EQ(error.find('\''), std::string::npos) << error;
        }
    EXPECT_NE(error_of("expires = trU\n").find("saw 'trU'"), std::string::npos)
        << "of other lines the parser's whole sentence is worth more";
}

TEST(ConfigText, ValuesOfAnotherShapeAreRefused) {
    EXPECT_EQ(error_of("transport = [\"udp\"]\n"),
              "phone.toml:1: transport: one value is wanted here: auto|udp|tcp|tls");
    EXPECT_EQ(error_of("policy = 3\n"), "phone.toml:1: policy: this is a table: [policy]");
    EXPECT_EQ(error_of("[policy]\npatience = [1]\n"),
              "phone.toml:2: policy.patience: neither text nor number nor true or false");
}

// TOML's numbers have no + and no 0 in front: who forgets the quotes is told, and dials no other
// number.
TEST(ConfigText, ANumberToDialStandsInQuotes) {
    for (const std::string key :
         {"prefix", "voicemail", "pickup", "emergency", "dial-plan", "deny"})
        for (const std::string value :
             {"97", "+49", "0049", "-1", "1.5", "00", "true", "1979-05-27"}) {
            EXPECT_EQ(error_of("expires = 90\n" + key + " = " + value + "\n"),
                      "phone.toml:2: " + key + ": a number to dial stands in quotes (" + key +
                          " = \"…\"): without them a + or a 0 in front is lost");
        }
    EXPECT_EQ(error_of("emergency = [\n\"112\",\n110,\n]\n"),
              "phone.toml:3: emergency: a number to dial stands in quotes (emergency = \"…\"): "
              "without them a + or a 0 in front is lost");
    EXPECT_EQ(error_of("[[account]]\naor = \"sip:a@b.test\"\npickup = 8\n").substr(0, 20),
              "phone.toml:3: pickup");
    EXPECT_EQ(error_of("prefix = \"0\"\n"), "accepted");
}

// What TOML's parser quotes of a line may be the PIN.
TEST(ConfigText, ABrokenVoicemailIsNotRepeated) {
    for (const std::string_view value :
         {"97,7777", "\"97,7777", "'97,7777", "x7777", "*97,7777#"}) {
        const auto error = error_of("voicemail = " + std::string(value) + "\n");
        EXPECT_NE(error, "accepted");
        EXPECT_EQ(error.find("77"), std::string::npos) << error;
    }
}

TEST(ConfigText, EmergencyNumbersAreTheUsualOnesOrThoseOfTheFile) {
    const auto numbers_of = [](const std::string& lines, const std::string& common = "") {
        const auto file = parse_config(
            common + "[[account]]\naor = \"sip:a@b.test\"\n" + "password = \"\"\n" + lines,
            "phone.toml");
        const auto accounts = file ? accounts_of(*file, {}) : std::unexpected(file.error());
        EXPECT_TRUE(accounts) << accounts.error();
        return accounts ? accounts->at(0).dialling.emergency : std::vector<std::string>{"?"};
    };
    using Numbers = std::vector<std::string>;
    EXPECT_EQ(numbers_of(""), (Numbers{"112", "911", "999", "110", "000"}));
    EXPECT_EQ(numbers_of("emergency = [\"112\", \"115\"]\n"), (Numbers{"112", "115"}));
    EXPECT_EQ(numbers_of("emergency = \"112\"\n"), Numbers{"112"});
    EXPECT_EQ(numbers_of("emergency = []\n"), Numbers{}) << "who says so has none";
    EXPECT_EQ(numbers_of("", "emergency = [\"112\"]\n"), Numbers{"112"});
    EXPECT_EQ(numbers_of("emergency = []\n", "emergency = [\"112\"]\n"), Numbers{});
}

// Each account dials as it says, or as the file says above all.
TEST(ConfigText, AnAccountHasItsOwnWayToDial) {
    const auto file = parse_config(
        "prefix = \"0\"\ndial-plan = [\"1xx\", \"2xx\"]\n"
        "[[account]]\naor = \"sip:a@b.test\"\npassword = \"\"\n"
        "dial-plan = [\"3xx\"]\nvoicemail = \"97\"\n"
        "[[account]]\naor = \"sip:c@b.test\"\npassword = \"\"\n"
        "prefix = \"9\"\npickup = \"**\"\n",
        "phone.toml");
    ASSERT_TRUE(file) << file.error();
    const auto accounts = accounts_of(*file, {});
    ASSERT_TRUE(accounts) << accounts.error();
    ASSERT_EQ(accounts->size(), 2U);
    const auto& first = accounts->at(0).dialling;
    EXPECT_EQ(first.prefix, "0");
    ASSERT_EQ(first.plan.size(), 1U);
    EXPECT_EQ(first.plan[0].pattern(), "3xx");
    EXPECT_EQ(first.voicemail, "97");
    EXPECT_EQ(first.pickup, "");
    const auto& second = accounts->at(1).dialling;
    EXPECT_EQ(second.prefix, "9");
    ASSERT_EQ(second.plan.size(), 2U);
    EXPECT_EQ(second.plan[1].pattern(), "2xx");
    EXPECT_EQ(second.voicemail, "");
    EXPECT_EQ(second.pickup, "**");
}

// File, line and key: the line is the rule's own.
TEST(ConfigText, ARuleThatIsNoneHasItsLine) {
    const auto file = parse_config(
        "[[account]]\naor = \"sip:a@b.test\"\npassword = \"\"\n"
        "dial-plan = [\n  \"[1-9]xx\",\n  \"0[\",\n]\n",
        "phone.toml");
    ASSERT_TRUE(file) << file.error();
    const auto accounts = accounts_of(*file, {});
    ASSERT_FALSE(accounts);
    EXPECT_EQ(accounts.error(),
              "phone.toml:6: dial-plan: \"0[\" is no rule of a dial plan: this [ has no ] "
              "(character 2)");
}

}  // namespace
}  // namespace holdfast::cli
