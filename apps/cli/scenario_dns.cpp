// What a name has in DNS, in a scenario file.
#include <algorithm>
#include <array>
#include <optional>
#include <sstream>

#include "apps/cli/scenario_topology.h"

namespace holdfast::cli {

using namespace lab::scenario;

namespace {

// "10 0 5060 best.example.test", as a zone file has it.
std::optional<dns::Srv> srv_of(const std::string& text) {
    std::istringstream words(text);
    std::uint32_t priority = 0;
    std::uint32_t weight = 0;
    std::uint32_t port = 0;
    std::string target;
    std::string more;
    constexpr std::uint32_t most = 65'535;
    if (!(words >> priority >> weight >> port >> target) || words >> more || priority > most ||
        weight > most || port > most)
        return std::nullopt;
    return dns::Srv{static_cast<std::uint16_t>(priority), static_cast<std::uint16_t>(weight),
                    static_cast<std::uint16_t>(port), target == "." ? "" : target};
}

// "10 10 s SIP+D2U _sip._udp.example.test".
std::optional<dns::Naptr> naptr_of(const std::string& text) {
    std::istringstream words(text);
    std::uint32_t order = 0;
    std::uint32_t preference = 0;
    dns::Naptr naptr;
    std::string more;
    constexpr std::uint32_t most = 65'535;
    if (!(words >> order >> preference >> naptr.flags >> naptr.service >> naptr.replacement) ||
        words >> more || order > most || preference > most)
        return std::nullopt;
    naptr.order = static_cast<std::uint16_t>(order);
    naptr.preference = static_cast<std::uint16_t>(preference);
    return naptr;
}

// Whom it leads to; "": nobody.
std::string name_in(const dns::Srv& record) { return record.target; }
std::string name_in(const dns::Naptr& record) {
    return record.replacement == "." ? "" : record.replacement;
}

template <class Record>
void read_lines(TableReader& table, std::string_view key, std::vector<Record>& records,
                std::optional<Record> (*parse)(const std::string&), const std::string& example) {
    std::vector<std::string> lines;
    table.texts(key, lines);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (auto record = parse(lines[i])) {
            const auto name = name_in(*record);
            if (const auto good = judge_domain(name); !name.empty() && !good)
                table.complain_of_value(key, i, good.error());
            records.push_back(*std::move(record));
        } else {
            table.complain_of_value(key, i,
                                    in_quotes(lines[i]) + " is none: write " + in_quotes(example));
        }
    }
}

}  // namespace

void read_records(TableReader& table, RecordsPlan& records, const Scenario& scenario) {
    std::vector<std::string> addresses;
    table.texts("addresses", addresses);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        if (const auto address = IpAddress::parse(addresses[i]))
            records.addresses.push_back(*address);
        else
            table.complain_of_value("addresses", i, in_quotes(addresses[i]) + " is no IP address");
    }
    std::string cluster;
    table.text("cluster", cluster);
    if (!cluster.empty()) {
        const auto found = std::ranges::find_if(scenario.clusters, [&](const ClusterPlan& plan) {
            return plan.options.name == cluster;
        });
        std::set<std::string, std::less<>> known;
        for (const auto& plan : scenario.clusters) known.insert(plan.options.name);
        if (found == scenario.clusters.end())
            table.complain("cluster", unknown_name("cluster", cluster, known));
        else
            for (const auto& node : found->nodes) {
                std::istringstream words(node);
                for (std::string word; words >> word;)
                    if (const auto address = IpAddress::parse(word))
                        records.addresses.push_back(*address);
            }
    }
    read_lines<dns::Srv>(table, "srv", records.srv, srv_of, "10 0 5060 best.example.test");
    read_lines<dns::Naptr>(table, "naptr", records.naptr, naptr_of,
                           "10 10 s SIP+D2U _sip._udp.example.test");
    table.judged("cname", [&](const std::string& cname) {
        records.cname = cname;
        return judge_domain(cname);
    });
    table.duration("ttl", records.options.ttl);
    constexpr std::array<Word<lab::Rotation>, 3> rotations{
        {{"fixed", lab::Rotation::fixed},
         {"round-robin", lab::Rotation::round_robin},
         {"random", lab::Rotation::random}}};
    table.word<lab::Rotation>("rotate", records.options.order, rotations);
    table.count("at_most", records.options.at_most, 64);
    if (records.addresses.empty() && records.srv.empty() && records.naptr.empty() &&
        records.cname.empty())
        table.wants("addresses", "a name has addresses (or cluster), srv, naptr or a cname");
}

RecordsPlan read_dns(const TomlValue& value, const Scenario& scenario, Problems& problems) {
    TableReader table(value, "dns", problems);
    RecordsPlan records;
    table.judged("name", [&](const std::string& name) {
        records.name = name;
        return judge_domain(name);
    });
    read_records(table, records, scenario);
    table.finish();
    return records;
}

}  // namespace holdfast::cli
