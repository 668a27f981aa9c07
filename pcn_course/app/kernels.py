"""Pages on their way: their kernels, and one of each page kept warm for its next visitor.

`CourseKernels` is an ordinary kernel manager of a Jupyter server with a pool of finished pages.
Voilà has such a pool too, but in its standalone app only; it delays a second visitor by its refill
time, runs every notebook below the root, and serves an edited notebook once in its old state.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from typing import IO, Any, Protocol

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Float, Integer

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
        """Take the notebook's path below the root, and the state of what it is made from."""
        self.page = page
        self.stamp = stamp
        self.kernel_id = str(uuid.uuid4())
        self.whole = False
        self.task: asyncio.Task[None] | None = None
        self._html: list[str] = []
        self._done = False
        self._news = asyncio.Event()

    def add(self, html: str) -> None:
        """Take the next piece."""
        self.whole = self.whole or END in html
        self._html.append(html)
        self._news.set()

    def finish(self) -> None:
        """No piece follows."""
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


class CourseKernels(AsyncMappingKernelManager):
    """Starts the kernels of pages, and keeps one finished page of each kind in reserve.

    `make_renderer` and `stamp` are set by the server that owns this.
    """

    page_limit = Integer(90, config=True, help="Seconds after which a page is given up.")
    fill_delay = Float(2.0, config=True, help="Seconds from a visit until a reserve is made anew.")

    make_renderer: Callable[[str], Renderer]
    stamp: Callable[[str], Hashable] = staticmethod(lambda _page: None)
    warm_pages: tuple[str, ...] = ()
    output: IO[bytes] | None = None

    def __init__(self, **kwargs: Any) -> None:
        """Start with nothing in reserve."""
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._reserve: dict[str, Rendering] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def warm_up(self) -> None:
        """Fill the reserve, one page after the other, so that an early visitor isn't slowed."""
        for page in self.warm_pages:
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
        return rendering or self._begin(page)

    def give_back(self, rendering: Rendering) -> None:
        """Keep a page whose visitor left before it had arrived, for when they ask again."""
        kept = self._reserve.setdefault(rendering.page, rendering)
        if kept is not rendering:
            self._later(self._drop(rendering))
        elif rendering.task is None or rendering.task.done():
            self._tell_ready(rendering)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Shut an idle kernel down, unless it is in reserve."""
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
        rendering.task = self._later(self._render(rendering))
        return rendering

    def _fill(self, page: str) -> None:
        if page in self.warm_pages and page not in self._reserve:
            self._reserve[page] = self._begin(page)

    async def _refill(self, page: str) -> None:
        await asyncio.sleep(self.fill_delay)
        self._fill(page)

    async def _render(self, rendering: Rendering) -> None:
        try:
            async with asyncio.timeout(self.page_limit):
                renderer = self.make_renderer(rendering.page)
                await renderer.initialize()
                kernel = asyncio.ensure_future(self._start(rendering, renderer))
                pieces = renderer.generate_content_generator(rendering.kernel_id, kernel)
                async for html, _resources in pieces:
                    rendering.add(html)
        except Exception:
            self.log.exception("%s could not be made ready", rendering.page)
        finally:
            rendering.finish()
        if not rendering.whole:
            await self._drop(rendering)
        elif self._reserve.get(rendering.page) is rendering:
            self._tell_ready(rendering)

    def _tell_ready(self, rendering: Rendering) -> None:
        self.log.info("%s is ready for its next visitor", rendering.page)

    async def _start(self, rendering: Rendering, renderer: Renderer) -> Any:
        await self.start_kernel(
            kernel_id=rendering.kernel_id,
            kernel_name=renderer.notebook.metadata.kernelspec.name,
            path=rendering.page.rpartition("/")[0],
            env=dict(os.environ),
        )
        return self.get_kernel(rendering.kernel_id)

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
