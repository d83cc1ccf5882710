// Nexmark's events. Numbers, names and distributions are those of the generator that Apache Beam
// has and Flink's Nexmark took over (GeneratorConfig, PersonGenerator, AuctionGenerator,
// BidGenerator), with one difference: every event has randomness of its own, so that any of them
// can be made alone.
#include <arrow/builder.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "connect/datagen/maker.h"
#include "connect/options.h"

namespace leat {
namespace {

constexpr int64_t kEvents = 50, kPersons = 1, kAuctions = 3, kBids = 46;
constexpr int64_t kFirstPerson = 1000, kFirstAuction = 1000, kFirstCategory = 10;
constexpr int64_t kCategories = 5;
constexpr int64_t kInFlight = 100;  // auctions that get bids at a time
constexpr int64_t kActive = 1000;   // persons that do something at a time
constexpr int64_t kLead = 10;       // ids may be used so long before they are there
constexpr int64_t kHotEvery = 100;  // the hot ones are multiples of it
constexpr uint64_t kHotAuction = 2, kHotSeller = 4, kHotBidder = 4, kHotChannel = 2;
constexpr int64_t kChannels = 10'000;
constexpr uint64_t kLateEvents = 7;

constexpr std::array kFirstNames = {"Peter", "Paul",  "Luke",  "John",   "Saul",  "Vicky",
                                    "Kate",  "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array kLastNames = {"Shultz", "Abrams", "Spencer", "White", "Bartels",
                                   "Walton", "Smith",  "Jones",   "Noris"};
constexpr std::array kStates = {"AZ", "CA", "ID", "OR", "WA", "WY"};
constexpr std::array kCities = {"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
                                "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
constexpr std::array kHotChannels = {"Google", "Facebook", "Baidu", "Apple"};

template <size_t n>
std::string_view OneOf(const std::array<const char*, n>& from, Random* random) {
  return from[random->Below(n)];
}

int64_t Below(Random* random, int64_t end) {
  return static_cast<int64_t>(random->Below(static_cast<uint64_t>(end)));
}

// The last person and auction that were there at an event, counted from 0.
int64_t LastPerson(int64_t event) { return event / kEvents; }
int64_t LastAuction(int64_t event) {
  const int64_t group = event / kEvents, place = event % kEvents;
  if (place < kPersons) return group * kAuctions - 1;
  return group * kAuctions + std::min(place - kPersons, kAuctions - 1);
}

int64_t SomePerson(int64_t event, Random* random) {
  const int64_t people = LastPerson(event) + 1;
  const int64_t active = std::min(people, kActive);
  return people - active + Below(random, active + kLead);
}

int64_t SomeAuction(int64_t event, Random* random) {
  const int64_t last = std::max<int64_t>(LastAuction(event), 0);
  const int64_t least = std::max<int64_t>(last - kInFlight, 0);
  return least + Below(random, last - least + 1 + kLead);
}

int64_t Price(Random* random) { return std::llround(std::pow(10.0, random->Unit() * 6) * 100); }

// Letters and a blank now and then, 3 to `most` of them.
void AppendLetters(int64_t most, Random* random, std::string* out) {
  for (int64_t left = 3 + Below(random, most - 3); left > 0; --left) {
    const uint64_t pick = random->Below(13 * 26);
    out->push_back(pick < 26 ? ' ' : static_cast<char>('a' + pick % 26));
  }
}

void AppendExact(int64_t length, Random* random, std::string* out) {
  for (; length > 0; --length) out->push_back(static_cast<char>('a' + random->Below(26)));
}

// Fills up to the average size that the generator aims at: a fifth more or less.
std::string Extra(int64_t size, int64_t aim, Random* random) {
  std::string text;
  if (size >= aim) return text;
  const int64_t missing = aim - size, spread = missing / 5;
  AppendExact(missing - spread + Below(random, 2 * spread + 1), random, &text);
  return text;
}

struct Columns {
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;

  void Int(size_t c, int64_t value) {
    static_cast<arrow::Int64Builder&>(*builders[c]).UnsafeAppend(value);
  }
  void Time(size_t c, int64_t value) {
    static_cast<arrow::TimestampBuilder&>(*builders[c]).UnsafeAppend(value);
  }
  Status Text(size_t c, std::string_view value) {
    return static_cast<arrow::StringBuilder&>(*builders[c]).Append(value);
  }
};

class NexmarkMaker : public RowMaker {
 public:
  explicit NexmarkMaker(const NexmarkSpec& spec, Schema schema)
      : spec_(spec), schema_(std::move(schema)) {
    if (spec_.entity == "person") {
      first_ = 0;
      of_ = kPersons;
    } else if (spec_.entity == "auction") {
      first_ = kPersons;
      of_ = kAuctions;
    } else {
      first_ = kPersons + kAuctions;
      of_ = kBids;
    }
  }

  int64_t RowsIn(int64_t events) const override {
    return events / kEvents * of_ + std::clamp<int64_t>(events % kEvents - first_, 0, of_);
  }

  Result<Batch> Make(int64_t first, int64_t rows) const override {
    Columns columns;
    for (const Column& column : schema_.columns) {
      columns.builders.emplace_back();
      LEAT_RETURN(arrow::MakeBuilder(arrow::default_memory_pool(), ArrowType(column.type),
                                     &columns.builders.back()));
      LEAT_RETURN(columns.builders.back()->Reserve(rows));
    }
    for (int64_t row = first; row < first + rows; ++row) {
      const int64_t event = row / of_ * kEvents + first_ + row % of_;
      Random random = RandomOf(spec_.seed, 1, event);
      if (first_ == 0) {
        LEAT_RETURN(Person(event, &random, &columns));
      } else if (first_ == kPersons) {
        LEAT_RETURN(Auction(event, &random, &columns));
      } else {
        LEAT_RETURN(Bid(event, &random, &columns));
      }
    }
    Batch batch{.rows = rows};
    for (auto& builder : columns.builders) {
      LEAT_ASSIGN(auto column, builder->Finish());
      batch.columns.push_back(std::move(column));
    }
    return batch;
  }

 private:
  int64_t TimeOf(int64_t event) const {
    return spec_.start +
           static_cast<int64_t>(static_cast<__int128>(event) * 1'000'000 / spec_.events_per_second);
  }
  // As the row says it: late ones say what was before.
  int64_t SaidTimeOf(int64_t event) const {
    if (spec_.late.share == 0) return TimeOf(event);
    Random random = RandomOf(spec_.seed, kLateEvents, event);
    if (random.Unit() >= spec_.late.share) return TimeOf(event);
    return TimeOf(event) - Below(&random, spec_.late.by + 1);
  }

  Status Person(int64_t event, Random* random, Columns* to) const {
    to->Int(0, kFirstPerson + LastPerson(event));
    std::string name(OneOf(kFirstNames, random));
    name += " ";
    name += OneOf(kLastNames, random);
    std::string email;
    AppendLetters(7, random, &email);
    email += "@";
    AppendLetters(5, random, &email);
    email += ".com";
    std::string card;
    for (int i = 0; i < 4; ++i) card += fmt::format("{}{:04}", i ? " " : "", random->Below(10'000));
    const std::string_view city = OneOf(kCities, random), state = OneOf(kStates, random);
    LEAT_RETURN(to->Text(1, name));
    LEAT_RETURN(to->Text(2, email));
    LEAT_RETURN(to->Text(3, card));
    LEAT_RETURN(to->Text(4, city));
    LEAT_RETURN(to->Text(5, state));
    to->Time(6, SaidTimeOf(event));
    const size_t size =
        8 + name.size() + email.size() + card.size() + city.size() + state.size() + 8;
    return to->Text(7, Extra(static_cast<int64_t>(size), 200, random));
  }

  Status Auction(int64_t event, Random* random, Columns* to) const {
    to->Int(0, kFirstAuction + LastAuction(event));
    std::string item, description;
    AppendLetters(20, random, &item);
    AppendLetters(100, random, &description);
    const int64_t initial = Price(random);
    const int64_t reserve = initial + Price(random);
    const int64_t said = SaidTimeOf(event);
    // Open for as long as about so many auctions are in flight.
    const int64_t horizon =
        (TimeOf(event + kInFlight * kEvents / kAuctions) - TimeOf(event)) / 1000;
    const int64_t open = 1 + Below(random, std::max<int64_t>(horizon * 2, 1));
    const bool hot = random->Below(kHotSeller) > 0;
    const int64_t seller =
        hot ? LastPerson(event) / kHotEvery * kHotEvery : SomePerson(event, random);
    LEAT_RETURN(to->Text(1, item));
    LEAT_RETURN(to->Text(2, description));
    to->Int(3, initial);
    to->Int(4, reserve);
    to->Time(5, said);
    to->Time(6, said + open * 1000);
    to->Int(7, kFirstPerson + seller);
    to->Int(8, kFirstCategory + Below(random, kCategories));
    const auto size = static_cast<int64_t>(8 + item.size() + description.size() + 8 * 6);
    return to->Text(9, Extra(size, 500, random));
  }

  Status Bid(int64_t event, Random* random, Columns* to) const {
    const bool hot = random->Below(kHotAuction) > 0;
    const int64_t last = std::max<int64_t>(LastAuction(event), 0);
    const int64_t auction = hot ? last / kHotEvery * kHotEvery : SomeAuction(event, random);
    const bool hot_bidder = random->Below(kHotBidder) > 0;
    const int64_t bidder =
        hot_bidder ? LastPerson(event) / kHotEvery * kHotEvery + 1 : SomePerson(event, random);
    const int64_t price = Price(random);
    std::string channel, url = "https://www.nexmark.com/";
    if (random->Below(kHotChannel) > 0) {
      const size_t number = random->Below(kHotChannels.size());
      channel = kHotChannels[number];
      AppendPath(RandomOf(spec_.seed, 2, static_cast<int64_t>(number)), &url);
      url += "/item.htm?query=1";
    } else {
      const int64_t number = Below(random, kChannels);
      channel = fmt::format("channel-{}", number);
      AppendPath(RandomOf(spec_.seed, 3, number), &url);
      url += "/item.htm?query=1";
      // One of ten has no number to be found by.
      if (RandomOf(spec_.seed, 4, number).Below(10) > 0) {
        url += fmt::format("&channel_id={}", RandomOf(spec_.seed, 5, number).Below(1u << 31));
      }
    }
    to->Int(0, kFirstAuction + auction);
    to->Int(1, kFirstPerson + bidder);
    to->Int(2, price);
    LEAT_RETURN(to->Text(3, channel));
    LEAT_RETURN(to->Text(4, url));
    to->Time(5, SaidTimeOf(event));
    return to->Text(6, Extra(8 + 8 + 8 + 8, 100, random));
  }

  static void AppendPath(Random random, std::string* out) {
    for (int i = 0; i < 3; ++i) {
      if (i > 0) out->push_back('/');
      const auto begin = out->size();
      AppendExact(5, &random, out);
      for (size_t at = begin; at < out->size(); ++at) {
        if (random.OneIn(13)) (*out)[at] = '_';
      }
    }
  }

  const NexmarkSpec spec_;
  const Schema schema_;
  int64_t first_ = 0, of_ = 1;  // of 50 events: from which on, and how many, are ours
};

}  // namespace

Result<Schema> NexmarkColumns(const std::string& entity) {
  const Type number(TypeId::kInt8), text(TypeId::kText), time(TypeId::kTimestamp);
  if (entity == "person") {
    return Schema{{{"id", number},
                   {"name", text},
                   {"email_address", text},
                   {"credit_card", text},
                   {"city", text},
                   {"state", text},
                   {"date_time", time},
                   {"extra", text}}};
  }
  if (entity == "auction") {
    return Schema{{{"id", number},
                   {"item_name", text},
                   {"description", text},
                   {"initial_bid", number},
                   {"reserve", number},
                   {"date_time", time},
                   {"expires", time},
                   {"seller", number},
                   {"category", number},
                   {"extra", text}}};
  }
  if (entity == "bid") {
    return Schema{{{"auction", number},
                   {"bidder", number},
                   {"price", number},
                   {"channel", text},
                   {"url", text},
                   {"date_time", time},
                   {"extra", text}}};
  }
  return InvalidValue("entity", entity, "Nexmark has \"person\", \"auction\" and \"bid\".");
}

Result<std::unique_ptr<RowMaker>> MakeNexmarkMaker(const NexmarkSpec& spec) {
  LEAT_ASSIGN(Schema schema, NexmarkColumns(spec.entity));
  return std::make_unique<NexmarkMaker>(spec, std::move(schema));
}

}  // namespace leat
