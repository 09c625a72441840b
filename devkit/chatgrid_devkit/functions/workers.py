"""Pools of worker processes, one for each function, as Lambda keeps execution environments.

A worker runs one invocation at a time. One that dies takes only its own invocation along and is
replaced; when code changes, each is replaced as soon as it is idle, so no request is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any

from chatgrid_devkit.functions.invocation import Failed, Outcome
from chatgrid_devkit.functions.worker import Worker, WorkerDied, worker_environment
from chatgrid_devkit.template.description import Function


class _Slot:
    """The place of one worker: which is running there or being started."""

    def __init__(self, start: Callable[[], Coroutine[Any, Any, Worker]]) -> None:
        self._start = start
        self._starting: asyncio.Task[Worker] | None = None
        self.generation = 0
        self.busy = False

    @property
    def worker(self) -> Worker | None:
        """The worker, once it has started."""
        task = self._starting
        if task is None or not task.done() or task.cancelled() or task.exception():
            return None
        return task.result()

    @property
    def started(self) -> bool:
        """Whether anything has been started here yet."""
        return self._starting is not None

    @property
    def usable(self) -> bool:
        """Whether a live worker is here or on its way."""
        if self._starting is None:
            return False
        return not self._starting.done() or bool(self.worker and self.worker.alive)

    def renew(self, generation: int) -> asyncio.Task[Worker] | None:
        """Start another worker here; gives back what was here, running or still starting."""
        old, self._starting = self._starting, asyncio.create_task(self._start())
        self.generation = generation
        # A worker that dies while it starts is reported by whoever needs it.
        self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return old

    async def ready(self) -> Worker:
        """The worker, as soon as it can be called."""
        assert self._starting is not None  # noqa: S101  # renewed before
        return await asyncio.shield(self._starting)

    async def close(self) -> None:
        """End the worker, also one that is just being started."""
        if self._starting is not None:
            await _stop_started(self._starting)


async def _stop_started(starting: asyncio.Task[Worker]) -> None:
    """End a worker as soon as it has started."""
    (result,) = await asyncio.gather(starting, return_exceptions=True)
    if isinstance(result, Worker):
        await result.stop()


class Pool:
    """The workers of one function."""

    def __init__(
        self,
        function: Function,
        *,
        environment: Mapping[str, str],
        size: int,
        on_line: Callable[[str], None],
    ) -> None:
        self.function = function
        self._environment = worker_environment(function, environment)
        self._on_line = on_line
        self._generation = 0
        self._closing = False
        self._background: set[asyncio.Task[Any]] = set()
        self._slots = [_Slot(self._start_worker) for _ in range(size)]
        self._idle: asyncio.LifoQueue[_Slot] = asyncio.LifoQueue()
        for slot in self._slots:
            self._idle.put_nowait(slot)

    def warm(self) -> None:
        """Start all workers, without waiting for them."""
        for slot in self._slots:
            if not slot.usable:
                self._renew(slot)

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [slot.worker.pid for slot in self._slots if slot.worker and slot.worker.alive]

    async def invoke(self, event: Any) -> Outcome:
        """Call the function in the next idle worker."""
        slot = await self._idle.get()
        slot.busy = True
        try:
            worker = await self._worker_at(slot)
            return await worker.invoke(event)
        except WorkerDied:
            return Failed(kind="crash", error_type="Runtime.ExitError")
        finally:
            slot.busy = False
            self._renew_when_stale(slot)
            self._idle.put_nowait(slot)

    async def _worker_at(self, slot: _Slot) -> Worker:
        if self._closing:
            raise WorkerDied(self.function.name)
        if not slot.usable:
            self._renew(slot)
        return await slot.ready()

    def reload(self) -> None:
        """Replace every worker by one with the code as it is now, busy ones afterwards."""
        self._generation += 1
        for slot in self._slots:
            if slot.started and not slot.busy:
                self._renew_when_stale(slot)

    def _renew_when_stale(self, slot: _Slot) -> None:
        if slot.generation != self._generation and not self._closing:
            self._renew(slot)

    def _renew(self, slot: _Slot) -> None:
        old = slot.renew(self._generation)
        if old is not None:
            self._run(_stop_started(old))

    async def _start_worker(self) -> Worker:
        worker = await Worker.start(self.function, self._environment, self._on_line)
        self._run(self._replace_when_dead(worker))
        return worker

    async def _replace_when_dead(self, worker: Worker) -> None:
        await worker.ended()
        for slot in self._slots:
            if slot.worker is worker and not self._closing:
                self._on_line("the worker ended; starting another")
                self._renew(slot)

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        """End all workers and wait until they are gone."""
        self._closing = True
        await asyncio.gather(*(slot.close() for slot in self._slots))
        await asyncio.gather(*self._background)


class Workers:
    """The pools of all functions; a context manager that ends every process it started.

    Args:
        eager: names of the functions whose workers start at once; others start when called.
        on_line: gets a function's logical id and a line that it printed.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        *,
        environment: Mapping[str, str],
        per_function: int,
        on_line: Callable[[str, str], None],
        eager: Collection[str] | None = None,
    ) -> None:
        def printer(function: Function) -> Callable[[str], None]:
            return lambda line: on_line(function.logical_id, line)

        self.pools = {
            function.name: Pool(
                function, environment=environment, size=per_function, on_line=printer(function)
            )
            for function in functions
        }
        self._eager = self.pools.keys() if eager is None else eager

    async def __aenter__(self) -> Workers:
        for name in self._eager:
            self.pools[name].warm()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(pool.close() for pool in self.pools.values()))

    async def invoke(self, name: str, event: Any) -> Outcome:
        """Call a function once, in a process of its own."""
        return await self.pools[name].invoke(event)

    def reload(self) -> None:
        """Take up changed code."""
        for pool in self.pools.values():
            pool.reload()
