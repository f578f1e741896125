// A webhook against an HTTP server on loopback: what arrives there, and what is told when it goes
// wrong.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <list>
#include <sstream>
#include <string>

#include "base/text.h"
#include "runtime/hooks.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace std::chrono_literals;
using test::limit;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Answers each request with `status`; or with nothing at all.
class HttpPeer {
public:
    explicit HttpPeer(Loop& loop)
        : loop_(loop),
          listener_(loop, [this](Descriptor socket) { accepted(std::move(socket)); }) {}

    [[nodiscard]] std::string url(std::string_view path = "/") const {
        return "http://" + listener_.endpoint().to_string() + std::string(path);
    }

    std::string status = "204 No Content";  // "": silence
    std::vector<std::string> requests;      // head and body

private:
    struct Connection {
        Descriptor socket;
        std::string bytes;
        std::unique_ptr<Watch> watch;
    };

    static std::size_t body_size(std::string_view request) {
        constexpr std::string_view name = "Content-Length: ";
        const auto field = request.find(name);
        if (field == std::string_view::npos) return 0;
        const auto value = request.substr(field + name.size());
        return parse_number<std::size_t>(value.substr(0, value.find("\r\n"))).value_or(0);
    }

    void accepted(Descriptor socket) {
        auto& connection = connections_.emplace_back();
        connection.socket = std::move(socket);
        connection.watch = std::make_unique<Watch>(
            loop_, connection.socket.get(), [this, &connection](Ready) { read(connection); });
    }

    void read(Connection& connection) {
        std::array<char, 65536> space{};
        const auto size = ::recv(connection.socket.get(), space.data(), space.size(), MSG_DONTWAIT);
        if (size <= 0) return connection.watch.reset();
        connection.bytes.append(space.data(), static_cast<std::size_t>(size));
        const auto head = connection.bytes.find("\r\n\r\n");
        if (head == std::string::npos) return;
        if (connection.bytes.size() < head + 4 + body_size(connection.bytes)) return;
        requests.push_back(std::exchange(connection.bytes, {}));
        if (status.empty()) return;
        const auto answer = "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n";
        ::send(connection.socket.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }

    Loop& loop_;
    std::list<Connection> connections_;
    test::TcpPeer listener_;
};

class Webhook : public testing::Test {
protected:
    void start(const std::string& url, Duration timeout = 10s) {
        ASSERT_EQ(problem_of({.url = url}), "");
        hooks.emplace(loop, std::vector<Hook>{{.url = url, .timeout = timeout}},
                      [this](std::string sentence) { notices.push_back(std::move(sentence)); });
    }
    void tell(EventKind kind, std::string reason) {
        auto event = test::event_of(kind);
        event.reason = std::move(reason);
        hooks->on_event({.since_start = 2s, .unixtime = 7}, event, "sip:alice@example.test");
    }
    void close() {
        bool closed = false;
        hooks->close(limit, [&] { closed = true; });
        ASSERT_TRUE(loop.run_until([&] { return closed; }, limit + limit));
    }

    Loop loop;
    HttpPeer server{loop};
    std::vector<std::string> notices;
    std::optional<Hooks> hooks;
};

TEST_F(Webhook, IsAPostOfTheSameObject) {
    start(server.url("/in?key=wonder%20land&x={a}[1-9]"));
    tell(EventKind::moved, "\"quoted\" \\ and\n@more");
    close();
    ASSERT_THAT(server.requests, SizeIs(1));
    const auto& request = server.requests[0];
    EXPECT_EQ(request.substr(0, request.find("\r\n")),
              "POST /in?key=wonder%20land&x={a}[1-9] HTTP/1.1");
    EXPECT_THAT(request, HasSubstr("\r\nContent-Type: application/json\r\n"));
    EXPECT_EQ(request.substr(request.find("\r\n\r\n") + 4),
              R"({"t":2.0,"time":7,"event":"moved","account":"sip:alice@example.test",)"
              R"("reason":"\"quoted\" \\ and\n@more"})"
              "\n");
    EXPECT_THAT(notices, IsEmpty());
}

// Longer than a line of curl's configuration, a pipe or a socket's buffer may be.
TEST_F(Webhook, ALongEventArrivesWhole) {
    start(server.url());
    tell(EventKind::notice, std::string(400'000, 'x'));
    close();
    ASSERT_THAT(server.requests, SizeIs(1));
    EXPECT_THAT(server.requests[0], HasSubstr(std::string(400'000, 'x') + "\"}\n"));
}

TEST_F(Webhook, OrderIsKept) {
    start(server.url());
    for (int i = 0; i < 5; ++i) tell(EventKind::notice, "number " + std::to_string(i));
    close();
    ASSERT_THAT(server.requests, SizeIs(5));
    for (std::size_t i = 0; i < 5; ++i)
        EXPECT_THAT(server.requests[i], HasSubstr("number " + std::to_string(i)));
}

TEST_F(Webhook, ARefusalIsToldWithoutTheUrlsSecrets) {
    server.status = "503 Service Unavailable";
    start(server.url("/services/wonderland"));
    tell(EventKind::moved, "x");
    close();
    ASSERT_THAT(notices, SizeIs(1));
    EXPECT_THAT(notices[0], HasSubstr("The hook http://127.0.0.1:"));
    EXPECT_THAT(notices[0], HasSubstr("error: 503"));
    EXPECT_THAT(notices[0], Not(HasSubstr("wonderland")));
    EXPECT_EQ(hooks->counts().failed, 1u);
}

// Of the processes that we have started: "cmdline", which everybody may read, or "environ".
std::string seen_of_children(const char* what) {
    const auto text_of = [](const std::filesystem::path& file) {
        std::ifstream stream{file};
        return std::string{std::istreambuf_iterator<char>{stream}, {}};
    };
    std::string seen;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
        if (!parse_number<unsigned>(entry.path().filename().string())) continue;
        const auto stat = text_of(entry.path() / "stat");  // "PID (NAME) STATE PARENT …"
        std::istringstream fields{stat.substr(std::min(stat.rfind(')') + 1, stat.size()))};
        std::string state;
        pid_t parent = 0;
        fields >> state >> parent;
        if (parent == ::getpid()) seen += text_of(entry.path() / what);
    }
    return seen;
}

// Other users of the host read the list of processes.
TEST_F(Webhook, TheListOfProcessesShowsNeitherUrlNorEvent) {
    server.status = "";
    start(server.url("/services/wonderland"));
    tell(EventKind::moved, "what happened");
    ASSERT_TRUE(loop.run_until([&] { return !server.requests.empty(); }, limit));
    const auto seen = seen_of_children("cmdline");
    EXPECT_THAT(seen, HasSubstr("curl"));
    for (const auto* hidden : {"wonderland", "127.0.0.1:", "what happened", "alice"})
        EXPECT_THAT(seen, Not(HasSubstr(hidden)));
    EXPECT_THAT(seen_of_children("environ"), Not(HasSubstr("wonderland")));
    EXPECT_THAT(server.requests[0], HasSubstr("wonderland"));
}

TEST_F(Webhook, NobodyThereIsTold) {
    start("http://" + test::closed_port(test::loopback(), SOCK_STREAM).to_string() + "/");
    tell(EventKind::moved, "x");
    close();
    ASSERT_THAT(notices, SizeIs(1));
    EXPECT_THAT(notices[0], HasSubstr("exit code 7: curl: (7)"));
}

// A server that accepts and says nothing costs its timeout, and is told in curl's words.
TEST_F(Webhook, ASilentServerTimesOut) {
    server.status = "";
    start(server.url(), 300ms);
    tell(EventKind::moved, "x");
    close();
    ASSERT_THAT(notices, SizeIs(1));
    EXPECT_THAT(notices[0], HasSubstr("exit code 28: curl: (28)"));
}

// A redirect is not followed: events go where the configuration says, and nowhere else.
TEST_F(Webhook, ARedirectIsNotFollowed) {
    server.status = "302 Found\r\nLocation: " + server.url("/elsewhere");
    start(server.url("/here"));
    tell(EventKind::moved, "x");
    close();
    EXPECT_THAT(server.requests, SizeIs(1));
}

}  // namespace
}  // namespace holdfast::runtime
