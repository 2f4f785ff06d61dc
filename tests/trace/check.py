#!/usr/bin/env python3
"""check.py FILE [EXPRESSION...]: hold an execution trace against the Trace Event Format, and against what its states
must be; then each expression, of what was counted, must be true. Names that expressions may use: see facts()."""
import bisect
import json
import sys
from collections import defaultdict

PROCS, GOROUTINES, REGIONS = 1, 2, 3
REQUIRED = {  # of the Trace Event Format, by phase
    "X": {"name", "cat", "pid", "tid", "ts", "dur"},
    "i": {"name", "cat", "pid", "tid", "ts", "s"},
    "s": {"name", "cat", "pid", "tid", "ts", "id"},
    "f": {"name", "cat", "pid", "tid", "ts", "id", "bp"},
    "C": {"name", "pid", "ts", "args"},
    "M": {"name", "pid", "tid", "args"},
}
STATES = {"running", "runnable", "syscall"}


def fail(text):
    sys.exit(f"{sys.argv[1]}: {text}")


def ns(us):
    return round(us * 1000)


def need(truth, text):
    if not truth:
        fail(text)


class Slice:
    def __init__(self, e):
        self.e, self.name, self.cat = e, e["name"], e["cat"]
        self.start = ns(e["ts"])
        self.end = self.start + ns(e["dur"])
        self.args = e.get("args", {})


def shape(e, head):
    """The fields of one event."""
    phase = e.get("ph")
    need(phase in REQUIRED, f"phase of {e}")
    need(not REQUIRED[phase] - e.keys(), f"fields missing in {e}")
    for key in ("pid", "tid"):
        need(isinstance(e.get(key, 0), int), f"{key} of {e}")
    need(isinstance(e["name"], str) and e["name"], f"name of {e}")
    if phase == "M":
        need(e["name"] in ("process_name", "process_sort_index", "thread_name", "thread_sort_index"), f"{e}")
        return
    at = ns(e["ts"])
    need(head["from_ns"] <= at <= head["to_ns"], f"outside of the trace: {e}")
    if phase == "X":
        need(e["dur"] >= 0 and at + ns(e["dur"]) <= head["to_ns"], f"duration of {e}")
    if phase == "i":
        need(e["s"] in "tpg", f"scope of {e}")
    if phase == "f":
        need(e["bp"] == "e", f"binding of {e}")
    if phase == "C":
        need(e["args"] and all(isinstance(v, (int, float)) and v >= 0 for v in e["args"].values()), f"{e}")


def no_overlap(slices, what):
    for a, b in zip(slices, slices[1:]):
        need(a.end <= b.start, f"{what}: {a.e} and {b.e} overlap")


def nested(slices, what):
    stack = []
    for s in sorted(slices, key=lambda s: (s.start, -s.end)):
        while stack and stack[-1].end <= s.start:
            stack.pop()
        need(not stack or s.end <= stack[-1].end, f"{what}: {s.e} is not within {stack[-1].e if stack else None}")
        stack.append(s)


def around(slices, at):
    """The slice, of slices in order, that is open at `at`; two may meet there: the later one."""
    i = bisect.bisect_right(slices, at, key=lambda s: s.start)
    return slices[i - 1] if i and at <= slices[i - 1].end else None


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        doc = json.load(f)
    need(set(doc) == {"displayTimeUnit", "otherData", "traceEvents"} and doc["displayTimeUnit"] == "ns", "top level")
    head, events = doc["otherData"], doc["traceEvents"]
    tracks, named, flows, instants, counters = defaultdict(list), {}, defaultdict(list), [], []
    for e in events:
        shape(e, head)
        key = (e["pid"], e.get("tid"))
        if e["ph"] == "X":
            tracks[key].append(Slice(e))
        elif e["ph"] in "sf":
            flows[e["id"]].append(e)
        elif e["ph"] == "i":
            instants.append(e)
        elif e["ph"] == "C":
            counters.append(e)
        elif e["name"] == "thread_name":
            need(key not in named, f"{key} is named twice")
            named[key] = e["args"]["name"]
    for key, slices in tracks.items():
        need(key in named, f"track {key} has no name")
        if key[0] == REGIONS:
            nested(slices, key)
            continue
        for a, b in zip(slices, slices[1:]):
            need(a.start <= b.start, f"track {key} goes back in time: {a.e}, {b.e}")
        no_overlap(slices, key)
        if key[0] == GOROUTINES:  # in one state at any time: they add up to its life
            for a, b in zip(slices, slices[1:]):
                need(a.end == b.start, f"a gap between {a.e} and {b.e}")
                # on a seeded run's clock what lies between two may take no time
                need(a.name != b.name or head["clock"] == "seeded", f"{a.e} and {b.e} are one state")
            for s in slices:
                need((s.cat == "state") == (s.name in STATES), f"state {s.e}")
    on_p = defaultdict(list)
    for (pid, p), slices in tracks.items():
        if pid == PROCS:
            for s in slices:
                on_p[s.args["g"]].append(s)
    for g, slices in on_p.items():
        slices.sort(key=lambda s: s.start)
        no_overlap(slices, f"goroutine {g} on two processors")
    for (pid, g), slices in tracks.items():
        if pid == GOROUTINES:
            for s in slices:
                if s.name == "running" and s.cat == "state" and "p" in s.args:
                    r = around(on_p[g], s.start)
                    need(r and s.end <= r.end, f"{s.e} is on no processor")
    for number, pair in flows.items():
        need(sorted(e["ph"] for e in pair) == ["f", "s"], f"flow {number}: {pair}")
        s, f = sorted(pair, key=lambda e: e["ph"], reverse=True)
        need(ns(s["ts"]) <= ns(f["ts"]), f"flow {number} goes back in time: {pair}")
        need(around(tracks[GOROUTINES, s["tid"]], ns(s["ts"])), f"flow {number} comes from nowhere: {s}")
        to = around(tracks[GOROUTINES, f["tid"]], ns(f["ts"]))
        need(to and to.start == ns(f["ts"]) and to.name == "running", f"flow {number} goes nowhere: {f}")
    check_expressions(head, tracks, named, flows, instants, counters)


def check_expressions(head, tracks, named, flows, instants, counters):
    by_state, regions, per_g = defaultdict(list), defaultdict(list), defaultdict(lambda: defaultdict(list))
    for (pid, tid), slices in tracks.items():
        for s in slices:
            if pid == GOROUTINES:
                by_state[s.name].append(s)
                per_g[named[pid, tid].partition(" ")[2]][s.name].append(s)
            elif pid == REGIONS:
                regions[s.name].append(s)
    facts = {
        "head": head,
        "lost": head["lost"],
        "names": sorted(n.partition(" ")[2] for (pid, _), n in named.items() if pid == GOROUTINES),
        "states": by_state,  # name -> slices, of all goroutines
        "of": per_g,  # goroutine's name -> state -> slices
        "regions": regions,
        "logs": [(e["name"], e["args"]["message"]) for e in instants if e["cat"] == "log"],
        "starts": [e for e in instants if e["name"] == "proc start"],
        "procs": sorted(tid for pid, tid in tracks if pid == PROCS),
        "flows": len(flows),
        "counters": {e["name"] for e in counters},
        "memory": [e["args"] for e in counters if e["name"] == "memory"],
        "why": lambda w: sum(s.args.get("why") == w for s in by_state["runnable"]),
        "ns": lambda slices: sum(s.end - s.start for s in slices),
    }
    for text in sys.argv[2:]:
        if not eval(text, {}, facts):  # pylint: disable=eval-used
            fail(f"not so: {text}\n{ {k: len(v) for k, v in by_state.items()} }\n{facts['names']} {facts['logs']} {list(regions)}")


main()
