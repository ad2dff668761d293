"""Nothing grows too long to be read: 60 lines a function, 400 a file."""

import ast

from tests.architecture.sources import ROOT, all_files, web_files


def test_no_file_is_over_400_lines():
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in [*all_files(), *web_files()]
        if (lines := path.read_text(encoding="utf-8").count("\n")) > 400
    ]
    assert long == []


def test_no_function_is_over_60_lines():
    long = []
    for path in all_files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > 60:
                    long.append(f"{path.relative_to(ROOT)} {node.name}: {lines}")
    assert long == []


def test_no_module_has_a_name_that_says_nothing():
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "core"}
    assert [p for p in [*all_files(), *web_files()] if p.stem in empty] == []
