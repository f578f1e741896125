// What the host of an engine can do wrong, once: for whoever drives one in a test or in the lab.
#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast {

enum class HostFault : std::uint8_t {
    none,
    send_lost,       // a datagram does not leave; a stream breaks at the write
    send_refused,    // a datagram is an error at once: no route, no buffers; a stream breaks
    open_refused,    // RST to a connect; no descriptor for a datagram flow
    open_times_out,  // of a stream: 10 s of nothing
    dns_servfail,
    dns_times_out,
};

// The nth operation of that kind fails, counted from 1; the rest work. None: nothing fails.
class HostFaultPlan {
public:
    HostFaultPlan() = default;
    HostFaultPlan(HostFault kind, std::size_t nth) : kind_(kind), left_(nth) {}

    // To be asked once for each operation that can fail this way.
    bool fails_now(HostFault kind) {
        if (kind != kind_ || left_ == 0) return false;
        return --left_ == 0;
    }
    [[nodiscard]] HostFault kind() const { return kind_; }
    [[nodiscard]] bool has_come() const { return left_ == 0; }
    [[nodiscard]] std::size_t left() const { return left_; }  // operations to it, that one counted

private:
    HostFault kind_ = HostFault::none;
    std::size_t left_ = 1;
};

}  // namespace holdfast
