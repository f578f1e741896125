// What a user can say about a call (call, answer, phone), and to a running phone (ctl), as the
// table of options wants it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace holdfast::cli {

struct Options;

// The value in quotes, and what it is not.
std::unexpected<std::string> wrong(std::string_view value, std::string_view why);
// true or false.
std::expected<void, std::string> flag(bool& place, std::string_view value);

std::expected<void, std::string> apply_account(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_play(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_dtmf(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_duration(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_transfer(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_refuse_transfers(Options& options, std::string_view value,
                                                        bool);
std::expected<void, std::string> apply_withhold_number(Options& options, std::string_view value,
                                                       bool);
std::expected<void, std::string> apply_codec(Options& options, std::string_view value, bool first);
std::expected<void, std::string> apply_srtp(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_srtp_keys(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_dtmf_by(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_ports(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_socket(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_prefix(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_dial_plan(Options& options, std::string_view value,
                                                 bool first);
std::expected<void, std::string> apply_voicemail(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_pickup(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_emergency(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_dnd(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_one_call(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_auto_answer(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_forward(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_forward_busy(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_forward_no_answer(Options& options, std::string_view value,
                                                         bool);
std::expected<void, std::string> apply_forward_after(Options& options, std::string_view value,
                                                     bool);
std::expected<void, std::string> apply_deny(Options& options, std::string_view value, bool first);
std::expected<void, std::string> apply_record_calls(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_record_format(Options& options, std::string_view value,
                                                     bool);
std::expected<void, std::string> apply_search(Options& options, std::string_view value, bool);
std::expected<void, std::string> apply_csv(Options& options, std::string_view value, bool);

}  // namespace holdfast::cli
