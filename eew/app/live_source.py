"""From what the user named after ``--source`` to a live source that is not opened yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eew.clock import Clock
from eew.errors import ConfigError
from eew.ingest.live import LiveSource

if TYPE_CHECKING:
    from eew.ingest.inventory import Metadata
    from eew.ingest.selection import Selection

KNOWN = (
    "slink://host:port and slinks://host:port (SeedLink, with TLS), "
    "mqtt://host:port/topic and mqtts://host:port/topic (OpenEEW packets)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What a user can ask of a live source.

    Attributes
    ----------
    select : tuple of str
        Patterns of streams, see :mod:`eew.ingest.selection`; empty for all.
    inventory : str or None
        Where the metadata are: a StationXML file, a quake folder, a built-in event or scenario,
        or the URL of an fdsnws-station service. None asks the server.
    state : pathlib.Path or None
        Where the source notes how far it has come.
    silent_after_s : float
        A station without data for so long is missed.
    idle_s : float
        A connection without data for so long is made anew.
    seed : int
        Of jitter, and of a computed inventory.
    """

    select: tuple[str, ...] = ()
    inventory: str | None = None
    state: Path | None = None
    silent_after_s: float = 30.0
    idle_s: float = 30.0
    seed: int = 1

    def __post_init__(self) -> None:
        for key, value in (
            ("--silent-after", self.silent_after_s),
            ("--reconnect-after", self.idle_s),
        ):
            if not 1.0 <= value <= 3600.0:  # also refuses NaN
                raise ConfigError(key, f"must be 1 to 3600 s, was {value:g}")
        if self.state is not None and not self.state.absolute().parent.is_dir():
            raise ConfigError("--state", f"no folder {self.state.parent}")


def open_source(url: str, options: LiveOptions, clock: Clock) -> LiveSource:
    """Return the source for ``url``; nothing is connected yet.

    Raises
    ------
    ConfigError
        If there is no such kind of source, or address, selection or inventory cannot be used.
    """
    from eew.ingest.seedlink_address import SCHEMES

    if url.partition("://")[0] in SCHEMES:
        return _seedlink(url, options, clock)
    if url.partition("://")[0] in ("mqtt", "mqtts"):
        return _openeew(url, options, clock)
    scheme = url.partition("://")[0] if "://" in url else url
    raise ConfigError("--source", f"no source is called {scheme!r}", hint=f"known are {KNOWN}")


def _seedlink(url: str, options: LiveOptions, clock: Clock) -> LiveSource:
    from eew.ingest.seedlink import SeedLinkSource
    from eew.ingest.seedlink_address import SeedLinkAddress
    from eew.ingest.selection import Selection

    selection = Selection.parse(options.select)
    return SeedLinkSource(
        SeedLinkAddress.parse(url),
        clock=clock,
        selection=selection,
        metadata=_metadata(options, selection),
        state=options.state,
        idle_s=options.idle_s,
        silent_after_s=options.silent_after_s,
        seed=options.seed,
    )


def _openeew(url: str, options: LiveOptions, clock: Clock) -> LiveSource:
    from eew.app.openeew_source import open_openeew_source
    from eew.ingest.selection import Selection

    selection = Selection.parse(options.select)
    return open_openeew_source(
        url,
        _metadata(options, selection),
        selection,
        clock=clock,
        silent_after_s=options.silent_after_s,
        seed=options.seed,
    )


def _metadata(options: LiveOptions, selection: Selection) -> Callable[[], Metadata] | None:
    """Return what reads the metadata, later and in a thread; what can be wrong now is said now."""
    from eew.app.source import event_name, load_source
    from eew.ingest.station_files import metadata_from_path, metadata_from_url

    where = options.inventory
    if where is None:
        return None
    if where.startswith(("http://", "https://")):
        return lambda: metadata_from_url(where, selection)
    path = Path(where)
    if path.exists() and path.suffix != ".toml":
        return lambda: metadata_from_path(path)
    try:
        event_name(where)
    except ConfigError as error:
        raise ConfigError(
            "--inventory",
            f"no file, folder or built-in event is called {where!r}",
            hint="a StationXML file, a quake folder, an event (eew events list) or a URL",
        ) from error

    def computed() -> Metadata:
        from eew.ingest.export import inventory_of
        from eew.ingest.inventory import Metadata

        return Metadata([inventory_of(load_source(where, seed=options.seed).recording)])

    return computed
