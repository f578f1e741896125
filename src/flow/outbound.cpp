#include "flow/outbound.h"

#include <algorithm>
#include <cstdint>

#include "base/text.h"

namespace holdfast::flow {

namespace {

constexpr Duration longest_flow_timer = 1h;  // a peer's number: more would mean "no keep-alive"

Duration seconds_within_reason(std::uint32_t seconds) {
    return std::min<Duration>(std::chrono::seconds{seconds}, longest_flow_timer);
}

bool is_success_to_register(const sip::Message& response) {
    return !response.is_request() && response.method() == sip::Method::register_ &&
           response.status() / 100 == 2;
}

}  // namespace

Agreement agreement_of(const sip::Message& response) {
    Agreement agreement;
    if (response.is_request()) return agreement;
    agreement.outbound = registrar_has_outbound(response);
    const auto keep = keep_of(response.top_via());
    agreement.keep = keep.has_value();
    if (keep) agreement.flow_timer = keep->recommended;
    if (!is_success_to_register(response)) return agreement;
    if (const auto timer = response.flow_timer(); timer && *timer != 0)
        agreement.flow_timer = seconds_within_reason(*timer);
    return agreement;
}

bool registrar_has_outbound(const sip::Message& response) {
    return is_success_to_register(response) && response.demands("outbound");
}

bool first_hop_lacks_outbound(const sip::Message& response) { return response.status() == 439; }

bool edge_has_outbound(const sip::Message& response) {
    return std::ranges::any_of(response.paths(),
                               [](const sip::NameAddr& path) { return has_ob(path.uri); });
}

bool has_ob(const sip::Uri& uri) { return uri.is_sip() && uri.parameters.has("ob"); }

std::optional<Keep> keep_of(const sip::Via& via) {
    const auto value = via.parameters.find("keep");
    if (!value) return std::nullopt;
    const auto seconds = parse_number<std::uint32_t>(*value);
    if (!seconds) return std::nullopt;
    if (*seconds == 0) return Keep{};
    return Keep{.recommended = seconds_within_reason(*seconds)};
}

ViaSighting sighting_of(const sip::Message& response, const Endpoint& local, const Endpoint& source,
                        const Endpoint& sent_to) {
    const auto& via = response.top_via();
    return {.received = via.received,
            .rport = via.rport,
            .local = local,
            .source = source,
            .sent_to = sent_to};
}

}  // namespace holdfast::flow
