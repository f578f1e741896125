include(GoogleTest)

# Adds the folders that exist and have a CMakeLists.txt.
function(holdfast_folders)
  foreach(folder IN LISTS ARGN)
    if(EXISTS "${CMAKE_SOURCE_DIR}/${folder}/CMakeLists.txt")
      add_subdirectory(${folder})
    endif()
  endforeach()
endfunction()

# "base;sip" -> "holdfast_base;holdfast_sip", without those that do not exist (yet).
function(_holdfast_siblings out)
  set(targets "")
  foreach(name IN LISTS ARGN)
    if(TARGET holdfast_${name})
      list(APPEND targets holdfast_${name})
    endif()
  endforeach()
  set(${out} "${targets}" PARENT_SCOPE)
endfunction()

function(_holdfast_test_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "WORLDS;WAITING" "SOURCES;LINK;NEEDS;DEFINITIONS;PROPERTIES")
  add_executable(${target} ${arg_SOURCES})
  holdfast_unity(${target} ${arg_SOURCES})
  target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}")
  target_compile_definitions(${target} PRIVATE HOLDFAST_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data"
    ${arg_DEFINITIONS})
  target_link_libraries(${target} PRIVATE ${arg_LINK} rapidcheck GTest::gmock_main)
  holdfast_precompiled(${target} tests)
  if(arg_NEEDS)
    add_dependencies(${target} ${arg_NEEDS})
  endif()
  # tools/run-tests gives CTest three places for each processor: what has sound takes three, one at a time and first, so that
  # what only computes runs beside it all the while, and not after it.
  if(target MATCHES "^(media_gst|phone)_test$")
    list(APPEND arg_PROPERTIES PROCESSORS 3 RESOURCE_LOCK sound COST 1000)
  elseif("${arg_LINK}" MATCHES "gst|phone|media")
    list(APPEND arg_PROPERTIES PROCESSORS 2)
  elseif(target STREQUAL "faults_test")  # they wait for the disk, and longer if several do
    list(APPEND arg_PROPERTIES RESOURCE_LOCK disk COST 900)
  endif()
  set(discovery DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES ${arg_PROPERTIES})
  if(arg_WORLDS AND HOLDFAST_SANITIZE)
    gtest_discover_tests(${target} TEST_FILTER "-${arg_WORLDS}" ${discovery})
    gtest_discover_tests(${target} TEST_FILTER "${arg_WORLDS}" ${discovery} LABELS worlds PROCESSORS 2
      ENVIRONMENT_MODIFICATION "ASAN_OPTIONS=string_append::detect_stack_use_after_return=0:malloc_context_size=2:quarantine_size_mb=8")
  elseif(arg_WAITING)
    gtest_discover_tests(${target} TEST_FILTER "-${arg_WAITING}" ${discovery} RUN_SERIAL ON)
    gtest_discover_tests(${target} TEST_FILTER "${arg_WAITING}" ${discovery})
  else()
    gtest_discover_tests(${target} ${discovery})
  endif()
endfunction()

# holdfast_tests(TARGET SOURCES … LINK … [NEEDS target…] [DEFINITIONS …] [WORLDS pattern] [WAITING pattern])
# WORLDS: of those tests that go where others have been, a thousand times (a pattern of their names): AddressSanitizer does not
# look for the use of a stack's memory after its function's return, which is half of their time, and keeps less of what was
# freed, another fifth; others' tests have both. They have the label `worlds`: much CPU in virtual time.
# WAITING: of the timed ones those that wait for minutes, and may do so beside each other.
# One executable, one CTest entry per test. What measures real time is in files named timed_*_test.cpp: they become a
# program of their own, timed_TARGET, with the label `timed`; make test builds it in release and runs it alone. With
# sanitizers there are none of them: what takes longer there says nothing.
function(holdfast_tests target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "WORLDS;WAITING" "SOURCES;LINK;NEEDS;DEFINITIONS")
  set(common WORLDS "${arg_WORLDS}" LINK ${arg_LINK} NEEDS ${arg_NEEDS} DEFINITIONS ${arg_DEFINITIONS})
  set(timed ${arg_SOURCES})
  list(FILTER timed INCLUDE REGEX "/timed_[^/]*$")
  list(FILTER arg_SOURCES EXCLUDE REGEX "/timed_[^/]*$")
  _holdfast_test_program(${target} SOURCES ${arg_SOURCES} ${common} PROPERTIES TIMEOUT 600)
  if(timed AND NOT HOLDFAST_SANITIZE)
    set_property(GLOBAL APPEND PROPERTY HOLDFAST_TIMED timed_${target})
    set(alone RUN_SERIAL ON)
    if(arg_WAITING)
      set(alone)
    endif()
    _holdfast_test_program(timed_${target} SOURCES ${timed} ${common} WAITING "${arg_WAITING}"
      PROPERTIES TIMEOUT 300 LABELS timed ${alone})
  endif()
endfunction()

# holdfast_library(NAME DEPENDS sibling… [LIBS target…] [ONLY file…] [EXCEPT file…])
# The folder's *.cpp become the static library holdfast_NAME, its *_test.cpp the executable NAME_test.
# LIBS stay private: other people's headers do not belong into ours. ONLY and EXCEPT (names without suffix; a file goes
# with its test) split a folder where a part of it links what the rest shall not.
function(holdfast_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS;LIBS;ONLY;EXCEPT")
  set(target holdfast_${name})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  foreach(only IN LISTS arg_ONLY)
    set(wanted ${sources})
    list(FILTER wanted INCLUDE REGEX "/${only}(_test)?\\.cpp$")
    list(APPEND chosen ${wanted})
  endforeach()
  if(arg_ONLY)
    set(sources ${chosen})
  endif()
  foreach(except IN LISTS arg_EXCEPT)
    list(FILTER sources EXCLUDE REGEX "/${except}(_test)?\\.cpp$")
  endforeach()
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  _holdfast_siblings(siblings ${arg_DEPENDS})

  if(sources)
    add_library(${target} STATIC ${sources})
    holdfast_unity(${target} ${sources})
    target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}/src")
    target_link_libraries(${target} PUBLIC ${siblings} PRIVATE ${arg_LIBS})
    holdfast_precompiled(${target})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE "${CMAKE_SOURCE_DIR}/src")
    target_link_libraries(${target} INTERFACE ${siblings} ${arg_LIBS})
  endif()

  if(tests)
    holdfast_tests(${name}_test SOURCES ${tests} LINK ${target} ${arg_LIBS})
  endif()
endfunction()
