// How deep organisations may hang one below the other.
#pragma once

namespace qinglan {

// They hang a handful deep; more than this is a circle, which no command can make.
inline constexpr int kOrganisationDepthMax = 32;

}  // namespace qinglan
