#include "tests/services/import/workbook.h"

#include <fmt/format.h>
#include <unicode/ucnv.h>
#include <zip.h>

#include "eventstore/check.h"

namespace qinglan::importing {
namespace {

constexpr char kMain[] = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
constexpr char kOffice[] = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
constexpr char kPackage[] = "http://schemas.openxmlformats.org/package/2006/relationships";

std::string Relation(int id, const std::string& type, const std::string& target) {
  return fmt::format(R"(<Relationship Id="r{}" Type="{}/{}" Target="{}"/>)", id, kOffice, type, target);
}

std::string Merges(const std::string& list) {
  if (list.empty()) return "";
  std::string xml;
  for (size_t start = 0; start < list.size();) {
    const size_t end = std::min(list.find(',', start), list.size());
    xml += fmt::format(R"(<mergeCell ref="{}"/>)", list.substr(start, end - start));
    start = end + 1;
  }
  return "<mergeCells>" + xml + "</mergeCells>";
}

}  // namespace

std::string Zip(const std::map<std::string, std::string>& files) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_t* archive = zip_open_from_source(target, ZIP_CREATE | ZIP_TRUNCATE, &error);
  QL_CHECK(archive != nullptr, "a new archive");
  zip_source_keep(target);
  for (const auto& [name, content] : files) {
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    QL_CHECK(zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8) >= 0, "a new entry");
  }
  QL_CHECK(zip_close(archive) == 0, "the archive is written");
  zip_source_open(target);
  zip_source_seek(target, 0, SEEK_END);
  std::string bytes(static_cast<size_t>(zip_source_tell(target)), '\0');
  zip_source_seek(target, 0, SEEK_SET);
  QL_CHECK(zip_source_read(target, bytes.data(), bytes.size()) == static_cast<zip_int64_t>(bytes.size()),
           "read back");
  zip_source_close(target);
  zip_source_free(target);
  return bytes;
}

std::map<std::string, std::string> PartsOf(const WorkbookParts& parts) {
  std::string relations = Relation(1, "worksheet", "worksheets/sheet1.xml") +
                          Relation(2, "styles", "/xl/styles.xml") +
                          Relation(3, "sharedStrings", "sharedStrings.xml");
  return {
      {"[Content_Types].xml", "<Types/>"},
      {"_rels/.rels", fmt::format(R"(<Relationships xmlns="{}">{}</Relationships>)", kPackage,
                                  Relation(1, "officeDocument", "xl/workbook.xml"))},
      {"xl/workbook.xml", fmt::format(R"(<workbook xmlns="{}" xmlns:r="{}">{}<sheets>)"
                                      R"(<sheet name="{}" sheetId="1" r:id="r1"/></sheets></workbook>)",
                                      kMain, kOffice, parts.workbook_properties, parts.sheet_name)},
      {"xl/_rels/workbook.xml.rels",
       fmt::format(R"(<Relationships xmlns="{}">{}</Relationships>)", kPackage, relations)},
      {"xl/styles.xml", fmt::format(R"(<styleSheet xmlns="{}"><numFmts>{}</numFmts>)"
                                    R"(<cellXfs><xf numFmtId="0"/>{}</cellXfs></styleSheet>)",
                                    kMain, parts.number_formats, parts.styles)},
      {"xl/sharedStrings.xml", fmt::format(R"(<sst xmlns="{}">{}</sst>)", kMain, parts.shared_strings)},
      {"xl/worksheets/sheet1.xml",
       fmt::format(R"(<worksheet xmlns="{}"><sheetData>{}</sheetData>{}</worksheet>)", kMain, parts.rows,
                   Merges(parts.merges))},
  };
}

std::string Workbook(const WorkbookParts& parts) { return Zip(PartsOf(parts)); }

std::string TextRow(int row, const std::vector<std::string>& texts) {
  std::string cells;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].empty()) continue;
    cells += fmt::format(R"(<c r="{}{}" t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>)",
                         static_cast<char>('A' + i), row, texts[i]);
  }
  return fmt::format(R"(<row r="{}">{}</row>)", row, cells);
}

std::string Encoded(const std::string& utf8, const char* encoding) {
  UErrorCode error = U_ZERO_ERROR;
  std::string bytes(utf8.size() * 4 + 8, '\0');
  const int32_t length = ucnv_convert(encoding, "UTF-8", bytes.data(), static_cast<int32_t>(bytes.size()),
                                      utf8.data(), static_cast<int32_t>(utf8.size()), &error);
  QL_CHECK(U_SUCCESS(error), "the text has a form in that encoding");
  bytes.resize(static_cast<size_t>(length));
  return bytes;
}

}  // namespace qinglan::importing
