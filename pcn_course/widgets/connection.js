// The line between a page and its kernel, for all widgets. A line that is cut neither throws nor fails, so
// what was not answered is asked again; the kernel takes the same question twice without harm.
import { inflate } from "./inflate.js";

/** @import { Listener, Message, Model } from "./types.d.ts" */
/** @typedef {{ message: Message, resolve: (answer: Message) => void, reject: (error: Error) => void, once: boolean,
 *   pause: number, missed?: boolean, timer?: number }} Question */

const PATIENCE = 4000; // ms to wait for an answer
const LONGEST = 15000;

/** A kernel's refusal. `changed`: the course has changed since the page was loaded. */
export class Refusal extends Error {
  /** @param {string} message @param {boolean} [changed] */
  constructor(message, changed = false) {
    super(message);
    this.changed = changed;
  }
}

/** The words of whatever was thrown. @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

export class Connection {
  client = Array.from(crypto.getRandomValues(new Uint32Array(3)), (n) => n.toString(36)).join("");
  cut = false;
  #opening = 0;
  #turn = Promise.resolve();

  /** @param {Model} model @param {Listener} listener @param {number} [patience] ms until `open` asks again */
  constructor(model, listener, patience = PATIENCE) {
    this.model = model;
    this.listener = listener;
    this.patience = patience;
    /** @type {Record<string, (message: any) => void>} */
    this.events = {
      "msg:custom": (message) => this.#receive(message),
      "pcn:disconnected": () => ((this.cut = true), listener.cut?.()),
      "pcn:reconnected": () => ((this.cut = false), this.back()),
    };
    for (const [name, act] of Object.entries(this.events)) model.on(name, act);
  }

  /** Say something that needs no answer of its own. It may throw. @param {string} type @param {object} [more] */
  send(type, more) {
    this.model.send({ type, client: this.client, ...more });
  }

  /** Ask for everything, and again until `opened` is called. */
  open() {
    this.opened();
    this.#opening = setTimeout(() => this.open(), this.patience);
    try {
      this.send("open");
    } catch {
      // asked again in a moment
    }
  }

  opened() {
    clearTimeout(this.#opening);
  }

  close() {
    this.opened();
    for (const [name, act] of Object.entries(this.events)) this.model.off(name, act);
    this.listener = {};
  }

  /** @param {Message} message */
  hear(message) {
    this.listener.hear?.(message);
  }

  back() {
    this.listener.back?.();
  }

  // Messages are read one after the other; a long one comes deflated.
  /** @param {any} got */
  #receive(got) {
    if (got?.client !== this.client) return;
    this.cut = false;
    const read = async () => this.hear(got.packed ? JSON.parse(await inflate(got.packed)) : got);
    this.#turn = this.#turn.then(read).catch(console.error);
  }
}

/** A connection for questions that have a number, each asked again until its answer is there. */
export class Questions extends Connection {
  #seq = 0;
  /** @type {Map<number, Question>} */
  waiting = new Map();

  /**
   * `once`: what must not arrive twice is not asked again.
   * @param {string} type @param {object} [more] @param {boolean} [once]
   * @returns {Promise<Message>}
   */
  ask(type, more = {}, once = false) {
    const seq = ++this.#seq;
    return new Promise((resolve, reject) => {
      const message = { type, client: this.client, seq, ...more };
      const one = { message, resolve, reject, once, pause: PATIENCE };
      this.waiting.set(seq, one);
      this.#post(one);
    });
  }

  close() {
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
    super.close();
  }

  // The line is there again: what had no answer is asked at once.
  back() {
    for (const one of this.waiting.values()) if (!one.once) this.#post(one);
    super.back();
  }

  /** @param {Message} answer */
  hear(answer) {
    const one = this.waiting.get(Number(answer.seq));
    if (one) this.#answer(one, answer);
  }

  /** @param {Question} one */
  #post(one) {
    clearTimeout(one.timer);
    one.timer = setTimeout(() => this.#miss(one), one.pause);
    try {
      this.model.send(one.message);
    } catch (error) {
      console.info("Not sent:", error);
    }
  }

  /** @param {Question} one */
  #miss(one) {
    one.missed = true;
    this.listener.late?.(true);
    one.pause = Math.min(one.pause * 2, LONGEST);
    if (one.once && one.pause === LONGEST) {
      this.waiting.delete(Number(one.message.seq));
      one.reject(new Refusal("No answer came. Look whether it was done before you try again."));
    } else if (one.once) one.timer = setTimeout(() => this.#miss(one), one.pause);
    else this.#post(one);
  }

  /** @param {Question} one @param {Message} answer */
  #answer(one, answer) {
    clearTimeout(one.timer);
    const problem = answer.type === "problem";
    if (problem && answer.again && !one.once) {
      one.missed = true;
      this.listener.late?.(true, answer.message);
      one.timer = setTimeout(() => this.#post(one), one.pause);
      return;
    }
    this.waiting.delete(Number(answer.seq));
    if (![...this.waiting.values()].some(({ missed }) => missed)) this.listener.late?.(false);
    if (problem) one.reject(new Refusal(answer.message, answer.changed));
    else one.resolve(answer);
  }
}
