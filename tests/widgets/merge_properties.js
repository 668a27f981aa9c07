// Random three-way merges, judged by what must always hold. `check` returns the first failure.

function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const words = (text) => text.split(/\s+/).filter(Boolean);
const count = (text, word) => words(text).filter((one) => one === word).length;

// `text` after some random edits; new words begin with `name`, so that each has one owner.
function edited(list, name, next) {
  const out = [...list];
  let made = 0;
  for (let edits = 1 + Math.floor(next() * 4); edits > 0; edits--) {
    const at = Math.floor(next() * (out.length + 1));
    const fresh = Array.from({ length: 1 + Math.floor(next() * 3) }, () => `${name}${made++}`);
    const kind = next();
    if (kind < 0.5) out.splice(at, 0, ...fresh);
    else if (kind < 0.75) out.splice(at, Math.floor(next() * 3), ...fresh);
    else out.splice(at, Math.floor(next() * 4));
  }
  return out;
}

export function checkTexts({ mergeText }, seed, rounds) {
  const next = random(seed);
  for (let round = 0; round < rounds; round++) {
    const list = Array.from({ length: Math.floor(next() * 14) }, (_, n) => `b${n}`);
    const gap = () => (next() < 0.15 ? "\n" : " ");
    const gaps = Array.from({ length: 60 }, gap);
    const text = (some) => some.map((word, n) => (n ? gaps[n] : "") + word).join("");
    const [mine, theirs] = [edited(list, "m", next), edited(list, "t", next)];
    const both = [];
    if (next() < 0.4) {
      // The same words, typed at the same place on both sides.
      both.push(..."shared words that both sides wrote".split(" "));
      mine.push(...both);
      theirs.push(...both);
    }
    const [o, a, b] = [list, mine, theirs].map(text);
    const merged = mergeText(o, a, b);
    const fail = (why) => JSON.stringify({ why, base: o, mine: a, theirs: b, merged });
    if (mergeText(o, a, o) !== a || mergeText(o, o, b) !== b || mergeText(o, a, a) !== a) {
      return fail("a side that changed nothing has no say");
    }
    if (mergeText(b, merged, b) !== merged) return fail("merging again changes nothing");
    for (const word of new Set([...mine, ...theirs])) {
      const isNew = !list.includes(word);
      const kept = mine.includes(word) && theirs.includes(word);
      if ((isNew || kept) && count(merged, word) < 1) return fail(`${word} is lost`);
      if (count(merged, word) > 1) return fail(`${word} is there twice`);
    }
    for (const word of list) {
      if (!mine.includes(word) && !theirs.includes(word) && count(merged, word)) {
        return fail(`${word} is back`);
      }
    }
    for (const word of words(merged)) {
      if (![...mine, ...theirs].includes(word)) return fail(`${word} is nobody's`);
    }
  }
  return "";
}

export function checkTables({ merge, same }, seed, rounds) {
  const next = random(seed);
  const prompt = {
    kind: "table",
    columns: [
      { key: "a", kind: "text" },
      { key: "n", kind: "scale" },
      { key: "c", kind: "choices" },
    ],
  };
  const pick = (some) => some[Math.floor(next() * some.length)];
  const change = (rows, name) => {
    let out = rows.map((row) => ({ ...row }));
    for (let edits = Math.floor(next() * 5); edits > 0; edits--) {
      const row = pick(out);
      const kind = next();
      if (kind < 0.3) out.splice(Math.floor(next() * (out.length + 1)), 0, { id: `${name}${edits}`, a: name });
      else if (!row) continue;
      else if (kind < 0.5) row.a = `${row.a ?? ""} ${name}${edits}`.trim();
      else if (kind < 0.6) row.n = 1 + Math.floor(next() * 5);
      else if (kind < 0.7) row.c = [...new Set([...(row.c ?? []), pick(["x", "y", "z"])])];
      else if (kind < 0.85) out = out.filter((one) => one !== row);
      else out = [...out.filter((one) => one !== row), row];
    }
    return out;
  };
  for (let round = 0; round < rounds; round++) {
    const base = Array.from({ length: Math.floor(next() * 5) }, (_, n) => ({ id: `r${n}`, a: `b${n}` }));
    const [mine, theirs] = [change(base, "m"), change(base, "t")];
    const merged = merge(prompt, base, mine, theirs);
    const fail = (why) => JSON.stringify({ why, base, mine, theirs, merged });
    const of = (rows, id) => rows.find((row) => row.id === id);
    const ids = merged.map((row) => row.id);
    if (new Set(ids).size < ids.length) return fail("a row is there twice");
    for (const [here, there] of [
      [mine, theirs],
      [theirs, mine],
    ]) {
      for (const row of here) {
        const [was, other, now] = [base, there, merged].map((rows) => of(rows, row.id));
        const changed = !was || !same(was, row);
        if ((changed || other) && !now) return fail(`${row.id} is lost`);
        if (was && !changed && !other && now) return fail(`${row.id} is back`);
        if (!now) continue;
        const gained = (list, before) => list.filter((one) => !before.includes(one));
        for (const word of gained(words(row.a ?? ""), words(was?.a ?? ""))) {
          if (count(now.a, word) !== 1) return fail(`${word} is there ${count(now.a, word)} times`);
        }
        for (const one of gained(row.c ?? [], was?.c ?? [])) {
          if (!now.c.includes(one)) return fail(`${one} is lost`);
        }
      }
    }
    for (const row of mine) {
      const [was, now] = [of(base, row.id), of(merged, row.id)];
      if (now && !same(row.n, was?.n) && now.n !== row.n) return fail("my own number is lost");
    }
  }
  return "";
}

export function checkCarets({ mergeText, move }, seed, rounds) {
  const next = random(seed);
  for (let round = 0; round < rounds; round++) {
    const list = Array.from({ length: 3 + Math.floor(next() * 9) }, (_, n) => `b${n}`);
    const mine = list.join(" ");
    const at = Math.floor(next() * (mine.length + 1));
    const theirs = edited(list, "t", next);
    const merged = mergeText(mine, mine, theirs.join(" "));
    const to = move(mine, merged, at);
    const before = mine.slice(0, at).match(/\S*$/)[0];
    const word = before + mine.slice(at).match(/^\S*/)[0];
    const fail = () => JSON.stringify({ mine, at, merged, to, word });
    if (to < 0 || to > merged.length) return fail();
    if (before && theirs.includes(word) && !merged.slice(0, to).endsWith(before)) return fail();
  }
  return "";
}

// Two people type in one field at the same time, letter by letter, here and there; now and then one
// of them saves, and merges what the other has saved meanwhile. In the end each word is there once.
export function checkWriters({ mergeText, move }, seed, rounds) {
  const next = random(seed);
  for (let round = 0; round < rounds; round++) {
    let kept = "there were some words already";
    const all = words(kept);
    const writers = ["a", "b"].map((name) => ({ name, text: kept, base: kept, at: kept.length, rest: "" }));
    const put = (writer, text) => {
      const { text: now, at } = writer;
      Object.assign(writer, { text: now.slice(0, at) + text + now.slice(at), at: at + text.length });
    };
    const save = (writer) => {
      const merged = mergeText(writer.base, writer.text, kept);
      writer.at = move(writer.text, merged, writer.at);
      kept = writer.base = writer.text = merged;
    };
    const begin = (writer) => {
      const starts = [...writer.text.matchAll(/(?<=^|\s)\S/g)].map((found) => found.index);
      const place = next();
      if (place < 0.1) writer.at = starts[Math.floor(next() * starts.length)] ?? 0;
      else if (place < 0.2) writer.at = writer.text.length;
      if (/\S$/.test(writer.text.slice(0, writer.at))) put(writer, " ");
      if (/^\S/.test(writer.text.slice(writer.at))) put(writer, " "), writer.at--;
      // No two begin alike: of two that do, nobody can say which one was half typed.
      all.push(`${String.fromCharCode(0x100 + all.length)}word-of-${writer.name}`);
      writer.rest = all.at(-1) + (next() < 0.1 ? "\n" : " ");
    };
    for (let burst = 0; burst < 40; burst++) {
      const writer = writers[next() < 0.5 ? 0 : 1];
      for (let keys = 1 + Math.floor(next() * 6); keys > 0; keys--) {
        if (!writer.rest) begin(writer);
        put(writer, writer.rest[0]);
        writer.rest = writer.rest.slice(1);
      }
      if (next() < 0.3) save(writer);
    }
    for (const writer of writers) put(writer, writer.rest);
    for (const writer of [...writers, ...writers]) save(writer);
    const [wanted, found] = [all, words(kept)].map((list) => [...list].sort().join(" "));
    if (wanted !== found) return JSON.stringify({ round, wanted: all.join(" "), kept });
  }
  return "";
}
