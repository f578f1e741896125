// What a machine asks the world to do. The driver hands in an empty outbox and empties it
// afterwards.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/dns.h"
#include "base/event.h"
#include "base/ids.h"

namespace holdfast {

namespace sdp {
struct Agreement;  // sdp/agreement.h: base carries it and does not look at it
}

namespace out {

// Answered by in::FlowOpened (for UDP at once) or in::FlowFailed. UDP flows of one family share one
// unconnected socket (N7); datagrams from the target's endpoint come back as this flow.
struct OpenFlow {
    FlowId flow;
    Target target;
    std::string tls_name;     // TLS: the configured name to verify (RFC 5922), also SNI; or an IP
                              // address (iPAddress SAN)
    bool spare_port = false;  // UDP: a port of its own, not the shared one (K4)
};
struct CloseFlow {
    FlowId flow;
};
struct Send {
    FlowId flow;
    std::string bytes;  // one datagram, or stream bytes
};
// Answered by in::DnsAnswer with the same id, always, within 10 s.
struct Resolve {
    QueryId query;
    dns::Question question;
};
// The driver makes all stores of a step durable, in one commit, before it performs the sends of
// that step (B3).
struct Store {
    std::string key;
    std::string value;  // empty: forget the key
};
// How a call is to sound from now on: what both sides agreed on. The application hands it to the
// media that it described with in::Dial or in::Answer.
struct Media {
    CallRef call{};
    std::shared_ptr<const sdp::Agreement> agreed{};  // null: the media of the call end
    bool takes_info = false;  // the other side says that it does (Allow): digits may go so
};

}  // namespace out

using Output = std::variant<out::OpenFlow, out::CloseFlow, out::Send, out::Resolve, out::Store,
                            out::Media, Event>;

class Outbox {
public:
    template <class T>
    void push(T&& output) {
        if (outputs_.capacity() == 0) outputs_.reserve(usual_outputs);
        outputs_.emplace_back(std::forward<T>(output));
    }
    [[nodiscard]] const std::vector<Output>& outputs() const { return outputs_; }
    [[nodiscard]] bool empty() const { return outputs_.empty(); }
    // The outputs in order; the outbox is empty afterwards and keeps nothing.
    std::vector<Output> take() { return std::exchange(outputs_, {}); }
    void clear() { outputs_.clear(); }

private:
    static constexpr std::size_t usual_outputs = 4;  // of a step: growing moves what is there
    std::vector<Output> outputs_;
};

}  // namespace holdfast
