#include "apps/cli/scenario_topology.h"

#include <algorithm>
#include <array>
#include <sstream>

#include "apps/cli/command_line.h"
#include "base/text.h"
#include "lab/known_servers.h"
#include "registration/policy.h"
#include "registration/policy_values.h"

namespace holdfast::cli {

using namespace lab::scenario;

namespace {

using Judged = std::expected<void, std::string>;

constexpr std::uint32_t phones_most = 30'000;  // each has an address of its own

void read_server(TableReader& table, lab::ServerOptions& server) {
    constexpr std::array<Word<lab::ServerOptions (*)()>, 5> known{{{"kamailio", lab::kamailio},
                                                                   {"opensips", lab::opensips},
                                                                   {"asterisk", lab::asterisk},
                                                                   {"freeswitch", lab::freeswitch},
                                                                   {"fritzbox", lab::fritzbox}}};
    lab::ServerOptions (*habits)() = nullptr;
    table.word<lab::ServerOptions (*)()>("server", habits, known);
    if (habits != nullptr) server = habits();
}

void read_rules(TableReader& table, lab::RegistrarRules& rules) {
    table.count("min_expires", rules.min_expires, 86'400);
    table.count("max_expires", rules.max_expires, 86'400);
    table.count("granted_expires", rules.forced_expires, 86'400);
    table.count("max_contacts", rules.max_contacts, 100);
    table.flag("outbound", rules.outbound);
    table.count("flow_timer", rules.flow_timer, 3'600);
    table.flag("gruu", rules.gruu);
    if (rules.min_expires > rules.max_expires)
        table.complain("min_expires", "this is more than max_expires");
}

void read_digest(TableReader& table, lab::DigestRules& digest) {
    enum class Kind : std::uint8_t { none, md5, sha256 };
    constexpr std::array<Word<Kind>, 3> known{
        {{"none", Kind::none}, {"MD5", Kind::md5}, {"SHA-256", Kind::sha256}}};
    auto kind = digest.required ? Kind::md5 : Kind::none;
    table.word<Kind>("digest", kind, known);
    digest.required = kind != Kind::none;
    if (kind == Kind::sha256) digest.algorithm = sip::DigestAlgorithm::sha256;
    table.duration("nonce_lifetime", digest.nonce_lifetime);
    table.flag("wrong_is_forbidden", digest.wrong_is_forbidden);
}

void read_ban(const TomlValue& value, lab::BanRules& ban, Problems& problems) {
    TableReader table(value, "cluster.ban", problems);
    table.count("after", ban.most, 10'000);
    table.duration("within", ban.within);
    table.duration("lasts", ban.lasts);
    table.flag("counts_challenges", ban.counts_challenges);
    table.flag("tries_prolong", ban.tries_prolong);
    table.wants("after", "after how many refusals is an address banned? (after = 5)");
    table.finish();
}

bool are_addresses(std::string_view text) {
    if (text.empty()) return false;
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        if (!IpAddress::parse(word)) return false;
        text.remove_prefix(std::min(text.size(), word.size() + 1));
    }
    return true;
}

Judged judge_policy(PhonePlan& phone, const std::string& key, const std::string& value) {
    if (key == "preset")
        return std::unexpected("the preset is a key of the phone itself (preset = \"…\")");
    registration::Policy policy;
    if (auto good = registration::set(policy, key, value); !good) return good;
    phone.policy.emplace_back(key, value);
    return {};
}

std::string text_of_value(const TomlValue& value) {
    if (value.kind == TomlValue::Kind::truth) return value.truth ? "on" : "off";
    if (value.kind == TomlValue::Kind::integer || value.kind == TomlValue::Kind::real) {
        std::ostringstream text;
        text << value.number;
        return text.str();
    }
    return value.text;
}

void read_policy(const TomlValue& table, PhonePlan& phone, Problems& problems) {
    for (const auto& [key, value] : table.table)
        if (const auto good = judge_policy(phone, key, text_of_value(value)); !good)
            problems.add(value.line, "phone.policy." + key, good.error());
}

}  // namespace

void read_link(TableReader& table, lab::LinkOptions& link) {
    table.duration("delay", link.one_way_delay);
    table.duration("jitter", link.jitter);
    table.share("loss", link.loss);
    table.share("duplication", link.duplication);
    table.share("reorder", link.reorder);
    table.finish();
}

ClusterPlan read_cluster(const TomlValue& value, ScenarioNames& names, Problems& problems) {
    TableReader table(value, "cluster", problems);
    ClusterPlan plan;
    auto& [server, location, replication_delay, name] = plan.options;
    read_server(table, server);
    table.text("name", name);
    table.judged("domain", [&](const std::string& domain) {
        server.domain = domain;
        return judge_domain(domain);
    });
    if (table.has("domain")) server.digest.realm = server.domain;
    table.texts("nodes", plan.nodes);
    table.wants("nodes", "which addresses? (nodes = [\"203.0.113.11\", \"203.0.113.12\"])");
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
        if (!are_addresses(plan.nodes[i]))
            table.complain_of_value("nodes", i,
                                    in_quotes(plan.nodes[i]) +
                                        " is no IP address, nor several with "
                                        "one space between");
    if (table.has("nodes") && plan.nodes.empty())
        table.complain("nodes", "a cluster has one node at least");
    take_name(table, "name", "cluster", name, names.clusters);
    for (std::size_t i = 1; i <= plan.nodes.size(); ++i)
        names.nodes.insert(name + std::to_string(i));
    constexpr std::array<Word<lab::Location>, 3> locations{
        {{"shared", lab::Location::shared},
         {"separate", lab::Location::separate},
         {"replicated", lab::Location::replicated}}};
    table.word<lab::Location>("location", location, locations);
    table.duration("replication_delay", replication_delay);
    read_rules(table, server.rules);
    read_digest(table, server.digest);
    table.flag("use_received", server.use_received);
    table.flag("route_via_owner", server.route_via_owner);
    table.flag("stun", server.stun);
    table.flag("pong", server.pong);
    table.duration("closes_idle_after", server.closes_idle_after);
    constexpr std::array<Word<lab::OptionsToAor>, 2> options_to_aor{
        {{"forward", lab::OptionsToAor::forward}, {"answer", lab::OptionsToAor::answer}}};
    table.word<lab::OptionsToAor>("options_to_aor", server.options_to_aor, options_to_aor);
    table.table("ban", [&](const TomlValue& ban) { read_ban(ban, server.ban, problems); });
    table.table("passwords", [&](const TomlValue& users) {
        for (const auto& [user, password] : users.table) {
            if (password.kind == TomlValue::Kind::text)
                plan.users.emplace_back(user, password.text);
            else
                problems.add(password.line, "cluster.passwords." + user,
                             "this is a text, in quotes");
            if (const auto good = judge_text(user + password.text); !good)
                problems.add(password.line, "cluster.passwords." + user, good.error());
        }
    });
    table.finish();
    return plan;
}

lab::NatOptions read_nat(const TomlValue& value, ScenarioNames& names, Problems& problems) {
    TableReader table(value, "nat", problems);
    lab::NatOptions nat;
    nat.name = "home";
    table.text("name", nat.name);
    // So nothing is behind itself, by however many others.
    table.text("behind", nat.behind);
    if (!nat.behind.empty() && !names.nats.contains(nat.behind))
        table.complain("behind", unknown_name("NAT before this one named", nat.behind, names.nats));
    take_name(table, "name", "NAT", nat.name, names.nats);
    using lab::Dependence;
    constexpr std::array<Word<Dependence>, 3> kinds{
        {{"endpoint-independent", Dependence::endpoint_independent},
         {"address-dependent", Dependence::address_dependent},
         {"address-and-port-dependent", Dependence::address_and_port_dependent}}};
    table.word<Dependence>("mapping", nat.mapping, kinds);
    table.word<Dependence>("filtering", nat.filtering, kinds);
    constexpr std::array<Word<lab::PortChoice>, 3> choices{
        {{"preserving", lab::PortChoice::preserving},
         {"sequential", lab::PortChoice::sequential},
         {"random", lab::PortChoice::random}}};
    table.word<lab::PortChoice>("ports", nat.ports, choices);
    table.duration("udp_timeout", nat.udp_timeout);
    table.duration("tcp_timeout", nat.tcp_timeout);
    table.flag("inbound_refresh", nat.inbound_refresh);
    table.flag("hairpin", nat.hairpin);
    constexpr std::array<Word<lab::SipAlg>, 4> algs{{{"none", lab::SipAlg::none},
                                                     {"contact", lab::SipAlg::contact},
                                                     {"full", lab::SipAlg::full},
                                                     {"wrong-port", lab::SipAlg::wrong_port}}};
    table.word<lab::SipAlg>("alg", nat.alg, algs);
    table.text("public_address", nat.public_address);
    const auto address = IpAddress::parse(nat.public_address);
    if (!address || address->family() != Family::ipv4)
        table.complain("public_address", in_quotes(nat.public_address) + " is no IPv4 address");
    table.finish();
    return nat;
}

void must_be_in_time(TableReader& table, std::string_view key, Duration at,
                     const Scenario& scenario) {
    if (table.has(key) && at >= scenario.length)
        table.complain(key, "by then the scenario is over (length = \"" +
                                registration::print_duration(scenario.length) + "\")");
}

PhonePlan read_phone(const TomlValue& value, ScenarioNames& names, const Scenario& scenario,
                     Problems& problems) {
    TableReader table(value, "phone", problems);
    PhonePlan phone;
    table.text("name", phone.name);
    take_name(table, "name", "phone", phone.name, names.phones);
    table.count("count", phone.count, phones_most);
    if (phone.count == 0) table.complain("count", "0 phones are no phone: 1 at least");
    std::size_t phones = phone.count;
    for (const auto& other : scenario.phones) phones += other.count;
    if (phones > phones_most)
        table.complain("count", "with these there are " + std::to_string(phones) +
                                    " phones, and a scenario has " + std::to_string(phones_most) +
                                    " at most");
    table.judged("aor", [&](const std::string& aor) {
        phone.aor = aor;
        return judge_aor(aor);
    });
    table.judged("preset", [&](const std::string& preset) -> Judged {
        phone.preset = preset;
        if (const auto known = registration::preset(preset); !known)
            return std::unexpected(known.error());
        return {};
    });
    table.table("policy", [&](const TomlValue& policy) { read_policy(policy, phone, problems); });
    table.judged("transport", [&](const std::string& transport) -> Judged {
        phone.transport = parse_transport(transport);
        if (phone.transport || transport == "auto") return {};
        return std::unexpected(in_quotes(transport) + " is no transport: auto, udp, tcp or tls");
    });
    table.text("behind", phone.behind);
    if (!phone.behind.empty() && !names.nats.contains(phone.behind))
        table.complain("behind", unknown_name("NAT", phone.behind, names.nats));
    table.duration("expires", phone.expires);
    table.count("flows", phone.flows, 2);
    table.text("password", phone.password);
    const auto read_server_uri = [&](std::string_view key, std::string& uri) {
        table.judged(key, [&](const std::string& text) {
            uri = text;
            return judge_server_uri(text);
        });
    };
    read_server_uri("registrar", phone.registrar);
    read_server_uri("outbound_proxy", phone.outbound_proxy);
    table.texts("backups", phone.backups);
    for (std::size_t i = 0; i < phone.backups.size(); ++i)
        if (const auto good = judge_server_uri(phone.backups[i]); !good)
            table.complain_of_value("backups", i, good.error());
    table.flag("ipv4", phone.ipv4);
    table.flag("ipv6", phone.ipv6);
    if (!phone.ipv4 && !phone.ipv6) table.complain("ipv4", "a phone has IPv4, IPv6 or both");
    table.flag("resolver_cache", phone.resolver_cache);
    table.duration("on", phone.on);
    must_be_in_time(table, "on", phone.on, scenario);
    table.finish();
    return phone;
}

CallerPlan read_caller(const TomlValue& value, const ScenarioNames& names, const Scenario& scenario,
                       Problems& problems) {
    TableReader table(value, "caller", problems);
    CallerPlan caller;
    table.text("phone", caller.phone);
    if (!caller.phone.empty() && !names.phones.contains(caller.phone))
        table.complain("phone", unknown_name("phone", caller.phone, names.phones));
    constexpr std::array<Word<lab::CallKind>, 2> kinds{
        {{"invite", lab::CallKind::invite}, {"options", lab::CallKind::options}}};
    table.word<lab::CallKind>("kind", caller.kind, kinds);
    table.duration("every", caller.every);
    if (caller.every < std::chrono::milliseconds{10})
        table.complain("every", "a call every 10ms is the most");
    table.duration("patience", caller.patience);
    constexpr std::array<Word<bool>, 2> ways{{{"every node", true}, {"first node", false}}};
    table.word<bool>("through", caller.every_node, ways);
    table.duration("from", caller.from);
    must_be_in_time(table, "from", caller.from, scenario);
    table.finish();
    return caller;
}

}  // namespace holdfast::cli
