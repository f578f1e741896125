# Several sources in one translation unit, for who builds everything once: two fifths of the compiler's time are headers
# and templates that sources share. CI builds so (HOLDFAST_UNITY in the environment of tools/run-tests and tools/run-fuzz);
# who changes a file and builds again does not want it. clang-tidy reads each source alone, and the release build compiles
# each of the product's: none can live on what another one includes. AddressSanitizer's check of the order of initialisation
# (check_initialization_order) sees only what is in different units; the house has no globals that it could find.
option(HOLDFAST_UNITY "Build libraries and tests in few translation units" OFF)

# GCC collects garbage from 128 MB on, which costs a tenth of its time. These units want some 1.2 GB without.
if(HOLDFAST_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options("SHELL:--param ggc-min-heapsize=1500000")
endif()

# Sources with names of their own in an unnamed namespace that another source of their target has too: compiled alone, or
# in one unit with their target's others of whose line the second word is the same.
# "redefinition of …" or "… is ambiguous" in CI's build means: another name, or a line there.
file(STRINGS "${CMAKE_SOURCE_DIR}/cmake/unity-alone" HOLDFAST_UNITY_LINES REGEX "^[^#]")
foreach(line IN LISTS HOLDFAST_UNITY_LINES)
  string(REGEX MATCH "^([^ ]+) ?([a-z]*)$" found "${line}")
  if(NOT found)
    message(FATAL_ERROR "cmake/unity-alone: \"${line}\" is neither SOURCE nor SOURCE GROUP")
  endif()
  list(APPEND HOLDFAST_UNITY_ALONE "${CMAKE_MATCH_1}")
  set("HOLDFAST_UNITY_GROUP_${CMAKE_MATCH_1}" "${CMAKE_MATCH_2}")
endforeach()
foreach(source IN LISTS HOLDFAST_UNITY_ALONE)
  if(NOT EXISTS "${CMAKE_SOURCE_DIR}/${source}")
    message(FATAL_ERROR "cmake/unity-alone names ${source}, which does not exist")
  endif()
endforeach()

# holdfast_unity(TARGET SOURCE…)   SOURCE: an absolute path
# A source's group depends on its own name alone, and on how many there are of them to a power of two: a new source does
# not bring others together.
function(holdfast_unity target)
  list(LENGTH ARGN count)
  if(NOT HOLDFAST_UNITY OR count LESS 4)
    return()
  endif()
  set(groups 1)
  while(count GREATER 12)
    math(EXPR count "${count} / 2")
    math(EXPR groups "${groups} * 2")
  endwhile()
  foreach(source IN LISTS ARGN)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY "${CMAKE_SOURCE_DIR}" OUTPUT_VARIABLE name)
    string(MD5 hash "${name}")
    string(SUBSTRING "${hash}" 0 6 hash)
    math(EXPR group "0x${hash} % ${groups}")
    if(NOT name IN_LIST HOLDFAST_UNITY_ALONE)
      set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${group}")
    elseif(HOLDFAST_UNITY_GROUP_${name})
      set_source_files_properties("${source}" PROPERTIES UNITY_GROUP "${HOLDFAST_UNITY_GROUP_${name}}")
    endif()
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  # "Has a field whose type uses the anonymous namespace": of a class that a source keeps to itself.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endfunction()
