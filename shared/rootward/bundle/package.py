"""The bundle of an incident: one zip with the rows, the answer and what it takes to repeat it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass

from rootward.bundle.question import Question, unpacked
from rootward.codec import from_json, to_json
from rootward.errors import TooLarge, UnreadableBody
from rootward.model.incident import Diagnosis, Incident

FORMAT = 1
WINDOW, ANSWER, INCIDENT, MANIFEST = (
    "window.parquet", "diagnosis.json", "incident.json", "manifest.json",
)  # fmt: skip
MOST_BYTES = 512 * 2**20
_WHEN = (1980, 1, 1, 0, 0, 0)
"""The same bundle has the same bytes, whenever it is made."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """An incident, what its diagnosis was asked, and what it answered."""

    incident: Incident
    question: bytes
    """As `question.packed` wrote it."""
    diagnosis: Diagnosis

    @property
    def asked(self) -> Question:
        """The question, read; raises UnreadableBody."""
        return unpacked(self.question)


def bundled(bundle: Bundle) -> bytes:
    """A bundle as one zip file; equal bundles are equal bytes."""
    files = {
        WINDOW: bundle.question,
        ANSWER: to_json(bundle.diagnosis, Diagnosis).encode(),
        INCIDENT: to_json(bundle.incident, Incident).encode(),
    }
    files[MANIFEST] = _manifest(bundle, files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in files.items():
            archive.writestr(
                zipfile.ZipInfo(name, _WHEN), body, zipfile.ZIP_DEFLATED, compresslevel=6
            )
    return out.getvalue()


def opened(data: bytes) -> Bundle:
    """The bundle in a zip file.

    Raises:
        UnreadableBody: not a bundle, of another format, or a file in it was changed.
        TooLarge: unpacked it would take more than `MOST_BYTES`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
                raise TooLarge(f"the bundle takes more than {MOST_BYTES} bytes")
            files = {name: archive.read(name) for name in (MANIFEST, WINDOW, ANSWER, INCIDENT)}
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise UnreadableBody(f"not a bundle of an incident: {error}") from error
    _check(files)
    incident = from_json(files[INCIDENT], Incident)
    return Bundle(incident, files[WINDOW], from_json(files[ANSWER], Diagnosis))


def _manifest(bundle: Bundle, files: dict[str, bytes]) -> bytes:
    asked = bundle.asked
    told = {
        "format": FORMAT,
        "incident": bundle.incident.id,
        "name": f"INC-{bundle.incident.number}",
        "seed": asked.seed,
        "configuration": {
            "discovery": asked.discovery,
            "parameters": bundle.diagnosis.parameters,
            "step_seconds": asked.window.step_seconds,
            "rows": len(asked.window.times),
            "series": len(asked.window.series),
        },
        "versions": dict(asked.versions),
        "sha256": {name: hashlib.sha256(body).hexdigest() for name, body in files.items()},
        "repeat": "rootward replay-diagnosis BUNDLE",
    }
    return json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False).encode()


def _check(files: dict[str, bytes]) -> None:
    try:
        told = json.loads(files[MANIFEST])
        form, sums = told["format"], told["sha256"]
        changed = [
            name
            for name in (WINDOW, ANSWER, INCIDENT)
            if sums[name] != hashlib.sha256(files[name]).hexdigest()
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableBody(f"the manifest of the bundle cannot be read: {error!r}") from error
    if form != FORMAT:
        raise UnreadableBody(f"the bundle is of format {form}; this version reads {FORMAT}")
    if changed:
        raise UnreadableBody(f"changed since the bundle was made: {', '.join(changed)}")
