// The command as a whole, against a registrar and a DNS server on loopback: what it says and what
// it ends with. Not tested here: how it fails over (virtual time, tests/scenarios), TLS
// (command_tls_test.cpp).
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "apps/cli/command_testing.h"
#include "apps/cli/exit_code.h"

namespace holdfast::cli {
namespace {

using testing::CommandRun;
using testing::Registrar;

class CommandTest : public testing::Bench {
protected:
    std::string story(const CommandRun& run) const {
        return "output:\n" + run.output() + "errors:\n" + run.errors() + "last request:\n" +
               (registrar.requests.empty() ? "none" : registrar.requests.back());
    }
    static int number(ExitCode code) { return number_of(code); }
};

TEST_F(CommandTest, RegistersAndUnregistersOnInterrupt) {
    registrar.answer = [](const std::string& request, const sockaddr_in& from) {
        const bool asks =
            request.starts_with("REGISTER") && request.find("Authorization:") == std::string::npos;
        return asks ? Registrar::challenge(request, from, "n1") : Registrar::accept(request, from);
    };
    auto& run = phone();
    ASSERT_TRUE(run_until([&] {
        return run.said("Registered at udp:127.0.0.1:" + registrar.socket.port());
    })) << story(run);
    EXPECT_TRUE(run.said("1 server found")) << story(run);
    run.signal(SIGINT);
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_TRUE(run.said("Unregistered")) << story(run);
    EXPECT_EQ(registrar.count("response="), registrar.count("username=\"alice\""));
    EXPECT_GE(registrar.count("response="), 2U) << story(run);
    EXPECT_EQ(run.errors(), "");
}

TEST_F(CommandTest, JsonHasOneObjectALine) {
    auto& run = phone({"--json", "--once"});
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    std::istringstream lines(run.output());
    for (std::string line; std::getline(lines, line);)
        EXPECT_TRUE(line.starts_with("{\"t\":") && line.ends_with("}")) << line;
    for (const auto* event : {"resolved", "attempt", "registered", "unregistered", "stopped"})
        EXPECT_TRUE(run.said("\"event\":\"" + std::string(event) + "\"")) << event << "\n"
                                                                          << story(run);
    EXPECT_TRUE(run.said("\"account\":\"" + registrar.aor() + "\"")) << story(run);
    EXPECT_TRUE(run.said("\"target\":\"udp:127.0.0.1:" + registrar.socket.port() + "\""))
        << story(run);
}

TEST_F(CommandTest, HangupRegistersAgainNow) {
    auto& run = phone({"--json"});
    ASSERT_TRUE(run_until([&] { return run.said("\"registered\""); })) << story(run);
    run.signal(SIGHUP);
    ASSERT_TRUE(run_until([&] { return run.said("\"refreshed\""); })) << story(run);
    run.signal(SIGTERM);
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
}

TEST_F(CommandTest, TraceShowsMessagesWithoutSecrets) {
    registrar.answer = [](const std::string& request, const sockaddr_in& from) {
        const bool asks =
            request.starts_with("REGISTER") && request.find("Authorization:") == std::string::npos;
        return asks ? Registrar::challenge(request, from, "n1") : Registrar::accept(request, from);
    };
    auto& run = phone({"--once", "--trace"});
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_TRUE(run.complained("→ to udp:127.0.0.1:" + registrar.socket.port())) << story(run);
    EXPECT_TRUE(run.complained("SIP/2.0 401 Unauthorized")) << story(run);
    EXPECT_TRUE(run.complained("Authorization: <redacted>")) << story(run);
    EXPECT_FALSE(run.complained("response=")) << story(run);
}

TEST_F(CommandTest, WrongPasswordEndsIt) {
    registrar.answer = [this](const std::string& request, const sockaddr_in& from) {
        return Registrar::challenge(request, from, "n" + std::to_string(registrar.requests.size()));
    };
    auto& run = phone();
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), number(ExitCode::auth_failed)) << story(run);
    EXPECT_TRUE(run.said("The password does not work: 401 Unauthorized")) << story(run);
    EXPECT_LE(registrar.count("REGISTER"), 4U) << "hammering with a wrong password draws a ban";
}

TEST_F(CommandTest, RefusalIsSaidAndWaitedOutUntilInterrupted) {
    registrar.answer = [](const std::string& request, const sockaddr_in& from) {
        return testing::response_to(request, "403 No Such Account Here", from);
    };
    auto& run = phone();
    ASSERT_TRUE(run_until([&] { return run.said("Refused: 403 No Such Account Here"); }))
        << story(run);
    EXPECT_FALSE(run.ended());
    run.signal(SIGINT);
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), number(ExitCode::refused)) << story(run);
    auto& once = phone({"--once"});
    ASSERT_TRUE(run_until_end(once)) << story(once);
    EXPECT_EQ(once.exit_code(), number(ExitCode::refused)) << story(once);
}

TEST_F(CommandTest, UnknownNameIsSaid) {
    auto& run = start({"register", "alice@nowhere.test", "--once", "--dns",
                       "127.0.0.1:" + dns.port(), "--state", (directory / "state").string()},
                      {{"HOLDFAST_PASSWORD", "x"}});
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), number(ExitCode::name_leads_nowhere)) << story(run);
    EXPECT_TRUE(run.said("nowhere.test does not exist (NXDOMAIN)")) << story(run);
    auto& resolve = start({"resolve", "sip:nowhere.test", "--json", "--dns",
                           "127.0.0.1:" + dns.port(), "--state", (directory / "state").string()});
    ASSERT_TRUE(run_until_end(resolve)) << story(resolve);
    EXPECT_EQ(resolve.exit_code(), number(ExitCode::name_leads_nowhere)) << story(resolve);
    EXPECT_TRUE(resolve.said("\"targets\":[]")) << story(resolve);
}

TEST_F(CommandTest, DnsThatFailsIsNotAMissingName) {
    dns_answer = [](const std::string& question) {
        auto reply = nxdomain(question);
        reply[3] = static_cast<char>(0x85);  // REFUSED
        return reply;
    };
    auto& run = start({"register", "alice@somewhere.test", "--once", "--dns",
                       "127.0.0.1:" + dns.port(), "--state", (directory / "state").string()},
                      {{"HOLDFAST_PASSWORD", "x"}});
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), number(ExitCode::no_dns)) << story(run);
}

TEST_F(CommandTest, SilentUnregisterIsSaid) {
    registrar.answer = [](const std::string& request, const sockaddr_in& from) {
        return Registrar::removes_all(request) || request.find(";expires=0") != std::string::npos
                   ? std::string{}
                   : Registrar::accept(request, from);
    };
    auto& run = phone();
    ASSERT_TRUE(run_until([&] { return run.said("Registered at"); })) << story(run);
    run.signal(SIGTERM);
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), number(ExitCode::not_unregistered)) << story(run);
}

TEST_F(CommandTest, OutputThatNobodyReadsEndsItUnregistered) {
    auto& run = phone({"--json"});
    ASSERT_TRUE(run_until([&] { return run.said("\"registered\""); })) << story(run);
    run.close_output();
    run.signal(SIGHUP);  // something to say
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), number(ExitCode::host)) << story(run);
    EXPECT_TRUE(Registrar::removes_all(registrar.requests.back()) ||
                registrar.requests.back().find(";expires=0") != std::string::npos)
        << story(run);
}

// Somebody pages through the output and stops reading: the phone must go on.
TEST_F(CommandTest, AReaderThatDoesNotReadDoesNotStopThePhone) {
    sockaddr_in phone_at{};
    registrar.answer = [&](const std::string& request, const sockaddr_in& from) {
        phone_at = from;
        return request.starts_with("SIP/2.0") ? std::string{} : Registrar::accept(request, from);
    };
    auto& run = phone({"--json", "--trace"});
    ASSERT_TRUE(run_until([&] { return run.said("\"registered\""); })) << story(run);
    run.pause_reading(true);
    // Each question is traced with its answer: far more than a pipe holds.
    const std::string padding(1000, 'x');
    for (int i = 1; i <= 100; ++i) {
        const auto number = std::to_string(i);
        registrar.socket.send(
            "OPTIONS " + registrar.aor() + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:" +
                registrar.socket.port() + ";branch=z9hG4bKpadded" + number +
                ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:test@127.0.0.1>;tag=1\r\nTo: <" +
                registrar.aor() + ">\r\nCall-ID: padded" + number +
                "\r\nCSeq: 1 OPTIONS\r\nSubject: " + padding + "\r\nContent-Length: 0\r\n\r\n",
            phone_at);
        const auto answer = "Call-ID: padded" + number + "\r\n";
        ASSERT_TRUE(run_until([&] { return registrar.count(answer) > 0; })) << i << story(run);
    }
    run.pause_reading(false);
    run.signal(SIGINT);
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), 0) << story(run);
    EXPECT_TRUE(run.complained("Call-ID: padded100")) << "nothing is lost that there was room for";
}

TEST_F(CommandTest, StateBelongsToOneProcess) {
    auto& first = phone({"--json"});
    ASSERT_TRUE(run_until([&] { return first.said("\"registered\""); })) << story(first);
    auto& second = phone();
    ASSERT_TRUE(run_until_end(second)) << story(second);
    EXPECT_EQ(second.exit_code(), number(ExitCode::state_in_use)) << story(second);
    EXPECT_TRUE(second.complained("in use by process")) << story(second);
    auto& resolve = start({"resolve", registrar.aor(), "--transport", "udp", "--json", "--state",
                           (directory / "state").string()});
    ASSERT_TRUE(run_until_end(resolve)) << story(resolve);
    EXPECT_EQ(resolve.exit_code(), 0) << story(resolve) << "reading is allowed";
    EXPECT_TRUE(resolve.said("\"port\":" + registrar.socket.port())) << story(resolve);
}

TEST_F(CommandTest, UnusableStateIsSaid) {
    std::ofstream(directory / "file") << "x";
    auto& run = phone({}, "file/state");
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), number(ExitCode::state_unusable)) << story(run);
}

TEST_F(CommandTest, PortInUseIsSaid) {
    auto& run = phone({"--local", "127.0.0.1:" + dns.port()});
    ASSERT_TRUE(run_until_end(run)) << story(run);
    EXPECT_EQ(run.exit_code(), number(ExitCode::port_in_use)) << story(run);
    auto& foreign = phone({"--local", "192.0.2.77:5999"});
    ASSERT_TRUE(run_until_end(foreign)) << story(foreign);
    EXPECT_EQ(foreign.exit_code(), number(ExitCode::address_unusable)) << story(foreign);
}

TEST_F(CommandTest, MistakesOfTheUserHaveASentenceAndACode) {
    const auto expect = [&](std::vector<std::string> arguments, ExitCode code,
                            std::string_view words) {
        auto& run = start(std::move(arguments));
        ASSERT_TRUE(run_until_end(run)) << story(run);
        EXPECT_EQ(run.exit_code(), number(code)) << story(run);
        EXPECT_TRUE(run.complained(words)) << story(run);
    };
    expect({"register", "sip:a@b.test", "--jsn"}, ExitCode::usage,
           "Unknown option --jsn; did you mean --json?");
    expect({"register", "sip:a@b.test", "--set", "patiense=1s"}, ExitCode::usage, "patience");
    expect({"register", "sip:a@b.test", "--preset", "microsipp"}, ExitCode::usage, "microsip");
    expect({"register", "sip:a@b.test", "--config", "/no/such/file"}, ExitCode::config,
           "cannot be read");
    expect({"register", "sip:a@b.test"}, ExitCode::no_password, "HOLDFAST_PASSWORD");
    expect({"register", "sip:b.test"}, ExitCode::usage, "names no user");
    expect({"register"}, ExitCode::usage, "Which account?");
    expect({"register", "sip:a@b.test", "sip:c@d.test"}, ExitCode::usage, "one argument too many");
    expect({"regsiter", "sip:a@b.test"}, ExitCode::usage, "did you mean register?");
    const auto file = directory / "phone.toml";
    std::ofstream(file) << "aor = \"sip:a@b.test\"\npasswort = \"x\"\n";
    expect({"register", "--config", file.string()}, ExitCode::config,
           file.string() + ":2: passwort: there is no such key");
    std::ofstream(file) << "aor = \"sip:a@b.test\"\npassword = \"x\"\n";
    ASSERT_EQ(::chmod(file.c_str(), 0644), 0);
    expect({"register", "--config", file.string()}, ExitCode::config, "chmod 600");
}

TEST_F(CommandTest, PrintsWhatIsAskedFor) {
    const auto expect = [&](std::vector<std::string> arguments, std::string_view words) {
        auto& run = start(std::move(arguments));
        ASSERT_TRUE(run_until_end(run)) << story(run);
        EXPECT_EQ(run.exit_code(), 0) << story(run);
        EXPECT_TRUE(run.said(words)) << story(run);
    };
    expect({"--version"}, "holdfast " HOLDFAST_VERSION);
    expect({"--help"}, "holdfast register AOR");
    expect({"register", "--help"}, "--outbound-proxy URI");
    expect({"presets"}, "microsip-3.20");
    expect({"presets", "--json"}, "{\"presets\":[\"holdfast\"");
    expect({"policy", "--set", "patience=3s"}, "patience = 3s");
}

}  // namespace
}  // namespace holdfast::cli
