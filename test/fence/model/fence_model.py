"""Exhaustive model of the lease fence (docs/fence.md): one key, one worker that may stop at any point, one
janitor, a few changes, unbounded time. A renewal takes its snapshot and commits its row in two steps, as a
statement in Postgres does. A change gets its epoch after its commit, at any time before its fence lists. Property: a read that starts after the change to version v was reported as done
returns a version >= v.

    python3 fence_model.py             the protocol: the property holds
    python3 fence_model.py MUTANT      one rule broken: prints a shortest path to a stale read
    MUTANT: lease-from-receive fill-unchecked join-unchecked join-unleased register-with-renew no-lease-check
            number-before-commit list-unnumbered no-drop no-wait list-skips-silent delete-by-wall-clock janitor-unconditional fence-deletes-unconditional
    A load may be joined at any time, and is checked when it returns. A listed worker whose row is gone counts as done.
    Environment: L, the lease in ticks (2); CHANGES, the number of changes (2: some faults need a second one)
"""
import os
import sys
from collections import deque, namedtuple

L = int(os.environ.get("L", 2))
CHANGES = int(os.environ.get("CHANGES", 2))
MUT = sys.argv[1] if len(sys.argv) > 1 else ""

# Times are ages and remainders in ticks, capped at the lease, so the horizon is unbounded.
# v, n: version and epoch in the database. done: newest version reported done.
# change: (stage, ticks since the list was taken, was the worker listed); stage 0 idle, 1 committed, 2 has its epoch,
# 3 listed.
# row: None or (applied epoch, renewed since the janitor's look, renewed since the fence's list). jan: None or ticks since its look.
# silent: ticks since the row was last renewed (only for one mutant).
# reg: 0 not registered, 1 sent, 2 inserted, 3 registered. renew: None, ('sent', ticks since, applied),
# ('snapshot', ticks since, applied, epoch) or ('result', ticks since, epoch or None). lease: ticks left.
# entry: the cached version or 0. loads: (stage, owner's floor, version, snapshot's epoch, joiner's floor or -1).
S = namedtuple("S", "v n done change row jan silent reg renew applied lease entry loads")
START = S(1, 0, 1, (0, 0, False), None, None, 0, 0, None, 0, 0, 0, ())


class Stale(Exception):
    pass


def returns(floor, version, how):
    if version < floor:
        raise Stale(f"{how} returned version {version}, {floor} was done")


def steps(s):
    out = []

    def step(name, **change):
        after = s._replace(**change)
        out.append((name, after._replace(loads=tuple(sorted(after.loads)))))

    def older(age):
        return min(age + 1, L)

    leased = s.lease > 0 or MUT == "no-lease-check"
    step("tick",
         lease=max(s.lease - 1, 0),
         change=(s.change[0], older(s.change[1]), s.change[2]) if s.change[0] == 3 else s.change,
         jan=None if s.jan is None else older(s.jan),
         silent=older(s.silent) if MUT == "list-skips-silent" else 0,
         renew=s.renew and (s.renew[0], older(s.renew[1])) + s.renew[2:])

    # The change and its fence.
    stage, since, listed = s.change
    if stage == 0 and s.v <= CHANGES:
        if MUT == "number-before-commit":
            step("number", n=s.n + 1, change=(1, 0, False))
        else:
            step("commit", v=s.v + 1, change=(1, 0, False))
    if stage == 1:
        if MUT == "number-before-commit":
            step("commit", v=s.v + 1, change=(2, 0, False))
        else:
            step("number", n=s.n + 1, change=(2, 0, False))
    if stage == 2 or (stage == 1 and MUT == "list-unnumbered"):
        skip = MUT == "list-skips-silent" and s.silent >= L
        step("list", change=(3, 0, s.row is not None and not skip),
             row=s.row and (s.row[0], s.row[1], False))
    if stage == 3:
        acked = s.row is None or s.row[0] >= s.n
        waited = since >= L
        if not listed or acked or MUT == "no-wait":
            step("done", done=s.v, change=(0, 0, False))
        elif waited:
            silent = s.row is not None and not s.row[2]
            delete = silent or MUT == "fence-deletes-unconditional"
            step("done, row deleted" if delete else "done, waited", done=s.v, change=(0, 0, False),
                 row=None if delete else s.row)

    # The janitor: deletes a row that has not been renewed for a whole lease by its own clock.
    if s.row and s.jan is None:
        step("janitor looks", jan=0, row=(s.row[0], False, s.row[2]))
    if s.jan is not None:
        if s.row and s.jan >= L and (not s.row[1] or MUT == "janitor-unconditional"):
            step("janitor deletes", row=None, jan=None)
        elif s.row is None or s.row[1]:
            step("janitor forgets", jan=None)
    if MUT == "delete-by-wall-clock" and s.row:
        step("clock jumps, row deleted", row=None)

    # The worker: registration, renewal.
    if s.reg == 0 and s.renew is None:
        step("register sent", reg=1)
    if s.reg == 1:
        if MUT == "register-with-renew":
            step("registered", reg=3)
        else:
            step("row inserted", reg=2, row=s.row or (0, True, True), silent=0)
    if s.reg == 2:
        step("registered", reg=3, entry=0, lease=0)
    if s.reg == 3 and s.renew is None:
        step("renew sent", renew=("sent", 0, s.applied))
    if s.renew and s.renew[0] == "sent":
        step("renew's snapshot", renew=("snapshot", s.renew[1], s.renew[2], s.n))
    if s.renew and s.renew[0] == "snapshot":
        _, age, applied, epoch = s.renew
        if s.row or MUT == "register-with-renew":
            step("renew's commit", row=(applied, True, True), silent=0, renew=("result", age, epoch))
        else:
            step("renew finds no row", renew=("result", age, None))
    if s.renew and s.renew[0] == "result":
        _, age, epoch = s.renew
        if epoch is None:
            step("lease lost", renew=None, reg=0, entry=0, lease=0)
        else:
            left = L if MUT == "lease-from-receive" else L - age
            drop = epoch > s.applied and MUT != "no-drop"
            step("renewed", renew=None, applied=max(epoch, s.applied), lease=max(s.lease, left),
                 entry=0 if drop else s.entry)

    # Reads and loads.
    if leased and s.entry:
        returns(s.done, s.entry, "hit")
    else:
        if len(s.loads) < 2:
            step("load sent", loads=s.loads + ((0, s.done, 0, 0, -1),))
        for i, load in enumerate(s.loads):
            if load[4] == -1:
                joined = load[:4] + (s.done,)
                step("joined", loads=s.loads[:i] + (joined,) + s.loads[i + 1:])
    for i, load in enumerate(s.loads):
        rest = s.loads[:i] + s.loads[i + 1:]
        if load[0] == 0:
            taken = (1, load[1], s.v, s.n, load[4])
            step("load's snapshot", loads=s.loads[:i] + (taken,) + s.loads[i + 1:])
            continue
        _, owner, version, snapshot, joiner = load
        returns(owner, version, "own load")
        fresh = snapshot >= s.applied
        entry = version if fresh or MUT == "fill-unchecked" else s.entry
        if joiner != -1:
            if (leased and fresh) or MUT in ("join-unchecked", "join-unleased"):
                returns(joiner, version, "joined load")
            elif len(rest) < 2:
                rest = rest + ((0, joiner, 0, 0, -1),)
        step("load received", loads=rest, entry=entry)
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
    print(f"{MUT or 'protocol'}: holds in all {count} states (lease {L} ticks, {CHANGES} changes, time unbounded)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
