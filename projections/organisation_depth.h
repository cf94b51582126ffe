// How far up the tree an organisation's ancestors are followed.
#pragma once

namespace qinglan {

// Of an organisation and those above it. They hang a handful deep, and no command hangs one deeper than this;
// more is taken for a circle, which an event that no command made may close.
inline constexpr int kOrganisationDepthMax = 32;

}  // namespace qinglan
