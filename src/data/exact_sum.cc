#include "data/exact_sum.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace leat {

// A two's complement integer in units of 2^-1074, the least double: 2098 bits for the greatest
// double, 63 for as many of them, a sign.
struct ExactSum::Wide {
  static constexpr size_t kWords = 35;
  std::array<uint64_t, kWords> words{};  // least first

  // Adds value * 2^shift units.
  void Add(__int128 value, size_t shift) {
    const size_t bit = shift % 64;
    const uint64_t fill = value < 0 ? ~uint64_t{0} : 0;
    const auto bits = static_cast<unsigned __int128>(value);
    const std::array<uint64_t, 3> parts = {
        static_cast<uint64_t>(bits << bit),
        bit == 0 ? static_cast<uint64_t>(bits >> 64) : static_cast<uint64_t>(value >> (64 - bit)),
        bit == 0 ? fill : static_cast<uint64_t>(value >> 64 >> (64 - bit))};
    uint64_t carry = 0;
    for (size_t i = shift / 64, k = 0; i < kWords; ++i, ++k) {
      if (k >= parts.size() && carry == (fill & 1)) return;  // nothing moves further up
      const auto sum =
          static_cast<unsigned __int128>(words[i]) + (k < parts.size() ? parts[k] : fill) + carry;
      words[i] = static_cast<uint64_t>(sum);
      carry = static_cast<uint64_t>(sum >> 64);
    }
  }

  // Adds a finite double `weight` times.
  void Add(double x, int64_t weight) {
    const auto bits = std::bit_cast<uint64_t>(x);
    const auto exponent = static_cast<size_t>(bits >> 52 & 0x7FF);
    const uint64_t fraction = bits & ((uint64_t{1} << 52) - 1);
    const auto mantissa =
        static_cast<__int128>(exponent == 0 ? fraction : fraction | uint64_t{1} << 52);
    Add((bits >> 63 != 0 ? -mantissa : mantissa) * weight, exponent == 0 ? 0 : exponent - 1);
  }

  void Add(const Wide& other) {
    uint64_t carry = 0;
    for (size_t i = 0; i < kWords; ++i) {
      const auto sum = static_cast<unsigned __int128>(words[i]) + other.words[i] + carry;
      words[i] = static_cast<uint64_t>(sum);
      carry = static_cast<uint64_t>(sum >> 64);
    }
  }

  bool negative() const { return words.back() >> 63 != 0; }

  // The nearest double, ties to even; an infinity beyond the range.
  double Nearest() const {
    Wide magnitude = *this;
    if (negative()) {
      for (uint64_t& word : magnitude.words) word = ~word;
      magnitude.Add(__int128{1}, 0);
    }
    size_t top = kWords;
    while (top > 0 && magnitude.words[top - 1] == 0) --top;
    if (top == 0) return 0;
    const size_t bits = top * 64 - static_cast<size_t>(std::countl_zero(magnitude.words[top - 1]));
    const size_t shift = bits > 53 ? bits - 53 : 0;
    uint64_t mantissa = magnitude.Bits(shift);
    if (shift > 0 && magnitude.Bit(shift - 1) &&
        ((mantissa & 1) != 0 || magnitude.AnyBelow(shift - 1))) {
      ++mantissa;
    }
    const double value = std::ldexp(static_cast<double>(mantissa), static_cast<int>(shift) - 1074);
    return negative() ? -value : value;
  }

 private:
  bool Bit(size_t at) const { return (words[at / 64] >> (at % 64) & 1) != 0; }

  // 53 bits from `at` on.
  uint64_t Bits(size_t at) const {
    uint64_t value = words[at / 64] >> (at % 64);
    if (at % 64 != 0 && at / 64 + 1 < kWords) value |= words[at / 64 + 1] << (64 - at % 64);
    return value & ((uint64_t{1} << 53) - 1);
  }

  bool AnyBelow(size_t end) const {
    for (size_t i = 0; i < end / 64; ++i) {
      if (words[i] != 0) return true;
    }
    return end % 64 != 0 && words[end / 64] << (64 - end % 64) != 0;
  }
};

void ExactSum::WideDeleter::operator()(Wide* wide) const { delete wide; }

ExactSum::Wide* ExactSum::Widen() {
  if (wide_ == nullptr) {
    wide_.reset(std::make_unique<Wide>().release());
    wide_->Add(parts_[0], 1);
    wide_->Add(parts_[1], 1);
    parts_[0] = parts_[1] = 0;
  }
  return wide_.get();
}

void ExactSum::AddSpecial(double x, int64_t weight) {
  if (specials_ == nullptr) specials_ = std::make_unique<Specials>();
  if (std::isnan(x)) {
    specials_->nans += weight;
  } else {
    (x > 0 ? specials_->infinities : specials_->negative_infinities) += weight;
  }
  if (specials_->nans == 0 && specials_->infinities == 0 && specials_->negative_infinities == 0) {
    specials_.reset();
  }
}

void ExactSum::AddSlowly(double x, int64_t weight) {
  if (std::isfinite(x)) {
    Widen()->Add(x, weight);
  } else {
    AddSpecial(x, weight);
  }
}

void ExactSum::Add(double x, int64_t weight) {
  if (weight == 1) {
    Add(x);
  } else if (weight == -1) {
    // An infinity or NaN is taken back, not added with the other sign.
    if (std::isfinite(x)) {
      Add(-x);
    } else {
      AddSpecial(x, -1);
    }
  } else if (weight != 0) {
    // Exact as two doubles, unless the weight has more bits than one or the product leaves the
    // range.
    constexpr int64_t kExact = int64_t{1} << 53;
    const double product = x * static_cast<double>(weight);
    if (weight > -kExact && weight < kExact && std::fabs(product) < 1e300 &&
        (std::fabs(product) > 1e-200 || x == 0)) {
      Add(product);
      Add(std::fma(x, static_cast<double>(weight), -product));
    } else {
      AddSlowly(x, weight);
    }
  }
}

void ExactSum::Merge(const ExactSum& other) {
  if (other.wide_ != nullptr) {
    Widen()->Add(*other.wide_);
  } else {
    Add(other.parts_[0]);
    Add(other.parts_[1]);
  }
  if (other.specials_ == nullptr) return;
  const Specials specials = *other.specials_;
  if (specials.nans != 0) AddSpecial(std::nan(""), specials.nans);
  if (specials.infinities != 0) AddSpecial(HUGE_VAL, specials.infinities);
  if (specials.negative_infinities != 0) AddSpecial(-HUGE_VAL, specials.negative_infinities);
}

double ExactSum::Value() const {
  if (specials_ != nullptr) {
    if (specials_->nans != 0 ||
        (specials_->infinities != 0 && specials_->negative_infinities != 0)) {
      return std::nan("");
    }
    return specials_->infinities != 0 ? HUGE_VAL : -HUGE_VAL;
  }
  return wide_ == nullptr ? parts_[0] : wide_->Nearest();
}

void ExactSum::GetUnits(mpz_ptr out) const {
  Wide units = wide_ != nullptr ? *wide_ : Wide{};
  if (wide_ == nullptr) {
    units.Add(parts_[0], 1);
    units.Add(parts_[1], 1);
  }
  const bool negative = units.negative();
  if (negative) {
    for (uint64_t& word : units.words) word = ~word;
    units.Add(__int128{1}, 0);
  }
  mpz_import(out, units.words.size(), -1, sizeof(uint64_t), 0, 0, units.words.data());
  if (negative) mpz_neg(out, out);
}

int64_t ExactSum::memory() const {
  return (wide_ != nullptr ? static_cast<int64_t>(sizeof(Wide)) : 0) +
         (specials_ != nullptr ? static_cast<int64_t>(sizeof(Specials)) : 0);
}

namespace {

// Saved form: a byte of flags; the sum as a count and that many doubles, each the nearest to what
// the ones before it leave (so that the same sum has the same bytes), or as the wide integer where
// the sum is beyond the range of doubles; the counts of specials.
constexpr uint8_t kWideFlag = 0x40, kSpecialsFlag = 0x80, kCountMask = 0x3F;

template <typename T>
void SaveRaw(const T& value, std::string* out) {
  std::array<char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(T));
  out->append(bytes.data(), bytes.size());
}

template <typename T>
bool LoadRaw(std::string_view* bytes, T* value) {
  if (bytes->size() < sizeof(T)) return false;
  std::memcpy(value, bytes->data(), sizeof(T));
  bytes->remove_prefix(sizeof(T));
  return true;
}

}  // namespace

void ExactSum::Save(std::string* out) const {
  std::string doubles;
  uint8_t flags = 0;
  Wide rest = wide_ != nullptr ? *wide_ : Wide{};
  if (wide_ == nullptr) {
    for (const double part : parts_) {
      if (part == 0) continue;
      SaveRaw(part, &doubles);
      ++flags;
    }
  } else if (std::isfinite(rest.Nearest())) {
    for (double next = rest.Nearest(); next != 0; next = rest.Nearest(), ++flags) {
      SaveRaw(next, &doubles);
      rest.Add(next, -1);
    }
  } else {
    flags = kWideFlag;
    SaveRaw(rest.words, &doubles);
  }
  if (specials_ != nullptr) flags |= kSpecialsFlag;
  out->push_back(static_cast<char>(flags));
  out->append(doubles);
  if (specials_ != nullptr) SaveRaw(*specials_, out);
}

Status ExactSum::Load(std::string_view* bytes) {
  *this = ExactSum();
  const auto damaged = [] { return Status::IOError("saved sum is damaged"); };
  uint8_t flags;
  if (!LoadRaw(bytes, &flags)) return damaged();
  if ((flags & kWideFlag) != 0) {
    if (!LoadRaw(bytes, &Widen()->words)) return damaged();
  } else {
    for (int i = 0; i < (flags & kCountMask); ++i) {
      double part;
      if (!LoadRaw(bytes, &part) || !std::isfinite(part)) return damaged();
      Add(part);
    }
  }
  if ((flags & kSpecialsFlag) != 0) {
    specials_ = std::make_unique<Specials>();
    if (!LoadRaw(bytes, specials_.get())) return damaged();
  }
  return Status::OK();
}

}  // namespace leat
