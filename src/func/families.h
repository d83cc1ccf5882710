// The families of functions, one file each; private to func.
#pragma once

#include <string>
#include <vector>

#include "func/function.h"

namespace leat {

void AddComparisonFunctions(std::vector<Function>* out);
void AddConditionalFunctions(std::vector<Function>* out);
void AddArithmeticFunctions(std::vector<Function>* out);
void AddNumericFunctions(std::vector<Function>* out);
void AddMathFunctions(std::vector<Function>* out);
void AddDateArithmeticFunctions(std::vector<Function>* out);
void AddDateFunctions(std::vector<Function>* out);
void AddDateTruncFunctions(std::vector<Function>* out);
void AddDateExtractFunctions(std::vector<Function>* out);
void AddStringFunctions(std::vector<Function>* out);
void AddStringEditFunctions(std::vector<Function>* out);
void AddPatternFunctions(std::vector<Function>* out);
void AddConcatFunctions(std::vector<Function>* out);
void AddArrayFunctions(std::vector<Function>* out);
void AddArraySearchFunctions(std::vector<Function>* out);
void AddSetFunctions(std::vector<Function>* out);
void AddJsonFunctions(std::vector<Function>* out);
void AddJsonBuildFunctions(std::vector<Function>* out);
void AddEncodingFunctions(std::vector<Function>* out);
void AddNumberFunctions(std::vector<Function>* out);
void AddNumberFormatFunctions(std::vector<Function>* out);
void AddBitFunctions(std::vector<Function>* out);
void AddAngleFunctions(std::vector<Function>* out);
void AddByteFunctions(std::vector<Function>* out);
void AddEnumFunctions(std::vector<Function>* out);
void AddDomainFunctions(std::vector<Function>* out);
void AddSequenceFunctions(std::vector<Function>* out);
void AddJsonEditFunctions(std::vector<Function>* out);
void AddJsonSetFunctions(std::vector<Function>* out);

}  // namespace leat
