// Every rpc against every role. The table itself is a golden file, so that a change of who may do what is
// seen in review; what must never be, whatever the rules say, is asserted besides.
//
// To write the file anew after an intended change: QINGLAN_WRITE_GOLDEN=1 <this test program>.
#include <absl/strings/str_split.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <sstream>

#include "qinglan/eventstore/v1/event_store_service.pb.h"
#include "qinglan/operations/v1/views_service.pb.h"
#include "services/eventstore/proofs/service.h"
#include "services/operations/views/service.h"
#include "services/portfolio/service.h"
#include "services/runtime/access/access.h"
#include "services/runtime/access/denial.h"
#include "services/runtime/access/installation.h"
#include "services/runtime/access/tokens.h"
#include "services/runtime/catalogue.h"
#include "services/runtime/decision.h"
#include "services/runtime/service_table.h"
#include "tests/harness/stage.h"
#include "tests/harness/stored_days.h"
#include "tests/services/runtime/event_types.h"

namespace qinglan::tests {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The one school that everything here belongs to, in its district; and a district that has nothing to do with
// it.
const std::string kSchool = Id("school");
const std::string kDistrict = Id("district");
const std::string kElsewhere = Id("elsewhere");
const std::string kOwner = Id("owner");  // the teacher that everything here belongs to
const std::string kRelated =
    Id("related");  // the other teacher of every pairing and observation, and the owner's mentor
const std::string kStranger = Id("stranger");

std::string IdOfKind(const std::string& kind) {
  if (kind == "org") return kSchool;
  return kind == "teacher" ? kOwner : Id("a-" + kind);
}

// Sets every reference of the request, however deep, and notes the kinds.
void FillReferences(Message& request, std::set<std::string>& kinds, int depth = 0) {
  for (int i = 0; i < request.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = request.GetDescriptor()->field(i);
    const auto* reflection = request.GetReflection();
    const std::string& kind = field->options().GetExtension(rules::v1::field).refers_to();
    if (!kind.empty()) {
      kinds.insert(kind);
      field->is_repeated() ? reflection->AddString(&request, field, IdOfKind(kind))
                           : reflection->SetString(&request, field, IdOfKind(kind));
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field->is_map() && depth < 4) {
      FillReferences(field->is_repeated() ? *reflection->AddMessage(&request, field)
                                          : *reflection->MutableMessage(&request, field),
                     kinds, depth + 1);
    }
  }
}

// Of the kind, as short as may be.
eventstore::NewEvent FirstEvent(const std::string& kind, const std::string& id,
                                std::vector<std::string> tags) {
  for (const Descriptor* type : EventTypes()) {
    if (BegunBy(type) != kind) continue;
    const std::unique_ptr<Message> event(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    event->GetReflection()->SetString(event.get(), type->FindFieldByName(kind + "_id"), id);
    FillDays(*event);
    return {type->full_name(), std::move(tags), absl::CivilDay(2026, 1, 1), event->SerializeAsString()};
  }
  ADD_FAILURE() << kind << " has no first event";
  return {};
}

runtime::Placement FixedPlacement() {
  return {
      [] { return absl::OkStatus(); },
      [](std::string_view org, std::string_view ancestor) {
        return org == ancestor || (org == kSchool && ancestor == kDistrict);
      },
      [](std::string_view teacher, absl::CivilDay) {
        return std::vector<std::string>{teacher == kStranger ? kElsewhere : kSchool};
      },
      [](std::string_view mentor, std::string_view mentee) -> absl::StatusOr<bool> {
        return mentor == kRelated && mentee == kOwner;
      },
  };
}

struct Caller {
  std::string_view name;
  std::string teacher_id;
  std::string org_id;
};

// Who holds the role, seen from the thing that the call is about.
const std::vector<Caller>& Callers() {
  static const auto* const callers = new std::vector<Caller>{
      {"owner", kOwner, kElsewhere}, {"related", kRelated, kElsewhere}, {"inside", "", kDistrict},
      {"outside", "", kElsewhere},   {"installation", "", ""},
  };
  return *callers;
}

class AccessMatrixTest : public testing::Test {
 protected:
  AccessMatrixTest() : access_(stage_.store(), FixedPlacement()) {
    portfolio::Register(stage_.table(), {});  // the rules only: nothing is asked of these here
    proofs::Register(stage_.table(), dynamic_cast<const eventstore::ProvableLog&>(stage_.store()), nullptr);
    operations::RegisterViews(stage_.table(), {});
    std::set<std::string> kinds = {"org", "teacher"};
    for (const auto& method : stage_.table().methods()) {
      std::unique_ptr<Message> request(Prototype(*method).New());
      FillReferences(*request, kinds);
      requests_.push_back(std::move(request));
    }
    std::vector<eventstore::NewEvent> first_events;
    // As in life: the school is there before its teachers, and these before whatever is theirs.
    first_events.push_back(FirstEvent("org", kSchool, {"org:" + kSchool}));
    const std::vector<std::string> where = {"org:" + kSchool, "teacher:" + kOwner, "teacher:" + kRelated};
    first_events.push_back(FirstEvent("teacher", kOwner, where));
    for (const std::string& kind : kinds) {
      if (kind == "org" || kind == "teacher") continue;
      std::vector<std::string> tags = {kind + ":" + IdOfKind(kind)};
      tags.insert(tags.end(), where.begin(), where.end());
      first_events.push_back(FirstEvent(kind, IdOfKind(kind), std::move(tags)));
    }
    stage_.Given(std::move(first_events));
  }

  static const Message& Prototype(const runtime::Method& method) {
    return *google::protobuf::MessageFactory::generated_factory()->GetPrototype(
        method.descriptor->input_type());
  }

  bool Allowed(size_t method, rules::v1::Role role, const Caller& caller) {
    const runtime::Principal principal{"user", caller.teacher_id, {{role, caller.org_id}}};
    const absl::Status status = access_.Authorize(principal, *stage_.table().methods()[method]->descriptor,
                                                  *requests_[method], absl::CivilDay(2026, 3, 2));
    EXPECT_TRUE(status.ok() || absl::IsPermissionDenied(status)) << status;
    return status.ok();
  }

  absl::Status Ask(const std::string& path, const std::vector<std::pair<std::string, std::string>>& fields,
                   const runtime::Principal& principal) {
    const auto* method = stage_.table().FindByPath(path);
    std::unique_ptr<Message> request(Prototype(*method).New());
    for (const auto& [name, value] : fields) {
      request->GetReflection()->SetString(request.get(), request->GetDescriptor()->FindFieldByName(name),
                                          value);
    }
    return access_.Authorize(principal, *method->descriptor, *request, absl::CivilDay(2026, 3, 2));
  }

  Stage stage_;
  runtime::Access access_;
  std::vector<std::unique_ptr<Message>> requests_;
};

std::string ReadGolden(const std::string& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

// The rows of one rpc: each role that somebody may call it in, and from where.
std::string RowsOf(const std::string& path,
                   const std::function<bool(rules::v1::Role, const Caller&)>& allowed) {
  std::string rows = path + "\n";
  for (int role = rules::v1::Role_MIN + 1; role <= rules::v1::Role_MAX; ++role) {
    std::string from;
    for (const Caller& caller : Callers()) {
      if (allowed(static_cast<rules::v1::Role>(role), caller)) from += fmt::format(" {}", caller.name);
    }
    if (!from.empty())
      rows += fmt::format("  {}:{}\n", runtime::RoleName(static_cast<rules::v1::Role>(role)), from);
  }
  return rows;
}

TEST_F(AccessMatrixTest, EveryRpcLetsInJustTheRolesOfTheGoldenTable) {
  std::string table = "# rpc | role: from where it may be called\n";
  for (size_t i = 0; i < requests_.size(); ++i) {
    table += RowsOf(stage_.table().methods()[i]->Path(),
                    [&](rules::v1::Role role, const Caller& caller) { return Allowed(i, role, caller); });
  }
  // Beside the table: access/installation.h judges by the token alone.
  const auto* beside = eventstore::v1::AppendRequest::descriptor()->file()->service(0);
  for (int i = 0; i < beside->method_count(); ++i) {
    const auto& method = *beside->method(i);
    table +=
        RowsOf(beside->full_name() + "/" + method.name(), [&](rules::v1::Role role, const Caller& caller) {
          return runtime::AuthorizeInstallation({"user", caller.teacher_id, {{role, caller.org_id}}}, method)
              .ok();
        });
  }
  const std::string path = std::string(QINGLAN_SOURCE_DIR) + "/tests/golden/access_matrix.txt";
  if (std::getenv("QINGLAN_WRITE_GOLDEN") != nullptr) std::ofstream(path) << table;
  EXPECT_EQ(ReadGolden(path), table);
}

TEST_F(AccessMatrixTest, NobodyWithoutARoleIsLetIn) {
  for (size_t i = 0; i < requests_.size(); ++i) {
    const runtime::Principal nobody{"user", kOwner, {}};
    const absl::Status status = access_.Authorize(nobody, *stage_.table().methods()[i]->descriptor,
                                                  *requests_[i], absl::CivilDay(2026, 3, 2));
    EXPECT_TRUE(absl::IsPermissionDenied(status)) << stage_.table().methods()[i]->Path() << ": " << status;
  }
}

TEST_F(AccessMatrixTest, WhoIsDeniedIsToldWhichRolesItTakes) {
  for (size_t i = 0; i < requests_.size(); ++i) {
    const auto& method = *stage_.table().methods()[i]->descriptor;
    std::set<std::string> roles;
    for (const auto& grant : method.options().GetExtension(rules::v1::access).grants()) {
      for (const int role : grant.roles())
        roles.insert(runtime::RoleName(static_cast<rules::v1::Role>(role)));
    }
    const absl::Status denied =
        access_.Authorize({"user", kOwner, {}}, method, *requests_[i], absl::CivilDay(2026, 3, 2));
    const std::string told = runtime::Describe(runtime::Language::kEnglish, denied);
    const std::vector<std::string> named = absl::StrSplit(told.substr(told.rfind(": ") + 2), ", ");
    EXPECT_EQ(std::set<std::string>(named.begin(), named.end()), roles) << method.full_name();
  }
  const auto* views = operations::v1::ListBuildsRequest::descriptor();
  EXPECT_EQ(runtime::Describe(runtime::Language::kEnglish, runtime::NotAllowed(*runtime::MethodOf(views))),
            "You may not do this: it takes one of these roles, and only for what is in its charge: operator");
}

TEST_F(AccessMatrixTest, ARoleHeldElsewhereOpensNothingThatNamesAPerson) {
  for (size_t i = 0; i < requests_.size(); ++i) {
    if (runtime::ReferencesOf(*requests_[i]).empty()) continue;
    bool anywhere = false;
    for (const auto& grant :
         stage_.table().methods()[i]->descriptor->options().GetExtension(rules::v1::access).grants()) {
      anywhere |= grant.scope() == rules::v1::SCOPE_ANYWHERE;
    }
    if (anywhere) continue;
    for (int role = rules::v1::Role_MIN + 1; role <= rules::v1::Role_MAX; ++role) {
      const Caller outside{"outside", kStranger, kElsewhere};
      EXPECT_FALSE(Allowed(i, static_cast<rules::v1::Role>(role), outside))
          << stage_.table().methods()[i]->Path();
    }
  }
}

TEST_F(AccessMatrixTest, AnywhereIsOnlyForRequestsThatNameNoPerson) {
  for (const auto& method : stage_.table().methods()) {
    for (const auto& grant : method->descriptor->options().GetExtension(rules::v1::access).grants()) {
      if (grant.scope() != rules::v1::SCOPE_ANYWHERE) continue;
      std::unique_ptr<Message> request(Prototype(*method).New());
      std::set<std::string> kinds;
      FillReferences(*request, kinds);
      EXPECT_FALSE(kinds.contains("teacher")) << method->Path();
    }
  }
}

TEST_F(AccessMatrixTest, ACommandIsNeverForAuditors) {
  for (size_t i = 0; i < requests_.size(); ++i) {
    if (!stage_.table().methods()[i]->is_command) continue;
    for (const Caller& caller : Callers()) {
      EXPECT_FALSE(Allowed(i, rules::v1::ROLE_AUDITOR, caller)) << stage_.table().methods()[i]->Path();
    }
  }
}

TEST_F(AccessMatrixTest, AnUnknownIdIsNotFoundBeforeItIsForbidden) {
  const auto* method = stage_.table().FindByPath("qinglan.registry.v1.RegistryService/GetTeacher");
  ASSERT_NE(method, nullptr);
  std::unique_ptr<Message> request(Prototype(*method).New());
  request->GetReflection()->SetString(request.get(), request->GetDescriptor()->FindFieldByName("teacher_id"),
                                      Id("nobody"));
  const absl::Status status = access_.Authorize({"user", "", {{rules::v1::ROLE_AUDITOR, ""}}},
                                                *method->descriptor, *request, absl::CivilDay(2026, 3, 2));
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_EQ(runtime::ReasonOf(status), "UNKNOWN_ID");
}

TEST_F(AccessMatrixTest, WhatBelongsToNoOrganisationIsPrivate) {
  stage_.Given(
      {FirstEvent("reflection", Id("private"), {"reflection:" + Id("private"), "teacher:" + kOwner})});
  const std::vector<std::pair<std::string, std::string>> fields = {{"reflection_id", Id("private")}};
  const std::string rpc = "qinglan.lessonstudy.v1.LessonStudyService/GetReflection";
  for (int role = rules::v1::Role_MIN + 1; role <= rules::v1::Role_MAX; ++role) {
    const runtime::RoleAt everywhere{static_cast<rules::v1::Role>(role), ""};
    EXPECT_TRUE(absl::IsPermissionDenied(Ask(rpc, fields, {"user", "", {everywhere}}))) << role;
  }
  const runtime::Principal owner{"user", kOwner, {{rules::v1::ROLE_TEACHER, kSchool}}};
  EXPECT_TRUE(Ask(rpc, fields, owner).ok());
}

// The second id is as much a claim as the first: with one of them out of scope, nothing is done about the
// other.
TEST_F(AccessMatrixTest, WhoBringsAPersonIntoAPlaceAnswersForBoth) {
  stage_.Given({FirstEvent("teacher", kStranger, {"teacher:" + kStranger}),
                FirstEvent("org", kElsewhere, {"org:" + kElsewhere})});
  struct Case {
    std::string rpc;
    rules::v1::Role role;
    std::string org_field;
    std::string teacher_field;
  };
  for (const Case& each : std::vector<Case>{{"qinglan.mentoring.v1.MentoringService/RecordSignedPairing",
                                             rules::v1::ROLE_SCHOOL_LEADER, "org_id", "mentee_id"},
                                            {"qinglan.appraisal.v1.AppraisalService/RecordAnnualRating",
                                             rules::v1::ROLE_SCHOOL_LEADER, "org_id", "teacher_id"},
                                            {"qinglan.appraisal.v1.AppraisalService/AwardHonour",
                                             rules::v1::ROLE_HR_REVIEWER, "org_id", "teacher_id"},
                                            {"qinglan.training.v1.CreditService/AwardCreditHours",
                                             rules::v1::ROLE_TRAINING_CENTRE, "org_id", "teacher_id"},
                                            {"qinglan.registry.v1.RegistryService/TransferTeacher",
                                             rules::v1::ROLE_HR_REVIEWER, "to_org_id", "teacher_id"}}) {
    const runtime::Principal office{"user", "", {{each.role, kDistrict}}};
    const auto ask = [&](const std::string& org, const std::string& teacher) {
      return Ask(each.rpc, {{each.org_field, org}, {each.teacher_field, teacher}}, office);
    };
    EXPECT_TRUE(ask(kSchool, kOwner).ok()) << each.rpc;
    EXPECT_TRUE(absl::IsPermissionDenied(ask(kSchool, kStranger))) << each.rpc;
    EXPECT_TRUE(absl::IsPermissionDenied(ask(kElsewhere, kOwner))) << each.rpc;
  }
}

}  // namespace
}  // namespace qinglan::tests
