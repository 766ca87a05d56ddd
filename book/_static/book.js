// SPDX-License-Identifier: GPL-2.0
// Copy buttons and the player of journeys. The book reads the same without either.
"use strict";

(function () {
  // Blocks that scroll sideways must be reachable by keyboard.
  function makeScrollable() {
    document.querySelectorAll("div.highlight pre, .table-wrapper").forEach((block) => {
      block.tabIndex = 0;
    });
  }

  // On a phone a picture keeps letters that can be read, and is pushed sideways in a box.
  function makeFiguresReadable() {
    document.querySelectorAll('figure > img[src$=".svg"]').forEach((picture) => {
      const box = document.createElement("div");
      box.className = "figure-scroll";
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Figure");
      picture.replaceWith(box);
      box.append(picture);
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
      if (pre.closest(".listing, .ring-steps")) {
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

  function addJourneyPlayer(journey) {
    const boxes = Array.from(journey.querySelectorAll("svg .stop"));
    const goTo = addPlayer({
      items: Array.from(journey.querySelectorAll("ol.journey-stops > li")),
      word: "stop",
      label: "Journey player",
      show: (at) => {
        journey.classList.toggle("playing", at >= 0);
        boxes.forEach((box, i) => {
          box.classList.toggle("current", i === at);
          box.classList.toggle("passed", at >= 0 && i < at);
        });
      },
    });
    boxes.forEach((box, i) => box.addEventListener("click", () => goTo(i)));
  }

  document.addEventListener("DOMContentLoaded", () => {
    makeScrollable();
    makeFiguresReadable();
    addCopyButtons();
    document.querySelectorAll(".journey").forEach(addJourneyPlayer);
  });
})();
