#include "lab/transcript.h"

#include <algorithm>
#include <utility>

#include "lab/caller.h"

namespace holdfast::lab {

namespace {

bool is_keep_alive(std::string_view bytes) {
    return bytes.find_first_not_of(std::string_view("\r\n\0", 3)) == std::string_view::npos ||
           static_cast<unsigned char>(bytes.front()) < 4;  // STUN's first two bits are zero
}

About about_of(const Packet& packet) {
    switch (packet.kind) {
    case PacketKind::syn:
    case PacketKind::fin:
    case PacketKind::reset:
    case PacketKind::icmp: return About::signalling;
    case PacketKind::syn_ack:
    case PacketKind::ack: return About::segment;
    case PacketKind::datagram:
    case PacketKind::data: break;
    }
    if (is_keep_alive(packet.bytes)) return About::keep_alive;
    return packet.bytes.contains(Caller::uri) ? About::call : About::signalling;
}

}  // namespace

std::string_view name_of(About about) {
    switch (about) {
    case About::signalling: return "signalling";
    case About::call: return "call";
    case About::keep_alive: return "keep-alive";
    case About::segment: return "segment";
    }
    return "?";
}

bool Transcript::Budget::take() {
    if (chapter == 0) return false;
    --chapter;
    --left;
    return true;
}

Transcript::Transcript(TranscriptOptions options)
    : options_(std::move(options)),
      signalling_{options_.signalling_most, options_.signalling_most},
      routine_{options_.routine_most, options_.routine_most} {
    const auto chapters = options_.chapters.size() + 1;
    signalling_.chapter /= chapters;
    routine_.chapter /= chapters;
}

void Transcript::begin_chapters(Instant now) {
    while (chapter_ < options_.chapters.size() && now >= options_.chapters[chapter_]) {
        ++chapter_;
        const auto to_come = options_.chapters.size() + 1 - chapter_;
        signalling_.chapter = signalling_.left / to_come;
        routine_.chapter = routine_.left / to_come;
        gap_.reset();
    }
}

void Transcript::leave_out(std::size_t number, Instant at, bool is_routine) {
    if (!gap_) {
        gap_ = lines_.size();
        lines_.push_back({.number = number, .at = at, .is_gap = true});
    }
    auto& gap = lines_[*gap_];
    ++(is_routine ? gap.left_out_routine : gap.left_out);
}

void Transcript::record(std::size_t number, Instant at, const Packet& packet, std::string from,
                        std::string to) {
    begin_chapters(at);
    const auto about = about_of(packet);
    const bool is_routine = about != About::signalling;
    if (!(is_routine ? routine_ : signalling_).take()) return leave_out(number, at, is_routine);
    lines_.push_back({.number = number,
                      .at = at,
                      .about = about,
                      .from = std::move(from),
                      .to = std::move(to),
                      .packet = packet});
}

void Transcript::note(std::size_t number, Instant at, std::string text) {
    begin_chapters(at);
    if (!signalling_.take()) return leave_out(number, at, false);
    lines_.push_back({.number = number, .at = at, .note = std::move(text)});
}

TranscriptLine* Transcript::find(std::size_t number) {
    const auto found = std::ranges::lower_bound(lines_, number, {}, &TranscriptLine::number);
    const bool is_it =
        found != lines_.end() && found->number == number && !found->is_gap && found->note.empty();
    return is_it ? &*found : nullptr;
}

void Transcript::fate(std::size_t number, std::string_view what) {
    if (auto* line = find(number)) line->fate = what;
}

void Transcript::handed_on(std::size_t number, const Endpoint& inside, std::string to) {
    auto* line = find(number);
    if (line == nullptr) return;
    line->inside = inside;
    line->to = std::move(to);
}

void Transcript::answer(TranscriptAnswer answer) {
    if (answers_.size() < options_.answers_most)
        answers_.push_back(std::move(answer));
    else
        ++answers_left_out_;
}

}  // namespace holdfast::lab
