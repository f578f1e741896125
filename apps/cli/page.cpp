#include "apps/cli/page.h"

#include <algorithm>

#include "base/check.h"
#include "lab_page_html.h"  // made by the build

namespace holdfast::cli {

namespace {

constexpr std::string_view data_place = "@LAB_DATA@";

}  // namespace

std::string_view page_template() { return lab_page_html; }

std::string safe_in_html(std::string_view json) {
    std::string safe;
    safe.reserve(json.size() + json.size() / 16);
    while (!json.empty()) {
        const auto plain = std::min(json.find_first_of("<>&\xe2"), json.size());
        safe += json.substr(0, plain);
        json.remove_prefix(plain);
        if (json.empty()) break;
        std::size_t taken = 1;
        if (json.front() == '<') {
            safe += "\\u003c";
        } else if (json.front() == '>') {
            safe += "\\u003e";
        } else if (json.front() == '&') {
            safe += "\\u0026";
        } else if (json.starts_with("\xe2\x80\xa8")) {
            safe += "\\u2028";
            taken = 3;
        } else if (json.starts_with("\xe2\x80\xa9")) {
            safe += "\\u2029";
            taken = 3;
        } else {
            safe += json.front();
        }
        json.remove_prefix(taken);
    }
    return safe;
}

std::string page_of(std::string_view json) {
    const auto html = page_template();
    const auto at = html.find(data_place);
    CHECK(at != std::string_view::npos);
    return std::string(html.substr(0, at))
        .append(safe_in_html(json))
        .append(html.substr(at + data_place.size()));
}

}  // namespace holdfast::cli
