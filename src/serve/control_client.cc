#include "base/record.h"
#include "serve/channel.h"
#include "serve/control.h"
#include "serve/control_protocol.h"
#include "serve/live_json.h"

namespace leat {
namespace {

// The server answers a view at the end of an epoch, and gives up before we do.
constexpr std::chrono::seconds kAnswerMax{90};

// Asks and waits for an answer of the kind `expected`.
Result<Message> Expect(Channel* channel, char expected) {
  LEAT_ASSIGN(auto message, channel->Receive());
  if (!message) return Status::IOError("the leat at work has left");
  if (message->kind == kError) return DecodeError(message->body);
  if (message->kind != expected)
    return IOErrorF("the leat at work answered '{}', not '{}'", message->kind, expected);
  return std::move(*message);
}

// A server that refuses a client hangs up before it asks: why still stands on the line.
Result<Message> Ask(Channel* channel, char question, std::string_view body) {
  const Status sent = channel->Send(question, body);
  auto answer = Expect(channel, question);
  return sent.ok() || !answer.ok() ? answer : sent;
}

Result<std::shared_ptr<Channel>> Connect(const std::string& state_dir) {
  LEAT_ASSIGN(std::shared_ptr<Channel> channel, ConnectControl(state_dir));
  if (!channel) return channel;
  LEAT_RETURN(channel->SetTimeout(kAnswerMax));
  LEAT_ASSIGN(const Message hello, Ask(channel.get(), kHello, EncodeHello()));
  LEAT_RETURN(CheckHello(hello.body));
  return channel;
}

// Visits a chunk of rows; false when `visit` has seen enough.
Result<bool> VisitChunk(std::string_view chunk, const Index::Visit& visit) {
  RecordReader in(chunk);
  for (size_t left = chunk.size(); left > 0;) {
    const std::string key = in.Text(), row = in.Text();
    const int64_t weight = in.Int();
    LEAT_RETURN(in.status());
    left -= 3 * sizeof(int64_t) + key.size() + row.size();
    LEAT_ASSIGN(const bool more, visit(key, row, weight));
    if (!more) return false;
  }
  return true;
}

// After an error the rest of the answer is still on the line: it is cut.
Status ScanRows(Channel* channel, const std::string& name, std::string_view begin,
                std::string_view end, const Index::Visit& visit) {
  LEAT_RETURN(channel->Send(kRows, RecordWriter().Text(name).Text(begin).Text(end).bytes()));
  bool more = true;
  while (true) {
    LEAT_ASSIGN(auto message, channel->Receive());
    if (!message) return Status::IOError("the leat at work has left");
    if (message->kind == kEnd) return Status::OK();
    if (message->kind == kError) return DecodeError(message->body);
    if (!more) continue;
    auto visited = VisitChunk(message->body, visit);
    if (!visited.ok()) {
      channel->Shut();
      return visited.status();
    }
    more = *visited;
  }
}

}  // namespace

Result<std::optional<LiveStatus>> AskStatus(const std::string& state_dir) {
  LEAT_ASSIGN(const auto channel, Connect(state_dir));
  if (!channel) return std::optional<LiveStatus>();
  LEAT_ASSIGN(const Message answer, Ask(channel.get(), kStatus, ""));
  LiveStatus status;
  if (!FromJson(answer.body, &status))
    return Status::IOError("the leat at work answered what this one does not understand");
  return std::optional(std::move(status));
}

Result<std::shared_ptr<void>> AskAside(const std::string& state_dir, const std::string& why) {
  LEAT_ASSIGN(auto channel, Connect(state_dir));
  if (!channel) return std::shared_ptr<void>();
  LEAT_RETURN(Ask(channel.get(), kAside, why).status());
  return std::shared_ptr<void>(std::move(channel));
}

Result<ReadViewPtr> OpenView(FileSystem* files, const std::string& state_dir) {
  LEAT_ASSIGN(const auto channel, Connect(state_dir));
  if (!channel) return ReadCheckpoint(files, state_dir);
  LEAT_ASSIGN(const Message answer, Ask(channel.get(), kView, ""));
  RecordReader in(answer.body);
  auto view = std::make_shared<ReadView>();
  LEAT_ASSIGN(view->manifest, Manifest::Decode(in.Text()));
  view->live = true;
  for (int64_t left = in.Int(); left > 0 && in.ok(); --left) {
    const std::string name = in.Text();
    view->rows[name] = [channel, name](std::string_view begin, std::string_view end,
                                       const Index::Visit& visit) {
      return ScanRows(channel.get(), name, begin, end, visit);
    };
  }
  LEAT_RETURN(in.status());
  return ReadViewPtr(std::move(view));
}

}  // namespace leat
