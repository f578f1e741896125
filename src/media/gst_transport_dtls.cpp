// The transport's DTLS (RFC 5764): an association for each port, and who may speak to it.
#include <algorithm>
#include <span>
#include <utility>

#include "media/gst_clock.h"
#include "media/gst_library.h"
#include "media/gst_pads.h"
#include "media/gst_transport.h"

namespace holdfast::media::gst {

namespace {

// Numbers of DTLS associations, their own in this process.
std::string next_id() {
    static std::atomic<std::uint64_t> last{0};
    return "holdfast-" + std::to_string(++last);
}

}  // namespace

std::string Transport::add_door(const sdp::AgreedDtls& dtls, DtlsGate gate, GstElement* source,
                                GstElement* sink) {
    doors_.push_back(std::make_unique<Door>(this, std::move(gate)));
    Door& door = *doors_.back();
    auto made =
        Association::make(bin_, dtls, next_id(), [this](AssociationEvent event) { post(event); });
    if (!made) return std::move(made.error());
    door.association = std::move(*made);
    const auto arrival = +[](GstPad*, GstPadProbeInfo* info, gpointer data) {
        auto& arrived = *static_cast<Door*>(data);
        return arrived.transport->on_datagram(arrived, GST_PAD_PROBE_INFO_BUFFER(info));
    };
    on_buffers(pad_of(source, "src").get(), arrival, &door);
    // An association that is over says so by itself; the port is read on.
    GstElement* ignore = Chain{bin_}.add("errorignore");
    if (!ignore) return "GStreamer lacks errorignore: install gstreamer1.0-plugins-bad";
    g_object_set(ignore, "ignore-error", TRUE, "ignore-eos", TRUE, nullptr);
    gst_util_set_object_arg(G_OBJECT(ignore), "convert-to", "ok");
    const bool linked = link({source, "src"}, {ignore, "sink"}) &&
                        link({ignore, "src"}, {door.association->decoder(), "sink"}) &&
                        link({door.association->encoder(), "src"}, {sink, "sink"});
    return linked ? "" : "GStreamer cannot link DTLS";
}

std::expected<Transport::Ways, std::string> Transport::with_dtls(const sdp::AgreedStream& stream,
                                                                 const Wish& wish) {
    // Each port has its own association (RFC 5764 §4.1).
    const auto gate = [&](const Endpoint& described) {
        return DtlsGate{{.described = described,
                         .follow = wish.follow,
                         .active = stream.dtls->we_are_active,
                         .strangers = wish.strangers}};
    };
    auto error = add_door(*stream.dtls, gate(stream.remote_rtp), rtp_source_, rtp_sink_);
    if (error.empty() && !mux_)
        error = add_door(*stream.dtls, gate(rtcp_of(stream)), rtcp_source_, rtcp_sink_);
    if (!error.empty()) return std::unexpected(std::move(error));
    auto& rtp = *doors_.front()->association;
    auto& rtcp = *doors_.back()->association;
    const Ref<GstPad> rtp_sink{gst_element_request_pad_simple(rtp.encoder(), "rtp_sink_0")};
    const Ref<GstPad> rtcp_sink{gst_element_request_pad_simple(rtcp.encoder(), "rtcp_sink_0")};
    if (!rtp_sink || !rtcp_sink) return std::unexpected("GStreamer cannot link DTLS");
    if (!mux_) {
        drop({rtp.decoder(), "rtcp_src"});
        drop({rtcp.decoder(), "rtp_src"});
    }
    rtp.guard(rtp_sink.get());
    rtcp.guard(rtcp_sink.get());
    rtp.guard(pad_of(rtp.decoder(), "rtp_src").get());
    rtcp.guard(pad_of(rtcp.decoder(), "rtcp_src").get());
    return Ways{.rtp_in = {rtp.decoder(), "rtp_src"},
                .rtcp_in = {rtcp.decoder(), "rtcp_src"},
                .rtp_out = {rtp.encoder(), "rtp_sink_0"},
                .rtcp_out = {rtcp.encoder(), "rtcp_sink_0"}};
}

GstPadProbeReturn Transport::on_datagram(Door& door, GstBuffer* buffer) {
    GstMapInfo map{};
    if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return GST_PAD_PROBE_DROP;
    const std::span<const guint8> datagram{map.data, map.size};
    const bool dtls = is_dtls(datagram);
    const bool open = door.association->is_open();
    const Endpoint from = source_of(buffer);
    auto verdict = DtlsGate::Verdict::drop;
    if (dtls && !door.association->is_over()) {
        const std::lock_guard lock{door.mutex};
        verdict = door.gate.on_datagram(present(), from, datagram, open);
        if (verdict == DtlsGate::Verdict::alert && std::exchange(door.alert_told, true))
            verdict = DtlsGate::Verdict::drop;
    }
    gst_buffer_unmap(buffer, &map);
    // What is no DTLS is SRTP, and nothing without keys.
    if (!dtls) return open && may_be_the_peers(buffer) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
    if (verdict == DtlsGate::Verdict::alert) post(AssociationEvent::alert);
    if (verdict == DtlsGate::Verdict::anew) post(AssociationEvent::anew);
    if (verdict != DtlsGate::Verdict::pass) return GST_PAD_PROBE_DROP;
    // Behind a NAT the peer's handshake comes from another address than its SDP has, and an answer
    // there would reach nobody. Who it is, its certificate says.
    if (!open) aim(&door == doors_.front().get() ? rtp_sink_ : rtcp_sink_, from);
    return GST_PAD_PROBE_OK;
}

void Transport::post(AssociationEvent event) const {
    gst_element_post_message(
        GST_ELEMENT(bin_),
        gst_message_new_application(GST_OBJECT(bin_),
                                    gst_structure_new(association_message, "event", G_TYPE_INT,
                                                      static_cast<int>(event), nullptr)));
}

// RTCP has an association of its own without rtcp-mux: that it is not ready is no reason to be
// silent.
bool Transport::is_open() const { return doors_.empty() || doors_.front()->association->is_open(); }

void Transport::describe(const Endpoint& rtp) {
    if (doors_.empty()) return;
    const std::lock_guard lock{doors_.front()->mutex};
    doors_.front()->gate.describe(rtp);
}

bool Transport::is_over() const {
    return !doors_.empty() && doors_.front()->association->is_over();
}

bool Transport::is_of_dtls(GstObject* object) const {
    return std::ranges::any_of(doors_, [&](const auto& door) {
        return gst_object_has_as_ancestor(object, GST_OBJECT(door->association->decoder())) ||
               gst_object_has_as_ancestor(object, GST_OBJECT(door->association->encoder()));
    });
}

bool Transport::is_with_stranger() const {
    return std::ranges::any_of(doors_, [](const auto& door) {
        const std::lock_guard lock{door->mutex};
        return door->gate.is_with_stranger();
    });
}

std::vector<Endpoint> Transport::strangers() const {
    std::vector<Endpoint> all;
    for (const auto& door : doors_) {
        const std::lock_guard lock{door->mutex};
        for (const auto& stranger : door->gate.strangers()) {
            if (std::ranges::find(all, stranger) == all.end()) all.push_back(stranger);
        }
    }
    return all;
}

}  // namespace holdfast::media::gst
