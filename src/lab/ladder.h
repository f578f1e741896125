// The record of a run: every packet with its time and fate, as text for people and as a hash for
// I7.
//
//    0.010000  alice 192.0.2.20:40000 → node1 203.0.113.11:5060   REGISTER sip:example.test | CSeq
//    1 REGISTER
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "lab/packet.h"

namespace holdfast::lab {

class Transcript;

class Ladder {
public:
    explicit Ladder(Instant start) : start_(start) {}

    std::size_t record(Instant at, const Packet& packet);  // returns its line
    void fate(std::size_t line, std::string_view what);  // static text: "lost", "dropped by NAT", …
    void note(Instant at, std::string text);             // anything else worth a line
    void name(IpAddress address, std::string name) { names_[address] = std::move(name); }
    // A NAT handed the packet of that line on to an inside endpoint. Only a transcript keeps it.
    void handed_on(std::size_t line, const Endpoint& inside);
    // From now on all of it goes there, too; nullptr: nowhere. It outlives the ladder's use.
    void write_to(Transcript* transcript) { transcript_ = transcript; }
    [[nodiscard]] Transcript* transcript() const { return transcript_; }

    // The last lines; all that is kept by default. Long runs keep only their end.
    [[nodiscard]] std::string text(std::size_t last = kept) const;
    // Over every packet and note since the start, times included: equal runs have equal hashes
    // (I7).
    [[nodiscard]] std::uint64_t hash() const { return hash_; }
    [[nodiscard]] std::size_t packets() const { return packets_; }

private:
    static constexpr std::size_t kept = 4000;
    struct Line {
        Instant at;
        Packet packet;
        std::string note;
        std::string_view fate;
    };
    void keep(Line line);
    void mix(std::string_view bytes);
    void mix(std::uint64_t number);
    [[nodiscard]] std::string who(const Endpoint& endpoint) const;
    [[nodiscard]] std::string name_of(
        const Endpoint& endpoint) const;  // its address if it has none
    [[nodiscard]] std::string text_of(const Line& line) const;

    Instant start_;
    std::deque<Line> lines_;
    std::size_t dropped_ = 0;  // lines that are no longer kept
    std::size_t packets_ = 0;
    std::uint64_t hash_ = 0xcbf29ce484222325ULL;
    std::map<IpAddress, std::string> names_;
    Transcript* transcript_ = nullptr;
};

}  // namespace holdfast::lab
