"use strict";
// Filters the findings and sorts the tables. The page reads the same without it: this only hides,
// shows and reorders what is there, and makes text with textContent alone.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const collator = new Intl.Collator("en", { numeric: true });
  const ranks = { critical: "0", high: "1", medium: "2", low: "3" };

  // Sorting. A heading becomes a button; the rows of a foot stay where they are.
  const number = (text) => {
    const found = /^(?:1 in )?(-?[\d,]+(?:\.\d+)?)/.exec(text);
    return found ? Number(found[1].replaceAll(",", "")) : NaN;
  };
  const compare = (numeric) => (one, other) => {
    if (numeric) {
      const [a, b] = [number(one), number(other)];
      if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
      return a - b;
    }
    return collator.compare(ranks[one] ?? one, ranks[other] ?? other);
  };
  const sort = (table, head, column) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [row.cells[column]?.textContent.trim() ?? "", row]);
    const by = compare(head.classList.contains("kn"));
    keyed.sort(([one], [other]) => (down ? by(other, one) : by(one, other)));
    const rows = document.createDocumentFragment();
    for (const [, row] of keyed) rows.append(row);
    body.append(rows);
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
  };
  for (const table of all("table[data-sort]")) {
    if (table.tBodies[0].rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = make("button", { type: "button", className: "sort" });
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, head, column));
      head.append(button);
    });
  }

  // Filtering.
  const bar = document.getElementById("filter");
  if (!bar) return;
  const field = (name) => document.getElementById(`filter-${name}`);
  const entries = [];
  const distinct = { owner: new Set(), target: new Set() };
  const known = (element, values) => {
    const text = element.textContent.toLowerCase();
    entries.push({ element, text, count: 1, ...values });
    for (const name of ["owner", "target"]) if (values[name]) distinct[name].add(values[name]);
  };
  for (const card of all("#findings article.card")) known(card, { ...card.dataset });
  for (const table of all("#findings table[data-findings]")) {
    const keys = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.key);
    for (const row of table.tBodies[0].rows) {
      const values = {};
      [...row.cells].forEach((cell, i) => {
        if (keys[i]) values[keys[i]] = cell.dataset.value ?? cell.textContent.trim();
      });
      values.verdict = (values.verdict ?? "").replaceAll(" ", "_");
      known(row, { ...values, count: number(values.count) || 1 });
    }
  }
  const glance = all("#findings table.glance tbody tr");
  const board = glance[0]?.closest(".scroll");
  const more = document.getElementById("glance-more");
  const total = entries.reduce((sum, entry) => sum + entry.count, 0);
  // What says how many there are says under a filter how many of them are shown.
  const plain = new Intl.NumberFormat("en");
  const parts = all("#findings > section, #findings details.rest").map((element) => {
    const head = element.querySelector(":scope > h3, :scope > summary");
    const own = entries.filter((entry) => element.contains(entry.element));
    return { element, head, words: head.textContent, own, opened: false };
  });
  for (const name of ["owner", "target"]) {
    const values = [...distinct[name]].sort(collator.compare);
    const list = make("datalist", { id: `filter-${name}s` });
    list.append(...values.slice(0, 2000).map((value) => make("option", { value })));
    bar.append(list);
    field(name).setAttribute("list", list.id);
  }
  const say = document.getElementById("filter-count");
  const apply = () => {
    const wanted = Object.fromEntries(
      ["text", "severity", "verdict", "target", "owner", "age"].map((name) => [name, field(name)?.value ?? ""]),
    );
    const words = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
    const [target, owner] = [wanted.target.toLowerCase(), wanted.owner.toLowerCase()];
    const fits = (entry) =>
      (!wanted.severity || entry.severity === wanted.severity) &&
      (!wanted.verdict || entry.verdict === wanted.verdict) &&
      (!wanted.age || entry.age === wanted.age || entry.age === "differs") &&
      (!target || (entry.target ?? "").toLowerCase().includes(target)) &&
      (!owner || (entry.owner ?? "").toLowerCase().includes(owner)) &&
      words.every((word) => entry.text.includes(word));
    const filtered = Object.values(wanted).some(Boolean);
    let shown = 0;
    const shut = new Set();
    for (const entry of entries) {
      const hide = !fits(entry);
      if (entry.element.hidden !== hide) entry.element.hidden = hide;
      if (!hide) shown += entry.count;
      if (hide && entry.element.id) shut.add(entry.element.id);
    }
    for (const row of glance) row.hidden = shut.has(row.querySelector("a").getAttribute("href").slice(1));
    if (board) board.hidden = glance.every((row) => row.hidden);
    if (more) more.hidden = filtered;
    for (const part of parts) {
      const { element, head, words } = part;
      const hits = part.own.reduce((sum, entry) => sum + (entry.element.hidden ? 0 : entry.count), 0);
      element.hidden = hits === 0;
      head.textContent = filtered ? `${words}, ${plain.format(hits)} shown` : words;
      if (element.tagName !== "DETAILS") continue;
      // A fold that hides what was looked for opens, and shuts again when nothing is looked for any more.
      if (filtered && hits > 0 && !element.open) element.open = part.opened = true;
      if (!filtered && part.opened) element.open = part.opened = false;
    }
    const of = total === 1 ? "1 finding" : `${plain.format(total)} findings`;
    if (!filtered) say.textContent = of;
    else if (shown === 0) say.textContent = `No finding matches: 0 of ${of} shown`;
    else say.textContent = `${plain.format(shown)} of ${of} shown`;
    field("clear").disabled = !filtered;
  };
  let waiting;
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  };
  const controls = all("input,select", bar);
  for (const control of controls) control.addEventListener("input", later);
  field("clear").addEventListener("click", () => {
    for (const control of controls) control.value = "";
    apply();
    field("text").focus();
  });
  // A link to a finding that is filtered away shows it again.
  addEventListener("hashchange", () => {
    const aim = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!aim?.closest("[hidden]")) return;
    for (const control of controls) control.value = "";
    apply();
    aim.scrollIntoView();
  });
  bar.hidden = false;
  apply();
})();
