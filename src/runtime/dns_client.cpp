#include "runtime/dns_client.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "runtime/clock.h"
#include "runtime/dns_wire.h"
#include "runtime/hosts_file.h"
#include "runtime/socket_address.h"

namespace holdfast::runtime {

namespace {

using namespace std::chrono_literals;

// Doubled each round over the servers, so that a question is sent five times within the limit:
// where 30 % of all packets are lost, each way, three times are not enough in one of eight cases.
// Deviates: RFC 1035 §4.2.1 would have 2 s at least, in a network of 1987.
constexpr std::chrono::milliseconds first_timeout = 500ms;
constexpr int rounds = 5;
// What the hosts file and the host's own resolver say carries no TTL; they are cheap to ask again.
constexpr Duration local_ttl = 60s;

int wire_type_of(dns::RecordType type) {
    switch (type) {
    case dns::RecordType::a: return ns_t_a;
    case dns::RecordType::aaaa: return ns_t_aaaa;
    case dns::RecordType::srv: return ns_t_srv;
    case dns::RecordType::naptr: return ns_t_naptr;
    }
    return ns_t_invalid;
}

std::optional<Family> family_of(dns::RecordType type) {
    switch (type) {
    case dns::RecordType::a: return Family::ipv4;
    case dns::RecordType::aaaa: return Family::ipv6;
    case dns::RecordType::srv:
    case dns::RecordType::naptr: return std::nullopt;
    }
    return std::nullopt;
}

dns::Status status_of(int ares_status) {
    switch (ares_status) {
    case ARES_SUCCESS:
    case ARES_ENODATA: return dns::Status::ok;
    case ARES_ENOTFOUND: return dns::Status::nxdomain;
    case ARES_ETIMEOUT: return dns::Status::timed_out;
    case ARES_EREFUSED:
    case ARES_ENOTIMP: return dns::Status::refused;
    case ARES_ECONNREFUSED: return dns::Status::no_server;
    case ARES_EFORMERR:
    case ARES_EBADRESP:
    case ARES_EBADQUERY:
    case ARES_EBADNAME: return dns::Status::malformed;
    default: return dns::Status::servfail;
    }
}

struct FreeAddressInfo {
    void operator()(ares_addrinfo* list) const { ares_freeaddrinfo(list); }
};

dns::Answer answer_of(const ares_addrinfo& list) {
    dns::Answer answer{.status = dns::Status::ok, .records = {}, .ttl = local_ttl};
    for (const auto* node = list.nodes; node != nullptr; node = node->ai_next) {
        SocketAddress address;
        if (node->ai_addrlen > sizeof address.storage) continue;
        std::memcpy(&address.storage, node->ai_addr, node->ai_addrlen);
        address.length = node->ai_addrlen;
        if (const auto endpoint = endpoint_of(address))
            answer.records.emplace_back(endpoint->address);
        if (node->ai_ttl > 0)
            answer.ttl = std::min<Duration>(answer.ttl, std::chrono::seconds{node->ai_ttl});
    }
    return answer;
}

}  // namespace

// c-ares 1.18 cannot read its configuration again: a changed list of servers gets a new channel,
// and the old one lives until its last question is answered.
class DnsClient::Impl {
public:
    Impl(Loop& loop, DnsOptions options, Answered answered)
        : loop_(loop),
          options_(std::move(options)),
          hosts_(options_.hosts_file),
          answered_(std::move(answered)) {
        static std::once_flag initialised;
        std::call_once(initialised, [] { ares_library_init(ARES_LIB_INIT_ALL); });
    }

    void ask(QueryId id, const dns::Question& question) {
        const auto family = family_of(question.type);
        if (family)
            if (const auto* addresses = hosts_.find(question.name))
                return answered_(id, from_hosts(*addresses, *family));
        auto* channel = current_channel();
        if (channel == nullptr)
            return answered_(id, {.status = dns::Status::no_server, .records = {}});
        const auto number = ++asked_;
        auto timer = std::make_unique<Timer>(loop_, [this, number] {
            finish(number, {.status = dns::Status::timed_out, .records = {}});
        });
        timer->arm(boot_time() + options_.limit);
        pending_.emplace(number, Pending{id, std::move(timer)});
        if (family && question.system_resolver) {
            ++channel->questions;
            auto* call = new Call{this, channel, number,
                                  question};  // deleted by its callback, which always comes
            ares_addrinfo_hints hints{};
            hints.ai_family = domain_of(*family);
            hints.ai_flags = ARES_AI_NOSORT;
            ares_getaddrinfo(channel->handle, question.name.c_str(), nullptr, &hints, on_addresses,
                             call);
            channel->arm_timer();
        } else {
            query(*channel, number, question);
        }
    }

private:
    struct Channel {
        explicit Channel(Loop& to_run)
            : loop(to_run), timer(to_run, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); }) {}
        Channel(const Channel&) = delete;
        Channel& operator=(const Channel&) = delete;
        ~Channel() {
            if (handle != nullptr) ares_destroy(handle);  // calls back for what is left
        }

        void process(ares_socket_t readable, ares_socket_t writable) {
            ares_process_fd(handle, readable, writable);
            arm_timer();
        }
        void arm_timer() {
            timeval left{};
            if (ares_timeout(handle, nullptr, &left) == nullptr) return timer.stop();
            // The millisecond: c-ares compares in whole ones, and a call too early is a call for
            // nothing.
            timer.arm(boot_time() + std::chrono::seconds{left.tv_sec} +
                      std::chrono::microseconds{left.tv_usec} + 1ms);
        }

        Loop& loop;
        ares_channel handle = nullptr;
        std::map<ares_socket_t, std::unique_ptr<Watch>> watches;
        Timer timer;
        int questions = 0;
    };
    struct Pending {
        QueryId id;
        std::unique_ptr<Timer> timer;
    };
    struct Call {
        Impl* client = nullptr;
        Channel* channel = nullptr;
        std::uint64_t number = 0;
        dns::Question question;
    };

    void query(Channel& channel, std::uint64_t number, const dns::Question& question) {
        ++channel.questions;
        ares_query(channel.handle, question.name.c_str(), ns_c_in, wire_type_of(question.type),
                   on_answer, new Call{this, &channel, number, question});
        channel.arm_timer();
    }

    static dns::Answer from_hosts(const std::vector<IpAddress>& addresses, Family family) {
        dns::Answer answer{.status = dns::Status::ok, .records = {}, .ttl = local_ttl};
        for (const auto& address : addresses)
            if (address.family() == family) answer.records.emplace_back(address);
        return answer;
    }

    Channel* current_channel() {
        const auto mark = options_.servers.empty() ? mark_of(options_.resolv_conf) : FileMark{};
        if (current_ != nullptr && mark == mark_) return current_;
        // It may be a callback of one of them that led here: they go when that has returned.
        std::erase_if(channels_, [this](auto& channel) {
            if (channel->questions == 0) loop_.post([old = channel] {});
            return channel->questions == 0;
        });
        mark_ = mark;
        verbatim_ = nullptr;
        return current_ = new_channel(0);
    }

    // Asked when all servers have failed: c-ares 1.18 then says "connection refused", although they
    // may have answered SERVFAIL. This one hands on what the first of them says.
    Channel* verbatim_channel() {
        if (verbatim_ == nullptr) verbatim_ = new_channel(ARES_FLAG_NOCHECKRESP);
        return verbatim_;
    }

    Channel* new_channel(int flags) {
        auto channel = make_channel(flags);
        if (!channel) return nullptr;
        channels_.push_back(std::move(channel));
        return channels_.back().get();
    }

    std::shared_ptr<Channel> make_channel(int flags) {
        auto channel = std::make_shared<Channel>(loop_);
        auto resolv_conf = options_.resolv_conf.string();
        ares_options settings{};
        settings.flags = flags;
        settings.timeout = static_cast<int>(first_timeout.count());
        settings.tries = rounds;
        settings.sock_state_cb = on_socket;
        settings.sock_state_cb_data = channel.get();
        settings.resolvconf_path = resolv_conf.data();
        const int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                          ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF;
        if (ares_init_options(&channel->handle, &settings, given) != ARES_SUCCESS) return nullptr;
        if (options_.servers.empty()) return channel;
        std::string list;
        for (const auto& server : options_.servers) {
            if (!list.empty()) list += ',';
            list += Endpoint{server.address, server.port == 0 ? std::uint16_t{53} : server.port}
                        .to_string();
        }
        if (ares_set_servers_ports_csv(channel->handle, list.c_str()) != ARES_SUCCESS)
            return nullptr;
        return channel;
    }

    void finish(std::uint64_t number, dns::Answer answer) {
        const auto node = pending_.extract(number);
        if (!node.empty()) answered_(node.mapped().id, std::move(answer));  // else it was too late
    }

    static void on_socket(void* data, ares_socket_t socket, int readable, int writable) {
        auto& channel = *static_cast<Channel*>(data);
        if (readable == 0 && writable == 0) {
            channel.watches.erase(socket);
            return;
        }
        auto& watch = channel.watches[socket];
        if (!watch)
            watch = std::make_unique<Watch>(channel.loop, socket, [&channel, socket](Ready ready) {
                channel.process(ready.readable ? socket : ARES_SOCKET_BAD,
                                ready.writable ? socket : ARES_SOCKET_BAD);
            });
        watch->want({.readable = readable != 0, .writable = writable != 0});
    }

    static void on_answer(void* data, int status, int /*timeouts*/, unsigned char* bytes,
                          int size) {
        const std::unique_ptr<Call> call{static_cast<Call*>(data)};
        if (status == ARES_EDESTRUCTION) return;
        --call->channel->questions;
        auto& client = *call->client;
        if (status == ARES_ECONNREFUSED && call->channel == client.current_)
            if (auto* verbatim = client.verbatim_channel(); verbatim != nullptr)
                return client.query(*verbatim, call->number, call->question);
        dns::Answer answer{.status = status_of(status), .records = {}};
        if (bytes != nullptr && size > 0)
            answer = read_dns_answer({bytes, static_cast<std::size_t>(size)}, call->question.type);
        client.finish(call->number, std::move(answer));
    }

    static void on_addresses(void* data, int status, int /*timeouts*/, ares_addrinfo* result) {
        const std::unique_ptr<Call> call{static_cast<Call*>(data)};
        const std::unique_ptr<ares_addrinfo, FreeAddressInfo> list{result};
        if (status == ARES_EDESTRUCTION) return;
        --call->channel->questions;
        dns::Answer answer{.status = status_of(status), .records = {}};
        if (list) answer = answer_of(*list);
        call->client->finish(call->number, std::move(answer));
    }

    Loop& loop_;
    DnsOptions options_;
    HostsFile hosts_;
    Answered answered_;
    FileMark mark_;
    std::uint64_t asked_ = 0;
    std::map<std::uint64_t, Pending> pending_;
    std::vector<std::shared_ptr<Channel>>
        channels_;  // also those that only wait for their last answers
    Channel* current_ = nullptr;
    Channel* verbatim_ = nullptr;
};

DnsClient::DnsClient(Loop& loop, DnsOptions options, Answered answered)
    : impl_(std::make_unique<Impl>(loop, std::move(options), std::move(answered))) {}
DnsClient::~DnsClient() = default;

void DnsClient::ask(QueryId query, const dns::Question& question) { impl_->ask(query, question); }

}  // namespace holdfast::runtime
