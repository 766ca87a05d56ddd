// SPDX-License-Identifier: GPL-2.0
// Walks through the steps of a recorded ring. Without it the page shows chosen steps and the list.
"use strict";

(function () {
  function addPlayer(ring) {
    const steps = Array.from(ring.querySelectorAll("ol.ring-steps > li"));
    const picture = ring.querySelector(".drawing");
    if (!picture || steps.length === 0) {
      return;
    }
    const overview = picture.innerHTML;
    const bar = document.createElement("div");
    bar.className = "journey-player";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Steps of the ring");
    let at = -1;
    // A step keeps its number while the others are hidden.
    steps.forEach((step, i) => { step.value = i + 1; });

    const button = (label, action) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = label;
      made.addEventListener("click", action);
      bar.append(made);
      return made;
    };
    const draw = () => {
      picture.innerHTML = overview;
      if (at >= 0) {
        picture.replaceChildren(steps[at].querySelector("template").content.cloneNode(true));
      }
      picture.classList.toggle("one", at >= 0);
    };
    const show = (next) => {
      at = next;
      draw();
      steps.forEach((step, i) => { step.hidden = at >= 0 && i !== at; });
      where.textContent = at < 0 ? `${steps.length} steps` : `Step ${at + 1} of ${steps.length}`;
      back.disabled = at <= 0;
      forward.disabled = at === steps.length - 1;
      forward.textContent = at < 0 ? "Walk through" : "Next";
      all.hidden = at < 0;
    };
    const back = button("Back", () => show(at - 1));
    const forward = button("Walk through", () => show(at + 1));
    const all = button("Show all steps", () => show(-1));
    const where = document.createElement("span");
    where.setAttribute("aria-live", "polite");
    bar.append(where);
    bar.addEventListener("keydown", (event) => {
      if (event.key === "ArrowRight" && at < steps.length - 1) {
        show(at + 1);
      } else if (event.key === "ArrowLeft" && at > 0) {
        show(at - 1);
      }
    });
    steps[0].parentElement.before(bar);
    show(-1);
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".ring").forEach(addPlayer);
  });
})();
