"""Writes the JSON schemas of the operators' resources that k8s/ has: schemas.py FOLDER."""

import json
import sys
from pathlib import Path

from cloudcoil.models.keda import v1alpha1 as keda
from cloudcoil.models.prometheus_operator import v1 as prometheus_operator


def strict(schema: object) -> object:
    """Unknown fields are refused, as the API server refuses them."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: strict(part) for key, part in schema.items()}
    if "properties" in schema and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    return schema


folder = Path(sys.argv[1])
for model in (prometheus_operator.ServiceMonitor, prometheus_operator.PrometheusRule, keda.ScaledObject):
    (folder / f"{model.__name__}.json").write_text(json.dumps(strict(model.model_json_schema(by_alias=True))))
