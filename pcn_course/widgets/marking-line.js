// Questions to the kernel, each with its answer. A line that is cut neither throws nor fails, so what
// was not answered is asked again; the kernel takes the same message twice without harm.
const PATIENCE = 4000; // ms to wait for an answer
const LONGEST = 15000;

export class Line {
  // `send(message)` may throw; `late(yes)`: answers are missing, or all are there again.
  constructor({ client, send, late }) {
    Object.assign(this, { client, send, late });
    this.seq = 0;
    this.waiting = new Map();
  }

  // `once`: what must not arrive twice is not asked again.
  ask(type, more = {}, once = false) {
    const seq = ++this.seq;
    return new Promise((resolve, reject) => {
      const one = { message: { type, client: this.client, seq, ...more }, resolve, reject, once, pause: PATIENCE };
      this.waiting.set(seq, one);
      this.post(one);
    });
  }

  post(one) {
    clearTimeout(one.timer);
    one.timer = setTimeout(() => this.miss(one), one.pause);
    try {
      this.send(one.message);
    } catch (error) {
      console.info("Not sent:", error);
    }
  }

  miss(one) {
    one.missed = true;
    this.late(true);
    one.pause = Math.min(one.pause * 2, LONGEST);
    if (one.once && one.pause === LONGEST) {
      this.waiting.delete(one.message.seq);
      one.reject(new Error("No answer came. Look whether it was done before you try again."));
    } else if (one.once) one.timer = setTimeout(() => this.miss(one), one.pause);
    else this.post(one);
  }

  hear(answer) {
    const one = this.waiting.get(answer.seq);
    if (!one) return;
    clearTimeout(one.timer);
    if (answer.type === "problem" && answer.again && !one.once) {
      one.missed = true;
      this.late(true, answer.message);
      one.timer = setTimeout(() => this.post(one), one.pause);
      return;
    }
    this.waiting.delete(answer.seq);
    if (![...this.waiting.values()].some(({ missed }) => missed)) this.late(false);
    if (answer.type === "problem") one.reject(Object.assign(new Error(answer.message), { changed: answer.changed }));
    else one.resolve(answer);
  }

  // The line is there again: what had no answer is asked at once.
  again() {
    for (const one of this.waiting.values()) if (!one.once) this.post(one);
  }

  close() {
    for (const one of this.waiting.values()) clearTimeout(one.timer);
    this.waiting.clear();
  }
}
