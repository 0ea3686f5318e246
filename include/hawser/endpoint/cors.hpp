// Cross-origin resource sharing: which pages may poll, and what their browsers are told.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <hawser/codec/http/message.hpp>
#include <hawser/codec/http/origin.hpp>
#include <hawser/codec/http/serialize.hpp>
#include <hawser/endpoint/engine_options.hpp>

namespace hawser::inline HAWSER_ABI {

/// Whether a request comes from one of the origins.
inline bool cors_allows(cors_options const& rule, http::request const& from) {
  if (from.count("Origin") != 1) return false;
  std::string_view const origin = *from.get("Origin");
  for (std::string const& entry : rule.origins) {
    if (!origin.empty() && http::origin_matches(origin, entry)) return true;
  }
  return false;
}

/// What the answer to a request says about it. Nothing is said to a page that may not ask.
inline void add_cors(cors_options const& rule, http::request const& from,
                     std::vector<http::header>& headers) {
  if (rule.origins.empty()) return;
  headers.push_back(*http::header::make("Vary", "Origin"));
  if (!cors_allows(rule, from)) return;
  // It matches an entry, so it is an origin and nothing else.
  auto origin = http::header::make("Access-Control-Allow-Origin", *from.get("Origin"));
  if (!origin) return;
  headers.push_back(std::move(*origin));
  if (rule.credentials) {
    headers.push_back(*http::header::make("Access-Control-Allow-Credentials", "true"));
  }
}

/// What the answer to a preflight (an OPTIONS request) says.
inline void add_cors_preflight(cors_options const& rule, http::request const& from,
                               std::vector<http::header>& headers) {
  add_cors(rule, from, headers);
  if (!cors_allows(rule, from)) return;
  headers.push_back(*http::header::make("Access-Control-Allow-Methods", "GET, POST"));
  std::string allowed = "Content-Type";
  for (std::string const& name : rule.headers) allowed += ", " + name;
  if (auto list = http::header::make("Access-Control-Allow-Headers", allowed)) {
    headers.push_back(std::move(*list));
  }
  headers.push_back(
      *http::header::make("Access-Control-Max-Age", std::to_string(rule.max_age.count())));
}

}  // namespace hawser::inline HAWSER_ABI
