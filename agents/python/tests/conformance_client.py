"""The client under test of protocol/conformance/run.ts: its rewards, while it loses its connection twice."""

import json
import sys

import learning_to_simulate as lts

url, codec = sys.argv[1:]
with lts.connect(url, "Conformance-v0", codec=codec) as environment:
    print(json.dumps([result.require() for result in environment.evaluate([[i / 12, -i / 12] for i in range(12)])]))
