// In whose name the engine sends an OPTIONS of its own (F9, K1).
#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "flow/flow.h"

namespace holdfast::engine {

struct PingIdentity {
    std::string domain_uri;  // "sip:example.test": Request-URI and To, no user
    std::string aor;         // From
    std::string user_agent;
};
using PingIdentityPtr =
    std::shared_ptr<const PingIdentity>;  // one for each account, used by many flows

// An OPTIONS that can be sent again octet by octet, and the branch its answer comes back with.
struct Ping {
    std::string branch;
    std::string wire;
};
Ping new_ping(const PingIdentity& identity, const flow::Flow& flow, Random& random, bool ask_keep);

}  // namespace holdfast::engine
