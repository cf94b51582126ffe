# cmake -DINPUT=words.json -DOUTPUT=words_data.cc -P embed_words.cmake: the words of the sheets as a C++ string.
file(READ ${INPUT} text)
file(WRITE ${OUTPUT} "namespace qinglan::importing {\nextern const char* const kEmbeddedWords;\nconst char* const kEmbeddedWords = R\"QLWORDS(${text})QLWORDS\";\n}\n")
