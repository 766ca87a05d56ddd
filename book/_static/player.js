// SPDX-License-Identifier: GPL-2.0
// Walks through a list one item at a time: the stops of a journey, the steps of a ring.
"use strict";

// items: the list's <li>; word: what they are called; label: for those who cannot see;
// show(at): draws what belongs to item `at`, or to all of them when it is -1.
// Returns a function that goes to an item.
function addPlayer({ items, word, label, show }) {
  const bar = document.createElement("div");
  bar.className = "player";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", label);
  let at = -1;
  // An item keeps its number while the others are hidden.
  items.forEach((item, i) => { item.value = i + 1; });

  const button = (text, action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", action);
    bar.append(made);
    return made;
  };
  const goTo = (next) => {
    at = next;
    show(at);
    items.forEach((item, i) => { item.hidden = at >= 0 && i !== at; });
    const name = word[0].toUpperCase() + word.slice(1);
    where.textContent = at < 0 ? `${items.length} ${word}s` : `${name} ${at + 1} of ${items.length}`;
    back.disabled = at <= 0;
    forward.disabled = at === items.length - 1;
    forward.textContent = at < 0 ? "Walk through" : "Next";
    all.hidden = at < 0;
  };
  const back = button("Back", () => goTo(at - 1));
  const forward = button("Walk through", () => goTo(at + 1));
  const all = button(`Show all ${word}s`, () => goTo(-1));
  const where = document.createElement("span");
  where.setAttribute("aria-live", "polite");
  bar.append(where);
  bar.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight" && at < items.length - 1) {
      goTo(at + 1);
    } else if (event.key === "ArrowLeft" && at > 0) {
      goTo(at - 1);
    }
  });
  items[0].parentElement.before(bar);
  goTo(-1);
  return goTo;
}
