#include "call/referral.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "call/limits.h"
#include "call/words.h"
#include "dialog/replaces.h"
#include "dialog/request.h"
#include "sip/response.h"
#include "sip/uri.h"

namespace holdfast::call {

using sip::HeaderName;

namespace {

// The only line of that name; nothing: there is none, or several.
std::optional<std::string_view> only(const sip::Message& message, HeaderName name) {
    const auto count = std::ranges::count(message.headers(), name, &sip::Header::name);
    return count == 1 ? message.header(name) : std::nullopt;
}

// A value up to its parameters, and one of these.
std::string_view without_parameters(std::string_view value) {
    return trimmed(value.substr(0, value.find(';')));
}
std::optional<std::string_view> parameter_of(std::string_view value, std::string_view name) {
    for (auto next = value.find(';'); next != std::string_view::npos; next = value.find(';')) {
        value.remove_prefix(next + 1);
        const auto parameter = value.substr(0, value.find(';'));
        const auto equals = parameter.find('=');
        if (equals != std::string_view::npos &&
            equals_ignoring_case(trimmed(parameter.substr(0, equals)), name))
            return trimmed(parameter.substr(equals + 1));
    }
    return std::nullopt;
}

bool says_false(const sip::Message& message) {  // RFC 4488 §4
    const auto value = message.header(HeaderName::refer_sub);
    return value && equals_ignoring_case(without_parameters(*value), "false");
}

// Of all headers that a URI may bring only Replaces is ours to obey (RFC 3261 §19.1.5).
// unexpected: there is one that cannot be read.
std::expected<std::string, Refusal> replaces_line(const sip::Uri& uri) {
    std::string line;
    for (auto rest = uri.headers; !rest.empty();) {
        const auto end = rest.find('&');
        const auto header = rest.substr(0, end);
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
        const auto equals = header.find('=');
        if (equals == std::string_view::npos ||
            !equals_ignoring_case(sip::percent_decode(header.substr(0, equals)), "Replaces"))
            continue;
        const auto replaces =
            dialog::parse_replaces(sip::percent_decode(header.substr(equals + 1)));
        if (!replaces || !line.empty())
            return std::unexpected(Refusal{400, "Replaces in Refer-To Cannot Be Read"});
        // RFC 3891 §6.2: who does not know it must not take the call for a new one.
        line = "Require: replaces\r\nReplaces: " + dialog::to_text(*replaces) + "\r\n";
    }
    return line;
}

// RFC 3892 §2.2. Deviates: a token, which would be a body, is not passed on, nor then its cid.
std::string referred_by_line(const sip::NameAddr& by) {
    const bool has_token = by.parameters.has("cid");
    return "Referred-By: " +
           (has_token ? "<" + std::string(by.uri.text) + ">" : std::string(by.text)) + "\r\n";
}

// RFC 3515 §2.4.5: "SIP/2.0 180 Ringing"; nothing: it does not begin with a status line.
struct Fragment {
    int status = 0;
    std::string words;
};
std::optional<Fragment> fragment_of(const sip::Message& notify) {
    constexpr std::string_view version = "SIP/2.0 ";
    auto line = notify.body().substr(0, notify.body().find_first_of("\r\n"));
    if (!equals_ignoring_case(notify.media_type(), "message/sipfrag") ||
        !equals_ignoring_case(line.substr(0, version.size()), version))
        return std::nullopt;
    line.remove_prefix(version.size());
    const auto status = parse_number<std::uint32_t>(line.substr(0, 3));
    if (!status || *status < 100 || *status > 699) return std::nullopt;
    return Fragment{static_cast<int>(*status),
                    std::string(trimmed(line.substr(std::min<std::size_t>(3, line.size()))))};
}

}  // namespace

std::expected<Referral, Refusal> referral_in(const sip::Message& refer, bool secure) {
    const auto refuse = [](int status, std::string reason) {
        return std::unexpected(Refusal{status, std::move(reason)});
    };
    const auto value = only(refer, HeaderName::refer_to);
    const auto target = value ? sip::OwnedNameAddr::parse(*value)
                              : std::expected<sip::OwnedNameAddr, sip::ParseError>(
                                    std::unexpect, sip::ParseError{});
    // RFC 3515 §2.4.2; two values in one line are none that can be read.
    if (!target) return refuse(400, "Not One Refer-To");
    const auto& uri = (*target)->uri;
    // §2.4.2: no scheme that we do not call; of a call that nobody may hear none in clear text.
    if (!uri.is_sip() && uri.scheme != sip::Scheme::tel)
        return refuse(403, "Refer-To Is No Address That Can Be Called");
    if (secure && uri.scheme != sip::Scheme::sips)
        return refuse(403, "This Call Leads to sips Addresses Only");
    if (const auto method = uri.parameters.find("method"); method && *method != "INVITE")
        return refuse(403, "Only Calls Are Made for a REFER");
    Referral referral{.uri = dialog::as_request_uri(uri)};
    auto replaces = replaces_line(uri);
    if (!replaces) return std::unexpected(std::move(replaces.error()));
    referral.headers = *std::move(replaces);
    if (const auto by = only(refer, HeaderName::referred_by))
        if (const auto who = sip::OwnedNameAddr::parse(*by)) {
            referral.headers += referred_by_line(who->get());
            referral.by = party_in_words(who->get());
        }
    if (says_false(refer)) referral.reports = Reports::unwanted;
    return referral;
}

News OurReferral::on_accepted(Instant now, const sip::Message& response) {
    if (until_ != never) return {};  // a NOTIFY was quicker (RFC 3515 §2.4.4)
    // RFC 4488 §4: nothing more is said of it, and it was asked for so.
    if (reports_ == Reports::unwanted && says_false(response))
        return {News::What::success, 0, "accepted"};
    until_ = now + limits::first_report;
    return {News::What::progress, response.status(), "accepted"};
}

News OurReferral::on_unread_answer(Instant now) {
    if (until_ != never) return {};
    until_ = now + limits::first_report;
    return {News::What::progress, 0, "accepted"};
}

// A second REFER might have the peer call twice: it does not go again.
News OurReferral::on_lost(Instant now, std::string_view words) {
    if (until_ != never) return {};
    const auto why = "it is not known whether the other side has been asked: " + std::string(words);
    if (reports_ == Reports::unwanted) return {News::What::failure, 0, why};
    until_ = now + limits::first_report;
    return {News::What::progress, 0, why};
}

bool OurReferral::wait_for_way(Instant now) {
    if (ways_++ >= limits::ways) return false;
    again_ = now + limits::way_again;
    return true;
}

void OurReferral::on_way_found(Instant now) {
    if (again_ != never) again_ = now;
}

bool OurReferral::goes_again(Instant now) {
    if (again_ > now) return false;
    again_ = never;
    return true;
}

std::expected<News, int> OurReferral::on_notify(Instant now, const sip::Message& notify) {
    const auto event = notify.header(HeaderName::event).value_or("");
    if (!equals_ignoring_case(without_parameters(event), "refer")) return std::unexpected(489);
    const auto id = parameter_of(event, "id");
    if (id && *id != std::to_string(cseq_)) return std::unexpected(481);
    const auto state = notify.header(HeaderName::subscription_state);
    if (!state) return std::unexpected(400);  // RFC 3265 §7.2
    const auto seconds = parse_number<std::uint32_t>(parameter_of(*state, "expires").value_or(""));
    const Duration life =
        seconds ? std::min<Duration>(std::chrono::seconds{*seconds}, limits::longest_reports)
                : limits::referral_reports;
    until_ = now + life;
    const auto fragment = fragment_of(notify);
    if (fragment && fragment->status >= 300)
        return News{News::What::failure, fragment->status, fragment->words};
    if (fragment && fragment->status >= 200)
        return News{News::What::success, fragment->status, fragment->words};
    if (equals_ignoring_case(without_parameters(*state), "terminated"))
        return News{News::What::failure, 0, "the other side does not say what becomes of it"};
    if (!fragment || fragment->status == std::exchange(told_, fragment->status)) return News{};
    return News{News::What::progress, fragment->status, fragment->words};
}

News OurReferral::on_time(Instant now) {
    if (until_ > now) return {};
    until_ = never;
    return {News::What::failure, 0, "the other side says no more what becomes of it"};
}

TheirReferral::TheirReferral(Referral referral, Instant now, std::uint32_t cseq, bool is_first)
    : referral_(std::move(referral)),
      event_(is_first ? "refer" : "refer;id=" + std::to_string(cseq)),
      dial_until_(now + limits::referral_dialled),
      ends_at_(now + limits::referral_reports),
      report_at_(now),
      reports_over_(referral_.reports == Reports::unwanted) {}

void TheirReferral::learn(Instant now, int status) {
    if (dial_until_ != never) {
        dial_until_ = never;
        ends_at_ = now + limits::referral_reports;
    }
    if (is_decided()) return;
    status_ = status >= 100 && status <= 699 ? status : 503;
}

std::optional<TheirReferral::Report> TheirReferral::on_time(Instant now) {
    // RFC 3515 §2.4.5: it was accepted, and nobody follows it.
    if (dial_until_ <= now) learn(now, 603);
    if (reports_over_ || out_ || report_at_ > now) return std::nullopt;
    const bool ends = is_decided() || ends_at_ <= now;
    if (!has_news() && !ends) return std::nullopt;
    reported_ = status_;
    reports_over_ = ends;
    out_ = true;
    waits_for_way_ = false;
    report_at_ = now + limits::between_reports;
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(ends_at_ - now).count();
    std::string state = "active;expires=" + std::to_string(left);
    if (ends) state = is_decided() ? "terminated;reason=noresource" : "terminated;reason=timeout";
    return Report{"Event: " + event_ + "\r\nSubscription-State: " + state + "\r\n",
                  // RFC 3515 §5: nothing else of what was answered there goes back.
                  "SIP/2.0 " + std::to_string(status_) + " " +
                      std::string(sip::reason_phrase_of(status_)) + "\r\n"};
}

void TheirReferral::answered() {
    out_ = false;
    ways_ = 0;
}

void TheirReferral::lost(Instant now) {
    out_ = false;
    if (ways_++ >= limits::ways) return stop_reports();
    reported_ = 0;
    reports_over_ = false;
    waits_for_way_ = true;
    report_at_ = now + limits::way_again;
}

void TheirReferral::on_way_found(Instant now) {
    if (std::exchange(waits_for_way_, false)) report_at_ = now;
}

Instant TheirReferral::next() const {
    if (reports_over_ || out_) return dial_until_;  // an answer to the last is an input of its own
    return std::min(dial_until_, has_news() ? report_at_ : std::max(ends_at_, report_at_));
}

}  // namespace holdfast::call
