"""`make audit`: every locked package has hashes, and none has a vulnerability that is known.

Ends with 1 where something is found. Where the index or the advisories cannot be reached it says so and ends with 0:
that nobody could look is no finding.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
UV = str(ROOT / "scripts" / "uv")
_EXPORT = ("export", "--locked", "--no-emit-project", "--all-groups", "--all-extras", "--format", "requirements-txt")
_PATIENCE_S = 300


def main() -> int:
    """Look, say what was found, and return the exit status."""
    locked = tomllib.loads((ROOT / "uv.lock").read_text())
    bare = without_hashes(locked)
    print("\n".join(f"audit: {name} is locked without hashes" for name in bare) or "audit: every package has hashes")
    with tempfile.TemporaryDirectory() as directory:
        report = _look(Path(directory))
    if report is None:
        print("audit: the package index or the advisories could not be reached; nobody looked for vulnerabilities")
        return int(bool(bare))
    known = vulnerabilities(report)
    print(
        "\n".join(f"audit: {line}" for line in known)
        or f"audit: {len(report['dependencies'])} packages, none vulnerable"
    )
    return int(bool(bare or known))


def without_hashes(locked: dict[str, Any]) -> list[str]:
    """The packages of a lock that would be installed from an index unchecked."""
    found = []
    for package in locked["package"]:
        files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
        is_ours = "registry" not in package["source"]
        if not is_ours and not (files and all(file.get("hash", "").startswith("sha256:") for file in files)):
            found.append(str(package["name"]))
    return found


def vulnerabilities(report: dict[str, Any]) -> list[str]:
    """What a report of pip-audit found: package, version, advisory, and the versions that mend it."""
    return [
        f"{package['name']} {package['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none'}"
        for package in report["dependencies"]
        for found in package.get("vulns", ())
    ]


def _look(directory: Path) -> dict[str, Any] | None:
    """The report, None if there is none."""
    requirements, report = directory / "requirements.txt", directory / "report.json"
    if not _run(UV, *_EXPORT, "--output-file", str(requirements)):
        return None
    asked = ("--requirement", str(requirements), "--require-hashes", "--disable-pip", "--progress-spinner", "off")
    _run(UV, "tool", "run", "pip-audit", *asked, "--format", "json", "--output", str(report))
    try:
        found: dict[str, Any] = json.loads(report.read_text())
    except (OSError, ValueError):
        return None
    return found


def _run(*command: str) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE_S, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
