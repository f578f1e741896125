#include "media/gst_transport.h"

#include <gio/gio.h>
#include <gst/app/gstappsrc.h>
#include <gst/net/gstnetaddressmeta.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>

#include "media/gst_library.h"
#include "media/gst_pads.h"

namespace holdfast::media::gst {

namespace {

constexpr guint64 waiting_rtcp = 32;  // packets, between two threads

Endpoint endpoint_of(GSocketAddress* address) {
    if (!G_IS_INET_SOCKET_ADDRESS(address)) return {};
    GInetAddress* ip = g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address));
    const guint8* bytes = g_inet_address_to_bytes(ip);
    Endpoint endpoint{.address = {},
                      .port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address))};
    if (g_inet_address_get_family(ip) == G_SOCKET_FAMILY_IPV4) {
        endpoint.address = IpAddress::v4(bytes[0], bytes[1], bytes[2], bytes[3]);
    } else {
        std::array<std::uint8_t, 16> all{};
        std::memcpy(all.data(), bytes, all.size());
        endpoint.address = IpAddress::v6(all);
    }
    return endpoint;
}

// As much of it as says what it is; nothing: it is shorter.
std::optional<std::array<std::uint8_t, 12>> beginning_of(GstBuffer* buffer) {
    std::array<std::uint8_t, 12> bytes{};
    if (gst_buffer_extract(buffer, 0, bytes.data(), bytes.size()) != bytes.size())
        return std::nullopt;
    return bytes;
}

bool is_rtcp(GstBuffer* buffer) {
    std::array<std::uint8_t, 2> bytes{};
    return gst_buffer_extract(buffer, 0, bytes.data(), bytes.size()) == bytes.size() &&
           media::is_rtcp(bytes);
}

}  // namespace

void aim(GstElement* sink, const Endpoint& target) {
    g_signal_emit_by_name(sink, "clear");
    // An unspecified address is an old way to say hold (RFC 3264 §8.4): there is nobody to send to.
    if (target.port == 0 || target.address.is_unspecified()) return;
    g_signal_emit_by_name(sink, "add", target.address.to_string().c_str(),
                          static_cast<gint>(target.port));
}

// RTCP's place: as the SDP says, else one above RTP's (RFC 3550 §11).
Endpoint rtcp_of(const sdp::AgreedStream& stream) {
    const auto above = static_cast<std::uint16_t>(stream.remote_rtp.port + 1);
    return stream.remote_rtcp.value_or(
        Endpoint{.address = stream.remote_rtp.address, .port = above});
}

Sockets to_sockets(Ports ports) {
    const auto wrap = [](Socket socket) {
        return Ref<GObject>{G_OBJECT(g_socket_new_from_fd(socket.release(), nullptr))};
    };
    return {.rtp = wrap(std::move(ports.rtp)),
            .rtcp = wrap(std::move(ports.rtcp)),
            .family = ports.rtp_endpoint.address.family()};
}

Endpoint source_of(GstBuffer* buffer) {
    const GstNetAddressMeta* meta = gst_buffer_get_net_address_meta(buffer);
    return meta ? endpoint_of(meta->addr) : Endpoint{};
}

void forget_source(GstPadProbeInfo* info) {
    GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    if (GstNetAddressMeta* meta = gst_buffer_get_net_address_meta(buffer))
        gst_buffer_remove_meta(buffer, &meta->meta);
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
}

Transport::Transport(GstBin* bin, GstElement* rtpbin, bool mux)
    : bin_(bin), rtpbin_(rtpbin), mux_(mux) {}

std::expected<std::unique_ptr<Transport>, std::string> Transport::make(
    GstBin* bin, GstElement* rtpbin, const Sockets& sockets, const sdp::AgreedStream& stream,
    Wish wish) {
    // The constructor is private.
    std::unique_ptr<Transport> transport{new Transport{bin, rtpbin, stream.rtcp_mux}};
    if (auto error = transport->build(sockets, stream, std::move(wish)); !error.empty())
        return std::unexpected(std::move(error));
    return transport;
}

std::string Transport::build(const Sockets& sockets, const sdp::AgreedStream& stream, Wish wish) {
    const bool encrypted = stream.crypto || stream.dtls;
    if (wish.must_encrypt && !encrypted)
        return "encryption is required here, and none was agreed on";
    admits_ = std::move(wish.admits);
    // What DTLS's port brings is several things at once.
    const bool srtp = stream.crypto.has_value();
    auto error = stream.dtls
                     ? add_sockets(sockets, nullptr, nullptr)
                     : add_sockets(sockets, srtp ? "application/x-srtp" : "application/x-rtp",
                                   srtp ? "application/x-srtcp" : "application/x-rtcp");
    if (!error.empty()) return error;
    const auto ways = srtp          ? with_keys(*stream.crypto, std::move(wish.rollovers))
                      : stream.dtls ? with_dtls(stream, wish)
                                    : plain();
    if (!ways) return ways.error();
    rtp_out_ = ways->rtp_out;
    if (!link(ways->rtp_in, {.element = rtpbin_, .pad = "recv_rtp_sink_0"}) ||
        !link(ways->rtcp_in, {.element = rtpbin_, .pad = "recv_rtcp_sink_0"}) ||
        !link({.element = rtpbin_, .pad = "send_rtcp_src_0"}, ways->rtcp_out))
        return "GStreamer cannot link rtpbin";
    arrivals_ = pad_of(rtpbin_, "recv_rtp_sink_0");
    report_arrivals_ = pad_of(rtpbin_, "recv_rtcp_sink_0");
    return {};
}

std::string Transport::add_sockets(const Sockets& sockets, const char* kind,
                                   const char* rtcp_kind) {
    const auto add_source = [&](GObject* socket, const char* caps_name) {
        GstElement* source = Chain{bin_}.add("udpsrc");
        if (!source) return source;
        g_object_set(source, "socket", socket, "close-socket", FALSE, nullptr);
        if (caps_name) {
            const Ref<GstCaps> caps{gst_caps_new_empty_simple(caps_name)};
            g_object_set(source, "caps", caps.get(), nullptr);
        }
        return source;
    };
    const auto add_sink = [&](GObject* socket) {
        GstElement* sink = Chain{bin_}.add("multiudpsink");
        if (sink)
            g_object_set(sink, sockets.family == Family::ipv6 ? "socket-v6" : "socket", socket,
                         "close-socket", FALSE, "sync", FALSE, "async", FALSE, nullptr);
        return sink;
    };
    rtp_source_ = add_source(sockets.rtp.get(), kind);
    rtp_sink_ = add_sink(sockets.rtp.get());
    if (!mux_) rtcp_source_ = add_source(sockets.rtcp.get(), rtcp_kind);
    rtcp_sink_ = mux_ ? rtp_sink_ : add_sink(sockets.rtcp.get());
    if (rtp_source_ && rtp_sink_ && rtcp_sink_ && (mux_ || rtcp_source_)) return {};
    return "GStreamer lacks udpsrc or multiudpsink: install gstreamer1.0-plugins-good";
}

std::expected<Transport::Ways, std::string> Transport::plain() {
    Ways ways{.rtp_in = {rtp_source_, "src"},
              .rtcp_in = {rtcp_source_, "src"},
              .rtp_out = {rtp_sink_, "sink"},
              .rtcp_out = {rtcp_sink_, "sink"}};
    if (!mux_) return ways;
    GstElement* joined = join(rtp_sink_);
    GstElement* feed = Chain{bin_}.add("appsrc");
    if (!joined || !feed) return std::unexpected("GStreamer lacks its element funnel or appsrc");
    const Ref<GstCaps> rtcp{gst_caps_new_empty_simple("application/x-rtcp")};
    g_object_set(feed, "caps", rtcp.get(), "format", GST_FORMAT_TIME, "is-live", TRUE,
                 "max-buffers", waiting_rtcp, "max-bytes", guint64{0}, nullptr);
    gst_util_set_object_arg(G_OBJECT(feed), "leaky-type", "downstream");
    rtcp_feed_ = shared(feed);
    const auto arrival = +[](GstPad*, GstPadProbeInfo* info, gpointer rtcp_feed) {
        GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
        if (!is_rtcp(buffer)) return GST_PAD_PROBE_OK;
        gst_app_src_push_buffer(GST_APP_SRC(rtcp_feed), gst_buffer_ref(buffer));
        return GST_PAD_PROBE_DROP;
    };
    on_buffers(pad_of(rtp_source_, "src").get(), arrival, feed);
    ways.rtcp_in = {feed, "src"};
    ways.rtp_out = {joined, "sink_%u"};
    ways.rtcp_out = {joined, "sink_%u"};
    return ways;
}

std::expected<Transport::Ways, std::string> Transport::with_keys(const sdp::AgreedCrypto& crypto,
                                                                 Rollovers rollovers) {
    auto decoder = SrtpDecoder::make(bin_, crypto.remote, std::move(rollovers));
    if (!decoder) return std::unexpected(std::move(decoder.error()));
    srtp_ = std::move(*decoder);
    const auto encoder = add_srtp_encoder(bin_, crypto.local);
    if (!encoder) return std::unexpected(encoder.error());
    // The encoder has its ways out once it has those in.
    const Ref<GstPad> rtp{gst_element_request_pad_simple(*encoder, "rtp_sink_0")};
    const Ref<GstPad> rtcp{gst_element_request_pad_simple(*encoder, "rtcp_sink_0")};
    GstElement* joined = mux_ ? join(rtp_sink_) : nullptr;
    const End rtp_end = joined ? End{joined, "sink_%u"} : End{rtp_sink_, "sink"};
    const End rtcp_end = joined ? End{joined, "sink_%u"} : End{rtcp_sink_, "sink"};
    if (!link({rtp_source_, "src"}, {srtp_->element(), "rtp_sink"}) ||
        (!mux_ && !link({rtcp_source_, "src"}, {srtp_->element(), "rtcp_sink"})) ||
        !link({*encoder, "rtp_src_0"}, rtp_end) || !link({*encoder, "rtcp_src_0"}, rtcp_end))
        return std::unexpected("GStreamer cannot link SRTP");
    screen(rtp_source_);
    if (!mux_) screen(rtcp_source_);
    return Ways{.rtp_in = {srtp_->element(), "rtp_src"},
                .rtcp_in = {srtp_->element(), "rtcp_src"},
                .rtp_out = {*encoder, "rtp_sink_0"},
                .rtcp_out = {*encoder, "rtcp_sink_0"}};
}

void Transport::screen(GstElement* source) {
    const auto arrival = +[](GstPad*, GstPadProbeInfo* info, gpointer self) {
        return static_cast<Transport*>(self)->may_be_the_peers(GST_PAD_PROBE_INFO_BUFFER(info))
                   ? GST_PAD_PROBE_OK
                   : GST_PAD_PROBE_DROP;
    };
    on_buffers(pad_of(source, "src").get(), arrival, this);
}

bool Transport::may_be_the_peers(GstBuffer* buffer) {
    const auto bytes = beginning_of(buffer);
    if (!bytes) return false;
    if (const auto header = rtp_header(*bytes); header && !admits_(source_of(buffer), *header))
        return false;
    const auto ssrc = ssrc_of(*bytes);
    if (!ssrc) return false;
    const std::lock_guard lock{sources_mutex_};
    return sources_.admits(*ssrc);
}

bool Transport::link(const End& from, const End& to) const {
    return gst_element_link_pads(from.element, from.pad, to.element, to.pad);
}

void Transport::drop(const End& from) const {
    GstElement* nowhere = Chain{bin_}.add("fakesink");
    g_object_set(nowhere, "sync", FALSE, "async", FALSE, nullptr);
    link(from, {nowhere, "sink"});
}

GstElement* Transport::join(GstElement* sink) const {
    GstElement* funnel = Chain{bin_}.add("funnel");
    return funnel && link({funnel, "src"}, {sink, "sink"}) ? funnel : nullptr;
}

bool Transport::link_sender(const char* name) { return link({rtpbin_, name}, rtp_out_); }

void Transport::send_rtp_to(const Endpoint& target) const { aim(rtp_sink_, target); }

void Transport::send_rtcp_to(const Endpoint& target) const {
    if (!mux_) aim(rtcp_sink_, target);
}

Rollovers Transport::rollovers() const { return srtp_ ? srtp_->rollovers() : Rollovers{}; }

}  // namespace holdfast::media::gst
