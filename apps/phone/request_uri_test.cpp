// What the account's server is asked for when somebody dials (RFC 3261 §8.1.1.1), by the bytes that
// arrive there. What is read how is in dialling_test.cpp, the phone itself in
// running_dialling_test.cpp.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <vector>

#include "apps/cli/command_testing.h"

namespace holdfast::phone {
namespace {

using cli::testing::Registrar;
using cli::testing::response_to;

class RequestUri : public cli::testing::Bench {
protected:
    RequestUri() {
        registrar.answer = [](const std::string& request, const sockaddr_in& from) {
            if (request.starts_with("ACK")) return std::string{};
            if (request.starts_with("INVITE")) return response_to(request, "404 Not Found", from);
            return Registrar::accept(request, from);
        };
        const auto file = (directory / "dial.toml").string();
        std::ofstream(file) << "aor = \"" << registrar.aor() << "\"\nprefix = \"7\"\n"
                            << "dial-plan = [\"1xx\", \"<00:+>x.\"]\n"
                            << "[policy]\npatience = \"20s\"\n";  // on a busy host
        ::chmod(file.c_str(), 0600);
    }
    // The user part and what stands behind the host of the first INVITE's Request-URI.
    std::string asked_for(const std::string& typed) {
        registrar.requests.clear();
        auto& run =
            start({"call", typed, "--config", (directory / "dial.toml").string(), "--transport",
                   "udp", "--state", (directory / "state").string(), "--audio", "null"},
                  {{"HOLDFAST_PASSWORD", ""},
                   // Only so does the leak check see whose GLib's allocations are.
                   {"ASAN_OPTIONS", "fast_unwind_on_malloc=0"},
                   {"LSAN_OPTIONS", "suppressions=" HOLDFAST_TEST_DATA
                                    "/sanitizers/glib.supp:print_suppressions=0"}});
        EXPECT_TRUE(run_until_end(run)) << run.output() << run.errors();
        EXPECT_EQ(run.exit_code(), 20) << run.output() << run.errors();
        for (const auto& request : registrar.requests) {
            if (!request.starts_with("INVITE ")) continue;
            auto uri = request.substr(7, request.find(" SIP/2.0") - 7);
            const std::string host = "@127.0.0.1:" + registrar.socket.port();
            const auto at = uri.find(host);
            EXPECT_NE(at, std::string::npos) << uri;
            return at == std::string::npos ? uri : uri.erase(at, host.size());
        }
        return "nobody";
    }
};

TEST_F(RequestUri, IsWhatThePlanMakesOfWhatIsTyped) {
    EXPECT_EQ(asked_for("101"), "sip:101");
    EXPECT_EQ(asked_for("2-01"), "sip:7201");
    EXPECT_EQ(asked_for("0043 1"), "sip:+431");
    EXPECT_EQ(asked_for("+49\u00A0(0)30 1"), "sip:+49301");
    EXPECT_EQ(asked_for("112"), "sip:112") << "help";
    EXPECT_EQ(asked_for("000"), "sip:000") << "help, though a rule fits";
    EXPECT_EQ(asked_for("tel:+49-30-1;ext=4"), "sip:+49301;ext=4;user=phone");
}

// What stands behind the number is in no request, whoever has written the pause how.
TEST_F(RequestUri, HoldsNoDigitsBehindAPause) {
    for (const auto* typed : {"*97,4711#", "*97p4711#", "*97%2C4711#"}) {
        EXPECT_EQ(asked_for(typed), "sip:*97") << typed;
        EXPECT_EQ(registrar.count("4711"), 0U);
    }
}

}  // namespace
}  // namespace holdfast::phone
