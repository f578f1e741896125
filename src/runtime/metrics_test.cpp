// Events in, a scrape over HTTP out: what Prometheus would see, and that the documentation and the
// dashboard speak of nothing else.
#include "runtime/metrics.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "runtime/child.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace std::chrono_literals;
using test::limit;
using testing::HasSubstr;

constexpr std::string_view alice = "sip:alice@example.test";

// A scraper on the same loop: what the server sends until it closes.
std::string exchange(Loop& loop, const Endpoint& with, std::string_view request) {
    const Descriptor socket{
        ::socket(domain_of(with.address.family()), SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto address = socket_address_of(with);
    if (::connect(socket.get(), address.get(), address.length) != 0) return "no connection";
    ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
    std::string answer;
    bool over = false;
    Watch watch{loop, socket.get(), [&](Ready) {
                    std::array<char, 65536> space{};
                    const auto size =
                        ::recv(socket.get(), space.data(), space.size(), MSG_DONTWAIT);
                    if (size > 0) answer.append(space.data(), static_cast<std::size_t>(size));
                    over = over || size == 0 || (size < 0 && errno != EAGAIN);
                }};
    EXPECT_TRUE(loop.run_until([&] { return over; }, limit + limit)) << answer;
    return answer;
}

std::string http_get(Loop& loop, const Endpoint& from, std::string_view path) {
    return exchange(
        loop, from,
        "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
}

struct Family {
    std::string type;
    std::string help;
    std::set<std::string> labels;
};

// The text format, as strictly as we need it.
struct Exposition {
    explicit Exposition(const std::string& text) {
        std::istringstream stream{text};
        for (std::string line; std::getline(stream, line);) {
            std::istringstream words{line};
            std::string mark, what, name;
            if (line.starts_with('#')) {
                words >> mark >> what >> name >> std::ws;
                std::string rest;
                std::getline(words, rest);
                (what == "TYPE" ? families[name].type : families[name].help) = rest;
            } else if (const auto end = line.rfind(' '); end != std::string::npos) {
                const auto series = line.substr(0, end);
                values[series] = std::stod(line.substr(end + 1));
                note_labels(series);
            }
        }
    }

    void note_labels(const std::string& series) {
        static const std::regex label{R"re([{,]([a-z_]+)="[^"]*")re"};
        const auto name = base_of(series.substr(0, series.find('{')));
        for (std::sregex_iterator it{series.begin(), series.end(), label}, none; it != none; ++it)
            families[name].labels.insert((*it)[1]);
    }

    // A histogram's or summary's rows have a suffix.
    [[nodiscard]] std::string base_of(const std::string& name) const {
        for (const std::string suffix : {"_bucket", "_sum", "_count"})
            if (name.ends_with(suffix) &&
                families.contains(name.substr(0, name.size() - suffix.size())))
                return name.substr(0, name.size() - suffix.size());
        return name;
    }

    std::map<std::string, double> values;
    std::map<std::string, Family> families;
};

std::string file_content(const std::string& path) {
    std::ifstream stream{std::string(HOLDFAST_TEST_DATA) + "/../../" + path};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

class MetricsTest : public testing::Test {
protected:
    void SetUp() override { ASSERT_NO_FATAL_FAILURE(open("127.0.0.1:0")); }

    void open(const std::string& address) {
        metrics.reset();
        auto opened = Metrics::open(
            loop, address,
            {.version = "1.2.3",
             .shards =
                 [] {
                     return std::vector<ShardCounters>{{.registers_sent = 7,
                                                        .sent_packets = 8,
                                                        .sent_bytes = 9,
                                                        .received_packets = 10,
                                                        .received_bytes = 11,
                                                        .steps = 12,
                                                        .events_dropped = 13},
                                                       {.registers_sent = 70}};
                 },
             .hooks = [] { return HookCounts{.run = 3, .failed = 2, .dropped = 1}; }});
        ASSERT_TRUE(opened.has_value()) << opened.error().sentence;
        metrics = std::move(*opened);
    }

    void tell(EventKind kind, std::string_view target, std::optional<Duration> rtt = {},
              std::string_view aor = alice) {
        auto event = test::event_of(kind);
        event.target = Target::parse(target);
        event.rtt = rtt;
        event.reg_id = 1;
        metrics->on_event(event, aor);
    }

    // A little of everything, so that every metric has its rows.
    void live_a_little() {
        metrics->account_added(alice);
        metrics->account_added("sip:bob@example.test");
        tell(EventKind::registered, "udp:203.0.113.11:5060", 20ms);
        tell(EventKind::suspect, "udp:203.0.113.11:5060");
        tell(EventKind::moved, "udp:203.0.113.12:5060", 300ms);
        tell(EventKind::reachable, "udp:203.0.113.12:5060");
        auto failed = test::event_of(EventKind::attempt_failed);
        failed.status = 503;
        metrics->on_event(failed, alice);
    }

    [[nodiscard]] std::string scrape() {
        const auto answer = http_get(loop, metrics->endpoint(), "/metrics");
        EXPECT_THAT(answer, HasSubstr("200 OK"));
        const auto head = answer.find("\r\n\r\n");
        return head == std::string::npos ? "" : answer.substr(head + 4);
    }

    Loop loop;
    std::unique_ptr<Metrics> metrics;
};

TEST_F(MetricsTest, AScrapeShowsHowTheAccountsStand) {
    live_a_little();
    auto page = Exposition{scrape()};
    EXPECT_EQ(page.values.at("holdfast_accounts_configured"), 2);
    EXPECT_EQ(page.values.at("holdfast_accounts_registered"), 1);
    EXPECT_EQ(page.values.at("holdfast_accounts_reachable"), 1);
    EXPECT_EQ(page.values.at("holdfast_accounts_unreachable"), 0);
    EXPECT_EQ(page.values.at("holdfast_registrations_total{kind=\"registered\"}"), 1);
    EXPECT_EQ(page.values.at("holdfast_registrations_total{kind=\"moved\"}"), 1);
    EXPECT_EQ(page.values.at("holdfast_failovers_total"), 1);
    EXPECT_EQ(page.values.at("holdfast_attempt_failures_total{reason=\"5xx\"}"), 1);
    EXPECT_EQ(page.values.at("holdfast_attempt_failures_total{reason=\"silent\"}"), 0);
    EXPECT_EQ(page.values.at("holdfast_target_accounts{target=\"udp:203.0.113.11:5060\"}"), 0);
    EXPECT_EQ(page.values.at("holdfast_target_accounts{target=\"udp:203.0.113.12:5060\"}"), 1);
    EXPECT_EQ(page.values.at("holdfast_register_rtt_seconds_bucket{le=\"0.025\"}"), 1);
    EXPECT_EQ(page.values.at("holdfast_register_rtt_seconds_bucket{le=\"+Inf\"}"), 2);
    EXPECT_EQ(page.values.at("holdfast_register_rtt_seconds_count"), 2);
    EXPECT_DOUBLE_EQ(page.values.at("holdfast_register_rtt_seconds_sum"), 0.32);
    EXPECT_EQ(page.values.at("holdfast_build_info{version=\"1.2.3\"}"), 1);

    tell(EventKind::unregistered, "udp:203.0.113.12:5060");
    metrics->account_removed("sip:bob@example.test");
    page = Exposition{scrape()};
    EXPECT_EQ(page.values.at("holdfast_accounts_configured"), 1);
    EXPECT_EQ(page.values.at("holdfast_accounts_registered"), 0);
    EXPECT_EQ(page.values.at("holdfast_accounts_reachable"), 0);
}

TEST_F(MetricsTest, ShardsAndHooksAreAskedAtEachScrape) {
    const auto page = Exposition{scrape()};
    EXPECT_EQ(page.values.at("holdfast_registers_sent_total{shard=\"0\"}"), 7);
    EXPECT_EQ(page.values.at("holdfast_registers_sent_total{shard=\"1\"}"), 70);
    EXPECT_EQ(page.values.at("holdfast_sent_packets_total{shard=\"0\"}"), 8);
    EXPECT_EQ(page.values.at("holdfast_sent_bytes_total{shard=\"0\"}"), 9);
    EXPECT_EQ(page.values.at("holdfast_received_packets_total{shard=\"0\"}"), 10);
    EXPECT_EQ(page.values.at("holdfast_received_bytes_total{shard=\"0\"}"), 11);
    EXPECT_EQ(page.values.at("holdfast_engine_steps_total{shard=\"0\"}"), 12);
    EXPECT_EQ(page.values.at("holdfast_events_dropped_total{shard=\"0\"}"), 13);
    EXPECT_EQ(page.values.at("holdfast_hooks_run_total"), 3);
    EXPECT_EQ(page.values.at("holdfast_hooks_failed_total"), 2);
    EXPECT_EQ(page.values.at("holdfast_hooks_dropped_total"), 1);
}

TEST_F(MetricsTest, TheProcessIsWhatTheSystemSays) {
    const auto page = Exposition{scrape()};
    EXPECT_GT(page.values.at("process_resident_memory_bytes"), 1e6);
    EXPECT_GT(page.values.at("process_virtual_memory_bytes"),
              page.values.at("process_resident_memory_bytes"));
    EXPECT_GT(page.values.at("process_cpu_seconds_total"), 0);
    EXPECT_GE(page.values.at("process_open_fds"), 3);
    EXPECT_GE(page.values.at("process_max_fds"), page.values.at("process_open_fds"));
    EXPECT_GE(page.values.at("process_threads"), 1);
    const auto now = static_cast<double>(::time(nullptr));
    EXPECT_LE(page.values.at("process_start_time_seconds"), now + 2);
    EXPECT_GT(page.values.at("process_start_time_seconds"), now - 3600);
}

// At most 100 targets have a label: those with the most accounts.
TEST_F(MetricsTest, LabelsOfTargetsAreBounded) {
    const auto add = [&](int account, int port) {
        const auto aor = "sip:" + std::to_string(account) + "@example.test";
        metrics->account_added(aor);
        tell(EventKind::registered, "udp:203.0.113.1:" + std::to_string(port), {}, aor);
    };
    const auto labelled = [&] {
        std::size_t count = 0;
        for (const auto& [series, value] : Exposition{scrape()}.values)
            if (series.starts_with("holdfast_target_accounts{")) ++count;
        return count;
    };
    for (int i = 0; i < 100; ++i) add(i, 6001 + i);
    EXPECT_EQ(labelled(), 100u);
    EXPECT_FALSE(
        Exposition{scrape()}.values.contains("holdfast_target_accounts{target=\"other\"}"));
    for (int i = 100; i < 150; ++i) add(i, 6001 + i);
    add(1000, 7000);
    add(1001, 7000);
    EXPECT_EQ(labelled(), 101u);
    const auto page = Exposition{scrape()};
    EXPECT_EQ(page.values.at("holdfast_target_accounts{target=\"udp:203.0.113.1:7000\"}"), 2);
    EXPECT_EQ(page.values.at("holdfast_target_accounts{target=\"other\"}"), 51);
    double sum = 0;
    for (const auto& [series, value] : page.values)
        if (series.starts_with("holdfast_target_accounts{")) sum += value;
    EXPECT_EQ(sum, 152);
}

// An account's name is no label: 50,000 of them would be 50,000 series.
TEST_F(MetricsTest, NoAccountIsNamed) {
    live_a_little();
    EXPECT_THAT(scrape(), Not(HasSubstr("alice")));
}

TEST_F(MetricsTest, PromtoolFindsNoFault) {
    if (path_of_command("promtool").empty())
        GTEST_SKIP() << "promtool is not in PATH (Debian: package prometheus; tools/bootstrap "
                        "real installs it without starting the server)";
    live_a_little();
    std::optional<ChildEnd> end;
    const auto child = Child::start(loop,
                                    {.command = {"promtool", "check", "metrics"},
                                     .environment = {},
                                     .input = scrape(),
                                     .timeout = 60s},
                                    [&](const ChildEnd& how) { end = how; });
    ASSERT_TRUE(child.has_value());
    ASSERT_TRUE(loop.run_until([&] { return end.has_value(); }, 70s));
    EXPECT_EQ(end->in_words(), "exit code 0");
}

// docs/metrics.md has every metric, its type and its labels, and no other.
TEST_F(MetricsTest, TheDocumentedTableIsWhatIsServed) {
    live_a_little();
    const auto page = Exposition{scrape()};
    std::map<std::string, std::string> documented, served;
    std::istringstream doc{file_content("docs/metrics.md")};
    const std::regex row{R"re(^\| `([a-z_]+)` \| ([a-z]+) \| ([^|]*) \|.*)re"};
    for (std::string line; std::getline(doc, line);)
        if (std::smatch match; std::regex_match(line, match, row)) {
            auto labels = std::string(match[3]);
            std::erase(labels, '`');
            documented[match[1]] = std::string(match[2]) + " " + labels;
        }
    for (const auto& [name, family] : page.families) {
        std::string labels;
        for (const auto& label : family.labels)
            if (label != "le" && label != "quantile")
                labels += (labels.empty() ? "" : ", ") + label;
        served[name] = family.type + " " + labels;
        EXPECT_FALSE(family.help.empty()) << name;
    }
    EXPECT_EQ(documented, served);
}

void collect_expressions(const nlohmann::json& node, std::vector<std::string>& found) {
    if (node.is_object() && node.contains("expr")) found.push_back(node["expr"]);
    if (node.is_structured())
        for (const auto& child : node) collect_expressions(child, found);
}

// The dashboard asks for nothing that is not served, and has what an operator wants to see.
TEST_F(MetricsTest, TheDashboardAsksForWhatIsServed) {
    live_a_little();
    const auto page = Exposition{scrape()};
    const auto dashboard =
        nlohmann::json::parse(file_content("packaging/grafana/holdfast.json"), nullptr, false);
    ASSERT_FALSE(dashboard.is_discarded()) << "no valid JSON";
    std::vector<std::string> expressions;
    collect_expressions(dashboard, expressions);
    EXPECT_GE(expressions.size(), 12u);
    std::set<std::string> asked;
    const std::regex name{R"re(\b(?:holdfast|process)_[a-z_]+)re"};
    const std::regex by{R"re(\bby \(([a-z_, ]+)\))re"};
    for (const auto& expression : expressions) {
        std::string metric;
        for (std::sregex_iterator it{expression.begin(), expression.end(), name}, none; it != none;
             ++it) {
            metric = page.base_of(it->str());
            asked.insert(metric);
            EXPECT_TRUE(page.families.contains(metric)) << it->str() << " in " << expression;
        }
        EXPECT_FALSE(metric.empty()) << expression;
        if (std::smatch match; std::regex_search(expression, match, by)) {
            std::istringstream labels{match[1]};
            for (std::string label; labels >> label;) {
                std::erase(label, ',');
                if (label == "instance") continue;  // Prometheus' own
                EXPECT_TRUE(page.families.at(metric).labels.contains(label)) << expression;
            }
        }
    }
    for (const auto* wanted :
         {"holdfast_accounts_configured", "holdfast_accounts_registered",
          "holdfast_accounts_reachable", "holdfast_registrations_total", "holdfast_failovers_total",
          "holdfast_registers_sent_total", "holdfast_register_rtt_seconds",
          "holdfast_target_accounts", "holdfast_attempt_failures_total",
          "process_cpu_seconds_total", "process_resident_memory_bytes"})
        EXPECT_TRUE(asked.contains(wanted)) << wanted;
    std::set<int> ids;
    for (const auto& panel : dashboard["panels"]) {
        EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << panel["id"];
        EXPECT_FALSE(panel["title"].get<std::string>().empty());
        EXPECT_EQ(panel["datasource"]["uid"], "${datasource}") << panel["title"];
        EXPECT_LE(panel["gridPos"]["x"].get<int>() + panel["gridPos"]["w"].get<int>(), 24);
    }
}

TEST_F(MetricsTest, TheAddressMayBeIpv6) {
    if (!test::has_ipv6_loopback()) GTEST_SKIP() << "this host has no IPv6 loopback";
    ASSERT_NO_FATAL_FAILURE(open("[::1]:0"));
    EXPECT_EQ(metrics->endpoint().address.to_string(), "::1");
    EXPECT_THAT(scrape(), HasSubstr("holdfast_build_info"));
}

TEST_F(MetricsTest, NothingElseIsServed) {
    EXPECT_THAT(http_get(loop, metrics->endpoint(), "/"), HasSubstr("404"));
    EXPECT_THAT(http_get(loop, metrics->endpoint(), "/../../etc/passwd"), Not(HasSubstr("root:")));
    const auto post = exchange(loop, metrics->endpoint(),
                               "POST /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
                               "Content-Length: 5\r\n\r\nhello");
    EXPECT_THAT(post, HasSubstr("405"));
    EXPECT_THAT(exchange(loop, metrics->endpoint(), "\x16\x03\x01 no HTTP\r\n\r\n"),
                Not(HasSubstr("holdfast_")));
}

// Connections on which nothing comes are bounded in number, and the loop goes on.
TEST_F(MetricsTest, IdleConnectionsAreBounded) {
    std::vector<Descriptor> idle;
    for (unsigned i = 0; i < 4 * scrapers_most; ++i) {
        auto& socket = idle.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const auto address = socket_address_of(metrics->endpoint());
        ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
        ::connect(socket.get(), address.get(), address.length);
    }
    EXPECT_FALSE(loop.run_until([] { return false; }, 100ms));
    std::size_t taken = 0;
    for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
        const auto end = local_endpoint(std::atoi(entry.path().filename().c_str()));
        if (end && *end == metrics->endpoint()) ++taken;
    }
    EXPECT_LE(taken, scrapers_most + 2);
    idle.clear();
    EXPECT_THAT(scrape(), HasSubstr("holdfast_build_info"));
}

// A scraper that goes in the midst of the answer ends nobody (SIGPIPE is not ignored here).
TEST_F(MetricsTest, AScraperThatGoesIsNoTrouble) {
    for (unsigned i = 0; i < scrapers_most / 2; ++i) {
        const Descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        const auto address = socket_address_of(metrics->endpoint());
        ASSERT_EQ(::connect(socket.get(), address.get(), address.length), 0);
        constexpr std::string_view request = "GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n";
        ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL);
        const linger reset{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    }
    EXPECT_THAT(scrape(), HasSubstr("holdfast_build_info"));
}

TEST_F(MetricsTest, ATakenPortIsSaid) {
    const auto again = Metrics::open(loop, metrics->endpoint().to_string(), {});
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().kind, FailureKind::port_in_use);
    EXPECT_EQ(again.error().sentence,
              "Metrics cannot be served at " + metrics->endpoint().to_string() +
                  " (Address already in use): another program has this port; choose another.");
}

// A restart finds the port that the process before has left a moment ago, with connections in
// TIME_WAIT.
TEST_F(MetricsTest, ThePortIsFreeAtOnceAfterwards) {
    EXPECT_NE(scrape(), "");
    const auto address = metrics->endpoint().to_string();
    metrics.reset();
    ASSERT_NO_FATAL_FAILURE(open(address));
    EXPECT_EQ(metrics->endpoint().to_string(), address);
}

TEST(MetricsAddress, ABadOneIsSaid) {
    Loop loop;
    for (const std::string bad : {"", "9464", "localhost:9464", "127.0.0.1", "::1", "[::1]",
                                  "::1:9464x", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x"}) {
        const auto opened = Metrics::open(loop, bad, {});
        ASSERT_FALSE(opened.has_value()) << bad;
        EXPECT_EQ(opened.error().kind, FailureKind::address_unusable);
        EXPECT_THAT(opened.error().sentence,
                    HasSubstr("\"" + bad + "\": an IP address and a port are wanted"));
    }
    const auto elsewhere = Metrics::open(loop, "192.0.2.1:9464", {});  // RFC 5737: nobody's
    ASSERT_FALSE(elsewhere.has_value());
    EXPECT_EQ(elsewhere.error().kind, FailureKind::address_unusable);
    EXPECT_THAT(elsewhere.error().sentence, HasSubstr("this host does not have the address"));
}

}  // namespace
}  // namespace holdfast::runtime
