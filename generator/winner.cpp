#include "generator/winner.h"

namespace attentune {

std::string_view name(Trust trust) noexcept {
  switch (trust) {
    case Trust::compiled_only:
      return "compiled_only";
    case Trust::verified_elsewhere:
      return "verified_elsewhere";
    case Trust::verified_here:
      return "verified_here";
  }
  return "compiled_only";
}

std::string_view name(Provenance provenance) noexcept {
  switch (provenance) {
    case Provenance::exact_bucket:
      return "exact_bucket";
    case Provenance::nearest_bucket:
      return "nearest_bucket";
    case Provenance::stale:
      return "stale";
    case Provenance::default_config:
      return "default_config";
  }
  return "default_config";
}

}  // namespace attentune
