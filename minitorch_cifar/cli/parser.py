"""The argument parser: `argparse`, with errors of one line in plain words that guess what was meant."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterable
from typing import NoReturn

__all__ = ["Parser"]

KINDS = {"int": "a whole number", "float": "a number"}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: error: {in_plain_words(message)} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)

    def refuse_unknown(self, arguments: list[str]) -> NoReturn:
        """The error for arguments that nobody asked for, with the option that is spelled most like them."""
        known = [name for action in self._actions for name in action.option_strings]
        guess = did_you_mean(arguments[0].partition("=")[0], known)
        kind = "option" if arguments[0].startswith("-") else "argument"
        self.error(f"unknown {kind} {arguments[0]}{guess}")


def in_plain_words(message: str) -> str:
    """What argparse says about a wrong value, said for people who do not program.

    >>> in_plain_words("argument --epochs: invalid int value: '1.5'")
    '--epochs takes a whole number, not 1.5'
    >>> in_plain_words("argument COMMAND: invalid choice: 'trian' (choose from 'train', 'eval')")
    'there is no command trian; did you mean train?'
    """
    if found := re.fullmatch(r"argument (\S+): invalid (int|float) value: '(.*)'", message):
        return f"{found[1]} takes {KINDS[found[2]]}, not {found[3]}"
    if found := re.fullmatch(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", message):
        choices = [choice.strip(" '") for choice in found[3].split(",")]
        listed = f"; choose from {', '.join(choices)}"
        if found[1].startswith("-"):
            return f"{found[1]} cannot be {found[2]}{listed}"
        return f"there is no {found[1].lower()} {found[2]}{did_you_mean(found[2], choices) or listed}"
    return re.sub(r"^argument (-\S+): expected", r"\1: expected", message)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A guess in words; nothing when no known word is like `word`."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
