// N5: what kind of NAT is between us and our servers, from what they say of one local port
// (flow/nat_kind.h): told when it is known, and when it is another.
//
// Only what was seen lately is compared: a NAT that forgot in between would give other ports, and
// look endpoint-dependent. For the same reason a changed mapping makes the others' worthless.
#pragma once

#include <map>
#include <optional>

#include "base/time.h"
#include "flow/flow.h"
#include "flow/nat_kind.h"

namespace holdfast::engine {

class NatDesk {
public:
    // An answer has just shown this UDP flow's mapping. The view, if it is news.
    std::optional<flow::NatView> on_sighting(Instant now, const flow::Flow& flow,
                                             flow::Learned learned);
    void on_network_changed() { *this = NatDesk{}; }

private:
    struct Row {
        flow::MappingSeen seen;
        Instant at{};
    };
    struct Port {
        std::map<Target, Row> rows;
        flow::NatKind told = flow::NatKind::unknown;
        Instant not_before{};   // one that wavers is told once in 5 min
        bool has_news = false;  // what the rows say waits to be told
    };
    std::map<Endpoint, Port> ports_;
};

}  // namespace holdfast::engine
