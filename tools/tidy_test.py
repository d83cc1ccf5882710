#!/usr/bin/env python3
"""Tidy must refuse each of these, for the stated reason, and let the good ones pass."""
import pathlib
import subprocess
import sys
import tempfile

TIDY = pathlib.Path(__file__).resolve().parent / "tidy"
LONG = "\n".join(["  ++x;"] * 70)
H = "#pragma once\n"

# name, files, and what tidy must say (nothing: it must be silent)
CASES = [
    ("an earlier room", {"src/flow/a.h": H + '#include "data/batch.h"\n'}, ""),
    ("a later room", {"src/data/a.h": H + '#include "flow/operator.h"\n'}, "flow comes later"),
    ("an unknown room", {"src/flow/a.h": H + '#include "tools/x.h"\n'}, "from their room"),
    ("no room", {"src/flow/a.h": H + '#include "x.h"\n'}, "from their room"),
    ("a room that is none", {"src/stuff/a.h": H + '#include "base/x.h"\n'}, "not a room"),
    ("two systems", {"src/connect/file/a.h": H + '#include "connect/kafka/b.h"\n'},
     "connect/file may not include connect/kafka"),
    ("one system", {"src/connect/file/a.h": H + '#include "connect/file/b.h"\n'}, ""),
    ("the door's contract", {"src/connect/file/a.h": H + '#include "connect/source.h"\n'}, ""),
    ("the parser", {"src/plan/a.cc": "#include <pg_query.h>\n"}, "only src/sql"),
    ("own header last", {"src/flow/a.h": H, "src/flow/a.cc": '#include <map>\n#include "flow/a.h"\n'},
     'include "flow/a.h" first'),
    ("own header first", {"src/flow/a.h": H, "src/flow/a.cc": '#include "flow/a.h"\n'}, ""),
    ("no pragma", {"src/flow/a.h": "// Says what.\nint x;\n"}, "begins with #pragma once"),
    ("pragma after comment", {"src/flow/a.h": "// Says what.\n#pragma once\n"}, ""),
    ("long function", {"src/flow/a.cc": f"int F(int x) {{\n{LONG}\n}}\n"}, "function of 72 lines"),
    ("long method", {"src/flow/a.cc": f"class A {{\n void F() const {{\n{LONG}\n}}\n}};\n"},
     "function of 72 lines"),
    ("long in a namespace", {"src/flow/a.cc": f"namespace leat {{\nauto F(int x)\n -> int {{\n{LONG}\n}}\n}}\n"},
     "function of 72 lines"),
    ("long constructor", {"src/flow/a.cc": f"A::A(int x) : x_(x) {{\n{LONG}\n}}\n"},
     "function of 72 lines"),
    ("long lambda", {"src/flow/a.cc": f"const auto f = [](int x) {{\n{LONG}\n}};\n"},
     "function of 72 lines"),
    ("long table", {"src/flow/a.cc": "const int kX[] = {\n" + "1,\n" * 100 + "};\n"}, ""),
    ("many short ones", {"src/flow/a.cc": "int F() {\n  return 1;\n}\n" * 100}, ""),
    ("brace in a string", {"src/flow/a.cc": 'void F() {\n  G("{");\n}\n' + "int x;\n" * 99}, ""),
    ("brace in a raw string", {"src/flow/a.cc": 'void F() {\n  G(R"({)");\n}\n' + "int x;\n" * 99}, ""),
    ("long file", {"src/flow/a.cc": "int x;\n" * 801}, "801 lines, 800 at most"),
    ("long Python", {"bench/a.py": "def f():\n" + "    pass\n" * 71}, "function of 72 lines"),
    ("task", {"src/flow/a.cc": "// TODO: later\n"}, "numbered issue"),
    ("task in SQL", {"test/sql/a.slt": "# FIXME\n"}, "numbered issue"),
    ("template name", {"tools/a": "mktemp x.XXXXXX\n"}, ""),
    ("using namespace", {"src/flow/a.cc": "using namespace std;\n"}, "`using namespace`"),
    ("in a comment", {"src/flow/a.cc": "// not using namespace std, nor (int)x\n"}, ""),
    ("C cast", {"src/flow/a.cc": "auto x = (int64_t)y;\n"}, "a C cast"),
    ("C cast of a pointer", {"src/flow/a.cc": "auto x = (const char*)&y;\n"}, "a C cast"),
    ("C cast of a call", {"src/flow/a.cc": "auto x = (double)(y + 1);\n"}, "a C cast"),
    ("not a cast", {"src/flow/a.cc": "using F = std::function<void(int)>;\nint f(int) const;\n"
                                     "auto n = sizeof(int) * 2;\nauto g = [](int) -> int {};\n"
                                     "void F() { (void)x; }\n"}, ""),
    ("const_cast", {"src/flow/a.cc": "auto x = const_cast<int*>(y);\n"}, "const_cast"),
    ("plain enum", {"src/flow/a.cc": "enum Color { kRed };\n"}, "plain enum"),
    ("enum class", {"src/flow/a.cc": "enum class Color { kRed };\n"}, ""),
    ("throw", {"src/flow/a.cc": "void F() { throw 1; }\n"}, "throw"),
    ("sleep in a test", {"src/flow/a_test.cc": "void F() { std::this_thread::sleep_for(x); }\n"},
     "sleep in a test"),
    ("name", {"src/flow/string_util.h": H}, "says nothing"),
    ("folder name", {"src/common/a.h": H}, "says nothing"),
    ("trailing space", {"README.md": "a \n"}, "trailing whitespace"),
    ("no last newline", {"README.md": "a"}, "no newline"),
    ("private path", {"README.md": "see /home/ann/leat\n"}, "somebody's machine"),
    ("public path", {"README.md": "see /usr/lib and https://example.org/home/ann\n"}, ""),
]


def play(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        run = subprocess.run([sys.executable, TIDY, root], capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr


def main():
    failed = 0
    for name, files, expected in CASES:
        code, output = play(files)
        good = (code == 1 and expected in output and len(output.splitlines()) == 1) if expected else (
            code == 0)
        if not good:
            failed += 1
            print(f"{name}: expected {expected or 'silence'!r}, got exit {code}:\n{output}")
    print(f"tidy_test: {len(CASES)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
