#include "live/authority.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <utility>

#include "base/check.h"

namespace holdfast::live {

namespace {

constexpr long minute = 60;
constexpr long day = 24 * 60 * minute;

struct Free {
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(X509* p) const { X509_free(p); }
    void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
    void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
    void operator()(BIO* p) const { BIO_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<EVP_PKEY> new_key() {
    Owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
    CHECK(key);
    return key;
}

void add_extension(X509& certificate, X509& issuer, int name, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
    const Owned<X509_EXTENSION> extension{
        X509V3_EXT_conf_nid(nullptr, &context, name, value.c_str())};
    CHECK(extension);
    CHECK(X509_add_ext(&certificate, extension.get(), -1) == 1);
}

void set_name(X509_NAME* name, const std::string& common_name) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(common_name.data());
    CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes,
                                     static_cast<int>(common_name.size()), -1, 0) == 1);
}

Owned<X509> blank(EVP_PKEY& key, const std::string& common_name, long serial) {
    Owned<X509> certificate{X509_new()};
    CHECK(certificate);
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -minute);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), day);
    X509_set_pubkey(certificate.get(), &key);
    set_name(X509_get_subject_name(certificate.get()), common_name);
    return certificate;
}

}  // namespace

struct ServerCertificate::Impl {
    Owned<SSL_CTX> context;
};

ServerCertificate::ServerCertificate(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServerCertificate::ServerCertificate(ServerCertificate&&) noexcept = default;
ServerCertificate& ServerCertificate::operator=(ServerCertificate&&) noexcept = default;
ServerCertificate::~ServerCertificate() = default;
ssl_ctx_st* ServerCertificate::context() const { return impl_->context.get(); }

struct Authority::Impl {
    Owned<EVP_PKEY> key = new_key();
    Owned<X509> certificate;
    long serial = 1;
};

Authority::Authority() : impl_(std::make_unique<Impl>()) {
    impl_->certificate = blank(*impl_->key, "Holdfast's lab, this run only", impl_->serial);
    auto& own = *impl_->certificate;
    X509_set_issuer_name(&own, X509_get_subject_name(&own));
    add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(own, own, NID_subject_key_identifier, "hash");
    CHECK(X509_sign(&own, impl_->key.get(), EVP_sha256()) > 0);
}

Authority::~Authority() = default;

ServerCertificate Authority::issue(const std::vector<std::string>& names) const {
    const auto key = new_key();
    const auto certificate = blank(*key, names.front(), ++impl_->serial);
    auto& issuer = *impl_->certificate;
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(&issuer));
    std::string subject_names;
    for (const auto& name : names)
        subject_names += (subject_names.empty() ? "DNS:" : ",DNS:") + name;
    add_extension(*certificate, issuer, NID_subject_alt_name, subject_names);
    add_extension(*certificate, issuer, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(*certificate, issuer, NID_authority_key_identifier, "keyid");
    CHECK(X509_sign(certificate.get(), impl_->key.get(), EVP_sha256()) > 0);
    auto impl = std::make_unique<ServerCertificate::Impl>();
    impl->context.reset(SSL_CTX_new(TLS_server_method()));
    auto* context = impl->context.get();
    CHECK(context != nullptr);
    CHECK(SSL_CTX_use_certificate(context, certificate.get()) == 1);
    CHECK(SSL_CTX_use_PrivateKey(context, key.get()) == 1);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return ServerCertificate(std::move(impl));
}

std::string Authority::certificate_pem() const {
    const Owned<BIO> memory{BIO_new(BIO_s_mem())};
    CHECK(memory && PEM_write_bio_X509(memory.get(), impl_->certificate.get()) == 1);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

bool Authority::write_to(const std::filesystem::path& file) const {
    std::ofstream out(file);
    out << certificate_pem();
    return static_cast<bool>(out.flush());
}

}  // namespace holdfast::live
