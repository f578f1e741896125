// The location service of RFC 3261 §10: who can be reached where, until when. One for a whole
// cluster, one per node, or one per node with changes that reach the others after a while.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "lab/internet.h"

namespace holdfast::lab {

// How a message reaches or leaves a node: a datagram between two endpoints, or a connection between
// them.
struct Hop {
    Transport transport = Transport::udp;
    Endpoint local;
    Endpoint remote;
    friend bool operator==(const Hop&, const Hop&) = default;
};

struct Binding {
    std::string contact;     // the URI
    std::string listed_as;   // the URI in a 200, "" : the same
    std::string parameters;  // of the Contact, without expires: ";+sip.instance=…;reg-id=1"
    std::string instance;    // RFC 5626 §4.1, "" if none
    std::uint32_t reg_id = 0;
    bool outbound = false;  // keyed by (instance, reg-id), reached over its flow
    std::string call_id;
    std::uint32_t cseq = 0;
    Instant expires{};
    Hop flow;  // how the REGISTER came: local is the owning node's end
    friend bool operator==(const Binding&, const Binding&) = default;
};

// Same device and flow with outbound (RFC 5626 §6), else URIs that are equal by RFC 3261 §19.1.4.
bool same_binding(const Binding& a, const Binding& b);

// "sip:Alice@Example.TEST;transport=tcp" → "Alice@example.test"
std::string aor_key(std::string_view uri);

class LocationService {
public:
    explicit LocationService(Internet& internet) : internet_(internet) {}

    // Those that have not expired, oldest first. The AOR is a URI or a key.
    [[nodiscard]] std::vector<Binding> bindings(std::string_view aor) const;
    [[nodiscard]] std::vector<std::string> aors() const;
    // Replaces the AOR's bindings; copies get what changed, `delay` later.
    void put(const std::string& key, std::vector<Binding> bindings);
    void clear() { bindings_.clear(); }
    void copy_to(LocationService& other, Duration delay) { copies_.push_back({&other, delay}); }
    [[nodiscard]] std::uint64_t changes() const { return changes_; }

private:
    struct Copy {
        LocationService* service;
        Duration delay;
    };
    void merge(const std::string& key, const std::vector<Binding>& changed,
               const std::vector<Binding>& removed);

    Internet& internet_;
    std::map<std::string, std::vector<Binding>> bindings_;
    std::vector<Copy> copies_;
    std::uint64_t changes_ = 0;
};

}  // namespace holdfast::lab
