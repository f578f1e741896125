#include "runtime/hooks.h"

#include <csignal>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <deque>
#include <optional>
#include <utility>

#include "base/text.h"
#include "runtime/child.h"
#include "runtime/clock.h"
#include "runtime/socket_address.h"

namespace holdfast::runtime {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t starts_at_once = 8;  // before the loop looks at its sockets again
constexpr Duration curl_margin = 1s;       // curl ends by itself, and says why

// What a hook is told of one event; the same for all that want it.
struct Occasion {
    std::string event;                 // its name
    std::string account;               // or ""
    std::string json;                  // one line
    std::vector<std::string> details;  // HOLDFAST_…=…
};

// One line without control characters, as an environment's variable may be printed by anyone.
std::string variable(std::string_view name, std::string_view value) {
    auto text = std::string(name) + "=" + std::string(value.substr(0, hook_variable_most));
    for (auto& c : text)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
    return text;
}

Occasion occasion_of(EventTime time, const Event& event, std::string_view account) {
    Occasion occasion{.event = std::string(name_of(event.kind)),
                      .account = std::string(account),
                      .json = event_json(time, event, account),
                      .details = {}};
    const auto add = [&](std::string_view name, std::string_view value) {
        if (!value.empty()) occasion.details.push_back(variable(name, value));
    };
    add("HOLDFAST_EVENT", occasion.event);
    add("HOLDFAST_ACCOUNT", account);
    if (event.call) add("HOLDFAST_CALL", std::to_string(event.call.value));
    if (time.unixtime) add("HOLDFAST_TIME", std::to_string(*time.unixtime));
    if (event.target) add("HOLDFAST_TARGET", event.target->to_string());
    if (event.from) add("HOLDFAST_FROM", event.from->to_string());
    if (event.mapping) add("HOLDFAST_MAPPING", event.mapping->to_string());
    add("HOLDFAST_CONTACT", event.contact);
    if (event.status != 0) add("HOLDFAST_STATUS", std::to_string(event.status));
    add("HOLDFAST_REASON", event.reason);
    return occasion;
}

// Of our own environment a hook gets this and nothing else: what is in the rest may be secret.
std::vector<std::string> minimal_environment() {
    constexpr std::array names{"PATH", "HOME", "LANG", "TZ"};
    std::vector<std::string> environment;
    for (const auto* name : names)
        if (const char* value = std::getenv(name))
            environment.push_back(std::string(name) + "=" + value);
    return environment;
}

// A value of curl's configuration file.
std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + "\"";
}

// Neither URL nor body is in the list of processes: the one is read from descriptor 3, the other
// from standard input. -q: no ~/.curlrc.
std::vector<std::string> curl_command() { return {"curl", "-q", "--config", "/dev/fd/3"}; }

std::string curl_configuration(const Hook& hook) {
    return "url = " + quoted(hook.url) +
           "\n"
           "data-binary = \"@-\"\n"
           "header = \"Content-Type: application/json\"\n"
           "header = \"Expect:\"\n"
           "user-agent = \"Holdfast\"\n"
           "proto = \"=http,https\"\n"
           "output = \"/dev/null\"\n"
           "max-time = " +
           std::to_string(seconds_of(hook.timeout)) +
           "\n"
           "globoff\nfail\nsilent\nshow-error\n";
}

struct UrlParts {
    std::string scheme, authority;
};

std::optional<UrlParts> parts_of(std::string_view url) {
    const auto end = url.find("://");
    if (end == std::string_view::npos) return std::nullopt;
    const auto rest = url.substr(end + 3);
    auto authority = rest.substr(0, rest.find_first_of("/?#"));
    if (const auto at = authority.rfind('@'); at != std::string_view::npos)
        authority.remove_prefix(at + 1);
    return UrlParts{lower_case(url.substr(0, end)), std::string(authority)};
}

std::string problem_of_url(const std::string& url) {
    const auto parts = parts_of(url);
    if (!parts || (parts->scheme != "http" && parts->scheme != "https") || parts->authority.empty())
        return "A webhook's url must begin with http:// or https:// and name a host.";
    const bool plain = std::ranges::all_of(
        url, [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\'; });
    if (!plain)
        return "The url of " + parts->scheme + "://" + parts->authority +
               " has a space, a quote, a backslash or a character that is not ASCII: write it as "
               "%XX.";
    if (path_of_command("curl").empty())
        return "Webhooks need the program curl, which is not in PATH: install the package curl.";
    return {};
}

// Told at once the first time; what follows soon is told together.
struct Complaint {
    Instant quiet_until{};
    std::uint64_t untold = 0;
    std::string latest{};
};

struct Line {  // one hook and what waits for it
    Hook hook;
    std::deque<std::shared_ptr<const Occasion>> queue{};
    std::unique_ptr<Child> child{};
    Complaint failures{}, drops{};

    [[nodiscard]] bool wants(EventKind kind) const {
        return hook.events.empty() || std::ranges::find(hook.events, kind) != hook.events.end();
    }
    [[nodiscard]] bool is_ready() const { return !child && !queue.empty(); }
};

}  // namespace

std::string name_of(const Hook& hook) {
    if (!hook.command.empty()) return hook.command.front();
    const auto parts = parts_of(hook.url);
    return parts ? parts->scheme + "://" + parts->authority : "(nothing)";
}

std::string problem_of(const Hook& hook) {
    if (hook.command.empty() == hook.url.empty())
        return "A hook has either a command or a url: this one has " +
               std::string(hook.url.empty() ? "neither." : "both.");
    if (hook.timeout <= 0s) return "The timeout of the hook " + name_of(hook) + " must be above 0.";
    if (!hook.url.empty()) return problem_of_url(hook.url);
    if (path_of_command(hook.command.front()).empty())
        return "The hook's program " + hook.command.front() +
               " is not there or may not be executed" +
               (hook.command.front().find('/') == std::string::npos ? " (looked for in PATH)."
                                                                    : ".");
    return {};
}

class Hooks::Impl : public std::enable_shared_from_this<Impl> {
public:
    Impl(Loop& loop, std::vector<Hook> hooks, Notice notice)
        : loop_(loop),
          notice_(std::move(notice)),
          environment_(minimal_environment()),
          tell_timer_(loop, [this] { tell_what_is_untold(false); }),
          close_timer_(loop, [this] { end(); }) {
        for (auto& hook : hooks) lines_.push_back(std::make_unique<Line>(Line{std::move(hook)}));
        // Inherited from whoever started us, it would take the ends of our programs from us.
        struct sigaction children{};
        if (sigaction(SIGCHLD, nullptr, &children) == 0 && children.sa_handler == SIG_IGN)
            signal(SIGCHLD, SIG_DFL);
    }

    void on_event(EventTime time, const Event& event, std::string_view account) {
        std::shared_ptr<const Occasion> occasion;
        for (auto& line : lines_) {
            if (!line->wants(event.kind)) continue;
            if (closing_) {
                ++dropped_;
                continue;
            }
            if (!occasion)
                occasion = std::make_shared<const Occasion>(occasion_of(time, event, account));
            // The oldest goes: how things stand now is worth more.
            if (line->queue.size() == hook_queue_most) {
                line->queue.pop_front();
                ++dropped_;
                late_complaint(line->drops, "The hook " + name_of(line->hook) +
                                                " is too slow: an event was left out, for " +
                                                std::to_string(hook_queue_most) + " wait already.");
            }
            line->queue.push_back(occasion);
        }
        if (occasion) post_pump();
    }

    void close(Duration at_most, std::function<void()> closed) {
        closing_ = true;
        closed_ = std::move(closed);
        close_timer_.arm(boot_time() + at_most);
        post_pump();  // there may be nothing to wait for
    }

    [[nodiscard]] HookCounts counts() const { return {run_, failed_, dropped_}; }

private:
    // Never inside on_event: a notice may be an event too.
    void post_pump() {
        if (std::exchange(pump_posted_, true)) return;
        loop_.post([weak = weak_from_this()] {
            if (const auto self = weak.lock()) {
                self->pump_posted_ = false;
                self->pump();
            }
        });
    }

    // In turn, so that a hook of which much is asked does not keep the others out.
    void pump() {
        for (std::size_t starts = 0, skipped = 0; skipped < lines_.size();) {
            if (running_ == hooks_at_once) break;
            auto& line = *lines_[turn_++ % lines_.size()];
            if (!line.is_ready()) {
                ++skipped;
                continue;
            }
            if (starts++ == starts_at_once) {
                --turn_;
                return post_pump();
            }
            skipped = 0;
            start(line);
        }
        const bool idle = running_ == 0 && std::ranges::none_of(lines_, [](const auto& line) {
                              return line->is_ready();
                          });
        if (closing_ && idle) end();
    }

    void start(Line& line) {
        const auto occasion = std::move(line.queue.front());
        line.queue.pop_front();
        ChildPlan plan{.command = line.hook.command,
                       .environment = environment_,
                       .input = occasion->json,
                       .extra = {},
                       .timeout = line.hook.timeout};
        plan.environment.insert(plan.environment.end(), occasion->details.begin(),
                                occasion->details.end());
        if (!line.hook.url.empty()) {
            plan.command = curl_command();
            plan.extra = curl_configuration(line.hook);
            plan.timeout += curl_margin;
        }
        ++run_;
        auto child = Child::start(loop_, std::move(plan), [this, &line, occasion](const auto& end) {
            line.child.reset();
            --running_;
            if (!end.went_well()) failed(line, *occasion, "failed", end.in_words());
            post_pump();
        });
        if (!child) return failed(line, *occasion, "could not be started", words_of(child.error()));
        line.child = std::move(*child);
        ++running_;
    }

    void failed(Line& line, const Occasion& occasion, std::string_view verb,
                const std::string& why) {
        ++failed_;
        complain(line.failures, "The hook " + name_of(line.hook) + " " + std::string(verb) +
                                    " at `" + occasion.event + "`" +
                                    (occasion.account.empty() ? "" : " of " + occasion.account) +
                                    ": " + why + ".");
    }

    void complain(Complaint& complaint, std::string sentence) {
        const auto now = boot_time();
        if (complaint.untold > 0 || now < complaint.quiet_until)
            return late_complaint(complaint, std::move(sentence));
        complaint.quiet_until = now + hook_notice_interval;
        notice_(std::move(sentence));
    }

    void late_complaint(Complaint& complaint, std::string sentence) {
        ++complaint.untold;
        complaint.latest = std::move(sentence);
        tell_by(std::max(complaint.quiet_until, boot_time()));
    }

    void tell_by(Instant at) {
        if (at >= tell_at_) return;
        tell_at_ = at;
        tell_timer_.arm(at);
    }

    void tell_what_is_untold(bool all) {
        tell_at_ = never;
        const auto now = boot_time();
        auto next = never;
        for (auto& line : lines_)
            for (auto* complaint : {&line->failures, &line->drops}) {
                if (complaint->untold == 0) continue;
                if (!all && now < complaint->quiet_until) {
                    next = std::min(next, complaint->quiet_until);
                    continue;
                }
                const auto untold = std::exchange(complaint->untold, 0);
                complaint->quiet_until = now + hook_notice_interval;
                notice_(std::move(complaint->latest) +
                        (untold == 1 ? ""
                                     : " It is the latest of " + std::to_string(untold) +
                                           " such troubles."));
            }
        tell_by(next);
    }

    void end() {
        close_timer_.stop();
        if (!closed_) return;
        for (auto& line : lines_) {
            if (line->child) {
                line->child.reset();
                --running_;
                ++failed_;
                late_complaint(line->failures, "The hook " + name_of(line->hook) +
                                                   " was killed: its time was over at the end.");
            }
            for (; !line->queue.empty(); line->queue.pop_front()) {
                ++dropped_;
                late_complaint(line->drops, "The hook " + name_of(line->hook) +
                                                " is too slow: an event was left out at the end.");
            }
        }
        tell_what_is_untold(true);
        tell_timer_.stop();
        const auto closed = std::exchange(closed_, {});
        closed();  // may destroy us
    }

    Loop& loop_;
    Notice notice_;
    std::vector<std::string> environment_;
    std::vector<std::unique_ptr<Line>> lines_;
    std::size_t turn_ = 0;
    std::size_t running_ = 0;
    bool pump_posted_ = false;
    Instant tell_at_ = never;
    bool closing_ = false;
    std::function<void()> closed_;
    std::atomic<std::uint64_t> run_ = 0, failed_ = 0, dropped_ = 0;
    Timer tell_timer_, close_timer_;
};

Hooks::Hooks(Loop& loop, std::vector<Hook> hooks, Notice notice)
    : impl_(std::make_shared<Impl>(loop, std::move(hooks), std::move(notice))) {}
Hooks::~Hooks() = default;

void Hooks::on_event(EventTime time, const Event& event, std::string_view account) {
    impl_->on_event(time, event, account);
}
void Hooks::close(Duration at_most, std::function<void()> closed) {
    impl_->close(at_most, std::move(closed));
}
HookCounts Hooks::counts() const { return impl_->counts(); }

}  // namespace holdfast::runtime
