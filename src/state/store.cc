#include "state/store.h"

namespace leat {

Result<std::string> StateWriter::PutFilePieces(const std::vector<std::string_view>& pieces) {
  std::string whole;
  for (const std::string_view piece : pieces) whole += piece;
  return PutFile(whole);
}

}  // namespace leat
