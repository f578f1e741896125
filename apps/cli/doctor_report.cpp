#include "apps/cli/doctor_report.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "apps/cli/help.h"
#include "apps/cli/terminal.h"

namespace holdfast::cli {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t width = 100;
constexpr std::size_t column = 12;  // where a finding's words begin

std::string paragraph(std::string_view label, const std::string& words) {
    std::string begin = "  " + std::string(label);
    begin.resize(column, ' ');
    return begin + wrapped(printable(words), column, width) + "\n";
}

std::string line_of(const Json& object) {
    return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string in_words(const DoctorReport& report) {
    std::string text = "holdfast doctor: " + printable(report.account) + ", " + report.when + "\n";
    std::optional<doctor::Step> step;
    for (const auto& finding : report.findings) {
        if (step != finding.step) text += "\n" + std::string(title_of(finding.step)) + "\n";
        step = finding.step;
        text += paragraph(name_of(finding.verdict), finding.seen);
        if (!finding.why.empty()) text += paragraph("      why", finding.why);
        if (!finding.remedy.empty()) text += paragraph("      do", finding.remedy);
    }
    text += "\nVerdict: " + std::string(name_of(overall(report.findings))) +
            (report.cut_short ? " (it was cut short: not every step was taken)" : "") + "\n";
    return text + wrapped(printable(report.outlook), 0, width) + "\n";
}

std::string json_lines(const DoctorReport& report) {
    std::string text;
    for (const auto& finding : report.findings) {
        Json object{{"step", name_of(finding.step)},
                    {"verdict", name_of(finding.verdict)},
                    {"seen", finding.seen}};
        if (!finding.why.empty()) object["why"] = finding.why;
        if (!finding.remedy.empty()) object["do"] = finding.remedy;
        text += line_of(object);
    }
    return text + line_of({{"account", report.account},
                           {"when", report.when},
                           {"verdict", name_of(overall(report.findings))},
                           {"complete", !report.cut_short},
                           {"requests", report.requests},
                           {"outlook", report.outlook}});
}

}  // namespace holdfast::cli
