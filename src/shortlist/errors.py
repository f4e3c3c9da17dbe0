"""Every failure that is not our bug: one sentence, an HTTP status, an exit code, a counter's label.

The command line prints the sentence and leaves with ``exit_code``; a server answers with
``http_status``; a counter is labelled with ``label``. Anything else that escapes is a bug and keeps
its stack trace.
"""

from typing import ClassVar


class ShortlistError(Exception):
    """Base of every expected failure. The message names the object, the value and the remedy."""

    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    label: ClassVar[str] = "internal"


class SettingsError(ShortlistError):
    """A setting is misspelt, has the wrong type or is out of range."""

    http_status = 500
    exit_code = 2
    label = "settings"


class InputError(ShortlistError):
    """A file or a request that a user gave cannot be used as it is."""

    http_status = 400
    exit_code = 65
    label = "input"


class NotFoundError(ShortlistError):
    """A thing that the user named (a file, a dataset, a user, a model) does not exist."""

    http_status = 404
    exit_code = 66
    label = "not_found"


class CorruptError(ShortlistError):
    """Something that Shortlist wrote no longer matches its own record (torn, edited, foreign)."""

    http_status = 503
    exit_code = 70
    label = "corrupt"


class StorageError(ShortlistError):
    """The disk refused: full, read-only, or not permitted."""

    http_status = 503
    exit_code = 74
    label = "storage"


class RefusedError(ShortlistError):
    """A question that the data cannot answer honestly (too small an effective sample, say)."""

    http_status = 422
    exit_code = 3
    label = "refused"


class GateError(ShortlistError):
    """The gate does not let a bundle be published: a verdict, and no fault of the run."""

    http_status = 422
    exit_code = 4
    label = "gate"


class UnavailableError(ShortlistError):
    """A service that this one leans on (Redis, the predictor) is down, slow or refuses."""

    http_status = 503
    exit_code = 69
    label = "unavailable"
