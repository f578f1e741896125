// The engine alone, fed by hand: no socket, no clock, no randomness. It prints the same every time.
//
// A phone asks DNS where to send, registers, keeps its path open, and refreshes before its five
// minutes are over. Time is what we say it is: all of it takes some milliseconds.
#include <holdfast/engine/engine.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace {

using namespace holdfast;
using namespace std::chrono_literals;

// "Via: …", with its end of line.
std::string header_line(std::string_view message, std::string_view name) {
    const auto at = message.find("\r\n" + std::string(name) + ": ");
    if (at == std::string_view::npos) return {};
    return std::string(message.substr(at + 2, message.find("\r\n", at + 2) - at));
}

// What a registrar says that accepts everything, and what anybody says to OPTIONS.
std::string ok_to(std::string_view request) {
    std::string text = "SIP/2.0 200 OK\r\n";
    for (const auto* name : {"Via", "From", "To", "Call-ID", "CSeq", "Contact"})
        text += header_line(request, name);
    return text + "Content-Length: 0\r\n\r\n";
}

class Story {
public:
    explicit Story(EngineOptions options) : engine_(std::move(options)) {}

    void happens(const Input& input) {
        Outbox outbox;  // handed in empty, and emptied before the next input
        engine_.handle(now_, input, outbox);
        for (const auto& output : outbox.take())
            std::visit([this](const auto& it) { tell(it); }, output);
    }

    // An answer if one is due, else to the moment at which the engine wants to do something.
    void go_on() {
        if (!answers_.empty()) {
            now_ += 10ms;
            const auto answer = std::exchange(answers_, {});
            for (const auto& input : answer) happens(input);
            return;
        }
        const auto deadline = engine_.next_deadline();
        now_ = deadline.at;
        line("time passes until: " + std::string(deadline.reason));
        happens(in::Time{});
    }

    [[nodiscard]] bool has_refreshed() const { return refreshed_; }

private:
    void line(const std::string& text) const {
        std::printf("%8.3f s  %s\n", seconds_of(now_.time_since_epoch()), text.c_str());
    }
    void tell(const out::OpenFlow& open) {
        line("open a flow to " + open.target.to_string());
        const Endpoint local{IpAddress::v4(192, 0, 2, 20), 40000};
        answers_.emplace_back(in::FlowOpened{open.flow, local, {}});
    }
    void tell(const out::CloseFlow&) const { line("close a flow"); }
    void tell(const out::Send& send) {
        const auto first_line = send.bytes.substr(0, send.bytes.find("\r\n"));
        const bool is_request = first_line.ends_with(" SIP/2.0");
        line("send " + (is_request ? first_line : "a keep-alive or an answer"));
        if (is_request) answers_.emplace_back(in::Received{send.flow, ok_to(send.bytes)});
    }
    void tell(const out::Resolve& resolve) {
        const auto& question = resolve.question;
        line("ask DNS: " + std::string(dns::name_of(question.type)) + " of " + question.name);
        dns::Answer answer{.status = dns::Status::ok, .records = {}, .ttl = 1h};
        if (question.type == dns::RecordType::a)
            answer.records.emplace_back(IpAddress::v4(203, 0, 113, 11));
        answers_.emplace_back(in::DnsAnswer{resolve.query, answer});
    }
    void tell(const out::Store& store) const { line("store " + store.key); }
    void tell(const out::Media&) const {}  // this program makes no calls
    void tell(const Event& event) {
        const std::string why = event.reason.empty() ? "" : ": " + event.reason;
        line("event " + std::string(name_of(event.kind)) + why);
        if (event.kind == EventKind::refreshed) refreshed_ = true;
    }

    Engine engine_;
    Instant now_{};
    std::deque<Input> answers_;
    bool refreshed_ = false;
};

}  // namespace

int main() {
    registration::AccountConfig account;
    account.aor = "sip:alice@example.test";
    account.transport = Transport::udp;

    EngineOptions options;
    options.seed = seed_from_number(7);  // a phone takes it from the system's entropy
    Story story(std::move(options));
    story.happens(in::NetworkChanged{{IpAddress::v4(192, 0, 2, 20)}, false});
    story.happens(in::AddAccount{AccountId{1}, account});
    for (int steps = 0; steps < 200 && !story.has_refreshed(); ++steps) story.go_on();
    return story.has_refreshed() ? 0 : 1;
}
