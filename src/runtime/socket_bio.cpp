#include "runtime/socket_bio.h"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <memory>

#include "base/check.h"

namespace holdfast::runtime {

namespace {

struct FreeMethod {
    void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};

int socket_of(BIO* bio) {
    return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

int bio_write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    const auto sent = ::send(socket_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* space, int size) {
    BIO_clear_retry_flags(bio);
    const auto received = ::recv(socket_of(bio), space, static_cast<std::size_t>(size), 0);
    if (received < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    if (received == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return static_cast<int>(received);
}

long bio_control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    return 0;
}

// One for the whole process, as OpenSSL's own are: BIOs refer to it as long as they live.
const BIO_METHOD* socket_method() {
    static const auto method = [] {
        std::unique_ptr<BIO_METHOD, FreeMethod> made{
            BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals")};
        CHECK(made);
        BIO_meth_set_write(made.get(), bio_write);
        BIO_meth_set_read(made.get(), bio_read);
        BIO_meth_set_ctrl(made.get(), bio_control);
        BIO_meth_set_create(made.get(), [](BIO* bio) {
            BIO_set_init(bio, 1);
            return 1;
        });
        return made;
    }();
    return method.get();
}

}  // namespace

BIO* new_socket_bio(int socket) {
    BIO* bio = BIO_new(socket_method());
    CHECK(bio);
    // A number is all there is to carry: NOLINTNEXTLINE(performance-no-int-to-ptr)
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
    return bio;
}

}  // namespace holdfast::runtime
