// A Unix socket that takes lines and gives lines: what a running phone is driven by
// (docs/control.md). What a line means is not known here. Everything that a client can make grow
// has a limit, and one that does not read is dropped, for the phone waits for nobody.
//
//   auto socket = ControlSocket::open(loop, default_control_socket()…, {.line = …, .notice = …});
//   (*socket)->send(client, "{…}");
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "runtime/descriptor.h"
#include "runtime/loop.h"

namespace holdfast::runtime {

using ControlClient = Id<struct ControlClientTag>;  // never used again for another one

constexpr std::size_t control_clients_most = 16;
constexpr std::size_t control_line_most = std::size_t{64} * 1024;  // octets, without the end
constexpr std::size_t control_queue_most =
    std::size_t{1024} * 1024;                                     // octets that wait for a client
constexpr Duration accept_again_after = std::chrono::seconds{1};  // if there was no descriptor

// $XDG_RUNTIME_DIR/holdfast/phone.sock; nothing if the variable names no directory.
std::optional<std::filesystem::path> default_control_socket();

// A connection to a phone's socket; it does not block. The error is a sentence that says what to
// do.
std::expected<Descriptor, std::string> connect_to_control(const std::filesystem::path& path);

struct ControlHandlers {
    // One line, without its end (the last one may have none). Called from the loop; may send to any
    // client.
    std::function<void(ControlClient, std::string_view line)> line;
    std::function<void(ControlClient)> gone;
    // What the user should know: a client was dropped, and why.
    std::function<void(std::string sentence)> notice;
    std::string too_long;  // sent to a client whose line is past the limit, before it is dropped
    std::string too_many;  // and to one too many
};

class ControlSocket {
public:
    // Makes the socket (0600) and its directory (0700). Fails if another phone listens there; what
    // a phone left behind that is no more is removed. The socket goes with the object. The error is
    // a sentence.
    static std::expected<std::unique_ptr<ControlSocket>, std::string> open(
        Loop& loop, const std::filesystem::path& path, ControlHandlers handlers);
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;
    ~ControlSocket();

    // line: without its end. A client that is gone is ignored. Never calls back.
    void send(ControlClient client, std::string_view line);
    [[nodiscard]] std::size_t clients() const;

private:
    class Impl;
    explicit ControlSocket(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::runtime
