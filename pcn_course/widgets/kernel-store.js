// A form's answers, kept by the kernel of its page.
import { Connection } from "./connection.js";

/** @import { Edit, Model, Store, StoreListener } from "./types.d.ts" */

/** @implements {Store} */
export class KernelStore {
  /** @param {Model} model @param {StoreListener} listener */
  constructor(model, listener) {
    /** @type {Record<string, (message: any) => void>} */
    const calls = {
      state: (message) => (this.connection.opened(), listener.state(message)),
      ack: listener.acknowledge,
      refused: listener.refused,
      history: listener.history,
    };
    this.connection = new Connection(model, {
      hear: (message) => (calls[message.type] ?? listener.answer)(message),
      cut: listener.cut,
      back: listener.back,
    });
    this.client = this.connection.client;
  }

  open() {
    this.connection.open();
  }

  /** @param {number} seq @param {Record<string, Edit>} fields */
  save(seq, fields) {
    this.connection.send("save", { seq, fields });
  }

  /** @param {string} key */
  history(key) {
    this.connection.send("history", { key });
  }

  /** @param {string} type @param {object} [more] */
  request(type, more) {
    this.connection.send(type, more);
  }

  close() {
    this.connection.close();
  }
}
