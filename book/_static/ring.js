// SPDX-License-Identifier: GPL-2.0
// Walks through the steps of a recorded ring. Without it the page shows chosen steps and the list.
"use strict";

(function () {
  function addRingPlayer(ring) {
    const steps = Array.from(ring.querySelectorAll("ol.ring-steps > li"));
    const picture = ring.querySelector(".drawing");
    if (!picture || steps.length === 0) {
      return;
    }
    const overview = picture.innerHTML;
    addPlayer({
      items: steps,
      word: "step",
      label: "Steps of the ring",
      show: (at) => {
        if (at < 0) {
          picture.innerHTML = overview;
        } else {
          picture.replaceChildren(steps[at].querySelector("template").content.cloneNode(true));
        }
        picture.classList.toggle("one", at >= 0);
      },
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".ring").forEach(addRingPlayer);
  });
})();
