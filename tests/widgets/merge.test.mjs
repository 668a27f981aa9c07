import assert from "node:assert/strict";
import { test } from "node:test";
import * as merging from "../../pcn_course/widgets/merge.js";
import { checkCarets, checkTables, checkTexts, checkWriters } from "./merge_properties.js";

const { merge, mergeText, move, same, wellFormed } = merging;

test("nothing, empty text and an empty list are the same answer", () => {
  for (const one of [null, undefined, "", []]) for (const other of [null, "", []]) assert.ok(same(one, other));
  assert.ok(same([{ id: "a", note: "" }], [{ id: "a" }]));
  assert.ok(!same(["a", "b"], ["b", "a"]));
  assert.ok(!same(0, null));
});

test("a side that changed nothing has no say", () => {
  for (const kind of ["text", "line", "choices", "table", "choice", "date"]) {
    const prompt = { kind, columns: [] };
    assert.deepEqual(merge(prompt, "was", "was", "theirs"), "theirs");
    assert.deepEqual(merge(prompt, "was", "mine", "was"), "mine");
  }
});

test("both sides' words stay, and what they share stands there once", () => {
  assert.equal(mergeText("A plan.", "A good plan.", "A plan. And more."), "A good plan. And more.");
  assert.equal(mergeText("", "one and two", "one and three"), "one and two\none and three");
  assert.equal(merge({ kind: "line" }, "", "one", "two"), "one two");
});

test("a caret stays by the word that it stood by", () => {
  assert.equal(move("one two", "zero one two", 3), 8);
  assert.equal(move("one two", "two", 7), 3);
});

test("a lone half of a sign can be kept", () => assert.equal(wellFormed("a\ud800b"), "a\ufffdb"));

for (const check of [checkTexts, checkTables, checkCarets, checkWriters]) {
  test(`at random: ${check.name}`, () => assert.equal(check(merging, 7, 300), ""));
}
