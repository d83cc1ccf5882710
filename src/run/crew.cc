#include "run/crew.h"

#include <algorithm>

namespace leat {
namespace {

// A signal cannot ring: how late `stopping` is seen at most.
constexpr Micros kLookForStop = 50'000;

using SteadyClock = std::chrono::steady_clock;

SteadyClock::time_point PointOf(Micros at) {
  return SteadyClock::time_point(std::chrono::microseconds(at));
}

// A wait that ends at `at`, or is woken.
void WaitFor(std::condition_variable* changed, std::unique_lock<std::mutex>* lock, Micros at) {
  if (at == kNever)
    changed->wait(*lock);
  else
    changed->wait_until(*lock, PointOf(at));
}

}  // namespace

void Worker::Start() {
  if (started_) return;
  started_ = true;
  if (crew_.threaded())
    thread_ = std::thread([this] { Loop(); });
  else
    crew_.workers_.push_back(this);
}

void Worker::Stop() {
  {
    const std::lock_guard lock(crew_.mutex);
    stop_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  std::erase(crew_.workers_, this);
}

void Worker::Loop() {
  std::unique_lock lock(crew_.mutex);
  while (!stop_) {
    const Micros due = Due();
    if (due > crew_.Now()) {
      WaitFor(&wake_, &lock, due);
      continue;
    }
    lock.unlock();
    Work();
    lock.lock();
  }
}

Micros Crew::Now() const {
  if (schedule_ != nullptr) return schedule_->Now();
  return std::chrono::duration_cast<std::chrono::microseconds>(
             SteadyClock::now().time_since_epoch())
      .count();
}

bool Crew::Wait(Micros until, const std::function<bool()>& ready) {
  std::unique_lock lock(mutex);
  while (!ready()) {
    if (Now() >= until) return false;
    if (threaded()) {
      WaitFor(&changed_, &lock, std::min(until, Now() + kLookForStop));
      continue;
    }
    Micros due = until;
    for (const Worker* worker : workers_) due = std::min(due, worker->Due());
    lock.unlock();
    if (due > Now())
      schedule_->Sleep(due);
    else
      StepOne(false);
    lock.lock();
  }
  return true;
}

void Crew::Yield() {
  if (threaded()) return;
  while (StepOne(true)) {
  }
}

// False: nobody is due, or the engine is to go on.
bool Crew::StepOne(bool engine_could) {
  std::vector<Worker*> due;
  {
    const std::lock_guard lock(mutex);
    for (Worker* worker : workers_) {
      if (worker->Due() <= Now()) due.push_back(worker);
    }
  }
  if (due.empty()) return false;
  const auto choices = static_cast<int64_t>(due.size()) + (engine_could ? 1 : 0);
  const auto picked = static_cast<size_t>(schedule_->Pick(choices));
  if (picked >= due.size()) return false;
  due[picked]->Work();
  return true;
}

}  // namespace leat
