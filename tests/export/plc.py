"""A small interpreter of Structured Text: enough of IEC 61131-3 for the exported function blocks, and nothing more.

Every statement, operator and function that it does not know is an error, so that what it runs is Structured Text.
"""

import re

import numpy as np

FUNCTIONS = {
    "EXP": np.exp,
    "LN": np.log,
    "SQRT": np.sqrt,
    "ABS": abs,
    "MAX": max,
    "MIN": min,
    "LIMIT": lambda low, x, high: min(max(x, low), high),
    "SEL": lambda which, without, with_: with_ if which else without,
}
WORDS = {"AND": "and", "OR": "or", "NOT": "not", "TRUE": "True", "FALSE": "False", "=": "==", "<>": "!="}
TOKEN = re.compile(r"\d+\.\d+(?:[eE][-+]?\d+)?|\d+|[A-Za-z_]\w*|<>|<=|>=|[-+*/()\[\],<>=]|(\S)")
SECTION = re.compile(r"VAR(?:_INPUT|_OUTPUT)?(?: CONSTANT)?\n(.*?)END_VAR\n", re.DOTALL)
DECLARED = re.compile(r"(\w+) : (?:ARRAY\[0\.\.(\d+)\] OF )?(LREAL|REAL|DINT|BOOL)(?: := \[(.*?)\])?;", re.DOTALL)
REAL = re.compile(r"-?\d+\.\d+(?:e[-+]\d+)?")
UNIT = re.compile(r"^(FUNCTION|FUNCTION_BLOCK) (\w+)(?: : (LREAL|REAL))?\n(.*?)^END_\1$", re.MULTILINE | re.DOTALL)
BUILTINS = {"range": range, "StopIteration": StopIteration}
TYPES = {"LREAL": np.float64, "REAL": np.float32, "DINT": np.int64, "BOOL": np.bool_}


class Plc:
    """The function block of a file, run row by row."""

    def __init__(self, source: str):
        source = re.sub(r"\(\*.*?\*\)", "", source, flags=re.DOTALL)
        rest = UNIT.sub("", source).strip()
        assert not rest, f"outside of any unit: {rest[:80]!r}"
        self.functions = dict(FUNCTIONS)
        for kind, name, real, body in UNIT.findall(source):
            types, values, statements = self._declared(body)
            code = self._python(statements, {*values, name})
            if kind == "FUNCTION":
                self.functions[name] = self._function(name, code, TYPES[real])
            else:
                self.name, self.types, self.values, self.code = name, types, values, code
        conversion = "DINT_TO_LREAL" if self.types["row"] is np.float64 else "DINT_TO_REAL"
        self.functions[conversion] = self.types["row"]

    def __call__(self, row) -> tuple[int, np.ndarray]:
        """status and out."""
        self.values["row"] = np.asarray(row, self.types["row"])
        self._run(self.code, self.values)
        return int(self.values["status"]), self.values["out"].copy()

    def _declared(self, body: str):
        """The variables, their first values, and the statements that follow."""
        types, values = {}, {}
        for section in SECTION.findall(body):
            left = DECLARED.sub("", section).strip()
            assert not left, f"no declaration: {left[:80]!r}"
            for name, last, kind, cells in DECLARED.findall(section):
                types[name] = TYPES[kind]
                if cells:
                    if kind.endswith("REAL"):
                        assert all(REAL.fullmatch(cell.strip()) for cell in cells.split(",")), f"{name} := [{cells}]"
                    given = [{"TRUE": 1, "FALSE": 0}.get(cell.strip(), cell.strip()) for cell in cells.split(",")]
                    values[name] = np.array([float(cell) for cell in given]).astype(TYPES[kind])
                    assert len(values[name]) == int(last) + 1, name
                else:
                    values[name] = np.zeros(int(last) + 1, TYPES[kind]) if last else TYPES[kind](0)
        return types, values, SECTION.sub("", body)

    def _expression(self, text: str, known: set[str]) -> str:
        parts = []
        for token in TOKEN.finditer(text):
            word = token[0]
            assert not token[1], f"{word!r} in {text!r}"
            if re.match(r"[A-Za-z_]", word) and word not in WORDS:
                assert word in known or word in self.functions or word.startswith("DINT_TO"), f"{word!r} in {text!r}"
            parts.append(WORDS.get(word, word))
        return " ".join(parts)

    def _python(self, statements: str, known: set[str]) -> str:
        """The statements, one a line, as Python."""
        lines, depth = [], 0
        for line in filter(None, (line.strip() for line in statements.splitlines())):
            if match := re.fullmatch(r"(\w+(?:\[.+?\])?) := (.+);", line):
                python = f"{self._expression(match[1], known)} = {self._expression(match[2], known)}"
            elif match := re.fullmatch(r"FOR (\w) := (.+) TO (.+) DO", line):
                first, last = (self._expression(end, known) for end in match.groups()[1:])
                python = f"for {match[1]} in range({first}, ({last}) + 1):"
            elif match := re.fullmatch(r"IF (.+) THEN", line):
                python = f"if {self._expression(match[1], known)}:"
            else:
                assert line in ("ELSE", "END_IF;", "END_FOR;", "RETURN;"), f"no statement: {line!r}"
                python = {"ELSE": "else:", "RETURN;": "raise StopIteration"}.get(line, "")
            depth -= line in ("ELSE", "END_IF;", "END_FOR;")
            if python:
                lines.append("    " * depth + python)
            depth += python.endswith(":")
        assert depth == 0, "an IF or FOR has no end"
        return "\n".join(lines)

    def _function(self, name: str, code: str, kind):
        def call(z):
            values = {"z": kind(z)}
            self._run(code, values)
            return kind(values[name])

        return call

    def _run(self, code: str, values: dict) -> None:
        with np.errstate(invalid="ignore", over="raise"):  # a PLC may fault where a number is too large
            try:
                exec(compile(code, "a function block", "exec"), self.functions | {"__builtins__": BUILTINS}, values)
            except StopIteration:
                return
