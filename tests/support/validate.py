#!/usr/bin/python3
"""validate.py [--lines] SCHEMA FILE...: hold JSON documents against a JSON schema. With --lines each line of
each file is one. Prints what is wrong and how many documents there were; exit status 1 when any is wrong."""
import json
import sys

import jsonschema

args = sys.argv[1:]
lines = args[0] == "--lines"
args = args[lines:]
with open(args[0], encoding="utf-8") as f:
    schema = json.load(f)
checker = jsonschema.validators.validator_for(schema)(schema)
count = bad = 0
for name in args[1:]:
    with open(name, encoding="utf-8") as f:
        texts = f.read().splitlines() if lines else [f.read()]
    for text in texts:
        count += 1
        try:
            for e in checker.iter_errors(json.loads(text)):
                bad += 1
                print(f"{name}: {list(e.absolute_path)}: {e.message[:300]}")
        except ValueError as e:
            bad += 1
            print(f"{name}: no JSON: {e}: {text[:300]}")
print(f"{count} documents, {bad} errors")
sys.exit(bad > 0)
