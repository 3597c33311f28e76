#!/bin/bash
# pydantic's JSON schema for a bounded Decimal (ge=0, le=100) is "a number within the bounds, or a string": the second half has neither
# bounds nor a pattern. A model that is held to that schema (structured output, a tool's arguments) can answer "1000000" or "cheap", a
# validator of the schema finds nothing wrong, and only pydantic's own validation refuses it afterwards.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/v"
"$folder/v/bin/pip" install -q pydantic==2.14.4 jsonschema==4.26.0
"$folder/v/bin/python" - <<'END'
import json
from decimal import Decimal
from importlib.metadata import version
from typing import Annotated

import jsonschema
import pydantic

class Order(pydantic.BaseModel):
    price: Annotated[Decimal, pydantic.Field(ge=0, le=100)]

print("pydantic", version("pydantic"), "->", json.dumps(Order.model_json_schema()["properties"]["price"]))
seen = []
for value in (5, "5", 1000000, "1000000", "cheap"):
    by_schema = jsonschema.Draft202012Validator(Order.model_json_schema()).is_valid({"price": value})
    try:
        Order.model_validate_json(json.dumps({"price": value}))
        by_pydantic = True
    except pydantic.ValidationError:
        by_pydantic = False
    seen.append((by_schema, by_pydantic))
    print(f"{value!r:10} allowed by the schema: {by_schema}, by pydantic: {by_pydantic}")
assert seen == [(True, True), (True, True), (False, False), (True, False), (True, False)], "the behaviour has changed"
print("as described")
END
