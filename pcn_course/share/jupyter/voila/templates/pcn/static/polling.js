// A page's line to its kernel where websockets are blocked: what page.js uses of a WebSocket, made of
// plain requests. It is fetched only when it is needed.

const NEWS = 35000; // ms that a request for news may take; the server answers after 20 s
const HIDDEN = 5000; // ms between two requests for news of a page that nobody sees

export class PollingSocket {
  readyState = 0;
  waiting = []; // messages to be sent
  sending = 0;
  passed = false; // something was sent: nobody blocks it
  /** @type {() => void} */
  onopen = () => {};
  /** @type {(event: { data: string }) => void} */
  onmessage = () => {};
  /** @type {(event: { code?: number }) => void} */
  onclose = () => {};

  constructor(url) {
    this.url = `${url}`.replace(/^ws/, "http").replace("/channels?", "/messages?");
    this.run();
  }

  // A long text may take its time; page.js takes what changes for a sign that it is going out.
  get bufferedAmount() {
    return this.sending && Date.now();
  }

  send(message) {
    this.waiting.push(message);
    // Whoever leaves the page can't wait for the answer to what was sent before.
    if (!this.sending || document.hidden) this.pass();
  }

  close() {
    this.readyState = 3;
  }

  async run() {
    try {
      // The mode in which a hub answers as it answers a visitor.
      this.token = await this.ask("&open=1", 4000, { mode: "no-cors" });
      if (this.readyState) return;
      this.readyState = 1;
      this.onopen();
      while (this.readyState === 1) {
        const news = await this.ask(document.hidden ? "&wait=0" : "", NEWS, { mode: "no-cors" });
        for (const data of news.split("\n")) if (data && this.readyState === 1) this.onmessage({ data });
        if (document.hidden) await pause();
      }
    } catch (error) {
      this.fail(error);
    }
  }

  async pass() {
    const body = this.waiting.splice(0).join("\n");
    this.sending += 1;
    try {
      const headers = { "X-XSRFToken": this.token, "Content-Type": "text/plain" };
      const keepalive = body.length < 15000; // it may end after its page; browsers allow 64 KB
      await this.ask("", (this.passed ? 10000 : 4000) + body.length / 2, { method: "POST", headers, body, keepalive });
      this.passed = true;
    } catch (error) {
      this.fail(error);
    }
    this.sending -= 1;
    if (this.waiting.length && !this.sending && this.readyState === 1) this.pass();
  }

  async ask(more, limit, options) {
    const answer = await fetch(this.url + more, { ...options, cache: "no-store", signal: AbortSignal.timeout(limit) });
    const text = await answer.text();
    if (!answer.ok || answer.redirected) throw Object.assign(new Error(`${answer.status}`), { code: Number(text) });
    return text;
  }

  /** @param {any} error what ended the line; `code` where the server said why */
  fail({ code }) {
    if (this.readyState > 1) return;
    this.readyState = 3;
    this.onclose({ code });
  }
}

function pause() {
  return new Promise((resume) => {
    setTimeout(resume, HIDDEN);
    document.addEventListener("visibilitychange", resume, { once: true });
  });
}

// The words where something between the page and its server blocks the kernel's line: where that is
// certain, or files still come through; else none.
export async function blocked(sure) {
  try {
    const { ok, redirected } = sure
      ? { ok: true }
      : await fetch(import.meta.url, { mode: "no-cors", cache: "no-store", signal: AbortSignal.timeout(2000) });
    return ok && !redirected
      ? "A web filter, antivirus program, or network blocks this page’s connection. Allow this site in it, or try another network. "
      : "";
  } catch {
    return "";
  }
}
