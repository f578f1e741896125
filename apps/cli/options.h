// What a user can say, once: one table of options that the command line, the configuration file,
// --help and the man page are made from or checked against.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/phone/dialling.h"
#include "apps/phone/incoming_rules.h"
#include "apps/phone/recordings.h"
#include "media/signals.h"
#include "media/types.h"
#include "registration/account.h"
#include "runtime/driver.h"

namespace holdfast::cli {

// Of `holdfast run` alone.
struct FleetOptions {
    std::uint32_t shards = 0;                         // 0: one a core
    std::uint32_t registers_per_second = 200;         // S3; 0: no limit
    Duration stop_within = std::chrono::seconds{30};  // B4: un-REGISTERs go at that rate
    std::optional<Endpoint> metrics;
    bool log_all = false;
    friend bool operator==(const FleetOptions&, const FleetOptions&) = default;
};

// Of `holdfast call` and `holdfast answer`.
struct CallOptions {
    media::AudioEnd audio{.kind = media::EndKind::standard};
    std::optional<media::AudioEnd> microphone{};  // none: as `audio` says
    std::optional<media::AudioEnd> speaker{};
    media::Voice voice{};
    bool saves_silence = false;
    std::string play;    // a file instead of the microphone; "": none
    std::string record;  // a WAV file; "": none
    std::string dtmf;
    std::string transfer;  // where the other side is sent once it has answered; "": nowhere
    bool withhold_number = false;
    std::optional<Duration> duration;  // after the answer
    std::vector<std::string> codecs;   // in order of preference; empty: all
    media::PortRange ports;
    sdp::Srtp srtp = sdp::Srtp::off;
    bool sdes = true;  // how SRTP's keys may be agreed on
    bool dtls = true;
    media::DtmfMethod dtmf_by = media::DtmfMethod::automatic;
    std::optional<sip::DigitForm> dtmf_info{};  // by INFO, and so
    // What is heard beside the call.
    std::optional<media::AudioEnd> ring_device{};              // none: where one hears
    std::string ring_file{};                                   // "": the bell's own tone
    std::optional<media::AudioEnd> tone_device{};              // none: where one hears
    std::optional<media::Tones> tones = media::Tones::europe;  // none: ring-back, busy, … are off
};

// Of `holdfast phone` and `holdfast ctl`.
struct ControlOptions {
    std::string socket;  // "": where phones usually listen
    phone::Recordings recordings;
    std::string search;  // history
    bool csv = false;
};

// Of `holdfast lab`.
struct LabOptions {
    std::uint32_t runs = 1000;  // worlds of the swarm
    std::uint64_t seed = 1;     // of the first one
    Duration suffering = std::chrono::minutes{10};
    std::set<std::string> keep;  // parts of one world (lab/swarm_plan.h); empty: all
    std::string html;            // a page of what was seen; "": none
};

struct Options {
    registration::AccountConfig account;
    LabOptions lab;
    FleetOptions fleet;
    CallOptions call;
    ControlOptions control;
    phone::Dialling dialling;       // of `holdfast phone` and `holdfast call`
    phone::IncomingRules incoming;  // of `holdfast phone`
    runtime::DriverOptions driver;
    bool password_given = false;  // an empty one is one, too
    bool json = false;
    bool trace = false;
    bool once = false;
};

// One thing the user said, and where: "--transport", or "phone.toml:3: transport".
struct Setting {
    std::string key;  // an option's name
    std::string value;
    std::string where;
};

enum class Form : std::uint8_t { flag, value, list };

// Which commands know an option; and which an [[account]] of `holdfast run` may have of its own.
enum Commands : std::uint16_t {
    for_register = 1,
    for_resolve = 2,
    for_policy = 4,
    for_demo = 8,
    for_run = 16,
    of_an_account = 32,
    for_call = 64,
    for_answer = 128,
    for_devices = 256,
    for_phone = 512,
    for_ctl = 1024,
    for_lab = 2048,
    for_trace = 4096,
    for_doctor = 8192
};

struct OptionText {
    std::string_view name;   // "transport": --transport on the command line, transport in the file
    std::string_view value;  // "auto|udp|tcp|tls"; "" for a flag
    std::string_view standard;  // the default, in words
    std::string_view meaning;
    Form form = Form::value;
    std::uint16_t commands = 0;
    bool in_file = true;
    // first: of this source; a list is begun anew, so that the command line replaces the file's.
    std::expected<void, std::string> (*apply)(Options& options, std::string_view value,
                                              bool first) = nullptr;
    std::uint16_t repeated_by = 0;  // commands that take several values of a Form::value
};

std::span<const OptionText> option_table();
// The key of a policy field: "policy.flows" and "flows" are the same one.
std::string_view policy_key(std::string_view key);

// The preset first, then the others in order, so that the order of options means nothing. The error
// is a sentence that begins with the setting's place.
std::expected<void, std::string> apply_each(Options& options, std::span<const Setting> settings);
// The same for all that there is: what each setting alone allows and all together do not is an
// error too.
std::expected<void, std::string> apply_settings(Options& options,
                                                std::span<const Setting> settings);

// "<alice@example.test>": without brackets, with sip: in front.
std::string with_scheme(std::string_view text);
// "sip:alice@example.test" of what a person may write: without scheme, upper case in the host.
// Needs a user.
std::expected<std::string, std::string> aor_of(std::string_view text);
// The same for what `resolve` takes: a user need not be there.
std::expected<std::string, std::string> uri_of(std::string_view text);

}  // namespace holdfast::cli
