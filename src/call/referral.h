// REFER and the subscription that it makes (RFC 3515, RFC 3892, RFC 4488), both ends of it.
//
//   we ask:        OurReferral::accepted(2xx) ──NOTIFY──► on_notify() ──► News, until it is decided
//   we are asked:  referral_in(REFER) ──► TheirReferral ──on_time()──► Report, a NOTIFY of ours
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "call/options.h"
#include "sip/message.h"

namespace holdfast::call {

// What a REFER of the peer asks for.
struct Referral {
    std::string uri;        // to be called: without headers, no method but INVITE
    std::string headers{};  // complete lines for its INVITE: Referred-By, Replaces
    std::string by{};       // who asks, in words; "": it does not say
    Reports reports = Reports::wanted;
};
struct Refusal {
    int status = 400;
    std::string reason;
};
// secure: the REFER came in a call that nobody may hear, so it leads to another such.
std::expected<Referral, Refusal> referral_in(const sip::Message& refer, bool secure);

// What became of a REFER of ours.
struct News {
    enum class What : std::uint8_t { nothing, progress, success, failure };
    What what = What::nothing;
    int status = 0;  // of the call that was asked for; 0: nobody knows
    std::string words{};
};

class OurReferral {
public:
    OurReferral(std::string target, Reports reports)
        : target_(std::move(target)), reports_(reports) {}

    [[nodiscard]] const std::string& target() const { return target_; }
    [[nodiscard]] Reports reports() const { return reports_; }
    // A new REFER for the same, because of a challenge, has another number (RFC 3515 §2.4.6).
    void sent_as(std::uint32_t cseq) { cseq_ = cseq; }
    News on_accepted(Instant now, const sip::Message& response);
    // It got there and was accepted, or nobody knows: if it did, a NOTIFY says so.
    News on_unread_answer(Instant now);
    News on_lost(Instant now, std::string_view words);
    // The REFER never left. false: so it was too often.
    bool wait_for_way(Instant now);
    void on_way_found(Instant now);
    bool goes_again(Instant now);  // once, when its time has come
    // unexpected: the NOTIFY is refused with that status.
    std::expected<News, int> on_notify(Instant now, const sip::Message& notify);
    News on_time(Instant now);
    [[nodiscard]] Instant next() const { return std::min(until_, again_); }

private:
    std::string target_;
    Reports reports_;
    std::uint32_t cseq_ = 0;
    int told_ = 0;           // the last status that was told
    Instant until_ = never;  // of the subscription; never: the REFER has no answer yet
    Instant again_ = never;  // it waits for a way, until then at most
    std::size_t ways_ = 0;
};

class TheirReferral {
public:
    TheirReferral(Referral referral, Instant now, std::uint32_t cseq, bool is_first);

    // The application dials it (100), and hears of an answer to that (0: it came to no answer).
    void learn(Instant now, int status);
    struct Report {  // headers and body of a NOTIFY
        std::string headers;
        std::string body;
    };
    // At most one a second, and the next one when the last is answered.
    std::optional<Report> on_time(Instant now);
    void answered();
    // The last did not get there: what is true by then goes when there is a way.
    void lost(Instant now);
    void on_way_found(Instant now);
    // The peer does not want them any more: that ends no call (RFC 3515 §2.4.4).
    void stop_reports() { reports_over_ = true; }

    [[nodiscard]] const Referral& referral() const { return referral_; }
    [[nodiscard]] bool is_awaited() const { return dial_until_ != never; }  // not dialled yet
    [[nodiscard]] bool is_over() const { return !is_awaited() && reports_over_ && !out_; }
    // It is known what has become of it, and the peer is not told yet.
    [[nodiscard]] bool owes_report() const { return is_decided() && !reports_over_; }
    [[nodiscard]] Instant next() const;

private:
    [[nodiscard]] bool is_decided() const { return status_ >= 200; }
    [[nodiscard]] bool has_news() const { return status_ != reported_; }

    Referral referral_;
    std::string event_;  // "refer", or "refer;id=7"
    Instant dial_until_;
    Instant ends_at_;
    Instant report_at_;  // not before
    int status_ = 100;
    int reported_ = 0;
    bool out_ = false;
    bool reports_over_ = false;
    bool waits_for_way_ = false;
    std::size_t ways_ = 0;  // in a row
};

}  // namespace holdfast::call
