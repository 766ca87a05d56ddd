// SPDX-License-Identifier: GPL-2.0
// Copy buttons and the journey player. The book reads the same without either.
"use strict";

(function () {
  // Blocks that scroll sideways must be reachable by keyboard.
  function makeScrollable() {
    document.querySelectorAll("div.highlight pre, .table-wrapper").forEach((block) => {
      block.tabIndex = 0;
    });
  }

  // What a reader wants on the clipboard: new lines of a snippet, commands of a transcript.
  function textToCopy(pre) {
    if (pre.closest(".snippet")) {
      const lines = pre.querySelectorAll(".new");
      return Array.from(lines, (line) => line.textContent).join("\n") + "\n";
    }
    const prompts = pre.querySelectorAll(".gp");
    if (prompts.length > 0) {
      const commands = pre.textContent.split("\n").filter((l) => /^(\$|#|\(gdb\)) /.test(l));
      return commands.map((l) => l.replace(/^(\$|#|\(gdb\)) /, "")).join("\n") + "\n";
    }
    return pre.textContent;
  }

  // The clipboard interface is missing from pages opened as files in some browsers.
  function copy(text) {
    if (navigator.clipboard) {
      return navigator.clipboard.writeText(text);
    }
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("copy was refused"));
  }

  function addCopyButtons() {
    document.querySelectorAll("div.highlight > pre").forEach((pre) => {
      if (pre.closest(".listing")) {
        return;
      }
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.addEventListener("click", () => {
        copy(textToCopy(pre)).then(
          () => { button.textContent = "Copied"; },
          () => { button.textContent = "Press Ctrl+C"; }
        ).finally(() => setTimeout(() => { button.textContent = "Copy"; }, 2000));
      });
      pre.parentElement.append(button);
    });
  }

  // Walks the list of stops below a journey's figure, one stop at a time.
  function addPlayer(journey) {
    const stops = Array.from(journey.querySelectorAll("ol.journey-stops > li"));
    const boxes = Array.from(journey.querySelectorAll("svg .stop"));
    const bar = document.createElement("div");
    bar.className = "journey-player";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Journey player");
    let at = -1;
    // A stop keeps its number while the others are hidden.
    stops.forEach((stop, i) => { stop.value = i + 1; });

    const button = (label, action) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = label;
      made.addEventListener("click", action);
      bar.append(made);
      return made;
    };
    const show = (next) => {
      at = next;
      journey.classList.toggle("playing", at >= 0);
      stops.forEach((stop, i) => { stop.hidden = at >= 0 && i !== at; });
      boxes.forEach((box, i) => {
        box.classList.toggle("current", i === at);
        box.classList.toggle("passed", at >= 0 && i < at);
      });
      where.textContent = at < 0 ? `${stops.length} stops` : `Stop ${at + 1} of ${stops.length}`;
      back.disabled = at <= 0;
      forward.disabled = at === stops.length - 1;
      forward.textContent = at < 0 ? "Walk through" : "Next";
      all.hidden = at < 0;
    };
    const back = button("Back", () => show(at - 1));
    const forward = button("Walk through", () => show(at + 1));
    const all = button("Show all stops", () => show(-1));
    const where = document.createElement("span");
    where.setAttribute("aria-live", "polite");
    bar.append(where);
    boxes.forEach((box, i) => box.addEventListener("click", () => show(i)));
    stops[0].parentElement.before(bar);
    show(-1);
  }

  document.addEventListener("DOMContentLoaded", () => {
    makeScrollable();
    addCopyButtons();
    document.querySelectorAll(".journey").forEach(addPlayer);
  });
})();
