// `qinglan checkpoint`: the newest signed checkpoint, to be kept outside of the system; and the proof that it
// continues one that was kept before.
#include <fmt/format.h>

#include "eventstore/check.h"
#include "eventstore/transparency/checkpoint.h"
#include "qinglan/eventstore/v1/proof_service.pb.h"
#include "services/qinglan/verify/commands.h"
#include "services/qinglan/verify/consistency_file.h"

namespace qinglan {
namespace {

using eventstore::transparency::Checkpoint;
using eventstore::v1::GetCheckpointRequest;
using eventstore::v1::GetCheckpointResponse;
using eventstore::v1::ProveConsistencyRequest;
using eventstore::v1::ProveConsistencyResponse;

struct CheckpointOptions {
  ServerOption server;
  std::string out;
  std::string since;
  std::string proof;
};

absl::StatusOr<Checkpoint> ReadNote(const std::string& note) {
  QL_ASSIGN_OR_RETURN(const auto parsed, eventstore::transparency::ParseNote(note));
  return eventstore::transparency::ParseCheckpointText(parsed.text);
}

absl::Status FetchProof(const runtime::Client& client, const CheckpointOptions& options, uint64_t to_size) {
  QL_ASSIGN_OR_RETURN(const std::string kept, ReadFile(options.since));
  QL_ASSIGN_OR_RETURN(const Checkpoint since, ReadNote(kept));
  ProveConsistencyRequest request;
  request.set_from_size(since.head.size);
  request.set_to_size(to_size);
  QL_ASSIGN_OR_RETURN(const auto answer, client.Call<ProveConsistencyResponse>(request));
  eventstore::transparency::Proof proof;
  for (const std::string& hash : answer.hashes()) {
    if (!HashFrom(hash, proof.emplace_back())) return absl::DataLossError("the proof holds no hashes");
  }
  return WriteFile(options.proof, EncodeConsistency(proof), false);
}

absl::Status Fetch(const CheckpointOptions& options) {
  QL_ASSIGN_OR_RETURN(const runtime::Client client, options.server.Connect());
  QL_ASSIGN_OR_RETURN(const auto newest, client.Call<GetCheckpointResponse>(GetCheckpointRequest()));
  if (!options.since.empty()) {
    QL_RETURN_IF_ERROR(FetchProof(client, options, newest.checkpoint().size()));
  }
  if (!options.out.empty()) return WriteFile(options.out, newest.checkpoint().note(), false);
  fmt::print("{}", newest.checkpoint().note());
  return absl::OkStatus();
}

}  // namespace

void AddCheckpoint(CLI::App& app, RunCommand& run) {
  auto* command = app.add_subcommand(
      "checkpoint",
      "Fetches the log's newest signed checkpoint, and the proof that it continues an older one");
  auto options = std::make_shared<CheckpointOptions>();
  options->server.AddTo(*command);
  command->add_option("--out", options->out, "file for the checkpoint; default: standard output")
      ->type_name("FILE");
  auto* since = command->add_option("--since", options->since, "a checkpoint that was kept before")
                    ->check(CLI::ExistingFile)
                    ->type_name("FILE");
  auto* proof = command
                    ->add_option("--proof", options->proof,
                                 "file for the proof that the newest continues the one of --since")
                    ->needs(since)
                    ->type_name("FILE");
  since->needs(proof);
  command->callback([options, &run] {
    run = [options] {
      const absl::Status fetched = Fetch(*options);
      return fetched.ok() ? kExitOk : Fail("checkpoint", fetched);
    };
  });
}

}  // namespace qinglan
