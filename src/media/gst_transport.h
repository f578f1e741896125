// Between rtpbin and a call's sockets: plain, with keys from SDP (RFC 4568) or by DTLS (RFC 5764);
// RTCP on its own port or on RTP's (RFC 5761). Its elements live in the network's bin.
//
//   socket → [srtpdec | dtlssrtpdec] → rtpbin        rtpbin → [srtpenc | dtlssrtpenc] → socket
#pragma once

#include <atomic>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "media/dtls_gate.h"
#include "media/gst_dtls.h"
#include "media/gst_ref.h"
#include "media/gst_srtp.h"
#include "media/ports.h"
#include "media/rtp_header.h"
#include "media/srtp_sources.h"
#include "media/types.h"
#include "sdp/stream.h"

namespace holdfast::media::gst {

// The call's two sockets, as GLib wants them; they live as long as the call.
struct Sockets {
    Ref<GObject> rtp;
    Ref<GObject> rtcp;
    Family family = Family::ipv4;
};
Sockets to_sockets(Ports ports);

// Where a buffer of udpsrc came from; nothing: it does not say.
Endpoint source_of(GstBuffer* buffer);
// In a probe: the buffer that passes no longer says it.
void forget_source(GstPadProbeInfo* info);
Endpoint rtcp_of(const sdp::AgreedStream& stream);  // where the peer has it
// A multiudpsink sends there from now on; a port of 0 or an unspecified address: to nobody.
void aim(GstElement* sink, const Endpoint& target);

// The message that the transport's bin posts when something becomes of its DTLS: its field "event",
// an AssociationEvent.
constexpr const char* association_message = "holdfast-association";

class Transport {
public:
    struct Wish {
        bool follow = true;  // DTLS is answered where it comes from, before there are keys
        bool must_encrypt = false;
        Rollovers rollovers{};
        // Whether RTP may be the peer's, before SRTP says so; from GStreamer's threads.
        std::function<bool(const Endpoint&, const RtpHeader&)> admits{};
        std::vector<Endpoint> strangers{};  // not heard by DTLS (dtls_gate.h)
    };
    // Or why not, in words.
    static std::expected<std::unique_ptr<Transport>, std::string> make(
        GstBin* bin, GstElement* rtpbin, const Sockets& sockets, const sdp::AgreedStream& stream,
        Wish wish);
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    ~Transport() = default;  // the bin must not run any more

    // Once rtpbin has the pad `name` from which our RTP comes.
    bool link_sender(const char* name);
    // From any thread. A port of 0 or an unspecified address: to nobody.
    void send_rtp_to(const Endpoint& target) const;
    void send_rtcp_to(const Endpoint& target) const;  // with rtcp-mux it goes with RTP
    // Another address of the peer's in its SDP, for RTP.
    void describe(const Endpoint& rtp);
    // What comes from here is RTP of the peer, and if it is encrypted, of no one else.
    [[nodiscard]] GstPad* arrivals() const { return arrivals_.get(); }
    // The same of RTCP.
    [[nodiscard]] GstPad* report_arrivals() const { return report_arrivals_.get(); }
    // RTP that is sent now is sent as agreed. From any thread.
    [[nodiscard]] bool is_open() const;
    // DTLS is over, and only a new transport has sound again.
    [[nodiscard]] bool is_over() const;
    // Its own elements say what becomes of them; that they say it as an error is no matter.
    [[nodiscard]] bool is_of_dtls(GstObject* object) const;
    // Whoever the handshake is with has not the SDP's address.
    [[nodiscard]] bool is_with_stranger() const;
    [[nodiscard]] Rollovers rollovers() const;
    [[nodiscard]] std::vector<Endpoint> strangers() const;

private:
    struct End {  // an element and the name of its pad
        GstElement* element = nullptr;
        const char* pad = nullptr;
    };
    // Towards rtpbin and from it, for RTP and RTCP; nothing in the way: the sockets' elements.
    struct Ways {
        End rtp_in;
        End rtcp_in;
        End rtp_out;
        End rtcp_out;
    };

    Transport(GstBin* bin, GstElement* rtpbin, bool mux);
    std::string build(const Sockets& sockets, const sdp::AgreedStream& stream, Wish wish);
    std::string add_sockets(const Sockets& sockets, const char* kind, const char* rtcp_kind);
    std::expected<Ways, std::string> plain();
    std::expected<Ways, std::string> with_keys(const sdp::AgreedCrypto& crypto,
                                               Rollovers rollovers);
    // One port's association, and what may reach it.
    struct Door {
        Door(Transport* transport_of_it, DtlsGate gate_of_it)
            : transport(transport_of_it), gate(std::move(gate_of_it)) {}
        Transport* transport;
        std::unique_ptr<Association> association{};
        std::mutex mutex;  // guards what follows
        DtlsGate gate;
        bool alert_told = false;
    };
    std::expected<Ways, std::string> with_dtls(const sdp::AgreedStream& stream, const Wish& wish);
    std::string add_door(const sdp::AgreedDtls& dtls, DtlsGate gate, GstElement* source,
                         GstElement* sink);
    void screen(GstElement* source);
    bool may_be_the_peers(GstBuffer* buffer);
    GstPadProbeReturn on_datagram(Door& door, GstBuffer* buffer);
    void post(AssociationEvent event) const;
    bool link(const End& from, const End& to) const;
    void drop(const End& from) const;  // what comes from there is of no use
    GstElement* join(GstElement* sink) const;

    GstBin* bin_;
    GstElement* rtpbin_;
    bool mux_;
    GstElement* rtp_source_ = nullptr;
    GstElement* rtcp_source_ = nullptr;  // none with rtcp-mux
    GstElement* rtp_sink_ = nullptr;
    GstElement* rtcp_sink_ = nullptr;  // with rtcp-mux: RTP's
    End rtp_out_;
    Ref<GstPad> arrivals_;
    Ref<GstPad> report_arrivals_;
    std::function<bool(const Endpoint&, const RtpHeader&)> admits_;
    std::mutex sources_mutex_;  // guards what follows
    SrtpSources sources_;
    std::unique_ptr<SrtpDecoder> srtp_;
    std::vector<std::unique_ptr<Door>> doors_;  // RTP's, and RTCP's without mux
    Ref<GstElement> rtcp_feed_;                 // plain rtcp-mux: RTCP that came on RTP's port
};

}  // namespace holdfast::media::gst
