// The phone in JSON-RPC 2.0 (docs/control.md): one request is a line, one answer is a line. Names
// and their meaning are a promise: added to, never changed. nlohmann/json is behind it, in the
// .cpp files alone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "apps/phone/control_errors.h"
#include "apps/phone/phone.h"
#include "runtime/call_history.h"
#include "runtime/control_socket.h"
#include "runtime/event_json.h"

namespace holdfast::phone {

constexpr int control_protocol = 1;  // `hello`: raised when an old program would misread

class Control {
public:
    struct Handlers {
        std::function<void(runtime::ControlClient, std::string_view line)> send;
        std::function<std::string(const Event&)> words_of;  // an event for a person
    };
    // history: may be null; both outlive the control.
    Control(Phone& phone, runtime::CallHistory* history, std::string version, Handlers handlers);
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;
    ~Control();

    // The answer without its line end; "" for notifications, which get none.
    std::string answer(runtime::ControlClient client, std::string_view line);
    void gone(runtime::ControlClient client);
    // To all that have subscribed.
    void on_event(runtime::EventTime time, const Event& event, std::string_view aor);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::phone
