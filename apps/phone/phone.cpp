#include "apps/phone/phone.h"

#include <algorithm>
#include <utility>

#include "apps/phone/typed_number.h"
#include "base/signs.h"
#include "engine/input.h"
#include "runtime/clock.h"

namespace holdfast::phone {

namespace {

constexpr int not_available = 480;
constexpr int busy_here = 486;
constexpr int ok = 200;

bool rings_here(const Call& call) { return call.incoming && call.stage == Stage::ringing; }
bool is_dialled(const Call& call) {
    return !call.incoming && call.stage != Stage::talking && call.stage != Stage::ending;
}

std::string number_of(CallRef call) { return std::to_string(call.value); }

AccountId id_of(std::size_t place) { return AccountId{static_cast<std::uint32_t>(place + 1)}; }

}  // namespace

std::string outcome_of(const Call& call, bool ended_by_us, int status, std::string_view reason) {
    constexpr int busy_everywhere = 600;
    constexpr int timeout = 408;
    if (call.answered) return "answered";
    if (call.no_sound) return "no sound";
    if (call.incoming) {
        if (ended_by_us) return "rejected";
        return reason.starts_with("answered elsewhere") ? "answered elsewhere" : "missed";
    }
    if (ended_by_us) return "cancelled";
    if (status == busy_here || status == busy_everywhere) return "busy";
    return status == timeout || status == not_available ? "no answer" : "failed";
}

Phone::Phone(runtime::Loop& loop, runtime::Driver& driver, media::Engine& media,
             const Engine& engine, PhoneSettings settings, PhoneHandlers handlers)
    : loop_(loop),
      driver_(driver),
      engine_(engine),
      settings_(std::move(settings)),
      handlers_(std::move(handlers)),
      patience_(loop, [this] { give_up(); }),
      signals_(loop, media, settings_.signals, [this](CallRef ref) { return facts_of(ref); }),
      calls_(
          driver, media, [this](Instant now, const Event& event) { tell(now, event); },
          [this](Instant now, CallRef ref, const Call& call) { over(now, ref, call); }) {
    for (auto& account : settings_.accounts) account.takes_calls = true;
    if (!settings_.recordings.folder.empty())
        calls_.record_all([this](const Call& call) { return path_for(call); });
}

void Phone::begin() {
    for (std::size_t i = 0; i < settings_.accounts.size(); ++i)
        driver_.submit(in::AddAccount{id_of(i), settings_.accounts[i]});
    tell_useless_forwarding(runtime::boot_time());
}

void Phone::leave() {
    if (std::exchange(leaving_, true)) return driver_.stop();
    signals_.silence();
    patience_.arm(runtime::boot_time() + settings_.leave_within);
    hang_up(Which::all);
    end_if_done();
}

void Phone::end_if_done() {
    if (!leaving_ || !calls_.empty() || std::exchange(shut_down_, true)) return;
    driver_.submit(in::ShutDown{});
}

// The engine has its own limit from here on.
void Phone::give_up() {
    if (std::exchange(shut_down_, true)) return;
    gave_up_ = true;
    for (const auto& [ref, call] : calls_.all()) {
        Event event{.kind = EventKind::notice, .account = call.account, .call = ref};
        event.reason = "the call or its sound has not ended within " +
                       std::to_string(settings_.leave_within / std::chrono::seconds{1}) +
                       " s; the phone ends without it, and a recording of it may be incomplete";
        tell(runtime::boot_time(), event);
    }
    driver_.submit(in::ShutDown{});
}

void Phone::over_all(Instant now) {
    signals_.silence();
    for (const auto& [ref, call] : std::map(calls_.all())) calls_.give_up(now, ref);
}

void Phone::register_now() { driver_.submit(in::RegisterNow{}); }

const std::string& Phone::aor_of(AccountId account) const {
    static const std::string nobody;
    static const std::string direct(direct_call);
    if (is_direct(account)) return direct;
    const auto place = static_cast<std::size_t>(account.value) - 1;
    return place < settings_.accounts.size() ? settings_.accounts[place].aor : nobody;
}

Done<AccountId> Phone::account_of(const std::string& text) const {
    if (text.empty() || (text == direct_call && is_direct(id_of(0)))) return id_of(0);
    std::vector<AccountId> found;
    for (std::size_t i = 0; i < settings_.accounts.size(); ++i) {
        const auto& aor = settings_.accounts[i].aor;
        if (aor == text) return id_of(i);
        const auto user = aor.find(':') + 1;
        if (aor.substr(user) == text || aor.substr(user, aor.rfind('@') - user) == text)
            found.push_back(id_of(i));
    }
    if (found.size() == 1) return found.front();
    if (!found.empty())
        return std::unexpected("Several accounts are called \"" + text + "\": name one whole");
    return std::unexpected("There is no account " +
                           (may_be_pin(text) ? "of that number" : in_quotes(text)) +
                           " on this phone");
}

Done<CallRef> Phone::choose(std::optional<CallRef> named, Fits fits, std::string_view what) const {
    std::optional<CallRef> only;
    bool several = false;
    for (const auto& [ref, call] : calls_.all()) {
        const auto line = lines_.find(ref);
        const bool does =
            call.stage != Stage::ending && fits(call, line == lines_.end() ? Line{} : line->second);
        if (named && *named == ref) {
            if (does) return ref;
            return std::unexpected("Call " + number_of(ref) + " is no call that " +
                                   std::string(what));
        }
        several = several || (does && only);
        if (does) only = ref;
    }
    if (named) return std::unexpected("There is no call " + number_of(*named));
    if (several)
        return std::unexpected("There are several calls that each " + std::string(what) +
                               ": say which (status lists them)");
    if (!only) return std::unexpected("There is no call that " + std::string(what));
    return *only;
}

Done<CallRef> Phone::answer(std::optional<CallRef> named) {
    const auto call =
        choose(named, [](const Call& one, const Line&) { return rings_here(one); }, "rings here");
    if (!call) return call;
    answering_.erase(*call);
    calls_.answer(*call, settings_.calls);
    signals_.update(calls_.all());
    return call;
}

Done<CallRef> Phone::reject(std::optional<CallRef> named, int status) {
    const auto call =
        choose(named, [](const Call& one, const Line&) { return rings_here(one); }, "rings here");
    if (!call) return call;
    lines_[*call].ended_by_us = true;
    calls_.reject(*call, status);
    signals_.update(calls_.all());
    return call;
}

// One that rings here is rejected by it (486), one that is being answered ends all the same.
void Phone::hang_up_line(CallRef ref) {
    lines_[ref].ended_by_us = true;
    calls_.hang_up(ref);
    signals_.update(calls_.all());
}

Done<CallRef> Phone::hang_up(std::optional<CallRef> named) {
    const auto call =
        choose(named, [](const Call&, const Line&) { return true; }, "could be hung up");
    if (call) hang_up_line(*call);
    return call;
}

std::vector<CallRef> Phone::hang_up(Which which) {
    std::vector<CallRef> chosen;
    for (const auto& [ref, call] : calls_.all()) {
        const bool is_meant = which == Which::all ||
                              (which == Which::incoming && rings_here(call)) ||
                              (which == Which::calling && is_dialled(call));
        if (is_meant && call.stage != Stage::ending) chosen.push_back(ref);
    }
    for (const auto ref : chosen) hang_up_line(ref);
    return chosen;
}

Done<CallRef> Phone::hold(std::optional<CallRef> named) {
    const auto call = choose(
        named,
        [](const Call& one, const Line& line) { return one.stage == Stage::talking && !line.held; },
        "can be put on hold");
    if (call) calls_.hold(*call);
    return call;
}

Done<CallRef> Phone::resume(std::optional<CallRef> named) {
    const auto call = choose(
        named,
        [](const Call& one, const Line& line) { return one.stage == Stage::talking && line.held; },
        "is on hold");
    if (call) calls_.resume(*call);
    return call;
}

Done<CallRef> Phone::press(std::optional<CallRef> named, const std::string& digits) {
    constexpr std::string_view known = "0123456789*#ABCDabcd,";  // RFC 4733 §3.2, and a pause
    if (digits.empty() || digits.size() > digits_most ||
        digits.find_first_not_of(known) != std::string::npos)
        return std::unexpected("Digits are 0-9 * # A-D, a comma is a pause; 1 to " +
                               std::to_string(digits_most) + " of them");
    if (named && !calls_.all().contains(*named))  // of "dtmf 12 34" either may be of a PIN
        return std::unexpected(
            "There is no call of the number in front of the digits, which stand without blanks");
    const auto call = choose(
        named,
        [](const Call& one, const Line& line) { return one.stage == Stage::talking && !line.held; },
        "could hear digits");
    if (call && !calls_.press(*call, digits))
        return std::unexpected("More than " + std::to_string(digits_waiting_most) +
                               " digits would wait for the sound of call " + number_of(*call) +
                               ": send these when it is there");
    return call;
}

Done<CallRef> Phone::mute(std::optional<CallRef> named, std::optional<bool> microphone,
                          std::optional<bool> speaker) {
    const auto call = choose(
        named, [](const Call& one, const Line&) { return one.stage == Stage::talking; },
        "is answered");
    if (!call) return call;
    if (const auto* const now = calls_.settings(*call))
        calls_.mute(*call, microphone.value_or(now->microphone_muted),
                    speaker.value_or(now->speaker_muted));
    return call;
}

std::vector<AccountView> Phone::accounts() const {
    std::vector<AccountView> views;
    for (std::size_t i = 0; i < settings_.accounts.size(); ++i) {
        AccountView view{.aor = aor_of(id_of(i)), .state = "beginning"};
        if (const auto status = engine_.status(id_of(i))) {
            view.registered = status->registered;
            view.reachable = status->proven;
            view.state = status->state;
        }
        views.push_back(std::move(view));
    }
    return views;
}

std::vector<CallView> Phone::calls() const {
    std::vector<CallView> views;
    const auto now = runtime::boot_time();
    for (const auto& [ref, call] : calls_.all()) {
        const auto found = lines_.find(ref);
        const auto line = found == lines_.end() ? Line{} : found->second;
        const auto* const sound = calls_.settings(ref);
        views.push_back({.call = ref,
                         .account = aor_of(call.account),
                         .incoming = call.incoming,
                         .peer = call.peer,
                         .stage = call.stage,
                         .held = line.held,
                         .held_by_other = line.held_by_other,
                         .microphone_muted = sound != nullptr && sound->microphone_muted,
                         .speaker_muted = sound != nullptr && sound->speaker_muted,
                         .recording = call.recording,
                         .conference = call.conference,
                         .talked = call.answered
                                       ? std::optional(line.ended.value_or(now) - *call.answered)
                                       : std::nullopt});
    }
    return views;
}

// The calls first: what is told of a call is true of it by then.
void Phone::on_event(Instant now, const Event& whole) {
    auto event = whole;  // what others say may be long, and meant for a terminal
    event.reason = one_line(whole.reason, text_most);
    event.contact = one_line(whole.contact, text_most);
    if (event.kind == EventKind::stopped) over_all(now);
    // Of the whole text: what is cut would hide who calls.
    const auto verdict = event.kind == EventKind::ring ? verdict_on_ring(whole) : Verdict{};
    const auto* refused = std::get_if<Refuse>(&verdict);
    const auto* forwarded = std::get_if<Forward>(&verdict);
    tell(now, refused != nullptr     ? refused_event(event, *refused)
              : forwarded != nullptr ? forwarded_event(event, *forwarded)
                                     : event);
    // Nothing new begins any more.
    if (leaving_ && event.kind == EventKind::referred) return;
    if (leaving_ && event.kind == EventKind::replaced)
        return driver_.submit(in::Reject{.call = event.call, .status = not_available});
    const bool ends_unanswered = comes_to_nothing(event);
    calls_.on_event(now, event);
    note_new_calls();
    if (refused != nullptr) refuse(event.call, *refused);
    if (forwarded != nullptr) forward(event.call, *forwarded);
    // One that is to be answered by itself may ring on: if there is another call by then.
    const bool rings_on =
        event.kind == EventKind::ring && refused == nullptr && forwarded == nullptr;
    if (rings_on && may_be_forwarded(whole.diverted_by, aor_of(event.account)))
        forward_later(event.call);
    if (const auto* how = std::get_if<AnswerItself>(&verdict)) answer_later(event.call, *how);
    if (leaving_ && event.kind == EventKind::answered && lines_.contains(event.call))
        hang_up_line(event.call);
    if (ends_unanswered) return signals_.came_to_nothing(calls_.all(), event.status);
    signals_.update(calls_.all());
}

// Ours, those that come, and those that the other side of another one has asked for.
void Phone::note_new_calls() {
    for (const auto& [ref, call] : calls_.all())
        if (const auto [line, is_new] = lines_.try_emplace(ref); is_new) {
            line->second.began = runtime::wall_clock();
            handlers_.began(ref, past_of(call, line->second));
        }
}

runtime::PastCall Phone::past_of(const Call& call, const Line& line) const {
    return {.account = aor_of(call.account),
            .incoming = call.incoming,
            .peer = call.peer,
            .started = line.began,
            .status = line.status,
            .reason = line.reason};
}

void Phone::note(Instant now, const Event& event) {
    const auto line = lines_.find(event.call);
    if (line == lines_.end()) return;
    auto& [ref, what] = *line;
    const bool by_us = event.reason == "by us";
    switch (event.kind) {
    case EventKind::held:
        (by_us ? what.held : what.held_by_other) = true;
        if (by_us) leave_conference(ref);
        break;
    case EventKind::resumed: (by_us ? what.held : what.held_by_other) = false; break;
    case EventKind::call_ended:
        what.ended = now;
        what.status = event.status;
        what.reason = event.reason;
        break;
    default: break;
    }
}

void Phone::tell(Instant now, const Event& event) {
    if (event.call) note(now, event);
    handlers_.tell(now, event, aor_of(event.account));
}

void Phone::over(Instant now, CallRef ref, const Call& call) {
    const auto found = lines_.find(ref);
    const auto line = found == lines_.end() ? Line{} : found->second;
    if (found != lines_.end()) lines_.erase(found);
    answering_.erase(ref);
    forwarding_.erase(ref);
    auto past = past_of(call, line);
    past.outcome = outcome_of(call, line.ended_by_us, line.status, line.reason);
    if (!line.refused_because.empty() && !call.answered) {
        past.outcome = line.forwarded ? "forwarded" : "refused";
        past.reason = line.refused_because;
    }
    if (call.answered)
        past.talked = (line.ended.value_or(now) - *call.answered) / std::chrono::seconds{1};
    if (call.no_sound && !call.answered) past.reason = call.why_no_sound;
    if (past.status == ok) past.status = call.answered ? ok : 0;
    handlers_.over(ref, past);
    end_directly(call.account);
    end_if_done();
}

}  // namespace holdfast::phone
