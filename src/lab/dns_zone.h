// The lab's DNS: one zone file for everybody, with the habits that trouble phones: answers that
// rotate, or show a subset, or fail, or are late, or change at a moment.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/dns.h"
#include "base/random.h"
#include "base/time.h"

namespace holdfast::lab {

enum class Rotation : std::uint8_t { fixed, round_robin, random };

struct RecordOptions {
    Duration ttl = std::chrono::seconds(60);
    bool rotate = false;  // by one per query; `order` says it in full
    Rotation order = Rotation::fixed;
    std::size_t at_most = 0;  // so many records per answer (0: all), the first after rotation
};

struct DnsFault {
    dns::Status status = dns::Status::ok;
    Duration delay{};  // on top of the usual
};

class DnsZone {
public:
    explicit DnsZone(Random random) : random_(std::move(random)) {}

    // Each replaces what the name had of that type. Only the addresses of the type's family are
    // taken.
    void a(const std::string& name, const std::vector<IpAddress>& addresses,
           RecordOptions options = {});
    void aaaa(const std::string& name, const std::vector<IpAddress>& addresses,
              RecordOptions options = {});
    void srv(const std::string& name, const std::vector<dns::Srv>& records,
             RecordOptions options = {});
    void naptr(const std::string& name, const std::vector<dns::Naptr>& records,
               RecordOptions options = {});
    void cname(const std::string& name, const std::string& target, RecordOptions options = {});
    void remove(const std::string& name);  // all types: NXDOMAIN from now on

    // Failures of the servers: for all names, or for one.
    void fail(DnsFault fault);
    void fail(const std::string& name, DnsFault fault);
    void heal();
    void heal(const std::string& name);  // though all others fail

    struct Reply {
        dns::Answer answer;
        Duration delay{};
    };
    Reply ask(const dns::Question& question);                             // turns the rotation
    [[nodiscard]] dns::Answer peek(const dns::Question& question) const;  // neither turns nor fails
    [[nodiscard]] std::size_t queries() const { return queries_; }

    static constexpr Duration negative_ttl =
        std::chrono::seconds(30);  // the zone's SOA minimum (RFC 2308)

private:
    struct Set {
        std::vector<dns::Record> records;
        RecordOptions options;
        std::size_t turn = 0;
    };
    void put(const std::string& name, dns::RecordType type, std::vector<dns::Record> records,
             RecordOptions options);
    // The name at the end of the CNAME chain, whose links go into the answer.
    std::string follow_aliases(const dns::Question& question, dns::Answer& answer) const;
    [[nodiscard]] dns::Answer answer(const dns::Question& question) const;
    static void arrange(std::vector<dns::Record>& records, const Set& set);
    void turn(const dns::Question& question);

    Random random_;
    std::map<dns::Question, Set> sets_;
    std::map<std::string, std::pair<std::string, Duration>> aliases_;
    DnsFault fault_;
    std::map<std::string, DnsFault> faults_;
    std::size_t queries_ = 0;
};

}  // namespace holdfast::lab
