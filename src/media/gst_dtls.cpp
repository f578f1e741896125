#include "media/gst_dtls.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/text.h"
#include "media/gst_library.h"

namespace holdfast::media::gst {

namespace {

constexpr const char* no_plugin =
    "GStreamer lacks dtlssrtpenc and dtlssrtpdec: install gstreamer1.0-plugins-bad";

struct Hash {
    std::string_view name;  // RFC 8122 §5
    GChecksumType type;
};
// MD5 and MD2 must not be used (RFC 8122 §5.1); SHA-1 is what old phones have, and a certificate
// that fits a given SHA-1 cannot be made.
constexpr std::array hashes{
    Hash{.name = "sha-256", .type = G_CHECKSUM_SHA256},
    Hash{.name = "sha-384", .type = G_CHECKSUM_SHA384},
    Hash{.name = "sha-512", .type = G_CHECKSUM_SHA512},
    Hash{.name = "sha-1", .type = G_CHECKSUM_SHA1},
};

// The base64 between PEM's lines.
std::string_view body_of(std::string_view pem) {
    constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
    const auto from = pem.find(begin);
    const auto to = pem.find("-----END CERTIFICATE-----");
    if (from == std::string_view::npos || to == std::string_view::npos || to < from) return {};
    return pem.substr(from + begin.size(), to - from - begin.size());
}

// GstDtlsConnectionState's, which no header of GStreamer's has.
constexpr int state_closed = 1;
constexpr int state_failed = 2;

std::string property_of(GstElement* element, const char* name) {
    char* text = nullptr;
    g_object_get(element, name, &text, nullptr);
    return text_of(Ref<char>{text});
}

}  // namespace

std::optional<std::string> fingerprint_of(std::string_view pem, std::string_view hash) {
    const auto* known = std::ranges::find_if(
        hashes, [&](const Hash& one) { return equals_ignoring_case(one.name, hash); });
    const std::string body{body_of(pem)};
    if (known == hashes.end() || body.empty()) return std::nullopt;
    gsize size = 0;
    guchar* der = g_base64_decode(body.c_str(), &size);
    const auto digest = text_of(Ref<char>{g_compute_checksum_for_data(known->type, der, size)});
    g_free(der);
    std::string hex;
    for (std::size_t n = 0; n < digest.size(); ++n) {
        if (n > 0 && n % 2 == 0) hex += ':';
        hex += static_cast<char>(std::toupper(static_cast<unsigned char>(digest[n])));
    }
    return hex;
}

std::expected<sdp::Fingerprint, std::string> own_fingerprint() {
    // Every decoder that is told no certificate has the same, which the plug-in makes with the
    // first of them and keeps; its key leaves the plug-in for nobody.
    const auto decoder = owned(gst_element_factory_make("dtlsdec", nullptr));
    if (!decoder || !has_element("srtpdec")) return std::unexpected(no_plugin);
    auto hex = fingerprint_of(property_of(decoder.get(), "pem"), "sha-256");
    if (!hex) return std::unexpected("GStreamer's DTLS made no certificate");
    return sdp::Fingerprint{.hash = "sha-256", .hex = std::move(*hex)};
}

Association::Association(sdp::AgreedDtls agreed, std::function<void(AssociationEvent)> tell)
    : agreed_(std::move(agreed)), tell_(std::move(tell)) {}

std::expected<std::unique_ptr<Association>, std::string> Association::make(
    GstBin* bin, const sdp::AgreedDtls& agreed, const std::string& id,
    std::function<void(AssociationEvent)> tell) {
    // Without srtpdec their own constructors fail in pieces.
    if (!has_element("srtpdec") || !has_element("dtlssrtpdec")) return std::unexpected(no_plugin);
    GstElement* decoder = Chain{bin}.add("dtlssrtpdec");
    GstElement* encoder = Chain{bin}.add("dtlssrtpenc");
    if (!decoder || !encoder) return std::unexpected(no_plugin);
    // The constructor is private.
    std::unique_ptr<Association> made{new Association{agreed, std::move(tell)}};
    made->decoder_ = shared(decoder);
    made->encoder_ = shared(encoder);
    g_object_set(decoder, "connection-id", id.c_str(), nullptr);
    g_object_set(encoder, "connection-id", id.c_str(), "is-client",
                 static_cast<gboolean>(agreed.we_are_active), nullptr);
    const auto certificate = +[](GstElement*, GParamSpec*, gpointer self) {
        static_cast<Association*>(self)->on_certificate();
    };
    const auto key =
        +[](GstElement*, gpointer self) { static_cast<Association*>(self)->keyed_ = true; };
    const auto state = +[](GstElement*, GParamSpec*, gpointer self) {
        static_cast<Association*>(self)->on_state();
    };
    g_signal_connect(decoder, "notify::connection-state", G_CALLBACK(state), made.get());
    g_signal_connect(decoder, "notify::peer-pem", G_CALLBACK(certificate), made.get());
    g_signal_connect(encoder, "on-key-set", G_CALLBACK(key), made.get());
    return made;
}

Association::~Association() {
    g_signal_handlers_disconnect_by_data(decoder_.get(), this);
    g_signal_handlers_disconnect_by_data(encoder_.get(), this);
}

void Association::on_certificate() {
    const auto pem = property_of(decoder_.get(), "peer-pem");
    const bool fits = std::ranges::any_of(agreed_.fingerprints, [&](const auto& expected) {
        const auto hex = fingerprint_of(pem, expected.hash);
        return hex && equals_ignoring_case(*hex, expected.hex);
    });
    verified_ = fits;
    if (!fits) tell_(AssociationEvent::refused);
}

void Association::on_state() {
    int state = 0;
    g_object_get(decoder_.get(), "connection-state", &state, nullptr);
    // Before there are keys it is closed only until it begins, and when we stop it.
    if (state != state_failed && (state != state_closed || !keyed_)) return;
    if (over_.exchange(true)) return;
    tell_(keyed_ ? AssociationEvent::ended : AssociationEvent::failed);
}

void Association::guard(GstPad* pad) {
    const auto pass = +[](GstPad*, GstPadProbeInfo*, gpointer self) {
        return static_cast<Association*>(self)->is_open() ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
    };
    constexpr auto data =
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
    gst_pad_add_probe(pad, data, pass, this, nullptr);
}

}  // namespace holdfast::media::gst
