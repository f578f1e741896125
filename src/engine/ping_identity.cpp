#include "engine/ping_identity.h"

#include "flow/options_ping.h"
#include "sip/via.h"

namespace holdfast::engine {

Ping new_ping(const PingIdentity& identity, const flow::Flow& flow, Random& random, bool ask_keep) {
    const std::string branch = std::string(sip::branch_cookie) + random.token(96);
    const std::string from_tag = random.token(64);
    const std::string call_id = random.token(128);
    std::string wire = flow::options_request({.domain_uri = identity.domain_uri,
                                              .aor = identity.aor,
                                              .from_tag = from_tag,
                                              .call_id = call_id,
                                              .branch = branch,
                                              .transport = flow.target.transport,
                                              .local = flow.local,
                                              .ask_keep = ask_keep,
                                              .user_agent = identity.user_agent});
    return {branch, std::move(wire)};
}

}  // namespace holdfast::engine
