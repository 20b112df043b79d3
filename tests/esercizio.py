"""Holds the `varco` commands of a document against those that scripts ran: esercizio.py DOCUMENT RUNS SCRIPT..."""

import re
import sys


def form(words):
    """A command without its values: its subcommands, and the set of its options."""
    command = []
    for word in words:
        if not re.fullmatch(r"[a-z]+", word):
            break
        command.append(word)
    return " ".join(command), frozenset(re.sub("=.*", "", word) for word in words if word.startswith("--")) - {"--config"}


def joined(text):
    """Lines, those that go on after a backslash as one."""
    return re.sub(r"\\\n\s*", " ", text).split("\n")


def of_document(path):
    for line in joined(open(path, encoding="utf-8").read()):
        if line.startswith("    varco "):
            yield form(re.sub(r"\s(#|&&|\|).*", "", line).split()[1:])


def of_scripts(paths):
    for path in paths:
        for line in joined(open(path, encoding="utf-8").read()):
            if line.startswith("varco "):
                # As it was run: a URL may have what ends a command in a script.
                yield form(line.split()[1:])
            for run in re.findall(r'"\$varco" ([^|;)&]*)', line):
                yield form(run.split())


document, *scripts = sys.argv[1:]
told = list(dict.fromkeys(of_document(document)))
run = list(of_scripts(scripts))
missing = [one for one in told if not any(one[0] == command and one[1] <= options for command, options in run)]
for command, options in missing:
    print(f"{document}: nobody ran: varco {' '.join([command, *sorted(options)])}", file=sys.stderr)
print(f"{len(told)} commands of {document}, {len(told) - len(missing)} were run")
sys.exit(1 if missing or not told else 0)
