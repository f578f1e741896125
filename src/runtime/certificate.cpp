#include "runtime/certificate.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <span>

#include "base/address.h"
#include "base/check.h"
#include "base/text.h"

namespace holdfast::runtime {

namespace {

struct FreeNames {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
struct FreeUsage {
    void operator()(EXTENDED_KEY_USAGE* usage) const { EXTENDED_KEY_USAGE_free(usage); }
};
struct FreeObject {
    void operator()(ASN1_OBJECT* object) const { ASN1_OBJECT_free(object); }
};
struct FreeOpenssl {
    void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};

std::string_view text_of(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// "sip:example.test" without a user; its parameters and headers are not part of the identity.
std::optional<std::string> sip_domain_of(std::string_view uri) {
    constexpr std::string_view scheme = "sip:";
    if (uri.size() < scheme.size() || !equals_ignoring_case(uri.substr(0, scheme.size()), scheme))
        return std::nullopt;
    uri.remove_prefix(scheme.size());
    if (uri.find('@') != std::string_view::npos) return std::nullopt;
    uri = uri.substr(0, uri.find_first_of(";?:"));
    if (uri.empty()) return std::nullopt;
    return lower_case(uri);
}

// A NUL inside would make two readers see two names.
bool is_plain(std::string_view name) {
    return !name.empty() && name.find('\0') == std::string_view::npos;
}

std::optional<std::string> address_text(std::string_view bytes) {
    if (bytes.size() == 4) {
        std::array<std::uint8_t, 4> raw{};
        std::memcpy(raw.data(), bytes.data(), raw.size());
        return IpAddress::v4(raw).to_string();
    }
    if (bytes.size() != 16) return std::nullopt;
    std::array<std::uint8_t, 16> raw{};
    std::memcpy(raw.data(), bytes.data(), raw.size());
    return IpAddress::v6(raw).to_string();
}

std::string common_name(const X509_NAME* name) {
    int last = -1;
    for (int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1); at >= 0;
         at = X509_NAME_get_index_by_NID(name, NID_commonName, at))
        last = at;  // the most specific
    if (last < 0) return {};
    const auto text = text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
    return is_plain(text) ? std::string(text) : std::string{};
}

std::string words_of(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts);
    return {text.data(), size};
}

}  // namespace

std::string CertificateNames::to_string() const {
    std::string text;
    for (const auto* list : {&domains, &addresses})
        for (const auto& name : *list) text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "no name at all" : text;
}

CertificateNames names_of(const X509& certificate) {
    CertificateNames names;
    std::vector<std::string> dns_names;
    const std::unique_ptr<GENERAL_NAMES, FreeNames> alternatives{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
    const int count = alternatives ? sk_GENERAL_NAME_num(alternatives.get()) : 0;
    for (int i = 0; i < count; ++i) {
        int type = 0;
        const auto* value = static_cast<const ASN1_STRING*>(
            GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(alternatives.get(), i), &type));
        if (type == GEN_URI) {
            if (const auto domain = sip_domain_of(text_of(value)); domain && is_plain(*domain))
                names.domains.push_back(*domain);
        } else if (type == GEN_DNS) {
            if (is_plain(text_of(value))) dns_names.push_back(lower_case(text_of(value)));
        } else if (type == GEN_IPADD) {
            if (auto address = address_text(text_of(value)))
                names.addresses.push_back(*std::move(address));
        }
    }
    // RFC 5922 §7.1: DNS names count only if no sip: URI gives an identity …
    if (names.domains.empty()) names.domains = std::move(dns_names);
    // … and the common name only if there is no subjectAltName at all.
    if (!alternatives)
        if (auto name = common_name(X509_get_subject_name(&certificate)); !name.empty())
            names.domains.push_back(lower_case(name));
    return names;
}

bool is_for(const CertificateNames& names, std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    if (const auto address = IpAddress::parse(name))
        return std::ranges::find(names.addresses, address->to_string()) != names.addresses.end();
    // RFC 5922 §7.2: "*.example.test" is for nobody but itself.
    return std::ranges::find(names.domains, lower_case(name)) != names.domains.end();
}

bool allows_sip_server(const X509& certificate) {
    int critical = 0;
    const std::unique_ptr<EXTENDED_KEY_USAGE, FreeUsage> usage{static_cast<EXTENDED_KEY_USAGE*>(
        X509_get_ext_d2i(&certificate, NID_ext_key_usage, &critical, nullptr))};
    if (!usage) return critical == -1;  // absent; otherwise it is unreadable
    const std::unique_ptr<ASN1_OBJECT, FreeObject> sip_domain{OBJ_txt2obj("1.3.6.1.5.5.7.3.20", 1)};
    for (int i = 0; i < sk_ASN1_OBJECT_num(usage.get()); ++i) {
        const auto* purpose = sk_ASN1_OBJECT_value(usage.get(), i);
        const int number = OBJ_obj2nid(purpose);
        if (number == NID_server_auth || number == NID_anyExtendedKeyUsage) return true;
        if (sip_domain && OBJ_cmp(purpose, sip_domain.get()) == 0) return true;
    }
    return false;
}

std::optional<Pin> parse_pin(std::string_view text) {
    constexpr std::string_view prefix = "sha256/";
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    constexpr std::size_t encoded_size = 44;  // 32 bytes, with one "=" of padding
    if (text.size() != encoded_size || !text.ends_with('=')) return std::nullopt;
    std::array<std::uint8_t, 33> decoded{};  // the padding decodes to one more byte
    if (EVP_DecodeBlock(decoded.data(), reinterpret_cast<const unsigned char*>(text.data()),
                        static_cast<int>(text.size())) != static_cast<int>(decoded.size()))
        return std::nullopt;
    Pin pin{};
    std::copy_n(decoded.begin(), pin.size(), pin.begin());
    return pin;
}

Pin pin_of(const X509& certificate) {
    unsigned char* raw = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &raw);
    const std::unique_ptr<unsigned char, FreeOpenssl> encoded{raw};
    Pin pin{};
    CHECK(size > 0);
    CHECK(EVP_Digest(encoded.get(), static_cast<std::size_t>(size), pin.data(), nullptr,
                     EVP_sha256(), nullptr) == 1);
    return pin;
}

std::string to_string(const Pin& pin) {
    std::array<unsigned char, 48> text{};
    const int size = EVP_EncodeBlock(text.data(), pin.data(), static_cast<int>(pin.size()));
    return "sha256/" +
           std::string(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(size));
}

std::string issuer_of(const X509& certificate) {
    const auto* issuer = X509_get_issuer_name(&certificate);
    if (auto name = common_name(issuer); !name.empty()) return name;
    std::array<char, 256> text{};
    X509_NAME_oneline(issuer, text.data(), static_cast<int>(text.size()));
    return text.data();
}

std::string begins_on(const X509& certificate) {
    return words_of(X509_get0_notBefore(&certificate));
}
std::string expires_on(const X509& certificate) {
    return words_of(X509_get0_notAfter(&certificate));
}

std::int64_t expires_at(const X509& certificate) {
    tm when{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &when) != 1) return 0;
    return ::timegm(&when);
}

bool is_current(const X509& certificate) {
    return X509_cmp_current_time(X509_get0_notBefore(&certificate)) < 0 &&
           X509_cmp_current_time(X509_get0_notAfter(&certificate)) > 0;
}

}  // namespace holdfast::runtime
