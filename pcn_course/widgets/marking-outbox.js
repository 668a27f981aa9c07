// Marks and comments on their way to the gradebook. Each is kept on this device until the kernel says
// that the gradebook has it, and is only written over what the marker saw, and for the answers that
// they read. Knows no page.
import { messageOf, Refusal } from "./connection.js";

// What an entry is sent as, and what part of a mark it is; a second marker's go a way of their own.
const KINDS = {
  points: { type: "give", field: "points" },
  comment: { type: "say", field: "comment" },
  second: { type: "give", field: "points", second: true },
  note: { type: "say", field: "comment", second: true },
};
const QUIET = 700; // ms without typing, after which a comment is sent

export const isText = (kind) => KINDS[kind].type === "say";

export const same = (one, other) =>
  one === other || (typeof one === "string" && typeof other === "string" && one.trim() === other.trim());

export class Outbox {
  // `ask(type, more)` returns a promise; `changed(entry)`: look at it; `arrived(answer)`: what stands
  // in the gradebook now; `anew(entry)`: there are new answers; `fits(entry)`: whether something
  // kept earlier is still asked for; `version()`: of the rubric on the page; `outdated()`: the kernel
  // has another one.
  constructor({ client, ask, changed, arrived, anew, fits, version, outdated }) {
    this.client = client;
    this.ask = ask;
    this.changed = changed;
    this.arrived = arrived;
    this.anew = anew;
    this.fits = fits;
    this.version = version;
    this.outdated = outdated;
    this.place = "";
    this.unkept = false;
    this.orphans = []; // comments on criteria that are no longer in the rubric
    this.entries = new Map();
  }

  get open() {
    return [...this.entries.values()];
  }

  get(step, student, criterion, kind) {
    return this.entries.get([step, student, criterion, kind].join("/"));
  }

  // The marker wants `value`, having seen `seen`, and for a mark having read the answers with this
  // hash. `kind` is points, comment, second or note.
  want(step, student, criterion, kind, value, seen, sha256) {
    const id = [step, student, criterion, kind].join("/");
    const entry = this.entries.get(id) ?? { id, step, student, criterion, kind, seen };
    Object.assign(entry, { value, sha256, refused: "", changed: false, version: this.version() });
    this.entries.set(id, entry);
    if (!entry.busy && !("sent" in entry) && same(value, entry.seen)) return this.drop(entry);
    this.keep(entry);
    clearTimeout(entry.timer);
    if (isText(kind)) entry.timer = setTimeout(() => this.push(entry), QUIET);
    else this.push(entry);
    this.changed(entry);
  }

  async push(entry) {
    clearTimeout(entry.timer);
    if (entry.busy || entry.clash || entry.refused || !this.entries.has(entry.id)) return;
    // What was sent and not answered goes again as it was, whatever was chosen since.
    if (!("sent" in entry)) Object.assign(entry, { sent: entry.value, sentOf: entry.sha256, sentFor: entry.version });
    entry.busy = true;
    this.keep(entry);
    this.changed(entry);
    const { step, student, criterion, kind, sent, sentOf: sha256, sentFor, seen } = entry;
    const version = isText(kind) ? undefined : sentFor; // a comment has no scale
    try {
      const { type, field, second = false } = KINDS[kind];
      const answer = await this.ask(type, { step, student, criterion, [field]: sent, seen, second, sha256, version });
      entry.busy = false;
      if (answer.type === "conflict") {
        entry.clash = { ...answer.current, anew: answer.anew && answer.message };
        if (answer.anew) this.anew(entry);
      } else {
        delete entry.sent;
        entry.seen = answer.marks[criterion][field];
        this.arrived(answer);
        if (same(entry.value, sent)) return this.drop(entry);
        this.keep(entry);
        return this.push(entry);
      }
    } catch (error) {
      entry.busy = false;
      delete entry.sent;
      entry.refused = messageOf(error);
      entry.changed = error instanceof Refusal && error.changed;
      if (entry.changed && sentFor === this.version()) this.outdated();
    }
    this.keep(entry);
    this.changed(entry);
  }

  // Another was faster: take what stands there, or write `value` over it, having seen it now. With
  // new answers a mark is given again even as it was; nothing (`undefined`) leaves all as it is.
  settle(entry, value, sha256) {
    const { anew, [KINDS[entry.kind].field]: theirs } = entry.clash;
    delete entry.clash;
    delete entry.sent;
    entry.seen = theirs;
    if (value === undefined || (same(value, theirs) && !anew)) return this.drop(entry);
    Object.assign(entry, { value, sha256: isText(entry.kind) ? undefined : sha256, version: this.version() });
    this.push(entry);
  }

  drop(entry) {
    clearTimeout(entry.timer);
    this.entries.delete(entry.id);
    this.keep(entry);
    this.changed(entry);
  }

  flush() {
    for (const entry of this.open) if (!("sent" in entry)) this.push(entry);
  }

  keep({ id, value, seen, sha256, version, sent, sentOf, sentFor }) {
    if (!this.place) return;
    const name = `${this.place}${id}/${this.client}`;
    try {
      if (!this.entries.has(id)) localStorage.removeItem(name);
      else localStorage.setItem(name, JSON.stringify({ value, seen, sha256, version, sent, sentOf, sentFor }));
      this.unkept = false;
    } catch {
      this.unkept = true; // no room, or storage is switched off
    }
  }

  // What pages that are gone could not deliver is delivered now. `place` names course and marker.
  async adopt(place) {
    if (this.place === place) return;
    this.place = place;
    let names = [];
    try {
      navigator.locks?.request(`pcn:marking:${this.client}`, () => new Promise(() => {}));
      const held = (await navigator.locks?.query())?.held ?? [];
      const alive = new Set(held.map(({ name }) => name.split(":").at(-1)));
      names = Object.keys(localStorage).filter((name) => name.startsWith(place) && !alive.has(name.split("/").at(-1)));
    } catch {
      return;
    }
    for (const name of names) {
      try {
        const [step, student, criterion, kind] = name.slice(place.length).split("/");
        const id = [step, student, criterion, kind].join("/");
        const entry = { id, step, student, criterion, kind, ...JSON.parse(localStorage.getItem(name)) };
        if (KINDS[kind] && isText(kind) && entry.value && !this.fits(entry)) {
          this.orphans.push({ criterion, text: entry.value, name });
          continue;
        }
        localStorage.removeItem(name);
        if (!KINDS[kind] || this.entries.has(id) || !this.fits(entry)) continue;
        this.entries.set(id, entry);
        this.push(entry);
      } catch (error) {
        console.info("Not a draft:", error);
      }
    }
  }
}
