// A kernel made up for tests: it keeps what is saved, and answers everything else as it was told.
export class Kernel {
  // `answers`: by type of message, the reply without its type and client.
  constructor({ state, answers = {} }) {
    Object.assign(this, { state, answers, heard: [], listeners: {}, deaf: false, refuse: "" });
  }
  on(name, listener) {
    this.listeners[name] = listener;
  }
  off(name) {
    delete this.listeners[name];
  }
  tell(message) {
    this.listeners["msg:custom"]?.({ client: this.client, ...message });
  }
  send({ client, ...message }) {
    if (this.deaf) return;
    this.client = client;
    this.heard.push(message);
    setTimeout(() => this.answer(message));
  }
  answer(message) {
    const { type, seq, fields, key, number, what } = message;
    if (type === "open") return this.tell({ type: "state", ...this.state });
    if (type === "save" && this.refuse) return this.tell({ type: "refused", seq, message: this.refuse });
    if (type === "save") {
      const versions = {};
      for (const [name, { value }] of Object.entries(fields)) {
        const version = (this.state.fields[name]?.version ?? 0) + 1;
        this.state.fields[name] = { value, version };
        versions[name] = version;
      }
      this.tell({ type: "ack", seq, saved_at: new Date().toISOString(), versions, conflicts: {}, invalid: {} });
    }
    const reply = this.answers[type];
    const names = { look: "panels", advise: "advice" };
    if (reply) this.tell({ type: reply.type ?? names[type] ?? type, key, number, what, ...reply });
  }
  // What stands in the kernel now.
  values() {
    return Object.fromEntries(Object.entries(this.state.fields).map(([key, { value }]) => [key, value]));
  }
}
