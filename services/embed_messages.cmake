# cmake -DOUTPUT=... -DINPUTS="a|b" -P embed_messages.cmake: the message files as C++ strings, one each: no compiler has to
# take one of more than 64 KiB.
string(REPLACE "|" ";" INPUTS "${INPUTS}")
set(all "")
foreach(input IN LISTS INPUTS)
  file(READ "${input}" text)
  string(LENGTH "${text}" length)
  if(length GREATER 65000)
    message(FATAL_ERROR "${input}: too long for one string")
  endif()
  string(APPEND all "R\"QLMESSAGES(${text})QLMESSAGES\",\n")
endforeach()
file(WRITE "${OUTPUT}" "namespace qinglan::runtime {\nextern const char* const kEmbeddedMessages[];\nconst char* const kEmbeddedMessages[] = {\n${all}nullptr};\n}\n")
