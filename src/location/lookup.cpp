#include "location/lookup.h"

#include <algorithm>
#include <utility>

#include "location/evaluation.h"

namespace holdfast::location {

Lookup::Lookup(NextHop next_hop, Constraints constraints, HostsFileNames hosts_file)
    : next_hop_(std::move(next_hop)),
      constraints_(std::move(constraints)),
      hosts_file_(std::move(hosts_file)) {
    outcome_.partial = true;
    outcome_.problem = "not asked yet";
}

void Lookup::start(std::vector<dns::Question>& ask) {
    if (asked_.empty() && !done_) evaluate(ask);
}

void Lookup::on_answer(const dns::Question& question, const dns::Answer& answer,
                       std::vector<dns::Question>& ask) {
    const auto ours = asked_.find(question);
    if (done_ || ours == asked_.end() || ours->second) return;
    ours->second = answer;
    evaluate(ask);
}

bool Lookup::waits_for(const dns::Question& question) const {
    return std::find(needed_.begin(), needed_.end(), question) != needed_.end();
}

void Lookup::evaluate(std::vector<dns::Question>& ask) {
    auto evaluated = location::evaluate({next_hop_, constraints_, hosts_file_, asked_});
    for (const auto& question : evaluated.needed)
        if (asked_.emplace(question, std::nullopt).second) ask.push_back(question);
    needed_ = std::move(evaluated.needed);
    outcome_ = std::move(evaluated.outcome);
    done_ = needed_.empty();
}

std::vector<Transport> allowed_transports(const TransportChoice& choice) {
    if (choice.secure) return {Transport::tls};
    if (choice.fixed) return {*choice.fixed};
    // L1: who has seen this account on TLS once must not be able to talk it out of it.
    if (choice.tls_has_worked && !choice.allow_downgrade) return {Transport::tls};
    return {Transport::tls, Transport::tcp, Transport::udp};
}

}  // namespace holdfast::location
