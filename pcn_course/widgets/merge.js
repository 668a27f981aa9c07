// Three-way merging of answers: both sides' words stay, and what they share stands there once.
// `base` is what both started from. Nothing here knows of pages or kernels.

/** @import { Prompt, Value } from "./types.d.ts" */
/** @typedef {{ id: string, [key: string]: Value }} Row */
/** @typedef {{ from: number, to: number, words: string[] }} Edit */
/** @typedef {[number, number, number, number]} Range from and to of the one, start and end of the other */

/** @param {Value} value */
const empty = (value) => value == null || value === "" || (Array.isArray(value) && !value.length);

// Whether two values are the same answer. Nothing, empty text and an empty list are.
/** @param {Value} one @param {Value} other @returns {boolean} */
export function same(one, other) {
  if (one === other || (empty(one) && empty(other))) return true;
  if (!one || !other || typeof one !== "object" || typeof other !== "object") return false;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  const [here, there] = /** @type {Record<string, Value>[]} */ ([one, other]);
  return [...keys].every((key) => same(here[key], there[key]));
}

// Lone surrogates can't be sent or kept.
/** @param {string} text */
export function wellFormed(text) {
  return text.toWellFormed ? text.toWellFormed() : text.replace(/\p{Surrogate}/gu, "\ufffd");
}

// The merged value of a prompt. A value that can't hold both (a choice, a date) stays `mine`.
/**
 * @param {{ kind: string, columns?: Prompt[] }} prompt @param {any} base @param {any} mine @param {any} theirs
 * @returns {Value}
 */
export function merge(prompt, base, mine, theirs) {
  if (same(mine, theirs) || same(theirs, base)) return mine;
  if (same(mine, base)) return theirs;
  switch (prompt.kind) {
    case "line":
      return mergeText(base ?? "", mine ?? "", theirs ?? "").replace(/\s*\n\s*/g, " ");
    case "text":
      return mergeText(base ?? "", mine ?? "", theirs ?? "");
    case "choices":
      return mergeChoices(base ?? [], mine ?? [], theirs ?? []);
    case "table":
      return mergeRows(prompt.columns ?? [], base ?? [], mine ?? [], theirs ?? []);
  }
  return mine;
}

/** @param {string[]} base @param {string[]} mine @param {string[]} theirs */
function mergeChoices(base, mine, theirs) {
  const kept = (/** @type {string} */ value) =>
    (mine.includes(value) === base.includes(value) ? theirs : mine).includes(value);
  return [...new Set([...theirs, ...mine])].filter(kept);
}

// Rows are known by their id. One that a side removed stays if the other side changed it.
/** @param {Prompt[]} columns @param {Row[]} base @param {Row[]} mine @param {Row[]} theirs */
function mergeRows(columns, base, mine, theirs) {
  const [was, here, there] = [base, mine, theirs].map((rows) => new Map(rows.map((row) => [row.id, row])));
  const both = (/** @type {string} */ id) => {
    /** @type {Record<string, Value>} */
    const row = { ...there.get(id), ...here.get(id) };
    for (const key of Object.keys(row)) {
      // The label of an entry that the row points to is taken whole, as that entry is.
      const other = { kind: key.endsWith("-shown") ? "choice" : "text" };
      const column = columns.find((one) => one.key === key) ?? other;
      const [a, b, c] = [was, here, there].map((rows) => rows.get(id)?.[key]);
      if (key !== "id") row[key] = merge(column, a, b, c);
    }
    return row;
  };
  const onlyOne = (/** @type {Row | undefined} */ row) => (row && !same(row, was.get(row.id)) ? row : null);
  const order = (/** @type {Row[]} */ rows) => rows.map((row) => row.id).filter((id) => was.has(id));
  const common = (/** @type {string[]} */ ids) => ids.filter((id) => here.has(id) && there.has(id)).join();
  const moved = common(order(mine)) !== common(order(base));
  const [first, second] = (moved ? [mine, theirs] : [theirs, mine]).map((rows) => rows.map((row) => row.id));
  const ids = weave(first, second);
  return ids
    .map((id) => {
      if (here.has(id) && there.has(id)) return both(id);
      return onlyOne(here.get(id) ?? there.get(id));
    })
    .filter(Boolean);
}

// `first`, with what only `second` has put after its neighbour there.
/** @param {string[]} first @param {string[]} second */
function weave(first, second) {
  const all = [...first];
  second.forEach((id, at) => {
    if (!all.includes(id)) all.splice(all.indexOf(second[at - 1]) + 1, 0, id);
  });
  return all;
}

// Words and the space between them. Scripts that are written without spaces: each letter.
const WORDS = /\s+|[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]|[^\s\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]+/gu;
/** @param {string} text @returns {string[]} */
const words = (text) => text.match(WORDS) ?? [];
/** @param {string} word */
const isSpace = (word) => !word.trim();

const PHRASE = 3; // words in a row that both sides have, so that they count as shared text
const EFFORT = 2e7; // comparisons of two words, above which only long runs are looked for
const LONG = 16; // words and spaces in such a run

// For each word of `one` its place in `other`, -1 if it has none: in order, runs of at least `least`
// words, the longest first. In runs of several, all space is alike.
/** @param {string[]} one @param {string[]} other @param {number} least */
function match(one, other, least) {
  const place = new Int32Array(one.length).fill(-1);
  const ids = new Map();
  const number = (/** @type {string} */ text) => {
    const word = least > 1 && isSpace(text) ? " " : text;
    if (!ids.has(word)) ids.set(word, ids.size);
    return ids.get(word);
  };
  const [a, b] = [one, other].map((list) => Int32Array.from(list, number));
  // A long word says more than a short one about where it came from.
  const weight = Int32Array.from(ids.keys(), (word) => (isSpace(word) ? 0 : least > 1 ? 1 : word.length));
  /** @type {Range[]} */
  const ranges = [[0, a.length, 0, b.length]];
  let effort = 0;
  for (let range = ranges.pop(); range; range = ranges.pop()) {
    let [from, to, start, end] = range;
    if (least === 1) {
      while (from < to && start < end && a[from] === b[start]) place[from++] = start++;
      while (from < to && start < end && a[to - 1] === b[end - 1]) place[--to] = --end;
    }
    /** @type {Range} */
    const rest = [from, to, start, end];
    const cost = (to - from) * (end - start);
    const costly = effort + cost > EFFORT;
    if (!costly) effort += cost;
    const run = costly ? longRun(a, b, rest) : longestRun(a, b, rest, weight, least);
    if (!run) continue;
    let [x, y] = run;
    let [last, until] = [x + 1, y + 1];
    while (x > from && y > start && a[x - 1] === b[y - 1]) x--, y--;
    while (last < to && until < end && a[last] === b[until]) last++, until++;
    if (least > 1 && last < to && until < end) last = sentences(one, x, last, least);
    until = y + last - x;
    for (let n = x; n < last; n++) place[n] = y + n - x;
    ranges.push([from, x, start, y], [last, to, until, end]);
  }
  return place;
}

// Where the last whole sentence of a run ends, so that no other is torn from its first words; the
// run's own end if less than a phrase would be left.
/** @param {string[]} list @param {number} from @param {number} to @param {number} least */
function sentences(list, from, to, least) {
  let end = to;
  while (end > from && !/[.!?…。！？]$/.test(list[end - 1])) end--;
  return list.slice(from, end).filter((word) => !isSpace(word)).length < least ? to : end;
}

// A place [x, y] in the heaviest run of words that both have.
/**
 * @param {Int32Array} a @param {Int32Array} b @param {Range} range @param {Int32Array} weight @param {number} least
 * @returns {[number, number] | null}
 */
function longestRun(a, b, [from, to, start, end], weight, least) {
  let most = 0;
  /** @type {[number, number] | null} */
  let found = null;
  const runs = new Int32Array(end - start + 1); // of the runs that end at b[y], one place on
  for (let x = from; x < to; x++) {
    for (let y = end - 1; y >= start; y--) {
      const run = a[x] === b[y] ? runs[y - start] + weight[a[x]] : 0;
      runs[y - start + 1] = run;
      if (run <= most) continue;
      most = run;
      found = [x, y];
    }
  }
  return most >= least ? found : null;
}

// The same for texts too long to compare each word with each: the first run of some length that
// only stands once in `a`.
/** @param {Int32Array} a @param {Int32Array} b @param {Range} range @returns {[number, number] | null} */
function longRun(a, b, [from, to, start, end]) {
  const key = (/** @type {Int32Array} */ list, /** @type {number} */ at) => list.subarray(at, at + LONG).join();
  const places = new Map();
  for (let x = from; x + LONG <= to; x += LONG) {
    places.set(key(a, x), places.has(key(a, x)) ? null : x);
  }
  for (let y = start; y + LONG <= end; y++) {
    const x = places.get(key(b, y));
    if (x != null) return [x, y];
  }
  return null;
}

/** @param {string} base @param {string} mine @param {string} theirs */
export function mergeText(base, mine, theirs) {
  if (mine === theirs || theirs === base) return mine;
  if (mine === base) return theirs;
  const [o, a, b] = [base, mine, theirs].map(words);
  const sides = [edits(o, a), edits(o, b)];
  let text = "";
  let done = 0;
  while (sides.some((side) => side.length)) {
    const { from, to, made } = nextPlace(sides);
    text += o.slice(done, from).join("");
    const [here, there] = made.map((list) => applied(list, o.slice(from, to), from));
    const news = !made[1].length
      ? here.join("")
      : !made[0].length
        ? there.join("")
        : changed(o.slice(from, to), here, there, text);
    // The space between two changes side by side may have been part of one of them.
    const apart = from === done && [o[from - 1], o[from]].some((word) => word && isSpace(word));
    text += apart && /\S$/.test(text) && /^\S/.test(news) ? " " + news : news;
    done = to;
  }
  return text + o.slice(done).join("");
}

// How `list` came from `o`: words `from` to `to` of `o` gave way to others.
/** @param {string[]} o @param {string[]} list */
function edits(o, list) {
  const place = match(o, list, 1);
  const found = [];
  let [from, start] = [0, 0];
  for (let n = 0; n <= o.length; n++) {
    if (n < o.length && place[n] < 0) continue;
    const end = n < o.length ? place[n] : list.length;
    if (n > from || end > start) found.push(slid({ from, to: n, words: list.slice(start, end) }, o));
    [from, start] = [n + 1, end + 1];
  }
  return found;
}

// Of the two ways to see a new word between others, the one that leaves the space before it alone.
/** @param {Edit} edit @param {string[]} o @returns {Edit} */
function slid(edit, o) {
  const {
    from,
    to,
    words: [space, ...rest],
  } = edit;
  if (from < to || !rest.length || !isSpace(space) || o[to] !== space) return edit;
  return { from: from + 1, to: to + 1, words: [...rest, space] };
}

/** @param {Edit[]} edits @param {string[]} part @param {number} from */
function applied(edits, part, from) {
  /** @type {string[]} */
  let out = [];
  let done = 0;
  for (const edit of edits) {
    out = out.concat(part.slice(done, edit.from - from), edit.words);
    done = edit.to - from;
  }
  return out.concat(part.slice(done));
}

// Takes from both sides' edits those at the next place: one alone, or all that meet. `made`: by side.
/** @param {Edit[][]} sides */
function nextPlace(sides) {
  const [[mine], [theirs]] = sides;
  // What was written before a word comes before what that word was changed to.
  const first = !mine || (theirs && (theirs.from - mine.from || theirs.to - mine.to) < 0) ? 1 : 0;
  const edit = /** @type {Edit} */ (sides[first].shift());
  /** @type {{ from: number, to: number, made: Edit[][] }} */
  const place = { from: edit.from, to: edit.to, made: [[], []] };
  place.made[first].push(edit);
  for (;;) {
    const n = sides.findIndex((side, n) => side.length && meet(place, side[0], place.made[1 - n]));
    if (n < 0) return place;
    place.to = Math.max(place.to, sides[n][0].to);
    place.made[n].push(/** @type {Edit} */ (sides[n].shift()));
  }
}

// Whether an edit changes the same words as those before it, or says the same right beside them.
/** @param {{ from: number, to: number }} place @param {Edit} edit @param {Edit[]} others */
function meet({ from, to }, edit, others) {
  if (edit.from !== to) return edit.from < to;
  if (from === edit.to) return true;
  return others.some(({ words }) =>
    [
      [words, edit.words],
      [edit.words, words],
    ].some(([one, two]) => (trimmed(two).length && holds(one, two)) || match(one, two, PHRASE).some((at) => at >= 0)),
  );
}

// One place that at least one side changed: the text of the side that did, or of both.
/** @param {string[]} base @param {string[]} mine @param {string[]} theirs @param {string} before */
function changed(base, mine, theirs, before) {
  const [was, here, there] = [base, mine, theirs].map((list) => list.join(""));
  if (here === there || there === was) return here;
  if (here === was) return there;
  const place = match(mine, theirs, PHRASE);
  let text = "";
  let [from, start] = [0, 0];
  for (let at = 0; at <= mine.length; at++) {
    if (at < mine.length && place[at] < 0) continue;
    const to = at < mine.length ? place[at] : theirs.length;
    text += pair(mine.slice(from, at), theirs.slice(start, to), text || before, from > 0);
    text += mine[at] ?? "";
    [from, start] = [at + 1, to + 1];
  }
  return text;
}

/** @param {string[]} list */
function trimmed(list) {
  return list.slice(isSpace(list[0] ?? "") ? 1 : 0, isSpace(list.at(-1) ?? "") ? -1 : undefined);
}

// Two texts one after the other; one alone if the other is part of it.
/** @param {string[]} mine @param {string[]} theirs @param {string} before @param {boolean} shared */
function pair(mine, theirs, before, shared) {
  if (holds(mine, theirs, shared)) return mine.join("");
  if (holds(theirs, mine, shared)) return theirs.join("");
  const [one, other] = [mine.join(""), theirs.join("")];
  if (/\s$/.test(one) || /^\s/.test(other)) return one + other;
  const paragraphs = /\n/.test(one + other) || !before || before.endsWith("\n");
  return one + (paragraphs ? "\n" : " ") + other;
}

// Whether the words of `part` stand in `list`, one after the other. The last may be the beginning of
// a word there, which was being typed when it was seen: after other words of `part`, or where `list`
// begins and both sides share what stands before.
/** @param {string[]} list @param {string[]} part @param {boolean} [shared] */
function holds(list, part, shared = false) {
  const inner = trimmed(part);
  if (!inner.length) return true;
  const [all, wanted] = [list, inner].map((some) => "\0" + some.join("\0"));
  if ((all + "\0").includes(wanted + "\0")) return true;
  if (inner.length > 1) return all.includes(wanted);
  return shared && Boolean(trimmed(list)[0]?.startsWith(inner[0]));
}

// Where a caret at `at` in `before` belongs in `after`: as far from the nearest word on its left
// that is in both.
/** @param {string} before @param {string} after @param {number} at */
export function move(before, after, at) {
  const [a, b] = [words(before), words(after)];
  const place = match(a, b, 1);
  let [end, n, shift] = [0, 0, 0];
  /** @type {number[]} */
  const ends = [];
  for (const word of b) ends.push((ends.at(-1) ?? 0) + word.length);
  for (; n < a.length && end < at; n++) {
    end += a[n].length;
    if (place[n] >= 0) shift = ends[place[n]] - end;
  }
  return Math.min(at + shift, after.length);
}
