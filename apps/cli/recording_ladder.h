// The ladder of a recording (engine/recording.h): the messages between this host and its servers,
// as they went over the wire, with what the phone said meanwhile.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/dns.h"
#include "base/time.h"
#include "engine/recording.h"

namespace holdfast::cli {

struct RecordedLine {
    Instant at{};
    std::string note{};  // no message: what happened
    std::string from{};  // "this host", or the other side's transport, address and port
    std::string to{};
    std::string way{};    // with our own address and the flow
    std::string bytes{};  // a whole message; "": what `first` says
    std::string first{};
    bool is_keep_alive = false;
};

struct RecordedAnswer {
    Instant at{};
    dns::Question question{};
    dns::Answer answer{};
};

struct RecordedLadder {
    std::vector<RecordedLine> lines;
    std::vector<RecordedAnswer> answers;
};

RecordedLadder ladder_of(const Recording& recording);

// A line for each message and each thing that happened, with seconds since the recording began.
std::string ladder_text(const Recording& recording, const RecordedLadder& ladder);
// For page.h. name: of the file.
std::string ladder_page_json(const Recording& recording, const RecordedLadder& ladder,
                             const std::string& name);

}  // namespace holdfast::cli
