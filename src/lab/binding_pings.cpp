#include "lab/binding_pings.h"

#include <algorithm>
#include <string_view>

#include "lab/registrar.h"
#include "sip/via.h"
#include "sip/writer.h"

namespace holdfast::lab {

using namespace std::string_view_literals;

void BindingPings::start(const PingRules& rules) {
    rules_ = rules;
    if (rules_.every > Duration{}) registrar_.internet().after(rules_.every, [this] { round(); });
}

void BindingPings::round() {
    const auto& location = registrar_.location_service();
    for (const auto& aor : location.aors())
        for (const auto& binding : location.bindings(aor))
            if (registrar_.has(binding.flow.local.address)) ping(aor, binding);
    registrar_.internet().after(rules_.every, [this] { round(); });
}

void BindingPings::ping(const std::string& aor, const Binding& binding) {
    const auto way = registrar_.way_to(binding);
    if (!way) return;
    ++sent_;
    if (rules_.kind == PingKind::zeros) {
        if (way->transport == Transport::udp) registrar_.send(*way, std::string("\0\0\0\0"sv));
        return;
    }
    const auto branch = std::string(sip::branch_cookie) + "-ping-" + registrar_.name() + "-" +
                        std::to_string(++next_);
    pending_[branch] = {aor, binding.contact};
    registrar_.send(*way, options(aor, binding, *way, branch));
    registrar_.internet().after(rules_.answer_within, [this, branch] { miss(branch); });
}

std::string BindingPings::options(const std::string& aor, const Binding& binding, const Hop& way,
                                  const std::string& branch) const {
    std::string text;
    sip::Writer writer(text);
    writer.request_line(sip::Method::options, binding.contact);
    writer.via({.transport = via_name_of(way.transport),
                .sent_by = way.local.to_string(),
                .branch = branch,
                .rport = true});
    writer.max_forwards(70);
    writer.from("", "sip:ping@" + registrar_.options().domain, "ping");
    writer.to("", "sip:" + aor, "");
    writer.call_id(branch);
    writer.cseq(1, sip::Method::options);
    writer.finish();
    return text;
}

bool BindingPings::on_response(const sip::Message& response) {
    const auto asked = pending_.find(std::string(response.top_via().branch));
    if (asked == pending_.end()) return false;
    if (response.status() < 200) return true;
    ++answered_;
    lost_.erase(asked->second.contact);
    pending_.erase(asked);
    return true;
}

void BindingPings::miss(const std::string& branch) {
    const auto asked = pending_.find(branch);
    if (asked == pending_.end()) return;
    const auto [aor, contact] = asked->second;
    pending_.erase(asked);
    if (rules_.lost_most == 0 || ++lost_[contact] < rules_.lost_most) return;
    lost_.erase(contact);
    auto left = registrar_.location_service().bindings(aor);
    if (std::erase_if(left, [&](const Binding& b) { return b.contact == contact; }) == 0) return;
    ++removed_;
    registrar_.location_service().put(aor, std::move(left));
}

}  // namespace holdfast::lab
