"""Writes the sources of plugins/raft with all mutants in them, each switched on by its number.

Usage: mutate.py ROOT OUTPUT       writes OUTPUT/NAME.cpp for every source that has a mutant
       mutate.py --list            prints their names, for CMake

A mutant is a mistake that implementations of Raft have really made. Where the sources do not have
the text that is to be replaced, exactly once, this fails: a mutant that is no more proves nothing."""

import pathlib
import sys

# (number, file, right, wrong): expressions
EXPRESSIONS = [
    (1, "core/commit.cpp", "index > commit_ && index >= start_index_", "index > commit_"),
    (4, "core/append_entries.cpp", "std::min(message.commit_index, proved)",
     "std::min<std::uint64_t>(message.commit_index, log_.last_index())"),
    (17, "core/replication.cpp", "std::min(commit_, previous + count)", "commit_"),
    (6, "core/vote.cpp", "!ballot_.candidate.empty() && ballot_.candidate != candidate", "false"),
    (8, "core/append_entries.cpp",
     "message.entries.empty() ? ballot_write_ : std::max(ballot_write_, log_write_)", "ballot_write_"),
    (10, "core/vote.cpp", "log_.last_index() > index", "log_.last_index() < index"),
    (11, "core/membership.cpp", "configurations_.latest_index() > commit_ || commit_ < start_index_", "false"),
    (13, "core/snapshot.cpp", "log_.term(meta.index) == meta.term", "log_.last_index() >= meta.index"),
    (14, "core/answers.cpp", "election_term_ == sent.term", "true"),
    (14, "core/answers.cpp", "role_ == Role::Leader && sent.term == ballot_.term) peer",
     "role_ == Role::Leader) peer"),
    (15, "core/calls.cpp", "reads_.front().round <= confirmed", "true"),
]

# The same for statements.
STATEMENTS = [
    (2, "core/leadership.cpp", "append_own(raftwire::EntryType::Noop, {}, {});", ""),
    (3, "core/answers.cpp", "replicated(peer, sent);",
     "replicated(peer, sent); "
     "peer.match = std::max(peer.match, std::min(entries->last_index, log_.last_index()));"),
    (5, "core/vote.cpp", "save_ballot(ballot_.term, candidate);", "ballot_.candidate = candidate;"),
    (7, "core/leadership.cpp", "role_ = Role::Follower;", "role_ = Role::Follower; ballot_.candidate.clear();"),
    (9, "log/log.cpp", "add(RecordKind::Truncate, {index, 0, {}, {}, {}});", ""),
    (9, "log/log_open.cpp", "if (index != last_index() + 1) return false;",
     "if (index != last_index() + 1) return index <= last_index();"),
    (12, "core/append_entries.cpp", "configurations_.truncate(index);", ""),
    (16, "core/vote.cpp", "reply.term = message.term;",
     "become_follower(message.term, now_); reply.term = message.term;"),
]

# Mutant 17 is a leader's mistake that harms followers that make mutant 4's, as those in Go do.
ALSO = {4: "(mutant == 4 || mutant == 17)"}


def condition(number):
    return ALSO.get(number, f"mutant == {number}")


def replacements():
    for number, file, right, wrong in EXPRESSIONS:
        if right.endswith(") peer"):  # the condition of an if, which needs its own parenthesis
            yield file, right, f"{condition(number)} ? {wrong[:-6]} : {right[:-6]}) peer"
        else:
            yield file, right, f"({condition(number)} ? ({wrong}) : ({right}))"
    for number, file, right, wrong in STATEMENTS:
        yield file, right, f"if ({condition(number)}) {{ {wrong} }} else {{ {right} }}"


def files():
    return sorted({file for file, _, _ in replacements()})


def main(root, output):
    for file in files():
        source = pathlib.Path(root, "plugins/raft", file)
        text = source.read_text()
        for where, right, wrong in replacements():
            if where != file:
                continue
            if text.count(right) != 1:
                sys.exit(f"{source}: {right!r} is there {text.count(right)} times")
            text = text.replace(right, wrong)
        text = "namespace switchyard::raft { extern int mutant; }\n" + text
        target = pathlib.Path(output, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        print(";".join(files()), end="")
    else:
        main(*sys.argv[1:])
