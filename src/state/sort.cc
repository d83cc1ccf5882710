#include "state/sort.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace leat {
namespace {

// Eight bytes of a key after what all keys have in common, and which pair it is.
struct Item {
  uint64_t prefix;
  uint32_t pair;
};

constexpr size_t kRadixMin = 2048;
constexpr int kPartBits = 15;  // a part has about 2^15 pairs
constexpr size_t kSplitMin = size_t{1} << 18;

size_t CommonPrefix(const Strings& keys) {
  std::string_view common = keys[0];
  for (int64_t i = 1; i < keys.size() && !common.empty(); ++i) {
    const std::string_view key = keys[i];
    size_t length = std::min(common.size(), key.size());
    if (std::memcmp(common.data(), key.data(), length) != 0) {
      length = static_cast<size_t>(
          std::mismatch(common.begin(), common.begin() + static_cast<std::ptrdiff_t>(length),
                        key.begin())
              .first -
          common.begin());
    }
    common = common.substr(0, length);
  }
  return common.size();
}

uint64_t PrefixAt(std::string_view key, size_t skip) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, key.data() + skip, std::min<size_t>(8, key.size() - skip));
  return __builtin_bswap64(prefix);
}

bool ByPrefix(const Item& a, const Item& b) { return a.prefix < b.prefix; }

// Least significant byte first; bytes that are the same everywhere cost nothing.
void RadixSort(std::vector<Item>* items) {
  std::array<std::array<uint32_t, 256>, 8> counts = {};
  for (const Item& item : *items) {
    for (size_t byte = 0; byte < 8; ++byte) ++counts[byte][(item.prefix >> (8 * byte)) & 255];
  }
  std::vector<Item> other(items->size());
  for (size_t byte = 0; byte < 8; ++byte) {
    auto& count = counts[byte];
    if (std::any_of(count.begin(), count.end(), [&](uint32_t n) { return n == items->size(); })) {
      continue;
    }
    uint32_t at = 0;
    for (uint32_t& n : count) at += std::exchange(n, at);
    for (const Item& item : *items) other[count[(item.prefix >> (8 * byte)) & 255]++] = item;
    items->swap(other);
  }
}

// Whether eight bytes after the common ones are all of every key.
bool PrefixIsAll(const Strings& keys, size_t skip) {
  const size_t size = keys[0].size();
  for (int64_t i = 1; i < keys.size(); ++i) {
    if (keys[i].size() != size) return false;
  }
  return size - skip <= 8;
}

// Puts items of equal prefix in order by the whole strings.
void SortTies(const Strings& keys, const Strings& values, size_t skip, std::vector<Item>* items) {
  const bool equal_keys = PrefixIsAll(keys, skip);  // those of equal prefixes
  const auto less = [&](const Item& a, const Item& b) {
    const int by_key = equal_keys ? 0 : keys[a.pair].compare(keys[b.pair]);
    if (by_key != 0) return by_key < 0;
    return values[a.pair] < values[b.pair];
  };
  for (auto begin = items->begin(); begin != items->end();) {
    const auto end = std::find_if(begin, items->end(),
                                  [&](const Item& item) { return item.prefix != begin->prefix; });
    if (end - begin > 1 && !std::is_sorted(begin, end, less)) std::sort(begin, end, less);
    begin = end;
  }
}

}  // namespace

std::vector<uint32_t> SortedOrder(const Strings& keys, const Strings& values) {
  const auto count = static_cast<size_t>(keys.size());
  std::vector<uint32_t> order(count);
  if (count == 0) return order;
  const size_t skip = CommonPrefix(keys);
  std::vector<Item> items(count);
  for (size_t i = 0; i < count; ++i) {
    items[i] = {PrefixAt(keys[static_cast<int64_t>(i)], skip), static_cast<uint32_t>(i)};
  }
  if (!std::is_sorted(items.begin(), items.end(), ByPrefix)) {
    if (count < kRadixMin) {
      std::sort(items.begin(), items.end(), ByPrefix);
    } else {
      RadixSort(&items);
    }
  }
  SortTies(keys, values, skip, &items);
  for (size_t i = 0; i < count; ++i) order[i] = items[i].pair;
  return order;
}

std::vector<Pairs> SplitByKey(const Strings& keys, const Strings& values,
                              const std::vector<int64_t>& weights) {
  const auto count = static_cast<size_t>(keys.size());
  if (count < kSplitMin) return {};
  const size_t skip = CommonPrefix(keys);
  std::vector<uint64_t> prefixes(count);
  for (size_t i = 0; i < count; ++i) prefixes[i] = PrefixAt(keys[static_cast<int64_t>(i)], skip);
  if (std::is_sorted(prefixes.begin(), prefixes.end())) return {};
  const auto [least, most] = std::minmax_element(prefixes.begin(), prefixes.end());
  const uint64_t base = *least, span = *most - *least;
  const int bits = static_cast<int>(std::bit_width(count >> kPartBits));
  const int shift = std::max(0, static_cast<int>(std::bit_width(span)) - bits);

  struct Sizes {
    size_t pairs = 0, key_bytes = 0, value_bytes = 0;
  };
  std::vector<Sizes> sizes((span >> shift) + 1);
  for (size_t i = 0; i < count; ++i) {
    Sizes& part = sizes[(prefixes[i] - base) >> shift];
    part.pairs += 1;
    part.key_bytes += keys.offsets[i + 1] - keys.offsets[i];
    part.value_bytes += values.offsets[i + 1] - values.offsets[i];
  }
  std::vector<Pairs> parts(sizes.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i].keys.bytes.reserve(sizes[i].key_bytes);
    parts[i].keys.offsets.reserve(sizes[i].pairs + 1);
    parts[i].values.bytes.reserve(sizes[i].value_bytes);
    parts[i].values.offsets.reserve(sizes[i].pairs + 1);
    parts[i].weights.reserve(sizes[i].pairs);
  }
  for (size_t i = 0; i < count; ++i) {
    Pairs& part = parts[(prefixes[i] - base) >> shift];
    part.keys.Append(keys[static_cast<int64_t>(i)]);
    part.values.Append(values[static_cast<int64_t>(i)]);
    part.weights.push_back(weights[i]);
  }
  return parts;
}

}  // namespace leat
