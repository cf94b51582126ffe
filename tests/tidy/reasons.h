// Reasons that C++ gives for saying no, and the sentences that people read instead
// (services/<area>/messages.json).
#pragma once

#include "tests/tidy/tree.h"

namespace qinglan::tidy {

// Every reason that a call of Refuse, Missing, Invalid, Duplicate or Forbid names has a sentence in Chinese
// and in English; both name exactly the {parameters} that the call gives; no reason has two sentences.
//
// Limit: a reason that is not written as a literal in the call is seen as used, but its parameters are not
// compared.
Breaches ReasonsWithoutSentence(const Tree& tree);

// Sentences whose reason no C++ of the services or of the floor below names.
Breaches SentencesWithoutReason(const Tree& tree);

}  // namespace qinglan::tidy
