// A server whose certificate is another name's: the command says so, and registers with nobody (RFC
// 5922 §7.2).
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <thread>

#include "apps/cli/command_testing.h"
#include "apps/cli/exit_code.h"

namespace holdfast::cli {
namespace {

struct Free {
    void operator()(X509* p) const { X509_free(p); }
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
    void operator()(SSL* p) const { SSL_free(p); }
    void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
    void operator()(BIO* p) const { BIO_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

// Takes one connection, shows a self-signed certificate for `name`, and is done.
class OneTlsServer {
public:
    explicit OneTlsServer(const std::string& name)
        : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
        X509_set_version(certificate_.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate_.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), 3600);
        X509_set_pubkey(certificate_.get(), key_.get());
        auto* subject = X509_get_subject_name(certificate_.get());
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
        X509_set_issuer_name(certificate_.get(), subject);
        extend(NID_subject_alt_name, "DNS:" + name);
        extend(NID_basic_constraints, "critical,CA:TRUE");
        EXPECT_GT(X509_sign(certificate_.get(), key_.get(), EVP_sha256()), 0);
        listen();
        thread_ = std::thread([this] { serve(); });
    }
    OneTlsServer(const OneTlsServer&) = delete;
    OneTlsServer& operator=(const OneTlsServer&) = delete;
    ~OneTlsServer() {
        thread_.join();
        ::close(listener_);
    }
    [[nodiscard]] std::string port() const { return std::to_string(port_); }
    void write_certificate(const std::filesystem::path& file) const {
        const Owned<BIO> out{BIO_new_file(file.c_str(), "w")};
        EXPECT_EQ(PEM_write_bio_X509(out.get(), certificate_.get()), 1);
    }

private:
    void extend(int what, const std::string& value) const {
        const Owned<X509_EXTENSION> extension{
            X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str())};
        EXPECT_EQ(X509_add_ext(certificate_.get(), extension.get(), -1), 1);
    }
    void listen() {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(listener_, 4), 0);
        socklen_t size = sizeof address;
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
    }
    void serve() const {
        pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, 20'000) != 1) return;
        const int peer = ::accept(listener_, nullptr, nullptr);
        const timeval patience{.tv_sec = 20, .tv_usec = 0};
        ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        const Owned<SSL_CTX> context{SSL_CTX_new(TLS_server_method())};
        SSL_CTX_use_certificate(context.get(), certificate_.get());
        SSL_CTX_use_PrivateKey(context.get(), key_.get());
        const Owned<SSL> session{SSL_new(context.get())};
        SSL_set_fd(session.get(), peer);
        char byte = 0;
        if (SSL_accept(session.get()) == 1)
            SSL_read(session.get(), &byte, 1);  // the alert comes here
        ::close(peer);
    }

    Owned<EVP_PKEY> key_;
    Owned<X509> certificate_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

class CommandTlsTest : public testing::Bench {};

TEST_F(CommandTlsTest, ACertificateOfAnotherNameIsNotAccepted) {
    const OneTlsServer server{"other.example"};
    const auto ca = directory / "ca.pem";
    server.write_certificate(ca);
    auto& run = start({"register", "sip:alice@127.0.0.1:" + server.port(), "--transport", "tls",
                       "--ca", ca.string(), "--once", "--state", (directory / "state").string()},
                      {{"HOLDFAST_PASSWORD", "secret"}});
    ASSERT_TRUE(run_until_end(run)) << run.output() << run.errors();
    EXPECT_EQ(run.exit_code(), number_of(ExitCode::certificate)) << run.output() << run.errors();
    EXPECT_TRUE(run.said("other.example")) << run.output();
}

TEST_F(CommandTlsTest, ACaFileThatIsNoneIsSaidAtTheStart) {
    auto& run = start({"register", "sip:alice@127.0.0.1:1", "--transport", "tls", "--ca",
                       "/dev/null", "--state", (directory / "state").string()},
                      {{"HOLDFAST_PASSWORD", "secret"}});
    ASSERT_TRUE(run_until_end(run)) << run.output() << run.errors();
    EXPECT_EQ(run.exit_code(), number_of(ExitCode::tls_files)) << run.output() << run.errors();
    auto& pin = start({"register", "sip:alice@127.0.0.1:1", "--tls-pin", "sha1/abc", "--state",
                       (directory / "state").string()},
                      {{"HOLDFAST_PASSWORD", "secret"}});
    ASSERT_TRUE(run_until_end(pin)) << pin.output() << pin.errors();
    EXPECT_EQ(pin.exit_code(), number_of(ExitCode::tls_files)) << pin.output() << pin.errors();
}

}  // namespace
}  // namespace holdfast::cli
