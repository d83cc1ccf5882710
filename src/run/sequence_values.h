// Where the sequences of a session stand. Numbers are drawn one by one and never given back, not by
// ROLLBACK either, as PostgreSQL's are.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "func/evaluate.h"

namespace leat {

// Used by one thread at a time.
class SequenceValues final : public Sequences {
 public:
  explicit SequenceValues(const Catalog* catalog) : catalog_(*catalog) {}

  Result<int64_t> Next(std::string_view name) override;
  Result<int64_t> Current(std::string_view name) const override;
  Result<int64_t> Last() const override;
  Status Set(std::string_view name, int64_t value, bool called) override;

  // RESTART: what comes next. REQUIRES: within the sequence's bounds.
  void Restart(const std::string& name, int64_t value);
  void Forget(const std::string& name);

 private:
  struct State {
    int64_t value = 0;
    bool called = false;           // `value` was given; else it comes next
    std::optional<int64_t> drawn;  // what nextval or setval gave last
  };
  // The sequence that nextval's argument names: as an identifier is written, perhaps with a schema.
  Result<const SequenceSpec*> Find(std::string_view written) const;
  State& StateOf(const SequenceSpec& sequence);

  const Catalog& catalog_;  // borrowed
  std::map<std::string, State> states_;
  std::string last_;  // the sequence that was drawn from last
};

}  // namespace leat
