#!/usr/bin/env python3
"""Says which packages of Cargo.lock have a published fault.

    git clone https://github.com/rustsec/advisory-db; scripts/advisories.py advisory-db

Reads a copy of the RustSec advisory database, so that it needs no network and no tool that takes
half an hour to build. Exits with 1 if there is one. Needs Python 3.11.
"""

import pathlib
import re
import sys
import tomllib


def numbers(version):
    """A version that sorts as versions do; one before a release sorts before it."""
    core, _, early = version.partition("+")[0].partition("-")
    parts = [int(part) for part in core.split(".")]
    return tuple(parts + [0] * (3 - len(parts))), early == "", early


def fits(version, requirement):
    """True if the version is what all parts of a requirement ask for."""
    return all(fits_one(version, part.strip()) for part in requirement.split(","))


def fits_one(version, part):
    sign, wanted = re.fullmatch(r"(>=|<=|>|<|=|\^|~)?\s*(\S+)", part).groups()
    have, want = numbers(version), numbers(wanted)
    match sign:
        case ">=":
            return have >= want
        case "<=":
            return have <= want
        case ">":
            return have > want
        case "<":
            return have < want
        case "=":
            return have == want
        case "~":
            return have >= want and have[0][:2] == want[0][:2]
    major, minor, patch = want[0]
    end = (major + 1, 0, 0) if major else (0, minor + 1, 0) if minor else (0, 0, patch + 1)
    return have >= want and have[0] < end


def main():
    database = pathlib.Path(sys.argv[1])
    root = pathlib.Path(__file__).resolve().parent.parent
    lock = tomllib.loads((root / "Cargo.lock").read_text())
    versions = {}
    for package in lock["package"]:
        versions.setdefault(package["name"], []).append(package["version"])
    files, found = sorted(database.glob("crates/*/*.md")), []
    for file in files:
        text = file.read_text()
        said = tomllib.loads(re.search(r"```toml\n(.*?)```", text, re.S)[1])
        advisory, spared = said["advisory"], said.get("versions", {})
        spared = spared.get("patched", []) + spared.get("unaffected", [])
        if advisory.get("withdrawn"):
            continue
        for version in versions.get(advisory["package"], []):
            if not any(fits(version, requirement) for requirement in spared):
                title = re.search(r"^# (.*)", text, re.M)[1]
                found.append(f"{advisory['id']} {advisory['package']} {version}: {title}")
    print("\n".join(found + [f"{len(found)} of {len(files)} advisories apply"]))
    if not files:
        sys.exit(f"there are no advisories in {database}")
    sys.exit(1 if found else 0)


main()
