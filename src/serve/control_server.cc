#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "base/record.h"
#include "serve/channel.h"
#include "serve/control.h"
#include "serve/control_protocol.h"
#include "serve/live_json.h"

namespace leat {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kClientsMax = 16;
constexpr size_t kChunkBytes = 256 << 10;
constexpr seconds kSilenceMax{60};
constexpr seconds kEpochWaitMax{30};
constexpr seconds kAsideWaitMax{60};
constexpr milliseconds kAcceptWait{1000};

// What one client asks, one question after another.
class Conversation {
 public:
  Conversation(const ControlServices& services, Channel* channel)
      : services_(services), channel_(channel) {}

  ~Conversation() {
    if (aside_) services_.aside->Done();
  }
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  Status Run() {
    LEAT_RETURN(channel_->SetTimeout(kSilenceMax));
    while (true) {
      LEAT_ASSIGN(const auto message, channel_->Receive());
      if (!message) return Status::OK();
      if (const Status answered = Answer(*message); !answered.ok()) {
        LEAT_RETURN(channel_->Send(kError, EncodeError(answered)));
      }
    }
  }

 private:
  Status Answer(const Message& message) {
    if (message.kind == kHello) {
      LEAT_RETURN(channel_->Send(kHello, EncodeHello()));
      return CheckHello(message.body);
    }
    if (message.kind == kStatus) return channel_->Send(kStatus, ToJson(services_.board->Read()));
    if (message.kind == kView) return AnswerView();
    if (message.kind == kRows) return AnswerRows(message.body);
    if (message.kind == kAside) return StepAside(message.body);
    return IOErrorF("an unknown question: '{}'", message.kind);
  }

  Status AnswerView() {
    view_.reset();
    LEAT_ASSIGN(view_, services_.desk->Ask(kEpochWaitMax));
    RecordWriter out;
    out.Text(view_->manifest.Encode()).Int(static_cast<int64_t>(view_->rows.size()));
    for (const auto& [name, rows] : view_->rows) out.Text(name);
    return channel_->Send(kView, out.bytes());
  }

  Status AnswerRows(std::string_view question) {
    RecordReader in(question);
    const std::string name = in.Text(), begin = in.Text(), end = in.Text();
    LEAT_RETURN(in.status());
    if (!view_) return Status::Invalid("rows before a view");
    const auto rows = view_->rows.find(name);
    if (rows == view_->rows.end()) return Status::KeyError("there is no \"", name, "\" here");
    auto chunk = std::make_unique<RecordWriter>();
    const auto flush = [&]() -> Status {
      LEAT_RETURN(channel_->Send(kRows, chunk->bytes()));
      chunk = std::make_unique<RecordWriter>();
      return Status::OK();
    };
    LEAT_RETURN(rows->second(
        begin, end,
        [&](std::string_view key, std::string_view row, int64_t weight) -> Result<bool> {
          chunk->Text(key).Text(row).Int(weight);
          if (chunk->bytes().size() >= kChunkBytes) LEAT_RETURN(flush());
          return true;
        }));
    if (!chunk->bytes().empty()) LEAT_RETURN(flush());
    return channel_->Send(kEnd, "");
  }

  Status StepAside(const std::string& why) {
    if (services_.aside == nullptr) return Status::IOError("this leat cannot step aside");
    if (aside_) return Status::Invalid("it has stepped aside already");
    view_.reset();
    LEAT_RETURN(services_.aside->Ask(why, kAsideWaitMax));
    aside_ = true;
    LEAT_RETURN(channel_->SetTimeout(seconds(0)));  // until the line ends
    return channel_->Send(kAside, "");
  }

  const ControlServices& services_;
  Channel* const channel_;
  ReadViewPtr view_;
  bool aside_ = false;
};

class ControlThreads : public ControlServer {
 public:
  ControlThreads(std::unique_ptr<ControlListener> listener, const ControlServices& services)
      : listener_(std::move(listener)), services_(services) {
    thread_ = std::thread([this] { Listen(); });
  }

  ~ControlThreads() override {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
      for (Client& client : clients_) client.channel->Shut();
    }
    stopped_.notify_all();
    listener_->Shut();
    services_.desk->Close();
    if (services_.aside != nullptr) services_.aside->Close();
    thread_.join();
    for (Client& client : clients_) client.thread.join();
  }

 private:
  struct Client {
    std::unique_ptr<Channel> channel;
    std::atomic<bool> done = false;
    std::thread thread;
  };

  void Listen() {
    while (!stopping()) {
      auto channel = listener_->Accept(kAcceptWait);
      Bury();
      if (!channel.ok()) {
        // No descriptor left, perhaps: who knocks waits until there is one.
        std::unique_lock lock(mutex_);
        stopped_.wait_for(lock, kAcceptWait, [this] { return stop_; });
      } else if (*channel) {
        Welcome(std::move(*channel));
      }
    }
  }

  void Welcome(std::unique_ptr<Channel> channel) {
    const std::lock_guard lock(mutex_);
    if (stop_) return;
    if (clients_.size() >= kClientsMax) {
      // It learns of it with its first answer, or finds the line dead.
      static_cast<void>(channel->Send(
          kError, EncodeError(IOErrorF("{} clients are being served already", kClientsMax))));
      return;
    }
    Client& client = clients_.emplace_back();
    client.channel = std::move(channel);
    client.thread = std::thread([this, &client] {
      // Whatever ends it concerns the client alone, which sees its line end.
      static_cast<void>(Conversation(services_, client.channel.get()).Run());
      client.channel->Shut();
      client.done = true;
    });
  }

  // Clients that have left.
  void Bury() {
    const std::lock_guard lock(mutex_);
    for (auto it = clients_.begin(); it != clients_.end();) {
      if (it->done) {
        it->thread.join();
        it = clients_.erase(it);
      } else {
        ++it;
      }
    }
  }

  bool stopping() {
    const std::lock_guard lock(mutex_);
    return stop_;
  }

  const std::unique_ptr<ControlListener> listener_;
  const ControlServices services_;
  std::mutex mutex_;  // guards all below but the thread
  std::condition_variable stopped_;
  bool stop_ = false;
  std::list<Client> clients_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::Start(const std::string& state_dir,
                                                            const ControlServices& services) {
  LEAT_ASSIGN(auto listener, ControlListener::Open(state_dir));
  return std::make_unique<ControlThreads>(std::move(listener), services);
}

}  // namespace leat
