#include "tests/fuzz/seeds/workbook.h"

#include <zip.h>

#include "eventstore/check.h"

namespace qinglan::fuzz {
namespace {

constexpr std::string_view kTypes =
    R"(<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"></Types>)";
constexpr std::string_view kPackageRelations =
    R"(<Relationships><Relationship Id="r1" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>)";
constexpr std::string_view kWorkbook =
    R"(<workbook xmlns:r="r"><sheets><sheet name="one" sheetId="1" r:id="r1"/></sheets></workbook>)";
constexpr std::string_view kWorkbookRelations =
    R"(<Relationships><Relationship Id="r1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>)"
    R"(<Relationship Id="r2" Type="x/sharedStrings" Target="sharedStrings.xml"/></Relationships>)";
constexpr std::string_view kStrings =
    R"(<sst><si><t>一</t></si><si><r><t>二</t></r><r><t>三</t></r></si></sst>)";

}  // namespace

std::string Workbook(std::string_view sheet) {
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  zip_t* archive = zip_open_from_source(target, ZIP_TRUNCATE, nullptr);
  QL_CHECK(archive != nullptr, "an archive in memory can be made");
  zip_source_keep(target);
  const auto add = [&](const char* name, std::string_view text) {
    zip_source_t* source = zip_source_buffer(archive, text.data(), text.size(), 0);
    const zip_int64_t index = zip_file_add(archive, name, source, 0);
    QL_CHECK(index >= 0, "a part can be added");
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
  };
  add("[Content_Types].xml", kTypes);
  add("_rels/.rels", kPackageRelations);
  add("xl/workbook.xml", kWorkbook);
  add("xl/_rels/workbook.xml.rels", kWorkbookRelations);
  add("xl/sharedStrings.xml", kStrings);
  add("xl/worksheets/sheet1.xml", sheet);
  QL_CHECK(zip_close(archive) == 0, "the archive can be finished");
  zip_stat_t stat;
  zip_source_stat(target, &stat);
  std::string bytes(stat.size, '\0');
  zip_source_open(target);
  zip_source_read(target, bytes.data(), bytes.size());
  zip_source_close(target);
  zip_source_free(target);
  return bytes;
}

}  // namespace qinglan::fuzz
