// Another system's id for a person or an organisation, as a tag can bear it.
#pragma once

#include <string>

#include "qinglan/registry/v1/registry_service.pb.h"

namespace qinglan::registry {

// 32 hexadecimal digits of SHA-256 over system and id. The id itself (a staff number, say) is never a tag,
// since tags are never sealed; its digest finds the person again and tells nobody who reads the log who it
// is.
std::string ExternalDigest(const v1::ExternalId& id);

}  // namespace qinglan::registry
