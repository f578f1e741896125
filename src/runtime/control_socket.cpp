#include "runtime/control_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "runtime/clock.h"
#include "runtime/descriptor.h"
#include "runtime/socket_address.h"

namespace holdfast::runtime {

namespace {

using Path = std::filesystem::path;

std::unexpected<std::string> cannot(const Path& path, const std::string& why) {
    return std::unexpected("The control socket " + path.string() + " cannot be had: " + why +
                           ". Put that right, or give another place with --socket PATH");
}

// sun_path has 108 octets, one of them for the end (unix(7)).
std::optional<sockaddr_un> address_of(const Path& path) {
    sockaddr_un address{};
    const auto& text = path.native();
    if (text.empty() || text.size() >= sizeof address.sun_path) return std::nullopt;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, text.data(), text.size());
    return address;
}

// 0, or the system's error.
int connect_at(int socket, const sockaddr_un& address) {
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    return ::connect(socket, name, sizeof address) == 0 ? 0 : errno;
}

Descriptor unix_socket() {
    return Descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
}

// Held as long as we listen: of two phones that find the same left-over socket, one removes it.
std::expected<Descriptor, std::string> lock_beside(const Path& path) {
    Path file = path;
    file += ".lock";
    Descriptor lock{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!lock) return cannot(path, words_of(errno));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) return cannot(path, words_of(errno));
    return cannot(path, "another phone listens there already");
}

std::expected<void, std::string> make_way(const Path& path, const sockaddr_un& address) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT) return {};
        return cannot(path, words_of(errno));
    }
    if (!S_ISSOCK(found.st_mode)) return cannot(path, "something that is no socket is there");
    const auto probe = unix_socket();
    if (!probe) return cannot(path, words_of(errno));
    const int error = connect_at(probe.get(), address);
    if (error != ECONNREFUSED)
        return cannot(path, error == 0 || error == EAGAIN ? "another phone listens there already"
                                                          : words_of(error));
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return cannot(path, words_of(errno));
    return {};
}

std::expected<Descriptor, std::string> listen_at(const Path& path, const sockaddr_un& address) {
    auto socket = unix_socket();
    if (!socket) return cannot(path, words_of(errno));
    // The mode that the name gets with bind: there is no moment in which others could connect.
    if (::fchmod(socket.get(), 0600) != 0) return cannot(path, words_of(errno));
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(socket.get(), name, sizeof address) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
        ::listen(socket.get(), control_clients_most) != 0)
        return cannot(path, words_of(errno));
    return socket;
}

}  // namespace

std::optional<Path> default_control_socket() {
    // The specification says that a relative path is to be ignored.
    const char* directory = std::getenv("XDG_RUNTIME_DIR");
    if (directory == nullptr || directory[0] != '/') return std::nullopt;
    return Path{directory} / "holdfast" / "phone.sock";
}

std::expected<Descriptor, std::string> connect_to_control(const Path& path) {
    const auto address = address_of(path);
    if (!address)
        return std::unexpected(path.string() +
                               ": the path of a socket is at most 107 octets long. Let the phone "
                               "listen at a shorter one, and name it with --socket PATH");
    auto socket = unix_socket();
    if (!socket)
        return std::unexpected("There can be no socket: " + words_of(errno) +
                               ". Close some files or allow more (ulimit -n), and try again");
    const int error = connect_at(socket.get(), *address);
    if (error == 0) return socket;
    if (error == ENOENT || error == ECONNREFUSED)
        return std::unexpected("No phone listens on " + path.string() +
                               ". Start one with holdfast phone, or name its socket with "
                               "--socket PATH");
    if (error == EAGAIN)
        return std::unexpected("The phone at " + path.string() +
                               " takes no more programs now: end one, or try again");
    return std::unexpected(path.string() + ": " + words_of(error) +
                           ". Is it the socket of your own phone? Name that with --socket PATH");
}

class ControlSocket::Impl {
public:
    Impl(Loop& loop, Path path, Descriptor lock, Descriptor listener, ControlHandlers handlers)
        : loop_(loop),
          path_(std::move(path)),
          lock_(std::move(lock)),
          listener_(std::move(listener)),
          handlers_(std::move(handlers)),
          watch_(loop, listener_.get(), [this](Ready) { accept_all(); }),
          again_(loop, [this] { watch_.want({.readable = true}); }) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() { ::unlink(path_.c_str()); }

    void send(ControlClient client, std::string_view line);
    [[nodiscard]] std::size_t clients() const { return clients_.size(); }

private:
    struct Client {
        Descriptor socket;
        std::string unread{};  // an unfinished line
        std::string unsent{};
        bool has_said_all = false;  // it goes when it has its answers
        bool is_doomed = false;     // it goes as soon as nobody works with it
        std::unique_ptr<Watch> watch{};
    };

    void accept_all();
    void accept_later(int error);
    void on_ready(ControlClient id, Ready ready);
    void read_some(ControlClient id, Client& client);
    void take_lines(ControlClient id, Client& client);
    void on_end(ControlClient id, Client& client);
    void too_long(ControlClient id, Client& client);
    void write_some(Client& client);
    void doom(Client& client);
    void bury();

    Loop& loop_;
    Path path_;
    Descriptor lock_;
    Descriptor listener_;
    ControlHandlers handlers_;
    Watch watch_;
    Timer again_;
    bool lacks_descriptors_ = false;  // and that has been said
    std::map<ControlClient, Client> clients_;
    std::uint32_t last_client_ = 0;
    bool burial_posted_ = false;
    std::shared_ptr<Impl*> alive_ = std::make_shared<Impl*>(this);
};

void ControlSocket::Impl::accept_all() {
    while (true) {
        Descriptor socket{
            ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
        if (!socket) return accept_later(errno);
        lacks_descriptors_ = false;
        if (clients_.size() >= control_clients_most) {
            const auto words = handlers_.too_many + "\n";
            ::send(socket.get(), words.data(), words.size(), MSG_NOSIGNAL);
            handlers_.notice("A program more than the " + std::to_string(control_clients_most) +
                             " that the control socket serves was turned away");
            continue;
        }
        const ControlClient id{++last_client_};
        const int fd = socket.get();
        auto& client = clients_[id];
        client.socket = std::move(socket);
        client.watch =
            std::make_unique<Watch>(loop_, fd, [this, id](Ready ready) { on_ready(id, ready); });
    }
}

// Who waits for us stays ready: without this we should be called for ever.
void ControlSocket::Impl::accept_later(int error) {
    if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM) return;
    watch_.want({});
    again_.arm(boot_time() + accept_again_after);
    if (std::exchange(lacks_descriptors_, true)) return;
    handlers_.notice(
        "A program that wants to use the control socket has to wait: " + words_of(error) +
        ". Give the phone more descriptors (ulimit -n, LimitNOFILE=), or end calls");
}

void ControlSocket::Impl::on_ready(ControlClient id, Ready ready) {
    const auto found = clients_.find(id);
    if (found == clients_.end() || found->second.is_doomed) return;
    auto& client = found->second;
    if (ready.writable) write_some(client);
    if (ready.readable && !client.is_doomed && !client.has_said_all) read_some(id, client);
}

void ControlSocket::Impl::read_some(ControlClient id, Client& client) {
    std::array<char, 16384> buffer{};
    const auto size = ::recv(client.socket.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size < 0) return doom(client);
    if (size == 0) return on_end(id, client);
    client.unread.append(buffer.data(), static_cast<std::size_t>(size));
    take_lines(id, client);
}

void ControlSocket::Impl::take_lines(ControlClient id, Client& client) {
    while (!client.is_doomed) {
        const auto end = client.unread.find('\n');
        if (std::min(end, client.unread.size()) > control_line_most) return too_long(id, client);
        if (end == std::string::npos) return;
        std::string line = client.unread.substr(0, end);
        client.unread.erase(0, end + 1);
        if (line.ends_with('\r')) line.pop_back();
        if (!line.empty()) handlers_.line(id, line);
    }
}

// It says no more, and may still read.
void ControlSocket::Impl::on_end(ControlClient id, Client& client) {
    client.has_said_all = true;
    if (!client.unread.empty()) {
        client.unread += '\n';
        take_lines(id, client);
    }
    if (!client.is_doomed) write_some(client);
}

void ControlSocket::Impl::too_long(ControlClient id, Client& client) {
    send(id, handlers_.too_long);
    if (client.is_doomed) return;
    doom(client);
    handlers_.notice("A program sent the control socket a line of more than " +
                     std::to_string(control_line_most) + " octets and was dropped");
}

void ControlSocket::Impl::send(ControlClient id, std::string_view line) {
    const auto found = clients_.find(id);
    if (found == clients_.end() || found->second.is_doomed) return;
    auto& client = found->second;
    client.unsent.append(line).append("\n");
    write_some(client);
    if (client.is_doomed || client.unsent.size() <= control_queue_most) return;
    doom(client);
    handlers_.notice("A program that does not read what the control socket tells it was dropped");
}

void ControlSocket::Impl::write_some(Client& client) {
    while (!client.unsent.empty()) {
        const auto sent =
            ::send(client.socket.get(), client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) break;
        if (sent < 0) return doom(client);
        client.unsent.erase(0, static_cast<std::size_t>(sent));
    }
    if (client.has_said_all && client.unsent.empty()) return doom(client);
    client.watch->want({.readable = !client.has_said_all, .writable = !client.unsent.empty()});
}

// Somebody up the stack may still hold it.
void ControlSocket::Impl::doom(Client& client) {
    client.is_doomed = true;
    client.watch->want({});
    if (std::exchange(burial_posted_, true)) return;
    loop_.post([alive = std::weak_ptr(alive_)] {
        if (const auto self = alive.lock()) (*self)->bury();
    });
}

void ControlSocket::Impl::bury() {
    burial_posted_ = false;
    std::vector<ControlClient> gone;
    for (auto client = clients_.begin(); client != clients_.end();) {
        if (!client->second.is_doomed) {
            ++client;
            continue;
        }
        gone.push_back(client->first);
        client->second.watch.reset();
        client = clients_.erase(client);
    }
    for (const auto id : gone) handlers_.gone(id);
}

std::expected<std::unique_ptr<ControlSocket>, std::string> ControlSocket::open(
    Loop& loop, const Path& path, ControlHandlers handlers) {
    const auto address = address_of(path);
    if (!address) return cannot(path, "the path of a socket is at most 107 octets long");
    std::error_code error;
    if (const auto parent = path.parent_path();
        !parent.empty() && std::filesystem::create_directories(parent, error)) {
        if (::chmod(parent.c_str(), 0700) != 0) return cannot(path, words_of(errno));
    } else if (error) {
        return cannot(path, error.message());
    }
    auto lock = lock_beside(path);
    if (!lock) return std::unexpected(lock.error());
    if (auto way = make_way(path, *address); !way) return std::unexpected(way.error());
    auto listener = listen_at(path, *address);
    if (!listener) return std::unexpected(listener.error());
    return std::unique_ptr<ControlSocket>(new ControlSocket(std::make_unique<Impl>(
        loop, path, *std::move(lock), *std::move(listener), std::move(handlers))));
}

ControlSocket::ControlSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlSocket::~ControlSocket() = default;

void ControlSocket::send(ControlClient client, std::string_view line) { impl_->send(client, line); }
std::size_t ControlSocket::clients() const { return impl_->clients(); }

}  // namespace holdfast::runtime
