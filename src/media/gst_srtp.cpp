#include "media/gst_srtp.h"

#include <sys/random.h>

#include <cstring>
#include <utility>

#include "base/check.h"
#include "media/gst_library.h"
#include "media/limits.h"

namespace holdfast::media::gst {

namespace {

constexpr const char* no_plugin =
    "GStreamer lacks srtpenc and srtpdec: install gstreamer1.0-plugins-bad";

struct Material {
    const SrtpSuite* suite = nullptr;
    Ref<GstBuffer> key;
};

std::expected<Material, std::string> material_of(const sdp::CryptoKey& key) {
    const auto* suite = find_suite(key.suite);
    if (!suite) return std::unexpected("the agreed SRTP suite " + key.suite + " is not known here");
    gsize size = 0;
    guchar* bytes = g_base64_decode(key.key.reveal().c_str(), &size);
    Ref<GstBuffer> buffer{gst_buffer_new_memdup(bytes, size)};
    ::explicit_bzero(bytes, size);
    g_free(bytes);
    if (size != suite->key_bytes)
        return std::unexpected("an SRTP key of " + std::to_string(size) + " bytes does not fit " +
                               key.suite + ", which has " + std::to_string(suite->key_bytes));
    return Material{.suite = suite, .key = std::move(buffer)};
}

}  // namespace

std::vector<sdp::CryptoKey> draw_keys(const std::vector<const SrtpSuite*>& suites) {
    std::vector<sdp::CryptoKey> keys;
    for (const auto* suite : suites) {
        std::string bytes(suite->key_bytes, '\0');
        // Up to 256 bytes come whole, once the host has gathered entropy (getrandom(2)).
        CHECK(::getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
        char* text = g_base64_encode(reinterpret_cast<const guchar*>(bytes.data()), bytes.size());
        keys.push_back({.tag = static_cast<std::uint32_t>(keys.size() + 1),
                        .suite = std::string{suite->name},
                        .key = Redacted<std::string>{text}});
        ::explicit_bzero(text, std::strlen(text));
        ::explicit_bzero(bytes.data(), bytes.size());
        g_free(text);
    }
    return keys;
}

std::expected<std::unique_ptr<SrtpDecoder>, std::string> SrtpDecoder::make(
    GstBin* bin, const sdp::CryptoKey& key, Rollovers rollovers) {
    const auto material = material_of(key);
    if (!material) return std::unexpected(material.error());
    GstElement* element = Chain{bin}.add("srtpdec");
    if (!element) return std::unexpected(no_plugin);
    const auto& suite = *material->suite;
    const std::string cipher{suite.cipher};
    Ref<GstCaps> parameters{gst_caps_new_simple(
        "application/x-srtp", "srtp-key", GST_TYPE_BUFFER, material->key.get(), "srtp-cipher",
        G_TYPE_STRING, cipher.c_str(), "srtcp-cipher", G_TYPE_STRING, cipher.c_str(), "srtp-auth",
        G_TYPE_STRING, std::string{suite.rtp_auth}.c_str(), "srtcp-auth", G_TYPE_STRING,
        std::string{suite.rtcp_auth}.c_str(), nullptr)};
    if (const auto mki = mki_of(key.lifetime_and_mki); !mki.empty()) {
        const Ref<GstBuffer> identifier{gst_buffer_new_memdup(mki.data(), mki.size())};
        gst_caps_set_simple(parameters.get(), "mki", GST_TYPE_BUFFER, identifier.get(), nullptr);
    }
    // The constructor is private.
    return std::unique_ptr<SrtpDecoder>{
        new SrtpDecoder{shared(element), std::move(parameters), std::move(rollovers)}};
}

SrtpDecoder::SrtpDecoder(Ref<GstElement> element, Ref<GstCaps> parameters, Rollovers rollovers)
    : element_(std::move(element)),
      parameters_(std::move(parameters)),
      rollovers_(std::move(rollovers)) {
    const auto asked = +[](GstElement*, guint ssrc, gpointer self) -> GstCaps* {
        return static_cast<SrtpDecoder*>(self)->parameters_of(ssrc).release();
    };
    g_signal_connect(element_.get(), "request-key", G_CALLBACK(asked), this);
}

SrtpDecoder::~SrtpDecoder() { g_signal_handlers_disconnect_by_data(element_.get(), this); }

Ref<GstCaps> SrtpDecoder::parameters_of(std::uint32_t ssrc) {
    // Asked before the packet is authenticated: whoever guesses the port could have a context made
    // for each SSRC.
    if (sources_ >= limits::srtp_sources) return {};
    ++sources_;
    Ref<GstCaps> parameters{gst_caps_copy(parameters_.get())};
    if (const auto known = rollovers_.find(ssrc); known != rollovers_.end())
        gst_caps_set_simple(parameters.get(), "roc", G_TYPE_UINT, known->second, nullptr);
    return parameters;
}

Rollovers SrtpDecoder::rollovers() const {
    Rollovers rollovers;
    GstStructure* raw = nullptr;
    g_object_get(element_.get(), "stats", &raw, nullptr);
    const Ref<GstStructure> stats{raw};
    const GValue* streams = stats ? gst_structure_get_value(stats.get(), "streams") : nullptr;
    if (!streams) return rollovers;
    for (guint n = 0; n < gst_value_array_get_size(streams); ++n) {
        const auto* stream = gst_value_get_structure(gst_value_array_get_value(streams, n));
        guint ssrc = 0;
        guint rollover = 0;
        if (stream && gst_structure_get_uint(stream, "ssrc", &ssrc) &&
            gst_structure_get_uint(stream, "roc", &rollover))
            rollovers.emplace(ssrc, rollover);
    }
    return rollovers;
}

std::expected<GstElement*, std::string> add_srtp_encoder(GstBin* bin, const sdp::CryptoKey& key) {
    const auto material = material_of(key);
    if (!material) return std::unexpected(material.error());
    GstElement* element = Chain{bin}.add("srtpenc");
    if (!element) return std::unexpected(no_plugin);
    const auto set = [&](const char* property, std::string_view value) {
        gst_util_set_object_arg(G_OBJECT(element), property, std::string{value}.c_str());
    };
    set("rtp-cipher", material->suite->cipher);
    set("rtcp-cipher", material->suite->cipher);
    set("rtp-auth", material->suite->rtp_auth);
    set("rtcp-auth", material->suite->rtcp_auth);
    g_object_set(element, "key", material->key.get(), nullptr);
    return element;
}

}  // namespace holdfast::media::gst
