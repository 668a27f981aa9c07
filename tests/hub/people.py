"""Who is in the class, and what they do in their browsers."""

from __future__ import annotations

import re
from dataclasses import dataclass

import requests
from playwright.sync_api import APIResponse, Browser, Page, expect

from tests.hub.class_server import ClassServer

STEP = "step-1-goals"
# The last one's name can be no system user's, and the second's is one that every machine has.
NAMES = ("ada", "daemon", "g.hopper@example.edu")


@dataclass(frozen=True)
class Student:
    """A student with a browser of their own."""

    hub: ClassServer
    name: str
    page: Page

    @classmethod
    def log_in(cls, hub: ClassServer, browser: Browser, name: str) -> Student:
        """Log in, and be at home."""
        page = log_in(hub, browser, name)
        expect(page.locator(".pcn-card")).to_have_count(len(hub.course.steps))
        return cls(hub, name, page)

    @property
    def text(self) -> str:
        return f"A referral pathway, by {self.name}"

    @property
    def folder(self) -> str:
        """The name as the hub has it in addresses."""
        return self.name.replace("@", "%40")

    def url(self, path: str) -> str:
        """An address of the student's own server."""
        return f"{self.hub.address}/user/{self.folder}/{path}"

    def open_step(self) -> None:
        self.page.locator(f".pcn-card[data-step={STEP}] a").first.click()
        step = self.hub.course.step(STEP)
        expect(self.page.locator(".pcn-field")).to_have_count(len(step.prompts))

    def write(self, text: str) -> None:
        self.page.locator('[data-key="live-project"] :is(textarea, input)').fill(text)

    def saved(self) -> None:
        expect(self.page.locator(".pcn-status")).to_have_text(re.compile(r"^Saved \d"))

    def get(self, path: str, method: str = "GET", body: str | None = None) -> int:
        """The status of an address, asked for with this student's cookies and XSRF token."""
        return self.ask(path, method, body).status

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> APIResponse:
        """The answer to a request with all that this student's browser has."""
        browser = self.page.context
        url = self.hub.address + path
        tokens = [one["value"] for one in browser.cookies(url) if one["name"] == "_xsrf"]
        headers.setdefault("X-XSRFToken", next(iter(tokens), ""))
        return browser.request.fetch(url, method=method, data=body, headers=headers)


def send(session: requests.Session, page: str, **fields: str) -> requests.Response:
    """Fill in a form of the hub, without a browser."""
    token = re.search(r'name="_xsrf" value="([^"]+)"', session.get(page).text)
    assert token
    return session.post(page, data={**fields, "_xsrf": token[1]})


def log_in(hub: ClassServer, browser: Browser, name: str) -> Page:
    page = browser.new_context(locale="en-US").new_page()
    page.goto(hub.address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("a word")
    page.get_by_role("button", name="Sign in").click()
    return page
