// Saving that is only believed when it was acknowledged. Knows fields and a store, no page.
import { merge, same } from "./merge.js";

const QUIET = 700; // ms without typing, after which is saved
const QUIET_ALONE = 250; // the same when this device keeps no draft
const AT_MOST = 5000; // ms of steady typing, after which is saved all the same
const AT_ONCE = 2e6; // letters in one message: servers refuse those above 10 MB
const PATIENCE = 4000; // ms to wait for an acknowledgement
const FIRST_RETRY = 1000;
const LAST_RETRY = 15000;
const ROLL_CALL = 250; // ms in which other windows say that they are alive

/** @import { Acknowledgement, Edit, Kept, Message, Prompt, Store, Value } from "./types.d.ts" */
/** @typedef {{ prompt: Prompt, value: Value, saved: Kept, sent: { seq: number, value: Value }[], acked: number,
 *   stored: boolean, invalid?: string }} Field */
/**
 * What a form gives: `place` begins the names of this step's drafts. `show`: another value is to stand in the
 * page. `tell`: it was changed elsewhere, too; `other` is the value that could not be merged in. `changed`: look
 * at the status. `look`: hand in, with edit(), what the field may hold unheard.
 * @typedef {{ store: Store, place: string, prompts: Prompt[], show: (key: string, value: Value) => void,
 *   tell: (key: string, other: Value) => void, changed: () => void, busy: (key: string) => boolean,
 *   look: (key: string) => void }} Form
 */

export class Saving {
  /** @param {Form} form */
  constructor({ store, place, prompts, show, tell, changed, busy, look }) {
    this.store = store;
    this.client = store.client;
    this.place = place;
    this.show = show;
    this.tell = tell;
    this.changed = changed;
    this.busy = busy;
    this.look = look;
    /** @type {Map<string, Field>} */
    this.fields = new Map();
    for (const prompt of prompts) this.add(prompt);
    this.seq = 0;
    this.retry = FIRST_RETRY;
    /** @type {string | null} */
    this.savedAt = null;
    this.trouble = ""; // "" | "late" | "refused"
    this.reason = "";
    this.cut = false;
    /** @type {Map<string, [Kept, Value?]>} */
    this.later = new Map();
    this.ready = false; // when drafts of earlier visits were looked for
    this.met = false; // when the store has told what it has
    this.timer = 0;
    this.waiting = 0; // the timer of a save without an answer
    /** @type {number | undefined} */
    this.since = undefined; // when the text began that is not sent
    /** @type {Set<string>} */
    this.alive = new Set();
    /** @type {BroadcastChannel | null} */
    this.channel = null;
    try {
      this.channel = new BroadcastChannel(place);
      this.channel.onmessage = ({ data }) => this.hear(data);
    } catch {
      // where there is none, windows do not talk
    }
  }

  /** @param {Prompt} prompt @returns {Field} */
  add(prompt) {
    const field = { prompt, value: null, saved: { value: null, version: 0 }, sent: [], acked: 0, stored: true };
    this.fields.set(prompt.key, field);
    return field;
  }

  // A field without a place in the page: its question is no longer asked, but what was written stays.
  /** @param {string} key @param {Value} value */
  drop(key, value) {
    return this.add({ key, kind: typeof value === "string" ? "text" : "", dropped: true });
  }

  /** @param {string} key @returns {Field} */
  field(key) {
    const field = this.fields.get(key);
    if (!field) throw new Error(`No field ${key}.`);
    return field;
  }

  get open() {
    return [...this.fields.values()].filter((field) => !same(field.value, field.saved.value));
  }

  get kept() {
    return this.open.every((field) => field.stored);
  }

  // The page has a new value of a field.
  /** @param {string} key @param {Value} value */
  edit(key, value) {
    const field = this.field(key);
    Object.assign(field, { value, invalid: "" });
    this.keep(field);
    this.plan();
    this.changed();
  }

  // What the kernel has, at the start and after each new connection.
  /** @param {Message} state */
  async state({ fields, saved_at }) {
    this.cut = false;
    this.savedAt = saved_at;
    this.settle();
    if (!this.met) Object.entries(fields).forEach(([key, { value }]) => this.fields.has(key) || this.drop(key, value));
    for (const key of this.fields.keys()) this.take(key, fields[key] ?? { value: null, version: 0 });
    this.flush();
    this.changed();
    if (this.met) return;
    this.met = true;
    await this.adopt();
    this.ready = true;
    this.flush();
    this.changed();
  }

  /** @param {number} [delay] */
  plan(delay) {
    if (delay === undefined) {
      if (this.waiting || this.trouble) return; // the answer or the next try takes it along
      this.since ??= Date.now();
      delay = Math.min(this.kept ? QUIET : QUIET_ALONE, this.since + AT_MOST - Date.now());
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), delay);
  }

  // Send what isn't acknowledged. `now`: without waiting for the answer to what was sent before.
  flush(now = false) {
    if (this.waiting && !now) return;
    const news = this.open.filter((field) => {
      if (field.invalid || this.later.has(field.prompt.key)) return false;
      return !this.waiting || !same(field.sent.at(-1)?.value, field.value);
    });
    if (!news.length) {
      // What was to be tried again has been taken back meanwhile: there is no trouble any more.
      if (!this.waiting && this.trouble) this.settle(), this.changed();
      return;
    }
    clearTimeout(this.timer);
    this.since = undefined;
    const seq = ++this.seq;
    /** @type {Record<string, Edit>} */
    const fields = {};
    let room = AT_ONCE;
    for (const field of news.sort((one, other) => one.acked - other.acked)) {
      const size = JSON.stringify(field.value).length;
      if (size > room && room < AT_ONCE) continue; // goes with the next
      room -= size;
      fields[field.prompt.key] = { value: field.value, base: field.saved.version };
      // The oldest is the likeliest to have arrived when the line was lost, so it stays.
      const sent = [...field.sent, { seq, value: field.value }];
      field.sent = sent.length > 5 ? [sent[0], ...sent.slice(-4)] : sent;
      this.keep(field);
    }
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.fail("late"), PATIENCE);
    try {
      this.store.save(seq, fields);
    } catch {
      this.fail("late");
    }
    this.changed();
  }

  /** @param {string} trouble @param {string} [reason] */
  fail(trouble, reason = "") {
    clearTimeout(this.waiting);
    Object.assign(this, { waiting: 0, trouble, reason });
    this.plan(this.retry);
    this.retry = Math.min(this.retry * 2, LAST_RETRY);
    this.changed();
  }

  settle() {
    clearTimeout(this.waiting);
    Object.assign(this, { waiting: 0, trouble: "", reason: "", retry: FIRST_RETRY });
  }

  /** @param {Message} refusal */
  refused({ seq, message }) {
    if (seq === this.seq) this.fail("refused", message);
  }

  /** @param {Acknowledgement} acknowledgement */
  acknowledge({ seq, saved_at, versions, conflicts, invalid }) {
    if (seq === this.seq) this.settle();
    this.savedAt = saved_at;
    let older = false;
    for (const [key, field] of this.fields) {
      const sent = field.sent.find((one) => one.seq === seq);
      // A late answer to an earlier try says nothing about what was acknowledged since.
      if (!sent || seq < field.acked) continue;
      if (key in versions) {
        field.acked = seq;
        field.sent = field.sent.filter((one) => one.seq > seq);
        older ||= versions[key] < field.saved.version;
        if (versions[key] >= field.saved.version) {
          field.saved = { value: sent.value, version: versions[key] };
          this.post({ kind: "saved", key, ...field.saved });
        }
        this.keep(field);
      } else if (key in conflicts) {
        const { value, version, base_value: base } = conflicts[key];
        older ||= version < field.saved.version;
        this.take(key, { value, version }, base ?? field.saved.value);
      } else if (key in invalid && same(sent.value, field.value)) {
        if (field.prompt.dropped)
          this.fields.delete(key); // its draft stays where it is
        else field.invalid = invalid[key];
      }
    }
    // The kernel's file is another one than this page was filled from: all fields are looked at.
    if (older) this.store.open();
    if (this.open.length) this.plan(Object.keys(conflicts).length ? 0 : undefined);
    this.changed();
  }

  // The value that stands in the kernel now. What was typed meanwhile is merged with it.
  /** @param {string} key @param {Kept} theirs @param {Value} [base] */
  take(key, theirs, base) {
    if (this.busy(key)) return this.later.set(key, [theirs, base]);
    this.look(key);
    const field = this.field(key);
    const mine = field.value;
    // Our own text that was saved without our learning it is what we started from.
    const own = field.sent.some((one) => same(one.value, theirs.value));
    // What the kernel has is older than what it had: its file was set aside, or is an earlier copy.
    // Nothing that stands here is taken away by it; it is saved again.
    const back = theirs.version < field.saved.version;
    const from = own || back ? theirs.value : base === undefined ? field.saved.value : base;
    field.saved = theirs;
    this.put(field, mine, from, theirs.value);
  }

  /** @param {Field} field @param {Value} mine @param {Value} from @param {Value} theirs */
  put(field, mine, from, theirs) {
    const { prompt } = field;
    const value = merge(prompt, from, mine, theirs);
    const before = field.value;
    field.value = value;
    if (!same(value, before)) this.show(prompt.key, value);
    if (
      ![
        [mine, from],
        [theirs, from],
        [mine, theirs],
      ].some(([a, b]) => same(a, b))
    ) {
      this.tell(prompt.key, same(value, mine) ? theirs : undefined);
    }
    this.keep(field);
  }

  // A field can be changed again: its letters are no longer being composed.
  /** @param {string} key */
  resume(key) {
    const waited = this.later.get(key);
    this.later.delete(key);
    if (waited) this.take(key, ...waited), this.plan(), this.changed();
  }

  // The draft on this device: there as long as the kernel has not acknowledged just this value.
  /** @param {Field} field */
  keep(field) {
    const { prompt, value, saved, sent } = field;
    const name = this.place + prompt.key + ":" + this.client;
    field.stored = true;
    try {
      if (same(value, saved.value)) return localStorage.removeItem(name);
      const draft = {
        value,
        base: saved.version,
        baseValue: saved.value,
        at: Date.now(),
        sent: sent.map((one) => one.value),
      };
      localStorage.setItem(name, JSON.stringify(draft));
    } catch {
      field.stored = false; // no room, or storage is switched off
    }
  }

  // Drafts of windows that are gone are merged over what the kernel has.
  async adopt() {
    let names = [];
    try {
      names = Object.keys(localStorage).filter((name) => name.startsWith(this.place));
    } catch {
      return;
    }
    names = names.filter((name) => !name.endsWith(":" + this.client));
    if (!names.length) return;
    if (this.channel) {
      this.post({ kind: "who" });
      await new Promise((done) => setTimeout(done, ROLL_CALL));
    }
    for (const name of names) {
      const [key, owner] = name.slice(this.place.length).split(":");
      if (this.alive.has(owner)) continue;
      try {
        const { value, baseValue, sent } = JSON.parse(localStorage.getItem(name) ?? "");
        const fitting = fits(this.fields.get(key)?.prompt ?? { kind: "" }, value) ? key : `${key}-before`;
        const field = this.fields.get(fitting) ?? this.drop(fitting, value);
        this.look(fitting);
        const arrived = sent.some((/** @type {Value} */ one) => same(one, field.saved.value));
        this.put(field, value, arrived ? field.saved.value : baseValue, field.value);
        if (field.stored) localStorage.removeItem(name);
      } catch {
        // gone meanwhile, or not a draft
      }
    }
    this.changed();
  }

  /** @param {object} message */
  post(message) {
    this.channel?.postMessage({ client: this.client, ...message });
  }

  /** @param {any} message from another window */
  hear({ kind, client, key, value, version }) {
    if (kind === "who") this.post({ kind: "here" });
    if (kind === "here") this.alive.add(client);
    const field = kind === "saved" && this.fields.get(key);
    if (!field || version <= field.saved.version) return;
    this.take(key, { value, version });
    this.plan();
    this.changed();
  }

  close() {
    this.flush(true);
    this.channel?.close();
    clearTimeout(this.timer);
    clearTimeout(this.waiting);
  }
}

/** @param {{ kind: string }} prompt @param {Value} value */
function fits({ kind }, value) {
  if (value == null) return true;
  if (!kind) return true;
  if (kind === "choices" || kind === "table") return Array.isArray(value);
  return typeof value === (kind === "scale" ? "number" : "string");
}
