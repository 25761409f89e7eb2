"""What one open page works with: the database it looks at, and copies of what was uploaded, gone when it closes."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from forge_lib.data.items import DataError
from forge_lib.serving.model import Model
from forge_lib.serving.uploads import MAX_MB, take_upload
from forge_lib.tasks.sql.assistant import Assistant


class Session:
    """One page that is open in a browser: databases by name, one of them in use. Its threads take turns.

    databases: those that every page has, by name; folder: where this page's uploads go, made with the first
    """

    def __init__(self, models: Sequence[Model], databases: Mapping[str, Path], folder: Path):
        self.models, self.databases, self._folder = models, dict(databases), folder
        self._using: tuple[str, list[Assistant]] = "", []
        self._lock = threading.RLock()

    @property
    def using(self) -> str:
        """The name of the database that was asked last."""
        return self._using[0]

    def assistants(self, database: str) -> list[Assistant]:
        """An assistant for each model over the database of this name. Raises DataError where it is not there any more."""
        with self._lock:
            if database not in self.databases:
                raise DataError(
                    f"The copy of '{database}' is not there any more: the page was closed or lost its connection. Upload it again."
                )
            if self._using[0] != database:
                file = self.databases[database]
                fresh = [Assistant(file, m.answer, m.tokenizer) for m in self.models]
                self._release()
                self._using = database, fresh
            return self._using[1]

    def upload(self, file: Path, max_mb: float = MAX_MB) -> str:
        """Take a copy of the file; returns the database's name on the page. Raises what `take_upload` raises."""
        with self._lock:
            stem, number = file.stem, 1
            while (name := f"{stem} (yours)" if number == 1 else f"{stem} (yours, {number})") in self.databases:
                number += 1
            place = self._folder / str(len(self.databases))
            place.mkdir(parents=True)
            try:
                copy = take_upload(file, place, max_mb)
                with Assistant(copy) as assistant:
                    assistant.schema()  # a file without tables ends here
            except BaseException:
                shutil.rmtree(place, ignore_errors=True)
                raise
            self.databases[name] = copy
            return name

    def close(self) -> None:
        """End the processes and delete the copies."""
        with self._lock:
            self._release()
            self.databases.clear()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _release(self) -> None:
        for assistant in self._using[1]:
            assistant.close()
        self._using = "", []


class Sessions:
    """The pages that are open, by the server's name for each.

    models: those that answer; databases: what every page may ask, by name; folder: below it each page has its own
    """

    def __init__(self, models: Sequence[Model], databases: Mapping[str, Path], folder: Path):
        self.models, self.databases, self.folder = models, databases, folder
        self._open: dict[str, Session] = {}
        self._numbers = itertools.count(1)  # name the folders: a key comes from the browser, and may be any text
        self._lock = threading.Lock()

    def of(self, key: str) -> Session:
        """The session of a page; a new one for a page not seen before, or seen before it lost its connection."""
        with self._lock:
            if key not in self._open:
                self._open[key] = Session(self.models, self.databases, self.folder / str(next(self._numbers)))
            return self._open[key]

    def end(self, key: str) -> None:
        """A page was closed."""
        with self._lock:
            session = self._open.pop(key, None)
        if session:
            session.close()

    def close(self) -> None:
        """End all of them."""
        with contextlib.suppress(KeyError):
            while True:
                with self._lock:
                    _, session = self._open.popitem()
                session.close()
