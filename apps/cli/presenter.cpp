#include "apps/cli/presenter.h"

#include "apps/cli/json_lines.h"
#include "apps/cli/status_view.h"

namespace holdfast::cli {

namespace {

class JsonPresenter final : public Presenter {
public:
    JsonPresenter(Printer& output, Presentation presentation)
        : output_(output), presentation_(std::move(presentation)) {}

    void show(Instant now, const Event& event) override {
        const bool concerns_account = static_cast<bool>(event.account);
        output_.write(json_line(now - presentation_.clock.at, event,
                                concerns_account ? presentation_.aor : ""));
    }

private:
    Printer& output_;
    Presentation presentation_;
};

class LinePresenter final : public Presenter {
public:
    LinePresenter(Printer& output, Presentation presentation)
        : output_(output), presentation_(std::move(presentation)) {}

    void show(Instant now, const Event& event) override {
        const auto time = presentation_.clock.time_of_day(now) + "  ";
        std::string text;
        for (const auto& line : words_of(event)) text += time + line + "\n";
        output_.write(text);
    }

private:
    Printer& output_;
    Presentation presentation_;
};

class LivePresenter final : public Presenter {
public:
    LivePresenter(Printer& output, const Presentation& presentation, int descriptor)
        : output_(output), view_(presentation.aor, presentation.clock), descriptor_(descriptor) {}

    void show(Instant now, const Event& event) override {
        view_.on_event(now, event);
        draw();
    }
    // What was drawn may have been broken into other lines: begin below it.
    void resized() override {
        drawn_ = 0;
        draw();
    }

private:
    void draw() {
        const auto lines = view_.lines(terminal_size(descriptor_));
        output_.write(redrawn(lines, drawn_, color_));
        drawn_ = lines.size();
    }

    Printer& output_;
    StatusView view_;
    int descriptor_;
    std::size_t drawn_ = 0;
    bool color_ = wants_color();
};

}  // namespace

std::unique_ptr<Presenter> json_presenter(Printer& output, Presentation presentation) {
    return std::make_unique<JsonPresenter>(output, std::move(presentation));
}
std::unique_ptr<Presenter> line_presenter(Printer& output, Presentation presentation) {
    return std::make_unique<LinePresenter>(output, std::move(presentation));
}
std::unique_ptr<Presenter> live_presenter(Printer& output, const Presentation& presentation,
                                          int descriptor) {
    return std::make_unique<LivePresenter>(output, presentation, descriptor);
}

}  // namespace holdfast::cli
