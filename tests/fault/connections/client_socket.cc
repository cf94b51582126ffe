#include "tests/fault/connections/client_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace qinglan::fault {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr std::string_view kEmptySettings = "\0\0\0\x04\0\0\0\0\0"sv;
constexpr std::string_view kGoAway = "\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0"sv;
constexpr std::string_view kNoProtocol = "\x16\x03\x01 GET / HTTP/1.0\r\n\xff\xfe\r\n\r\n"sv;
constexpr size_t kFrameHeadBytes = 9;
constexpr size_t kFrameTypeAt = 3;
constexpr char kSettingsFrame = 4;
constexpr uint32_t kAddresses = 8;  // 127.0.0.2 and on

sockaddr_in Loopback(uint32_t host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
  return address;
}

}  // namespace

ClientSocket::ClientSocket(int port, uint32_t number, Leaving leaving)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), leaving_(leaving) {
  if (fd_ < 0) return;
  const sockaddr_in from = Loopback(2 + number % kAddresses, 0);
  const sockaddr_in to = Loopback(1, port);
  connected_ = bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) == 0 &&
               connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  if (!connected_) return;
  if (IsGreeted(leaving)) {
    Say(kPreface);
    Say(kEmptySettings);
  }
  if (leaving == Leaving::kMidPreface) Say(kPreface.substr(0, kPreface.size() / 2));
  if (leaving == Leaving::kGarbage) Say(kNoProtocol);
}

ClientSocket::~ClientSocket() {
  if (fd_ >= 0) close(fd_);
}

ClientSocket::ClientSocket(ClientSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), leaving_(other.leaving_), connected_(other.connected_) {}

ClientSocket& ClientSocket::operator=(ClientSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(leaving_, other.leaving_);
  std::swap(connected_, other.connected_);
  return *this;
}

void ClientSocket::Say(std::string_view words) const {
  (void)send(fd_, words.data(), words.size(), MSG_NOSIGNAL);  // who is refused cannot say it, and need not
}

bool ClientSocket::AwaitGreeting(absl::Duration timeout) const {
  char head[kFrameHeadBytes];
  size_t got = 0;
  const int64_t millis = std::max<int64_t>(1, absl::ToInt64Milliseconds(timeout));
  while (got < sizeof(head)) {
    pollfd more{fd_, POLLIN, 0};
    if (poll(&more, 1, static_cast<int>(millis)) != 1) return false;
    const ssize_t read = recv(fd_, head + got, sizeof(head) - got, 0);
    if (read <= 0) return false;
    got += static_cast<size_t>(read);
  }
  return head[kFrameTypeAt] == kSettingsFrame;
}

void ClientSocket::Leave() {
  if (fd_ < 0) return;
  if (leaving_ == Leaving::kGoodbye) Say(kGoAway);
  if (leaving_ == Leaving::kReset) {
    const linger at_once{1, 0};
    (void)setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  close(std::exchange(fd_, -1));
}

}  // namespace qinglan::fault
