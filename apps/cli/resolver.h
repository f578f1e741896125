// The machine behind `holdfast resolve`: looks up an account's servers as a registration's start
// does, and stops. Sends nothing but DNS questions.
//
//   Resolver resolver{config, engine_options};      // a machine for runtime::Driver
//   … Event stopped …
//   resolver.resolution();
#pragma once

#include <map>
#include <optional>
#include <string>

#include "apps/cli/exit_code.h"
#include "apps/cli/json_lines.h"
#include "engine/engine.h"
#include "engine/persistence.h"
#include "flow/flow.h"
#include "location/candidate_pool.h"
#include "location/health.h"
#include "registration/account.h"
#include "registration/machine.h"
#include "registration/targets.h"

namespace holdfast::cli {

class Resolver {
public:
    // config.aor may be a domain alone: then the one account of it that the state knows is meant.
    Resolver(registration::AccountConfig config, const EngineOptions& options);

    void handle(Instant now, const Input& input, Outbox& outbox);
    [[nodiscard]] Deadline next_deadline() const;

    [[nodiscard]] bool done() const { return done_; }
    [[nodiscard]] const Resolution& resolution() const { return resolution_; }
    [[nodiscard]] ExitCode code() const;  // of done()

private:
    void start(Instant now, Outbox& outbox);
    void on_answer(Instant now, const in::DnsAnswer& answer, Outbox& outbox);
    void finish(Instant now, Outbox& outbox);
    void perform(registration::Actions& actions, Outbox& outbox);
    registration::Context context(Instant now, registration::Actions& actions);
    [[nodiscard]] std::vector<location::Candidate> order(
        Instant now, const registration::Context& context) const;

    registration::AccountConfig config_;
    State state_;
    engine::Persistence persistence_;
    Random random_;
    location::Health health_;
    location::CandidatePool candidates_;
    flow::Table no_flows_;
    std::vector<IpAddress> addresses_;
    std::optional<registration::Targets> targets_;
    std::map<QueryId, dns::Question> asked_;
    std::uint32_t last_query_ = 0;
    bool dns_failed_ = false;
    bool done_ = false;
    Resolution resolution_;
};

// The account that a URI without a user stands for, if the state knows exactly one of its domain;
// else the URI itself.
std::string account_meant(const std::string& uri, const State& state);

}  // namespace holdfast::cli
