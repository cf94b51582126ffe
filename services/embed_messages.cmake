# cmake -DOUTPUT=... -DINPUTS="a|b" -P embed_messages.cmake: the message files as C++ strings, one each, for a compiler need
# take none of more than 64 KiB.
string(REPLACE "|" ";" INPUTS "${INPUTS}")
set(all "")
foreach(input ${INPUTS})
  file(READ ${input} text)
  string(APPEND all "R\"QLMESSAGES(${text})QLMESSAGES\",\n")
endforeach()
file(WRITE ${OUTPUT} "namespace qinglan::runtime {\nextern const char* const kEmbeddedMessages[];\nconst char* const kEmbeddedMessages[] = {\n${all}nullptr};\n}\n")
