// A TCP port of a machine that can fall silent without root: SYNs are dropped once the queue of
// connections that nobody accepts is full.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <vector>

#include "base/address.h"
#include "runtime/descriptor.h"
#include "runtime/loop.h"

namespace holdfast::live {

class Listener {
public:
    using Accepted = std::function<void(runtime::Descriptor socket, const Endpoint& peer)>;

    // The error is the system's.
    static std::expected<std::unique_ptr<Listener>, int> open(runtime::Loop& loop,
                                                              const Endpoint& local,
                                                              Accepted accepted);
    void drop_syns();
    void accept_again();
    [[nodiscard]] const Endpoint& local() const { return local_; }

private:
    Listener(runtime::Loop& loop, runtime::Descriptor socket, const Endpoint& local,
             Accepted accepted);
    void accept_all();

    runtime::Loop& loop_;
    runtime::Descriptor socket_;
    Endpoint local_;
    Accepted accepted_;
    std::unique_ptr<runtime::Watch> watch_;   // not while SYNs are dropped
    std::vector<runtime::Descriptor> plugs_;  // our own connections that fill the queue
};

// A socket that does not block, closed on exec, for another program's port of the same family.
std::expected<runtime::Descriptor, int> stream_socket(Family family);
void reset_on_close(const runtime::Descriptor& socket);  // RST instead of FIN

}  // namespace holdfast::live
