// A Socket.IO client as other threads see it.
#pragma once

#include <string_view>
#include <system_error>

#include <hawser/endpoint/client_socket.hpp>
#include <hawser/endpoint/remote.hpp>

namespace hawser::inline HAWSER_ABI {

/// See `event_remote`. An event that finds no connection waits in the offline queue, or is lost
/// where that takes no more.
class client_remote : public event_remote {
 public:
  using event_remote::event_remote;

  template <writable... Args>
  std::error_code emit(client_socket const& from, std::string_view name,
                       Args const&... arguments) const {
    return mail(from, name, arguments...);
  }
};

}  // namespace hawser::inline HAWSER_ABI
