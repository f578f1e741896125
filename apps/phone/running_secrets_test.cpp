// Where secrets are not, while phones call each other with everything on that writes anything: not
// in what they print, trace, log, answer on the control socket or tell hooks, not in state and
// history, not in the list of processes. The secrets: passwords, what they are made into (HA1, the
// responses that prove it, RFC 7616 §3.4.1), the keys of SRTP in SDP (RFC 4568 §6.1) with the
// password of ICE beside them, private keys, and digits that are pressed in a call, which may be a
// PIN. Of `register` CommandSecretsTest, of `run` RunSecrets.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <list>
#include <set>
#include <string>

#include "apps/phone/running_phones.h"
#include "base/text.h"
#include "engine/recording_words.h"
#include "sip/digest.h"

namespace holdfast::phone {
namespace {

using namespace testing_phones;
using namespace std::string_literals;

constexpr const char* pin = "4*71#8";           // dialled behind a comma
constexpr const char* second_pin = "9#B*6A";    // pressed in the call
constexpr const char* third_pin = "8*3#D5";     // of the voicemail
constexpr const char* mistaken_pin = "77z7*5";  // with what is no key

// In front of the registrar, which is the calls' proxy: keeps what is secret of what passes.
class SecretsSeen : public lab::Node {
public:
    explicit SecretsSeen(lab::Node& registrar) : registrar_(registrar) {}
    void receive(const lab::Packet& packet) override {
        take(packet.bytes, "response=\"", "\"", responses);
        take(packet.bytes, "inline:", "|\r\n ", keys);
        take(packet.bytes, "=ice-pwd:", "\r\n ", keys);
        has_dtls = has_dtls || packet.bytes.find("a=fingerprint:") != std::string::npos;
        registrar_.receive(packet);
    }
    std::set<std::string> responses;
    std::set<std::string> keys;
    bool has_dtls = false;

private:
    static void take(std::string_view text, std::string_view begin, std::string_view end,
                     std::set<std::string>& into) {
        for (auto at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at)) {
            at += begin.size();
            into.emplace(text.substr(at, text.find_first_of(end, at) - at));
        }
    }
    lab::Node& registrar_;
};

struct Manner {
    const char* keys;
    sip::DigestAlgorithm algorithm;
    bool json;
    const char* digits;  // by which way
};

class RunningSecrets : public RunningPhones, public ::testing::WithParamInterface<Manner> {
protected:
    RunningSecrets() {
        for (const auto& node : world->cluster().nodes()) {
            node->digest().algorithm = GetParam().algorithm;
            world->lab().internet().attach(node->addresses().front(), seen.emplace_back(*node),
                                           node->name());
        }
        for (const std::string user : {"alice", "bob"})
            world->cluster().add_user(user, password_of(user));
    }
    static std::string password_of(const std::string& user) { return "Rumpelstilzchen-" + user; }
    [[nodiscard]] static std::map<std::string, std::string> with_password(const std::string& user) {
        auto variables = environment();
        variables["HOLDFAST_PASSWORD"] = password_of(user);
        return variables;
    }
    [[nodiscard]] Words loud(const std::string& name, bool is_phone) const {
        auto words = is_phone ? usual(name) : WorldOfThree::usual(name);
        if (!GetParam().json) std::erase(words, "--json");
        words.insert(words.end(), {"--trace", "--srtp", "required", "--srtp-keys", GetParam().keys,
                                   "--dtmf-by", GetParam().digits});
        if (is_phone) words.insert(words.end(), {"--log", "all"});
        return words;
    }
    // Of a file with a voicemail that has a PIN, and a hook that is told of everything.
    CommandRun& start_loud_phone(const std::string& name) {
        const auto config = file("config-" + name);
        std::ofstream(config) << "aor = \"sip:" << name << "@example.test\"\npassword = \""
                              << password_of(name) << "\"\nvoicemail = \"*97,," << third_pin
                              << "\"\n[[hook]]\ncommand = [\"/bin/sh\", \"-c\", "
                              << R"("{ cat /proc/$$/environ /proc/$$/cmdline; cat; } >> )"
                              << file("told") << "\"]\n";
        EXPECT_EQ(::chmod(config.c_str(), 0600), 0);
        Words words{"phone", "--config", config};
        for (const auto& word : loud(name, true)) words.push_back(word);
        auto variables = environment();
        variables.erase("HOLDFAST_PASSWORD");  // the file's counts
        return runs.emplace_back(words, variables);
    }
    // As it is said in words or in JSON.
    bool tells(CommandRun& run, const std::string& in_words, const std::string& event) {
        return hears(run, GetParam().json ? "\"event\":\"" + event + "\"" : in_words);
    }
    static std::string text_of(const std::filesystem::path& path) {
        std::ifstream stream(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    static std::string command_line_of(const CommandRun& run) {
        return text_of("/proc/" + std::to_string(run.pid()) + "/cmdline");
    }

    // In lower case.
    [[nodiscard]] std::set<std::string> secrets() const {
        std::set<std::string> found;
        const auto add = [&](const std::string& secret) { found.insert(lower_case(secret)); };
        for (const std::string user : {"alice", "bob"}) {
            add(password_of(user));
            add(hex(password_of(user)));
            add(recording::to_base64(password_of(user)));
            for (const auto algorithm : {sip::DigestAlgorithm::md5, sip::DigestAlgorithm::sha256})
                add(sip::digest_ha1(algorithm, user, "example.test",
                                    Redacted<std::string>(password_of(user)))
                        .reveal());
        }
        for (const auto* digits : {pin, second_pin, third_pin, mistaken_pin}) add(digits);
        add("PRIVATE KEY");
        for (const auto& one : seen) {
            for (const auto& response : one.responses) add(response);
            for (const auto& key : one.keys) add(key);
        }
        return found;
    }
    void expect_nothing_in(const std::string& where, std::string_view text) const {
        EXPECT_FALSE(text.empty()) << where;
        const auto lower = lower_case(text);
        for (const auto& secret : secrets())
            EXPECT_EQ(lower.find(secret), std::string::npos) << where << " holds " << secret;
        const std::string digit = "signal=";  // one of them, in an INFO
        for (auto at = lower.find(digit); at != std::string::npos; at = lower.find(digit, at + 1))
            EXPECT_EQ(lower.substr(at, digit.size() + 1), "signal=a") << where;
    }
    // Which files there were, but for the configurations.
    [[nodiscard]] std::set<std::string> expect_nothing_in_files() const {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{scratch.path()}) {
            const auto name = entry.path().filename().string();
            if (!entry.is_regular_file() || name.starts_with("config-")) continue;
            if (const auto text = text_of(entry.path()); !text.empty()) {
                names.insert(name);
                expect_nothing_in(entry.path().string(), text);
            }
        }
        return names;
    }
    void expect_all_was_there(bool dtls) const {
        const auto& one = seen.front();
        EXPECT_GE(one.responses.size(), 3U) << "they proved that they know their passwords";
        EXPECT_EQ(one.has_dtls, dtls);
        if (!dtls) {
            EXPECT_GE(one.keys.size(), 2U) << "the keys of both";
        }
    }

    std::list<SecretsSeen> seen;
};

TEST_P(RunningSecrets, NothingAPhoneWritesOrAnswersHoldsOne) {
    auto& alice = start_loud_phone("alice");
    auto& bob = start_loud_phone("bob");
    ASSERT_TRUE(tells(alice, "Registered at", "registered")) << story(alice);
    ASSERT_TRUE(tells(bob, "Registered at", "registered")) << story(bob);
    auto& events = start_ctl("alice", {"events", "--json"});
    std::string answers;
    const auto asks = [&](const Words& verb, int exit_code = 0) {
        answers += ctl("alice", verb, exit_code);
    };
    asks({"dial", "bob," + std::string(mistaken_pin)}, 24);
    asks({"dial", "bob," + std::string(pin)});
    ASSERT_TRUE(tells(bob, "Incoming call", "ring")) << story(alice) << story(bob);
    answers += ctl("bob", {"answer"});
    ASSERT_TRUE(hears(alice, "6 digits that waited are sent")) << story(alice) << story(bob);
    asks({"dtmf", second_pin});
    asks({"dtmf", mistaken_pin}, 24);
    asks({"hold"});
    ASSERT_TRUE(run_until([&] {
        return ctl("alice", {"status"}).find(", on hold") != std::string::npos;
    })) << story(alice);
    for (const Words& verb :
         {Words{"status"}, Words{"status", "--json"}, Words{"hello"}, Words{"hangup"}})
        asks(verb);
    ASSERT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    asks({"voicemail"});
    ASSERT_TRUE(run_until([&] { return ctl("alice", {"status"}).ends_with("no call\n"); }));
    for (const Words& verb : {Words{"history"}, Words{"history", "--json"}}) asks(verb);
    EXPECT_NE(answers.find("sip:*97@example.test"), std::string::npos) << answers;
    expect_nothing_in("control socket", answers);
    expect_nothing_in("list of processes", command_line_of(alice) + command_line_of(bob));

    // Who tells a phone that does not answer stands in the list for a while.
    alice.signal(SIGSTOP);
    auto& late = start_ctl("alice", {"dtmf", second_pin});
    auto& dials = start_ctl("alice", {"dial", "bob," + std::string(pin)});
    for (const auto* run : {&late, &dials}) {
        EXPECT_TRUE(run_until([&] {
            return command_line_of(*run).ends_with(",xxxxxx\0"s) ||
                   command_line_of(*run).ends_with("\0xxxxxx\0"s);
        })) << command_line_of(*run);
        expect_nothing_in("list of processes", command_line_of(*run));
    }
    alice.signal(SIGCONT);
    ASSERT_TRUE(run_until([&] { return late.ended() && dials.ended(); }));
    expect_nothing_in("ctl", late.output() + late.errors() + dials.output() + dials.errors());

    const auto files = expect_nothing_in_files();
    for (const auto* name : {"state.db", "history.db", "told"})
        EXPECT_TRUE(files.contains(name)) << name;
    expect_all_was_there(GetParam().keys == std::string("dtls"));
    ctl("alice", {"quit"});
    ctl("bob", {"quit"});
    ASSERT_TRUE(run_until([&] { return alice.ended() && bob.ended() && events.ended(); }));
    for (const auto* run : {&alice, &bob}) {
        EXPECT_EQ(run->exit_code(), 0) << story(*run);
        expect_nothing_in("output", run->output());
        expect_nothing_in("trace", run->errors());
        EXPECT_NE(run->errors().find("INVITE sip:"), std::string::npos) << "it was traced";
        EXPECT_NE(run->errors().find("<redacted>"), std::string::npos);
        EXPECT_EQ(run->errors().find("Signal=") != std::string::npos,
                  GetParam().digits == std::string("info"));
    }
    expect_nothing_in("stream of events", events.output());
    EXPECT_TRUE(expect_nothing_in_files().contains("told"));
    for (const auto* part : {"HOLDFAST_ACCOUNT=", "\"event\":\"answered\""})
        EXPECT_NE(text_of(file("told")).find(part), std::string::npos) << part;
}

// call and answer, with the password from the environment and a PIN on the command line.
TEST_P(RunningSecrets, NothingACallWritesHoldsOne) {
    Words waits{"answer", "sip:bob@example.test"};
    for (const auto& word : loud("bob", false)) waits.push_back(word);
    auto& bob = runs.emplace_back(waits, with_password("bob"));
    ASSERT_TRUE(tells(bob, "Registered at", "registered")) << story(bob);
    Words calls{"call",      "bob," + std::string(pin),
                "--account", "sip:alice@example.test",
                "--dtmf",    second_pin,
                "--record",  file("alice.wav")};
    for (const auto& word : loud("alice", false)) calls.push_back(word);
    auto& alice = runs.emplace_back(calls, with_password("alice"));
    ASSERT_TRUE(hears(alice, "12 digits that waited are sent")) << story(alice) << story(bob);
    for (const auto* run : {&alice, &bob}) {
        expect_nothing_in("list of processes", command_line_of(*run));
        expect_nothing_in("environment",
                          text_of("/proc/" + std::to_string(run->pid()) + "/environ"));
    }
    EXPECT_TRUE(expect_nothing_in_files().contains("state.db"));
    alice.signal(SIGINT);
    ASSERT_TRUE(run_until([&] { return alice.ended() && bob.ended(); })) << story(alice);
    for (const auto* run : {&alice, &bob}) {
        EXPECT_EQ(run->exit_code(), 0) << story(*run);
        expect_nothing_in("output", run->output());
        expect_nothing_in("trace", run->errors());
        EXPECT_NE(run->errors().find("INVITE sip:"), std::string::npos) << "it was traced";
    }
    EXPECT_TRUE(expect_nothing_in_files().contains("alice.wav"));
    expect_all_was_there(GetParam().keys == std::string("dtls"));
}

// No core dump, no ptrace, no /proc/PID/mem. Another program, started the same way, shows that this
// could be seen.
using MemoryOfCalls = RunningPhones;

TEST_F(MemoryOfCalls, IsNotDumped) {
    const auto& other = runs.emplace_back(Words{"60"}, std::map<std::string, std::string>{},
                                          cli::testing::as_another_than_root("/bin/sleep"));
    if (!run_until([&] { return cli::testing::is_dumpable(other.pid()); }, 5s))
        GTEST_SKIP() << "/proc does not show here whose memory a process is";
    const auto program = cli::testing::as_another_than_root(HOLDFAST_COMMAND);
    const auto start = [&](Words words, const std::string& name, bool is_phone) -> CommandRun& {
        for (const auto& word : is_phone ? usual(name) : WorldOfThree::usual(name))
            words.push_back(word);
        return runs.emplace_back(words, environment(), program);
    };
    auto& phone = start({"phone", "sip:bob@example.test"}, "bob", true);
    ASSERT_TRUE(hears(phone, "\"registered\"")) << story(phone);
    auto& call = start({"call", "bob", "--account", "sip:alice@example.test"}, "alice", false);
    ASSERT_TRUE(hears(phone, "\"ring\"")) << story(phone) << story(call);
    EXPECT_FALSE(cli::testing::is_dumpable(phone.pid()));
    EXPECT_FALSE(cli::testing::is_dumpable(call.pid()));
}

INSTANTIATE_TEST_SUITE_P(
    InEachManner, RunningSecrets,
    ::testing::Values(Manner{"sdes", sip::DigestAlgorithm::sha256, true, "events"},
                      Manner{"dtls", sip::DigestAlgorithm::md5, false, "events"},
                      Manner{"sdes", sip::DigestAlgorithm::md5, false, "info"}),
    [](const auto& test) {
        return std::string(test.param.keys) + (test.param.json ? "Json" : "Words") +
               test.param.digits;
    });

}  // namespace
}  // namespace holdfast::phone
