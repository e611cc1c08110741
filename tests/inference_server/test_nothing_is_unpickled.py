"""No line of the code can run what a file or a message holds."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib", "code"}
CALLS = {"eval", "exec", "compile", "__import__"}
FILES = [
    file
    for folder in ("inference_server", "shared", "blender_addon")
    for file in sorted((ROOT / folder).rglob("*.py"))
]


def wrong(tree: ast.AST) -> list[str]:
    """What in there could unpickle or run something."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names if each.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(node.module)
        elif isinstance(node, ast.Call):
            called, said = ast.unparse(node.func), {each.arg: each.value for each in node.keywords}
            if called in CALLS or called.endswith((".recv_pyobj", ".send_pyobj", "yaml.load")):
                found.append(called)
            safe = isinstance(only := said.get("weights_only"), ast.Constant) and only.value is True
            if called.endswith("torch.load") and not safe:
                found.append(called)
            if called.endswith("from_pretrained") and not (
                isinstance(own := said.get("trust_remote_code"), ast.Constant)
                and own.value is False
            ):
                found.append(called)
            for name in ("allow_pickle", "trust_remote_code", "shell"):
                if name in said and ast.unparse(said[name]) != "False":
                    found.append(name)
    return found


def test_nothing_in_the_code_unpickles_or_runs_what_it_is_given():
    assert len(FILES) > 100
    found = {str(file): wrong(ast.parse(file.read_text("utf-8"))) for file in FILES}
    assert not {file: what for file, what in found.items() if what}


def test_what_would_is_found():
    for line in (
        "import pickle",
        "from joblib import load",
        "socket.recv_pyobj()",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "AutoTokenizer.from_pretrained(folder)",
        "subprocess.run(line, shell=True)",
        "eval(text)",
    ):
        assert wrong(ast.parse(line)), line
