#include "runtime/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <utility>

#include "base/address.h"
#include "base/check.h"
#include "base/text.h"
#include "runtime/certificate.h"
#include "runtime/socket_address.h"
#include "runtime/socket_bio.h"

namespace holdfast::runtime {

namespace {

struct Free {
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
    void operator()(SSL* p) const { SSL_free(p); }
    void operator()(SSL_SESSION* p) const { SSL_SESSION_free(p); }
    void operator()(X509* p) const { X509_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

constexpr std::size_t resumable_names = 256;

int no_passphrase(char*, int, int, void*) { return 0; }  // never ask on the terminal

std::string openssl_words() {
    const auto error = ERR_peek_last_error();
    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(error)) return words_of(ERR_GET_REASON(error));
    const char* words = ERR_reason_error_string(error);
    return words == nullptr ? "no further words" : words;
}

std::unexpected<Failure> tls_failure(std::string sentence) {
    return std::unexpected(Failure{FailureKind::tls_files, std::move(sentence)});
}

// Errors that a pinned key makes up for: nobody vouches for the certificate, but the user has named
// its key.
bool is_about_trust(int error) {
    return error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
           error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
           error == X509_V_ERR_CERT_UNTRUSTED;
}

std::string words_of_chain_error(int error, int depth, const X509& certificate) {
    const std::string whose = depth == 0 ? "the certificate" : "the certificate of its issuer";
    const std::string way_out =
        ". To trust it: --ca FILE, or --tls-pin " + to_string(pin_of(certificate));
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return whose + " expired on " + expires_on(certificate);
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return whose + " is not valid before " + begins_on(certificate) +
               " (is this host's clock right?)";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return "the certificate is self-signed" + way_out;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "the certificate's root \"" + issuer_of(certificate) +
               "\" is not trusted here. To trust it: --ca FILE";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "the certificate's issuer \"" + issuer_of(certificate) + "\" is unknown here" +
               (depth == 0 ? way_out : std::string{});
    default: return whose + ": " + X509_verify_cert_error_string(error);
    }
}

// "*.example.test" would fit by the web's rules: say why it does not by SIP's.
bool has_fitting_wildcard(const CertificateNames& names, std::string_view name) {
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return false;
    const auto wildcard = "*" + lower_case(name.substr(dot));
    return std::ranges::find(names.domains, wildcard) != names.domains.end();
}

}  // namespace

struct TlsContext::Impl {
    TlsOptions options;
    Owned<SSL_CTX> context;  // none: not loaded yet
    std::vector<Pin> pins;
    // By name; CA set and client certificate are the context's, so that no session crosses them.
    std::map<std::string, Owned<SSL_SESSION>, std::less<>> sessions;

    [[nodiscard]] bool pin_alone() const { return !pins.empty() && options.ca_file.empty(); }
    std::expected<void, Failure> load();
    std::expected<void, Failure> load_trust();
    std::expected<void, Failure> load_client_certificate();
    void remember(const std::string& name, Owned<SSL_SESSION> session);
};

struct TlsSession::Impl {
    TlsContext::Impl& shared;
    std::string name;
    Owned<SSL> ssl;
    std::optional<TlsFailure> failure;

    std::optional<std::string> fault_of(const X509& certificate) const;
    bool verify(bool sound, X509_STORE_CTX* store);
    bool accept_peer();
    TlsStep step(int result, bool handshake);

    static Impl& of(const SSL* ssl) { return *static_cast<Impl*>(SSL_get_app_data(ssl)); }
};

namespace {

int verify_callback(int sound, X509_STORE_CTX* store) {
    const auto* ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    return TlsSession::Impl::of(ssl).verify(sound != 0, store) ? 1 : 0;
}

int new_session_callback(SSL* ssl, SSL_SESSION* session) {
    auto& impl = TlsSession::Impl::of(ssl);
    impl.shared.remember(impl.name, Owned<SSL_SESSION>{session});
    return 1;  // it is ours now
}

}  // namespace

std::expected<void, Failure> TlsContext::Impl::load() {
    if (context) return {};
    for (const auto& text : options.pins) {
        const auto pin = parse_pin(text);
        if (!pin)
            return tls_failure(
                "\"" + text +
                "\" is no pin. One is written sha256/BASE64 (44 characters of base64: "
                "the SHA-256 of the server's public key).");
        pins.push_back(*pin);
    }
    ERR_clear_error();
    Owned<SSL_CTX> made{SSL_CTX_new(TLS_client_method())};
    if (!made) return tls_failure("TLS cannot be used on this host: " + openssl_words() + ".");
    auto* raw = made.get();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    // A peer that just closes (no close_notify) cuts no message short unseen: Content-Length tells.
    SSL_CTX_set_options(
        raw, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, verify_callback);
    // The usage of the server's key is ours to judge: OpenSSL knows no id-kp-sipDomain (RFC 5924).
    X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(raw), X509_PURPOSE_ANY);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(raw, new_session_callback);
    SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
    context = std::move(made);
    if (auto loaded = load_trust(); !loaded) return loaded;
    return load_client_certificate();
}

std::expected<void, Failure> TlsContext::Impl::load_trust() {
    if (options.ca_file.empty()) {
        // Debian's is a directory of hashed names: a CA is read when a certificate names it.
        if (!pin_alone() && SSL_CTX_set_default_verify_paths(context.get()) != 1)
            return tls_failure("The system's CA certificates cannot be read: " + openssl_words() +
                               ". Give them with --ca FILE.");
        return {};
    }
    if (SSL_CTX_load_verify_file(context.get(), options.ca_file.c_str()) == 1) return {};
    return tls_failure("The CA file " + options.ca_file.string() + " cannot be used: " +
                       openssl_words() + ". It must hold certificates in PEM form.");
}

std::expected<void, Failure> TlsContext::Impl::load_client_certificate() {
    if (options.certificate_file.empty()) return {};
    const auto& key_file = options.key_file.empty() ? options.certificate_file : options.key_file;
    if (SSL_CTX_use_certificate_chain_file(context.get(), options.certificate_file.c_str()) != 1)
        return tls_failure("The client certificate " + options.certificate_file.string() +
                           " cannot be used: " + openssl_words() +
                           ". It must be PEM, with its chain.");
    if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        return tls_failure(
            "The key in " + key_file.string() + " cannot be used: " + openssl_words() +
            ". It must be PEM, without a passphrase, and belong to the client certificate.");
    return {};
}

void TlsContext::Impl::remember(const std::string& name, Owned<SSL_SESSION> session) {
    if (sessions.size() >= resumable_names && !sessions.contains(name))
        sessions.erase(sessions.begin());
    sessions.insert_or_assign(name, std::move(session));
}

TlsContext::TlsContext(TlsOptions options) : impl_(std::make_unique<Impl>()) {
    impl_->options = std::move(options);
}
TlsContext::~TlsContext() = default;

std::expected<void, Failure> TlsContext::check() {
    const auto& options = impl_->options;
    if (options.ca_file.empty() && options.pins.empty() && options.certificate_file.empty())
        return {};
    auto loaded = impl_->load();
    if (!loaded) impl_->context.reset();  // a second look fails again
    return loaded;
}

std::expected<std::unique_ptr<TlsSession>, Failure> TlsContext::connect_to(
    const std::string& name) {
    if (auto loaded = impl_->load(); !loaded) {
        impl_->context.reset();
        impl_->pins.clear();
        return std::unexpected(loaded.error());
    }
    auto session = std::make_unique<TlsSession::Impl>(
        *impl_, name, Owned<SSL>{SSL_new(impl_->context.get())}, std::nullopt);
    auto* ssl = session->ssl.get();
    if (ssl == nullptr)
        return tls_failure("No TLS connection can be made: " + openssl_words() + ".");
    SSL_set_app_data(ssl, session.get());
    SSL_set_connect_state(ssl);
    if (!IpAddress::parse(name)) {  // RFC 6066 §3: no addresses
        std::string server_name =
            name;  // what SSL_set_tlsext_host_name does, without its old-style cast
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, server_name.data());
    }
    // Used once (RFC 8446 §C.4): the server gives new ones.
    if (const auto known = impl_->sessions.extract(name); !known.empty())
        SSL_set_session(ssl, known.mapped().get());
    return std::make_unique<TlsSession>(std::move(session));
}

TlsSession::TlsSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsSession::~TlsSession() = default;
const std::string& TlsSession::name() const { return impl_->name; }
bool TlsSession::resumed() const { return SSL_session_reused(impl_->ssl.get()) == 1; }

TlsFacts TlsSession::facts() const {
    TlsFacts facts{.version = SSL_get_version(impl_->ssl.get()), .names = {}, .issuer = {}};
    const Owned<X509> certificate{SSL_get1_peer_certificate(impl_->ssl.get())};
    if (!certificate) return facts;
    auto names = names_of(*certificate);
    facts.names = std::move(names.domains);
    facts.names.insert(facts.names.end(), names.addresses.begin(), names.addresses.end());
    facts.issuer = issuer_of(*certificate);
    facts.expires = expires_at(*certificate);
    return facts;
}

void TlsSession::attach(int socket) {
    BIO* bio = new_socket_bio(socket);
    SSL_set_bio(impl_->ssl.get(), bio, bio);  // one reference serves both ways
}

// What is wrong with the server's own certificate, leaving aside who vouches for it.
std::optional<std::string> TlsSession::Impl::fault_of(const X509& certificate) const {
    const auto pin = pin_of(certificate);
    const bool pinned = std::ranges::find(shared.pins, pin) != shared.pins.end();
    if (!shared.pins.empty() && !pinned)
        return "the server's key is not the pinned one: it is " + to_string(pin);
    if (!is_current(certificate))
        return "the certificate is only valid from " + begins_on(certificate) + " to " +
               expires_on(certificate);
    if (shared.pin_alone()) return std::nullopt;
    if (const auto names = names_of(certificate); !is_for(names, name))
        return "the certificate is for " + names.to_string() + ", not for " + name +
               (has_fitting_wildcard(names, name)
                    ? " (a wildcard does not count in SIP, RFC 5922 §7.2)"
                    : "");
    if (!allows_sip_server(certificate))
        return "the certificate must not be used for a SIP server (its extended key usage is "
               "another)";
    return std::nullopt;
}

bool TlsSession::Impl::verify(bool sound, X509_STORE_CTX* store) {
    const int depth = X509_STORE_CTX_get_error_depth(store);
    const auto* certificate = X509_STORE_CTX_get_current_cert(store);
    std::optional<std::string> fault;
    if (!sound) {
        const int error = X509_STORE_CTX_get_error(store);
        if (shared.pin_alone() && is_about_trust(error)) {
            X509_STORE_CTX_set_error(store, X509_V_OK);
            return true;
        }
        fault = certificate == nullptr ? X509_verify_cert_error_string(error)
                                       : words_of_chain_error(error, depth, *certificate);
    } else if (depth == 0) {
        fault = fault_of(*certificate);
        if (fault) X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    }
    if (!fault) return true;
    failure = TlsFailure{FlowError::certificate, *std::move(fault)};
    return false;
}

// A resumed session brings its certificate along but verifies nothing: the name and the dates are
// checked here, each time.
bool TlsSession::Impl::accept_peer() {
    const Owned<X509> certificate{SSL_get1_peer_certificate(ssl.get())};
    std::optional<std::string> fault;
    if (!certificate)
        fault = "the server showed no certificate";
    else if (SSL_get_verify_result(ssl.get()) != X509_V_OK)
        fault = "the certificate could not be verified";
    else
        fault = fault_of(*certificate);
    if (!fault) return true;
    failure = TlsFailure{FlowError::certificate, *std::move(fault)};
    return false;
}

TlsStep TlsSession::Impl::step(int result, bool handshake) {
    const int system_error = errno;
    switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_NONE: return TlsStep::done;
    case SSL_ERROR_WANT_READ: return TlsStep::want_read;
    case SSL_ERROR_WANT_WRITE: return TlsStep::want_write;
    case SSL_ERROR_ZERO_RETURN:
        if (!handshake) return TlsStep::done;
        failure =
            TlsFailure{FlowError::tls, "the server ended the connection during the TLS handshake"};
        return TlsStep::failed;
    case SSL_ERROR_SYSCALL:
        failure = TlsFailure{
            system_error == 0 ? FlowError::tls : flow_error_of(system_error),
            (handshake ? "during the TLS handshake: " : "") +
                (system_error == 0 ? std::string{"connection closed"} : words_of(system_error))};
        return TlsStep::failed;
    default: {
        auto words = openssl_words();
        if (!failure)
            failure =
                TlsFailure{FlowError::tls, std::move(words)};  // the certificate's fault says more
        return TlsStep::failed;
    }
    }
}

TlsStep TlsSession::handshake() {
    ERR_clear_error();
    errno = 0;
    const auto step = impl_->step(SSL_do_handshake(impl_->ssl.get()), true);
    if (step == TlsStep::done && !impl_->accept_peer()) return TlsStep::failed;
    return step;
}

TlsStep TlsSession::read(std::span<char> space, std::size_t& size) {
    ERR_clear_error();
    errno = 0;
    size = 0;
    return impl_->step(SSL_read_ex(impl_->ssl.get(), space.data(), space.size(), &size), false);
}

TlsStep TlsSession::write(std::string_view bytes, std::size_t& size) {
    ERR_clear_error();
    errno = 0;
    size = 0;
    return impl_->step(SSL_write_ex(impl_->ssl.get(), bytes.data(), bytes.size(), &size), false);
}

void TlsSession::goodbye() {
    ERR_clear_error();
    SSL_shutdown(impl_->ssl.get());
    ERR_clear_error();
}

TlsFailure TlsSession::failure() const { return impl_->failure.value_or(TlsFailure{}); }

}  // namespace holdfast::runtime
