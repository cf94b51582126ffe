#include "services/qinglan/import/sheets/finding.h"

#include "services/qinglan/import/reading/cells.h"
#include "services/runtime/error.h"

namespace qinglan::importing {

Finding FileFinding(std::string_view file, std::string_view sheet, const absl::Status& status) {
  Finding finding;
  finding.file = file;
  finding.sheet = sheet;
  finding.rule = RuleOf(status);
  if (const auto detail = runtime::DetailOf(status)) {
    finding.parameters.insert(detail->metadata().begin(), detail->metadata().end());
  }
  return finding;
}

}  // namespace qinglan::importing
