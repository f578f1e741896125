// A recording as text: JSON, one object a line. The first line is how the engine was made, then
// each step's input and the outputs that it led to. What was recorded in the field is replayed in
// the lab: same input, same outputs.
//
//   {"holdfast_recording":1,"seed":"…","started_us":…,"wall_clock":…,"user_agent":"…",…,"state":[…]}
//   {"t_us":123,"in":"received","flow":1,"bytes":{"text":"SIP/2.0 401 …"}}
//   {"t_us":123,"out":"send","flow":1,"bytes":{"text":"REGISTER …"}}
//
// Passwords become a stand-in, and the values of Authorization and Proxy-Authorization
// "<redacted>", in inputs and outputs alike: two engines with different passwords give equal lines,
// and so compare a replay with its recording line by line.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/outbox.h"
#include "engine/engine.h"
#include "engine/input.h"
#include "sip/redaction.h"

namespace holdfast {

constexpr std::string_view recorded_password = "stand-in";

std::string recorded(const EngineOptions& options);  // one line, without its end
std::string recorded(Instant now, const Input& input);
std::string recorded(Instant now, const Output& output);

// Writes step after step. It knows which flows are streams: a header with credentials that comes
// cut over several reads is hidden whole.
class StepRecorder {
public:
    // The lines of a step, each with its end.
    std::string step(Instant now, const Input& input, const std::vector<Output>& outputs);

private:
    std::map<FlowId, sip::AuthorizationRedactor> streams_;  // as the driver has them open
};

struct RecordedStep {
    Instant at{};
    Input input;
    std::vector<std::string> outputs;  // lines as recorded() gives them
};

struct Recording {
    EngineOptions options;
    std::vector<RecordedStep> steps;
};

// The error names the line. A last line that was cut short (the process was killed) is left out.
std::expected<Recording, std::string> parse_recording(std::string_view text);

}  // namespace holdfast
