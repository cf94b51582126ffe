// A client for every service: the rpc is found by its request's type, so there are no stubs to generate.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <utility>

namespace qinglan::runtime {

struct ClientOptions {
  std::string target;                          // "127.0.0.1:7410"
  std::string token;                           // bearer token; empty for none
  std::string language = "zh";                 // of error sentences
  absl::Duration timeout = absl::Seconds(30);  // a call's deadline
  int channels = 1;                            // connections, used in turn
};

// Thread-safe.
class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Calls the rpc whose input is `request`. Errors are the server's, with their ErrorDetail (ReasonOf() reads
  // the reason), but UNAVAILABLE, DEADLINE_EXCEEDED and UNIMPLEMENTED that name the server when it is not
  // there, does not answer or has no such rpc; UNAUTHENTICATED, with nothing sent, for a token that can be
  // none.
  template <class Response>
  absl::StatusOr<Response> Call(const google::protobuf::Message& request) const {
    Response response;
    absl::Status status = CallInto(request, response);
    if (!status.ok()) return status;
    return response;
  }

  absl::Status CallInto(const google::protobuf::Message& request, google::protobuf::Message& response) const;
  // The same with a token of the call's own: for who acts for many.
  absl::Status CallInto(const google::protobuf::Message& request, google::protobuf::Message& response,
                        const std::string& token) const;

  // OK when the server answers and says that it is serving, within `wait`.
  absl::Status WaitUntilServing(absl::Duration wait) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace qinglan::runtime
