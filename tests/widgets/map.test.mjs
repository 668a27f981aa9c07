// Where the map puts its marks, with letters that are all equally wide.
import assert from "node:assert/strict";
import { test } from "node:test";
import { place, read } from "../../pcn_course/widgets/map.js";

const pen = { measureText: (text) => ({ width: 6 * text.length }) };
globalThis.document = { createElement: () => ({ getContext: () => pen }) };

const SECTORS = ["peer", "clinic", "policy", "carer"].map((value) => ({ value, label: value }));
const PEOPLE = {
  columns: [
    { key: "person", kind: "line" },
    { key: "sector", kind: "choice", options: SECTORS },
    { key: "closeness", kind: "scale", points: 5, low: "distant", high: "close" },
  ],
};
const TIES = {
  columns: [
    { key: "one", kind: "choice", options_from: "people" },
    { key: "other", kind: "choice", options_from: "people" },
    { key: "kind", kind: "choice", options: [{ value: "know", label: "They know each other" }] },
  ],
};
const people = (count) =>
  Array.from({ length: count }, (_, n) => ({
    id: `p${n}`,
    person: `P${n}`,
    sector: SECTORS[n % 4].value,
    closeness: 1 + ((n * 3) % 5),
  }));
const plan = (rows, width = 640) => place(read(PEOPLE, TIES, rows, []), width);
const distance = ([x, y], { cx, cy, a, b }) => Math.hypot((x - cx) / a, (y - cy) / b);

for (const count of [1, 5, 12, 24, 60]) {
  for (const width of [280, 640]) {
    test(`${count} members on ${width} px stand apart, and inside`, () => {
      const { spots, b, cy } = plan(people(count), width);
      assert.equal(spots.length, count);
      for (const [n, [x, y]] of spots.entries()) {
        assert.ok(x >= 13 && x <= width - 13 && y >= 0 && y <= cy + b + 20, `${n} at ${x}, ${y}`);
        for (const [x1, y1] of spots.slice(0, n)) assert.ok(Math.abs(x - x1) >= 26 || Math.abs(y - y1) >= 26);
      }
    });
  }
}

test("who is closer stands on an inner ring", () => {
  const rows = [5, 3, 1].map((closeness, n) => ({ id: `p${n}`, person: "P", sector: "peer", closeness }));
  const made = plan(rows);
  const [near, middle, far] = made.spots.map((spot) => distance(spot, made));
  assert.ok(near < middle && middle < far);
});

test("the map holds still while somebody is added at the end", () => {
  const rows = people(9);
  assert.deepEqual(
    plan([...rows, { id: "new", person: "N", sector: "peer", closeness: 3 }]).spots.slice(0, 9),
    plan(rows).spots,
  );
});

test("names and other facts move nobody", () => {
  const rows = people(9);
  const renamed = rows.map((row) => ({ ...row, person: row.person + ", who has a long name" }));
  assert.deepEqual(plan(renamed).spots, plan(rows).spots);
});

test("a tie is drawn once, and only between two who are there", () => {
  const ties = [
    { one: "p0", other: "p1", kind: "know" },
    { one: "p1", other: "p0", kind: "know" },
    { one: "p0", other: "p0", kind: "know" },
    { one: "p0", other: "gone", kind: "know" },
  ];
  const { lines, members } = read(PEOPLE, TIES, people(3), ties);
  assert.equal(lines.length, 1);
  assert.equal(members[0].tied, "2. P1 (they know each other)");
});

test("whatever a file holds is read", () => {
  for (const rows of [null, "text", [null, 3, "x", {}, { closeness: "close", person: 7 }]]) {
    assert.doesNotThrow(() => place(read(PEOPLE, TIES, rows, rows), 640));
  }
});
