"""Command lines that were valid before something happened to them: a seeded generator.

A line is drawn from what there is (tasks, algorithms, their settings at their defaults, run settings), then
one or two things happen to it. Of some it is known that no reading of them makes sense (`nonsense`): these
must be refused. Others may be a line of sense again, which may run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from random import Random
from typing import NamedTuple

from harness.cells.settings import Settings
from harness.cli.settings import typed
from harness.core import registry
from harness.core.optimisers import OPTIMISERS
from harness.core.setting import described

SLOW = ("mnist", "digits", "nettalk", "traffic", "family_tree")  # read files, or take seconds an update
BASE = ("run.epochs=2", "run.replicas=2", "tracking.enabled=false", "figures=false")
HUGE = ("1000000000000000", "1" + 21 * "0", "1" + 400 * "0", "-1" + 21 * "0")
UNBOUNDED = ("seed", "segment", "nodes", "connections", "early_sweeps", "elite", "batch", "held")
"""Whole numbers of which any is taken, or refused for another reason."""
STRANGE = (
    "null", "nan", "inf", "-inf", "[]", "[1]", "[1,2,3]", "{}", "{a:1}", "[[1]]", "[{a:[1]}]", "true",
    "false", "-1", "0", "7", "0.5", "1e-5", "1e400", "1_000", "0x10", "abc", "a b", "'a b'", '"a,b"', '""',
    "''", "'", '"', "a#b", "größe", "日本", "😀", "\x00", "\x1b[31m", "a\nb", "\t", "a=b", "a,", ",a", ",",
    "a,,b", "a:b", "${nope}", "${run.epochs}", "${run}", "${", "$", "${oc.env:NOPE}", "${oc.env:HOME}",
    "${nope:1}", "???", "~", "+", "@", "(", ")", "[", "]", "{", "}", "range(1,3)", "range(1,2,0)",
    "range(1,1000000000)", "range(3,1)", "range(0,1,0.000000001)", "choice(1,2)", "choice()",
    "interval(0,1)", "glob(*)", "glob(nothing*)", "glob([1])", "sort(3,2)", "shuffle(1,2)", "int(abc)",
    "str([1,2])", "float(x)", "nope(1)", "tag(a,1)", "extend_list(1)", "../../x", "/dev/null/x", ".", "..",
    "-", "--", "\\", "\\'", "%s", "{0}", "None", "True", "NaN", "1" * 5000, "[" * 60 + "]" * 60, "a" * 300,
    *HUGE,
)  # fmt: skip


class Line(NamedTuple):
    """A command line, what happened to it, and whether it must be refused."""

    arguments: list[str]
    what: str
    nonsense: bool


def lines(seed: int, count: int) -> Iterator[Line]:
    """So many mutated command lines; the first of more are the same."""
    random = Random(seed)
    for _ in range(count):
        arguments = _valid(random)
        happen = random.choice(
            [_value, _value, _value, _value, _shape, _prefix, _name, _foreign, _flag, _word]
        )
        mutated, what, nonsense = happen(random, arguments)
        if random.random() < 0.2:  # a second one, after which nobody knows
            mutated, also, _ = random.choice([_value, _shape, _prefix])(random, mutated)
            what, nonsense = f"{what}, {also}", False
        yield Line(mutated, what, nonsense)


def settings(task: str, algorithm: str) -> dict[str, tuple[type, str]]:
    """Every setting by its dotted name: whose it is, and its default as it is typed."""
    found: dict[str, tuple[type, str]] = {}
    for prefix, cls in (("task", registry.tasks()[task]), ("algorithm", registry.algorithms()[algorithm])):
        found |= _of(prefix, cls)
        for d in described(cls):
            if is_dataclass(d.default):
                found |= _of(f"{prefix}.{d.name}", type(d.default))
    return found | _of("run", Settings)


def _of(prefix: str, cls: type) -> dict[str, tuple[type, str]]:
    return {
        f"{prefix}.{d.name}": (cls, typed(d.default)) for d in described(cls) if not is_dataclass(d.default)
    }


def _valid(random: Random) -> list[str]:
    task = random.choice([name for name in registry.tasks() if name not in SLOW])
    algorithm = random.choice(["backprop", "backprop", *registry.algorithms()])
    arguments = [f"task={task}", f"algorithm={algorithm}"]
    known = settings(task, algorithm)
    for name in random.sample(sorted(known), random.randrange(1, 4)):
        if name not in ("run.epochs", "run.replicas"):
            arguments.append(f"{name}={known[name][1]}")
    random.shuffle(arguments)
    arguments += BASE
    return [*(["-m"] if random.random() < 0.2 else []), *arguments]


def _pick(random: Random, arguments: list[str]) -> int:
    return random.choice([i for i, each in enumerate(arguments) if not each.startswith("-")])


def _value(random: Random, arguments: list[str]) -> tuple[list[str], str, bool]:
    """Another value for one of them, or for a setting that was not given."""
    key = arguments[_pick(random, arguments)].partition("=")[0]
    chosen = dict(each.partition("=")[::2] for each in arguments)
    known: dict[str, tuple[type, str]] = {}
    if chosen.get("task") in registry.tasks() and chosen.get("algorithm") in registry.algorithms():
        known = settings(chosen["task"], chosen["algorithm"])
        if random.random() < 0.6:
            key = random.choice(
                [*known, "store", "small", "figures", "study.name", "study.cells", "tracking.uri"]
            )
    value = random.choice(STRANGE)
    mutated = [each for each in arguments if each.partition("=")[0] != key] + [f"{key}={value}"]
    return mutated, f"{value[:20]!r} for {key}", bool(known) and _must_be_refused(known, key, value)


def _must_be_refused(known: dict[str, tuple[type, str]], key: str, value: str) -> bool:
    """What is stated to be nonsense, by the kind of setting."""
    if key in ("small", "figures"):
        return value not in ("true", "false", "True", "${oc.env:HOME}")
    if key in ("task", "algorithm"):
        return "glob" not in value
    if key not in known:
        return False
    cls, _ = known[key]
    (d,) = [d for d in described(cls) if d.name == key.rpartition(".")[2]]
    optional = "or None" in d.range or d.name == "batch"
    if value == "null":
        return not optional
    if value in (
        "{}",
        "{a:1}",
        "[[1]]",
        "[{a:[1]}]",
        "???",
        "${nope}",
        "a#b",
        "größe",
        "a=b",
        "a,",
        "",
        "~task",
    ):
        return True
    if d.type == "a whole number" and value in HUGE:
        return d.name not in UNBOUNDED or value in HUGE[1:3]
    if d.type in ("a whole number", "a number"):
        return value in ("nan", "inf", "-inf", "abc", "true", "false", "[1]", "'a b'", "None", "1e400")
    if d.type == "True or False":
        return value in ("7", "0", "abc", "0.5", "[1]", "null", "nan", "None")
    return False


def _shape(random: Random, arguments: list[str]) -> tuple[list[str], str, bool]:
    """No =, two of them, no key, a space, or the same twice."""
    i = _pick(random, arguments)
    key, _, value = arguments[i].partition("=")
    new = random.choice(
        [
            key,
            f"{key}{value}",
            f"{key}=={value}",
            f"={value}",
            f"{key} = {value}",
            f"{key}:{value}",
            f"{key}=",
            "",
        ]
    )
    shaped = [*arguments[:i], new, *arguments[i + 1 :]]
    return shaped, f"{new[:40]!r} for {arguments[i]!r}", "=" not in new or new.startswith("=")


def _prefix(random: Random, arguments: list[str]) -> tuple[list[str], str, bool]:
    """Something added, taken away, or put elsewhere."""
    i = _pick(random, arguments)
    key = arguments[i].partition("=")[0]
    sign = random.choice(["+", "++", "~", "@", "~key", "key@", "+new", "++new", "+inner"])
    if sign in ("+", "++", "~", "@"):
        new, nonsense = sign + arguments[i], sign in ("~", "@")
    elif sign == "~key":
        new, nonsense = f"~{key}", bool(key)
    elif sign == "key@":
        new, nonsense = f"{key}@there={random.choice(['xor', 'backprop', '1'])}", True
    elif sign == "+inner":
        new, nonsense = f"+{random.choice(['run', 'study', 'tracking', 'task', 'algorithm'])}.foo=1", True
    else:
        new, nonsense = f"{sign.removesuffix('new')}{random.choice(['lr', 'foo', 'seed'])}=1", True
    return [*arguments[:i], new, *arguments[i + 1 :]], f"{new[:40]!r} for {arguments[i]!r}", nonsense


def _name(random: Random, arguments: list[str]) -> tuple[list[str], str, bool]:
    """A name that is not there."""
    i = _pick(random, arguments)
    key, _, value = arguments[i].partition("=")
    at = random.randrange(len(key))
    wrong = random.choice([key[:at] + key[at + 1 :] + "q", f"{key}.x", f"x.{key}", key.upper(), f"{key}/x"])
    return [*arguments[:i], f"{wrong}={value}", *arguments[i + 1 :]], f"{wrong!r} for {key!r}", wrong != key


def _foreign(random: Random, arguments: list[str]) -> tuple[list[str], str, bool]:
    """Another group's option, or a whole part as one value."""
    names = [
        *registry.tasks(),
        *registry.algorithms(),
        *OPTIMISERS,
        "first_light",
        "pdp1986/xor_shortcut",
        "nope",
    ]
    group = random.choice(
        ["task", "algorithm", "study", "experiment", "algorithm/optimiser", "hydra/launcher"]
    )
    own = {"task": registry.tasks(), "algorithm": registry.algorithms(), "algorithm/optimiser": OPTIMISERS}
    if random.random() < 0.3:
        part = random.choice(
            ["run", "study", "tracking", "task", "algorithm", "hydra", "hydra.sweep", "hydra.run"]
        )
        new = f"{part}={random.choice(['null', '5', '[1]', '{}', '{a:1}', 'abc', '???'])}"
        return [*arguments, new], f"also {new!r}", False
    name = random.choice([n for n in names if n not in ("first_light", *SLOW)])
    return [*arguments, f"{group}={name}"], f"also {group}={name}", group in own and name not in own[group]


def _flag(random: Random, arguments: list[str]) -> tuple[list[str], str, bool]:
    """A flag that is none, or a sweep that is no sweep."""
    new = random.choice(
        ["--nope", "-x", "--multirunn", "--config-name=nope", "--config-dir=/nope", "task=xor,encoder",
         "run.seed=1,2", "algorithm=glob(nothing*)", "run.seed=range(1,10000000)"]
    )  # fmt: skip
    alone = "-m" not in arguments
    return [*arguments, new], f"also {new!r}", alone or new not in ("task=xor,encoder", "run.seed=1,2")


def _word(random: Random, arguments: list[str]) -> tuple[list[str], str, bool]:
    """A word that is no override at all."""
    new = random.choice(
        ["nope", "xor", "help", "task xor", "-", "=", "==", "@", "+", "~", "a@b", "é", "?", "#", "{}"]
    )
    return [*arguments, new], f"also {new!r}", True
