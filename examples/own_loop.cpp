// The engine in an event loop of one's own: poll(2), one UDP socket, getaddrinfo(3).
//
//   HOLDFAST_PASSWORD=… own_loop sip:alice@example.test [REGISTRAR]
//
// What a program with a loop of its own (Qt, GLib, an RTOS) has to write: perform seven kinds of
// output (out::Media, a call's sound, is nothing here), hand in what happens, and wake up at the
// deadline. Simple on purpose: UDP over IPv4, names are looked up while everything else waits, and
// what is stored is forgotten at the end.
#include <arpa/inet.h>
#include <holdfast/engine/engine.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace {

using namespace holdfast;
using namespace std::chrono_literals;

volatile std::sig_atomic_t interrupted = 0;

// Goes on while the host sleeps; CLOCK_MONOTONIC does not.
Instant now() {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    return Instant{std::chrono::seconds{time.tv_sec} +
                   std::chrono::duration_cast<Duration>(std::chrono::nanoseconds{time.tv_nsec})};
}

IpAddress address_of(const sockaddr_in& address) {
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
    return IpAddress::v4(bytes);
}

Endpoint endpoint_of(const sockaddr_in& address) {
    return {address_of(address), ntohs(address.sin_port)};
}

sockaddr_in socket_address_of(const Endpoint& endpoint) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, endpoint.address.bytes().data(), sizeof address.sin_addr);
    return address;
}

Endpoint local_end_of(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return endpoint_of(address);
}

// Which of our addresses the kernel would use towards it; nothing: there is no way.
std::optional<IpAddress> source_towards(const Endpoint& remote) {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const auto address = socket_address_of(remote);
    std::optional<IpAddress> source;
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        source = local_end_of(fd).address;
    close(fd);
    return source;
}

std::vector<IpAddress> own_addresses() {
    std::vector<IpAddress> addresses;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return addresses;
    for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
        sockaddr_in address{};
        std::memcpy(&address, entry->ifa_addr, sizeof address);
        addresses.push_back(address_of(address));
    }
    freeifaddrs(list);
    return addresses;
}

// Names that have addresses and nothing else.
dns::Answer look_up(const dns::Question& question) {
    dns::Answer answer{.status = dns::Status::ok, .records = {}, .ttl = 60s};
    if (question.type != dns::RecordType::a) return answer;  // NODATA
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    const int error = getaddrinfo(question.name.c_str(), nullptr, &hints, &list);
    if (error == EAI_NONAME) answer.status = dns::Status::nxdomain;
    if (error != 0 && error != EAI_NONAME) answer.status = dns::Status::servfail;
    if (error != 0) return answer;
    for (const auto* entry = list; entry != nullptr; entry = entry->ai_next) {
        sockaddr_in address{};
        std::memcpy(&address, entry->ai_addr, sizeof address);
        answer.records.emplace_back(address_of(address));
    }
    freeaddrinfo(list);
    return answer;
}

class Phone {
public:
    Phone(Engine& engine, int fd) : engine_(engine), fd_(fd) {}

    void happened(Input input) { inputs_.push_back(std::move(input)); }
    [[nodiscard]] bool is_stopped() const { return stopped_; }

    // Every input, and what it leads to. An input is never handed in from within an output.
    void step() {
        while (!inputs_.empty()) {
            const auto input = std::move(inputs_.front());
            inputs_.pop_front();
            engine_.handle(now(), input, outbox_);
            perform();
        }
    }

    void wait() {
        pollfd watched{fd_, POLLIN, 0};
        poll(&watched, 1, milliseconds_to_wait());
        if ((watched.revents & POLLIN) != 0) receive();
        if (engine_.next_deadline().at <= now()) happened(in::Time{});
    }

private:
    [[nodiscard]] int milliseconds_to_wait() const {
        const auto at = engine_.next_deadline().at;
        if (at == never) return -1;
        const auto left = std::max(at - now(), Duration{});
        return static_cast<int>(std::min<std::int64_t>(
            std::chrono::ceil<std::chrono::milliseconds>(left).count(), INT_MAX));
    }

    void receive() {
        std::array<char, 65536> buffer{};
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const auto length = recvfrom(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&from), &size);
        if (length < 0) return;
        const std::string bytes(buffer.data(), static_cast<std::size_t>(length));
        const auto remote = endpoint_of(from);
        for (const auto& [flow, target] : flows_)
            if (target.endpoint == remote) return happened(in::Received{FlowId{flow}, bytes});
        happened(in::Stray{local_end_of(fd_), remote, bytes});
    }

    void perform() {
        const auto outputs = outbox_.take();
        // Before anything of this step is sent: on a disk, in one commit.
        for (const auto& output : outputs)
            if (const auto* store = std::get_if<out::Store>(&output))
                stored_[store->key] = store->value;
        for (const auto& output : outputs)
            std::visit([this](const auto& it) { perform(it); }, output);
    }

    void perform(const out::OpenFlow& open) {
        const bool can = open.target.transport == Transport::udp && !open.spare_port &&
                         open.target.endpoint.address.family() == Family::ipv4;
        if (!can)
            return happened(in::FlowFailed{open.flow, FlowError::network_unreachable,
                                           "this program knows one UDP socket over IPv4"});
        const auto source = source_towards(open.target.endpoint);
        if (!source)
            return happened(in::FlowFailed{open.flow, FlowError::network_unreachable,
                                           "there is no way to this address"});
        flows_[open.flow.value] = open.target;
        const Endpoint local{*source, local_end_of(fd_).port};
        happened(in::FlowOpened{open.flow, local, {}});
    }
    void perform(const out::CloseFlow& close) { flows_.erase(close.flow.value); }
    void perform(const out::Send& send) {
        const auto flow = flows_.find(send.flow.value);
        if (flow == flows_.end()) return;
        const auto to = socket_address_of(flow->second.endpoint);
        if (sendto(fd_, send.bytes.data(), send.bytes.size(), 0,
                   reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0)
            happened(
                in::FlowFailed{send.flow, FlowError::network_unreachable, std::strerror(errno)});
    }
    void perform(const out::Resolve& resolve) {
        happened(in::DnsAnswer{resolve.query, look_up(resolve.question)});
    }
    void perform(const out::Store&) {}  // already done
    void perform(const out::Media&) {}  // this program makes no calls
    void perform(const Event& event) {
        std::printf("%s %s\n", std::string(name_of(event.kind)).c_str(), event.reason.c_str());
        std::fflush(stdout);
        if (event.kind == EventKind::stopped) stopped_ = true;
    }

    Engine& engine_;
    int fd_;
    bool stopped_ = false;
    Outbox outbox_;
    std::deque<Input> inputs_;
    std::map<std::uint32_t, Target> flows_;
    State stored_;
};

}  // namespace

int main(int count, char** words) {
    if (count < 2) {
        std::fprintf(stderr, "usage: HOLDFAST_PASSWORD=… %s AOR [REGISTRAR]\n", words[0]);
        return 2;
    }
    struct sigaction action{};
    action.sa_handler = [](int) { interrupted = 1; };  // without SA_RESTART: it ends poll
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);

    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    EngineOptions options;
    options.started = now();
    options.wall_clock = std::time(nullptr);
    if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0 ||
        getrandom(options.seed.data(), options.seed.size(), 0) < 0) {
        std::perror("no UDP socket, or no entropy");
        return 1;
    }
    registration::AccountConfig account;
    account.aor = words[1];
    if (count > 2) account.registrar = words[2];
    account.transport = Transport::udp;
    if (const char* password = std::getenv("HOLDFAST_PASSWORD"))
        account.password = Redacted<std::string>(password);

    Engine engine(std::move(options));
    Phone phone(engine, fd);
    phone.happened(in::NetworkChanged{own_addresses(), false});  // the first input of all
    phone.happened(in::AddAccount{AccountId{1}, account});
    while (!phone.is_stopped()) {
        phone.step();
        if (interrupted == 1) {
            interrupted = 2;
            phone.happened(in::ShutDown{});
            continue;
        }
        if (!phone.is_stopped()) phone.wait();
    }
    close(fd);
}
