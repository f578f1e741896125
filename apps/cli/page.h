// A page for a browser: one file that fetches nothing. Its looks are page/lab_page.html, embedded
// by the build; what it shows is JSON inside it, drawn by the page's own script, which makes text
// nodes of all texts.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::cli {

std::string_view page_template();

// The template with the data in it. json: a valid JSON text of UTF-8.
std::string page_of(std::string_view json);

// The same JSON, in which nothing ends or begins anything of HTML or of an old script parser: no
// "<", ">", "&", U+2028 and U+2029 but as \u escapes, which only strings can hold.
std::string safe_in_html(std::string_view json);

}  // namespace holdfast::cli
