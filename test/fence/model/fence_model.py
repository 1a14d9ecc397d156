"""Exhaustive model of the lease fence (docs/fence.md): one key, one worker that may stop at any point, one
janitor, a few changes, unbounded time. A renewal takes its snapshot and commits its row in two steps, as a
statement in Postgres does. A change gets its epoch after its commit, at any time before its fence lists. Property: a
read that starts after the change to version v was reported as done returns a version >= v.

    python3 fence_model.py             the protocol: the property holds
    python3 fence_model.py MUTANT      one rule broken: prints a shortest path to a stale read
    MUTANT: lease-from-receive fill-unchecked join-unchecked join-unleased register-with-renew no-lease-check
            number-before-commit list-unnumbered no-drop no-wait list-skips-silent delete-by-wall-clock janitor-unconditional fence-deletes-unconditional
            lineage-unchecked unknown-not-waited back-unnoticed (these three with BACK=1)
            asked-once asked-when-made-only lease-uncompared-at-send change-uncompared-at-send swap-after-redirect
            held-after-read request-uncounted reveal-uncounted vanished-clear (these with REQUEST=1)
    A load may be joined at any time, and is checked when it returns. A listed worker whose row is gone counts as done.
    Environment: BACK, whether the database is restored once to before its first change (0). There are two CHANGES, with
    BACK in each lineage: some faults need a second one. Without BACK, the lease L is two ticks, and there are two LOADS
    at a time; with BACK, each is one. Within these bounds all states are visited. Versions of the second lineage are
    numbered from 11, and each is newer than all of the first. REQUEST, whether a step of the worker makes one request
    after the other, or has the credential revealed, while changes are also drained (0). L and LOADS are one then, no
    janitor runs, and what reads return is not looked at.
    Properties: the version in a head that is written under the lease is >= any that was reported as done, and in one
    without a lease >= any that was done when the request was made; when a drain ends, nothing holds an older version.
"""
import os
import sys
from collections import deque, namedtuple

BACK = int(os.environ.get("BACK", 0))
REQUEST = int(os.environ.get("REQUEST", 0))
L = LOADS = 1 if BACK or REQUEST else 2
CHANGES = 2
MUT = sys.argv[1] if len(sys.argv) > 1 else ""

# Times are ages and remainders in ticks, capped at the lease, so the horizon is unbounded.
# v, n: version and epoch in the database. done: newest version reported done.
# change: (stage, ticks since the list was taken, was the worker listed); stage 0 idle, 1 committed, 2 has its epoch,
# 3 listed.
# row: None or (applied epoch, renewed since the janitor's look, renewed since the fence's list, the older version that
# it reports as held or 0). jan: None or ticks since its look.
# silent: ticks since the row was last renewed (only for one mutant).
# reg: 0 not registered, 1 sent, 2 inserted, 3 registered. renew: None, ('sent', ticks since, applied, held),
# ('snapshot', ticks since, applied, held, epoch) or ('result', ticks since, epoch or None). lease: ticks left.
# entry: the cached version or 0. loads: (stage, owner's floor, version, snapshot's epoch, joiner's floor or -1).
# With BACK: g, the lineage: 0, 1 restored and nobody has noticed, 2 begun. wg: the lineage in which the worker registered.
# unknown: None, or the row of unknown workers: (is it there, ticks since the janitor's look or None). The fence's change
# and each load have the lineage that they saw.
# With REQUEST: req, None or (stage, kind, version or 0, has a change been applied since it began to hold, was it read
# under the lease, what was done when it was made, its snapshot's epoch). It waits for a load, has sent its own, has that
# one's snapshot, has opened a version, or has written its head. drained: the newest version whose drain has ended.
# vanished: None or what a vanished row says, (applied epoch, held).
S = namedtuple("S", "v n done change row jan silent reg renew applied lease entry loads g wg unknown req drained vanished")
START = S(1, 0, 1, (0, 0, False, False, 0), None, None, 0, 0, None, 0, 0, 0, (), 0, 0, None, None, 1, None)


class Stale(Exception):
    pass


def returns(floor, version, how):
    if version < floor:
        raise Stale(f"{how} returned version {version}, {floor} was done")


def outdated(req):
    """What a change of the workspace that is applied now, or an emptied cache, means for what is held."""
    if req is None or (MUT == "held-after-read" and req[0] in ("waits", "sent", "snapshot")):
        return req
    return req[:3] + (True,) + req[4:]


def held(req):
    """What a renewal reports. Before it is known which version is opened, it may be the first."""
    if req is None or not req[3] or MUT == req[1] + "-uncounted":
        return 0
    return req[2] or 1


def opened(req, version, leased):
    """A revealed credential is used at once, and for as long as the step likes. A request has to be connected first."""
    _, kind, _, is_outdated, _, floor, _ = req
    if kind == "reveal":
        returns(floor, version, "reveal()")
        return ("written", kind, version, is_outdated, False, 0, 0)
    return ("opened", kind, version, is_outdated, leased, 0 if leased else floor, 0)


def request_steps(s, step, leased):
    req = s.req
    if req is None:
        if s.reg != 3 and not s.row and not s.vanished:
            return  # the first read waits for the row
        for kind in ("request", "reveal"):
            made = ("waits", kind, 0, False, False, s.done, 0)
            if MUT == "asked-once" and kind == "request":
                step("request made", req=opened(made, 1, leased))
            elif leased and s.entry:
                step(kind + " made", req=opened(made, s.entry, True))
            else:
                step(kind + " made", req=("sent",) + made[1:])
                if s.loads:
                    step(kind + " made, joins a load", req=made)
        return
    stage, kind, version, is_outdated, is_leased, floor, snapshot = req
    if stage == "sent":
        step(kind + "'s snapshot", req=("snapshot", kind, s.v, is_outdated, False, floor, s.n))
    if stage == "snapshot":
        fresh = snapshot >= s.applied
        step(kind + " opened", req=opened(req, version, leased), entry=version if fresh else s.entry)
    if stage == "opened" or (stage == "written" and kind == "request" and MUT == "swap-after-redirect"):
        is_current = ((not is_outdated or MUT == "change-uncompared-at-send")
                      and (not is_leased or leased or MUT == "lease-uncompared-at-send"))
        if is_current or MUT in ("asked-once", "asked-when-made-only") or stage == "written":
            returns(max(s.done if is_leased else floor, s.drained), version, "a head")
            step("head written", req=("written",) + req[1:])
        else:
            step("head refused", req=None)
    if stage == "written":
        step(kind + " ends", req=None)
        if kind == "request":
            step("connection dropped, sent again", req=("opened",) + req[1:])


def drain_steps(s, step):
    """Looks at the row of the worker after the fence, also at one that has vanished."""
    if s.change[0] or s.done < s.v or s.drained == s.done:
        return
    row = (s.row[0], s.row[3]) if s.row else s.vanished
    is_clear = row is None or (row[0] >= s.n and not 0 < row[1] < s.done)
    if is_clear or (MUT == "vanished-clear" and not s.row):
        if s.req and s.req[0] == "written" and s.req[2] < s.done:
            raise Stale(f"a drain of {s.done} ended while a {s.req[1]} held version {s.req[2]}")
        step("drained", drained=s.done)


def steps(s):
    out = []

    def step(name, **change):
        after = s._replace(**change)
        out.append((name, after._replace(loads=tuple(sorted(after.loads)))))

    def older(age):
        return min(age + 1, L)

    def begun():
        """What the first statement that asks for the lineage does after a restore: no row of the old one is live."""
        if s.g != 1 or MUT == "back-unnoticed":
            return {}
        return {"g": 2, "row": None, "jan": None, "unknown": (True, None)}

    def gone():
        """A row that vanishes. Drains still read it."""
        return {"row": None, "vanished": (s.row[0], s.row[3]) if REQUEST and s.row else s.vanished}

    leased = s.lease > 0 or MUT == "no-lease-check"
    step("tick",
         lease=max(s.lease - 1, 0),
         change=(s.change[0], older(s.change[1])) + s.change[2:] if s.change[0] == 3 else s.change,
         unknown=s.unknown and (s.unknown[0], None if s.unknown[1] is None else older(s.unknown[1])),
         jan=None if s.jan is None else older(s.jan),
         silent=older(s.silent) if MUT == "list-skips-silent" else 0,
         renew=s.renew if not s.renew or s.renew[0] == "registered" else
         (s.renew[0], older(s.renew[1])) + s.renew[2:])

    # The database is restored to before its first change: to a time when the worker was registered, or not yet.
    if BACK and s.g == 0:
        answered = s.renew
        if s.renew and s.renew[0] == "snapshot":
            answered = ("result", s.renew[1], s.renew[4] if s.row else None)
        for kept in {None, s.row and (0, True, True, 0)}:
            step("restored" if kept is None else "restored, row kept", v=11, n=0, g=1, row=kept, jan=None, renew=answered)

    # The change and its fence.
    stage, since, listed, unknown_listed, seen_g = s.change
    if stage == 0 and s.v % 10 <= CHANGES:
        if MUT == "number-before-commit":
            step("number", n=s.n + 1, change=(1, 0, False, False, s.g))
        else:
            step("commit", v=s.v + 1, change=(1, 0, False, False, s.g))
    if stage == 1:
        if MUT == "number-before-commit":
            step("commit", v=s.v + 1, change=(2, 0, False, False, s.g))
        else:
            after = begun()
            lost = s.g and seen_g == 0
            step("number", **{**after, "n": s.n if lost else s.n + 1, "change": (2, 0, False, False, after.get("g", s.g))})
    if stage == 2 or (stage == 1 and MUT == "list-unnumbered"):
        skip = MUT == "list-skips-silent" and s.silent >= L
        there = s.unknown is not None and s.unknown[0] and MUT != "unknown-not-waited"
        step("list", change=(3, 0, s.row is not None and not skip, there, seen_g),
             row=s.row and s.row[:2] + (False, s.row[3]))
    if stage == 3:
        acked = s.row is None or s.row[0] >= s.n
        cleared = not unknown_listed or s.unknown is None or not s.unknown[0]
        waited = since >= L
        if seen_g != s.g and MUT != "back-unnoticed":
            step("fence refused", **{**begun(), "change": (0, 0, False, False, 0)})
        elif (not listed or acked) and cleared or MUT == "no-wait":
            step("done", done=s.v, change=(0, 0, False, False, 0))
        elif waited:
            silent = s.row is not None and not s.row[2]
            delete = silent or MUT == "fence-deletes-unconditional"
            step("done, row deleted" if delete else "done, waited",
                 **{"done": s.v, "change": (0, 0, False, False, 0), **(gone() if delete else {}),
                    "unknown": None if unknown_listed else s.unknown})
    if BACK and s.g and stage == 0 and s.done < s.v:
        step("fence without a change", change=(1, 0, False, False, 0))

    # The janitor: deletes a row that has not been renewed for a whole lease by its own clock.
    if s.row and s.jan is None and not REQUEST:
        step("janitor looks", jan=0, row=(s.row[0], False) + s.row[2:])
    if s.jan is not None:
        if s.row and s.jan >= L and (not s.row[1] or MUT == "janitor-unconditional"):
            step("janitor deletes", **{**gone(), "jan": None})
        elif s.row is None or s.row[1]:
            step("janitor forgets", jan=None)
    if MUT == "delete-by-wall-clock" and s.row:
        step("clock jumps, row deleted", **gone())

    if s.unknown and s.unknown[1] is None:
        step("janitor looks at the unknown", unknown=(True, 0))
    elif s.unknown and s.unknown[1] >= L:
        step("janitor clears the unknown", unknown=None)

    # The worker: registration, renewal.
    if s.reg == 0 and s.renew is None:
        step("register sent", reg=1)
    if s.reg == 1:
        if MUT == "register-with-renew":
            step("registered", reg=3)
        else:
            after = begun()
            row = after.get("row", s.row)
            again = (s.vanished[0], True, True, s.vanished[1]) if s.vanished else (0, True, True, 0)
            step("row inserted", **{**after, "reg": 2, "row": row or again, "silent": 0, "vanished": None,
                                    "renew": ("registered", after.get("g", s.g))})
    if s.reg == 2:
        step("registered", reg=3, entry=0, lease=0, applied=0, wg=s.renew[1], renew=None, req=outdated(s.req))
    if s.reg == 3 and s.renew is None:
        step("renew sent", renew=("sent", 0, s.applied, held(s.req)))
    if s.renew and s.renew[0] == "sent":
        after = begun()
        if after.get("g", s.g) != s.wg and MUT != "back-unnoticed":
            step("renew is of another lineage", **{**after, "renew": ("result", s.renew[1], None)})
        else:
            step("renew's snapshot", **{**after, "renew": ("snapshot",) + s.renew[1:] + (s.n,)})
    if s.renew and s.renew[0] == "snapshot":
        _, age, applied, reported, epoch = s.renew
        if s.row or MUT == "register-with-renew":
            newest = max(applied, s.row[0]) if REQUEST and s.row else applied
            step("renew's commit", row=(newest, True, True, reported), silent=0, renew=("result", age, epoch))
        else:
            step("renew finds no row", renew=("result", age, None))
    if s.renew and s.renew[0] == "result":
        _, age, epoch = s.renew
        if epoch is None:
            step("lease lost", renew=None, reg=0, entry=0, lease=0, req=outdated(s.req))
        else:
            left = L if MUT == "lease-from-receive" else L - age
            drop = epoch > s.applied and MUT != "no-drop"
            step("renewed", renew=None, applied=max(epoch, s.applied), lease=max(s.lease, left),
                 entry=0 if drop else s.entry, req=outdated(s.req) if drop else s.req)

    # Reads and loads.
    if leased and s.entry:
        returns(s.done, s.entry, "hit")
    else:
        if len(s.loads) < LOADS:
            step("load sent", loads=s.loads + ((0, 0 if REQUEST else s.done, 0, 0, -1, 0),))
        for i, load in enumerate(s.loads):
            if load[4] == -1 and not REQUEST:
                joined = load[:4] + (s.done, load[5])
                step("joined", loads=s.loads[:i] + (joined,) + s.loads[i + 1:])
    for i, load in enumerate(s.loads):
        rest = s.loads[:i] + s.loads[i + 1:]
        if load[0] == 0:
            taken = (1, load[1], s.v, s.n, load[4], s.g)
            step("load's snapshot", loads=s.loads[:i] + (taken,) + s.loads[i + 1:])
            continue
        _, owner, version, snapshot, joiner, load_g = load
        returns(owner, version, "own load")
        fresh = snapshot >= s.applied and (load_g == s.wg or MUT in ("lineage-unchecked", "back-unnoticed"))
        entry = version if fresh or MUT == "fill-unchecked" else s.entry
        if joiner != -1:
            if (leased and fresh) or MUT in ("join-unchecked", "join-unleased"):
                returns(joiner, version, "joined load")
            elif len(rest) < LOADS:
                rest = rest + ((0, joiner, 0, 0, -1, 0),)
        req = s.req
        if req and req[0] == "waits":
            req = opened(req, version, True) if leased and fresh else ("sent",) + req[1:]
        step("load received", loads=rest, entry=entry, req=req)
    if REQUEST:
        request_steps(s, step, leased)
        drain_steps(s, step)
    return out


def main():
    came_from, queue, count = {START: None}, deque([START]), 0
    while queue:
        state = queue.popleft()
        count += 1
        try:
            following = steps(state)
        except Stale as stale:
            path = []
            while came_from[state]:
                before, name = came_from[state]
                path.append(name)
                state = before
            print(f"{MUT or 'protocol'}: STALE after {count} states: {stale}\n  " + " · ".join(reversed(path)))
            return 1
        for name, after in following:
            if after not in came_from:
                came_from[after] = (state, name)
                queue.append(after)
    print(f"{MUT or 'protocol'}: holds in all {count} states (lease {L} ticks, {LOADS} loads, {CHANGES} changes, "
          f"{BACK} restores, {REQUEST} requests at a time, time unbounded)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
