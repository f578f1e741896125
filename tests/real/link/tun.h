// A TUN device (Linux): a network interface whose cable is this process. What the kernel sends
// through it is read here, one IP packet at a time; what is written here arrives at it.
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>

#include "runtime/descriptor.h"

namespace holdfast::real {

// A new device of this name in the network namespace behind `name_space` (a descriptor of
// /proc/…/ns/net); the calling thread stays in that namespace. The device is gone when the
// descriptor is closed. The error is a sentence: what, where, what to do.
std::expected<runtime::Descriptor, std::string> open_tun(int name_space, const std::string& name);

// One packet; nothing: none is there now. The error is the system's: the device is gone.
std::expected<std::optional<std::string>, int> read_packet(const runtime::Descriptor& tun,
                                                           std::span<char> buffer);
// False: the kernel does not take it (the device is down).
bool write_packet(const runtime::Descriptor& tun, const std::string& packet);

}  // namespace holdfast::real
