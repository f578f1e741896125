#include "media/gst_digits.h"

#include <span>
#include <utility>

#include "media/dtmf.h"
#include "media/gst_pads.h"

namespace holdfast::media::gst {

std::expected<void, std::string> Digits::send(const in::SendDtmf& dtmf, Network& network) {
    const auto method = dtmf.method.value_or(method_);
    const bool as_events = method == DtmfMethod::events ||
                           (method == DtmfMethod::automatic && network.stream().dtmf_send);
    if (as_events) return network.send_dtmf(dtmf.digits, dtmf.length);
    if (!network.may_send()) return std::unexpected("no digits while the call is held");
    const std::lock_guard lock{mutex_};
    if (!tones_.queue(dtmf.digits, dtmf.length))
        return std::unexpected(refused_digits(dtmf.digits));
    return {};
}

std::expected<void, std::string> Digits::agreed(const sdp::AgreedStream& stream,
                                                std::uint32_t rate) {
    // A peer that has events does not send tones as well; were both told, each digit came twice.
    const bool listens = method_ == DtmfMethod::in_band ||
                         (method_ == DtmfMethod::automatic && !stream.dtmf_receive);
    if (listens == (detector_ != nullptr)) return {};
    std::unique_ptr<Detector> detector;
    if (listens) {
        auto made = Detector::make(thread_, rate, [this](char digit) {
            events_.push(out::DtmfHeard{.session = session_, .digit = digit});
        });
        if (!made) return std::unexpected(std::move(made.error()));
        detector = std::move(*made);
    }
    const std::lock_guard lock{mutex_};
    std::swap(detector_, detector);
    return {};
}

void Digits::on_departure(GstPadProbeInfo* info, std::uint32_t rate) {
    const std::lock_guard lock{mutex_};
    if (tones_.idle()) return;
    bool ended = false;
    change_samples(info, [&](std::span<std::int16_t> frame) { ended = tones_.write(frame, rate); });
    if (ended) events_.push(out::DtmfSent{session_});
}

void Digits::on_arrival(GstBuffer* buffer) {
    const std::lock_guard lock{mutex_};
    if (detector_) detector_->add(buffer);
}

}  // namespace holdfast::media::gst
