// A world: what a test or a scenario builds, breaks, runs and looks at.
//
//     World world{Seed{7}, {.one_way_delay = 10ms}};
//     auto& cluster = world.add_registrars({"203.0.113.11", "203.0.113.12"});
//     world.dns().a("example.test", cluster.addresses(), {.ttl = 60s, .rotate = true});
//     auto& alice = world.add_phone({.transport = Transport::udp});
//     ASSERT_EQ(world.run_until([&] { return alice.is_registered(); }, 5s), Stop::goal) <<
//     world.ladder();
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/caller.h"
#include "lab/cluster.h"
#include "lab/dns_zone.h"
#include "lab/internet.h"
#include "lab/nat.h"
#include "lab/phone.h"

namespace holdfast::lab {

using WorldOptions = LinkOptions;

enum class Stop : std::uint8_t {
    goal,
    time_out,
    idle,  // nothing will ever happen again, and the goal is not reached: a failure
};

class World {
public:
    explicit World(const Seed& seed, WorldOptions options = {});

    // Building. References stay valid as long as the world.
    DnsZone& dns() { return zone_; }
    Cluster& add_registrars(const std::vector<std::string>& nodes,
                            const ClusterOptions& options = {});
    // Behind the internet, or the NAT that it names, which is there already.
    Nat& add_nat(NatOptions options = {});
    // What a NAT has that names no public address, as the n-th of the world, from 1: 198.51.100.n,
    // behind another one 100.64.0.n (RFC 6598).
    static std::string nat_address(std::size_t number, const NatOptions& options);
    // Its user is known to every cluster of its domain, with its password unless the cluster has
    // another already.
    Phone& add_phone(PhoneOptions options = {});
    Caller& add_caller(
        CallerOptions options = {});  // calls through the cluster of the AOR's domain

    // Breaking. More on the parts themselves.
    void silence(const Target& target) { node_at(target).silence(); }
    Registrar& node_at(const Target& target);
    void at(Duration since_start, std::function<void()> action);
    // The nth operation of that kind from now on fails, whichever phone it is of, those that are
    // added later among them.
    void fail_nth(HostFault fault, std::size_t nth);
    void heal();  // every node, DNS, link and plug

    // Running.
    Stop run_until(const std::function<bool()>& goal, Duration limit);
    void run_for(Duration duration);
    // Runs so long; calls the sample at its beginning and then every so often. The share of true
    // answers.
    double share_of_time(Duration duration, Duration every, const std::function<bool()>& sample);
    [[nodiscard]] Instant now() const { return internet_.now(); }
    [[nodiscard]] Duration elapsed() const { return internet_.elapsed(); }
    [[nodiscard]] bool has_failed() const { return host_faults_ && host_faults_->has_come(); }

    // Looking.
    [[nodiscard]] std::string ladder() const { return internet_.ladder().text(); }
    [[nodiscard]] std::uint64_t trace_hash() const { return internet_.ladder().hash(); }
    [[nodiscard]] bool everyone_registered() const;
    [[nodiscard]] std::string stuck_reasons() const;  // who is not registered, and what it says
    // Whether a request sent now along this way from its node would arrive at the running phone.
    [[nodiscard]] bool reaches(const Hop& way, const Phone& phone) const;
    // Bindings of the phone's AOR, on nodes that answer, that reach no phone.
    [[nodiscard]] std::vector<Binding> stale_bindings(const Phone& phone) const;
    // That a question of one is not answered by the other: a way between them is cut.
    [[nodiscard]] bool is_cut_off(const Phone& phone, const IpAddress& server) const;
    // At least one binding reaches it, through a node that answers.
    [[nodiscard]] bool is_reachable(const Phone& phone) const;
    [[nodiscard]] const std::vector<std::unique_ptr<Phone>>& phones() const { return phones_; }
    [[nodiscard]] const std::vector<std::unique_ptr<Cluster>>& clusters() const {
        return clusters_;
    }
    [[nodiscard]] const std::vector<std::unique_ptr<Nat>>& nats() const { return nats_; }
    Internet& internet() { return internet_; }

private:
    [[nodiscard]] bool reaches_over_stream(const Hop& way, const Phone& phone) const;
    [[nodiscard]] bool works(const Cluster& cluster, const Registrar& node, const Binding& binding,
                             const Phone& phone) const;
    [[nodiscard]] bool works_for_anybody(const Cluster& cluster, const Registrar& node,
                                         const Binding& binding, const std::string& aor) const;
    [[nodiscard]] Cluster* cluster_of(const std::string& domain) const;

    Internet internet_;
    WorldOptions usual_;
    DnsZone zone_;
    std::vector<std::unique_ptr<Cluster>> clusters_;
    std::vector<std::unique_ptr<Nat>> nats_;
    std::vector<std::unique_ptr<Phone>> phones_;
    std::shared_ptr<HostFaultPlan> host_faults_;  // of all of them; none: each has its own
    std::vector<std::unique_ptr<Caller>> callers_;
};

}  // namespace holdfast::lab
