#include "serve/control_protocol.h"

#include "base/record.h"

namespace leat {

std::string EncodeHello() {
  return RecordWriter().Int(kControlProtocol).Text(LEAT_VERSION).bytes();
}

Status CheckHello(std::string_view hello) {
  RecordReader in(hello);
  const int64_t protocol = in.Int();
  const std::string version = in.Text();
  LEAT_RETURN(in.status());
  if (protocol == kControlProtocol) return Status::OK();
  return IOErrorF("the leat at work is version {} (protocol {}), and this is {} (protocol {})",
                  version, protocol, LEAT_VERSION, kControlProtocol);
}

std::string EncodeError(const Status& status) {
  RecordWriter out;
  const SqlError* error = SqlErrorOf(status);
  out.Int(static_cast<int64_t>(status.code())).Text(status.message()).Int(error != nullptr);
  if (error != nullptr) out.Text(error->sqlstate).Text(error->detail).Text(error->hint);
  return out.bytes();
}

Status DecodeError(std::string_view bytes) {
  RecordReader in(bytes);
  const int64_t code = in.Int();
  std::string message = in.Text();
  const bool sql = in.Int() != 0;
  SqlError error;
  if (sql) {
    error.sqlstate = in.Text();
    error.detail = in.Text();
    error.hint = in.Text();
  }
  LEAT_RETURN(in.status());
  if (sql) return SqlStatus(std::move(message), std::move(error));
  return Status(code == 0 ? arrow::StatusCode::UnknownError : static_cast<arrow::StatusCode>(code),
                message);
}

}  // namespace leat
