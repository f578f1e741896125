// TLS is open when the certificate is verified for the configured name (RFC 5922; design:
// Security), and says in words why it is not. Keys and certificates are made here, for the run of
// the test.
#include "runtime/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <list>
#include <optional>
#include <string>

#include "runtime/certificate.h"
#include "runtime/clock.h"
#include "runtime/stream_flow.h"
#include "runtime/test_support.h"

namespace holdfast::runtime {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;

struct Free {
    void operator()(X509* p) const { X509_free(p); }
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
    void operator()(SSL* p) const { SSL_free(p); }
    void operator()(BIO* p) const { BIO_free(p); }
    void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

struct Identity {
    Owned<X509> certificate;
    Owned<EVP_PKEY> key;
};

struct Wanted {
    std::string common_name = "a server";
    std::string alternatives = {};  // "DNS:example.test,IP:127.0.0.1"; "" : no subjectAltName
    std::string usage = {};         // extendedKeyUsage
    bool is_ca = false;
    long begins_s = -3600;
    long ends_s = 3600;
};

void extend(X509* certificate, int what, const std::string& value) {
    const Owned<X509_EXTENSION> extension{
        X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str())};
    CHECK(extension);
    CHECK(X509_add_ext(certificate, extension.get(), -1) == 1);
}

// Signed by the issuer, or by itself.
Identity make(const Wanted& wanted, const Identity* issuer = nullptr) {
    static long serial = 0;
    Identity made{Owned<X509>{X509_new()}, Owned<EVP_PKEY>{EVP_EC_gen("P-256")}};
    auto* certificate = made.certificate.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wanted.begins_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.ends_s);
    X509_set_pubkey(certificate, made.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()),
                               -1, -1, 0);
    X509_set_issuer_name(
        certificate,
        X509_get_subject_name(issuer != nullptr ? issuer->certificate.get() : certificate));
    if (wanted.is_ca) extend(certificate, NID_basic_constraints, "critical,CA:TRUE");
    if (!wanted.alternatives.empty())
        extend(certificate, NID_subject_alt_name, wanted.alternatives);
    if (!wanted.usage.empty()) extend(certificate, NID_ext_key_usage, wanted.usage);
    CHECK(X509_sign(certificate, issuer != nullptr ? issuer->key.get() : made.key.get(),
                    EVP_sha256()) > 0);
    return made;
}

std::string pem_of(const Identity& identity, bool with_key) {
    const Owned<BIO> memory{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(memory.get(), identity.certificate.get());
    if (with_key)
        PEM_write_bio_PrivateKey(memory.get(), identity.key.get(), nullptr, nullptr, 0, nullptr,
                                 nullptr);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

// Accepts TLS and sends back what it reads.
class TlsEcho {
public:
    TlsEcho(Loop& loop, const Identity& identity, const X509* client_ca = nullptr)
        : loop_(loop),
          context_(SSL_CTX_new(TLS_server_method())),
          listener_(loop, [this](Descriptor d) { accept(std::move(d)); }) {
        std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own sockets: a client may be gone
        SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
        SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
        constexpr std::array<unsigned char, 4> id{'t', 'e', 's', 't'};
        SSL_CTX_set_session_id_context(context_.get(), id.data(), id.size());
        if (client_ca == nullptr) return;
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()),
                            const_cast<X509*>(client_ca));  // NOLINT
        SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           nullptr);
    }
    [[nodiscard]] const Endpoint& endpoint() const { return listener_.endpoint(); }
    [[nodiscard]] const std::string& server_name() const { return server_name_; }
    void limit_to(int version) const { SSL_CTX_set_max_proto_version(context_.get(), version); }
    // What OpenSSL itself would not do any more: so that it is the client who refuses.
    void allow_what_is_weak() const {
        SSL_CTX_set_security_level(context_.get(), 0);
        SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    }

private:
    struct Connection {
        Descriptor socket;
        Owned<SSL> ssl;
        std::unique_ptr<Watch> watch;
    };
    void accept(Descriptor socket) {
        auto& connection = connections_.emplace_back();
        connection.socket = std::move(socket);
        connection.ssl.reset(SSL_new(context_.get()));
        SSL_set_fd(connection.ssl.get(), connection.socket.get());
        SSL_set_accept_state(connection.ssl.get());
        connection.watch = std::make_unique<Watch>(
            loop_, connection.socket.get(), [this, &connection](Ready) { serve(connection); });
    }
    void serve(Connection& connection) {
        std::array<char, 1024> space{};
        const int size =
            SSL_read(connection.ssl.get(), space.data(), static_cast<int>(space.size()));
        if (const char* name = SSL_get_servername(connection.ssl.get(), TLSEXT_NAMETYPE_host_name);
            name != nullptr)
            server_name_ = name;
        if (size > 0) {
            SSL_write(connection.ssl.get(), space.data(), size);
        } else if (SSL_get_error(connection.ssl.get(), size) != SSL_ERROR_WANT_READ) {
            connection.watch.reset();
            connection.socket.close();
        }
    }

    Loop& loop_;
    Owned<SSL_CTX> context_;
    std::list<Connection> connections_;
    std::string server_name_;
    TcpPeer listener_;
};

class TlsTest : public testing::Test {
protected:
    std::filesystem::path file(const char* name, const std::string& content) const {
        const auto path = directory.path() / name;
        std::ofstream{path} << content;
        return path;
    }
    TlsOptions trusting_ca() const { return {.ca_file = file("ca.pem", pem_of(ca, false))}; }

    struct Outcome {
        bool opened = false;
        bool resumed = false;
        std::string verified_name;
        std::string echoed;
        std::optional<FlowError> error;
        std::string detail;
    };
    // Connects for the name, sends a word, waits for its echo or a failure.
    Outcome connect(TlsContext& context, const Endpoint& server, const std::string& name) {
        Outcome outcome;
        auto session = context.connect_to(name);
        CHECK(session);
        const auto& tls = **session;
        const auto fail = [&](FlowError error, std::string detail) {
            outcome.error = error;
            outcome.detail = std::move(detail);
        };
        StreamFlow flow{loop,
                        {.remote = server, .local = {}},
                        *std::move(session),
                        {.opened =
                             [&](const Endpoint&, const std::string& verified) {
                                 outcome.opened = true;
                                 outcome.verified_name = verified;
                                 outcome.resumed = tls.resumed();
                             },
                         .failed = fail,
                         .closed = fail,
                         .received = [&](const std::string& bytes) { outcome.echoed += bytes; }}};
        flow.start();
        flow.send("hello");
        EXPECT_TRUE(
            loop.run_until([&] { return outcome.error || outcome.echoed == "hello"; }, limit));
        flow.silence();
        return outcome;
    }
    Outcome connect(const TlsOptions& options, const Identity& server, const std::string& name) {
        const TlsEcho echo{loop, server};
        TlsContext context{options};
        return connect(context, echo.endpoint(), name);
    }
    void expect_refused(const Outcome& outcome, const std::string& words) const {
        EXPECT_FALSE(outcome.opened);
        EXPECT_EQ(outcome.error, FlowError::certificate);
        EXPECT_THAT(outcome.detail, HasSubstr(words));
    }
    Identity server(const Wanted& wanted) const { return make(wanted, &ca); }

    TemporaryDirectory directory;
    Loop loop;
    Identity ca = make({.common_name = "Test CA", .is_ca = true});
};

TEST_F(TlsTest, CertificateOfTheConfiguredNameIsAccepted) {
    const TlsEcho echo{loop, server({.alternatives = "DNS:other.test,DNS:Example.TEST"})};
    TlsContext context{trusting_ca()};
    const auto outcome = connect(context, echo.endpoint(), "example.test");
    EXPECT_TRUE(outcome.opened) << outcome.detail;
    EXPECT_EQ(outcome.verified_name, "example.test");
    EXPECT_EQ(outcome.echoed, "hello");
    EXPECT_EQ(echo.server_name(), "example.test") << "SNI";
}

TEST_F(TlsTest, CertificateOfAnotherNameIsRefusedAndItsNamesAreSaid) {
    const auto outcome =
        connect(trusting_ca(), server({.alternatives = "DNS:a.test,DNS:b.test"}), "example.test");
    expect_refused(outcome, "is for a.test, b.test, not for example.test");
}

TEST_F(TlsTest, ExpiredCertificateIsRefusedWithItsDate) {
    const auto outcome =
        connect(trusting_ca(),
                server({.alternatives = "DNS:example.test", .begins_s = -7200, .ends_s = -3600}),
                "example.test");
    expect_refused(outcome, "expired on 20");
}

TEST_F(TlsTest, CertificateOfTheFutureMakesOneThinkOfTheClock) {
    const auto outcome =
        connect(trusting_ca(),
                server({.alternatives = "DNS:example.test", .begins_s = 3600, .ends_s = 7200}),
                "example.test");
    expect_refused(outcome, "clock");
}

TEST_F(TlsTest, SelfSignedIsRefusedAndThePinToTrustItIsSaid) {
    const auto self_signed = make({.alternatives = "DNS:example.test"});
    const auto outcome = connect(trusting_ca(), self_signed, "example.test");
    expect_refused(outcome, "self-signed");
    EXPECT_THAT(outcome.detail, HasSubstr(to_string(pin_of(*self_signed.certificate))));
}

// OpenSSL takes the place of the system's certificates from the environment.
class Environment {
public:
    Environment(const char* name, const std::string& value) : name_(name) {
        if (const char* const before = std::getenv(name)) before_ = before;
        ::setenv(name, value.c_str(), 1);
    }
    Environment(const Environment&) = delete;
    Environment& operator=(const Environment&) = delete;
    ~Environment() {
        if (before_) {
            ::setenv(name_, before_->c_str(), 1);
        } else {
            ::unsetenv(name_);
        }
    }

private:
    const char* name_;
    std::optional<std::string> before_;
};

// Without --ca, the host's CAs count: Debian's directory of hashed names.
TEST_F(TlsTest, WithoutACaFileTheSystemsCertificatesCount) {
    std::array<char, 16> hash{};
    std::snprintf(
        hash.data(), hash.size(), "%08lx.0",
        X509_NAME_hash_ex(X509_get_subject_name(ca.certificate.get()), nullptr, nullptr, nullptr));
    file(hash.data(), pem_of(ca, false));
    const Environment no_bundle{"SSL_CERT_FILE", "/nonexistent"};
    const Environment directory_of_hashes{"SSL_CERT_DIR", directory.path().string()};
    const auto trusted =
        connect(TlsOptions{}, server({.alternatives = "DNS:example.test"}), "example.test");
    EXPECT_TRUE(trusted.opened) << trusted.detail;
    const auto stranger = make({.common_name = "Stranger CA", .is_ca = true});
    expect_refused(connect(TlsOptions{}, make({.alternatives = "DNS:example.test"}, &stranger),
                           "example.test"),
                   "issuer \"Stranger CA\" is unknown");
}

TEST_F(TlsTest, UnknownIssuerIsNamed) {
    const auto stranger = make({.common_name = "Stranger CA", .is_ca = true});
    const auto outcome = connect(
        trusting_ca(), make({.alternatives = "DNS:example.test"}, &stranger), "example.test");
    expect_refused(outcome, "issuer \"Stranger CA\" is unknown");
}

TEST_F(TlsTest, NumberNeedsAnAddressInTheCertificate) {
    const auto by_number = server({.alternatives = "IP:127.0.0.1,IP:2001:db8::1"});
    EXPECT_TRUE(connect(trusting_ca(), by_number, "127.0.0.1").opened);
    EXPECT_TRUE(connect(trusting_ca(), by_number, "2001:db8::1").opened);
    expect_refused(connect(trusting_ca(), by_number, "127.0.0.2"), "not for 127.0.0.2");
    expect_refused(connect(trusting_ca(), server({.common_name = "127.0.0.1"}), "127.0.0.1"),
                   "not for 127.0.0.1");
}

TEST_F(TlsTest, SipUriNamesTheDomainAndThenDnsNamesDoNotCount) {  // RFC 5922 §7.1
    const auto both = server({.alternatives = "URI:sip:example.test,DNS:host.example.test"});
    EXPECT_TRUE(connect(trusting_ca(), both, "example.test").opened);
    expect_refused(connect(trusting_ca(), both, "host.example.test"), "is for example.test");
    const auto user_and_sips =
        server({.alternatives = "URI:sip:alice@example.test,URI:sips:example.test,DNS:host.test"});
    expect_refused(connect(trusting_ca(), user_and_sips, "example.test"), "is for host.test");
}

TEST_F(TlsTest, CommonNameCountsOnlyWithoutAlternatives) {  // RFC 5922 §7.1
    EXPECT_TRUE(
        connect(trusting_ca(), server({.common_name = "example.test"}), "example.test").opened);
    expect_refused(connect(trusting_ca(),
                           server({.common_name = "example.test", .alternatives = "DNS:b.test"}),
                           "example.test"),
                   "is for b.test");
}

TEST_F(TlsTest, WildcardDoesNotCountInSipAndThatIsSaid) {  // RFC 5922 §7.2
    expect_refused(
        connect(trusting_ca(), server({.alternatives = "DNS:*.example.test"}), "sip.example.test"),
        "RFC 5922");
}

TEST_F(TlsTest, KeyUsageMustAllowASipServer) {  // RFC 5924
    const auto with = [&](const char* usage) {
        return connect(trusting_ca(), server({.alternatives = "DNS:example.test", .usage = usage}),
                       "example.test");
    };
    EXPECT_TRUE(with("serverAuth").opened);
    EXPECT_TRUE(with("1.3.6.1.5.5.7.3.20").opened);
    EXPECT_TRUE(with("anyExtendedKeyUsage").opened);
    expect_refused(with("clientAuth,emailProtection"), "extended key usage");
}

TEST_F(TlsTest, PinStandsForIssuerAndNameButNotForTheDates) {
    const auto self_signed = make({.alternatives = "DNS:whatever.test"});
    const TlsOptions pinned{.ca_file = {}, .pins = {to_string(pin_of(*self_signed.certificate))}};
    EXPECT_TRUE(connect(pinned, self_signed, "example.test").opened);
    expect_refused(connect(pinned, make({.alternatives = "DNS:example.test"}), "example.test"),
                   "not the pinned one");
    const auto old = make({.begins_s = -7200, .ends_s = -3600});
    expect_refused(connect({.ca_file = {}, .pins = {to_string(pin_of(*old.certificate))}}, old,
                           "example.test"),
                   "expired");
}

TEST_F(TlsTest, PinAndCaMustBothHold) {
    auto both = trusting_ca();
    const auto good = server({.alternatives = "DNS:example.test"});
    both.pins = {to_string(pin_of(*good.certificate))};
    EXPECT_TRUE(connect(both, good, "example.test").opened);
    expect_refused(connect(both, good, "another.test"), "not for another.test");
    expect_refused(connect(both, server({.alternatives = "DNS:example.test"}), "example.test"),
                   "not the pinned one");
}

class TlsVersion : public TlsTest, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Versions, TlsVersion, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(TlsVersion, SessionIsResumedForTheSameNameOnly) {
    const TlsEcho echo{loop, server({.alternatives = "DNS:example.test,DNS:second.test"})};
    echo.limit_to(GetParam());
    TlsContext context{trusting_ca()};
    EXPECT_FALSE(connect(context, echo.endpoint(), "example.test").resumed);
    EXPECT_FALSE(connect(context, echo.endpoint(), "second.test").resumed);
    EXPECT_TRUE(connect(context, echo.endpoint(), "example.test").resumed);
    TlsContext other_context{trusting_ca()};  // of the same options even: each has its own sessions
    EXPECT_FALSE(connect(other_context, echo.endpoint(), "example.test").resumed);
}

// RFC 5922 §7.3, on every connection: a resumed session verifies nothing, but its certificate's end
// counts as it does in a full handshake. The clock is the host's, so this waits for that end.
TEST_P(TlsVersion, SessionIsNotResumedPastTheCertificatesEnd) {
    const auto short_lived = server({.alternatives = "DNS:example.test", .ends_s = 4});
    const TlsEcho echo{loop, short_lived};
    echo.limit_to(GetParam());
    TlsContext context{trusting_ca()};
    ASSERT_TRUE(connect(context, echo.endpoint(), "example.test").opened);
    Timer look{loop, [&] { look.arm(boot_time() + 20ms); }};
    look.arm(boot_time());
    ASSERT_TRUE(loop.run_until([&] { return !is_current(*short_lived.certificate); }, 10s));
    // These words are of the check that a resumed session gets; a full handshake has others.
    expect_refused(connect(context, echo.endpoint(), "example.test"), "is only valid from");
    expect_refused(connect(context, echo.endpoint(), "example.test"), "expired on");
}

TEST_F(TlsTest, OlderThanTls12IsRefused) {
    const TlsEcho echo{loop, server({.alternatives = "DNS:example.test"})};
    echo.allow_what_is_weak();
    echo.limit_to(TLS1_1_VERSION);
    TlsContext context{trusting_ca()};
    const auto outcome = connect(context, echo.endpoint(), "example.test");
    EXPECT_FALSE(outcome.opened);
    EXPECT_TRUE(outcome.error == FlowError::tls || outcome.error == FlowError::reset)
        << outcome.detail;
}

TEST_F(TlsTest, ClientCertificateIsShownWhereAskedFor) {
    const TlsEcho echo{loop, server({.alternatives = "DNS:example.test"}), ca.certificate.get()};
    auto options = trusting_ca();
    options.certificate_file =
        file("client.pem", pem_of(make({.common_name = "alice"}, &ca), true));
    TlsContext with{options};
    EXPECT_EQ(connect(with, echo.endpoint(), "example.test").echoed, "hello");
    TlsContext without{trusting_ca()};
    EXPECT_TRUE(connect(without, echo.endpoint(), "example.test").error);
}

TEST_F(TlsTest, PlainTextServerIsNoTls) {
    std::list<Descriptor> connections;
    const TcpPeer plain{loop, [&](Descriptor connection) {
                            ASSERT_EQ(::send(connection.get(), "SIP/2.0 400 \r\n", 14, 0), 14);
                            connections.push_back(std::move(connection));
                        }};
    TlsContext context{trusting_ca()};
    EXPECT_EQ(connect(context, plain.endpoint(), "example.test").error, FlowError::tls);
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreASentence) {
    const auto words = [](const TlsOptions& options) {
        const auto checked = TlsContext{options}.check();
        return checked ? std::string{"fine"} : checked.error().sentence;
    };
    EXPECT_EQ(words({}), "fine");
    EXPECT_THAT(words({.ca_file = directory.path() / "missing.pem"}),
                AllOf(HasSubstr("missing.pem"), HasSubstr("CA file")));
    EXPECT_THAT(words({.ca_file = file("empty.pem", "nothing\n")}), HasSubstr("empty.pem"));
    EXPECT_THAT(words({.ca_file = {}, .pins = {"sha1/abc"}}), HasSubstr("sha256/BASE64"));
    EXPECT_THAT(
        words({.ca_file = {}, .pins = {}, .certificate_file = file("c.pem", pem_of(ca, false))}),
        HasSubstr("key in"));
}

TEST(Pin, TextAndValueAreTheSame) {
    const std::string text = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    ASSERT_TRUE(parse_pin(text));
    EXPECT_EQ(to_string(*parse_pin(text)), text);
    for (const auto* wrong : {"", "sha256/", "sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                              "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA",
                              "sha256/47DEQpj8HBSa-/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="})
        EXPECT_FALSE(parse_pin(wrong)) << wrong;
}

}  // namespace
}  // namespace holdfast::runtime
