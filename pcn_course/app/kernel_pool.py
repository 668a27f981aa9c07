"""Pages on their way: their kernels, and one of each page kept warm for its next visitor.

`CourseKernels` is an ordinary kernel manager of a Jupyter server with a pool of finished pages.
Voilà has such a pool too, but in its standalone app only; it delays a second visitor by its refill
time, runs every notebook below the root, and serves an edited notebook once in its old state.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from typing import IO, Any, NamedTuple, Protocol

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_server.services.kernels.kernelmanager import (
    AsyncMappingKernelManager,
    ServerKernelManager,
)
from nbformat.v4 import new_code_cell
from traitlets import Float, Integer

from pcn_course.app.prewarm import Waiting

END = 'id="pcn-end"'
"""What the template writes last, and only when every cell succeeded."""
_BEAT = "<!-- -->\n"


class Renderer(Protocol):
    """What is used of ``voila.notebook_renderer.NotebookRenderer``."""

    notebook: Any

    async def initialize(self) -> None:
        """Load the notebook."""

    def generate_content_generator(
        self, kernel_id: str, kernel_future: Awaitable[Any]
    ) -> AsyncIterator[tuple[str, Any]]:
        """Yield the page's HTML piece by piece, while the cells run."""


class Rendering:
    """One page being made ready: HTML that grows, and the kernel that its widgets live in."""

    def __init__(self, page: str, stamp: Hashable = None) -> None:
        self.page = page
        self.stamp = stamp
        self.kernel_id = str(uuid.uuid4())
        self.whole = False
        self.task: asyncio.Task[None] | None = None
        self._html: list[str] = []
        self._done = False
        self._news = asyncio.Event()

    def add(self, html: str) -> None:
        """Append HTML, and wake whoever reads."""
        self.whole = self.whole or END in html
        self._html.append(html)
        self._news.set()

    def finish(self) -> None:
        """Mark the page as ended; readers stop after what is there."""
        self._done = True
        self._news.set()

    async def pieces(self, beat: float = 10.0) -> AsyncIterator[str]:
        """Yield all HTML from the beginning, as it comes; a comment after ``beat`` silent seconds.

        The comment keeps proxies from closing the line.
        """
        sent = 0
        while True:
            self._news.clear()
            if sent < len(self._html):
                news = "".join(self._html[sent:])
                sent = len(self._html)
                yield news
            elif self._done:
                return
            else:
                try:
                    async with asyncio.timeout(beat):
                        await self._news.wait()
                except TimeoutError:
                    yield _BEAT


class Spare(NamedTuple):
    """A kernel that no page has yet."""

    kernel_id: str
    starting: asyncio.Task[Any]


class PageKernel(ServerKernelManager):
    """One kernel, which may have been started before anybody asked for it."""

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kwargs: Any) -> None:
        manager, provisioner = self.parent, self.provisioner
        waiting = manager.take_waiting(kernel_cmd) if isinstance(manager, CourseKernels) else None
        if waiting and isinstance(provisioner, LocalProvisioner):
            waiting.become(kernel_cmd, kwargs.get("cwd"), kwargs["env"])
            provisioner.process = waiting.process
            provisioner.pid = provisioner.pgid = waiting.process.pid  # it has a session of its own
            self._reconcile_connection_info(provisioner.connection_info)
        else:
            await super()._async_launch_kernel(kernel_cmd, **kwargs)
        process = getattr(provisioner, "pid", None)
        self.log.info("Kernel %s is process %s", self.kernel_id, process)


class CourseKernels(AsyncMappingKernelManager):
    """Starts the kernels of pages, and keeps one finished page of each kind in reserve.

    `make_renderer` and `stamp` are set by the server that owns this.
    """

    page_limit = Integer(90, config=True, help="Seconds after which a page is given up.")
    fill_delay = Float(2.0, config=True, help="Seconds from a visit until a reserve is made anew.")
    most_kernels = Integer(32, config=True, help="Kernels of one server at a time.")
    joining = Float(30.0, config=True, help="Seconds that a new page has to join its kernel.")

    make_renderer: Callable[[str], Renderer]
    stamp: Callable[[str], Hashable] = staticmethod(lambda _page: None)
    warm_pages: tuple[str, ...] = ()
    output: IO[bytes] | None = None

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing in reserve."""
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.kernel_manager_class = f"{PageKernel.__module__}.{PageKernel.__qualname__}"
        self.waiting: Waiting | None = None
        self._spare: Spare | None = None
        self._reserve: dict[str, Rendering] = {}
        self._visits: set[asyncio.Task[None]] = set()
        self._begun: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def warm_up(self) -> None:
        """Fill the reserve, one page after the other, so that an early visitor isn't slowed."""
        await asyncio.sleep(self.fill_delay)
        for page in self.warm_pages:
            while self._visits:
                await asyncio.wait(self._visits)
            self._fill(page)
            rendering = self._reserve.get(page)
            if rendering and rendering.task:
                await asyncio.wait([rendering.task])

    async def take(self, page: str) -> Rendering:
        """A page for one visitor: the one in reserve when it is fit, else one that starts now."""
        rendering = self._reserve.pop(page, None)
        if rendering and not self._fit(rendering):
            self._later(self._drop(rendering))
            rendering = None
        self._later(self._refill(page))
        if rendering is None:
            rendering = self._begin(page)
            if rendering.task:
                self._visits.add(rendering.task)
                rendering.task.add_done_callback(self._visits.discard)
        return rendering

    async def make_room(self) -> bool:
        """Return True if one more kernel may start. Where all are taken, ends what nobody uses.

        Those are kernels of pages that were closed, or never arrived; the oldest goes first.
        """
        while self._is_full():
            unused = min(self._unused(), key=lambda kernel: kernel.last_activity, default=None)
            if unused is None:
                return False
            await self.shutdown_kernel(unused.kernel_id, now=True)  # type: ignore[no-untyped-call]
        return True

    def _is_full(self) -> bool:
        return len({*self.list_kernel_ids(), *self._begun}) >= self.most_kernels

    def _unused(self) -> Iterator[Any]:
        kept = {rendering.kernel_id for rendering in self._reserve.values()} | self._begun
        if self._spare:
            kept.add(self._spare.kernel_id)
        now = dt.datetime.now(dt.UTC)
        for kernel_id in set(self.list_kernel_ids()) - kept:
            kernel: Any = self.get_kernel(kernel_id)
            is_new = (now - kernel.last_activity).total_seconds() < self.joining
            if not self._kernel_connections.get(kernel_id) and not is_new:
                yield kernel

    def prepare(self) -> None:
        """Start a kernel for whichever page is asked for next."""
        self.waiting = self.waiting or Waiting(self.output)
        kernel_id = str(uuid.uuid4())
        starting = self._later(self._start(kernel_id, self.default_kernel_name, ""))
        self._spare = Spare(kernel_id, starting)

    def take_waiting(self, command: list[str]) -> Waiting | None:
        """The process that waits to become a kernel, if it can become this one."""
        waiting = self.waiting
        if waiting is None or not waiting.can_become(command):
            return None
        self.waiting = None
        return waiting

    async def end_all(self) -> None:
        """End all kernels, those that nobody has asked for yet included; none is started after."""
        for task in self._tasks - {asyncio.current_task()}:
            if not self._spare or task is not self._spare.starting:
                task.cancel()
        if self._spare:
            # Half started it would be in nobody's list.
            await asyncio.wait([self._spare.starting])
        if self.waiting:
            self.waiting.end()
        await self.shutdown_all()

    def give_back(self, rendering: Rendering) -> None:
        """Keep a page whose visitor left before it had arrived, for when they ask again."""
        kept = self._reserve.setdefault(rendering.page, rendering)
        if kept is not rendering:
            self._later(self._drop(rendering))
        elif rendering.task is None or rendering.task.done():
            self._tell_ready(rendering)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Shut an idle kernel down, unless it is in reserve."""
        if self._spare and self._spare.kernel_id == kernel_id:
            return
        if all(one.kernel_id != kernel_id for one in self._reserve.values()):
            await super().cull_kernel_if_idle(kernel_id)  # type: ignore[no-untyped-call]

    async def start_kernel(self, **kwargs: Any) -> str:  # type: ignore[override]
        """Start a kernel whose own messages go to `output`, not to the terminal."""
        if self.output:
            kwargs.update(stdout=self.output, stderr=self.output)
        kernel_id: str = await super()._async_start_kernel(**kwargs)
        return kernel_id

    def _fit(self, rendering: Rendering) -> bool:
        """Whether a page in reserve can be shown: on its way, or whole, up to date and alive."""
        if rendering.stamp != self.stamp(rendering.page):
            return False
        on_its_way = rendering.task is not None and not rendering.task.done()
        return on_its_way or (rendering.whole and rendering.kernel_id in self)

    def _begin(self, page: str) -> Rendering:
        rendering = Rendering(page, self.stamp(page))
        self._begun.add(rendering.kernel_id)
        rendering.task = self._later(self._render(rendering))
        return rendering

    def _fill(self, page: str) -> None:
        if page in self.warm_pages and page not in self._reserve and not self._is_full():
            self._reserve[page] = self._begin(page)

    async def _refill(self, page: str) -> None:
        await asyncio.sleep(self.fill_delay)
        self._fill(page)

    async def _another(self) -> None:
        """Prepare another kernel, a while after the last one was taken, where there is room."""
        await asyncio.sleep(self.fill_delay)
        if self._is_full():
            self._later(self._another())
        elif self._spare is None:
            self.prepare()

    async def _render(self, rendering: Rendering) -> None:
        try:
            async with asyncio.timeout(self.page_limit):
                renderer = self.make_renderer(rendering.page)
                await renderer.initialize()
                kernel = self._kernel_for(rendering, renderer.notebook)
                pieces = renderer.generate_content_generator(rendering.kernel_id, kernel)
                async for html, _resources in pieces:
                    rendering.add(html)
        except Exception:
            self.log.exception("%s could not be made ready", rendering.page)
        finally:
            rendering.finish()
            self._begun.discard(rendering.kernel_id)
        if not rendering.whole:
            await self._drop(rendering)
        elif self._reserve.get(rendering.page) is rendering:
            self._tell_ready(rendering)

    def _tell_ready(self, rendering: Rendering) -> None:
        self.log.info("%s is ready for its next visitor", rendering.page)

    def _kernel_for(self, rendering: Rendering, notebook: Any) -> asyncio.Task[Any]:
        """The kernel of a page: the one that was prepared when it is fit, else one of its own."""
        name = notebook.metadata.kernelspec.name
        folder = rendering.page.rpartition("/")[0]
        spare = self._spare
        if spare is None or name != self.default_kernel_name:
            return self._later(self._start(rendering.kernel_id, name, folder))
        self._spare = None
        self._later(self._another())
        if not self._lives(spare):
            return self._later(self._start(rendering.kernel_id, name, folder))
        self._begun.discard(rendering.kernel_id)
        rendering.kernel_id = spare.kernel_id
        self._begun.add(spare.kernel_id)
        first = next((i for i, one in enumerate(notebook.cells) if one.cell_type == "code"), 0)
        path = self.cwd_for_path(folder)  # type: ignore[no-untyped-call]
        notebook.cells.insert(first, new_code_cell(f"__import__('os').chdir({path!r})"))
        return spare.starting

    def _lives(self, spare: Spare) -> bool:
        """Whether a prepared kernel can be used: it is starting, or it has and runs."""
        if not spare.starting.done():
            return True
        if spare.starting.cancelled() or spare.starting.exception():
            return False
        process = getattr(spare.starting.result().provisioner, "process", None)
        return spare.kernel_id in self and process is not None and process.poll() is None

    async def _start(self, kernel_id: str, name: str, folder: str) -> Any:
        await self.start_kernel(
            kernel_id=kernel_id, kernel_name=name, path=folder, env=dict(os.environ)
        )
        return self.get_kernel(kernel_id)

    async def _drop(self, rendering: Rendering) -> None:
        if rendering.task and rendering.task is not asyncio.current_task():
            rendering.task.cancel()
        if rendering.kernel_id in self:
            try:
                await self.shutdown_kernel(rendering.kernel_id, now=True)  # type: ignore[no-untyped-call]
            except Exception:
                self.log.exception("The kernel of %s did not shut down", rendering.page)

    def _later(self, work: Any) -> asyncio.Task[None]:
        """Run ``work`` in the background; the event loop alone would not keep it."""
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
