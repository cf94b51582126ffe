#include "services/eventstore/client/remote_proofs.h"

#include <fmt/format.h>

#include <utility>

#include "eventstore/check.h"
#include "eventstore/transparency/leaf.h"
#include "eventstore/transparency/proof_length.h"
#include "qinglan/eventstore/v1/event_store_service.pb.h"

namespace qinglan::eventstore::remote {
namespace {

using transparency::Hash;
using transparency::Proof;
using transparency::TreeHead;

absl::StatusOr<TreeHead> TreeIn(const v1::GetTreeResponse& response) {
  TreeHead tree;
  tree.size = response.size();
  const bool whole = HashFrom(response.root(), tree.root);
  if (!whole || (tree.size == 0 && tree.root != transparency::Hasher().Empty())) {
    return absl::InternalError(fmt::format("the answer is no root of a tree of size {}", tree.size));
  }
  return tree;
}

absl::StatusOr<Proof> ProofIn(const google::protobuf::RepeatedPtrField<std::string>& hashes,
                              size_t hashes_due) {
  bool fits = static_cast<size_t>(hashes.size()) == hashes_due;
  Proof proof;
  for (int i = 0; fits && i < hashes.size(); ++i) fits = HashFrom(hashes[i], proof.emplace_back());
  if (!fits) {
    return absl::InternalError(
        fmt::format("the answer is no proof of {} hashes: it has {}", hashes_due, hashes.size()));
  }
  return proof;
}

}  // namespace

absl::StatusOr<TreeHead> RemoteProofs::CurrentTree() const {
  v1::GetTreeResponse response;
  QL_RETURN_IF_ERROR(
      connection_.Call(connection_.methods().get_tree, v1::GetTreeRequest(), response, timeout_));
  return TreeIn(response);
}

absl::StatusOr<TreeHead> RemoteProofs::TreeAt(Position head) const {
  v1::GetTreeRequest request;
  request.set_size(head.value);
  v1::GetTreeResponse response;
  QL_RETURN_IF_ERROR(connection_.Call(connection_.methods().get_tree, request, response, timeout_));
  if (response.size() != head.value) {
    return absl::InternalError(
        fmt::format("asked for the tree of size {}, got that of {}", head.value, response.size()));
  }
  return TreeIn(response);
}

absl::StatusOr<std::string> RemoteProofs::LeafAt(Position position) const {
  v1::GetLeafRequest request;
  request.set_position(position.value);
  v1::GetLeafResponse response;
  QL_RETURN_IF_ERROR(connection_.Call(connection_.methods().get_leaf, request, response, timeout_));
  if (const auto leaf = transparency::DecodeLeaf(response.leaf(), position); !leaf.ok()) {
    return absl::InternalError(
        fmt::format("the answer is no leaf: {}", std::string(leaf.status().message())));
  }
  return std::move(*response.mutable_leaf());
}

absl::StatusOr<Proof> RemoteProofs::ProveEvent(Position position, Position in) const {
  if (position == Position(0) || position > in) {
    return absl::OutOfRangeError(
        fmt::format("the log up to {} has no position {}", in.value, position.value));
  }
  v1::ProveEventRequest request;
  request.set_position(position.value);
  request.set_tree_size(in.value);
  v1::ProveEventResponse response;
  QL_RETURN_IF_ERROR(connection_.Call(connection_.methods().prove_event, request, response, timeout_));
  return ProofIn(response.hashes(), transparency::InclusionHashes({position.value - 1, in.value}));
}

absl::StatusOr<Proof> RemoteProofs::ProveExtension(Position from, Position to) const {
  if (from > to) {
    return absl::OutOfRangeError(fmt::format("position {} is past position {}", from.value, to.value));
  }
  v1::ProveExtensionRequest request;
  request.set_from_size(from.value);
  request.set_to_size(to.value);
  v1::ProveExtensionResponse response;
  QL_RETURN_IF_ERROR(connection_.Call(connection_.methods().prove_extension, request, response, timeout_));
  return ProofIn(response.hashes(), transparency::ConsistencyHashes({from.value, to.value}));
}

}  // namespace qinglan::eventstore::remote
