#include "lab/ladder.h"

#include <array>
#include <cstdio>
#include <utility>

#include "base/text.h"
#include "lab/transcript.h"

namespace holdfast::lab {

namespace {

std::string clock_text(Duration since_start) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%12.6f", seconds_of(since_start));
    return text.data();
}

// The lines of a message that tell one REGISTER from another.
bool is_key_header(std::string_view line) {
    for (const std::string_view name : {"CSeq:", "Contact:", "Expires:", "Retry-After:", "m:"})
        if (line.size() >= name.size() && equals_ignoring_case(line.substr(0, name.size()), name))
            return true;
    return false;
}

std::string summary_of_sip(std::string_view bytes) {
    std::string summary;
    while (!bytes.empty()) {
        const auto end = bytes.find("\r\n");
        const auto line = bytes.substr(0, end);
        if (line.empty() && !summary.empty()) break;
        if (summary.empty()) {
            summary = line;
        } else if (is_key_header(line)) {
            summary += " | ";
            summary += line;
        }
        if (end == std::string_view::npos) break;
        bytes.remove_prefix(end + 2);
    }
    return summary.empty() ? "(line ends)" : summary;
}

std::string summary_of_bytes(std::string_view bytes) {
    if (bytes.empty()) return {};
    const auto first = static_cast<unsigned char>(bytes.front());
    if (first == 0x16) return "TLS handshake " + std::string(bytes.substr(1));
    if (first < 4 && bytes.size() >= 20) return "STUN";
    return summary_of_sip(bytes);
}

std::string summary_of(const Packet& packet) {
    switch (packet.kind) {
    case PacketKind::datagram: return summary_of_bytes(packet.bytes);
    case PacketKind::data: return "[tcp] " + summary_of_bytes(packet.bytes);
    case PacketKind::icmp:
        return "ICMP " + std::string(name_of(packet.error->reason)) + " for " +
               packet.error->to.to_string();
    case PacketKind::syn:
    case PacketKind::syn_ack:
    case PacketKind::ack:
    case PacketKind::fin:
    case PacketKind::reset: return "[tcp] " + std::string(name_of(packet.kind));
    }
    return {};
}

}  // namespace

std::string_view name_of(PacketKind kind) {
    switch (kind) {
    case PacketKind::datagram: return "datagram";
    case PacketKind::syn: return "SYN";
    case PacketKind::syn_ack: return "SYN-ACK";
    case PacketKind::data: return "data";
    case PacketKind::ack: return "ACK";
    case PacketKind::fin: return "FIN";
    case PacketKind::reset: return "RST";
    case PacketKind::icmp: return "ICMP";
    }
    return "?";
}

std::string_view name_of(IcmpReason reason) {
    switch (reason) {
    case IcmpReason::port_unreachable: return "port unreachable";
    case IcmpReason::prohibited: return "administratively prohibited";
    case IcmpReason::net_unreachable: return "network unreachable";
    }
    return "?";
}

std::size_t Ladder::record(Instant at, const Packet& packet) {
    ++packets_;
    mix(static_cast<std::uint64_t>(at.time_since_epoch().count()));
    mix(static_cast<std::uint64_t>(packet.kind));
    mix(std::hash<Endpoint>{}(packet.from));
    mix(std::hash<Endpoint>{}(packet.to));
    mix(packet.bytes);
    keep({at, packet, {}, {}});
    const auto number = dropped_ + lines_.size() - 1;
    if (transcript_ != nullptr)
        transcript_->record(number, at, packet, name_of(packet.inside.value_or(packet.from)),
                            name_of(packet.to));
    return number;
}

void Ladder::fate(std::size_t line, std::string_view what) {
    mix(what);
    if (line >= dropped_ && line - dropped_ < lines_.size()) lines_[line - dropped_].fate = what;
    if (transcript_ != nullptr) transcript_->fate(line, what);
}

void Ladder::handed_on(std::size_t line, const Endpoint& inside) {
    if (transcript_ != nullptr) transcript_->handed_on(line, inside, name_of(inside));
}

void Ladder::note(Instant at, std::string text) {
    mix(text);
    if (transcript_ != nullptr) transcript_->note(dropped_ + lines_.size(), at, text);
    keep({at, {}, std::move(text), {}});
}

void Ladder::keep(Line line) {
    lines_.push_back(std::move(line));
    if (lines_.size() > kept) {
        lines_.pop_front();
        ++dropped_;
    }
}

void Ladder::mix(
    std::string_view bytes) {  // FNV-1a, eight octets at a time would save nothing that matters
    for (const char c : bytes) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
}

void Ladder::mix(std::uint64_t number) { hash_ = (hash_ ^ number) * 0x100000001b3ULL; }

std::string Ladder::who(const Endpoint& endpoint) const {
    const auto name = names_.find(endpoint.address);
    return (name == names_.end() ? std::string{} : name->second + " ") + endpoint.to_string();
}

std::string Ladder::name_of(const Endpoint& endpoint) const {
    const auto name = names_.find(endpoint.address);
    return name == names_.end() ? endpoint.address.to_string() : name->second;
}

std::string Ladder::text_of(const Line& line) const {
    std::string text = clock_text(line.at - start_) + "  ";
    if (!line.note.empty()) return text + "* " + line.note + "\n";
    if (line.packet.inside) text += who(*line.packet.inside) + " as ";
    text += who(line.packet.from) + " → " + who(line.packet.to) + "  " + summary_of(line.packet);
    if (!line.fate.empty()) text += "  ✗ " + std::string(line.fate);
    return text + "\n";
}

std::string Ladder::text(std::size_t last) const {
    const auto first = lines_.size() > last ? lines_.size() - last : 0;
    std::string text;
    if (dropped_ + first > 0) text = "… " + std::to_string(dropped_ + first) + " earlier lines\n";
    for (auto i = first; i < lines_.size(); ++i) text += text_of(lines_[i]);
    return text;
}

}  // namespace holdfast::lab
