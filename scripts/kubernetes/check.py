"""Validates rendered manifests strictly, against several versions of Kubernetes, and compares the chart with the overlays.

    check.py RENDERED SCHEMAS

RENDERED has a file for each rendering. `chart` must equal `base`, and `chart-prod` must equal `prod`.
"""

import difflib
import json
import sys
from pathlib import Path

import kubernetes_validate
import yaml
from jsonschema import Draft202012Validator

VERSIONS = ("1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
EQUAL = (("chart", "base"), ("chart-prod", "prod"))


def load(path: Path) -> dict[str, dict]:
    """The objects of a rendering, by kind and name."""
    objects = {}
    for document in yaml.safe_load_all(path.read_text()):
        if document is not None:
            objects[f"{document['kind']}/{document['metadata']['name']}"] = document
    return objects


def faults_of(document: dict, schemas: dict[str, Draft202012Validator]) -> set[str]:
    """What is wrong with an object, with the versions for which it is."""
    if document["kind"] in schemas:
        return {where(error) for error in schemas[document["kind"]].iter_errors(document)}
    faults: dict[str, list[str]] = {}
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            faults.setdefault(where(error), []).append(version)
        except kubernetes_validate.SchemaNotFoundError:
            faults.setdefault(f"no such kind: {document['apiVersion']} {document['kind']}", []).append(version)
    return {f"{fault} (Kubernetes {', '.join(versions)})" for fault, versions in faults.items()}


def where(error) -> str:
    return f"{'.'.join(map(str, error.path)) or 'the object'}: {error.message}"


def difference(ours: dict[str, dict], theirs: dict[str, dict], names: tuple[str, str]) -> list[str]:
    def text(objects: dict[str, dict]) -> list[str]:
        return yaml.safe_dump_all([objects[key] for key in sorted(objects)]).splitlines()

    return list(difflib.unified_diff(text(theirs), text(ours), *reversed(names), lineterm=""))


def main(rendered: Path, folder: Path) -> int:
    schemas = {path.stem: Draft202012Validator(json.loads(path.read_text())) for path in folder.glob("*.json")}
    renderings = {path.stem: load(path) for path in sorted(rendered.glob("*.yaml"))}
    faults, seen = [], {}
    for name, objects in renderings.items():
        for key, document in objects.items():
            content = json.dumps(document, sort_keys=True)
            # Most objects are in several renderings.
            if content not in seen:
                seen[content] = faults_of(document, schemas)
            faults += [f"{name}: {key}: {fault}" for fault in sorted(seen[content])]
    for names in EQUAL:
        lines = difference(*(renderings[name] for name in names), names)
        if lines:
            faults.append(f"{names[0]} differs from {names[1]}:\n" + "\n".join(lines))
    for fault in faults:
        print(f"kubernetes: {fault}", file=sys.stderr)
    if not faults:
        objects = sum(map(len, renderings.values()))
        print(f"kubernetes: {objects} objects in {len(renderings)} renderings are valid from {VERSIONS[0]} to {VERSIONS[-1]}; chart and base are equal")
    return bool(faults)


sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
