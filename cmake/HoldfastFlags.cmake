# How everything is compiled and linked. Flags are global on purpose: one language, one set of warnings,
# one ABI (the sanitizers' container annotations must agree in all translation units).

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

set(HOLDFAST_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them (address,undefined)")
option(HOLDFAST_BREAKABLE "For tests: rules can be broken on purpose (src/base/broken_rule.h)" OFF)
option(HOLDFAST_FUZZ "Build the libFuzzer targets (needs clang)" OFF)

find_program(HOLDFAST_CCACHE ccache)
if(HOLDFAST_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${HOLDFAST_CCACHE}")
endif()

# GCC judges: its warnings are errors. clang builds only the fuzz targets (clang-tidy judges by its own list).
add_compile_options(-Wall -Wextra -Wpedantic)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(
    -Wconversion -Wsign-conversion -Wshadow -Wswitch -Wnon-virtual-dtor -Wold-style-cast
    -Wimplicit-fallthrough -Werror
    -Wno-restrict)  # wrong on std::string when optimised (GCC PR 105651)
else()
  add_compile_options(-Wno-deprecated-declarations)  # clang says it of libstdc++'s own stable_sort
endif()

# Replaced, not appended to: CMake's own defaults (-O3, -g) are not what we want. GCC compiles instrumented code a third
# faster with -Og than with -O1; clang knows no difference.
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g1 -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS")
set(CMAKE_CXX_FLAGS_RELEASE
    "-O2 -g1 -DNDEBUG -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong")
# A failed CHECK names src/…, and not where the program was built.
add_compile_options("-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()
# With sanitizers a program has tens of megabytes of pointers in its data, and to relocate them is half of what a start
# costs; the tests start programs by the thousand.
if(HOLDFAST_SANITIZE)
  add_compile_options(-fno-pie)
  add_link_options(-no-pie)
else()
  add_compile_options(-fPIE)
  add_link_options(-pie)
endif()

if(HOLDFAST_SANITIZE)
  add_compile_options(-fsanitize=${HOLDFAST_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${HOLDFAST_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented code confuses this warning; the release build still has it.
    add_compile_options(-Wno-maybe-uninitialized)
    # asio has fences, which ThreadSanitizer does not follow; where it uses them it locks as well.
    if(HOLDFAST_SANITIZE MATCHES "thread")
      add_compile_options(-Wno-tsan)
    endif()
  endif()
endif()
if(HOLDFAST_BREAKABLE)
  add_compile_definitions(HOLDFAST_BREAKABLE)
  install(CODE "message(FATAL_ERROR \"HOLDFAST_BREAKABLE: this build is for tests\")")
endif()
if(HOLDFAST_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "HOLDFAST_FUZZ needs clang: use cmake --preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# The fastest linker that is there.
find_program(HOLDFAST_MOLD mold)
find_program(HOLDFAST_LLD NAMES ld.lld)
if(HOLDFAST_MOLD)
  add_link_options(-fuse-ld=mold)
elseif(HOLDFAST_LLD)
  add_link_options(-fuse-ld=lld)
endif()
