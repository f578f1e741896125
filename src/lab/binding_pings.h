// A server that pings its bindings: OPTIONS to each, as Kamailio's and OpenSIPS' nathelper,
// Asterisk's qualify and FreeSWITCH's nat-options-ping do, or four zero bytes. Any answer counts; a
// binding that owes too many is taken out.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "lab/location_service.h"
#include "sip/message.h"

namespace holdfast::lab {

class Registrar;

enum class PingKind : std::uint8_t { options, zeros };

struct PingRules {
    Duration every{};  // 0: no pings
    PingKind kind = PingKind::options;
    Duration answer_within = std::chrono::seconds(4);
    int lost_most = 0;  // so many unanswered ones in a row remove the binding; 0: never
};

class BindingPings {
public:
    explicit BindingPings(Registrar& registrar) : registrar_(registrar) {}

    void start(const PingRules& rules);
    // True if it answers one of these pings.
    bool on_response(const sip::Message& response);
    [[nodiscard]] std::size_t sent() const { return sent_; }
    [[nodiscard]] std::size_t answered() const { return answered_; }
    [[nodiscard]] std::size_t removed() const { return removed_; }

private:
    void round();
    void ping(const std::string& aor, const Binding& binding);
    void miss(const std::string& branch);
    [[nodiscard]] std::string options(const std::string& aor, const Binding& binding,
                                      const Hop& way, const std::string& branch) const;

    struct Pending {
        std::string aor;
        std::string contact;
    };
    Registrar& registrar_;
    PingRules rules_{};
    std::map<std::string, Pending> pending_;  // by branch
    std::map<std::string, int> lost_;         // in a row, by Contact
    std::uint64_t next_ = 0;
    std::size_t sent_ = 0;
    std::size_t answered_ = 0;
    std::size_t removed_ = 0;
};

}  // namespace holdfast::lab
