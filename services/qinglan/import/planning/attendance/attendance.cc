// A sign-in sheet (签到表): its head tells the programme and its session, each row an enrolment and a mark a
// half-day. When every mark is clear the session is completed, which awards the credit hours.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "qinglan/training/v1/training_service.pb.h"
#include "services/qinglan/import/planning/attendance/sign_in_head.h"
#include "services/qinglan/import/planning/planners.h"
#include "services/qinglan/import/words.h"
#include "services/runtime/decision.h"

namespace qinglan::importing {
namespace {

namespace v1 = training::v1;

// What a session may hold at most (ScheduleSessionRequest.capacity). A sheet that was signed says nothing of
// a limit.
constexpr uint32_t kCapacity = 300;

v1::AttendanceStatus StatusOf(Mark mark) {
  switch (mark) {
    case Mark::kPresent:
      return v1::ATTENDANCE_STATUS_PRESENT;
    case Mark::kLate:
      return v1::ATTENDANCE_STATUS_LATE;
    case Mark::kLeftEarly:
      return v1::ATTENDANCE_STATUS_LEFT_EARLY;
    case Mark::kExcused:
      return v1::ATTENDANCE_STATUS_EXCUSED;
    case Mark::kAbsent:
      return v1::ATTENDANCE_STATUS_ABSENT;
  }
  return v1::ATTENDANCE_STATUS_UNSPECIFIED;
}

void SetBlock(const SignInBlock& from, v1::Block& block) {
  block.set_date(runtime::IsoDate(from.day));
  block.set_half(from.half);
}

// The terms that a sheet does not say are data (words.json, sign_in_defaults), and noted.
v1::ProgrammeTerms TermsOf(const SignInHead& head) {
  const auto& defaults = Words().at("sign_in_defaults");
  v1::ProgrammeTerms terms;
  terms.set_title(head.title);
  terms.set_level(head.level);
  terms.set_credit_tenths(head.credit_tenths);
  v1::Direction direction = v1::DIRECTION_UNSPECIFIED;
  v1::CreditBasis basis = v1::CREDIT_BASIS_UNSPECIFIED;
  if (v1::Direction_Parse(defaults.at("direction").get<std::string>(), &direction))
    terms.set_direction(direction);
  if (v1::CreditBasis_Parse(defaults.at("basis").get<std::string>(), &basis))
    terms.mutable_credit_rule()->set_basis(basis);
  terms.mutable_credit_rule()->set_minimum_attendance_percent(
      defaults.at("minimum_attendance_percent").get<uint32_t>());
  for (const auto& name : defaults.at("counted")) {
    v1::AttendanceStatus status = v1::ATTENDANCE_STATUS_UNSPECIFIED;
    if (v1::AttendanceStatus_Parse(name.get<std::string>(), &status))
      terms.mutable_credit_rule()->add_counted(status);
  }
  return terms;
}

class SignInSheet {
 public:
  SignInSheet(const Sheet& sheet, SignInHead head, const Planning& planning)
      : sheet_(sheet), head_(std::move(head)), planning_(planning) {
    std::vector<std::string> parts = {head_.title, head_.organiser, head_.place,
                                      fmt::to_string(head_.credit_tenths)};
    for (const SignInBlock& block : head_.blocks) {
      parts.push_back(fmt::format("{} {}", runtime::IsoDate(block.day), static_cast<int>(block.half)));
    }
    identity_ = Identity(parts);
    programme_key_ = "programme:" + identity_;
    session_key_ = "session:" + identity_;
  }

  void Plan() {
    if (!PlanSession()) return;
    const std::set<std::string> twice = PeopleTwice();
    Seen rows_seen;
    for (const Row* data : DataRows(sheet_)) {
      RowReader row = planning_.Read(sheet_, *data);
      PlanRow(row, twice, rows_seen);
      if (row.refused()) ++refused_;
    }
    PlanCompletion();
  }

 private:
  Command Base(std::string_view kind, int stage) const {
    Command command;
    command.kind = kind;
    command.stage = stage;
    command.lane = session_key_;
    command.identity = identity_;
    command.rows = {{sheet_.table.file, sheet_.table.sheet, sheet_.Header().number}};
    return command;
  }

  bool PlanSession() {
    auto programme = std::make_shared<v1::DefineProgrammeRequest>();
    *programme->mutable_terms() = TermsOf(head_);
    programme->set_starts_on(runtime::IsoDate(head_.blocks.front().day));
    Command define = Base("programmes", kStageProgrammes);
    define.request = programme;
    define.bindings = {{"org_id", head_.organiser_key}};
    define.provides = programme_key_;
    define.answer_field = "programme_id";

    auto session = std::make_shared<v1::ScheduleSessionRequest>();
    session->set_title(head_.title);
    session->set_place(head_.place);
    session->set_capacity(kCapacity);
    session->set_credit_tenths_per_block(head_.credit_tenths / static_cast<uint32_t>(head_.blocks.size()));
    for (const SignInBlock& block : head_.blocks) SetBlock(block, *session->add_blocks());
    Command schedule = Base("sessions", kStageSessions);
    schedule.request = session;
    schedule.bindings = {{"programme_id", programme_key_}};
    schedule.provides = session_key_;
    schedule.answer_field = "session_id";
    Findings& findings = planning_.plan.findings;
    return planning_.plan.Add(std::move(define), findings) &&
           planning_.plan.Add(std::move(schedule), findings);
  }

  // The staff numbers of more than one row that do not say the same.
  std::set<std::string> PeopleTwice() const {
    std::map<std::string, std::set<std::string>> said;
    Findings ignored;
    for (const Row* data : DataRows(sheet_)) {
      const auto number = ParseId(data->At(sheet_.ColumnOf("staff_number")).text);
      if (number.ok()) said[*number].insert(RowReader(sheet_, *data, ignored).Canonical());
    }
    std::set<std::string> twice;
    for (const auto& [number, rows] : said) {
      if (rows.size() > 1) twice.insert(number);
    }
    return twice;
  }

  void PlanRow(RowReader& row, const std::set<std::string>& twice, Seen& rows_seen) {
    if (row.refused()) return;
    const auto person = planning_.directory.Named(row, "staff_number", "name");
    row.Required("name");
    const std::string org = row.Text("org");
    if (!org.empty() && planning_.directory.Organisation(org).empty()) row.Reject("org", "CELL_ORG_UNKNOWN");
    std::vector<std::pair<const SignInBlock*, Mark>> marks;
    Findings unclear;
    for (const SignInBlock& block : head_.blocks) {
      const auto mark = ParseMark(row.At(block.column).text);
      if (mark.ok()) {
        marks.emplace_back(&block, *mark);
      } else if (RuleOf(mark.status()) == "CELL_MARK_UNKNOWN") {
        row.RejectAt(block.column, "CELL_MARK_UNKNOWN", {{"value", row.At(block.column).text}});
      } else {
        unclear.push_back(Finding{Weight::kUnclear, "", "", 0, block.column, "CELL_MARK_MISSING", {}});
      }
    }
    if (row.refused()) return;
    if (twice.contains(*ParseId(row.At(row.ColumnOf("staff_number")).text))) {
      row.Reject("staff_number", "CELL_PERSON_TWICE");
      return;
    }
    if (!rows_seen.First(row, row.Canonical())) return;
    for (const Finding& finding : unclear) row.UnclearAt(finding.column, finding.rule);
    unclear_ += unclear.size();
    PlanEnrolment(row, *person);
    for (const auto& [block, mark] : marks) PlanMark(row, *person, *block, mark);
  }

  void PlanEnrolment(const RowReader& row, const Person& person) {
    auto request = std::make_shared<v1::EnrolTeacherRequest>();
    Command command = Planning::For(row, "enrolments", kStageEnrolments);
    command.lane = session_key_;
    command.identity = Identity({identity_, person.key});
    command.request = request;
    command.bindings = {{"session_id", session_key_}, {"teacher_id", person.key}};
    planning_.plan.Add(std::move(command), planning_.plan.findings);
  }

  void PlanMark(const RowReader& row, const Person& person, const SignInBlock& block, Mark mark) {
    auto request = std::make_shared<v1::RecordAttendanceRequest>();
    SetBlock(block, *request->mutable_block());
    request->set_method(v1::RECORDING_METHOD_SIGNATURE_SHEET);
    request->add_marks()->set_status(StatusOf(mark));
    Command command = Planning::For(row, "attendance", kStageAttendance);
    command.lane = session_key_;
    command.identity = Identity({identity_, person.key, request->block().date(),
                                 fmt::to_string(static_cast<int>(block.half)),
                                 fmt::to_string(static_cast<int>(request->marks(0).status()))});
    command.request = std::move(request);
    command.bindings = {{"session_id", session_key_}, {"marks.0.teacher_id", person.key}};
    planning_.plan.Add(std::move(command), planning_.plan.findings);
  }

  // A completed session takes no further marks, so one with open questions stays open.
  void PlanCompletion() {
    const bool open = refused_ > 0 || (unclear_ > 0 && !planning_.unrecorded_is_absent);
    if (open) {
      planning_.plan.findings.push_back(
          Finding{Weight::kUnclear,
                  sheet_.table.file,
                  sheet_.table.sheet,
                  sheet_.Header().number,
                  0,
                  "SHEET_SESSION_LEFT_OPEN",
                  {{"refused", fmt::to_string(refused_)}, {"unclear", fmt::to_string(unclear_)}}});
      return;
    }
    auto request = std::make_shared<v1::CompleteSessionRequest>();
    request->set_unrecorded_is_absent(unclear_ > 0);
    Command command = Base("completions", kStageCompletions);
    command.request = request;
    command.bindings = {{"session_id", session_key_}};
    planning_.plan.Add(std::move(command), planning_.plan.findings);
  }

  const Sheet& sheet_;
  const SignInHead head_;
  const Planning& planning_;
  std::string identity_;
  std::string programme_key_;
  std::string session_key_;
  size_t refused_ = 0;
  size_t unclear_ = 0;
};

}  // namespace

void PlanAttendance(const Sheet& sheet, const Planning& planning) {
  auto head = ReadSignInHead(sheet, planning);
  if (!head) {
    for (const Row* data : DataRows(sheet)) planning.Read(sheet, *data);
    return;
  }
  SignInSheet(sheet, *std::move(head), planning).Plan();
}

}  // namespace qinglan::importing
