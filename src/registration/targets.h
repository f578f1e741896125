// The account's targets: its next hop and its backups, looked up, looked up again when the TTL has
// run out (L4), kept when DNS fails (L5), ranked (L2).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rare.h"
#include "location/candidate_pool.h"
#include "location/listed.h"
#include "location/lookup.h"
#include "location/next_hop.h"
#include "location/rank.h"
#include "registration/account.h"
#include "registration/machine.h"
#include "registration/registration.h"

namespace holdfast::registration {

class Targets {
public:
    // Errors of the configuration (an unreadable URI) are said by problem() and leave no
    // candidates.
    // shared: as Resilient has it.
    Targets(const AccountConfig& config, location::RankKey key, const AccountState& state,
            SharedPolicy shared = nullptr);

    void start(const Context& context);
    // Whether a lookup ended (or gave up waiting) with this.
    bool on_dns(const told::Dns& told, const Context& context);
    bool on_time(const Context& context);
    [[nodiscard]] Deadline next_deadline() const;
    void look_up_all(const Context& context);  // now, TTL or not (K5, the user)
    // L4: who is not healthy looks up earlier, perhaps now.
    void set_healthy(bool healthy, const Context& context);
    // The present answer has registered us: it is the last good one, on disk too (L5). Whether
    // other transports are allowed from now on (L1).
    bool keep_as_good(const Target& registered, const Context& context);

    // Listed targets of the next hop, then of each backup, best first; penalised ones behind.
    [[nodiscard]] std::vector<location::Candidate> ranked(const Context& context) const;
    [[nodiscard]] std::vector<location::Candidate> by_rank_alone(const Context& context) const;
    [[nodiscard]] bool is_listed(const Target& target, Instant now) const;
    [[nodiscard]] bool is_waiting() const;      // for a first answer
    [[nodiscard]] bool is_looking_up() const;   // for any
    [[nodiscard]] bool has_failed() const;      // an answer came and there is nothing to try
    [[nodiscard]] std::string problem() const;  // in words, "" if none
    // Of the place the target belongs to: 0 the next hop, 1… the backups.
    [[nodiscard]] std::size_t place_of(const Target& target) const;
    [[nodiscard]] std::string tls_name_of(const Target& target) const;
    [[nodiscard]] const std::string& domain_of(std::size_t place) const {
        return places_[place].domain;
    }
    [[nodiscard]] std::vector<IpAddress> addresses(Instant now) const;  // §11 (b)
    [[nodiscard]] bool host_is_ours(std::string_view host) const;  // F5: a redirect may go there
    // F5: what a lookup of another hop of this account may use; a redirect's candidates in order; a
    // target that a redirect named belongs to the place of who named it.
    [[nodiscard]] location::Constraints constraints_for(const location::NextHop& hop,
                                                        const Context& context) const;
    [[nodiscard]] std::vector<location::Candidate> in_order(
        std::vector<location::Candidate> candidates, const Context& context) const;
    void adopt(const Target& target, std::size_t place);

private:
    struct Place {
        location::NextHop hop;
        std::string domain;  // "" : the AOR's
        location::ListedTargets listed;
        std::vector<location::SharedCandidate> good;  // L5
        std::unique_ptr<location::Lookup> lookup;     // while it goes on
        Instant look_up_at = never;
        Instant stale_at = never;  // DNS takes its time: the last good answer serves
        Instant early_at = never;  // some questions are answered, others take long
        Instant answered_at{};
        Duration ttl{};
        std::uint32_t failures = 0;
        bool answered = false;
        bool serve_good = false;
        std::string problem;
    };
    void look_up(Place& place, const Context& context);
    void finish(Place& place, const Context& context);
    [[nodiscard]] std::vector<Transport> transports_of(const location::NextHop& hop) const;  // L1
    void schedule(Place& place, Instant now);
    [[nodiscard]] std::vector<location::Candidate> candidates_of(const Place& place,
                                                                 Instant now) const;

    std::optional<Transport> fixed_transport_;
    location::RankKey key_;
    SharedPolicy policy_;
    std::vector<Place> places_;
    Rare<std::map<Target, std::size_t>> adopted_;
    std::string configuration_problem_;
    bool healthy_ = false;
    bool ended_at_once_ = false;  // a lookup, outside of on_time
    bool tls_has_worked_ = false;
};

// The domain's part of "sip:alice@example.test".
std::string domain_of_aor(std::string_view aor);
// L1: outbound proxy, else registrar, else the AOR's domain; then the backups. A direct account's
// only one is whom it calls.
std::vector<std::string> next_hop_uris(const AccountDetails& account);

}  // namespace holdfast::registration
