// --trace: every SIP message with time, direction and flow. What a password answered is left out;
// keep-alives are not messages.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "apps/cli/terminal.h"
#include "apps/cli/words.h"
#include "runtime/driver.h"
#include "sip/stream.h"

namespace holdfast::cli {

class Trace final : public runtime::Observer {
public:
    Trace(Printer& output, WallClock clock) : output_(output), clock_(clock) {}
    void on_traffic(Instant now, const runtime::Traffic& traffic) override;

private:
    void print(Instant now, const runtime::Traffic& traffic, std::string_view message);

    Printer& output_;
    WallClock clock_;
    // Streams carry messages in pieces.
    std::map<std::pair<FlowId, runtime::Direction>, sip::StreamFramer> streams_;
};

// The text of one message as it is printed.
std::string traced(std::string_view message);

}  // namespace holdfast::cli
