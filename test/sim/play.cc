#include "test/sim/play.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "run/machine.h"
#include "test/sim/judge.h"
#include "test/sim/scenario.h"

namespace leat::sim {
namespace {

constexpr const char* kStateDir = "/var/leat/state";
// A life that does not end by itself: it is told to.
constexpr int64_t kSleepsMax = 200;
// Whoever asks for the time so often while none passes, and does nothing else, spins.
constexpr int64_t kAskedMax = 1'000'000;

// Frames of the log: length, checksum and payload, which begins with the epoch's number and clock.
void OneHourLater(const std::string& state, std::string* log) {
  constexpr size_t kHeader = 16;
  const uint64_t seed = XXH3_64bits(state.data(), state.size());
  for (size_t at = 0; at + kHeader < log->size();) {
    uint64_t size = 0;
    std::memcpy(&size, log->data() + at, sizeof(size));
    char* payload = log->data() + at + kHeader;
    if (size < kHeader || size > log->size() - at - kHeader) return;
    Micros clock = 0;
    std::memcpy(&clock, payload + sizeof(clock), sizeof(clock));
    clock += 3'600'000'000;
    std::memcpy(payload + sizeof(clock), &clock, sizeof(clock));
    const uint64_t checksum = XXH3_64bits_withSeed(payload, size, seed);
    std::memcpy(log->data() + at + sizeof(size), &checksum, sizeof(checksum));
    at += kHeader + size;
  }
}

// Plays one seed. What the engine would have threads and time for is decided here.
class Player : public Schedule {
 public:
  Player(uint64_t seed, const PlayOptions& options)
      : options_(options), random_(seed), world_(random_.Fork()()), disk_(&world_) {
    if (options.trace) world_.KeepTrace();
    DiskLies lies = options.canary.disk;
    if (options.canary.replays_by_another_clock) {
      lies.misread = [this](const std::string& path, std::string* bytes) {
        if (path.find("/log") != path.npos) OneHourLater(judge_->state(), bytes);
      };
    }
    disk_.Lie(std::move(lies));
  }

  Outcome Play() {
    const Status status = Prepare();
    if (!status.ok()) {
      outcome_.complaint = fmt::format("the pipeline: {}", FormatError(status, scenario_.sql));
      return Result();
    }
    const auto lives =
        static_cast<int64_t>(random_.Below(static_cast<uint64_t>(options_.lives_max) + 1));
    for (int64_t life = 0; life < lives && judge_->complaint().empty(); ++life) Live(DrawLuck());
    for (Upstream& upstream : scenario_.upstreams) upstream.ReleaseAll();
    last_ = true;
    if (judge_->complaint().empty()) Live({});
    if (judge_->complaint().empty()) judge_->CheckComplete(&disk_);
    return Result();
  }

  // --- Schedule ---

  int64_t Pick(int64_t choices) override {
    return static_cast<int64_t>(random_.Below(static_cast<uint64_t>(choices)));
  }
  Micros Now() const override {
    NoticeSpinning();
    return world_.elapsed();
  }
  void Sleep(Micros until) override {
    ++sleeps_;
    const Micros now = Now();
    Micros time = until == kNever ? 0 : std::max<Micros>(until - now, 0);
    time = 1 + std::min<Micros>(time, 3'600'000'000);
    world_.Pass(time);
    world_.Say([&] { return fmt::format("... {} us", time); });
    if (!last_ && random_.OneIn(2)) Release();
    const bool nothing_comes = AllReleased() && until == kNever;
    if (world_.dead() || sleeps_ > kSleepsMax || (nothing_comes && random_.OneIn(2))) stop_ = true;
  }

 private:
  // Whatever is done takes time, and so does sleep.
  void NoticeSpinning() const {
    if (world_.elapsed() != asked_at_) asked_ = 0;
    asked_at_ = world_.elapsed();
    if (++asked_ != kAskedMax) return;
    judge_->Complain("the engine spins: it neither works nor sleeps");
    stop_ = true;
  }

  Status Prepare() {
    scenario_ = DrawScenario(&random_);
    outcome_.sql = scenario_.sql;
    LEAT_ASSIGN(pipeline_, LoadText(scenario_.sql));
    LEAT_ASSIGN(reference_, LoadText(scenario_.reference_sql));
    judge_ =
        std::make_unique<Judge>(&pipeline_, &reference_, &disk_, &scenario_.upstreams, kStateDir);
    watch_ = {.before_commit = [&](const auto& sink,
                                   int64_t epoch) { judge_->BeforeCommit(sink, epoch); },
              .after_commit =
                  [&](const auto& sink, int64_t) {
                    if (random_.OneIn(6)) judge_->CheckTarget(sink, targets_[sink]);
                  },
              .complain = [&](const std::string& what) { judge_->Complain(what); }};
    disk_.BeforeLoss([&](const std::string& path) { judge_->BeforeLoss(path); });
    Release();
    return Status::OK();
  }

  bool AllReleased() const {
    return std::all_of(scenario_.upstreams.begin(), scenario_.upstreams.end(),
                       [](const Upstream& upstream) { return upstream.released(); });
  }
  void Release() {
    for (Upstream& upstream : scenario_.upstreams) upstream.Release(&random_);
  }

  Luck DrawLuck() {
    Luck luck;
    if (!random_.OneIn(4)) {
      luck.crash_after = static_cast<int64_t>(random_.Below(uint64_t{8} << random_.Below(8)));
    }
    for (double& chance : luck.fails) {
      if (random_.OneIn(5)) chance = random_.Unit() * 0.1;
    }
    return luck;
  }

  void Live(const Luck& luck) {
    ++outcome_.lives;
    stop_ = false;
    sleeps_ = 0;
    RunOptions options = scenario_.options;
    options.follow = !last_ && random_.OneIn(2);
    options.degraded_max = last_ || random_.OneIn(2)
                               ? std::chrono::milliseconds(0)
                               : std::chrono::milliseconds(random_.Below(60'000));
    world_.Begin(luck);
    world_.Say([&] {
      return fmt::format("=== life {}{}{}", outcome_.lives, options.follow ? ", following" : "",
                         last_ ? ", the last" : "");
    });
    const RunContext context = MakeContext();
    const auto report = RunPipeline(pipeline_, options, context);
    world_.Say([&] { return fmt::format("--- {}", report.status().ToString()); });
    outcome_.failures += world_.failures();
    if (!report.ok() && !world_.dead() && world_.failures() == 0) {
      judge_->Complain(
          fmt::format("a run failed though nothing did: {}", FormatError(report.status(), "")));
    }
    if (world_.dead()) End();
    world_.Begin({});  // whoever looks disturbs nothing
    for (const auto& [name, target] : targets_) judge_->CheckTarget(name, target);
    if (report.ok()) judge_->CheckState(&disk_);
    world_.Pass(static_cast<Micros>(random_.Below(10'000'000)));
    if (random_.OneIn(2)) Release();
  }

  // The process is gone; the disk too, unless it was but killed.
  void End() {
    const bool killed = random_.OneIn(2);
    ++(killed ? outcome_.kills : outcome_.crashes);
    if (!killed) disk_.Crash();
    world_.Say([&] { return killed ? "*** it was a kill" : "*** it was a power cut"; });
  }

  RunContext MakeContext() {
    RunContext context{.files = &disk_,
                       .clock = &world_,
                       .random = [this] { return random_(); },
                       .state_dir = kStateDir,
                       .stop = &stop_};
    context.schedule = this;
    context.make_source = [this](const Server&, const Relation& relation) {
      return MakeSourceOf(relation);
    };
    context.make_sink = [this](const SinkSpec& spec) -> leat::Result<std::unique_ptr<Sink>> {
      return MakeSimSink(&world_, &targets_[spec.name], &watch_, spec, options_.canary.sink);
    };
    return context;
  }

  leat::Result<std::unique_ptr<Source>> MakeSourceOf(const Relation& relation) {
    for (const Upstream& upstream : scenario_.upstreams) {
      if (upstream.name() == relation.name) {
        return MakeSimSource(&world_, &upstream, relation, scenario_.poll_rows_max,
                             options_.canary.source);
      }
    }
    return IOErrorF("there is no \"{}\"", relation.name);
  }

  Outcome Result() {
    if (judge_) {
      if (outcome_.complaint.empty()) outcome_.complaint = judge_->complaint();
      outcome_.checks = judge_->checks();
    }
    for (const Upstream& upstream : scenario_.upstreams) outcome_.rows += upstream.rows();
    for (const auto& [name, target] : targets_) outcome_.commits += target.commits;
    outcome_.trace = world_.trace();
    return std::move(outcome_);
  }

  const PlayOptions options_;
  Random random_;
  World world_;
  Disk disk_;
  Scenario scenario_;
  Pipeline pipeline_, reference_;
  std::unique_ptr<Judge> judge_;
  SinkWatch watch_;
  std::map<std::string, Target> targets_;
  mutable std::atomic<bool> stop_ = false;
  mutable Micros asked_at_ = 0;  // when the time was last asked for,
  mutable int64_t asked_ = 0;    // … and how often since it last passed
  bool last_ = false;
  int64_t sleeps_ = 0;
  Outcome outcome_;
};

}  // namespace

Outcome Play(uint64_t seed, const PlayOptions& options) { return Player(seed, options).Play(); }

}  // namespace leat::sim
