// How far up the tree an organisation's ancestors are followed.
#pragma once

namespace qinglan {

// They hang a handful deep; more than this is taken for a circle, which an event that no command made may
// close.
inline constexpr int kOrganisationDepthMax = 32;

}  // namespace qinglan
