// Saving with a store, drafts and a clock that are made up.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Saving } from "../../pcn_course/widgets/saving.js";

class Storage {
  setItem(name, text) {
    this[name] = text;
  }
  getItem(name) {
    return this[name] ?? null;
  }
  removeItem(name) {
    delete this[name];
  }
}

const PROMPTS = [
  { key: "goal", kind: "text" },
  { key: "who", kind: "line" },
];
const EMPTY = { fields: {}, saved_at: null };
let store, page;

// A form of which only the values are real.
function opened(client = "one", state = EMPTY) {
  store = {
    client,
    sent: [],
    opens: 0,
    open: () => store.opens++,
    save: (seq, fields) => store.sent.push({ seq, fields }),
  };
  page = { shown: {}, told: [], busy: new Set() };
  const saving = new Saving({
    store,
    place: "pcn:course:user:step:",
    prompts: PROMPTS,
    show: (key, value) => (page.shown[key] = value),
    tell: (key, other) => page.told.push([key, other]),
    changed: () => {},
    busy: (key) => page.busy.has(key),
    look: () => {},
  });
  saving.channel?.close();
  saving.channel = null; // nobody else is there
  saving.state(state);
  return saving;
}

const drafts = () => Object.keys(globalThis.localStorage);
const answer = (seq, more) => ({
  seq,
  saved_at: "2027-01-01T10:00:00Z",
  versions: {},
  conflicts: {},
  invalid: {},
  ...more,
});

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  globalThis.localStorage = new Storage();
});

test("text is kept here at once, and sent after a pause", () => {
  const saving = opened();
  saving.edit("goal", "A plan");
  assert.deepEqual(drafts(), ["pcn:course:user:step:goal:one"]);
  mock.timers.tick(699);
  assert.equal(store.sent.length, 0);
  mock.timers.tick(1);
  assert.deepEqual(store.sent, [{ seq: 1, fields: { goal: { value: "A plan", base: 0 } } }]);
});

test("only the acknowledged value clears its draft", () => {
  const saving = opened();
  saving.edit("goal", "A");
  saving.flush();
  saving.edit("goal", "A plan");
  saving.acknowledge(answer(1, { versions: { goal: 1 } }));
  assert.equal(saving.open.length, 1);
  assert.equal(drafts().length, 1);
  mock.timers.tick(700);
  assert.deepEqual(store.sent.at(-1), { seq: 2, fields: { goal: { value: "A plan", base: 1 } } });
  saving.acknowledge(answer(2, { versions: { goal: 2 } }));
  assert.deepEqual([saving.open, drafts()], [[], []]);
});

test("what is not acknowledged is sent again, less and less often", () => {
  const saving = opened();
  saving.edit("goal", "A plan");
  saving.flush();
  const times = [];
  for (let second = 1; second <= 60; second++) {
    const before = store.sent.length;
    mock.timers.tick(1000);
    if (store.sent.length > before) times.push(second);
  }
  assert.equal(saving.trouble, "late");
  assert.deepEqual(times, [5, 11, 19, 31, 50]);
  assert.ok(store.sent.every(({ fields }) => fields.goal.value === "A plan"));
});

test("a store that throws is a store that did not answer", () => {
  const saving = opened();
  store.save = () => {
    throw new Error("The line is cut.");
  };
  saving.edit("goal", "A plan");
  saving.flush();
  assert.equal(saving.trouble, "late");
  assert.equal(drafts().length, 1);
});

test("of a conflict both texts stay, and the merged one is saved", () => {
  const saving = opened();
  saving.edit("goal", "Mine");
  saving.flush();
  saving.acknowledge(answer(1, { conflicts: { goal: { value: "Theirs", version: 4, base_value: null } } }));
  assert.equal(saving.field("goal").value, "Mine\nTheirs");
  assert.equal(page.shown.goal, "Mine\nTheirs");
  assert.deepEqual(page.told, [["goal", undefined]]);
  mock.timers.tick(0);
  assert.deepEqual(store.sent.at(-1).fields.goal, { value: "Mine\nTheirs", base: 4 });
});

test("letters that are being composed are merged when they are done", () => {
  const saving = opened();
  page.busy.add("goal");
  saving.take("goal", { value: "Theirs", version: 1 });
  assert.equal(page.shown.goal, undefined);
  page.busy.clear();
  saving.resume("goal");
  assert.equal(page.shown.goal, "Theirs");
});

test("a store that has gone back takes nothing away, and is asked again", () => {
  const saving = opened("one", { fields: { goal: { value: "A plan", version: 5 } }, saved_at: null });
  saving.edit("goal", "A plan, kept");
  saving.flush();
  saving.acknowledge(answer(1, { conflicts: { goal: { value: "A", version: 2 } } }));
  assert.equal(store.opens, 1);
  assert.equal(saving.field("goal").value, "A plan, kept");
});

test("a draft of a window that is gone is merged over what the store has", async () => {
  const before = opened("gone");
  await Promise.resolve(); // it has looked for drafts
  before.edit("goal", "Written before");
  opened("two", { fields: { goal: { value: "Saved elsewhere", version: 3 } }, saved_at: null });
  await Promise.resolve();
  assert.deepEqual(store.sent.at(-1).fields.goal, { value: "Written before\nSaved elsewhere", base: 3 });
  assert.deepEqual(drafts(), ["pcn:course:user:step:goal:two"]);
});
