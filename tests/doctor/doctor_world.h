// A world of the lab with a host in it that is examined from: the doctor's examination in virtual
// time, with UDP, TCP and the lab's stand-in for TLS, and what it says at its end.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "doctor/examination.h"
#include "doctor/outlook.h"
#include "lab/tcp.h"
#include "lab/world.h"
#include "registration/policy.h"

namespace holdfast::doctor::testing {

using namespace std::chrono_literals;

constexpr std::int64_t unixtime_at_start = 1'780'000'000;

class Host final : public lab::Node {
public:
    Host(lab::World& world, lab::Uplink& uplink, ExaminationOptions options)
        : world_(world),
          internet_(world.internet()),
          uplink_(uplink),
          tcp_(internet_, uplink, [this](const lab::TcpEvent& event) { on_tcp(event); }) {
        uplink_.attach(address_, *this, "doctor");
        options.started = internet_.now();
        options.unixtime = unixtime_at_start;
        options.seed = seed_from_number(7);
        examination_.emplace(std::move(options));
    }
    void start() { feed(in::NetworkChanged{{address_}, false}); }
    void interrupt() { feed(in::ShutDown{}); }
    [[nodiscard]] const Examination& examination() const { return *examination_; }
    [[nodiscard]] bool done() const { return examination_->done(); }

    // Octets of a datagram that still get through, and what a SIP ALG on the way does to one.
    std::size_t largest = 65535;
    std::function<std::string(std::string)> mangle = [](std::string bytes) { return bytes; };
    // What is put into each answer, behind its first line.
    std::string header_of_answers;
    std::vector<std::string> sent;

    void receive(const lab::Packet& packet) override {
        if (packet.kind == lab::PacketKind::icmp && !packet.error->tcp) {
            for (const auto& [id, flow] : flows_)
                if (flow.target.endpoint == packet.error->to)
                    return feed(in::FlowFailed{id, FlowError::port_unreachable, {}});
            return;
        }
        if (packet.kind != lab::PacketKind::datagram) return tcp_.receive(packet);
        for (const auto& [id, flow] : flows_)
            if (!is_reliable(flow.target.transport) && flow.target.endpoint == packet.from)
                return feed(in::Received{id, with_header(packet.bytes)});
        feed(in::Stray{packet.to, packet.from, packet.bytes});
    }

private:
    struct Flow {
        Target target;
        std::string tls_name;
        Endpoint local;
        bool shaking_hands = false;
        bool open = false;
    };
    [[nodiscard]] std::string with_header(std::string bytes) const {
        const auto end = bytes.find("\r\n");
        if (header_of_answers.empty() || !bytes.starts_with("SIP/2.0 ")) return bytes;
        return bytes.insert(end + 2, header_of_answers + "\r\n");
    }
    void later(Duration delay, Input input) {
        internet_.after(delay, [this, input = std::move(input)] { feed(input); });
    }
    void feed(const Input& input) {
        Outbox outbox;
        examination_->handle(internet_.now(), input, outbox);
        for (const auto& output : outbox.take()) perform(output);
        const auto deadline = examination_->next_deadline();
        if (deadline.at == never || deadline.at == wake_at_) return;
        wake_at_ = std::max(deadline.at, internet_.now());
        if (++times_at_once_ > 2000) FAIL() << "no progress: " << deadline.reason;
        internet_.at(wake_at_, [this, at = wake_at_] {
            if (at != wake_at_) return;
            wake_at_ = never;
            feed(in::Time{});
        });
    }
    void perform(const Output& output) {
        if (const auto* open = std::get_if<out::OpenFlow>(&output)) {
            auto& flow = flows_[open->flow];
            flow = {.target = open->target, .tls_name = open->tls_name, .local = {address_, 5070}};
            if (!is_reliable(flow.target.transport))
                return later(0s, in::FlowOpened{open->flow, flow.local, {}});
            flow.local.port = ++last_port_;
            tcp_.connect({flow.local, flow.target.endpoint});
        } else if (const auto* close = std::get_if<out::CloseFlow>(&output)) {
            flows_.erase(close->flow);
        } else if (const auto* send = std::get_if<out::Send>(&output)) {
            const auto flow = flows_.find(send->flow);
            if (flow == flows_.end()) return;
            sent.push_back(send->bytes);
            if (is_reliable(flow->second.target.transport))
                return tcp_.send({flow->second.local, flow->second.target.endpoint}, send->bytes);
            if (send->bytes.size() > largest) return;
            uplink_.send({.kind = lab::PacketKind::datagram,
                          .from = flow->second.local,
                          .to = flow->second.target.endpoint,
                          .bytes = mangle(send->bytes)});
        } else if (const auto* resolve = std::get_if<out::Resolve>(&output)) {
            auto reply = world_.dns().ask(resolve->question);
            later(20ms + reply.delay, in::DnsAnswer{resolve->query, std::move(reply.answer)});
        }
    }
    void on_tcp(const lab::TcpEvent& event) {
        const auto found = std::ranges::find_if(flows_, [&](const auto& entry) {
            return is_reliable(entry.second.target.transport) &&
                   entry.second.local == event.id.local;
        });
        if (found == flows_.end()) return;
        const auto id = found->first;
        auto& flow = found->second;
        if (event.kind == lab::TcpEventKind::connected) {
            flow.shaking_hands = flow.target.transport == Transport::tls;
            if (flow.shaking_hands) return tcp_.send(event.id, "\x16" + flow.tls_name);
            flow.open = true;
            return feed(in::FlowOpened{id, flow.local, {}});
        }
        if (event.kind == lab::TcpEventKind::received && flow.shaking_hands)
            return on_handshake(id, flow, event.bytes);
        if (event.kind == lab::TcpEventKind::received) return feed(in::Received{id, event.bytes});
        const bool open = flow.open;
        flows_.erase(found);
        if (open) return feed(in::FlowClosed{id, FlowError::closed_by_peer, {}});
        feed(in::FlowFailed{id, FlowError::refused, {}});
    }
    void on_handshake(FlowId id, Flow& flow, std::string_view bytes) {
        flow.shaking_hands = false;
        const auto certificate = lab::from_handshake(bytes);
        const bool good =
            certificate && !certificate->expired && certificate->names.contains(flow.tls_name);
        if (!good) {
            const auto why = certificate && certificate->expired
                                 ? "the certificate expired on 2026-01-01"
                                 : "the certificate is for other.example, not for " + flow.tls_name;
            flows_.erase(id);
            return feed(in::FlowFailed{id, FlowError::certificate, why});
        }
        flow.open = true;
        examination_->on_tls(id, {.version = "TLSv1.3",
                                  .names = {certificate->names.begin(), certificate->names.end()},
                                  .issuer = "the lab",
                                  .expires = unixtime_at_start + certificate_days * 86400});
        feed(in::FlowOpened{id, flow.local, flow.tls_name});
    }

public:
    int certificate_days = 90;

private:
    lab::World& world_;
    lab::Internet& internet_;
    lab::Uplink& uplink_;
    IpAddress address_ = *IpAddress::parse("192.0.2.77");
    lab::TcpHost tcp_;
    std::optional<Examination> examination_;
    std::map<FlowId, Flow> flows_;
    Instant wake_at_ = never;
    int times_at_once_ = 0;
    std::uint16_t last_port_ = 40000;
};

// Three servers of example.test that share a location service, with SRV records for UDP, and alice.
class DoctorWorld : public ::testing::Test {
protected:
    DoctorWorld() {
        options.account.aor = "sip:alice@example.test";
        options.account.password = Redacted<std::string>("secret");
        options.account.policy = *registration::preset("holdfast");
    }
    void build() {
        cluster = &world.add_registrars({"203.0.113.11", "203.0.113.12", "203.0.113.13"},
                                        cluster_options);
        cluster->add_user("alice", "secret");
        std::vector<dns::Srv> records;
        for (std::size_t i = 0; i < cluster->size(); ++i) {
            const auto name = "sip" + std::to_string(i + 1) + ".example.test";
            world.dns().a(name, cluster->node(i).addresses());
            records.push_back({10, 10, 5060, name});
        }
        world.dns().srv("_sip._udp.example.test", records);
    }
    // Addresses alone, as most providers have it.
    void without_srv(lab::RecordOptions records = {}) {
        world.dns().remove("_sip._udp.example.test");
        world.dns().a("example.test", cluster->addresses(), records);
    }
    Host& begin() {
        auto& uplink = nat != nullptr ? static_cast<lab::Uplink&>(*nat) : world.internet();
        host = std::make_unique<Host>(world, uplink, options);
        return *host;
    }
    void examine(Duration limit = 200s) {
        if (!host) begin();
        host->start();
        ASSERT_EQ(world.run_until([&] { return host->done(); }, limit), lab::Stop::goal)
            << world.ladder();
        findings = judge(host->examination().seen(), unixtime_at_start);
        verdict = overall(findings);
        outlook = doctor::outlook(host->examination().seen(), findings, options.account.policy);
    }
    // Whether something with these words was found, with that verdict.
    [[nodiscard]] bool found(Verdict wanted, Step step, std::string_view words) const {
        return std::ranges::any_of(findings, [&](const Finding& finding) {
            return finding.verdict == wanted && finding.step == step &&
                   finding.seen.find(words) != std::string::npos;
        });
    }
    [[nodiscard]] std::string report() const {
        std::string text;
        for (const auto& finding : findings)
            text += std::string(name_of(finding.step)) + " " +
                    std::string(name_of(finding.verdict)) + ": " + finding.seen + "\n";
        return text + outlook + "\n";
    }
    [[nodiscard]] std::size_t bound() const {
        return cluster->bindings("sip:alice@example.test").size();
    }
    // Another device, straight in the location service of every node.
    void bind(const std::string& contact, std::size_t nodes = 3, const std::string& instance = "") {
        for (std::size_t i = 0; i < nodes; ++i) {
            auto& service = cluster->node(i).location_service();
            const auto key = lab::aor_key("sip:alice@example.test");
            auto all = service.bindings(key);
            if (std::ranges::find(all, contact, &lab::Binding::contact) != all.end()) continue;
            lab::Binding binding;
            binding.contact = contact;
            binding.call_id = "other";
            binding.instance = instance;
            if (!instance.empty()) binding.parameters = ";+sip.instance=\"<" + instance + ">\"";
            binding.expires = world.now() + 1h;
            binding.flow = {Transport::udp,
                            {cluster->node(i).addresses().front(), 5060},
                            {*IpAddress::parse("198.51.100.200"), 5060}};
            all.push_back(binding);
            service.put(key, all);
        }
    }
    [[nodiscard]] std::size_t count_sent(std::string_view method) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            host->sent, [&](const std::string& text) { return text.starts_with(method); }));
    }

    lab::World world{seed_from_number(11), {.one_way_delay = 5ms}};
    lab::ClusterOptions cluster_options{};
    lab::Cluster* cluster = nullptr;
    lab::Nat* nat = nullptr;
    ExaminationOptions options;
    std::unique_ptr<Host> host;
    Findings findings;
    Verdict verdict = Verdict::good;
    std::string outlook;
};

}  // namespace holdfast::doctor::testing
