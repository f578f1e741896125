#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/json_depth.h"
#include "base/redacted.h"
#include "base/text.h"
#include "engine/recording.h"
#include "engine/recording_calls.h"
#include "engine/recording_fields.h"
#include "engine/recording_words.h"
#include "registration/policy.h"

namespace holdfast {

namespace {

using namespace recording;

constexpr std::array flow_errors{FlowError::refused,
                                 FlowError::reset,
                                 FlowError::closed_by_peer,
                                 FlowError::timed_out,
                                 FlowError::port_unreachable,
                                 FlowError::prohibited,
                                 FlowError::network_unreachable,
                                 FlowError::tls,
                                 FlowError::certificate,
                                 FlowError::local_address_gone};
constexpr std::array dns_statuses{
    dns::Status::ok,        dns::Status::nxdomain,  dns::Status::servfail, dns::Status::refused,
    dns::Status::timed_out, dns::Status::no_server, dns::Status::malformed};

constexpr std::size_t deepest_line = 32;               // objects and arrays within each other
constexpr std::int64_t last_second = 253'402'300'799;  // of the year 9999, since 1970

dns::Record read_dns_record(Reader& r) {
    if (r.has("address")) return r.required(IpAddress::parse(r.text("address")));
    if (r.has("srv"))
        return dns::Srv{.priority = r.number<std::uint16_t>("priority"),
                        .weight = r.number<std::uint16_t>("weight"),
                        .port = r.number<std::uint16_t>("port"),
                        .target = r.bytes("srv")};
    if (r.has("naptr"))
        return dns::Naptr{.order = r.number<std::uint16_t>("order"),
                          .preference = r.number<std::uint16_t>("preference"),
                          .flags = r.bytes("flags"),
                          .service = r.bytes("service"),
                          .regexp = r.bytes("regexp"),
                          .replacement = r.bytes("naptr")};
    return dns::Cname{.owner = r.bytes("owner"), .name = r.bytes("cname")};
}

dns::Answer read_answer(Reader& r) {
    dns::Answer answer;
    answer.status = r.required(named(dns_statuses, r.text("status")));
    answer.ttl = r.duration("ttl_us");
    for (const auto& json : r.list("records")) {
        Reader record{json};
        answer.records.push_back(read_dns_record(record));
        if (!record.sound()) r.fault();
    }
    return answer;
}

registration::AccountConfig read_account(Reader& r) {
    registration::AccountConfig config;
    config.aor = r.text("aor");
    config.display_name = r.text("display_name");
    config.auth_user = r.text("auth_user");
    config.password = Redacted{r.text("password")};
    config.registrar = r.text("registrar");
    config.outbound_proxy = r.text("outbound_proxy");
    for (const auto& json : r.list("backups")) {
        Reader backup{json};
        config.backups.push_back({.uri = backup.text("uri"), .domain = backup.text("domain")});
        if (!backup.sound()) r.fault();
    }
    if (r.has("transport")) config.transport = r.required(parse_transport(r.text("transport")));
    for (const auto& realm : r.list("realms")) config.realms.push_back(r.string_of(realm));
    if (r.has("contact_address")) config.contact_address = r.text("contact_address");
    if (r.has("takes_calls")) config.takes_calls = r.flag("takes_calls");
    if (r.has("follows_transfers")) config.follows_transfers = r.flag("follows_transfers");
    if (r.has("stun")) config.stun = r.text("stun");
    if (r.has("direct_to")) config.direct_to = r.text("direct_to");
    // "preset" comes first and sets everything; the other fields then say how this policy differs.
    const auto& policy = r.member("policy");
    if (!policy.is_object()) r.fault();
    for (const auto& [key, value] : policy.items())
        if (!registration::set(config.policy, key, r.string_of(value))) r.fault();
    return config;
}

template <class Failed>
Failed read_failure(Reader& r) {
    return {.flow = r.id<FlowId>("flow"),
            .error = r.required(named(flow_errors, r.text("error"))),
            .detail = r.bytes("detail")};
}

Input read_network_changed(Reader& r) {
    in::NetworkChanged changed{.addresses = {}, .woke = r.flag("woke")};
    for (const auto& address : r.list("addresses"))
        changed.addresses.push_back(r.required(IpAddress::parse(r.string_of(address))));
    return changed;
}

Input read_dns_answer(Reader& r) {
    Reader answer{r.member("answer")};
    in::DnsAnswer input{.query = r.id<QueryId>("query"), .answer = read_answer(answer)};
    if (!answer.sound()) r.fault();
    return input;
}

Input read_add_account(Reader& r) {
    Reader config{r.member("config")};
    in::AddAccount input{.account = r.id<AccountId>("account"), .config = read_account(config)};
    if (!config.sound()) r.fault();
    return input;
}

struct InputReader {
    std::string_view name;
    Input (*read)(Reader&);
};
constexpr std::array input_readers{
    InputReader{"time", [](Reader&) -> Input { return in::Time{}; }},
    InputReader{"flow_opened",
                [](Reader& r) -> Input {
                    return in::FlowOpened{.flow = r.id<FlowId>("flow"),
                                          .local = r.endpoint("local"),
                                          .verified_name = r.text("verified_name")};
                }},
    InputReader{"flow_failed", [](Reader& r) -> Input { return read_failure<in::FlowFailed>(r); }},
    InputReader{"flow_closed", [](Reader& r) -> Input { return read_failure<in::FlowClosed>(r); }},
    InputReader{"received",
                [](Reader& r) -> Input {
                    return in::Received{.flow = r.id<FlowId>("flow"), .bytes = r.message("bytes")};
                }},
    InputReader{"stray",
                [](Reader& r) -> Input {
                    return in::Stray{.local = r.endpoint("local"),
                                     .remote = r.endpoint("remote"),
                                     .bytes = r.message("bytes")};
                }},
    InputReader{"dns_answer", read_dns_answer},
    InputReader{"network_changed", read_network_changed},
    InputReader{"add_account", read_add_account},
    InputReader{"remove_account",
                [](Reader& r) -> Input { return in::RemoveAccount{r.id<AccountId>("account")}; }},
    InputReader{"register_now",
                [](Reader& r) -> Input { return in::RegisterNow{r.id<AccountId>("account")}; }},
    InputReader{"change_password",
                [](Reader& r) -> Input {
                    return in::ChangePassword{.account = r.id<AccountId>("account"),
                                              .password = Redacted{r.text("password")}};
                }},
    InputReader{"hang_up",
                [](Reader& r) -> Input {
                    in::HangUp input{.account = r.id<AccountId>("account")};
                    if (r.has("call")) input.call = r.id<CallRef>("call");
                    return input;
                }},
    InputReader{"dial", [](Reader& r) -> Input { return read_dial(r); }},
    InputReader{
        "answer",
        [](Reader& r) -> Input { return in::Answer{r.id<CallRef>("call"), read_streams(r)}; }},
    InputReader{"reject", [](Reader& r) -> Input { return read_reject(r); }},
    InputReader{"press", [](Reader& r) -> Input { return read_press(r); }},
    InputReader{"transfer", [](Reader& r) -> Input { return read_transfer(r); }},
    InputReader{"transfer_to",
                [](Reader& r) -> Input {
                    return in::TransferTo{r.id<CallRef>("call"), r.id<CallRef>("other")};
                }},
    InputReader{"hold", [](Reader& r) -> Input { return in::Hold{r.id<CallRef>("call")}; }},
    InputReader{"resume", [](Reader& r) -> Input { return in::Resume{r.id<CallRef>("call")}; }},
    InputReader{"media_changed",
                [](Reader& r) -> Input {
                    return in::MediaChanged{r.id<CallRef>("call"), read_streams(r)};
                }},
    InputReader{"shut_down", [](Reader&) -> Input { return in::ShutDown{}; }},
};

std::optional<EngineOptions> read_options(const Json& json) {
    Reader r{json};
    if (r.number<int>("holdfast_recording") != format_version) return std::nullopt;
    EngineOptions options;
    const auto seed = r.required(from_hex(r.text("seed")));
    if (seed.size() != options.seed.size()) return std::nullopt;
    std::ranges::transform(seed, options.seed.begin(),
                           [](char c) { return static_cast<std::uint8_t>(c); });
    options.started = r.instant("started_us");
    options.wall_clock = r.number<std::int64_t>("wall_clock");
    if (options.wall_clock < 0 || options.wall_clock > last_second) r.fault();
    options.user_agent = r.text("user_agent");
    if (r.has("registers_per_second"))
        options.registers_per_second = r.number<std::uint32_t>("registers_per_second");
    if (r.has("leave_within_us")) options.leave_within = r.duration("leave_within_us");
    for (const auto& entry : r.list("state")) {
        Reader pair{entry};
        options.state[pair.bytes("key")] = pair.bytes("value");
        if (!pair.sound()) r.fault();
    }
    if (!r.sound()) return std::nullopt;
    return options;
}

std::optional<RecordedStep> read_step(const Json& json) {
    Reader r{json};
    const auto name = r.text("in");
    const auto reader = std::ranges::find(input_readers, name, &InputReader::name);
    if (reader == input_readers.end()) return std::nullopt;
    RecordedStep step{.at = r.instant("t_us"), .input = reader->read(r), .outputs = {}};
    if (!r.sound()) return std::nullopt;
    return step;
}

// false: not a line of a recording.
bool read_line(std::string_view line, bool is_first, Recording& recording) {
    if (json_depth(line) > deepest_line) return false;
    const auto json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return false;
    if (is_first) {
        auto options = read_options(json);
        if (!options) return false;
        recording.options = *std::move(options);
        return true;
    }
    if (json.contains("out")) {
        if (recording.steps.empty()) return false;
        recording.steps.back().outputs.emplace_back(line);
        return true;
    }
    auto step = read_step(json);
    if (!step) return false;
    recording.steps.push_back(*std::move(step));
    return true;
}

}  // namespace

std::expected<Recording, std::string> parse_recording(std::string_view text) {
    Recording recording;
    std::size_t number = 0;
    while (!text.empty()) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos && number > 0) break;  // cut short
        const auto line = text.substr(0, end);
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (!read_line(line, ++number == 1, recording))
            return std::unexpected("line " + std::to_string(number) +
                                   (number == 1
                                        ? " is not the beginning of a recording of this version"
                                        : " is not an input or output"));
    }
    if (number == 0) return std::unexpected("it is empty");
    return recording;
}

}  // namespace holdfast
