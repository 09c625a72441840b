"""One soak: a stack, a proxy with faults, clients, killed processes, and the books at the end."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_directory import DynamoKeyDirectory
from tests.soak import checks
from tests.soak.ledger import Ledger
from tests.soak.load import Client, Pace
from tests.soak.processes import Memory, kill
from tests.support.servers.proxy import FaultProxy, at_random, clear
from tests.support.stack.api import Api, mint
from tests.support.stack.local_stack import LocalStack
from tests.support.tables import books
from tests.support.tables.stores import dynamodb

LOOK_SECONDS = 10.0
_CALM_SECONDS = 300.0
_THREADS_FOR_A_USER = 2
#: Growth of a function's process, from its first to its last look, that is no leak yet.
GROWTH_MB = 48.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run is to be like."""

    seconds: float
    rate: float
    users: int
    fault_share: float
    kill_every_seconds: float
    seed: int


@dataclass(slots=True)
class Figures:
    """What a run came to."""

    settings: Settings
    seconds: float = 0.0
    requests: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    killed_workers: int = 0
    memory: list[tuple[str, float, float, int]] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)
    keys_checked: int = 0
    items_checked: int = 0
    broken: list[str] = field(default_factory=list)


class Soak:
    """A run; `progress` may be read at any time from another thread."""

    def __init__(self, settings: Settings, state: Path) -> None:
        self._settings = settings
        self._state = state
        self._random = random.Random(settings.seed)
        self.ledger = Ledger()
        self.stop = threading.Event()
        self.killed = 0
        self._stack: LocalStack | None = None
        self._proxy: FaultProxy | None = None

    def run(self) -> Figures:
        """Load the stack until the time is over or `stop` is set, then check the books."""
        figures = Figures(settings=self._settings)
        with FaultProxy(self._endpoint) as proxy:
            self._proxy = proxy
            options = ("--functions-endpoint", proxy.url)
            self._stack = LocalStack(self._state, options=options)
            with self._stack:
                memory = Memory(self._stack.pid)
                clients = self._users()
                began = time.monotonic()
                proxy.plan = at_random(self._settings.seed, share=self._settings.fault_share)
                with self._loading(clients):
                    self._watch(memory, until=began + self._settings.seconds)
                figures.seconds = time.monotonic() - began
                proxy.plan = clear
                memory.look()
                self._check(clients, figures)
                for client in clients:
                    client.close()
            figures.memory = memory.rows()
            figures.faults = dict(sorted(proxy.met.items()))
        self._sum_up(figures)
        return figures

    @property
    def progress(self) -> str:
        """One line."""
        faults = sum(self._proxy.met.values()) if self._proxy else 0
        return (
            f"{self.ledger.requests} requests, {faults} faults, {self.killed} workers killed, "
            f"{len(self.ledger.broken)} promises broken"
        )

    def _endpoint(self) -> str:
        return str(self._described("dynamodb_endpoint"))

    def _described(self, name: str) -> object:
        assert self._stack is not None
        return self._stack.described[name]

    def _users(self) -> list[Client]:
        assert self._stack is not None
        described = self._stack.described
        clients = []
        with httpx.Client(base_url=described["url"], timeout=60) as http:
            for number in range(self._settings.users):
                user = str(uuid4())
                owner = Api(http, mint(described["supabase"], user))
                admin = owner.create_key(scopes=["admin"], rate_limit=60_000)["raw_key"]
                clients.append(
                    Client(
                        described["url"],
                        user=user,
                        admin=admin,
                        ledger=self.ledger,
                        seed=self._settings.seed + number,
                    )
                )
        return clients

    @contextlib.contextmanager
    def _loading(self, clients: list[Client]) -> Iterator[None]:
        pace, ending = Pace(self._settings.rate), threading.Event()

        def work(client: Client) -> None:
            while not ending.is_set():
                pace.wait(ending)
                try:
                    client.act()
                except httpx.HTTPError as error:
                    self.ledger.broke(f"the gateway did not answer: {type(error).__name__}")
                except Exception as error:  # a bug here must not end the thread unseen
                    self.ledger.broke(f"a client stumbled over {error!r}")

        threads = [
            threading.Thread(target=work, args=(client,))
            for client in clients
            for _ in range(_THREADS_FOR_A_USER)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ending.set()
            for thread in threads:
                thread.join()

    def _watch(self, memory: Memory, *, until: float) -> None:
        """Look at the processes now and then, and kill one of the functions' now and then."""
        memory.look()
        next_kill = time.monotonic() + self._settings.kill_every_seconds
        while not self.stop.is_set() and (left := until - time.monotonic()) > 0:
            self.stop.wait(min(LOOK_SECONDS, left))
            memory.look()
            workers = memory.workers()
            if time.monotonic() >= next_kill and workers:
                kill(self._random.choice(workers))
                self.killed += 1
                next_kill += self._settings.kill_every_seconds

    def _check(self, clients: list[Client], figures: Figures) -> None:
        """Compare what lies in the store with what the clients were told."""
        deadline = time.monotonic() + _CALM_SECONDS
        for client in clients:
            states = client.states()
            listed = client.listed()
            if listed is None:
                self.ledger.broke(f"the keys of {client.user} cannot be listed without faults")
                continue
            client.compare(listed, states)
            figures.keys_checked += client.check_every_key(lambda: time.monotonic() < deadline)
            for wrong in checks.of_trail(client):
                self.ledger.broke(wrong)
        store = dynamodb(self._endpoint(), access_key=str(self._described("access_key")))
        tables = store.list_tables()["TableNames"]
        (trail,) = (name for name in tables if "audit" in name.lower())
        for name in tables:
            if "keys" not in name.lower():
                continue
            directory = DynamoKeyDirectory(Boto3Transport(store), table=name, audit_table=trail)
            directory.end_graces(time.time_ns() // 1_000_000)
            items = books.swept(store, name, audit_table=trail)
            figures.items_checked += len(items)
            keys = [key for client in clients for key in client.keys]
            for wrong in [*books.errors_in(items), *checks.of_secrets(items, keys)]:
                self.ledger.broke(wrong)
        if not figures.items_checked:
            self.ledger.broke("no table of keys was found to check")

    def _sum_up(self, figures: Figures) -> None:
        figures.windows = self.ledger.windows()
        for name, first, last, looks in figures.memory:
            if name.startswith("worker") and looks > 6 and last - first > GROWTH_MB:
                self.ledger.broke(f"{name} grew from {first:.0f} to {last:.0f} MB")
        figures.requests = self.ledger.requests
        figures.outcomes = dict(sorted(self.ledger.outcomes.items()))
        figures.slowest = dict(sorted(self.ledger.slowest.items()))
        figures.killed_workers = self.killed
        figures.broken = self.ledger.broken


def as_json(figures: Figures) -> str:
    """The figures for programs."""

    def plain(value: Any) -> Any:
        return {name: getattr(value, name) for name in value.__slots__}

    return json.dumps(figures, default=plain, indent=2) + "\n"
