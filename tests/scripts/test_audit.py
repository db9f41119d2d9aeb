"""What `make audit` makes of a lock and of a report."""

import runpy
import tomllib
from typing import Any

from tests.deploy.images import ROOT

AUDIT: dict[str, Any] = runpy.run_path(str(ROOT / "scripts" / "audit.py"))
LOCK = """
[[package]]
name = "ours"
source = { editable = "." }
[[package]]
name = "sound"
source = { registry = "https://index.example/simple" }
sdist = { url = "https://files.example/sound.tar.gz", hash = "sha256:aa" }
wheels = [{ url = "https://files.example/sound.whl", hash = "sha256:bb" }]
[[package]]
name = "bare"
source = { registry = "https://index.example/simple" }
wheels = [{ url = "https://files.example/bare.whl" }]
"""


def test_our_lock_has_a_hash_for_every_file() -> None:
    locked = tomllib.loads((ROOT / "uv.lock").read_text())
    assert len(locked["package"]) > 50
    assert AUDIT["without_hashes"](locked) == []


def test_a_package_without_hashes_is_found() -> None:
    assert AUDIT["without_hashes"](tomllib.loads(LOCK)) == ["bare"]


def test_what_a_report_found_is_one_line_each() -> None:
    report = {
        "dependencies": [
            {"name": "sound", "version": "1.0", "vulns": []},
            {"name": "weak", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"]}]},
            {"name": "skipped", "skip_reason": "not on the index"},
        ]
    }
    assert AUDIT["vulnerabilities"](report) == ["weak 2.0: CVE-1, mended in 2.1"]


def test_where_nobody_could_look_it_says_so_and_is_no_finding(monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setitem(AUDIT["main"].__globals__, "_look", lambda _: None)
    assert AUDIT["main"]() == 0
    assert "could not be reached" in capsys.readouterr().out


def test_a_finding_fails(monkeypatch: Any) -> None:
    report = {"dependencies": [{"name": "w", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": []}]}]}
    monkeypatch.setitem(AUDIT["main"].__globals__, "_look", lambda _: report)
    assert AUDIT["main"]() == 1
