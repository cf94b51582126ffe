// A client as the server's network sees it: a TCP connection that speaks the first words of HTTP/2, and then
// leaves in one of the ways in which clients do.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string_view>

namespace qinglan::fault {

// How a client leaves.
enum class Leaving {
  kGoodbye,     // GOAWAY, then the end of the connection, as a client that is shut down well
  kClosed,      // the end of the connection, as a process that ends
  kReset,       // a reset, as a process that is killed with data on the way
  kMidPreface,  // in the midst of its first words
  kGarbage,     // after words of no protocol
  kSilent,      // without having said anything
};
inline constexpr Leaving kLeavings[] = {Leaving::kGoodbye,    Leaving::kClosed,  Leaving::kReset,
                                        Leaving::kMidPreface, Leaving::kGarbage, Leaving::kSilent};
// Whether such a client is greeted by the server before it leaves.
constexpr bool IsGreeted(Leaving leaving) { return leaving <= Leaving::kReset; }

// Not thread-safe.
class ClientSocket {
 public:
  // Connects to 127.0.0.1:`port` from an address of loopback that depends on `number`, so that ports do not
  // run out, and says what a client says that will leave in this way.
  ClientSocket(int port, uint32_t number, Leaving leaving);
  ~ClientSocket();
  ClientSocket(ClientSocket&& other) noexcept;
  ClientSocket& operator=(ClientSocket&& other) noexcept;

  bool connected() const { return connected_; }
  // Waits for the server's first frame, which must be its settings.
  bool AwaitGreeting(absl::Duration timeout) const;
  void Leave();

 private:
  void Say(std::string_view words) const;

  int fd_ = -1;
  Leaving leaving_;
  bool connected_ = false;
};

}  // namespace qinglan::fault
