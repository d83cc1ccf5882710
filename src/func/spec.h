// Shorthand for the tables of functions; private to func.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "func/function.h"

namespace leat {

struct Documentation {
  const char* description;
  const char* example = "";
  const char* answer = "";
};

inline Function Spec(std::string name, std::vector<Type> args, Type result, Kernel kernel,
                     Documentation documentation) {
  Function function;
  function.name = std::move(name);
  function.args = std::move(args);
  function.result = std::move(result);
  function.kernel = kernel;
  function.description = documentation.description;
  function.example = documentation.example;
  function.answer = documentation.answer;
  return function;
}

}  // namespace leat
