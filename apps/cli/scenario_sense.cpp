#include "apps/cli/scenario_sense.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <vector>

#include "apps/cli/scenario_names.h"
#include "base/text.h"
#include "lab/world.h"
#include "location/next_hop.h"

namespace holdfast::cli {

using namespace lab::scenario;

namespace {

constexpr std::size_t callers_most = 30'000;  // each has an address of its own

class Sense {
public:
    Sense(const TomlValue& document, const Scenario& scenario, Problems& problems)
        : document_(document),
          scenario_(scenario),
          problems_(problems),
          asked_(asked_names()),
          with_records_(names_with_records()) {}

    void judge() {
        judge_names();
        judge_addresses();
        judge_records();
        judge_phones();
        judge_callers();
        const auto events = tables("event");
        for (std::size_t i = 0; i < scenario_.events.size(); ++i)
            judge_event(*events[i], scenario_.events[i]);
        judge_labels();
    }

private:
    [[nodiscard]] std::vector<const TomlValue*> tables(std::string_view kind) const {
        std::vector<const TomlValue*> found;
        if (const auto* list = document_.find(kind))
            for (const auto& table : list->list) found.push_back(&table);
        return found;
    }
    // The line of the key; of the table if it is not there.
    void complain(const TomlValue& table, std::string_view kind, std::string_view key,
                  const std::string& what) {
        const auto* value = table.find(key);
        problems_.add(value == nullptr ? table.line : value->line,
                      std::string(kind) + "." + std::string(key), what);
    }
    [[nodiscard]] const PhonePlan& phone_of(const std::string& name) const {
        const auto found = std::ranges::find(scenario_.phones, name, &PhonePlan::name);
        return name.empty() || found == scenario_.phones.end() ? scenario_.phones.front() : *found;
    }
    [[nodiscard]] std::size_t node_count() const {
        std::size_t count = 0;
        for (const auto& cluster : scenario_.clusters) count += cluster.nodes.size();
        return count;
    }

    void judge_names();
    void judge_addresses();
    void judge_records();
    void judge_phones();
    void judge_callers();
    void judge_labels();
    void judge_event(const TomlValue& table, const EventPlan& event);
    [[nodiscard]] bool is_used(const std::string& nat) const;
    void judge_node_event(const TomlValue& table, std::string_view key, const EventPlan& event);
    void judge_dns_event(const TomlValue& table, const EventPlan& event);
    [[nodiscard]] Names asked_names() const;
    [[nodiscard]] Names names_with_records() const;

    const TomlValue& document_;
    const Scenario& scenario_;
    Problems& problems_;
    Names asked_;                                                // of DNS, in small letters
    Names with_records_;                                         // ever
    std::map<std::string, std::string, std::less<>> addresses_;  // of the internet: whose
};

// node12 is the second of "node1" and the twelfth of "node"; so it is with phones.
void Sense::judge_names() {
    Names nodes;
    const auto clusters = tables("cluster");
    for (std::size_t i = 0; i < scenario_.clusters.size(); ++i) {
        const auto& plan = scenario_.clusters[i];
        for (std::size_t n = 1; n <= plan.nodes.size(); ++n)
            if (const auto name = plan.options.name + std::to_string(n); !nodes.insert(name).second)
                complain(*clusters[i], "cluster", "name",
                         "another cluster has a server named " + in_quotes(name) + ", too");
    }
    Names phones;
    const auto all = tables("phone");
    for (std::size_t i = 0; i < scenario_.phones.size(); ++i) {
        const auto& plan = scenario_.phones[i];
        for (std::uint32_t n = 1; n <= plan.count; ++n) {
            const auto name = plan.count == 1 ? plan.name : plan.name + std::to_string(n);
            if (phones.insert(name).second) continue;
            complain(*all[i], "phone", "name",
                     "there is another phone named " + in_quotes(name) +
                         ", by its name or by its number");
            break;
        }
    }
}

void Sense::judge_addresses() {
    const auto take = [&](const TomlValue& table, std::string_view kind, std::string_view key,
                          const std::string& address, const std::string& owner) {
        const auto [at, is_new] = addresses_.emplace(IpAddress::parse(address)->to_string(), owner);
        if (!is_new) complain(table, kind, key, address + " is the address of " + at->second);
    };
    const auto clusters = tables("cluster");
    for (std::size_t i = 0; i < scenario_.clusters.size(); ++i) {
        const auto& plan = scenario_.clusters[i];
        for (std::size_t n = 0; n < plan.nodes.size(); ++n) {
            std::istringstream words(plan.nodes[n]);
            for (std::string word; words >> word;)
                take(*clusters[i], "cluster", "nodes", word,
                     plan.options.name + std::to_string(n + 1) + " already");
        }
    }
    const auto nats = tables("nat");
    for (std::size_t i = 0; i < scenario_.nats.size(); ++i) {
        const auto& plan = scenario_.nats[i];
        take(*nats[i], "nat", "public_address", lab::World::nat_address(i + 1, plan),
             "the NAT " + in_quotes(plan.name) + " already");
    }
}

// A name may have several types of records, each in a table of its own.
void Sense::judge_records() {
    std::set<std::pair<std::string, std::string>> seen;
    const auto all = tables("dns");
    for (std::size_t i = 0; i < scenario_.dns.size(); ++i) {
        const auto& records = scenario_.dns[i];
        const auto take = [&](bool has, const std::string& type) {
            if (!has || seen.emplace(lower_case(records.name), type).second) return;
            complain(*all[i], "dns", "name",
                     "another table has " + type + " of " + in_quotes(records.name) +
                         ": put them into one");
        };
        take(!records.addresses.empty(), "addresses");
        take(!records.srv.empty(), "SRV records");
        take(!records.naptr.empty(), "NAPTR records");
        take(!records.cname.empty(), "a CNAME");
    }
}

std::string host_of(const std::string& uri) {
    const auto hop = location::next_hop_of(uri);
    return hop ? hop->host : "";
}

void Sense::judge_phones() {
    Names domains;
    for (const auto& plan : scenario_.clusters)
        domains.insert(lower_case(plan.options.server.domain));
    const auto all = tables("phone");
    for (std::size_t i = 0; i < scenario_.phones.size(); ++i) {
        const auto& aor = scenario_.phones[i].aor;
        if (!aor.empty() && !domains.contains(host_of(aor)))
            complain(*all[i], "phone", "aor", unknown_name("cluster of", host_of(aor), domains));
    }
}

void Sense::judge_callers() {
    std::size_t callers = 0;
    const auto all = tables("caller");
    for (std::size_t i = 0; i < scenario_.callers.size(); ++i) {
        for (const auto& phone : scenario_.phones)
            if (scenario_.callers[i].phone.empty() || scenario_.callers[i].phone == phone.name)
                callers += phone.count;
        if (callers > callers_most) {
            complain(*all[i], "caller", "phone",
                     "with these there are more than " + std::to_string(callers_most) +
                         " callers, one for each phone: name a phone");
            return;
        }
    }
}

// after = "…" is about one event.
void Sense::judge_labels() {
    Names seen;
    const auto all = tables("event");
    for (std::size_t i = 0; i < scenario_.events.size(); ++i) {
        const auto& label = scenario_.events[i].label;
        if (label.empty() || seen.insert(label).second) continue;
        complain(*all[i], "event", "name",
                 "there is another event named " + in_quotes(label) + ": give each its own name");
    }
}

// A phone is behind it at some time, or behind a NAT that is.
bool Sense::is_used(const std::string& nat) const {
    return std::ranges::any_of(scenario_.phones,
                               [&](const auto& phone) { return phone.behind == nat; }) ||
           std::ranges::any_of(scenario_.events,
                               [&](const auto& event) {
                                   return event.deed == Deed::phone_moves && event.behind == nat;
                               }) ||
           std::ranges::any_of(scenario_.nats, [&](const auto& inner) {
               return inner.behind == nat && is_used(inner.name);
           });
}

void Sense::judge_event(const TomlValue& table, const EventPlan& event) {
    if (event.deed <= Deed::node_heals) return judge_node_event(table, "node", event);
    if (event.deed >= Deed::cut_both_ways && event.deed <= Deed::cut_heals) {
        const bool is_nat = std::ranges::any_of(
            scenario_.nats, [&](const auto& nat) { return nat.name == event.cut_off; });
        if (is_nat && !is_used(event.cut_off))
            complain(table, "event", "cut", "no phone is ever behind " + in_quotes(event.cut_off));
        return judge_node_event(table, "cut", event);
    }
    if (event.deed <= Deed::dns_heals) return judge_dns_event(table, event);
    if (event.deed <= Deed::nat_changes_timeout && !is_used(event.subject))
        complain(table, "event", "nat", "no phone is ever behind " + in_quotes(event.subject));
    if (event.address.empty()) return;
    const auto taken = addresses_.find(IpAddress::parse(event.address)->to_string());
    const bool is_inside = event.deed == Deed::phone_moves && !event.behind.empty();
    if (taken != addresses_.end() && !is_inside)
        complain(table, "event", "address", event.address + " is the address of " + taken->second);
    std::size_t movers = 0;
    for (const auto& phone : scenario_.phones)
        if (event.subject.empty() || event.subject == phone.name) movers += phone.count;
    if (event.deed == Deed::phone_moves && movers > 1)
        complain(table, "event", "address",
                 "this is one address for " + std::to_string(movers) +
                     " phones: leave it out, and each gets a new one");
}

void Sense::judge_node_event(const TomlValue& table, std::string_view key, const EventPlan& event) {
    const auto nodes = node_count();
    const std::size_t wanted = event.choice == NodeChoice::third_choice      ? 3
                               : event.choice == NodeChoice::second_choice   ? 2
                               : event.choice == NodeChoice::all_but_current ? 2
                                                                             : 1;
    if (nodes < wanted)
        complain(table, "event", key,
                 "there are not so many servers: " + std::to_string(nodes) + " in all");
    const auto& phone = phone_of(event.of);
    const bool is_about_current =
        event.choice == NodeChoice::current || event.choice == NodeChoice::all_but_current;
    if (is_about_current && event.at <= phone.on)
        complain(table, "event", key,
                 phone.name + " is registered nowhere by then, before it is switched on");
}

// What anybody can ask for: what there is, what that leads to, and the services of its domains.
Names Sense::asked_names() const {
    Names names;
    const auto add = [&](const std::string& name) {
        if (!name.empty()) names.insert(lower_case(name));
    };
    const auto add_records = [&](const RecordsPlan& records) {
        for (const auto& srv : records.srv) add(srv.target);
        for (const auto& naptr : records.naptr) add(naptr.replacement);
        add(records.cname);
    };
    for (const auto& records : scenario_.dns) {
        add(records.name);
        add_records(records);
    }
    for (const auto& event : scenario_.events) add_records(event.records);
    Names domains;
    for (const auto& cluster : scenario_.clusters)
        domains.insert(lower_case(cluster.options.server.domain));
    for (const auto& phone : scenario_.phones) {
        for (const auto* uri : {&phone.registrar, &phone.outbound_proxy})
            if (!uri->empty()) domains.insert(host_of(*uri));
        for (const auto& uri : phone.backups) domains.insert(host_of(uri));
    }
    for (const auto& domain : domains)
        for (const auto* service : {"", "_sip._udp.", "_sip._tcp.", "_sips._tcp."})
            add(service + domain);
    return names;
}

Names Sense::names_with_records() const {
    Names names;
    for (const auto& records : scenario_.dns) names.insert(lower_case(records.name));
    for (const auto& event : scenario_.events)
        if (event.deed == Deed::dns_changes) names.insert(lower_case(event.subject));
    return names;
}

void Sense::judge_dns_event(const TomlValue& table, const EventPlan& event) {
    if (event.subject.empty()) return;
    const auto& known = event.deed == Deed::dns_removes ? with_records_ : asked_;
    if (!known.contains(lower_case(event.subject)))
        complain(table, "event", "dns", unknown_name("name", event.subject, known));
}

}  // namespace

void complain_of_nonsense(const TomlValue& document, const Scenario& scenario, Problems& problems) {
    Sense(document, scenario, problems).judge();
}

}  // namespace holdfast::cli
