#include "apps/cli/call_options.h"

#include <algorithm>
#include <chrono>

#include "apps/cli/options.h"
#include "apps/phone/typed_number.h"
#include "base/text.h"
#include "media/codecs.h"
#include "registration/policy_values.h"

namespace holdfast::cli {

namespace {

using Applied = std::expected<void, std::string>;

constexpr std::size_t digits_most = 128;

// Of numbers, behind which somebody may have written a PIN.
std::unexpected<std::string> wrong_number(std::string_view value, std::string_view why) {
    return std::unexpected(phone::in_quotes(value) + " " + std::string(why));
}

}  // namespace

std::unexpected<std::string> wrong(std::string_view value, std::string_view why) {
    return std::unexpected("\"" + std::string(value) + "\" " + std::string(why));
}

Applied flag(bool& place, std::string_view value) {
    if (value != "true" && value != "false")
        return std::unexpected("\"" + std::string(value) + "\" is neither true nor false");
    place = value == "true";
    return {};
}

Applied apply_account(Options& options, std::string_view value, bool) {
    auto aor = aor_of(value);
    if (!aor) return std::unexpected(aor.error());
    options.account.aor = *std::move(aor);
    return {};
}

Applied apply_play(Options& options, std::string_view value, bool) {
    options.call.play = value;
    return {};
}

// RFC 4733 §3.2, and a comma for a pause.
Applied apply_dtmf(Options& options, std::string_view value, bool) {
    constexpr std::string_view digits = "0123456789*#ABCDabcd,";
    if (value.empty() || value.size() > digits_most ||
        value.find_first_not_of(digits) != std::string_view::npos)
        return std::unexpected(  // which they are is not shown: they may be a PIN
            "these are no digits: 0-9 * # A-D, and a comma for a pause of a second");
    options.call.dtmf = value;
    return {};
}

Applied apply_duration(Options& options, std::string_view value, bool) {
    const auto parsed = registration::parse_duration(value);
    if (!parsed || *parsed < std::chrono::milliseconds{100} || *parsed > std::chrono::hours{24})
        return wrong(value, "is no time from 100ms to 24h");
    options.call.duration = *parsed;
    return {};
}

// With the account's domain it is an address, if it is one (phone::target_of).
Applied apply_transfer(Options& options, std::string_view value, bool) {
    if (trimmed(value).empty()) return wrong(value, "is no address to transfer to");
    options.call.transfer = value;
    return {};
}

Applied apply_refuse_transfers(Options& options, std::string_view value, bool) {
    bool refuses = false;
    auto said = flag(refuses, value);
    options.account.follows_transfers = !refuses;
    return said;
}
Applied apply_withhold_number(Options& options, std::string_view value, bool) {
    return flag(options.call.withhold_number, value);
}

Applied apply_codec(Options& options, std::string_view value, bool first) {
    if (first) options.call.codecs.clear();
    const auto known = media::all_codecs();
    const auto found = std::ranges::find_if(known, [&](const media::CodecFacts& codec) {
        return equals_ignoring_case(codec.name, value);
    });
    if (found == known.end()) {
        std::string names;  // one that has several clock rates stands there several times in a row
        std::string_view last;
        for (const auto& codec : known) {
            if (codec.name != last) names.append(names.empty() ? "" : ", ").append(codec.name);
            last = codec.name;
        }
        return wrong(value, "is no codec that is known here: " + names);
    }
    options.call.codecs.emplace_back(found->name);
    return {};
}

Applied apply_srtp(Options& options, std::string_view value, bool) {
    auto& srtp = options.call.srtp;
    if (value == "off")
        srtp = sdp::Srtp::off;
    else if (value == "optional")
        srtp = sdp::Srtp::optional;
    else if (value == "required")
        srtp = sdp::Srtp::required;
    else
        return wrong(value, "is neither off, optional nor required");
    return {};
}

// RFC 4568, RFC 5763.
Applied apply_srtp_keys(Options& options, std::string_view value, bool) {
    if (value != "any" && value != "sdes" && value != "dtls")
        return wrong(value, "is neither any, sdes nor dtls");
    options.call.sdes = value != "dtls";
    options.call.dtls = value != "sdes";
    return {};
}

Applied apply_dtmf_by(Options& options, std::string_view value, bool) {
    auto& method = options.call.dtmf_by;
    std::optional<sip::DigitForm> info;
    method = media::DtmfMethod::automatic;
    if (value == "events")
        method = media::DtmfMethod::events;
    else if (value == "tones")
        method = media::DtmfMethod::in_band;
    else if (value == "info")
        info = sip::DigitForm::relay;
    else if (value == "info-plain")
        info = sip::DigitForm::plain;
    else if (value != "auto")
        return wrong(value, "is neither auto, events, tones, info nor info-plain");
    options.call.dtmf_info = info;
    return {};
}

Applied apply_ports(Options& options, std::string_view value, bool) {
    const auto dash = value.find('-');
    const auto first = parse_number<std::uint16_t>(value.substr(0, dash));
    const auto last = dash == std::string_view::npos
                          ? std::nullopt
                          : parse_number<std::uint16_t>(value.substr(dash + 1));
    constexpr std::uint16_t least = 1024;
    if (!first || !last || *first < least || *first >= *last)
        return wrong(value, "is no range of ports: FIRST-LAST, from 1024 to 65535");
    options.call.ports = {.first = *first, .last = *last};
    return {};
}

Applied apply_socket(Options& options, std::string_view value, bool) {
    if (value.empty()) return std::unexpected("a socket has a path");
    options.control.socket = value;
    return {};
}

Applied apply_prefix(Options& options, std::string_view value, bool) {
    if (!value.empty() && !phone::is_dialling_prefix(value))
        return wrong_number(value, "is no prefix: 1 to 16 of 0-9 * #, and a + only in front");
    options.dialling.prefix = value;
    return {};
}

Applied apply_dial_plan(Options& options, std::string_view value, bool first) {
    auto& plan = options.dialling.plan;
    if (first) plan.clear();
    auto rule = phone::DialRule::parse(value);
    if (!rule) return std::unexpected(rule.error());
    if (plan.size() == phone::plan_rules_most)
        return std::unexpected("a dial plan has at most " + std::to_string(phone::plan_rules_most) +
                               " rules");
    plan.push_back(*std::move(rule));
    return {};
}

// Whichever account's it will be: a number is of its domain. It may hold a PIN, and is not shown.
Applied apply_voicemail(Options& options, std::string_view value, bool) {
    const phone::Dialling as_it_is;
    options.dialling.voicemail = trimmed(value);
    if (options.dialling.voicemail.empty()) return {};
    const auto called =
        phone::dialled(value, {.aor = "sip:user@example.invalid", .dialling = as_it_is});
    if (!called) return std::unexpected(called.error());
    return {};
}

Applied apply_pickup(Options& options, std::string_view value, bool) {
    if (!value.empty() && !phone::is_dialling_code(value))
        return wrong_number(value, "is no pickup code: 1 to 16 of 0-9 * #");
    options.dialling.pickup = value;
    return {};
}

// "" is none at all: for who says so.
Applied apply_emergency(Options& options, std::string_view value, bool first) {
    auto& numbers = options.dialling.emergency;
    if (first) numbers.clear();
    if (value.empty()) return {};
    if (!phone::is_dialling_code(value))
        return wrong_number(value, "is no emergency number: 1 to 16 of 0-9 * #");
    if (numbers.size() == phone::emergency_numbers_most)
        return std::unexpected("there are at most " +
                               std::to_string(phone::emergency_numbers_most) +
                               " emergency numbers");
    numbers.emplace_back(value);
    return {};
}

Applied apply_dnd(Options& options, std::string_view value, bool) {
    return flag(options.incoming.do_not_disturb, value);
}

Applied apply_one_call(Options& options, std::string_view value, bool) {
    return flag(options.incoming.one_call, value);
}

namespace {
Applied change(Options& options, const phone::RulesChange& change) {
    auto rules = phone::changed(options.incoming, change);
    if (!rules) return std::unexpected(rules.error());
    options.incoming = *std::move(rules);
    return {};
}
}  // namespace

Applied apply_auto_answer(Options& options, std::string_view value, bool) {
    return change(options, {.auto_answer = std::string(value)});
}

Applied apply_forward(Options& options, std::string_view value, bool) {
    return change(options, {.forward_always = std::string(value)});
}

Applied apply_forward_busy(Options& options, std::string_view value, bool) {
    return change(options, {.forward_busy = std::string(value)});
}

Applied apply_forward_no_answer(Options& options, std::string_view value, bool) {
    return change(options, {.forward_no_answer = std::string(value)});
}

Applied apply_forward_after(Options& options, std::string_view value, bool) {
    return change(options, {.forward_after = std::string(value)});
}

Applied apply_deny(Options& options, std::string_view value, bool first) {
    if (first) options.incoming.deny.clear();
    return change(options, {.deny = std::string(value)});
}

// Of the directory that the phone is started in.
Applied apply_record_calls(Options& options, std::string_view value, bool) {
    std::error_code none;
    auto folder = std::filesystem::absolute(value, none);
    if (value.empty() || none) return wrong(value, "names no directory");
    options.control.recordings.folder = std::move(folder);
    return {};
}

Applied apply_record_format(Options& options, std::string_view value, bool) {
    auto& format = options.control.recordings.format;
    format = phone::recording_format_of("sound." + std::string(value));
    if (format.empty() || format != value) return wrong(value, "is neither wav, opus, ogg nor mp3");
    return {};
}

Applied apply_search(Options& options, std::string_view value, bool) {
    options.control.search = value;
    return {};
}

Applied apply_csv(Options& options, std::string_view value, bool) {
    if (value != "true" && value != "false") return wrong(value, "is neither true nor false");
    options.control.csv = value == "true";
    return {};
}

}  // namespace holdfast::cli
