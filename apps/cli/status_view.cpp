#include "apps/cli/status_view.h"

#include <algorithm>

namespace holdfast::cli {

namespace {

constexpr std::size_t lately_most = 12;

bool is_bad(EventKind kind) {
    switch (kind) {
    case EventKind::attempt_failed:
    case EventKind::suspect:
    case EventKind::unreachable:
    case EventKind::auth_failed:
    case EventKind::refused:
    case EventKind::waiting:
    case EventKind::flow_lost:
    case EventKind::not_connected: return true;
    case EventKind::resolved:
    case EventKind::attempt:
    case EventKind::probed:
    case EventKind::registered:
    case EventKind::refreshed:
    case EventKind::moved:
    case EventKind::mapping_changed:
    case EventKind::reachable:
    case EventKind::unprovable:
    case EventKind::binding_removed:
    case EventKind::binding_debt:
    case EventKind::unregistered:
    case EventKind::ring:
    case EventKind::dialling:
    case EventKind::ringing:
    case EventKind::early_media:
    case EventKind::answered:
    case EventKind::held:
    case EventKind::resumed:
    case EventKind::transferring:
    case EventKind::transferred:
    case EventKind::transfer_failed:
    case EventKind::referred:
    case EventKind::replaced:
    case EventKind::sound:
    case EventKind::sound_failed:
    case EventKind::silent:
    case EventKind::heard:
    case EventKind::dtmf:
    case EventKind::digits_sent:
    case EventKind::digits_failed:
    case EventKind::played:
    case EventKind::recorded:
    case EventKind::measured:
    case EventKind::call_ended:
    case EventKind::notice:
    case EventKind::connected:
    case EventKind::stopped: return false;
    }
    return false;
}

std::string_view sequence_of(Tone tone) {
    switch (tone) {
    case Tone::plain: return "";
    case Tone::strong: return "\x1b[1m";
    case Tone::good: return "\x1b[32m";
    case Tone::bad: return "\x1b[31m";
    case Tone::faint: return "\x1b[2m";
    }
    return "";
}

}  // namespace

void StatusView::on_event(Instant now, const Event& event) {
    note_binding(now, event);
    note_target(now, event);
    note_state(now, event);
    log(now, event);
}

void StatusView::note_binding(Instant now, const Event& event) {
    const auto kind = event.kind;
    if (kind == EventKind::unregistered) bindings_.erase(event.reg_id);
    const bool failed =
        kind == EventKind::waiting || kind == EventKind::refused || kind == EventKind::auth_failed;
    if (failed && event.reg_id == 0) bindings_.clear();  // a plain client has one, and says it so
    if (kind == EventKind::mapping_changed && event.target) {
        for (auto& [reg_id, binding] : bindings_)
            if (binding.target == *event.target) binding.mapping = event.mapping;
    }
    const bool holds =
        kind == EventKind::registered || kind == EventKind::refreshed || kind == EventKind::moved;
    if (!holds || !event.target) return;
    const bool is_new = kind == EventKind::registered || !bindings_.contains(event.reg_id);
    auto& binding = bindings_[event.reg_id];
    if (is_new) binding.since = now;
    binding.target = *event.target;
    if (event.mapping) binding.mapping = event.mapping;
    if (event.rtt) binding.rtt = event.rtt;
    if (!event.contact.empty()) binding.contact = event.contact;
    if (event.expires) binding.ends = now + *event.expires;
}

void StatusView::note_target(Instant now, const Event& event) {
    if (event.kind == EventKind::resolved) {
        std::vector<Row> rows;
        for (const auto& target : event.targets) {
            const auto known = std::ranges::find_if(
                targets_, [&](const Row& row) { return row.target.target == target.target; });
            rows.push_back(known == targets_.end() ? Row{} : *known);
            rows.back().target = target;
        }
        if (!rows.empty())
            targets_ = std::move(rows);  // while DNS fails, the servers are still there
        return;
    }
    if (!event.target) return;
    const auto row = std::ranges::find_if(
        targets_, [&](const Row& r) { return r.target.target == *event.target; });
    if (row == targets_.end()) return;
    const auto at = " at " + clock_.time_of_day(now);
    const bool answered = event.kind == EventKind::registered || event.kind == EventKind::moved ||
                          event.kind == EventKind::refreshed || event.kind == EventKind::probed;
    if (event.kind == EventKind::attempt_failed || event.kind == EventKind::suspect) {
        row->news = printable(event.reason) + at;
        row->bad = true;
    } else if (event.kind == EventKind::attempt) {
        row->news = "asked" + at;
    } else if (answered) {
        row->bad = event.kind == EventKind::probed && event.reason != "alive";
        row->news = event.kind == EventKind::probed ? event.reason + at : "";
        if (event.rtt && !row->bad)
            row->news += (row->news.empty() ? "" : ", ") + in_words(*event.rtt);
    }
}

void StatusView::note_state(Instant now, const Event& event) {
    switch (event.kind) {
    case EventKind::reachable:
    case EventKind::unreachable:
    case EventKind::unprovable: {
        const auto reach = event.kind == EventKind::reachable     ? Reach::proven
                           : event.kind == EventKind::unreachable ? Reach::not_proven
                                                                  : Reach::unprovable;
        if (reach != reach_) reach_since_ = now;
        reach_ = reach;
        return;
    }
    case EventKind::resolved:
        state_ = event.targets.empty() ? "no server is known" : "servers are known";
        return;
    case EventKind::attempt:
        state_ = "trying " + (event.target ? event.target->to_string() : "");
        return;
    case EventKind::waiting:
        state_ = "no server could be used";
        if (event.expires) state_ += "; next try by " + clock_.time_of_day(now + *event.expires);
        return;
    case EventKind::refused:
        state_ = "refused";
        if (event.expires) state_ += "; next try at " + clock_.time_of_day(now + *event.expires);
        return;
    case EventKind::auth_failed: state_ = "the password does not work"; return;
    case EventKind::unregistered:
        reach_ = Reach::unknown;
        state_ = "not registered";
        return;
    case EventKind::ring: ringing_ = printable(event.reason); return;
    case EventKind::answered:
    case EventKind::call_ended: ringing_.clear(); return;
    case EventKind::connected:
        state_ = event.contact.empty()
                     ? "calling by way of " + (event.target ? event.target->to_string() : "")
                     : "can be called at " + printable(event.contact);
        return;
    case EventKind::not_connected: state_ = "nobody can be called there"; return;
    case EventKind::stopped: state_ = "stopped"; return;
    case EventKind::dialling:
    case EventKind::ringing:
    case EventKind::early_media:
    case EventKind::held:
    case EventKind::resumed:
    case EventKind::transferring:
    case EventKind::transferred:
    case EventKind::transfer_failed:
    case EventKind::referred:
    case EventKind::replaced:
    case EventKind::sound:
    case EventKind::sound_failed:
    case EventKind::silent:
    case EventKind::heard:
    case EventKind::dtmf:
    case EventKind::digits_sent:
    case EventKind::digits_failed:
    case EventKind::played:
    case EventKind::recorded:
    case EventKind::measured:
    case EventKind::attempt_failed:
    case EventKind::probed:
    case EventKind::registered:
    case EventKind::refreshed:
    case EventKind::moved:
    case EventKind::mapping_changed:
    case EventKind::suspect:
    case EventKind::binding_removed:
    case EventKind::binding_debt:
    case EventKind::notice:
    case EventKind::flow_lost: return;
    }
}

void StatusView::log(Instant now, const Event& event) {
    const auto time = clock_.time_of_day(now) + "  ";
    if (event.kind == EventKind::resolved) {  // its rows stand above
        if (event.targets.empty()) lately_.push_back({time + words_of(event).front(), Tone::bad});
    } else {
        for (const auto& line : words_of(event))
            lately_.push_back({time + line, is_bad(event.kind) ? Tone::bad : Tone::plain});
    }
    while (lately_.size() > lately_most) lately_.pop_front();
}

StyledLine StatusView::heading() const {
    if (bindings_.empty()) return {aor_ + "  " + state_, Tone::strong};
    auto words = aor_ + "  registered since " + clock_.time_of_day(bindings_.begin()->second.since);
    switch (reach_) {
    case Reach::unknown: break;
    case Reach::proven: words += ", reachable since " + clock_.time_of_day(reach_since_); break;
    case Reach::not_proven:
        words += ", NOT reachable since " + clock_.time_of_day(reach_since_);
        break;
    case Reach::unprovable: words += ", reachability cannot be proven here"; break;
    }
    return {words, reach_ == Reach::not_proven ? Tone::bad : Tone::good};
}

std::vector<StyledLine> StatusView::binding_lines(const Binding& binding) const {
    std::vector<StyledLine> lines;
    std::string server = "  server   " + binding.target.to_string();
    if (binding.rtt) server += ", answers in " + in_words(*binding.rtt);
    lines.push_back({server});
    if (binding.mapping) lines.push_back({"  mapping  " + binding.mapping->to_string()});
    if (!binding.contact.empty()) lines.push_back({"  contact  " + printable(binding.contact)});
    if (binding.ends)
        lines.push_back({"  until    " + clock_.time_of_day(*binding.ends) + ", refreshed before"});
    return lines;
}

StyledLine StatusView::target_line(std::size_t index) const {
    const auto& row = targets_[index];
    const bool current = std::ranges::any_of(
        bindings_, [&](const auto& binding) { return binding.second.target == row.target.target; });
    auto words = (current ? "* " : "  ") + row_in_words(index + 1, row.target);
    if (!row.news.empty()) words += "  " + row.news;
    return {words, row.bad ? Tone::bad : current ? Tone::good : Tone::plain};
}

std::vector<StyledLine> StatusView::lines(TerminalSize size) const {
    std::vector<StyledLine> all{heading()};
    for (const auto& [reg_id, binding] : bindings_)
        for (auto& line : binding_lines(binding)) all.push_back(std::move(line));
    if (!ringing_.empty()) all.push_back({"  ringing: " + ringing_, Tone::strong});
    if (!targets_.empty()) all.push_back({"servers", Tone::faint});
    for (std::size_t i = 0; i < targets_.size(); ++i) all.push_back(target_line(i));
    const std::size_t most = std::max<std::size_t>(size.rows, 2) - 1;
    const std::size_t room = most > all.size() + 1 ? most - all.size() - 1 : 0;
    if (room > 0 && !lately_.empty()) {
        all.push_back({"lately", Tone::faint});
        const auto shown = std::min(room, lately_.size());
        all.insert(all.end(), lately_.end() - static_cast<std::ptrdiff_t>(shown), lately_.end());
    }
    if (all.size() > most) all.resize(most);
    for (auto& line : all) {
        std::ranges::replace(line.text, '\n', ' ');
        std::ranges::replace(line.text, '\t', ' ');
        line.text = shortened(line.text, size.columns);
    }
    return all;
}

std::string redrawn(const std::vector<StyledLine>& now, std::size_t before, bool color) {
    std::string text;
    if (before > 0) text += "\x1b[" + std::to_string(before) + "A";
    text += "\r\x1b[J";
    for (const auto& line : now) {
        const auto sequence = color ? sequence_of(line.tone) : std::string_view{};
        text.append(sequence)
            .append(line.text)
            .append(sequence.empty() ? "" : "\x1b[0m")
            .append("\n");
    }
    return text;
}

}  // namespace holdfast::cli
