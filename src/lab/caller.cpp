#include "lab/caller.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "sip/writer.h"

namespace holdfast::lab {

using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t port = 5060;
constexpr Duration t1 = 500ms;
constexpr Duration forgotten_after = 40s;

}  // namespace

Caller::Caller(Internet& internet, Cluster& cluster, CallerOptions options)
    : internet_(internet), cluster_(cluster), options_(std::move(options)) {
    const auto address = IpAddress::parse(options_.address);
    CHECK(address);
    local_ = {*address, port};
    internet_.attach(*address, *this, "caller");
    cluster_.add_peer(*address);
}

void Caller::start() {
    ++generation_;
    started_ = internet_.now();
    call_now();
}

Registrar* Caller::next_node() {
    for (std::size_t tries = 0; tries < cluster_.size(); ++tries) {
        auto& node = cluster_.node((turn_ + tries) % cluster_.size());
        const bool fits = std::ranges::any_of(node.addresses(), [&](const IpAddress& address) {
            return address.family() == local_.address.family();
        });
        if (!node.is_answering() || !fits) continue;
        if (options_.every_node) turn_ = (turn_ + tries + 1) % cluster_.size();
        return &node;
    }
    return nullptr;
}

void Caller::call_now() {
    internet_.after(options_.every, [this, generation = generation_] {
        if (generation == generation_) call_now();
    });
    calls_.push_back({.at = internet_.now()});
    auto* node = next_node();
    if (node == nullptr) return;
    calls_.back().via_node = node->name();
    const auto id = "call-" + std::to_string(++count_) + "@caller.test";
    Open open{.call = calls_.size() - 1,
              .branch = std::string(sip::branch_cookie) + "-caller-" + std::to_string(count_),
              .to = "<" + options_.aor + ">"};
    for (const auto& address : node->addresses())
        if (address.family() == local_.address.family()) open.node = {address, port};
    open.text = request(id, open, options_.kind == CallKind::invite ? "INVITE" : "OPTIONS");
    send(open, open.text);
    open_[id] = std::move(open);
    again(id, t1);
    internet_.after(options_.patience, [this, id] { hang_up(id); });
    internet_.after(forgotten_after, [this, id] { open_.erase(id); });
}

void Caller::again(const std::string& id, Duration interval) {
    internet_.after(interval, [this, id, interval] {
        const auto found = open_.find(id);
        if (found == open_.end()) return;
        const auto& open = found->second;
        if (open.final || (open.provisional && options_.kind == CallKind::invite) || interval > 8s)
            return;
        send(open, open.text);
        again(id, 2 * interval);
    });
}

std::string Caller::request(const std::string& id, const Open& open,
                            std::string_view method) const {
    std::string text;
    sip::Writer writer(text);
    writer.request_line(method, options_.aor);
    writer.via({.sent_by = local_.to_string(), .branch = open.branch});
    writer.max_forwards(70);
    writer.from("", uri, "c" + std::to_string(open.call));
    writer.header(sip::HeaderName::to, open.to);
    writer.call_id(id);
    writer.cseq(1, method);
    if (method == "INVITE") writer.contact("sip:caller@" + local_.to_string());
    writer.finish();
    return text;
}

void Caller::send(const Open& open, std::string text) {
    internet_.send(
        {.kind = PacketKind::datagram, .from = local_, .to = open.node, .bytes = std::move(text)});
}

void Caller::hang_up(const std::string& id) {
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    auto& open = found->second;
    if (open.final || open.cancelled || options_.kind == CallKind::options) return;
    open.cancelled = true;
    auto text = request(id, open, "CANCEL");
    send(open, std::move(text));
}

void Caller::receive(const Packet& packet) {
    if (packet.kind != PacketKind::datagram) return;
    const auto response = sip::Message::parse(packet.bytes);
    if (!response || response->is_request() || response->method() == sip::Method::cancel) return;
    const std::string id(response->call_id());
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    auto& open = found->second;
    auto& call = calls_[open.call];
    const bool invite = options_.kind == CallKind::invite;
    const int status = response->status();
    const bool rings = invite ? (status > 100 && status < 300) : status / 100 == 2;
    const auto late = internet_.now() - call.at;
    if (rings && open.tags.emplace(response->to().tag()).second) ++call.rang_at;
    if (rings && !call.reached && late <= options_.patience) {
        call.reached = late;
        internet_.after(options_.rings_for, [this, id] { hang_up(id); });
    }
    if (status < 200) {
        open.provisional = true;
        return;
    }
    open.final = true;
    call.status = status;
    open.to = response->to().text;
    if (invite && status >= 300) send(open, request(id, open, "ACK"));
}

std::size_t Caller::reached() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(calls_, [](const Call& call) { return call.reached.has_value(); }));
}

std::size_t Caller::lost() const {
    return static_cast<std::size_t>(std::ranges::count_if(calls_, [&](const Call& call) {
        return !call.reached && internet_.now() - call.at >= options_.patience;
    }));
}

std::vector<Duration> Caller::gaps() const {
    std::vector<Duration> gaps;
    auto last = started_;
    bool missed = false;
    for (const auto& call : calls_) {
        if (!call.reached) {
            missed = missed || internet_.now() - call.at >= options_.patience;
            continue;
        }
        if (missed) gaps.push_back(call.at - last);
        missed = false;
        last = call.at;
    }
    if (missed) gaps.push_back(internet_.now() - last);
    return gaps;
}

Duration Caller::longest_gap() const {
    Duration longest{};
    for (const auto gap : gaps()) longest = std::max(longest, gap);
    return longest;
}

Duration Caller::all_gaps() const {
    const auto all = gaps();
    return std::accumulate(all.begin(), all.end(), Duration{});
}

std::string Caller::text() const {
    std::string text;
    for (const auto& call : calls_)
        if (!call.reached)
            text += "not reached at " + std::to_string(seconds_of(call.at - Internet::start)) +
                    " via " + (call.via_node.empty() ? "nobody" : call.via_node) + ", status " +
                    std::to_string(call.status) + "\n";
    return text;
}

}  // namespace holdfast::lab
